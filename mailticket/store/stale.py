"""What an agent had not seen, and their answers that wait. Runs in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.requests import HeldAnswer, HoldAnswer, MissedEntry, SettleAnswer
from mailticket.domain.types import Arrival, ThreadEvidence
from mailticket.store.dialect import table_of
from mailticket.store.models import Entry, Inbound, Outbox, PendingAnswer

_ENTRY: Final = table_of(Entry).c
_OUT: Final = table_of(Outbox).c
_NEWER: Final = (
    select(_ENTRY.id, _ENTRY.author)
    .where(
        _ENTRY.ticket_id == bindparam("ticket"),
        _ENTRY.id > bindparam("seen"),
        _ENTRY.kind.in_(["message", "response"]),
        _ENTRY.withdrawn_at.is_(None),
    )
    .order_by(_ENTRY.id)
)
_MAILED: Final = select(func.max(_OUT.entry_id)).where(
    _OUT.ticket_id == bindparam("ticket"),
    _OUT.recipient == bindparam("recipient"),
    _OUT.audience == "internal",
    _OUT.created_at <= bindparam("before"),
)
_HELD: Final = select(
    PendingAnswer.ticket_id, PendingAnswer.inbound_id, PendingAnswer.text, PendingAnswer.subject
).where(
    PendingAnswer.agent == bindparam("agent"),
    PendingAnswer.ticket_id.in_(bindparam("tickets", expanding=True)),
)


@dataclass(frozen=True, slots=True)
class Unseen:
    """As `missed` and `held_answers` of `Facts`."""

    missed: dict[int, tuple[MissedEntry, ...]]
    held: dict[int, HeldAnswer]


def unseen_by(
    session: Session,
    agent: str | None,
    evidence: Sequence[ThreadEvidence],
    tickets: Iterable[int],
    arrival: Arrival,
    desk: Desk,
) -> Unseen:
    """What agent `agent` had not seen of the tickets their mail names, and their answers that wait.

    By the newest entry that a token of theirs names; without one, by the newest that was mailed to them
    before the mail came. A mail that was released after all has missed nothing.
    """
    named = list(tickets)
    if agent is None or not named or not desk.stale_guard:
        return Unseen({}, {})
    held = {
        row.ticket_id: HeldAnswer(row.inbound_id, row.text, row.subject)
        for row in session.execute(_HELD, {"agent": agent, "tickets": named})
    }
    if arrival.released:
        return Unseen({}, held)
    missed = {ticket: _missed(session, agent, evidence, ticket, arrival, desk) for ticket in named}
    return Unseen(missed, held)


def _missed(
    session: Session,
    agent: str,
    evidence: Sequence[ThreadEvidence],
    ticket: int,
    arrival: Arrival,
    desk: Desk,
) -> tuple[MissedEntry, ...]:
    own = (item for item in evidence if item.ticket_id == ticket and item.party == f"agent:{agent}")
    seen = max((item.entry for item in own), default=0)
    if not seen:
        given = {"ticket": ticket, "recipient": desk.agents[agent].address, "before": arrival.received_at}
        seen = session.execute(_MAILED, given).scalar() or 0
    if not seen:
        return ()
    rows = session.connection().execute(_NEWER, {"ticket": ticket, "seen": seen})
    return tuple(MissedEntry(row.id, row.author) for row in rows)


def hold(session: Session, change: HoldAnswer, now: datetime) -> dict[str, Any]:
    """Let an answer wait, and give up the one that waited before it; what the event keeps."""
    row = session.get(PendingAnswer, (change.ticket, change.agent))
    if row is None:
        row = PendingAnswer(ticket_id=change.ticket, agent=change.agent, inbound_id=change.inbound)
        session.add(row)
    elif row.inbound_id != change.inbound:
        _give_up(session, row.inbound_id, "a newer answer has taken its place", now)
    row.inbound_id, row.text, row.subject, row.held_at = change.inbound, change.text, change.subject, now
    session.flush()
    return {
        "agent": change.agent,
        "inbound": change.inbound,
        "missed": list(change.missed),
        "text": change.text,
        "subject": change.subject,
    }


def settle(session: Session, change: SettleAnswer, now: datetime) -> None:
    """Have an answer that waited worked on after all, or give it up."""
    session.execute(delete(PendingAnswer).where(PendingAnswer.inbound_id == change.inbound))
    if not change.send:
        _give_up(session, change.inbound, change.why, now)
        return
    session.execute(
        update(Inbound)
        .where(Inbound.id == change.inbound, Inbound.state == "held")
        .values(
            state="pending", released=True, attempts=0, parse_kills=0, lease_until=None, finished_at=None,
            next_try_at=now,
        )
    )  # fmt: skip


def expired(session: Session, held_before: datetime, now: datetime, most: int) -> list[PendingAnswer]:
    """Give up the answers that have waited since `held_before`; those whose authors must be told."""
    rows = list(
        session.execute(
            select(PendingAnswer)
            .where(PendingAnswer.held_at <= held_before)
            .order_by(PendingAnswer.held_at)
            .limit(most)
            .with_for_update(skip_locked=True)
        ).scalars()
    )
    told = []
    for row in rows:
        if _give_up(session, row.inbound_id, "it was held, and not released in time", now):
            told.append(row)
        session.delete(row)
    session.flush()
    return told


def _give_up(session: Session, inbound: int, why: str, now: datetime) -> bool:
    """False where the mail waits no longer, because an operator has released it."""
    given_up = session.execute(
        update(Inbound)
        .where(Inbound.id == inbound, Inbound.state == "held")
        .values(state="ignored", error=why, finished_at=now)
        .returning(Inbound.id)
    )
    return given_up.one_or_none() is not None
