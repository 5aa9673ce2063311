"""What a manager gets can be answered: alerts by reply and by one tap, digests and summaries by number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from sqlalchemy import select

from mailticket.store.models import Ticket
from tests.scenario.simulated import SimulatedClock, SimulatedDesk, written

MONA, SAM = "mona@staff-a.example", "sam@staff-a.example"
CONFIGURATION = """
[agents.mona]
name = "Mona"
addresses = ["mona@staff-a.example"]

[sla_plans.usual]
name = "Usual"
first_response = "4h"

[digest]
at = "07:00"
weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

[alerts]
summary_over = 2
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[SimulatedDesk]:
    options = 'default_sla_plan = "usual"'
    made = SimulatedDesk(
        tmp_path, "a", SimulatedClock(), CONFIGURATION, options=options, support='manager = "mona"'
    )
    yield made
    made.close()


def opened(desk: SimulatedDesk, *subjects: str) -> None:
    for number, subject in enumerate(subjects):
        ann = f"ann{number}@customer.example"
        desk.take([written(subject, f"About the {subject}.", sender=ann)], ann)
    desk.send()


def overdue(desk: SimulatedDesk) -> list[EmailMessage]:
    """What Mona gets when the promises are broken."""
    desk.clock.forward(hours=5)
    desk.ticks.deadlines()
    return [one.mail for one in desk.send() if one.recipient == MONA]


def digest(desk: SimulatedDesk) -> EmailMessage:
    desk.clock.forward(days=1)
    desk.ticks.digests()
    (mail,) = (one.mail for one in desk.send() if one.recipient == MONA)
    return mail


def reply(desk: SimulatedDesk, to: EmailMessage, text: str) -> str:
    """Mona answers; the text of what comes back to her, "" for nothing."""
    address = to["Reply-To"].addresses[0].addr_spec
    desk.clock.forward(minutes=1)
    stamp = f"{desk.clock().timestamp():.0f}@staff-a.example"
    raw = written(
        f"Re: {to['Subject']}", text, sender=MONA, to=address, message_id=stamp,
        In_Reply_To=to["Message-ID"], References=to["Message-ID"],
    )  # fmt: skip
    desk.take([raw], MONA, address)
    return "\n".join(text_of(one.mail) for one in desk.send() if one.recipient == MONA)


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r", "")


def tickets(desk: SimulatedDesk) -> dict[str, Ticket]:
    return {ticket.subject: ticket for ticket in desk.rows(select(Ticket))}


def flowing(mail: EmailMessage) -> str:
    return " ".join(text_of(mail).split())


def test_the_alert_about_a_broken_promise_is_acted_on_by_reply(desk: SimulatedDesk) -> None:
    opened(desk, "Printer")
    (alert,) = overdue(desk)
    assert "Printer" in alert["Subject"]
    reply(desk, alert, "#assign sue\n#note\n\nPlease look at it now.")
    ticket = tickets(desk)["Printer"]
    assert (ticket.assignee, ticket.last_note_at is not None) == ("sue", True)


def test_the_alert_about_a_broken_promise_is_acted_on_by_one_tap(desk: SimulatedDesk) -> None:
    opened(desk, "Printer")
    (alert,) = overdue(desk)
    found = dict(re.findall(r"(?m)^(\S.*):\s+(mailto:\S+)$", text_of(alert)))
    address = unquote(urlsplit(found["Take it"]).path)
    desk.take([written("Take", "Just send this mail.", sender=MONA, to=address)], MONA, address)
    assert tickets(desk)["Printer"].assignee == "mona"


def test_many_broken_promises_are_one_mail_that_is_answered_by_number(desk: SimulatedDesk) -> None:
    opened(desk, "Printer", "Scanner", "Monitor")
    (summary,) = overdue(desk)
    assert "Answer this mail with lines like: 1 assign s" in flowing(summary)
    (number,) = re.findall(r"(?m)^(\d+)\s+Scanner", text_of(summary))
    said = reply(desk, summary, f"{number} assign sue\nall tag flood")
    assert "3 tickets were changed" in said
    found = tickets(desk)
    assert found["Scanner"].assignee == "sue"
    assert [ticket.tags for ticket in found.values()] == [["flood"]] * 3


def test_a_digest_says_with_its_own_numbers_how_it_is_answered(desk: SimulatedDesk) -> None:
    opened(desk, "Printer", "Scanner", "Monitor")
    mail = digest(desk)
    (line,) = re.findall(r"lines like: (.+? / .+? / .+?)\. A number", flowing(mail))
    first, second, third = line.split(" / ")
    said = reply(desk, mail, first)
    assert "1 ticket was changed" in said, first
    said = reply(desk, mail, f"{second}\n{third}")
    assert "3 tickets were changed" in said or "Not done" in said
    assert {ticket.priority for ticket in tickets(desk).values()} == {third.split()[-1]}


def test_what_no_longer_applies_is_said_for_each_line_and_the_others_are_done(desk: SimulatedDesk) -> None:
    opened(desk, "Printer", "Scanner", "Monitor")
    mail = digest(desk)
    numbers = dict(re.findall(r"(?m)^(\d+)\s+(Printer|Scanner|Monitor)", text_of(mail)))
    place = {subject: number for number, subject in numbers.items()}
    reply(desk, mail, f"{place['Printer']} close")
    said = reply(desk, mail, f"{place['Printer']} close\n{place['Scanner']} close\n{place['Monitor']} take")
    assert "2 tickets were changed" in said
    assert re.search(
        rf"Not done:\s+- {place['Printer']} .*?Printer: nothing had to be done, it is closed", said, re.S
    )
    assert "Answer this mail with lines like" in said, "the receipt can be answered by number again"
