"""Seals over the event log: made in passing, each over what no seal holds yet.

PostgreSQL commits out of order: an event may appear below one that is sealed already. So a seal names
its events one by one, and making one looks back at the latest seals for what came late.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailticket.domain.eventchain import SealedEvent, key_name, pack, seal_digest, short, unpack
from mailticket.store.dialect import insert_new, table_of
from mailticket.store.models import EventSeal, TicketEvent

MOST: Final = 5_000
"""Events of one seal."""
LATE: Final = timedelta(minutes=10)
"""No transaction stays open so long; engine.py sees to that."""


def make_seal(session: Session, key: bytes, now: datetime) -> EventSeal | None:
    """Seal what is not sealed yet, at most `MOST` events; None where there is nothing."""
    newest = latest_seal(session)
    number, before, last = (newest.number, newest.digest, newest.last_id) if newest else (0, "", 0)
    done, floor = _sealed_lately(session, last, now)
    rows = session.execute(
        select(TicketEvent.id, TicketEvent.chain_id, TicketEvent.seq, TicketEvent.digest, TicketEvent.at)
        .where(TicketEvent.id > floor, TicketEvent.digest.is_not(None))
        .order_by(TicketEvent.id)
        .limit(MOST + len(done))
    ).all()
    fresh = [row for row in rows if row.id not in done][:MOST]
    if not fresh:
        return None
    packed = pack(SealedEvent(row.id, row.chain_id, row.seq, short(row.digest)) for row in fresh)
    values = {
        "number": number + 1,
        "made_at": now,
        "newest_at": max(row.at for row in fresh),
        "last_id": max(fresh[-1].id, last),
        "count": len(fresh),
        "packed": packed,
        "key": key_name(key),
        "digest": seal_digest(key, before, number + 1, now, packed),
    }
    insert = insert_new(session, table_of(EventSeal), "number", returning=("number",))
    taken = session.execute(insert, [values]).first() is not None
    return session.get(EventSeal, number + 1) if taken else None


def is_sealed(session: Session) -> bool:
    """Whether there is nothing to seal, as far as two cheap looks can tell; what comes late waits."""
    newest = session.execute(select(func.max(TicketEvent.id))).scalar() or 0
    last = session.execute(select(EventSeal.last_id).order_by(EventSeal.number.desc()).limit(1)).scalar()
    return bool(newest <= (last or 0))


def latest_seal(session: Session) -> EventSeal | None:
    """The newest seal."""
    return session.execute(select(EventSeal).order_by(EventSeal.number.desc()).limit(1)).scalar()


def _sealed_lately(session: Session, last: int, now: datetime) -> tuple[set[int], int]:
    """The id up to which no event can appear any more, and which behind it are in a seal already."""
    if session.get_bind().dialect.name == "sqlite":  # one writer at a time: nothing comes late
        return set(), last
    settled = (
        select(EventSeal.number, EventSeal.last_id)
        .where(EventSeal.newest_at <= now - LATE)
        .order_by(EventSeal.number.desc())
        .limit(1)
    )
    number, floor = session.execute(settled).first() or (0, 0)
    later = select(EventSeal.packed).where(EventSeal.number > number)
    return {one.id for packed in session.execute(later).scalars() for one in unpack(packed) or ()}, floor
