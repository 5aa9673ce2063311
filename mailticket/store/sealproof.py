"""Whether the seals hold: their own chain and signatures, and that what they name is still there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailticket.domain.eventchain import SealedEvent, key_name, seal_digest, short, unpack
from mailticket.store.dialect import table_of
from mailticket.store.models import EventSeal, TicketEvent
from mailticket.store.seals import LATE

_EVENT: Final = table_of(TicketEvent).c
_EVENTS: Final = select(_EVENT.id, _EVENT.chain_id, _EVENT.seq, _EVENT.digest, _EVENT.at).where(
    _EVENT.digest.is_not(None)
)


@dataclass(slots=True)
class Sealed:
    """What the seals tell. missing, changed, inserted: positions of events by the ticket's id."""

    seals: int = 0
    unsealed: int = 0
    broken: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missing: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    changed: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    inserted: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))


@dataclass(slots=True)
class _Reader:
    """Reads events in the order of their ids, as far as the seals need, and keeps what none claimed."""

    session: Session
    upto: int
    progress: Callable[[int], None]
    waiting: dict[int, tuple[SealedEvent, datetime]] = field(default_factory=dict)

    def take(self, event: int) -> SealedEvent | None:
        """An event that a seal names; None where it is gone."""
        there = self.waiting.pop(event, None)
        if there is not None:
            return there[0]
        # PostgreSQL: it came late, so a younger seal holds it than those around it
        row = self.session.execute(_EVENTS.where(_EVENT.id == event)).first() if event <= self.upto else None
        return SealedEvent(row.id, row.chain_id, row.seq, short(row.digest)) if row is not None else None

    def read(self, last: int) -> None:
        """Read on, to this id."""
        if last <= self.upto:
            return
        rows = self.session.execute(
            _EVENTS.where(_EVENT.id > self.upto, _EVENT.id <= last).order_by(_EVENT.id)
        ).all()
        for row in rows:
            self.waiting[row.id] = SealedEvent(row.id, row.chain_id, row.seq, short(row.digest)), row.at
        self.upto = last
        self.progress(len(rows))


def seals_hold(
    session: Session, key: bytes, first: int, expected: dict[int, str], progress: Callable[[int], None]
) -> Sealed:
    """Check all seals over events from `first` on; expected: signatures kept elsewhere, by number."""
    found = Sealed()
    start = _last_before(session, first)
    reader = _Reader(session, start[2], progress)
    number, before = start[0], start[1]
    made_at: datetime | None = None
    others = 0
    while True:
        seal = _next(session, number)
        if seal is None:
            break
        if seal.number != number + 1:
            found.broken.append(f"seal {number + 1} is gone")
        signed = seal_digest(key, before, seal.number, seal.made_at, seal.packed)
        if seal.key != key_name(key):
            others += 1
        elif seal.number == number + 1 and not compare_digest(signed, seal.digest):
            found.broken.append(f"seal {seal.number} of {seal.made_at:%Y-%m-%d %H:%M:%SZ} was changed")
        reader.read(seal.last_id)
        _compare(seal, reader, found)
        number, before, made_at = seal.number, seal.digest, seal.made_at
        found.seals += 1
    _against(session, expected, number, found)
    if others:
        found.notes.append(
            f"{others} seals were made with another secret key: their signatures are unchecked"
        )
    for event, at in reader.waiting.values():
        if made_at is not None and at <= made_at - LATE:
            found.inserted[event.chain].append(event.seq)
    unsealed = select(func.count()).select_from(TicketEvent).where(_EVENT.id > reader.upto)
    found.unsealed = session.execute(unsealed).scalar() or 0
    return found


def _last_before(session: Session, first: int) -> tuple[int, str, int]:
    """Number, signature and last event of the newest seal wholly before an event; 0, "", 0 for none."""
    query = (
        select(EventSeal.number, EventSeal.digest, EventSeal.last_id)
        .where(EventSeal.last_id < first)
        .order_by(EventSeal.number.desc())
        .limit(1)
    )
    return session.execute(query).first() or (0, "", 0)


def _next(session: Session, number: int) -> EventSeal | None:
    query = select(EventSeal).where(EventSeal.number > number).order_by(EventSeal.number).limit(1)
    seal = session.execute(query).scalar()
    if seal is not None:
        session.expunge(seal)
    return seal


def _compare(seal: EventSeal, reader: _Reader, found: Sealed) -> None:
    events = unpack(seal.packed)
    if events is None or len(events) != seal.count:
        found.broken.append(f"seal {seal.number} cannot be read")
        return
    for event in events:
        there = reader.take(event.id)
        if there is None:
            found.missing[event.chain].append(event.seq)
        elif there != event:
            found.changed[event.chain].append(event.seq)


def _against(session: Session, expected: dict[int, str], newest: int, found: Sealed) -> None:
    """Compare with signatures that were kept elsewhere."""
    for number, digest in sorted(expected.items()):
        if number > newest:
            found.broken.append(f"seal {number}, which you kept, is not in the database: the log was cut off")
            continue
        there = session.execute(select(EventSeal.digest).where(EventSeal.number == number)).scalar()
        if there is None or not compare_digest(there, digest):
            found.broken.append(f"seal {number} is not the one you kept: the log was written anew")
