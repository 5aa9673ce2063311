"""What automatic assignment has to know: how much everybody has, and whose turn it is.

Queried only for a ticket that is given out. Whoever asks with `lock` is the only one who gives out
tickets until the transaction ends: two daemons never act on one count, and nobody's turn is skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.distribution import Pool, Workload, everybody, wants_counts
from mailticket.domain.status import ACTIVE
from mailticket.store.dialect import table_of, upsert
from mailticket.store.models import AssignmentTurn, PersonAddress, Ticket

_TICKET: Final = table_of(Ticket).c
_ADDRESSES: Final = table_of(PersonAddress)
_TURN: Final = table_of(AssignmentTurn)
_LOCK: Final = 7_243_001
"""The advisory lock of PostgreSQL that whoever gives out tickets holds."""

_COUNTS: Final = (
    select(_TICKET.assignee, func.count())
    .where(
        _TICKET.assignee.in_(bindparam("agents", expanding=True)),
        _TICKET.status.in_([str(status) for status in ACTIVE]),
    )
    .group_by(_TICKET.assignee)
)
_WHOSE_TURN: Final = select(_TURN.c.agent).where(_TURN.c.pool == bindparam("pool"))
_LAST: Final = (
    select(_TICKET.assignee)
    .join(_ADDRESSES, _ADDRESSES.c.person_id == _TICKET.requester_id)
    .where(_ADDRESSES.c.address == bindparam("customer"), _TICKET.assignee.is_not(None))
    .order_by(_TICKET.id.desc())
    .limit(1)
)


def workload(session: Session, pool: Pool, customer: str, desk: Desk, *, lock: bool = True) -> Workload:
    """What choosing somebody of `pool` for a ticket of `customer` (canonical address) rests on."""
    session.flush()
    if lock and session.get_bind().dialect.name == "postgresql":
        session.connection().execute(select(func.pg_advisory_xact_lock(_LOCK)))
    connection = session.connection()
    return Workload(
        open=open_counts(session, everybody(pool, desk)) if wants_counts(pool, desk) else {},
        turn=connection.execute(_WHOSE_TURN, {"pool": pool.key}).scalar_one_or_none(),
        last=connection.execute(_LAST, {"customer": customer}).scalar_one_or_none()
        if "sticky" in pool.assign
        else None,
    )


def open_counts(session: Session, agents: Sequence[str]) -> dict[str, int]:
    """How many tickets each agent has to work on now; who has none is missing.

    What waits for a customer, is on hold or finished is not work now. By an index: it costs what the
    agents have, not what the desk has.
    """
    if not agents:
        return {}
    rows = session.execute(_COUNTS, {"agents": list(agents)})
    return {agent: count for agent, count in rows if agent is not None}


def take_turn(session: Session, pool: str, agent: str, now: datetime) -> None:
    """Remember who of a pool was given the last ticket."""
    statement = upsert(session, _TURN).values(pool=pool, agent=agent, at=now)
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=["pool"], set_={"agent": statement.excluded.agent, "at": statement.excluded.at}
        )
    )
