"""Deadlines that have come, worked off in small batches, each by the handler of its kind.

Every ticket has its savepoint: what fails undoes and delays only itself. Alerts are handed back and
put down at the end of the transaction in one order, so that two ticks never wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.escalation import WRONG_CLOCK
from mailticket.store import deadlines
from mailticket.store.alerts import NewAlert, add_alerts
from mailticket.store.deadlines import DueDeadline
from mailticket.store.engine import transaction
from mailticket.store.models import Ticket

log = structlog.get_logger()

_BATCH = 50
_AFTER_FAILURE = timedelta(minutes=10)

Handler = Callable[[Session, Ticket, DueDeadline, Desk, datetime], Iterable[NewAlert]]
"""Does what a deadline calls for now, plans or clears the next one, returns the alerts it raises."""


class DeadlineWork:
    """Works off what is due. `handlers`: by kind of deadline; kinds nobody handles are cleared."""

    def __init__(
        self,
        engine: Engine,
        desk: Callable[[], Desk],
        clock: Callable[[], datetime],
        handlers: Mapping[str, Handler],
    ) -> None:
        self._engine = engine
        self._desk = desk
        self._clock = clock
        self._handlers = handlers

    def work_off(self) -> int:
        """Handle all that is due, and what a wrong clock planned; returns how many deadlines."""
        return self._in_batches(deadlines.claim_due, timedelta(0)) + self._in_batches(
            deadlines.claim_misplanned, WRONG_CLOCK
        )

    def _in_batches(
        self, claim: Callable[[Session, datetime, int], list[DueDeadline]], ahead: timedelta
    ) -> int:
        handled = 0
        while True:
            now, desk = self._clock(), self._desk()
            done = 0
            with transaction(self._engine) as session:
                due = claim(session, now + ahead, _BATCH)
                alerts: list[NewAlert] = []
                for item in due:
                    raised = self._one(session, item, desk, now)
                    if raised is not None:
                        alerts += raised
                        done += 1
                add_alerts(session, alerts, now)
            handled += done
            if len(due) < _BATCH or not done:
                return handled

    def _one(self, session: Session, due: DueDeadline, desk: Desk, now: datetime) -> list[NewAlert] | None:
        """Handle one deadline; None when somebody else has the ticket, so that it comes back."""
        handler = self._handlers.get(due.kind)
        if handler is None:
            deadlines.clear(session, due.ticket_id, due.kind)
            return []
        # skip_locked: who works on a mail of the ticket holds it, and wants this deadline's row next
        ticket = session.get(
            Ticket, due.ticket_id, with_for_update={"skip_locked": True}, populate_existing=True
        )
        if ticket is None:
            return None
        try:
            with session.begin_nested():
                return list(handler(session, ticket, due, desk, now))
        except Exception:
            log.exception("deadline.failed", ticket=due.ticket_id, kind=due.kind)
            deadlines.plan(session, due.ticket_id, due.kind, now + _AFTER_FAILURE, now)
            return []
