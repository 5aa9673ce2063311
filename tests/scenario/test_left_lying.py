"""A ticket that is left lying goes from hand to hand, through the real receiver, ticks and dispatcher."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import select

from mailticket.store.models import Ticket, TicketEvent
from tests.scenario.simulated import SimulatedClock, SimulatedDesk, written

SAM, SUE = "sam@staff-a.example", "sue@staff-a.example"
OPTIONS = 'default_follow_up = "prompt"'
CONFIGURED = """
[follow_ups.prompt]
schedule = "office"
unassign = "8h"

[schedules.office]
time_zone = "Europe/Berlin"

[schedules.office.hours]
mon = ["09:00-17:00"]
tue = ["09:00-17:00"]
wed = ["09:00-17:00"]
thu = ["09:00-17:00"]
fri = ["09:00-17:00"]
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[SimulatedDesk]:
    made = SimulatedDesk(tmp_path, "a", SimulatedClock(), CONFIGURED, options=OPTIONS)
    yield made
    made.close()


def say(desk: SimulatedDesk, to: EmailMessage, text: str, sender: str) -> None:
    address = to["Reply-To"].addresses[0].addr_spec
    desk.take(
        [
            written(
                f"Re: {to['Subject']}", text, sender=sender, to=address, message_id=f"{len(text)}.{sender}",
                In_Reply_To=to["Message-ID"], References=to["Message-ID"],
            )
        ],
        sender,
        address,
    )  # fmt: skip


def mail_to(desk: SimulatedDesk, reader: str) -> EmailMessage:
    (mail,) = [item.mail for item in desk.send() if item.recipient == reader]
    return mail


def at(desk: SimulatedDesk, moment: str) -> None:
    """Move the clock there (UTC) and let the desk do what has come."""
    desk.clock.now = datetime.fromisoformat(moment)
    desk.ticks.deadlines()


def test_nobody_keeps_a_ticket_by_leaving_it_lying(desk: SimulatedDesk) -> None:
    """Monday 10:00 in Berlin: eight hours of the office later it is Tuesday 10:00."""
    desk.take([written(message_id="first@customer.example")])
    say(desk, mail_to(desk, SAM), "#take", SAM)
    at(desk, "2026-11-23T12:00:00+00:00")
    desk.send()
    assert desk.rows(select(Ticket.assignee)) == ["sam"]

    at(desk, "2026-11-24T08:59:00+00:00")
    assert desk.rows(select(Ticket.assignee)) == ["sam"]
    at(desk, "2026-11-24T09:01:00+00:00")
    assert desk.rows(select(Ticket.assignee)) == [None]
    (event,) = desk.rows(select(TicketEvent).where(TicketEvent.kind == "released"))
    assert event.reason == "Sam has done nothing on it for 8 h, and it waits for the desk"

    sent = {item.recipient: item.mail for item in desk.send()}
    assert set(sent) == {SAM, SUE}  # and the customer hears nothing of it
    assert "taken back from you" in sent[SAM].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    told = " ".join(sent[SUE].get_body(("plain",)).get_content().split())  # type: ignore[union-attr]
    assert "taken back from Sam. Sam has done nothing on it for 8 h" in told
    assert "Nobody has it now" in told

    say(desk, sent[SUE], "#take", SUE)  # the mail about it is a place to act from, like any alert
    assert desk.rows(select(Ticket.assignee)) == ["sue"]
    at(desk, "2026-11-25T08:00:00+00:00")
    say(desk, sent[SUE], "We are looking into it.", SUE)
    at(desk, "2026-12-01T12:00:00+00:00")  # answered: the customer does not wait
    assert desk.rows(select(Ticket.assignee)) == ["sue"]
