"""Which agents are new to mails of the desk: their first alerts explain how to answer, later ones do not.

Alerts are counted by rows that are only ever added, so that two daemons never wait for each other; two
of them may explain once more than they need. Once an agent has had enough of them, nothing is asked or
written any more: that is remembered in memory, for each database.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, bindparam, func, insert, select
from sqlalchemy.orm import Session

from mailticket.store.dialect import table_of
from mailticket.store.models import AgentPrimer

FIRST: Final = 10
"""Alerts of an agent that explain."""
_TABLE: Final = table_of(AgentPrimer)
_C: Final = _TABLE.c
_COUNT: Final = (
    select(_C.agent, func.count()).where(_C.agent.in_(bindparam("agents", expanding=True))).group_by(_C.agent)
)
_ADD: Final = insert(_TABLE)
_experienced: WeakKeyDictionary[Engine | Connection, set[str]] = WeakKeyDictionary()


def newcomers(session: Session, agents: Iterable[str], now: datetime) -> frozenset[str]:
    """Those of these agents whose next alert is among their first; it is counted with this."""
    known = _experienced.setdefault(session.get_bind(), set())
    asked = sorted(set(agents) - known)
    if not asked:
        return frozenset()
    connection = session.connection()
    had = {str(row[0]): int(row[1]) for row in connection.execute(_COUNT, {"agents": asked})}
    known.update(agent for agent, count in had.items() if count >= FIRST)
    new = [agent for agent in asked if had.get(agent, 0) < FIRST]
    if new:
        connection.execute(_ADD, [{"agent": agent, "told_at": now} for agent in new])
    return frozenset(new)
