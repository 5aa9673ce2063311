"""What mail programs make of our mails: one conversation per ticket and reader (conversations.py)."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from email.message import EmailMessage
from email.utils import getaddresses

import pytest
from sqlalchemy import Engine, select

from mailticket.config.desk import Agent, Department, Desk, Priority, TrustPolicy
from mailticket.store.engine import reading
from mailticket.store.models import Entry
from tests.scenario.daemon import answer, new_mail, parse
from tests.store.conversations import PROGRAMS, base_subject, gmail, outlook, root_of
from tests.store.small_desk import SAM, SmallDesk, small_desk

ANN = "ann@customer.example"
INDEX = base64.b64encode(bytes([1]) + bytes(range(21))).decode()


def reply(desk: SmallDesk, mail: EmailMessage, words: str, sender: str, serial: str) -> EmailMessage:
    """Somebody answers the newest mail they have, as mail programs do."""
    raw = answer(mail, words, sender=sender, message_id=f"{serial}@{sender.partition('@')[2]}")
    desk.receive(raw, getaddresses([str(mail["Reply-To"])])[0][1], sender)
    return parse(raw)


def conversation(
    desk: SmallDesk, rounds: int, **headers: str
) -> tuple[list[EmailMessage], list[EmailMessage]]:
    """Ann and Sam write to each other; what Ann has in her mailbox, and what Sam has."""
    raw = new_mail("Printer on fire", "Please help.", sender=f"Ann <{ANN}>", **headers)
    desk.receive(raw, sender=ANN)
    ann, sam = [parse(raw), *desk.to(ANN)], desk.to(SAM)
    for number in range(rounds):
        own = reply(desk, desk.to(SAM)[-1], f"Answer {number}.", SAM, f"s{number}")
        sam.append(own)
        ann.append(desk.to(ANN)[-1])
        ann.append(reply(desk, desk.to(ANN)[-1], f"Question {number}?", ANN, f"a{number}"))
        sam.append(desk.to(SAM)[-1])
    assert len(desk.to(ANN)) == len(desk.to(SAM)) == rounds + 1
    return ann, sam


@pytest.mark.parametrize("rounds", [3, 20], ids=["short", "longer than References may grow"])
def test_gmail_shows_all_our_mails_of_a_ticket_as_one_conversation(engine: Engine, rounds: int) -> None:
    ann, sam = conversation(SmallDesk(engine), rounds)
    assert len(gmail(ann[1:])) == 1  # her own first mail has no number in its subject yet
    assert len(gmail(sam)) == 1


def test_outlook_shows_the_whole_ticket_as_one_conversation(engine: Engine) -> None:
    ann, sam = conversation(SmallDesk(engine), 20, Thread_Index=INDEX, Thread_Topic="Printer on fire")
    assert len(outlook(ann)) == 1
    assert len(outlook(sam)) == 1


def test_every_mail_to_one_person_has_one_root_one_subject_and_bounded_references(engine: Engine) -> None:
    desk = SmallDesk(engine)
    conversation(desk, 20)
    for address in (ANN, SAM):
        mails = [mail for mail in desk.to(address) if mail["References"]]
        chains = [re.findall(r"<[^<>\s]+>", str(mail["References"])) for mail in mails]
        assert len({chain[0] for chain in chains}) == 1
        assert max(map(len, chains)) == 13
        assert [chain[-1] for chain in chains] == [mail["In-Reply-To"] for mail in mails]
        assert len({str(mail["Subject"]) for mail in desk.to(address)}) == 1


def test_outlooks_headers_are_carried_on_to_their_author_only(engine: Engine) -> None:
    desk = SmallDesk(engine)
    conversation(desk, 1, Thread_Index=INDEX, Thread_Topic="Printer on fire")
    first, second = desk.to(ANN)
    raw = base64.b64decode(str(first["Thread-Index"]))
    assert raw[:22] == base64.b64decode(INDEX)
    assert len(raw) == 27
    assert first["Thread-Topic"] == second["Thread-Topic"] == "Printer on fire"
    assert len({root_of(mail) for mail in desk.to(SAM)}) == 1
    assert root_of(desk.to(SAM)[0]) != root_of(first)
    assert {mail["Thread-Topic"] for mail in desk.to(SAM)} == {str(desk.to(SAM)[0]["Subject"])}


@pytest.mark.parametrize("value", ["", "not base64!", "AAAA", "A" * 4000])
def test_a_thread_index_that_is_none_is_not_carried_on(engine: Engine, value: str) -> None:
    desk = SmallDesk(engine)
    conversation(desk, 1, Thread_Index=value, Thread_Topic="Printer on fire")
    assert len({root_of(mail) for mail in desk.to(ANN)}) == 1
    assert value not in ("", *(str(mail["Thread-Index"]) for mail in desk.to(ANN))) or not value
    assert {len(base64.b64decode(str(mail["Thread-Index"]))) for mail in desk.to(ANN)} == {27}


SUE, IDA, CARL = "sue.private@agents.example", "ida.private@agents.example", "carl@customer.example"
STRANGER = "stranger@customer.example"
EVERYBODY = (ANN, CARL, SAM, SUE, IDA)


def big_desk() -> Desk:
    """Support with Sam and Sue, IT with Ida; every mail to customers that there is."""
    base = small_desk(default_priority="high", trust=TrustPolicy(authserv_ids=("mx.desk.example",)))
    support = base.departments["support"].model_copy(
        update={"members": ("sam", "sue"), "acknowledge_replies": True}
    )
    it = Department(key="it", name="IT", addresses=("it@desk.example",), members=("ida",))
    people = {"sue": ("Sue Support", SUE), "ida": ("Ida Admin", IDA)}
    agents = {key: Agent(key=key, name=name, addresses=(mail,)) for key, (name, mail) in people.items()}
    return base.model_copy(
        update={
            "departments": {"support": support, "it": it},
            "agents": dict(base.agents) | agents,
            "priorities": dict(base.priorities) | {"high": Priority(key="high", name="High", urgency=1)},
        }
    )


class Life:
    """A ticket's long life: what each of five people has in their mailbox, sent and received."""

    def __init__(self, desk: SmallDesk) -> None:
        self.desk = desk
        self.own: dict[str, list[EmailMessage]] = {address: [] for address in (*EVERYBODY, STRANGER)}
        self.serial = 0

    def writes(self, sender: str, subject: str, words: str, **headers: str) -> None:
        """A mail that answers none of ours."""
        self.serial += 1
        message_id = f"n{self.serial}@{sender.partition('@')[2]}"
        raw = new_mail(subject, words, sender=sender, message_id=message_id, **headers)
        self.own[sender].append(parse(raw))
        self.desk.receive(raw, sender=sender)

    def answers(self, sender: str, words: str) -> None:
        """A reply to the newest mail they have."""
        self.serial += 1
        self.own[sender].append(reply(self.desk, self.desk.to(sender)[-1], words, sender, f"r{self.serial}"))

    def has(self, reader: str, number: str) -> list[EmailMessage]:
        """What a reader has about the ticket, as their program shows it: ours, and answers to it."""
        return [mail for mail in (*self.desk.to(reader), *self.own[reader]) if number in str(mail["Subject"])]


def long_life(desk: SmallDesk, subject: str) -> Life:
    """Notes, answers, mistakes, people joining, a transfer, a merge, an end and a new beginning."""
    life = Life(desk)
    life.writes(ANN, subject, "Please help.", Thread_Index=INDEX, Thread_Topic=subject)
    life.answers(SAM, "#note\nOdd.")
    life.answers(SUE, f"#cc {CARL}\nWe look into it.")
    life.answers(ANN, "Thank you.")
    life.answers(SAM, "#asign sue")
    life.answers(SUE, "Is it better?")
    life.answers(CARL, "Not yet.")
    life.answers(SUE, "#transfer it\n#note\nFor you.")
    life.answers(IDA, "#priority normal\nI am Ida, and here to help.")
    number = desk.tickets()[0].number
    life.writes(STRANGER, f"Re: {subject} [#{number}]", "Me too.")
    life.answers(ANN, "It is worse.")
    life.answers(IDA, "#close\nIt is repaired.")
    life.answers(ANN, "It is not.")
    life.answers(IDA, "#assign sue\nNow it is, says Sue.")
    life.answers(SUE, "#resolve\nAll is well.")
    return life


LONG = "A subject of more than a hundred and twenty characters, " * 3


@pytest.mark.parametrize("subject", ["Printer on fire", "www.shop.example is down", LONG.strip()])
def test_every_program_shows_everybody_one_conversation_through_a_long_life(
    engine: Engine, subject: str
) -> None:
    desk = SmallDesk(engine, big_desk())
    life = long_life(desk, subject)
    number = desk.tickets()[0].number
    for reader in EVERYBODY:
        mails = life.has(reader, number)
        assert len(desk.to(reader)) >= 3, reader
        subjects = [str(mail["Subject"]) for mail in mails]
        assert len({base_subject(mail) for mail in mails}) == 1, (reader, subjects)
        assert len({mail["From"].addresses[0].display_name for mail in desk.to(reader)}) <= 2
        for name, threads in PROGRAMS.items():
            assert len(threads(mails)) == 1, (reader, name, subjects)
    assert {mail["From"].addresses[0].display_name for mail in desk.to(SUE)} == {"Example Bank"}


def test_after_a_merge_every_old_mail_of_a_long_ticket_leads_to_the_one_that_lives_on(engine: Engine) -> None:
    """A hundred exchanges, merged into a ticket of a few: by address, by reference and by number."""
    desk = SmallDesk(engine, small_desk(subject_window=timedelta(0)))
    conversation(desk, 50)
    (long,) = desk.tickets()
    old = {address: desk.to(address) for address in (ANN, SAM)}
    desk.receive(new_mail("Again", "It is me.", sender=ANN, message_id="again@customer.example"), sender=ANN)
    short = next(ticket for ticket in desk.tickets() if ticket.id != long.id)
    reply(desk, desk.to(SAM)[-1], "A different matter?", SAM, "s-again")
    merging = reply(desk, old[SAM][-1], f"#merge {short.number}", SAM, "s-merge")
    assert {ticket.number: ticket.status for ticket in desk.tickets()}[long.number] == "merged", merging
    counts = {address: len(desk.to(address)) for address in (ANN, SAM)}

    texts: list[str] = []
    for at in (0, 1, 25, -1):
        for person, mail in ((ANN, old[ANN][at]), (SAM, old[SAM][at])):
            texts.append(f"Late words {len(texts)} of {person}.")
            lines = texts[-1] if person == ANN else f"#note\n{texts[-1]}"
            reply(desk, mail, lines, person, f"late{len(texts)}")
    for number, (to, subject, fields) in enumerate([
        ("support@desk.example", f"Re: [#{long.number}] Printer on fire", {}),
        ("support@desk.example", "Printer", {"References": f"<gone@x.example> {old[ANN][10]['Message-ID']}"}),
    ]):  # fmt: skip
        texts.append(f"By other ways {number}.")
        raw = new_mail(
            subject, texts[-1], sender=ANN, to=to, message_id=f"way{number}@customer.example", **fields
        )
        desk.receive(raw, to, ANN)
    assert len(desk.tickets()) == 2
    with reading(engine) as session:
        rows = session.execute(select(Entry.ticket_id, Entry.text).order_by(Entry.id)).all()
    assert [(ticket, text) for ticket, text in rows if text in texts] == [(short.id, text) for text in texts]
    assert {ticket for ticket, _ in rows} == {short.id}, "the long one's entries came along"

    reply(desk, desk.to(SAM)[-1], "All in one place now.", SAM, "s-last")
    reply(desk, desk.to(ANN)[-1], "Thank you for that.", ANN, "a-last")
    reply(desk, desk.to(SAM)[-1], "You are welcome.", SAM, "s-very-last")
    for address in (ANN, SAM):
        fresh = desk.to(address)[counts[address] :]
        assert len(fresh) >= 2, address
        assert {base_subject(mail) for mail in fresh} == {base_subject(fresh[0])}
        assert short.number in base_subject(fresh[0])
        assert max(len(re.findall(r"<[^<>\s]+>", str(mail["References"]))) for mail in fresh) <= 13
        for name, threads in PROGRAMS.items():
            assert len(threads(fresh)) == 1, (address, name)
