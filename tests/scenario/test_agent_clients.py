"""Agents answer from the mail programs they have: the words get to the customer, and nothing else does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.message import EmailMessage

import pytest

from tests.scenario.clients import CLIENTS, Answer
from tests.scenario.daemon import Daemon, new_mail, text_of

pytestmark = pytest.mark.timeout(300)  # sixteen conversations in one daemon
SAM = "Sam Support <sam.private@agents.example>"
SAMS, SUES = "sam.private@agents.example", "sue.private@agents.example"
SECRET = "Between us: the customer has not paid since the spring of last year."
_INTERNAL = (
    "reply above this line", "mt:", "Why you get this", "Reply to this mail to answer", SAMS, SUES,
    "Between us", "Sent from my", "Get Outlook", "Assigned to", "paid since",
)  # fmt: skip


def ask(daemon: Daemon, names: Iterable[str]) -> dict[str, EmailMessage]:
    """A customer of each program's name opens a ticket; Sam's alerts."""
    for name in names:
        asked = f"{name}@customer.example"
        daemon.send(
            new_mail(
                f"Trouble with {name}.", f"The {name} does not start.", sender=asked, message_id=f"q-{name}@c"
            ),
            sender=asked,
        )
    daemon.settle(bound=90)
    return {name: about(daemon, SAMS, name)[-1] for name in names}


def about(daemon: Daemon, address: str, name: str) -> list[EmailMessage]:
    """The mails to an address about the ticket of a program's name, oldest first."""
    return [mail for mail in daemon.to(address) if f"Trouble with {name}." in str(mail["Subject"])]


def send(daemon: Daemon, raw: bytes, alert: EmailMessage) -> None:
    """Hand an agent's answer in."""
    daemon.send(raw, str(alert["Reply-To"].addresses[0].addr_spec), SAMS)


def customers(daemon: Daemon, name: str) -> list[EmailMessage]:
    """What the customer of that name has got beside the acknowledgement."""
    mails = daemon.to(f"{name}@customer.example")
    return [mail for mail in mails if "auto" not in str(mail["Auto-Submitted"] or "")]


def tokens(mail: EmailMessage) -> set[str]:
    """Whatever looks like one of our tokens, anywhere in a mail."""
    return set(re.findall(r"[a-z2-7]{38,}", mail.as_string()))


def nothing_internal(daemon: Daemon, mail: EmailMessage, name: str) -> None:
    """No word of the desk's own in a customer's mail beyond its frame, and no token but the customer's."""
    assert not tokens(mail) & {
        token for agent in (SAMS, SUES) for alert in daemon.to(agent) for token in tokens(alert)
    }
    html = mail.get_body(("html",))
    text = text_of(mail)
    body = text.partition("--\n")[2] if text.startswith("-- ") else text
    for words in _INTERNAL[2:]:
        assert words not in body, (name, words, text)
        assert html is None or words not in str(html.get_content()), (name, words)
    assert len(re.findall(r"mt:[a-z2-7]{30}", text)) <= 1, (name, text)
    assert not re.search(r"^\s*[#*>•-]*\s*#(?:close|tag|note)", text, re.MULTILINE), (name, text)


def test_the_words_written_in_every_mail_program_reach_the_customer_and_nothing_else_does(
    daemon: Daemon,
) -> None:
    alerts = ask(daemon, CLIENTS)
    for name, program in CLIENTS.items():
        lines = ["#tag seen", "", "Hello,", "we have mended it.", "", "Kind regards", "", "#close"]
        send(daemon, program(Answer(alerts[name], lines, SAM, f"a-{name}")), alerts[name])
    daemon.settle(bound=90)
    for name in CLIENTS:
        (ticket,) = [
            row for row in daemon.json("ticket", "list", "--all", "--limit", "100") if name == _of(row)
        ]
        got = customers(daemon, name)
        if ticket["status"] != "closed":  # sent back: allowed only where nothing tells the quote
            assert name in ("no_intro", "unknown_intro"), (name, ticket["status"])
            assert got == []
            continue
        (mail,) = got
        assert "we have mended it." in text_of(mail), (name, text_of(mail))
        nothing_internal(daemon, mail, name)
        assert "does not start" not in text_of(mail).partition("Kind regards")[2], (name, text_of(mail))


def _of(row: dict[str, str]) -> str:
    return row["requester_address"].partition("@")[0]


def test_a_colleagues_note_never_reaches_the_customer_however_it_is_quoted(daemon: Daemon) -> None:
    ask(daemon, CLIENTS)
    for name in CLIENTS:
        alert = about(daemon, SUES, name)[0]
        note = new_mail(
            f"Re: {alert['Subject']}",
            f"#assign sam\n#note\n{SECRET}",
            sender="Sue Support <sue.private@agents.example>",
            to=str(alert["Reply-To"]),
            message_id=f"note-{name}@agents.example",
            In_Reply_To=str(alert["Message-ID"]),
        )
        daemon.send(note, str(alert["Reply-To"].addresses[0].addr_spec), SUES)
    daemon.settle(bound=90)
    told = {name: about(daemon, SAMS, name)[-1] for name in CLIENTS}
    assert all("Between us" in text_of(mail) for mail in told.values())
    for name, program in CLIENTS.items():
        lines = ["Hello,", "we are looking into it."]
        send(daemon, program(Answer(told[name], lines, SAM, f"b-{name}")), told[name])
    daemon.settle(bound=90)
    for name in CLIENTS:
        for mail in customers(daemon, name):
            assert "we are looking into it." in text_of(mail)
            nothing_internal(daemon, mail, name)
        if name not in ("no_intro", "unknown_intro"):
            assert len(customers(daemon, name)) == 1, name


def test_a_line_that_is_not_understood_sends_nothing_from_any_program(daemon: Daemon) -> None:
    wrongs = {
        "gmail": ["#clsoe"],
        "outlook_web": ["• #asign bob"],
        "iphone": ["1. #priority hihg"],
        "thunderbird": ["Priority: hihg", ""],
    }
    alerts = ask(daemon, wrongs)
    for name, wrong in wrongs.items():
        lines = [*wrong, "Hello, it works."]
        send(daemon, CLIENTS[name](Answer(alerts[name], lines, SAM, f"w-{name}")), alerts[name])
    daemon.settle(bound=90)
    for name in wrongs:
        assert customers(daemon, name) == [], name
        assert "nothing has been sent" in " ".join(text_of(about(daemon, SAMS, name)[-1]).split()), name
