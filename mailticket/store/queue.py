"""The queue of unfinished tickets, a screenful at a time, in the order somebody asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session

from mailticket.domain.status import PAUSED
from mailticket.store.models import Ticket

Order = Literal["due", "priority", "assignee", "created", "department"]
ORDERS: tuple[Order, ...] = get_args(Order)
_UNKNOWN_URGENCY = 99


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which unfinished tickets: those that meet all of it.

    assignee  an agent's key, "-" for nobody
    overdue   only those that are late at `now`
    working   without those that wait for the customer or are on hold
    """

    department: str | None = None
    assignee: str | None = None
    overdue: bool = False
    working: bool = False


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One ticket of the queue."""

    number: str
    subject: str
    status: str
    priority: str
    department: str
    assignee: str | None
    created_at: datetime
    due_at: datetime | None
    overdue_since: datetime | None


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """How many unfinished tickets fit a filter, and how many of them are late, with nobody, paused."""

    open: int
    overdue: int
    unassigned: int
    paused: int


_COLUMNS = tuple(getattr(Ticket, item.name) for item in fields(QueueRow))
_PAUSED = [str(item) for item in PAUSED]


def queue_rows(
    session: Session,
    wanted: QueueFilter,
    order: Order,
    urgency: Mapping[str, int],
    now: datetime,
    limit: int,
    offset: int = 0,
) -> list[QueueRow]:
    """Tickets `offset` to `offset + limit` of the queue.

    urgency: of each priority, 1 the most urgent. Within equal ones the next due comes first, then
    those without a due date, the oldest first.
    """
    query = select(*_COLUMNS).where(*_fitting(wanted, now))
    if order == "due":
        return _by_due(session, query, limit, offset)
    ordered = (*_order(order, urgency), Ticket.due_at.asc().nulls_last(), Ticket.id)
    found = session.execute(query.order_by(*ordered).limit(limit).offset(offset))
    return [QueueRow(*row) for row in found]


def _by_due(session: Session, query: Select[Any], limit: int, offset: int) -> list[QueueRow]:
    """In two steps, so that the index gives the order and a million tickets need not be sorted."""
    due = query.where(Ticket.due_at.is_not(None))
    rows = session.execute(due.order_by(Ticket.due_at, Ticket.id).limit(limit).offset(offset)).all()
    if len(rows) < limit:
        passed = offset + len(rows)
        if not rows and offset:
            passed = session.execute(select(func.count()).select_from(due.subquery())).scalar_one()
        never = query.where(Ticket.due_at.is_(None)).order_by(Ticket.id)
        rest = never.limit(limit - len(rows)).offset(max(offset - passed, 0))
        rows = [*rows, *session.execute(rest)]
    return [QueueRow(*row) for row in rows]


def queue_counts(session: Session, wanted: QueueFilter, now: datetime) -> QueueCounts:
    """The counts above the queue. Reads every unfinished ticket: ask seldom where there are many."""
    row = session.execute(
        select(
            func.count(),
            func.count().filter(_late(now)),
            func.count().filter(Ticket.assignee.is_(None)),
            func.count().filter(Ticket.status.in_(_PAUSED)),
        )
        .select_from(Ticket)
        .where(*_fitting(wanted, now))
    ).one()
    return QueueCounts(open=row[0], overdue=row[1], unassigned=row[2], paused=row[3])


def _fitting(wanted: QueueFilter, now: datetime) -> Iterator[ColumnElement[bool]]:
    yield Ticket.closed_at.is_(None)
    if wanted.department is not None:
        yield Ticket.department == wanted.department
    if wanted.assignee is not None:
        nobody = wanted.assignee == "-"
        yield Ticket.assignee.is_(None) if nobody else Ticket.assignee == wanted.assignee
    if wanted.overdue:
        yield _late(now)
    if wanted.working:
        yield Ticket.status.not_in(_PAUSED)


def _late(now: datetime) -> ColumnElement[bool]:
    return or_(Ticket.overdue_since.is_not(None), Ticket.due_at <= now)


def _order(
    order: Literal["priority", "assignee", "created", "department"], urgency: Mapping[str, int]
) -> tuple[ColumnElement[Any], ...]:
    match order:
        case "priority":
            return (case(dict(urgency), value=Ticket.priority, else_=_UNKNOWN_URGENCY),)
        case "assignee":
            return (Ticket.assignee.asc().nulls_first(),)
        case "created":
            return (Ticket.created_at.asc(),)
        case "department":
            return (Ticket.department.asc(),)
