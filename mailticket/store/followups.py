"""When the next follow-up of a ticket is due: its event log goes through the rules, the answer into rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.followup import FollowEvent, Happened, Outlook, Step, follow_up_of, outlook
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.types import EventKind
from mailticket.domain.undo import counting
from mailticket.store import deadlines
from mailticket.store.models import Entry, Ticket, TicketEvent

_TOLD = {
    EventKind.CREATED: Happened.CREATED,
    EventKind.MESSAGE: Happened.CUSTOMER,
    EventKind.RESPONSE: Happened.ANSWER,
}


def plan_follow_ups(session: Session, ticket: Ticket, desk: Desk, times: WorkingTimes, now: datetime) -> None:
    """Plan the follow-ups of a ticket anew from its event log.

    A ticket without any costs nothing here: what another department or an earlier configuration planned
    for it is cleared when it rings.
    """
    if follow_up_of(desk, ticket.department) is None:
        return
    seen = follow_up_outlook(session, ticket, desk, times, now)
    planned = deadlines.planned(session, ticket.id)
    for step in Step:
        wanted = seen.due.get(step)
        if wanted != planned.get(step):
            deadlines.plan(session, ticket.id, step, wanted, now)


def follow_up_outlook(
    session: Session, ticket: Ticket, desk: Desk, times: WorkingTimes, now: datetime
) -> Outlook:
    """What is due next for a ticket; nothing where its department has no follow-up. Reads only."""
    plan = follow_up_of(desk, ticket.department)
    if plan is None:
        return Outlook({})
    session.flush()
    rows = session.execute(
        select(TicketEvent.kind, TicketEvent.actor, TicketEvent.at, TicketEvent.data)
        .where(TicketEvent.ticket_id == ticket.id)
        .order_by(TicketEvent.id)
    )
    return outlook(
        plan,
        _follow_events(counting(rows.all()), ticket.requester_address),
        times.of(plan.schedule),
        now,
        assignee=ticket.assignee,
        promised=ticket.due_at is not None,
    )


def last_answer(session: Session, ticket_id: int) -> tuple[int, datetime] | None:
    """The newest answer to the customer: its entry's id, and when it was written."""
    row = session.execute(
        select(Entry.id, Entry.created_at)
        .where(
            Entry.ticket_id == ticket_id,
            Entry.kind == "response",
            Entry.audience == "customer",
            Entry.withdrawn_at.is_(None),
        )
        .order_by(Entry.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.id, row.created_at)


def _follow_events(
    rows: Iterable[Row[str, str, datetime, dict[str, Any]]], requester: str
) -> Iterable[FollowEvent]:
    for kind, actor, at, data in rows:
        by = _agent_of(actor, data)
        if data.get("returns_on") and actor == requester:
            yield FollowEvent(at, Happened.ABSENT, returns_on=date.fromisoformat(data["returns_on"]))
        elif kind in _TOLD and not data.get("automatic") and not data.get("thanks"):
            yield FollowEvent(at, _TOLD[EventKind(kind)], by=by)
        elif data.get("field") == "status":
            yield FollowEvent(at, Happened.STATUS, status=data["after"], by=by)
        elif data.get("field") == "wake":
            until = datetime.fromisoformat(data["after"]) if data["after"] is not None else None
            yield FollowEvent(at, Happened.WAKE, by=by, until=until)
        elif data.get("field") == "assignee":
            yield FollowEvent(at, Happened.ASSIGNED, by=by)
        elif kind == EventKind.FOLLOWED_UP:
            yield FollowEvent(at, Happened.TAKEN, step=Step(data["step"]), told=bool(data.get("told")))
        elif by:
            yield FollowEvent(at, Happened.ACT, by=by)


def _agent_of(actor: str, data: dict[str, Any]) -> str:
    """Key of the agent who did it by hand, or passed on what somebody wrote; "" for anybody else."""
    who: str = data.get("passed_by") or actor
    return who.removeprefix("agent:") if who.startswith("agent:") and not data.get("automatic") else ""
