"""When something is due for a ticket: its event log goes through the clocks, the answer into rows.

The event log is the truth; the ticket's `due_at` and its deadline row are its shadow: computing them
again at any time gives the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.clocks import (
    AlertSent,
    Clock,
    ClockEvent,
    ClockEventKind,
    Nothing,
    NotYet,
    Overdue,
    clock_event_of,
    clocks,
    next_due,
    overdue_decision,
)
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.types import EventKind
from mailticket.store import deadlines
from mailticket.store.models import Ticket, TicketEvent

SLA = "sla"
"""The kind of deadline at which a target of the SLA plan passes, or its overdue alert repeats."""
_TOLD = {
    EventKind.CREATED: ClockEventKind.CREATED,
    EventKind.RESPONSE: ClockEventKind.RESPONSE,
    EventKind.MESSAGE: ClockEventKind.CUSTOMER_MESSAGE,
}


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One row of a ticket's event log, as far as clocks care."""

    kind: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a ticket's clocks stand, and what that calls for."""

    clocks: tuple[Clock, ...]
    verdict: Overdue | NotYet | Nothing


def replan(session: Session, ticket: Ticket, desk: Desk, times: WorkingTimes, now: datetime) -> Standing:
    """Work out the clocks of a ticket anew from its event log, and plan when to look again.

    times: the desk's schedules, compiled. An alert that is due now is planned for now: the next tick
    sends it. Raises `NeverOpens` where the plan's schedule never opens.
    """
    plan = desk.sla_plans.get(ticket.sla_plan) if ticket.sla_plan else None
    if plan is None:
        ticket.due_at = ticket.overdue_since = None
        deadlines.clear(session, ticket.id, SLA)
        return Standing((), Nothing())
    log = event_log(session, ticket)
    working = times.of_plan(plan)
    found = clocks(plan, clock_events(log), working, now)
    ticket.due_at = next_due(found)
    if not any(clock.overdue for clock in found):
        ticket.overdue_since = None
    verdict = overdue_decision(found, _alerts(log), plan, working, now)
    match verdict:
        case Overdue():
            deadlines.plan(session, ticket.id, SLA, verdict.since)
        case NotYet():
            deadlines.plan(session, ticket.id, SLA, verdict.due_at)
        case Nothing():
            deadlines.clear(session, ticket.id, SLA)
    return Standing(found, verdict)


def event_log(session: Session, ticket: Ticket) -> list[LoggedEvent]:
    """What happened to a ticket, in order."""
    session.flush()
    rows = session.execute(
        select(TicketEvent.kind, TicketEvent.at, TicketEvent.data)
        .where(TicketEvent.ticket_id == ticket.id)
        .order_by(TicketEvent.id)
    )
    return [LoggedEvent(*row) for row in rows]


def clock_events(log: Iterable[LoggedEvent]) -> list[ClockEvent]:
    """The event log as the clocks see it. Automatic mails are nothing to them."""
    events: list[ClockEvent] = []
    for row in log:
        if row.kind in _TOLD and not row.data.get("automatic"):
            events.append(ClockEvent(row.at, _TOLD[EventKind(row.kind)]))
        elif row.data.get("field") == "status":
            kind = clock_event_of(row.data["before"], row.data["after"])
            if kind is not None:
                events.append(ClockEvent(row.at, kind))
        elif row.data.get("field") == "assignee":
            events.append(ClockEvent(row.at, ClockEventKind.ASSIGNED, row.data["after"] or ""))
    return events


def _alerts(log: Sequence[LoggedEvent]) -> list[AlertSent]:
    return [AlertSent(row.data["target"], row.at) for row in log if row.kind == EventKind.OVERDUE]
