"""The ban list: kept by operators, asked for every mail, and held in memory for the wire."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import Engine, bindparam, delete, literal_column, or_, select, update
from sqlalchemy.orm import Session

from mailticket.domain.screening import Action, closest, domains_of, kind_of, screen
from mailticket.domain.sender import BanFacts
from mailticket.domain.types import Arrival, Facts
from mailticket.errors import Permanent, Temporary
from mailticket.mail.address import canonical
from mailticket.mail.charset import clean_text
from mailticket.mail.types import Reading
from mailticket.store.dialect import table_of, upsert
from mailticket.store.engine import reading, transaction
from mailticket.store.models import Ban

log = structlog.get_logger()

REFRESH: Final = 5.0
"""Seconds until a change of the list is known at the wire."""

_TABLE: Final = table_of(Ban)
_C: Final = _TABLE.c
_FACTS: Final = (_C.id, _C.pattern, _C.kind, _C.action, _C.reason)
_IN_FORCE: Final = or_(_C.expires_at.is_(None), _C.expires_at > bindparam("now", type_=_C.expires_at.type))
# Built once: building a statement costs more than running it.
_ABOUT: Final = select(*_FACTS).where(
    or_(
        _C.pattern.in_(bindparam("names", expanding=True)),
        _C.kind == literal_column("'pattern'"),
    ),
    _IN_FORCE,
)


@dataclass(frozen=True, slots=True)
class BanEntry:
    """A ban as an operator sees it."""

    pattern: str
    kind: str
    action: str
    reason: str
    created_at: datetime
    expires_at: datetime | None
    hits: int
    last_hit_at: datetime | None


def add_ban(
    session: Session, pattern: str, action: Action, reason: str, now: datetime, expires_at: datetime | None
) -> BanEntry:
    """Put a sender on the list, or change what stands there; hits go on counting.

    Raises `Permanent` for words that name no sender (domain/screening.py).
    """
    kind, text = kind_of(pattern)
    said = clean_text(reason, limit=500, one_line=True)
    values = {"action": action, "reason": said, "expires_at": expires_at}
    statement = upsert(session, _TABLE).values(pattern=text, kind=kind, created_at=now, hits=0, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["pattern"], set_=values))
    return _entry(session.execute(select(Ban).where(Ban.pattern == text)).scalar_one())


def remove_ban(session: Session, pattern: str) -> None:
    """Take a sender off the list. Raises `Permanent` when the list does not have it."""
    _, text = kind_of(pattern)
    if not session.execute(delete(_TABLE).where(_C.pattern == text).returning(_C.id)).all():
        raise Permanent(f"{text} is not banned: mailticket ban list")


def list_bans(session: Session) -> list[BanEntry]:
    """The whole list, those that have expired included, newest first."""
    rows = session.execute(select(Ban).order_by(Ban.created_at.desc(), Ban.id.desc())).scalars()
    return [_entry(row) for row in rows]


def ban_of(session: Session, mail: Reading, arrival: Arrival) -> BanFacts | None:
    """The most particular ban on whoever a mail comes from, by its From header or its envelope."""
    sender = mail.mail.sender
    given = (sender.address or sender.shown.address, arrival.envelope_from)
    addresses = [canonical(address) for address in given if address and "@" in address]
    if not addresses:
        return None
    names = {*addresses, *(domain for address in addresses for domain in domains_of(address))}
    rows = session.execute(_ABOUT, {"names": sorted(names), "now": arrival.received_at})
    return closest((BanFacts(*row) for row in rows), addresses)


def note_hit(session: Session, facts: Facts, arrival: Arrival, now: datetime) -> None:
    """Count a mail that a ban has stopped."""
    if facts.ban is not None and screen(facts, arrival) is not None:
        _count(session, {facts.ban.id: 1}, now)


class BanCache:
    """The bans that reject, in memory, for the wire (store/ports.py: Screening).

    Asked in the event loop, so it never waits: what it knows is read again in a thread of its own, at
    most every `REFRESH` seconds and only while somebody asks. Where the database cannot be read it
    goes on with what it knows: a mail let in is looked at again before anything comes of it.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Callable[[], datetime],
        protected: Callable[[], Iterable[str]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._protected = protected
        self._monotonic = monotonic
        self._bans: tuple[BanFacts, ...] = ()
        self._hits: Counter[int] = Counter()
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._thread: threading.Thread | None = None

    def refuses(self, envelope_from: str) -> bool:
        """Whether mail from this envelope sender is rejected; the null sender never is."""
        self._refresh_soon()
        if not self._bans or "@" not in envelope_from:
            return False
        address = canonical(envelope_from)
        if address in self._protected():
            return False
        found = closest(self._bans, [address])
        if found is None or found.action != "reject":
            return False
        with self._lock:
            self._hits[found.id] += 1
        return True

    def refresh(self) -> None:
        """Read the list now, and write down what was stopped since the last time."""
        with self._lock:
            hits, self._hits = self._hits, Counter()
        try:
            now = self._clock()
            if hits:
                with transaction(self._engine) as session:
                    _count(session, hits, now)
                hits = Counter()
            with reading(self._engine) as session:
                rows = session.execute(select(*_FACTS).where(_IN_FORCE), {"now": now})
                self._bans = tuple(BanFacts(*row) for row in rows)
        except Temporary as error:
            with self._lock:
                self._hits += hits
            log.warning("bans.not_read", reason=str(error))

    def close(self) -> None:
        """Write down the last hits."""
        thread = self._thread
        if thread is not None:
            thread.join()
        if self._hits:
            self.refresh()

    def _refresh_soon(self) -> None:
        now = self._monotonic()
        if now - self._read_at < REFRESH or (self._thread is not None and self._thread.is_alive()):
            return
        self._read_at = now
        self._thread = threading.Thread(target=self.refresh, name="bans", daemon=True)
        self._thread.start()


def _count(session: Session, hits: dict[int, int] | Counter[int], now: datetime) -> None:
    for ban, count in sorted(hits.items()):
        session.execute(update(_TABLE).where(_C.id == ban).values(hits=_C.hits + count, last_hit_at=now))


def _entry(row: Ban) -> BanEntry:
    names: Sequence[str] = tuple(BanEntry.__dataclass_fields__)
    return BanEntry(**{name: getattr(row, name) for name in names})
