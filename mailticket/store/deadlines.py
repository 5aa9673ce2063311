"""Moments at which something is due for a ticket, as rows.

A deadline is only the alarm: whoever claims one asks the pure clock (domain/clocks.py) what the
moment means, applies that, and plans or clears the deadline in the same transaction. Hence a tick
that comes late, twice, or on three machines at once changes nothing: the row is locked while it is
worked on, and moved when the work is committed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from sqlalchemy import Executable, bindparam, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from mailticket.store.dialect import claimable, table_of
from mailticket.store.models import Deadline

_DEADLINE: Final = table_of(Deadline)
_C: Final = _DEADLINE.c

_DUE: Final = claimable(
    select(_C.ticket_id, _C.kind, _C.due_at, _C.version)
    .where(_C.due_at <= bindparam("now"))
    .order_by(_C.due_at, _C.ticket_id, _C.kind)
    .limit(bindparam("most")),
    _DEADLINE,
)


_MISPLANNED: Final = claimable(
    select(_C.ticket_id, _C.kind, _C.due_at, _C.version)
    .where(_C.planned_at > bindparam("latest"))
    .order_by(_C.planned_at, _C.ticket_id, _C.kind)
    .limit(bindparam("most")),
    _DEADLINE,
)


@dataclass(frozen=True, slots=True)
class DueDeadline:
    """A deadline that has come. `version` tells it from every other one of this ticket and kind."""

    ticket_id: int
    kind: str
    due_at: datetime | None
    version: int


def plan(
    session: Session, ticket_id: int, kind: str, due_at: datetime | None, now: datetime | None = None
) -> int:
    """Set when `kind` is due next for the ticket, None for never; returns the deadline's version.

    Planning the moment that is planned already changes nothing; any other gets the next version.
    With `now` the row remembers when it was planned, so that `claim_misplanned` finds it.
    """
    row = {"ticket_id": ticket_id, "kind": kind, "due_at": due_at, "version": 1, "planned_at": now}
    dialect = session.get_bind().dialect.name
    version = session.execute(_plan(dialect), row).scalar_one_or_none()
    if version is None:  # planned for this moment already
        version = session.execute(_VERSION, {"ticket": ticket_id, "what": kind}).scalar_one()
    return int(version)


_VERSION: Final = select(_C.version).where(_C.ticket_id == bindparam("ticket"), _C.kind == bindparam("what"))
_CLEAR: Final = (
    update(_DEADLINE)
    .where(_C.ticket_id == bindparam("ticket"), _C.due_at.is_not(None))
    .values(due_at=None)
    .execution_options(synchronize_session=False)
)
_CLEAR_KIND: Final = _CLEAR.where(_C.kind == bindparam("what"))


@cache
def _plan(dialect: str) -> Executable:
    """Built once per database: building the statement costs three times what running it does."""
    insert = sqlite.insert(_DEADLINE) if dialect == "sqlite" else postgresql.insert(_DEADLINE)
    fresh = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=["ticket_id", "kind"],
        set_={"due_at": fresh.due_at, "version": _C.version + 1, "planned_at": fresh.planned_at},
        where=or_(_C.due_at.is_distinct_from(fresh.due_at), _C.planned_at > fresh.planned_at),
    ).returning(_C.version)


def clear(session: Session, ticket_id: int, kind: str | None = None) -> None:
    """Nothing of `kind` (None: of any kind) is due for the ticket any more."""
    if kind is None:
        session.execute(_CLEAR, {"ticket": ticket_id})
    else:
        session.execute(_CLEAR_KIND, {"ticket": ticket_id, "what": kind})


def planned(session: Session, ticket_id: int) -> dict[str, datetime]:
    """What is due for the ticket and when, by kind."""
    query = select(_C.kind, _C.due_at).where(_C.ticket_id == ticket_id, _C.due_at.is_not(None))
    return dict(map(tuple, session.execute(query)))


def claim_due(session: Session, now: datetime, limit: int) -> list[DueDeadline]:
    """Up to `limit` deadlines that have come, earliest first, locked until the transaction ends.

    The caller must `plan` or `clear` each one it is given before it commits; one left as it is comes
    back with the next tick. On PostgreSQL rows another machine is working on are passed over.
    """
    rows = session.execute(_DUE, {"now": now, "most": limit})
    return [DueDeadline(row.ticket_id, row.kind, row.due_at, row.version) for row in rows]


def claim_misplanned(session: Session, latest: datetime, limit: int) -> list[DueDeadline]:
    """Up to `limit` deadlines planned or cleared later than `latest`, which must lie ahead of now.

    A clock that was wrong planned them, for moments that may never come. To be worked on as those of
    `claim_due`.
    """
    rows = session.execute(_MISPLANNED, {"latest": latest, "most": limit})
    return [DueDeadline(row.ticket_id, row.kind, row.due_at, row.version) for row in rows]


def next_due(session: Session) -> datetime | None:
    """The earliest moment at which anything is due, so that a scheduler knows how long to sleep."""
    earliest: datetime | None = session.execute(select(func.min(_C.due_at))).scalar_one()
    return earliest
