"""What a ticket's log says shall happen later. Pure; rows are (kind, data), the oldest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailticket.config.desk import Desk
from mailticket.domain.agent_notice import agent_notice, agent_notices
from mailticket.domain.assignment import alerted
from mailticket.domain.notice import Notice
from mailticket.domain.types import EventKind, TicketFacts

_Row = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Reminder:
    """An agent wants a mail about a ticket at a moment (aware UTC), with these words."""

    agent: str
    at: datetime
    text: str

    def data(self) -> dict[str, Any]:
        """As it stands in the log."""
        return {"agent": self.agent, "at": self.at.isoformat(), "text": self.text}


def wake(rows: Iterable[_Row]) -> datetime | None:
    """When a paused ticket comes back: what was set last, unless its status has changed since."""
    found: datetime | None = None
    for _, data in rows:
        if data.get("field") == "wake":
            found = datetime.fromisoformat(data["after"]) if data["after"] is not None else None
        elif data.get("field") == "status":
            found = None
    return found


def reminders(rows: Iterable[_Row]) -> list[Reminder]:
    """Those that have not been sent, the earliest first."""
    open_ones: list[Reminder] = []
    for kind, data in rows:
        if kind not in (EventKind.REMINDER, EventKind.REMINDED):
            continue
        one = Reminder(data["agent"], datetime.fromisoformat(data["at"]), data["text"])
        if kind == EventKind.REMINDER:
            open_ones.append(one)
        elif one in open_ones:
            open_ones.remove(one)
    return sorted(open_ones, key=lambda one: one.at)


def wake_notices(ticket: TicketFacts, desk: Desk, cause: str, why: str) -> Iterator[Notice]:
    """Whoever has the ticket is told that it has come back."""
    concerned = alerted(desk, ticket.department, ticket.assignee, ticket.team).agents
    yield from agent_notices("ticket.wakeup", concerned, ticket, desk, cause, why, {"notice": why})


def reminder_notice(reminder: Reminder, ticket: TicketFacts, desk: Desk, cause: str) -> Notice | None:
    """The mail an agent asked for; None when they have left."""
    why = "you asked to be reminded of this ticket"
    extra = {"notice": reminder.text}
    return agent_notice("ticket.reminder", reminder.agent, ticket, desk, cause, why, extra)
