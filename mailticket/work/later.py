"""Paused tickets come back when their moment has come, and agents are reminded of what they asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.change import SetField
from mailticket.domain.later import reminder_notice, wake_notices
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.status import PAUSED, StatusEvent, Transition, next_status
from mailticket.domain.types import Event, EventKind
from mailticket.store import deadlines
from mailticket.store.alerts import NewAlert
from mailticket.store.changes import change_field, record
from mailticket.store.deadlines import DueDeadline
from mailticket.store.due import replan
from mailticket.store.later import REMIND, WAKE, reminders_of, wake_of
from mailticket.store.merge import final_ticket
from mailticket.store.models import Ticket
from mailticket.store.ticket_facts import ticket_facts
from mailticket.work.announce import announce
from mailticket.work.webhooks import tell_webhooks

log = structlog.get_logger()

_SYSTEM = "system"


class Later:
    """Handles the deadlines of `#wait`, `#hold` and `#remind` (`work.deadlines.Handler`)."""

    def __init__(self, times: Callable[[], WorkingTimes], secret: bytes) -> None:
        self._times = times
        self._secret = secret

    def wake(
        self, session: Session, ticket: Ticket, due: DueDeadline, desk: Desk, now: datetime
    ) -> list[NewAlert]:
        """The ticket is being worked on again, and whoever has it is told; if it is paused still."""
        at = wake_of(session, ticket)
        if at is None or ticket.status not in PAUSED or at > now:
            planned = at if at is not None and ticket.status in PAUSED else None
            deadlines.plan(session, ticket.id, WAKE, planned, now)
            return []
        why = f"it was to wait until {at:%Y-%m-%d %H:%M} UTC"
        moved = next_status(ticket.status, StatusEvent.STARTED)
        assert isinstance(moved, Transition)  # from every paused state
        event = change_field(session, ticket, SetField(ticket.id, "status", moved.new, _SYSTEM, why), now)
        events = [event] if event is not None else []
        record(session, events)
        session.flush()
        deadlines.plan(session, ticket.id, WAKE, None, now)
        replan(session, ticket, desk, self._times(), now)
        facts = ticket_facts(session, ticket)
        cause = f"wake:{due.version}:{at.isoformat()}"
        announce(session, list(wake_notices(facts, desk, cause, why)), facts, desk, self._secret, now)
        tell_webhooks(session, events, facts, desk, f"{ticket.id}:{cause}", now)
        log.info("ticket.woken", ticket=ticket.number)
        return []

    def remind(
        self, session: Session, ticket: Ticket, due: DueDeadline, desk: Desk, now: datetime
    ) -> list[NewAlert]:
        """Send the reminders that are due; a merged ticket's are about the one it lives on in."""
        waiting = reminders_of(session, ticket)
        about = final_ticket(session, ticket) or ticket
        facts = ticket_facts(session, about)
        for one in (one for one in waiting if one.at <= now):
            cause = f"remind:{ticket.id}:{due.version}:{one.at.isoformat()}"
            notice = reminder_notice(one, facts, desk, cause)
            announce(session, [notice] if notice is not None else [], facts, desk, self._secret, now)
            why = f"{one.agent} was reminded, as asked"
            record(session, [Event(EventKind.REMINDED, ticket.id, None, _SYSTEM, now, why, one.data())])
            log.info("ticket.reminded", ticket=facts.number, agent=one.agent)
        following = next((one.at for one in waiting if one.at > now), None)
        deadlines.plan(session, ticket.id, REMIND, following, now)
        return []
