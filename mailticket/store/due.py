"""When something is due for a ticket: its event log goes through the clocks, the answer into rows.

The event log is the truth; the ticket's `due_at` and its deadline row are its shadow: computing them
again at any time gives the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk, SLAPlan
from mailticket.domain.clocks import (
    Clock,
    ClockEvent,
    ClockEventKind,
    Target,
    clock_event_of,
    clocks,
    next_due,
)
from mailticket.domain.escalation import AlertSent, Look, look
from mailticket.domain.schedule import WorkingTime, WorkingTimes
from mailticket.domain.types import EventKind
from mailticket.domain.undo import counting
from mailticket.store import deadlines
from mailticket.store.dialect import table_of
from mailticket.store.followups import plan_follow_ups
from mailticket.store.models import Ticket, TicketEvent

SLA = "sla"
"""The kind of deadline at which a step of the SLA plan comes, or an alert repeats."""
_C: Final = table_of(TicketEvent).c
_LOG: Final = select(_C.kind, _C.at, _C.data).where(_C.ticket_id == bindparam("ticket")).order_by(_C.id)
"""Built once: building a statement costs more than running it."""
_TOLD = {
    EventKind.CREATED: ClockEventKind.CREATED,
    EventKind.RESPONSE: ClockEventKind.RESPONSE,
    EventKind.MESSAGE: ClockEventKind.CUSTOMER_MESSAGE,
}
_ALERTED = (EventKind.OVERDUE, EventKind.WARNED)
_NO_PLAN: Final = SLAPlan(name="No plan")
"""A ticket without a plan has promises too: a due date set by hand."""


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One row of a ticket's event log, as far as clocks care."""

    kind: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a ticket's clocks stand, what that calls for, and what it follows from."""

    clocks: tuple[Clock, ...]
    look: Look
    events: tuple[ClockEvent, ...]
    plan: SLAPlan
    working_time: WorkingTime
    target_times: Mapping[Target, WorkingTime]


def standing(session: Session, ticket: Ticket, desk: Desk, times: WorkingTimes, now: datetime) -> Standing:
    """Work out the clocks of a ticket from its event log. Reads only. times: the desk's, compiled."""
    plan = desk.sla_plans.get(ticket.sla_plan or "", _NO_PLAN)
    log = event_log(session, ticket)
    events = tuple(clock_events(log))
    working, by_target = times.of_plan(plan), times.of_targets(plan)
    found = clocks(plan, events, working, now, priority=ticket.priority, target_times=by_target)
    acknowledged = [row.at for row in counting(log) if row.kind == EventKind.ACKNOWLEDGED]
    seen = look(found, alerts_sent(log), acknowledged, plan, working, now, by_target)
    return Standing(found, seen, events, plan, working, by_target)


def replan(session: Session, ticket: Ticket, desk: Desk, times: WorkingTimes, now: datetime) -> Standing:
    """Work out the clocks of a ticket anew, and plan when to look again.

    Plans its follow-ups too. An alert that is due now is planned for when it came due: the next tick
    sends it.
    """
    found = standing(session, ticket, desk, times, now)
    ticket.due_at = next_due(found.clocks)
    if not any(clock.overdue for clock in found.clocks):
        ticket.overdue_since = None
    alarms = found.look.alarms
    moment = min((alarm.since for alarm in alarms), default=found.look.next_at)
    if moment is None and not found.clocks:
        deadlines.clear(session, ticket.id, SLA)
    else:
        deadlines.plan(session, ticket.id, SLA, moment, now)
    plan_follow_ups(session, ticket, desk, times, now)
    return found


def event_log(session: Session, ticket: Ticket) -> list[LoggedEvent]:
    """What happened to a ticket, in order. Flushes nothing: events are rows at once (changes.py)."""
    rows = session.connection().execute(_LOG, {"ticket": ticket.id})
    return [LoggedEvent(*row) for row in rows]


def clock_events(log: Iterable[LoggedEvent]) -> list[ClockEvent]:
    """The event log as the clocks see it. Automatic mails are nothing to them, nor what was taken back."""
    events: list[ClockEvent] = []
    for row in counting(list(log)):
        field = row.data.get("field")
        if row.kind in _TOLD and not row.data.get("automatic") and not row.data.get("thanks"):
            events.append(ClockEvent(row.at, _TOLD[EventKind(row.kind)]))
            if row.data.get("assignee"):
                events.append(ClockEvent(row.at, ClockEventKind.ASSIGNED, row.data["assignee"]))
        elif field == "status":
            kind = clock_event_of(row.data["before"], row.data["after"])
            if kind is not None:
                events.append(ClockEvent(row.at, kind))
        elif field == "assignee":
            events.append(ClockEvent(row.at, ClockEventKind.ASSIGNED, row.data["after"] or ""))
        elif field == "due":
            events.append(_due_set(row))
    return events


def _due_set(row: LoggedEvent) -> ClockEvent:
    due, after = row.data["due"], row.data["after_seconds"]
    return ClockEvent(
        row.at,
        ClockEventKind.DUE_SET,
        due=None if due is None else datetime.fromisoformat(due),
        after=None if after is None else timedelta(seconds=after),
    )


def alerts_sent(log: Sequence[LoggedEvent]) -> list[AlertSent]:
    """The alerts about promised times in an event log."""
    return [
        AlertSent(row.data["target"], row.at, tuple(row.data.get("points", ())))
        for row in log
        if row.kind in _ALERTED
    ]
