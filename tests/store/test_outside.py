"""Tickets that agents start from outside, with mails as well-known clients write them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any

import pytest
from sqlalchemy import Engine, select

from mailticket.config.desk import Agent, Department, HelpTopic, TrustPolicy
from mailticket.config.lifecycle import CustomField
from mailticket.config.people import Role
from mailticket.config.rules import Actions, Rule
from mailticket.config.webhooks import Webhook
from mailticket.domain.change import AddParticipant, Decision
from mailticket.domain.permissions import Permission
from mailticket.domain.types import Outcome
from mailticket.store import deadlines, webhooks
from mailticket.store.engine import reading
from mailticket.store.links import waits_for
from mailticket.store.models import Entry, EntryAttachment, Participant, Person, TicketEvent
from tests.scenario.daemon import answer, new_mail, text_of
from tests.store.small_desk import SAM, SUPPORT, SmallDesk, small_desk

DORA, CARL, SUE = "dora@origin.example", "carl@origin.example", "sue.private@agents.example"
PROVEN = {"Authentication_Results": "mx.desk.example; dmarc=pass header.from=agents.example"}
FROM_DORA = {"Authentication_Results": "mx.desk.example; dmarc=pass header.from=origin.example"}
SECRETS = (SAM, SUE, "between us", "Sam Support", "sam.private")

GMAIL = """---------- Forwarded message ---------
From: Dora Door <dora@origin.example>
Date: Sun, 4 Jan 2026 at 09:12
Subject: Door
To: Sam Support <sam.private@agents.example>


The door is broken.

Dora
"""
OUTLOOK = """________________________________
From: Dora Door <dora@origin.example>
Sent: Sunday, January 4, 2026 9:12 AM
To: Sam Support <sam.private@agents.example>
Subject: Door

The door is broken.

Dora
"""
OUTLOOK_DE = """Von: Dora Door <dora@origin.example>
Gesendet: Sonntag, 4. Januar 2026 09:12
An: Sam Support <sam.private@agents.example>
Betreff: Door

The door is broken.

Dora
"""
APPLE = """Begin forwarded message:

> From: Dora Door <dora@origin.example>
> Date: 4 January 2026 at 09:12:00 CET
> To: Sam Support <sam.private@agents.example>
> Subject: Door
>
> The door is broken.
>
> Dora
"""
THUNDERBIRD = """-------- Forwarded Message --------
Subject: \tDoor
Date: \tSun, 4 Jan 2026 09:12:00 +0100
From: \tDora Door <dora@origin.example>
To: \tSam Support <sam.private@agents.example>



The door is broken.

Dora
"""
MUTT = """----- Forwarded message from Dora Door <dora@origin.example> -----

Date: Sun, 4 Jan 2026 09:12:00 +0100
From: Dora Door <dora@origin.example>
To: Sam Support <sam.private@agents.example>
Subject: Door
Message-ID: <door@origin.example>

The door is broken.

Dora

----- End forwarded message -----
"""
CLIENTS = {
    "gmail": ("Fwd: Door", GMAIL),
    "outlook": ("FW: Door", OUTLOOK),
    "outlook in German": ("WG: Door", OUTLOOK_DE),
    "apple mail": ("Fwd: Door", APPLE),
    "thunderbird": ("Fwd: Door", THUNDERBIRD),
    "mutt": ("[dora@origin.example: Door]", MUTT),
    "french gmail": (
        "Fwd: Door",
        GMAIL.replace("Forwarded message", "Message transféré").replace("From:", "De :"),
    ),
    "japanese gmail": (
        "Fwd: Door",
        GMAIL.replace("Forwarded message", "転送メッセージ").replace("From:", "差出人:"),
    ),
}


@dataclass
class Office(SmallDesk):
    """Sam and Sue in support, whose mail server vouches for agents."""

    def __post_init__(self) -> None:
        base = small_desk(trust=TrustPolicy(authserv_ids=("mx.desk.example",)))
        support = Department(key="support", name="Support", addresses=(SUPPORT,), members=("sam", "sue"))
        agents = dict(base.agents) | {"sue": Agent(key="sue", name="Sue Second", addresses=(SUE,))}
        self.desk = base.model_copy(update={"departments": {"support": support}, "agents": agents})

    def of_sam(self, subject: str, body: str, *, serial: str = "s1", **headers: str) -> Decision:
        """Sam writes, proven to be Sam."""
        raw = new_mail(
            subject, body, sender=f"Sam Support <{SAM}>", message_id=f"{serial}@agents.example",
            **(PROVEN | headers),
        )  # fmt: skip
        return self.receive(raw, sender=SAM)

    def entries(self) -> list[Entry]:
        """Every entry, oldest first."""
        with reading(self.engine) as session:
            found = list(session.execute(select(Entry).order_by(Entry.id)).scalars())
            session.expunge_all()
            return found

    def told(self) -> list[tuple[str, str, str]]:
        """Kind, author and text of every entry."""
        return [(one.kind, one.author, one.text) for one in self.entries()]

    def customers(self) -> list[EmailMessage]:
        """Every mail that went to somebody who does not work here."""
        inside = {SAM, SUE}
        return [mail for mail in self.sent if mail["To"].addresses[0].addr_spec not in inside]


@pytest.fixture
def office(engine: Engine) -> Office:
    return Office(engine)


def nothing_leaked(mails: list[EmailMessage]) -> None:
    for mail in mails:
        whole = mail.as_string() + text_of(mail)
        assert not [secret for secret in SECRETS if secret in whole]


# -- passed on -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", CLIENTS)
def test_what_an_agent_passes_on_is_a_ticket_of_its_author(office: Office, client: str) -> None:
    subject, original = CLIENTS[client]
    words = "#assign sue\nCan you look, between us: he is a friend.\n\n-- \nSam Support\nTel. 123\n\n"
    decision = office.of_sam(subject, words + original)
    assert decision.outcome is Outcome.NEW_TICKET, decision.reasons
    ticket = office.tickets()[0]
    assert (ticket.requester_address, ticket.requester_name, ticket.subject) == (DORA, "Dora Door", "Door")
    assert ticket.assignee == "sue"
    assert office.told() == [
        ("message", DORA, "The door is broken.\n\nDora"),
        ("note", "agent:sam", "Can you look, between us: he is a friend."),
    ]
    assert office.customers() == []


def test_colleagues_see_the_customers_words_and_the_agents_in_one_alert_and_so_does_the_agent(
    office: Office,
) -> None:
    office.of_sam("Fwd: Door", f"Can you look, between us?\n\n{GMAIL}")
    for address in (SAM, SUE):
        (alert,) = office.to(address)
        assert "The door is broken." in text_of(alert)
        assert "Sam Support wrote with it" in text_of(alert)
        assert "between us" in text_of(alert)
    assert office.to(SAM)[0]["References"] == "<s1@agents.example>"


def test_the_answer_reaches_the_author_in_their_own_conversation(office: Office) -> None:
    office.of_sam("Fwd: Door", f"between us\n\n{GMAIL}", In_Reply_To="<door@origin.example>")
    alert = office.to(SUE)[0]
    raw = answer(alert, "It is repaired.", sender=f"Sue <{SUE}>", message_id="a1@agents.example")
    office.receive(raw, getaddresses([str(alert["Reply-To"])])[0][1], SUE)
    (mail,) = office.to(DORA)
    assert "It is repaired." in text_of(mail)
    assert mail["Subject"] == f"Re: Door [#{office.tickets()[0].number}]"
    assert mail["In-Reply-To"] == "<door@origin.example>"
    nothing_leaked(office.customers())


def test_reply_makes_the_words_above_the_first_answer(office: Office) -> None:
    office.of_sam("Fwd: Door", f"#reply\nDear Dora, somebody will come today.\n\n{GMAIL}")
    assert [entry.kind for entry in office.entries()] == ["message", "response"]
    (mail,) = office.to(DORA)
    assert "somebody will come today" in text_of(mail)
    assert "Forwarded" not in text_of(mail)
    assert office.tickets()[0].status == "in-progress"
    assert office.tickets()[0].assignee == "sam"
    nothing_leaked(office.customers())


def test_the_customer_is_told_of_the_ticket_where_that_is_the_policy(office: Office) -> None:
    office.desk = office.desk.model_copy(update={"acknowledge_on_behalf": True})
    office.of_sam("Fwd: Door", f"between us\n\n{GMAIL}")
    assert len(office.to(DORA)) == 1
    nothing_leaked(office.customers())


def test_a_mail_attached_to_a_mail_keeps_its_text_its_files_and_its_place_in_a_conversation(
    office: Office,
) -> None:
    inner = EmailMessage()
    inner["From"], inner["Subject"], inner["Message-ID"] = (
        f"Dora Door <{DORA}>",
        "Door",
        "<door@origin.example>",
    )
    inner.set_content("The door is broken.")
    inner.add_attachment(b"pixels", maintype="image", subtype="png", filename="door.png")
    outer = EmailMessage()
    outer["From"], outer["To"], outer["Subject"] = SAM, SUPPORT, "FW: Door"
    outer["Message-ID"] = "<s1@agents.example>"
    outer["Authentication-Results"] = PROVEN["Authentication_Results"]
    outer.set_content("#priority normal\nbetween us")
    outer.add_attachment(inner)
    office.receive(outer.as_bytes(), sender=SAM)
    assert office.told() == [("message", DORA, "The door is broken."), ("note", "agent:sam", "between us")]
    with reading(office.engine) as session:
        files = session.execute(select(EntryAttachment.filename, EntryAttachment.entry_id)).all()
    assert [tuple(row) for row in files] == [("door.png", office.entries()[0].id)]
    assert office.entries()[0].message_id == "door@origin.example"


def test_files_of_a_mail_passed_on_belong_to_the_original(office: Office) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = (
        SAM,
        SUPPORT,
        "Fwd: Door",
        "<s1@agents.example>",
    )
    mail["Authentication-Results"] = PROVEN["Authentication_Results"]
    mail.set_content(f"between us\n\n{GMAIL}")
    mail.add_attachment(b"pixels", maintype="image", subtype="png", filename="door.png")
    office.receive(mail.as_bytes(), sender=SAM)
    with reading(office.engine) as session:
        entries = list(session.execute(select(EntryAttachment.entry_id)).scalars())
    assert entries == [office.entries()[0].id]


def test_what_colleagues_passed_on_to_one_another_belongs_to_who_wrote_it_first(office: Office) -> None:
    inner = "\n".join(GMAIL.splitlines())
    outer = GMAIL.replace("Dora Door <dora@origin.example>", f"Sue Second <{SUE}>").replace(
        "The door is broken.\n\nDora", f"see below\n\n{inner}"
    )
    office.of_sam("Fwd: Fwd: Door", outer)
    assert office.tickets()[0].requester_address == DORA
    assert office.entries()[0].text == "The door is broken.\n\nDora"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (OUTLOOK.replace(" <dora@origin.example>", ""), "Dora Door"),
        ("Please see.\n", "no original mail"),
        (GMAIL.replace(DORA, SUE), "belongs to an agent"),
        (GMAIL.replace(DORA, SUPPORT), "a mail of this desk"),
        (f"#pirority high\n\n{GMAIL}", "is not a command"),
        (f"#owner support@desk.example\n\n{GMAIL}", "an address of this desk"),
        (f"#move 123456\n\n{GMAIL}", "needs a ticket that is there"),
        (f"#assign nobody-here\n\n{GMAIL}", "nobody-here"),
    ],
)
def test_what_cannot_be_told_goes_back_and_nothing_is_done(office: Office, body: str, told: str) -> None:
    decision = office.of_sam("FW: Door", body)
    assert decision.outcome is Outcome.RETURNED
    assert office.tickets() == []
    (mail,) = office.sent
    assert mail["To"].addresses[0].addr_spec == SAM
    assert told in " ".join(text_of(mail).split())


def test_owner_names_whose_ticket_it_is_where_the_copy_does_not(office: Office) -> None:
    office.of_sam("FW: Door", f"#owner {DORA}\n\n{OUTLOOK.replace(' <dora@origin.example>', '')}")
    assert office.tickets()[0].requester_address == DORA
    assert office.entries()[0].text == "The door is broken.\n\nDora"


def test_nobody_but_a_proven_agent_hands_in_mail_of_others(office: Office) -> None:
    raw = new_mail("Fwd: Door", GMAIL, sender=SAM, message_id="f1@evil.example")
    office.receive(raw, sender=SAM)
    raw = new_mail("Fwd: Door", GMAIL, sender="eve@evil.example", message_id="f2@evil.example")
    office.receive(raw, sender="eve@evil.example")
    assert [one.requester_address for one in office.tickets()] == [SAM, "eve@evil.example"]
    assert office.to(DORA) == []


# -- passed on, about a ticket --------------------------------------------------------------------------


def ticket_of_dora(office: Office) -> tuple[EmailMessage, EmailMessage]:
    """Dora's ticket with one answer: Sam's alert, and the answer as Dora got it."""
    raw = new_mail(
        "Door", "The door is broken.", sender=f"Dora Door <{DORA}>", message_id="d0@origin.example"
    )
    office.receive(raw, sender=DORA)
    alert = office.to(SAM)[-1]
    reply = answer(alert, "Which door?", sender=f"Sam Support <{SAM}>", message_id="a0@agents.example")
    office.receive(reply, getaddresses([str(alert["Reply-To"])])[0][1], SAM)
    return alert, office.to(DORA)[-1]


def forwarded(mail: EmailMessage, sender: str) -> str:
    """A mail of ours as Gmail copies it."""
    return (
        f"---------- Forwarded message ---------\nFrom: {sender}\nDate: Sun, 4 Jan 2026 at 09:12\n"
        f"Subject: {mail['Subject']}\nTo: {mail['To']}\n\n\n{text_of(mail)}"
    )


@pytest.mark.parametrize("to", [SUPPORT, "the address of the alert"])
@pytest.mark.parametrize("proof", [PROVEN, {}], ids=["authenticated", "by the token in it"])
def test_an_alert_passed_on_says_nothing_to_the_customer(
    office: Office, to: str, proof: dict[str, str]
) -> None:
    alert, _ = ticket_of_dora(office)
    before = len(office.customers())
    recipient = SUPPORT if to == SUPPORT else getaddresses([str(alert["Reply-To"])])[0][1]
    body = f"#tag friend\nbetween us\n\n{forwarded(alert, str(alert['From']))}"
    raw = new_mail(
        f"Fwd: {alert['Subject']}", body, sender=SAM, message_id="f1@agents.example", to=recipient,
        References=str(alert["Message-ID"]), **proof,
    )  # fmt: skip
    decision = office.receive(raw, recipient, SAM)
    assert decision.outcome is Outcome.AGENT_ACTED, decision.reasons
    assert len(office.tickets()) == 1
    assert office.tickets()[0].tags == ["friend"]
    assert office.told()[-1] == ("note", "agent:sam", "between us")
    assert len(office.customers()) == before


def test_an_answer_that_the_customer_passed_to_the_agent_comes_back_as_the_customers_message(
    office: Office,
) -> None:
    """Dora answers to Sam's private address; Sam passes that on."""
    _, reply = ticket_of_dora(office)
    quoted = "\n".join(f"> {line}" for line in text_of(reply).splitlines())
    body = GMAIL.replace(
        "The door is broken.\n\nDora",
        f"The blue one.\n\nOn Sat, 21 Nov 2026 at 10:05, Support <support@desk.example> wrote:\n{quoted}",
    )
    office.of_sam("Fwd: Door", f"between us\n\n{body}", References="<d7@origin.example>")
    assert len(office.tickets()) == 1
    assert office.told()[-2:] == [("message", DORA, "The blue one."), ("note", "agent:sam", "between us")]
    alert = office.to(SAM)[-1]
    assert "The blue one." in text_of(alert)
    assert "between us" in text_of(alert)
    nothing_leaked(office.customers())


def test_the_same_mail_twice_is_one_message(office: Office) -> None:
    """Dora wrote to Sam and the desk; Sam passes hers on all the same."""
    ticket_of_dora(office)
    office.of_sam("Fwd: Door", f"between us\n\n{GMAIL}", In_Reply_To="<d0@origin.example>")
    assert [entry.kind for entry in office.entries()] == ["message", "response", "note"]
    assert office.entries()[-1].text == "between us"


def test_somebody_elses_mail_about_a_ticket_stays_inside(office: Office) -> None:
    ticket_of_dora(office)
    number = office.tickets()[0].number
    before = len(office.customers())
    office.of_sam(f"FW: your order [#{number}]", f"from the locksmith\n\n{OUTLOOK.replace(DORA, CARL)}")
    kind, author, text = office.told()[-1]
    assert (kind, author) == ("note", "agent:sam")
    assert text.startswith("from the locksmith")
    assert CARL in text
    assert "The door is broken." in text
    assert len(office.customers()) == before
    assert len(office.tickets()) == 1


# -- written to the customer ------------------------------------------------------------------------------


def test_a_mail_to_a_customer_with_the_desk_in_cc_opens_their_ticket_and_is_its_first_answer(
    office: Office,
) -> None:
    office.of_sam("Your door", "Dear Dora, how is the door?", to=f"Dora Door <{DORA}>", Cc=SUPPORT)
    ticket = office.tickets()[0]
    assert (ticket.requester_address, ticket.subject) == (DORA, "Your door")
    assert (ticket.status, ticket.assignee) == ("in-progress", "sam")
    assert office.told() == [("response", "agent:sam", "Dear Dora, how is the door?")]
    assert office.customers() == []
    (alert,) = office.to(SAM)
    assert "Dear Dora, how is the door?" in text_of(alert)
    assert alert["Reply-To"] is not None


def test_the_customers_reply_to_it_joins_whether_it_names_it_or_only_its_subject(office: Office) -> None:
    office.of_sam("Your door", "Dear Dora, how is the door?", to=DORA, Cc=SUPPORT)
    for serial, headers in (("d1", {"In_Reply_To": "<s1@agents.example>"}), ("d2", {})):
        raw = new_mail(
            "Re: Your door", f"Well, {serial}.", sender=DORA, to=SAM, Cc=SUPPORT,
            message_id=f"{serial}@origin.example", **headers,
        )  # fmt: skip
        assert office.receive(raw, sender=DORA).outcome is Outcome.THREADED
    assert len(office.tickets()) == 1


def test_our_next_mail_to_the_customer_stays_in_the_conversation_the_agent_began(office: Office) -> None:
    office.of_sam("Your door", "Dear Dora, how is the door?", to=DORA, Cc=SUPPORT)
    alert = office.to(SAM)[-1]
    raw = answer(alert, "Any news?", sender=SAM, message_id="a1@agents.example")
    office.receive(raw, getaddresses([str(alert["Reply-To"])])[0][1], SAM)
    assert office.to(DORA)[0]["In-Reply-To"] == "<s1@agents.example>"


def test_owner_opens_a_ticket_with_a_note_or_with_reply_an_answer(office: Office) -> None:
    office.of_sam("Door", f"#owner {DORA}\nShe called, between us.")
    assert office.told() == [("note", "agent:sam", "She called, between us.")]
    assert office.customers() == []
    office.of_sam("Window", f"#owner {DORA}\n#reply\nDear Dora, thank you for your call.", serial="s2")
    assert [one.requester_address for one in office.tickets()] == [DORA, DORA]
    assert "thank you for your call" in text_of(office.to(DORA)[0])
    nothing_leaked(office.customers())


def test_an_agent_without_a_customer_is_a_customer_as_ever(office: Office) -> None:
    office.of_sam("My screen", "It flickers.")
    assert office.tickets()[0].requester_address == SAM
    assert office.told() == [("message", SAM, "It flickers.")]


# -- answers sent directly ----------------------------------------------------------------------------------


def direct(office: Office, reply: EmailMessage, body: str, *, subject: str = "", **headers: str) -> Decision:
    """Sam answers Dora from his own mailbox."""
    fields = {"to": DORA, "References": str(reply["Message-ID"])} | headers
    return office.of_sam(subject or f"Re: {reply['Subject']}", body, serial="direct", **fields)


@pytest.mark.parametrize("bcc", [False, True])
def test_an_answer_sent_directly_is_the_public_reply_and_is_not_sent_again(office: Office, bcc: bool) -> None:
    _, reply = ticket_of_dora(office)
    office.desk = office.desk.model_copy()
    before = len(office.to(DORA))
    decision = direct(office, reply, "The locksmith comes at nine.", **({} if bcc else {"Cc": SUPPORT}))
    assert decision.outcome is Outcome.AGENT_ACTED, decision.reasons
    assert office.told()[-1] == ("response", "agent:sam", "The locksmith comes at nine.")
    assert office.tickets()[0].last_response_at is not None
    assert len(office.to(DORA)) == before


def test_a_receipt_tells_that_a_direct_answer_was_filed_what_changed_and_what_was_left(
    office: Office,
) -> None:
    office.desk = office.desk.model_copy(update={"receipts": "all", "cc_adds": "nobody"})
    _, reply = ticket_of_dora(office)
    direct(office, reply, "#resolve\nCome by.", Cc=f"{SUPPORT}, {CARL}")
    said = " ".join(text_of(office.to(SAM)[-1]).split())
    assert f"{DORA} got it directly; it is in the ticket, and is not sent again" in said
    assert "-> resolved" in said
    assert f"{CARL} got a copy from you only" in said
    assert "#undo" not in said, "it has been read"


def test_whoever_takes_part_and_does_not_have_it_gets_it(office: Office) -> None:
    alert, reply = ticket_of_dora(office)
    raw = answer(alert, f"#cc {CARL}\n#note\nbetween us", sender=SAM, message_id="cc@agents.example")
    office.receive(raw, getaddresses([str(alert["Reply-To"])])[0][1], SAM)
    before = len(office.to(DORA))
    direct(office, reply, "The locksmith comes at nine.", Cc=SUPPORT)
    assert len(office.to(DORA)) == before
    assert "The locksmith comes at nine." in text_of(office.to(CARL)[-1])
    nothing_leaked(office.customers())


def test_it_stops_the_clock_and_claims_the_ticket(office: Office) -> None:
    raw = new_mail("Door", "It is broken.", sender=DORA, message_id="d0@origin.example")
    office.receive(raw, sender=DORA)
    office.of_sam("Re: Door", "Which one?", to=DORA, Cc=SUPPORT, In_Reply_To="<d0@origin.example>")
    ticket = office.tickets()[0]
    assert (ticket.assignee, ticket.status) == ("sam", "in-progress")
    assert [entry.kind for entry in office.entries()] == ["message", "response"]
    assert len(office.to(DORA)) == 1  # the acknowledgement


def test_it_is_found_by_whom_it_is_written_to_and_its_subject(office: Office) -> None:
    raw = new_mail("The blue door", "It is broken.", sender=DORA, message_id="d0@origin.example")
    office.receive(raw, sender=DORA)
    office.of_sam("Re: The blue door", "Which one?", to=DORA, Cc=SUPPORT)
    assert len(office.tickets()) == 1
    assert office.entries()[-1].kind == "response"


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ("It is done.\n\n#close", "closed", "It is done."),
        ("#1 priority: your door.", "in-progress", "#1 priority: your door."),
        ("#Wichtig\nBitte lesen.", "in-progress", "#Wichtig\nBitte lesen."),
        ("#note\nIt is done.", "in-progress", "It is done."),
        ("#assign nobody-here\nIt is done.", "in-progress", "It is done."),
    ],
)
def test_what_the_customer_has_read_is_filed_whatever_its_command_lines(
    office: Office, body: str, status: str, text: str
) -> None:
    _, reply = ticket_of_dora(office)
    direct(office, reply, body, Cc=SUPPORT)
    assert office.told()[-1] == ("response", "agent:sam", text)
    assert office.tickets()[0].status == status


def test_a_copy_that_anybody_could_hand_in_is_filed_and_commands_nothing(office: Office) -> None:
    """In Bcc the desk is not named, so whoever got the mail could have sent it here as well."""
    _, reply = ticket_of_dora(office)
    direct(office, reply, "It is done.\n\n#close")
    assert office.tickets()[0].status == "in-progress"
    assert office.told()[-1][0] == "response"


@pytest.mark.parametrize("to", ["stranger@elsewhere.example", SUE])
def test_a_copy_of_a_mail_to_somebody_else_proves_nothing(office: Office, to: str) -> None:
    _, reply = ticket_of_dora(office)
    count = len(office.entries())
    assert direct(office, reply, "between us", to=to).outcome is Outcome.RETURNED
    assert len(office.entries()) == count


def test_an_unproven_answer_with_a_copy_goes_back_to_the_agent(office: Office) -> None:
    _, reply = ticket_of_dora(office)
    count = len(office.entries())
    headers = {"Authentication_Results": "mx.desk.example; dmarc=none"}
    assert direct(office, reply, "Hello", Cc=SUPPORT, **headers).outcome is Outcome.RETURNED
    assert len(office.entries()) == count


def test_events_say_who_opened_it_for_whom_and_who_has_it_already(office: Office) -> None:
    office.of_sam("Your door", "Dear Dora, how is it?", to=DORA, Cc=SUPPORT)
    with reading(office.engine) as session:
        rows = session.execute(select(TicketEvent).order_by(TicketEvent.id)).scalars().all()
        events = {row.kind: (row.actor, row.data) for row in rows}
    assert events["created"][0] == "agent:sam"
    assert events["created"][1]["on_behalf"] == "sam"
    assert events["response"][1]["delivered"] == [DORA]


COPIED = Rule(name="copies", on="both", then=Actions(forward=("partner@supplier.example",)))


def test_a_rule_sends_nobody_a_copy_of_an_agents_own_mail(office: Office) -> None:
    office.desk = office.desk.model_copy(update={"rules": (COPIED,)})
    decision = office.of_sam("Fwd: Door", f"This is between us.\n\n{GMAIL}")
    assert decision.outcome is Outcome.NEW_TICKET
    assert any("not sent, as the mail that came is an agent's" in reason for reason in decision.reasons)
    number = office.tickets()[0].number
    again = GMAIL.replace("The door is broken.", "Now the lock, too.")
    decision = office.of_sam(f"Fwd: Door [#{number}]", f"Between us again.\n\n{again}", serial="s2")
    assert decision.outcome is Outcome.AGENT_ACTED
    assert any("not sent, as the mail that came is an agent's" in reason for reason in decision.reasons)
    assert office.to("partner@supplier.example") == []
    office.receive(new_mail("Window", "It is broken.", sender=DORA, **FROM_DORA), sender=DORA)
    assert len(office.to("partner@supplier.example")) == 1


@pytest.mark.parametrize("added", ["To: support@desk.example", "Subject: Re: {tag}"])
def test_a_mail_of_an_agent_with_a_header_put_on_top_proves_nothing(office: Office, added: str) -> None:
    office.receive(new_mail("Door", "It is broken.", sender=DORA, **FROM_DORA), sender=DORA)
    number, before = office.tickets()[0].number, len(office.to(DORA))
    to = "carl@origin.example" if added.startswith("To") else SUPPORT
    signed = new_mail(f"Re: [#{number}]", "You get your money back.", sender=SAM, to=to, **PROVEN)
    forged = f"{added.format(tag=f'[#{number}]')}\r\n".encode() + signed
    assert office.receive(forged, sender=CARL).outcome is not Outcome.AGENT_ACTED
    assert len(office.to(DORA)) == before


def test_whoever_the_agent_wrote_to_as_well_takes_part_and_does_not_get_it_twice(office: Office) -> None:
    office.of_sam("Your door", "Dear Dora, how is it?", to=f"Dora Door <{DORA}>", Cc=f"{SUPPORT}, {CARL}")
    office.of_sam(
        "Re: Your door", "Anything new?", serial="s2", to=f"{DORA}, Eva <eva@origin.example>", Cc=SUPPORT,
        References="<s1@agents.example>",
    )  # fmt: skip
    with reading(office.engine) as session:
        present = session.execute(select(Person.name, Participant.role).join_from(Participant, Person)).all()
    assert len(present) == 3, present
    assert [one["To"].addresses[0].addr_spec for one in office.customers()] == [CARL]
    nothing_leaked(office.customers())


@pytest.mark.parametrize(
    ("words", "policy", "may", "joins", "told"),
    [
        ("Hello.", "agents", ("reply", "edit"), True, ""),
        ("#note\nHello.", "agents", tuple(Permission), False, "takes no part"),
        ("#tag vip", "agents", tuple(Permission), False, "takes no part"),
        ("Hello.", "nobody", tuple(Permission), False, "a copy lets nobody take part here"),
        ("Hello.", "agents", ("reply", "note"), False, "your role does not let you say who takes part"),
    ],
)
def test_only_an_answer_lets_in_whom_it_was_copied_to_and_the_receipt_says_so(
    office: Office, words: str, policy: str, may: tuple[str, ...], joins: bool, told: str
) -> None:
    roles = {"some": Role(key="some", name="Some", may=may)}
    some = {"cc_adds": policy, "receipts": "all", "roles": roles, "default_role": "some"}
    office.desk = office.desk.model_copy(update=some)
    office.receive(new_mail("Door", "It is broken.", sender=f"Dora <{DORA}>"), sender=DORA)
    alert = office.to(SAM)[0]
    raw = answer(alert, words, sender=SAM).replace(b"\r\nSubject:", f"\r\nCc: {CARL}\r\nSubject:".encode(), 1)
    decision = office.receive(raw, getaddresses([str(alert["Reply-To"])])[0][1], SAM)
    added = [one.address for one in decision.changes if isinstance(one, AddParticipant)]
    assert added == ([CARL] if joins else [])
    assert len(office.to(CARL)) == joins
    assert CARL in text_of(office.to(SAM)[-1])
    assert told in " ".join(text_of(office.to(SAM)[-1]).split())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("#time 15m on the phone", ("minutes_spent", 15)),
        ("#subject The door of room 3", ("subject", "The door of room 3")),
        ("#wait 3d", ("status", "waiting")),
        ("#hold until 2027-01-01", ("status", "on-hold")),
        ("#tag door", ("tags", ["door"])),
        ("#field severity major", ("fields", {"severity": "major"})),
        ("#topic doors", ("topic", "doors")),
    ],
)
def test_an_agent_who_opens_a_ticket_for_somebody_may_set_all_of_it(
    office: Office, line: str, expected: tuple[str, Any]
) -> None:
    more = {
        "fields": {"severity": CustomField(key="severity", name="Severity")},
        "topics": {"doors": HelpTopic(key="doors", name="Doors")},
    }
    office.desk = office.desk.model_copy(update=more)
    decided = office.of_sam("Door", f"#owner {DORA}\n{line}\nShe called.")
    assert decided.outcome is Outcome.NEW_TICKET, decided.reasons
    (ticket,) = office.tickets()
    assert getattr(ticket, expected[0]) == expected[1]


def test_a_ticket_opened_to_wait_comes_back_and_a_reminder_is_planned(office: Office) -> None:
    office.of_sam("Door", f"#owner {DORA}\n#wait 3d\n#remind 2d ring her\nShe called.")
    (ticket,) = office.tickets()
    with reading(office.engine) as session:
        planned = deadlines.planned(session, ticket.id)
    assert set(planned) >= {"wake", "remind"}


def test_a_ticket_opened_to_wait_for_another_one_is_tied_to_it(office: Office) -> None:
    office.of_sam("Door", f"#owner {DORA}\nShe called.")
    (first,) = office.tickets()
    office.of_sam("Window", f"#owner {DORA}\n#block {first.number}\nAfter the door.", serial="s2")
    second = office.tickets()[-1]
    with reading(office.engine) as session:
        assert waits_for(session, second.id) == {first.id}
    assert second.status == "on-hold"


@pytest.mark.parametrize("line", ["#undo", "#merge 123456", "#uncc x@y.example", "#use hello"])
def test_what_needs_a_ticket_that_is_there_is_refused_with_the_way_to_do_it(
    office: Office, line: str
) -> None:
    decided = office.of_sam("Door", f"#owner {DORA}\n{line}\nShe called.")
    assert decided.outcome is Outcome.RETURNED
    assert office.tickets() == []
    assert "send it as an answer to the alert you get" in " ".join(text_of(office.to(SAM)[-1]).split())


def test_the_first_answer_of_a_ticket_an_agent_opens_waits_for_the_hold_too(office: Office) -> None:
    office.desk = office.desk.model_copy(update={"undo_hold": timedelta(minutes=5)})
    office.of_sam("Window", f"#owner {DORA}\n#reply\nDear Dora, thank you for your call.")
    assert office.to(DORA) == []
    alert = office.to(SAM)[-1]
    raw = answer(alert, "#undo", sender=SAM, message_id="u1@agents.example")
    assert (
        office.receive(raw, getaddresses([str(alert["Reply-To"])])[0][1], SAM).outcome is Outcome.AGENT_ACTED
    )
    office.now += timedelta(hours=1)
    office.send()
    assert office.to(DORA) == []
    assert [one.withdrawn_at is None for one in office.entries()] == [False]


def test_a_web_service_hears_of_a_ticket_an_agent_opened_though_its_first_answer_was_taken_back(
    office: Office,
) -> None:
    hook = {"key": "outside", "events": ("created", "response"), "url": "https://x.example/"}
    outside = Webhook.model_validate(hook | {"secret": "0123456789abcdef"})
    more = {"undo_hold": timedelta(minutes=5), "webhooks": {"outside": outside}}
    office.desk = office.desk.model_copy(update=more)
    office.of_sam("Window", f"#owner {DORA}\n#reply\nDear Dora, thank you for your call.")
    alert = office.to(SAM)[-1]
    raw = answer(alert, "#undo", sender=SAM, message_id="u1@agents.example")
    office.receive(raw, getaddresses([str(alert["Reply-To"])])[0][1], SAM)
    office.now += timedelta(hours=1)
    told = webhooks.claim(office.engine, office.now, 9, timedelta(minutes=5))
    assert [call.event for call in told] == ["created"]
    assert "Dear Dora" not in told[0].body
