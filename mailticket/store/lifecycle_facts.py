"""What some mails need to know of tickets besides: ties, messages, and the same mail at another address."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.decoration import may_be_logo
from mailticket.domain.status import FINISHED
from mailticket.domain.types import Arrival, EntryKind, Facts, TicketFacts
from mailticket.mail.types import Reading
from mailticket.store.decoration import times_seen
from mailticket.store.dialect import table_of
from mailticket.store.links import linked, waits_for
from mailticket.store.merge import final_ticket
from mailticket.store.models import Entry, Inbound, Ticket
from mailticket.store.ticket_facts import ticket_facts

_INBOUND: Final = table_of(Inbound).c
_ENTRY: Final = table_of(Entry).c
_TWIN: Final = (
    select(_ENTRY.ticket_id)
    .join_from(table_of(Inbound), table_of(Entry), _ENTRY.inbound_id == _INBOUND.id)
    .where(_INBOUND.content_digest == bindparam("digest"), _INBOUND.id != bindparam("this"))
    .order_by(_INBOUND.id)
    .limit(1)
)
"""Built once: it runs with every mail that points nowhere, where there are several departments."""
_TAKES_OUT = re.compile(r"\b(?:split|move)\b", re.IGNORECASE)


def with_lifecycle(
    session: Session,
    facts: Facts,
    reading: Reading,
    arrival: Arrival,
    desk: Desk,
    *,
    lock: bool,
) -> Facts:
    """The facts, with what only some mails ask for."""
    if facts.named:
        waits = {ticket.id: waits_for(session, ticket.id) for ticket in facts.named.values()}
        facts = replace(facts, linked=linked(session, facts.tickets), waits=waits)
    if facts.sender_agent is not None and facts.tickets and _TAKES_OUT.search(reading.content.reply):
        facts = replace(facts, messages=_messages(session, facts.tickets))
    if not facts.evidence and len(desk.departments) > 1:
        facts = replace(facts, twin=_twin(session, arrival, lock=lock))
    small = [one for one in reading.mail.attachments if may_be_logo(one)]
    if small and facts.sender is not None and any(one.status in FINISHED for one in facts.tickets.values()):
        seen = frozenset(one.sha256 for one in small if times_seen(session, facts.sender, one))
        facts = replace(facts, seen_files=seen)
    return facts


def follows(session: Session, predecessor: int) -> dict[str, Any]:
    """A short account of the ticket that a new one follows, for the agents' alert.

    answer: the entry that holds the last answer there; None where nobody answered.
    """
    old = session.get_one(Ticket, predecessor)
    answer = session.execute(
        select(func.max(Entry.id)).where(Entry.ticket_id == old.id, Entry.kind == EntryKind.RESPONSE)
    ).scalar()
    ended = old.closed_at.date().isoformat() if old.closed_at is not None else None
    told = {"number": old.number, "subject": old.subject, "assignee": old.assignee}
    return {**told, "ended": ended, "answer": answer}


def _messages(session: Session, tickets: Iterable[int]) -> dict[int, tuple[int, ...]]:
    rows = session.execute(
        select(Entry.ticket_id, Entry.id)
        .where(Entry.ticket_id.in_(list(tickets)), Entry.kind == EntryKind.MESSAGE)
        .order_by(Entry.id)
    )
    found: dict[int, list[int]] = {}
    for ticket, entry in rows:
        found.setdefault(ticket, []).append(entry)
    return {ticket: tuple(entries) for ticket, entries in found.items()}


def _twin(session: Session, arrival: Arrival, *, lock: bool) -> TicketFacts | None:
    """The ticket that the same mail at another address opened.

    Two daemons may have one copy each at the same time, so on PostgreSQL copies of a mail take turns.
    """
    if lock and session.get_bind().dialect.name == "postgresql":
        turn = int.from_bytes(sha256(arrival.content_digest.encode()).digest()[:8], "big", signed=True)
        session.execute(select(func.pg_advisory_xact_lock(turn)))
    found = session.execute(
        _TWIN, {"digest": arrival.content_digest, "this": arrival.inbound_id}
    ).scalar_one_or_none()
    named = session.get(Ticket, found, with_for_update=True if lock else None) if found is not None else None
    ticket = final_ticket(session, named, lock=lock)
    return ticket_facts(session, ticket) if ticket is not None else None
