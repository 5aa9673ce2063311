"""Agents' absences as rows. Runs in the caller's transaction.

What runs now is a handful of rows; they are read once per transaction, however many mails share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailticket.domain.absence import Absence, Presence, Source
from mailticket.domain.people_changes import EndAbsence, SetAbsence
from mailticket.store.dialect import claimable, table_of
from mailticket.store.models import AgentAbsence

_TABLE: Final = table_of(AgentAbsence)
_C: Final = _TABLE.c
_RUNNING: Final = select(_TABLE).where(_C.ended_at.is_(None)).order_by(_C.id)
"""Built once: building a statement costs more than running it."""
_CACHE: Final = "mailticket_presence"
_MOST_LISTED: Final = 200


def presence(session: Session) -> Presence:
    """What is recorded of absences that are not over; one query per session, until it writes one."""
    known = session.info.get(_CACHE)
    if isinstance(known, Presence):
        return known
    rows = session.connection().execute(_RUNNING)
    found = Presence(tuple(_absence(row) for row in rows))
    session.info[_CACHE] = found
    return found


def begin(session: Session, change: SetAbsence, now: datetime) -> None:
    """Record an absence; what was recorded of the agent for the same time before is over."""
    end(session, change.agent, change.actor, now, after=change.since)
    session.add(
        AgentAbsence(
            agent=change.agent,
            since=change.since,
            until=change.until,
            deputy=change.deputy,
            source=change.source,
            reason=change.reason,
            created_at=now,
            created_by=change.actor,
        )
    )
    session.flush()
    session.info.pop(_CACHE, None)


def finish(session: Session, change: EndAbsence, now: datetime) -> Absence | None:
    """The agent is there again: what is recorded is over, and today's configured absence does not count.

    Returns what was running until now, if anything was.
    """
    ended = presence(session).last_word(change.agent, now)
    end(session, change.agent, change.actor, now)
    if change.planned_until is not None:
        session.add(
            AgentAbsence(
                agent=change.agent,
                since=now,
                until=change.planned_until,
                here=True,
                source=str(Source.COMMAND),
                reason="",
                created_at=now,
                created_by=change.actor,
            )
        )
        session.flush()
    session.info.pop(_CACHE, None)
    return ended if ended is not None and not ended.here else None


def end(session: Session, agent: str, actor: str, now: datetime, *, after: datetime | None = None) -> int:
    """End what runs of an agent; with `after`, only what reaches beyond that moment. Returns how many."""
    where = [_C.agent == agent, _C.ended_at.is_(None)]
    if after is not None:
        where.append(_C.until.is_(None) | (_C.until > after))
    done = session.connection().execute(update(_TABLE).where(*where).values(ended_at=now, ended_by=actor))
    session.info.pop(_CACHE, None)
    return done.rowcount


def expire(session: Session, now: datetime, most: int = 100) -> list[Absence]:
    """End what has run out; returns it. Several daemons may ask at once: each row is ended by one."""
    due = claimable(
        select(_TABLE).where(_C.ended_at.is_(None), _C.until <= now).order_by(_C.id).limit(most), _TABLE
    )
    over = [_absence(row) for row in session.connection().execute(due)]
    if over:
        session.connection().execute(
            update(_TABLE)
            .where(_C.id.in_([one.id for one in over]), _C.ended_at.is_(None))
            .values(ended_at=_C.until, ended_by="system")
        )
        session.info.pop(_CACHE, None)
    return over


def history(session: Session, agent: str | None = None) -> Sequence[AgentAbsence]:
    """What was recorded, newest first: of one agent or of all."""
    query = select(AgentAbsence).order_by(AgentAbsence.id.desc()).limit(_MOST_LISTED)
    if agent is not None:
        query = query.where(AgentAbsence.agent == agent)
    return session.execute(query).scalars().all()


def _absence(row: Any) -> Absence:
    return Absence(
        agent=row.agent,
        since=row.since,
        until=row.until,
        source=Source(row.source),
        deputy=row.deputy,
        reason=row.reason,
        here=row.here,
        id=row.id,
    )
