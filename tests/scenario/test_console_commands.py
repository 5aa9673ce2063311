"""By number, every command does what it does in a mail of its own, or says how it is done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import select

from mailticket.store.models import Entry, WebhookCall
from tests.scenario.simulated import SimulatedClock, SimulatedDesk, written
from tests.scenario.test_managers import CONFIGURATION, digest, opened, reply, text_of, tickets

HOOK = """
[webhooks.chat]
url = "https://chat.example/hook"
secret = {{ file = "{secret}" }}
audience = "internal"
events = ["assigned"]
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[SimulatedDesk]:
    secret = tmp_path / "hook.key"
    secret.write_text("0123456789abcdef")
    secret.chmod(0o600)
    made = SimulatedDesk(
        tmp_path, "a", SimulatedClock(), CONFIGURATION + HOOK.format(secret=secret),
        options='default_sla_plan = "usual"', support='manager = "mona"',
    )  # fmt: skip
    yield made
    made.close()


def numbers(mail: EmailMessage) -> dict[str, str]:
    """Subject -> its number in a list."""
    return {subject: number for number, subject in re.findall(r"(?m)^(\d+)\s+(\w+)$", text_of(mail))}


def second_message(desk: SimulatedDesk, subject: str, text: str) -> None:
    """Ann writes again about her ticket."""
    first = desk.rows(select(Entry.message_id).where(Entry.kind == "message").order_by(Entry.id))[0]
    raw = written(
        f"Re: {subject}",
        text,
        sender="ann0@customer.example",
        In_Reply_To=f"<{first}>",
        References=f"<{first}>",
    )
    desk.take([raw], "ann0@customer.example")
    desk.send()


def test_a_message_is_split_off_by_number(desk: SimulatedDesk) -> None:
    opened(desk, "Printer", "Scanner")
    second_message(desk, "Printer", "The monitor is broken too.")
    mail = digest(desk)
    said = reply(desk, mail, f"{numbers(mail)['Printer']} split last Monitor")
    assert "1 ticket was changed" in said, said
    assert set(tickets(desk)) == {"Printer", "Scanner", "Monitor"}


def test_what_cannot_be_split_is_said(desk: SimulatedDesk) -> None:
    opened(desk, "Printer", "Scanner")
    mail = digest(desk)
    assert "there is nothing to split" in " ".join(reply(desk, mail, "1 split").split())


def test_a_message_is_moved_and_tickets_are_linked_by_number(desk: SimulatedDesk) -> None:
    opened(desk, "Printer", "Scanner")
    second_message(desk, "Printer", "The scanner is broken too.")
    mail = digest(desk)
    there = tickets(desk)["Scanner"]
    number = numbers(mail)["Printer"]
    said = reply(desk, mail, f"{number} link {there.number}")
    assert "1 ticket was changed" in said, said
    said = reply(desk, mail, f"{number} move {there.number}")
    assert "1 ticket was changed" in said, said
    moved = desk.rows(select(Entry.text).where(Entry.ticket_id == there.id).order_by(Entry.id))
    assert any("The scanner is broken too." in text for text in moved)


def test_the_other_ticket_may_be_named_by_its_number_in_the_list(desk: SimulatedDesk) -> None:
    opened(desk, "Printer", "Scanner")
    mail = digest(desk)
    listed = numbers(mail)
    assert "has no number 9" in " ".join(reply(desk, mail, f"{listed['Printer']} merge 9").split())
    said = " ".join(reply(desk, mail, f"{listed['Printer']} merge {listed['Scanner']}").split())
    assert f"did you mean #merge {tickets(desk)['Scanner'].number} anyway?" in said, said
    said = reply(desk, mail, f"{listed['Printer']} merge {listed['Scanner']} anyway")
    assert "1 ticket was changed" in said, said
    assert tickets(desk)["Printer"].status == "merged"


def test_what_was_done_by_number_is_taken_back_by_number(desk: SimulatedDesk) -> None:
    opened(desk, "Printer", "Scanner")
    mail = digest(desk)
    (line,) = re.findall(r"answer with its number: (.+)", reply(desk, mail, "1 tag flood"))
    said = reply(desk, mail, line.strip())
    assert "1 ticket was changed" in said, said
    assert [ticket.tags for ticket in tickets(desk).values()] == [[], []]


def test_web_services_hear_of_what_was_done_by_number(desk: SimulatedDesk) -> None:
    opened(desk, "Printer", "Scanner")
    mail = digest(desk)
    reply(desk, mail, "all assign sue")
    assert desk.count(WebhookCall, WebhookCall.event == "assigned") == 2


def test_what_is_not_understood_comes_back_with_lines_that_would_do(desk: SimulatedDesk) -> None:
    opened(desk, "Printer", "Scanner")
    mail = digest(desk)
    said = reply(desk, mail, "1 asign sue\n2 close")
    assert "Did you mean #assign?" in said
    for line in ("> show 123456", "> 1,2 close", "> all priority high"):
        assert line in said, said
    assert {ticket.status for ticket in tickets(desk).values()} == {"open"}
