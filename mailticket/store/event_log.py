"""The event log: appending to it, each event chained to the one before (domain/eventchain.py); erasing words.

A ticket's row knows the length of its chain and its last digest, so that appending reads nothing and
goes out with the update the ticket gets anyway. Two writers that would append to one ticket at once
meet at a unique key: the second fails and tries again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from mailticket.domain.eventchain import SALT_BYTES, START, EntryWords, Place, link, words_digest
from mailticket.domain.types import EntryKind, Event, EventKind, Trust
from mailticket.store.dialect import table_of
from mailticket.store.fulltext import index_entries
from mailticket.store.models import Entry, Ticket, TicketEvent

_LOG: Final = insert(table_of(TicketEvent))
"""Built once, and run without flushing first: tickets and entries have their ids from a flush already."""
WITH_WORDS: Final = frozenset(str(kind) for kind in EntryKind)
"""Events that vouch for the text of their entry too."""
_NOBODY: Final = ("system", "operator")


def record(session: Session, events: Sequence[Event], trust: Trust | None = None) -> None:
    """Append events to the log of their tickets; those without a ticket stay with the mail only.

    trust: how well the author of the mail that caused them is known, where a mail did.
    """
    rows = [
        _appended(session, session.get_one(Ticket, event.ticket_id), event, trust)
        for event in events
        if event.ticket_id is not None
    ]
    if rows:
        session.connection().execute(_LOG, rows)


def _appended(session: Session, ticket: Ticket, event: Event, trust: Trust | None) -> dict[str, Any]:
    kind, salt = str(event.kind), os.urandom(SALT_BYTES)
    known = str(trust) if trust is not None and event.actor not in _NOBODY else None
    seq = (ticket.log_length or 0) + 1
    entry = None
    if kind in WITH_WORDS and event.entry_id is not None:
        entry = entry_words(session.get_one(Entry, event.entry_id))
    words = words_digest(salt, event.actor, event.reason, event.data, entry)
    place = Place(ticket.id, seq, event.entry_id, kind, event.at, known)
    digest = link(ticket.log_head or START, place, words)
    ticket.log_length, ticket.log_head = seq, digest
    return {
        "ticket_id": ticket.id,
        "entry_id": event.entry_id,
        "kind": kind,
        "actor": event.actor,
        "at": event.at,
        "reason": event.reason,
        "data": event.data,
        "trust": known,
        "chain_id": ticket.id,
        "seq": seq,
        "salt": salt,
        "words": words,
        "digest": digest,
    }


def entry_words(entry: Entry) -> EntryWords:
    """What the event about an entry vouches for."""
    return EntryWords(entry.kind, entry.audience, entry.author, entry.text)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of an event. `data` must keep its keys: the clocks read them."""

    actor: str
    reason: str
    data: dict[str, Any]


def erase_words(
    session: Session,
    tickets: Iterable[int],
    redact: Callable[[Words], Words],
    *,
    entries: Collection[int] = (),
    actor: str,
    why: str,
    now: datetime,
) -> int:
    """Replace the words of all events recorded on these tickets where `redact` changes them; how many.

    entries: ids of thread entries that were rewritten in this transaction, before this call. Their
    events stop vouching for the old text and vouch for the new one; searching finds the new one.
    The digest of what was erased stays and its salt goes; one event per ticket names what was erased,
    and proves what stands there now.
    """
    index_entries(session, entries)
    count = 0
    for ticket in sorted(set(tickets)):
        recorded = select(TicketEvent).where(TicketEvent.chain_id == ticket).order_by(TicketEvent.seq)
        erased: dict[str, str] = {}
        for row in session.execute(recorded).scalars().all():
            proof = _erase(session, row, redact, entries)
            if proof is not None:
                erased[str(row.seq)] = proof.hex()
        if erased:
            session.flush()
            event = Event(EventKind.ERASED, ticket, None, actor, now, why, {"events": erased})
            record(session, [event])
            count += len(erased)
    return count


def _erase(
    session: Session, row: TicketEvent, redact: Callable[[Words], Words], entries: Collection[int]
) -> bytes | None:
    """Erase one event's words if there is anything to erase; what proves the new ones."""
    old = Words(row.actor, row.reason, row.data)
    new = redact(old)
    tells_of_entry = row.kind in WITH_WORDS and row.entry_id is not None
    if row.digest is None or (new == old and not (tells_of_entry and row.entry_id in entries)):
        return None
    row.salt = None
    row.actor, row.reason, row.data = new.actor, new.reason, new.data
    entry = entry_words(session.get_one(Entry, row.entry_id)) if tells_of_entry else None
    return words_digest(row.digest, new.actor, new.reason, new.data, entry)
