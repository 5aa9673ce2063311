"""What some mails need to know of tickets besides: ties, messages, and the same mail at another address."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import sha256
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.types import Arrival, EntryKind, Facts, TicketFacts
from mailticket.mail.types import Reading
from mailticket.store.dialect import table_of
from mailticket.store.links import linked, waits_for
from mailticket.store.merge import final_ticket
from mailticket.store.models import Entry, Inbound, Ticket

_INBOUND: Final = table_of(Inbound).c
_TWIN: Final = (
    select(_INBOUND.ticket_id)
    .where(
        _INBOUND.content_digest == bindparam("digest"),
        _INBOUND.id != bindparam("this"),
        _INBOUND.ticket_id.is_not(None),
        _INBOUND.state == "done",
    )
    .order_by(_INBOUND.id)
    .limit(1)
)
"""Built once: it runs with every mail that points nowhere, where there are several departments."""
_TAKES_OUT = re.compile(r"\bsplit\b", re.IGNORECASE)


def with_lifecycle(
    session: Session,
    facts: Facts,
    reading: Reading,
    arrival: Arrival,
    desk: Desk,
    facts_of: Callable[[Session, Ticket], TicketFacts],
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
        facts = replace(facts, twin=_twin(session, arrival, facts_of, lock=lock))
    return facts


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


def _twin(
    session: Session, arrival: Arrival, facts_of: Callable[[Session, Ticket], TicketFacts], *, lock: bool
) -> TicketFacts | None:
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
    return facts_of(session, ticket) if ticket is not None else None
