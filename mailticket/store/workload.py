"""What automatic assignment has to know: how much everybody has, and whose turn it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from mailticket.domain.status import ACTIVE
from mailticket.store.dialect import table_of
from mailticket.store.models import Ticket

_TICKET: Final = table_of(Ticket).c
_COUNTS: Final = (
    select(_TICKET.assignee, func.count())
    .where(
        _TICKET.assignee.in_(bindparam("agents", expanding=True)),
        _TICKET.status.in_([str(status) for status in ACTIVE]),
    )
    .group_by(_TICKET.assignee)
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
