"""A ticket that waited for another one looks whether it still has to, and goes on if not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.change import SetField
from mailticket.domain.lifecycle_notices import wait_over
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.status import FINISHED, Status, StatusEvent, Transition, next_status
from mailticket.domain.types import Event
from mailticket.store import deadlines
from mailticket.store.alerts import NewAlert
from mailticket.store.changes import change_field, record
from mailticket.store.deadlines import DueDeadline
from mailticket.store.due import replan
from mailticket.store.links import WAITED, still_awaited, wait_is_over
from mailticket.store.models import Ticket
from mailticket.store.ticket_facts import ticket_facts
from mailticket.work.announce import announce
from mailticket.work.webhooks import tell_webhooks

log = structlog.get_logger()


class Waiting:
    """Handles the deadlines of tickets whose wait may be over (`work.deadlines.Handler`)."""

    def __init__(self, times: Callable[[], WorkingTimes], secret: bytes) -> None:
        self._times = times
        self._secret = secret

    def handle(
        self, session: Session, ticket: Ticket, due: DueDeadline, desk: Desk, now: datetime
    ) -> list[NewAlert]:
        """Take the ticket off hold when nothing it waits for is left, and tell whoever has it."""
        deadlines.plan(session, ticket.id, WAITED, None, now)
        awaited, over = still_awaited(session, ticket.id)
        for other in over:
            wait_is_over(session, ticket.id, other.id, now)
        if awaited or ticket.status in FINISHED:
            return []
        events: list[Event] = []
        numbers = [other.number for other in over]
        if ticket.status == Status.ON_HOLD:
            moved = next_status(ticket.status, StatusEvent.STARTED)
            assert isinstance(moved, Transition)  # the table lets every pause end
            named = " and ".join(f"#{number}" for number in numbers)
            why = (
                f"it waited for {named}, which is done" if named else "it waits for no other ticket any more"
            )
            event = change_field(
                session, ticket, SetField(ticket.id, "status", moved.new, "system", why), now
            )
            events = [event] if event is not None else []
            record(session, events)
            session.flush()
            replan(session, ticket, desk, self._times(), now)
        facts = ticket_facts(session, ticket)
        cause = f"{WAITED}:{due.version}:{now.isoformat()}"
        announce(session, list(wait_over(facts, numbers, desk, cause)), facts, desk, self._secret, now)
        tell_webhooks(session, events, facts, desk, f"{ticket.id}:{cause}", now)
        log.info("ticket.wait_over", ticket=ticket.number)
        return []
