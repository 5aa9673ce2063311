"""Reads that turn rows into the facts rules need. Reads only; every hot query has an index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.matching import Pointers, pointers
from mailticket.domain.types import (
    Arrival,
    EvidenceKind,
    Facts,
    OutgoingFacts,
    ThreadEvidence,
    TicketFacts,
)
from mailticket.mail.address import canonical, split_extension
from mailticket.mail.token import Claims, Role, token_of_address, verify, who_of
from mailticket.mail.types import Reading
from mailticket.store.models import Entry, MessageRef, Outbox, Participant, PersonAddress, Ticket
from mailticket.store.outbox import message_key

NOBODY_HERE = "somebody who is not on this ticket"
"""Party of a token whose bearer the ticket does not know (any more)."""
_MAX_MERGES = 20

_who = lru_cache(maxsize=4096)(who_of)


def gather(
    session: Session, reading: Reading, arrival: Arrival, desk: Desk, secret: bytes, *, lock: bool = True
) -> Facts:
    """Collect what the database knows that bears on one mail.

    lock: take row locks on the tickets named (PostgreSQL), so that two daemons never decide about
    one ticket at once; False for dry runs.
    """
    found = pointers(reading, arrival.recipient)
    claims = [(kind, verify(secret, token)) for kind, token in found.tokens]
    raw_evidence = _raw_evidence(session, found, claims)
    tickets, moved = _tickets(session, {ticket for _, ticket, _ in raw_evidence}, lock=lock)
    evidence = tuple(
        ThreadEvidence(
            kind=kind,
            ticket_id=moved[ticket],
            party=_party(claim, tickets[moved[ticket]], desk) if claim else None,
            entry=claim.entry if claim else 0,
        )
        for kind, ticket, claim in raw_evidence
        if ticket in moved
    )
    sender = canonical(reading.mail.sender.address) if reading.mail.sender.address else None
    return Facts(
        department=desk.department_by_address.get(canonical(split_extension(arrival.recipient)[0])),
        sender=sender,
        sender_agent=desk.agent_by_address.get(sender) if sender else None,
        known_sender=sender is not None and session.get(PersonAddress, sender) is not None,
        evidence=evidence,
        tickets=tickets,
        already_in=_already_in(session, arrival.content_digest, tickets),
        bounced=_bounced(session, reading, arrival, secret),
    )


def _raw_evidence(
    session: Session, found: Pointers, claims: Sequence[tuple[EvidenceKind, Claims | None]]
) -> list[tuple[EvidenceKind, int, Claims | None]]:
    """(kind, ticket id as named, claims) of every pointer that holds, strongest first."""
    rows: list[tuple[EvidenceKind, int, Claims | None]] = [
        (kind, claim.ticket, claim)
        for kind, claim in claims
        if claim is not None and claim.role in (Role.CUSTOMER, Role.AGENT)
    ]
    if found.references:
        keys = {message_key(item): position for position, item in enumerate(found.references)}
        refs = session.execute(
            select(MessageRef.key, MessageRef.ticket_id).where(MessageRef.key.in_(keys)).distinct()
        ).all()
        rows += [
            (EvidenceKind.REFERENCE, ref.ticket_id, None)
            for ref in sorted(refs, key=lambda ref: (keys[ref.key], ref.ticket_id))
        ]
    if found.numbers:
        numbered = session.execute(select(Ticket.id).where(Ticket.number.in_(found.numbers))).scalars()
        rows += [(EvidenceKind.SUBJECT_NUMBER, ticket, None) for ticket in numbered]
    return rows


def _tickets(
    session: Session, ids: Iterable[int], *, lock: bool
) -> tuple[dict[int, TicketFacts], dict[int, int]]:
    """The tickets by id with merges followed, and for each id asked for the id it leads to."""
    loaded: dict[int, Ticket] = {}
    moved: dict[int, int] = {}
    for asked in sorted(set(ids)):
        ticket = session.get(Ticket, asked, with_for_update=True if lock else None)
        for _ in range(_MAX_MERGES):
            if ticket is None or ticket.merged_into_id is None:
                break
            ticket = session.get(Ticket, ticket.merged_into_id, with_for_update=True if lock else None)
        if ticket is not None:
            loaded[ticket.id] = ticket
            moved[asked] = ticket.id
    return {key: ticket_facts(session, ticket) for key, ticket in loaded.items()}, moved


def ticket_facts(session: Session, ticket: Ticket) -> TicketFacts:
    """A ticket row and its participants as the rules see them."""
    addresses = session.execute(
        select(Participant.address).where(Participant.ticket_id == ticket.id)
    ).scalars()
    return facts_of(ticket, frozenset(addresses))


def facts_of(ticket: Ticket, participants: frozenset[str]) -> TicketFacts:
    """A ticket row as the rules see it, its participants being known already."""
    return TicketFacts(
        id=ticket.id,
        number=ticket.number,
        subject=ticket.subject,
        status=ticket.status,
        department=ticket.department,
        topic=ticket.topic,
        priority=ticket.priority,
        sla_plan=ticket.sla_plan,
        assignee=ticket.assignee,
        team=ticket.team,
        requester=ticket.requester_address,
        requester_name=ticket.requester_name,
        participants=participants,
        created_at=ticket.created_at,
        closed_at=ticket.closed_at,
        due_at=ticket.due_at,
        overdue_since=ticket.overdue_since,
        tags=tuple(ticket.tags),
    )


def _party(claims: Claims, ticket: TicketFacts, desk: Desk) -> str:
    """Whom a token was made for, among the ticket's participants or the desk's agents."""
    if claims.role is Role.AGENT:
        candidates: Iterable[str] = (f"agent:{key}" for key in desk.agents)
    else:
        candidates = ticket.participants
    return next((item for item in candidates if _who(item) == claims.who), NOBODY_HERE)


def _already_in(session: Session, digest: str, tickets: dict[int, TicketFacts]) -> frozenset[int]:
    if not tickets:
        return frozenset()
    rows = session.execute(
        select(Entry.ticket_id).where(Entry.ticket_id.in_(tickets), Entry.content_digest == digest)
    )
    return frozenset(rows.scalars())


def _bounced(session: Session, reading: Reading, arrival: Arrival, secret: bytes) -> OutgoingFacts | None:
    """The mail of ours a delivery report is about: by its VERP address, else by its Message-ID."""
    bounce = reading.classification.bounce
    if bounce is None:
        return None
    token = token_of_address(arrival.recipient)
    claims = verify(secret, token) if token else None
    row: Outbox | None = None
    if claims is not None and claims.role is Role.BOUNCE:
        rows = session.execute(
            select(Outbox).where(Outbox.ticket_id == claims.ticket, Outbox.entry_id == claims.entry)
        ).scalars()
        row = next((item for item in rows if _who(item.recipient) == claims.who), None)
    if row is None and bounce.original_message_id:
        row = (
            session.execute(
                select(Outbox).where(Outbox.message_key == message_key(bounce.original_message_id))
            )
            .scalars()
            .first()
        )
    if row is None:
        return None
    return OutgoingFacts(row.id, row.ticket_id, row.entry_id, row.recipient, row.template)
