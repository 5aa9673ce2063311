"""Proving the event log: every chain from its first link to its head, and every seal.

Reads the whole log once in the order of the chains and once in the order of the seals, in constant
memory. Says in words what is wrong, the first finding first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session

from mailticket.domain.eventchain import START, EntryWords, Place, link, ranges, words_digest
from mailticket.domain.types import EventKind
from mailticket.store.dialect import table_of
from mailticket.store.event_log import WITH_WORDS
from mailticket.store.models import Entry, EventSeal, Ticket, TicketEvent
from mailticket.store.sealproof import Sealed, seals_hold

MOST_FINDINGS: Final = 100
_EVENT: Final = table_of(TicketEvent).c
_ENTRY: Final = table_of(Entry).c
_TICKET: Final = table_of(Ticket).c
_BATCH: Final = 1_000


@dataclass(frozen=True, slots=True)
class Finding:
    """A link that does not hold. `event`: its position in the ticket's log, None for all of it."""

    ticket: str
    event: int | None
    words: str

    def __str__(self) -> str:
        where = f"event {self.event} of " if self.event is not None else ""
        return f"{where}ticket {self.ticket}: {self.words}" if self.ticket else self.words


@dataclass(slots=True)
class Proof:
    """What was checked and what does not hold. `unsealed`: events that no seal covers yet."""

    events: int = 0
    tickets: int = 0
    seals: int = 0
    unsealed: int = 0
    erased: int = 0
    findings: list[Finding] = field(default_factory=list)
    more: bool = False
    """There were more findings than are kept."""
    notes: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Nothing was found."""
        return not self.findings

    def found(self, ticket: str, event: int | None, words: str) -> None:
        """Keep a finding."""
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(ticket, event, words))
        else:
            self.more = True


def prove(
    session: Session,
    key: bytes,
    *,
    since: datetime | None = None,
    expected: dict[int, str] | None = None,
    progress: Callable[[int], None] = lambda _count: None,
) -> Proof:
    """Check the log; since: only tickets on which something was recorded since, and younger seals.

    key: what seals are signed with. expected: signatures kept elsewhere, by the number of the seal.
    progress: told how many events of the database were looked at since the last call.
    """
    proof = Proof()
    first = _first_id(session, since) if since is not None else 0
    _chains(session, proof, first, progress)
    _strangers(session, proof, first)
    sealed = seals_hold(session, key, first, expected or {}, progress)
    _take(session, proof, sealed)
    return proof


def amount(session: Session, since: datetime | None = None) -> int:
    """How many events `prove` will tell its progress about, roughly."""
    first = _first_id(session, since) if since is not None else 0
    count = session.execute(select(func.count()).select_from(TicketEvent).where(_EVENT.id >= first)).scalar()
    return 2 * (count or 0)


def _first_id(session: Session, since: datetime) -> int:
    """The event from which on a younger seal vouches; events are numbered as they come."""
    older = select(func.max(EventSeal.last_id)).where(EventSeal.newest_at < since)
    return (session.execute(older).scalar() or 0) + 1


class _Row(NamedTuple):
    id: int
    ticket_id: int
    entry_id: int | None
    kind: str
    actor: str
    at: datetime
    reason: str
    data: dict[str, Any]
    trust: str | None
    chain_id: int
    seq: int
    salt: bytes | None
    words: bytes | None
    digest: bytes | None
    entry_kind: str | None
    audience: str | None
    author: str | None
    text: str | None
    entry_ticket: int | None

    @property
    def entry(self) -> EntryWords | None:
        """What the event says about its entry; None where it says nothing of one, or it is gone."""
        if self.kind not in WITH_WORDS or self.entry_kind is None:
            return None
        return EntryWords(self.entry_kind, self.audience or "", self.author or "", self.text or "")


_ROWS: Final = (
    select(
        _EVENT.id, _EVENT.ticket_id, _EVENT.entry_id, _EVENT.kind, _EVENT.actor, _EVENT.at, _EVENT.reason,
        _EVENT.data, _EVENT.trust, _EVENT.chain_id, _EVENT.seq, _EVENT.salt, _EVENT.words, _EVENT.digest,
        _ENTRY.kind.label("entry_kind"), _ENTRY.audience, _ENTRY.author, _ENTRY.text,
        _ENTRY.ticket_id.label("entry_ticket"),
    )
    .outerjoin(table_of(Entry), _ENTRY.id == _EVENT.entry_id)
)  # fmt: skip


class _Head(NamedTuple):
    id: int
    number: str
    length: int
    head: bytes | None


def _chains(session: Session, proof: Proof, first: int, progress: Callable[[int], None]) -> None:
    """Walk the tickets in order of their ids, each with its chain."""
    for heads in _heads(session, first):
        low, high = heads[0].id, heads[-1].id
        query = _ROWS.where(_EVENT.chain_id.between(low, high))
        if first:
            query = query.where(_EVENT.chain_id.in_([head.id for head in heads]))
        rows = [_Row._make(row) for row in session.execute(query.order_by(_EVENT.chain_id, _EVENT.seq))]
        chains = {chain: list(group) for chain, group in groupby(rows, key=lambda row: row.chain_id)}
        for head in heads:
            _chain(proof, head, chains.get(head.id, []))
        progress(len(rows))


def _heads(session: Session, first: int) -> Iterator[list[_Head]]:
    last = 0
    while True:
        query: Select[Any] = select(_TICKET.id, _TICKET.number, _TICKET.log_length, _TICKET.log_head)
        query = query.where(_TICKET.id > last)
        if first:
            touched = exists().where(_EVENT.chain_id == _TICKET.id, _EVENT.id >= first)
            query = query.where(touched)
        heads = [_Head._make(row) for row in session.execute(query.order_by(_TICKET.id).limit(_BATCH))]
        if not heads:
            return
        last = heads[-1].id
        yield heads


def _chain(proof: Proof, ticket: _Head, rows: list[_Row]) -> None:
    """One ticket's log, link by link; the first break is told, what follows from it is not."""
    name = f"#{ticket.number}"
    proof.tickets += 1
    proof.events += len(rows)
    before, expected = START, 1
    erased: dict[int, _Row] = {}
    proofs: dict[str, str] = {}
    for row in rows:
        if row.seq != expected:
            return proof.found(name, expected, _missing(expected, row.seq - 1))
        broken = _broken(row, before)
        if broken is not None:
            return proof.found(name, row.seq, broken)
        if row.salt is None:
            erased[row.seq] = row
        if row.kind == EventKind.ERASED:
            proofs |= row.data.get("events", {})
        before, expected = row.digest or START, expected + 1
    if ticket.length != len(rows):
        return proof.found(name, expected, _missing(expected, ticket.length, last=True))
    if (ticket.head or START) != before:
        return proof.found(name, None, "its last event is not the one the ticket knows as its last")
    proof.erased += len(erased)
    for seq, row in erased.items():
        new = words_digest(row.digest or b"", row.actor, row.reason, row.data, row.entry)
        if proofs.get(str(seq)) != new.hex():
            return proof.found(name, seq, "its words are gone, and no event says that they were erased")
    return None


def _missing(low: int, high: int, *, last: bool = False) -> str:
    if high < low:
        return "there are more events than the ticket knows of" if last else "it is there twice"
    count = high - low + 1
    what = "this event is gone" if count == 1 else f"this event and the next {count - 1} are gone"
    return f"{what}, the last of the log" if last else what


def _broken(row: _Row, before: bytes) -> str | None:
    """What is wrong with one event, given the digest before it."""
    if row.words is None or row.digest is None:
        return "it has no digest"
    if row.entry_id is not None and row.entry_kind is None:
        return "the thread entry it tells of is gone"
    erased = row.salt is None
    if not erased and row.words != words_digest(row.salt or b"", row.actor, row.reason, row.data, row.entry):
        told = " or the text of its entry" if row.entry is not None else ""
        return f"who did it, why, its data{told} was changed"
    place = Place(row.chain_id, row.seq, row.entry_id, row.kind, row.at, row.trust)
    if link(before, place, row.words) != row.digest:
        return f"its kind ({row.kind}), time, place or digest was changed, or what came before it"
    home = row.entry_ticket if row.entry_id is not None else row.chain_id
    if row.ticket_id != home:
        return "it was put on another ticket"
    return None


def _strangers(session: Session, proof: Proof, first: int) -> None:
    """Events that no chain knows: written around the log, or of a ticket that is gone."""
    home = table_of(Ticket).alias("home")
    known = exists(select(home.c.id).where(home.c.id == _EVENT.chain_id))
    query = (
        select(_EVENT.id, _EVENT.ticket_id, _EVENT.kind, _TICKET.number)
        .outerjoin(table_of(Ticket), _TICKET.id == _EVENT.ticket_id)
        .where(_EVENT.id >= first, or_(_EVENT.chain_id.is_(None), _EVENT.seq.is_(None), ~known))
        .order_by(_EVENT.id)
        .limit(MOST_FINDINGS)
    )
    for row in session.execute(query):
        number = f"#{row.number}" if row.number is not None else f"id {row.ticket_id}"
        proof.found(number, None, f"an event ({row.kind}, row {row.id}) was inserted that is in no chain")


def _take(session: Session, proof: Proof, sealed: Sealed) -> None:
    """Put what the seals say into the proof, with the numbers of the tickets where they still exist."""
    proof.seals, proof.unsealed = sealed.seals, sealed.unsealed
    proof.notes += sealed.notes
    for words in sealed.broken:
        proof.found("", None, words)
    for chain, events in sorted(sealed.missing.items()):
        number = session.execute(select(_TICKET.number).where(_TICKET.id == chain)).scalar()
        which = ranges(sorted(events))
        if number is None:
            proof.found("", None, f"the ticket with id {chain} is gone, with its events {which}")
        else:
            proof.found(f"#{number}", min(events), f"sealed events are gone: {which}")
    for chain, events in sorted(sealed.changed.items()):
        number = session.execute(select(_TICKET.number).where(_TICKET.id == chain)).scalar()
        words = f"it is not what was sealed (events {ranges(sorted(events))})"
        proof.found(f"#{number}" if number is not None else f"id {chain}", min(events), words)
    for chain, events in sorted(sealed.inserted.items()):
        words = f"it was inserted behind a seal (events {ranges(sorted(events))})"
        number = session.execute(select(_TICKET.number).where(_TICKET.id == chain)).scalar()
        proof.found(f"#{number}" if number is not None else f"id {chain}", min(events), words)
