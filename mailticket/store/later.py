"""What shall happen to a ticket later: coming back from a pause, reminding an agent. The log is the truth.

The moments are deadlines (store/deadlines.py) beside it, which say only when to look.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from mailticket.domain.change import SetReminder, SetWake
from mailticket.domain.later import Reminder, reminders, wake
from mailticket.domain.types import Event, EventKind
from mailticket.store import deadlines
from mailticket.store.due import event_log
from mailticket.store.models import Ticket

WAKE: Final = "wake"
"""The kind of deadline at which a paused ticket comes back."""
REMIND: Final = "remind"
"""The kind of deadline at which an agent is reminded."""


def set_wake(session: Session, ticket: Ticket, change: SetWake, now: datetime) -> Event | None:
    """Plan when a paused ticket comes back, or that it does not; None where nothing was or is planned."""
    before = deadlines.planned(session, ticket.id).get(WAKE)
    if before is None and change.at is None:
        return None
    deadlines.plan(session, ticket.id, WAKE, change.at, now)
    data = {
        "field": "wake",
        "before": before.isoformat() if before is not None else None,
        "after": change.at.isoformat() if change.at is not None else None,
    }
    return Event(EventKind.EDITED, ticket.id, None, change.actor, now, change.why, data)


def set_reminder(session: Session, ticket: Ticket, change: SetReminder, now: datetime) -> Event:
    """Plan to remind an agent; earlier reminders stay."""
    planned = deadlines.planned(session, ticket.id).get(REMIND)
    first = change.at if planned is None else min(planned, change.at)
    deadlines.plan(session, ticket.id, REMIND, first, now)
    data = Reminder(change.agent, change.at, change.text).data()
    return Event(EventKind.REMINDER, ticket.id, None, change.actor, now, change.why, data)


def wake_of(session: Session, ticket: Ticket) -> datetime | None:
    """When a ticket comes back from the pause it is in, as its log says; None for never."""
    return wake((row.kind, row.data) for row in event_log(session, ticket))


def reminders_of(session: Session, ticket: Ticket) -> list[Reminder]:
    """The reminders that have not been sent, the earliest first, as the ticket's log says."""
    return reminders((row.kind, row.data) for row in event_log(session, ticket))
