"""What a step of an SLA plan does when it has come: events, changes, alerts for its readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.absence import Presence
from mailticket.domain.alerting import SYSTEM, changes_of, readers_of, told_at
from mailticket.domain.escalation import Alarm
from mailticket.domain.notify import Occasion, plan
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.types import Event, EventKind, TicketFacts
from mailticket.store import deadlines
from mailticket.store.absences import presence
from mailticket.store.alerts import NewAlert
from mailticket.store.changes import apply_changes, record
from mailticket.store.deadlines import DueDeadline
from mailticket.store.due import SLA, replan
from mailticket.store.models import Ticket
from mailticket.store.ticket_facts import ticket_facts
from mailticket.work.announce import announce
from mailticket.work.webhooks import tell_webhooks

log = structlog.get_logger()


class Escalations:
    """Handles the deadlines of SLA plans (`work.deadlines.Handler`)."""

    def __init__(self, times: Callable[[], WorkingTimes], secret: bytes) -> None:
        self._times = times
        self._secret = secret

    def handle(
        self, session: Session, ticket: Ticket, due: DueDeadline, desk: Desk, now: datetime
    ) -> list[NewAlert]:
        """Ask the clocks what the deadline means now; take the steps that have come, plan the next."""
        standing = replan(session, ticket, desk, self._times(), now)
        alarms = standing.look.alarms
        if not alarms:
            return []
        facts = ticket_facts(session, ticket)
        alarmed = [_event(ticket, alarm, now) for alarm in alarms]
        record(session, alarmed)
        if ticket.overdue_since is None:
            overdue = [alarm.clock.due_at for alarm in alarms if alarm.overdue and alarm.clock.due_at]
            ticket.overdue_since = min(overdue, default=None)
        ticket.version += 1
        changed = self._change(session, ticket, facts, alarms, due, desk, now)
        if changed:
            replan(session, ticket, desk, self._times(), now)
            facts = ticket_facts(session, ticket)
        else:
            deadlines.plan(session, ticket.id, SLA, standing.look.next_at, now)
        for alarm in alarms:
            log.info("ticket.alarm", ticket=ticket.number, target=alarm.clock.target, overdue=alarm.overdue)
        tell_webhooks(
            session, alarmed, facts, desk, f"alarm:{ticket.id}:{due.version}:{now.isoformat()}", now
        )
        away = presence(session)
        return [
            alert
            for alarm in alarms
            for alert in self._alerts(alarm, facts, f"{due.version}:{now.isoformat()}", desk, now, away)
        ]

    def _change(
        self,
        session: Session,
        ticket: Ticket,
        facts: TicketFacts,
        alarms: tuple[Alarm, ...],
        due: DueDeadline,
        desk: Desk,
        now: datetime,
    ) -> bool:
        """Do to the ticket what the steps say; who is concerned by that hears of it at once."""
        changes = [
            change for alarm in alarms for change in changes_of(alarm.steps, facts, desk, alarm.reason)
        ]
        if not changes:
            return False
        done = apply_changes(session, ticket, changes, now)
        record(session, done.events)
        session.flush()
        after = ticket_facts(session, ticket)
        cause = f"sla:{ticket.id}:{due.version}"
        tell_webhooks(session, done.events, after, desk, f"{cause}:{now.isoformat()}", now)
        occasion = Occasion(cause, acknowledge=False)
        announce(session, plan(done.events, after, desk, occasion), after, desk, self._secret, now)
        return True

    def _alerts(
        self,
        alarm: Alarm,
        ticket: TicketFacts,
        moment: str,
        desk: Desk,
        now: datetime,
        presence: Presence,
    ) -> Iterator[NewAlert]:
        target = alarm.clock.target
        for reader in readers_of(alarm.steps, ticket, desk, now, presence):
            yield NewAlert(
                key=f"{ticket.id}:{target}:{moment}:{reader.identity}",
                reader=reader.identity,
                ticket_id=ticket.id,
                due_at=told_at(reader, alarm.steps, desk, self._times(), now),
                data={
                    "target": target,
                    "overdue": alarm.overdue,
                    "climbs": any(step.until_ack for step in alarm.steps),
                    "name": reader.name,
                    "address": reader.address,
                    "why": reader.why,
                },
            )


def _event(ticket: Ticket, alarm: Alarm, now: datetime) -> Event:
    clock = alarm.clock
    data = {
        "target": clock.target,
        "since": (clock.due_at if alarm.overdue and clock.due_at else alarm.since).isoformat(),
        "alert": alarm.number,
        "points": [step.at for step in alarm.steps],
    }
    kind = EventKind.OVERDUE if alarm.overdue else EventKind.WARNED
    return Event(kind, ticket.id, None, SYSTEM, now, alarm.reason, data)
