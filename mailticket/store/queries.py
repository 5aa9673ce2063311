"""Reads that turn rows into the facts rules need. Reads only; every hot query has an index."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.absence import NOTHING_RECORDED
from mailticket.domain.matching import correspondents, named_numbers, pointers
from mailticket.domain.sender import NO_HISTORY, UNKNOWN_PERSON
from mailticket.domain.storms import is_governed
from mailticket.domain.types import Arrival, EvidenceKind, Facts, OutgoingFacts, TicketFacts
from mailticket.mail.address import canonical, split_extension
from mailticket.mail.self_service_words import score_of
from mailticket.mail.token import Claims, Role, token_of_address, verify
from mailticket.mail.types import Reading
from mailticket.store.absences import presence
from mailticket.store.aliases import whose_address
from mailticket.store.bans import ban_of
from mailticket.store.dialect import table_of
from mailticket.store.evidence import (
    by_subject,
    evidence_of,
    listing_answered,
    never_seen,
    raw_evidence,
    references,
    tapped_action,
    who_in_token,
)
from mailticket.store.history import sender_history
from mailticket.store.lifecycle_facts import with_lifecycle
from mailticket.store.load import sender_load
from mailticket.store.merge import final_ticket
from mailticket.store.models import Entry, MessageRef, Outbox, Ticket
from mailticket.store.outbox import message_key
from mailticket.store.people import remembered
from mailticket.store.ratings import template_answered
from mailticket.store.said import said_on
from mailticket.store.stale import unseen_by
from mailticket.store.ticket_facts import ticket_facts, tickets_by_id
from mailticket.store.undo import done_by

_ENTRY: Final = table_of(Entry).c
_ALREADY: Final = select(_ENTRY.ticket_id).where(
    _ENTRY.ticket_id.in_(bindparam("tickets", expanding=True)),
    _ENTRY.content_digest == bindparam("digest"),
)


def gather(
    session: Session, reading: Reading, arrival: Arrival, desk: Desk, secret: bytes, *, lock: bool = True
) -> Facts:
    """Collect what the database knows that bears on one mail.

    lock: take row locks on the tickets named (PostgreSQL), so that two daemons never decide about
    one ticket at once; False for dry runs.
    """
    found = pointers(reading, arrival.recipient, desk.subject_tag)
    claims = [(kind, verify(secret, token)) for kind, token in found.tokens]
    sender = canonical(reading.mail.sender.address) if reading.mail.sender.address else None
    refs = references(session, found)
    raw = raw_evidence(session, found, claims, refs)
    if not raw and sender is not None:
        people = correspondents(reading.mail, sender, desk)
        raw = by_subject(session, reading, people, desk, arrival.received_at)
    tickets, moved = tickets_by_id(session, {ticket for _, ticket, _ in raw}, lock=lock)
    pointing = [
        (evidence_of(kind, tickets[moved[ticket]], claim, desk), claim)
        for kind, ticket, claim in raw
        if ticket in moved
    ]
    whose = whose_address(session, sender, desk, [claim for _, claim in claims if claim is not None])
    person = remembered(session, sender) if sender is not None else None
    tapped = tapped_action(pointing)
    unseen = unseen_by(session, whose.agent, [item for item, _ in pointing], tickets, arrival, desk)
    facts = Facts(
        department=desk.department_by_address.get(canonical(split_extension(arrival.recipient)[0])),
        sender=sender,
        sender_agent=whose.agent,
        known_sender=person is not None,
        evidence=tuple(item for item, _ in pointing),
        tickets=tickets,
        already_in=_already_in(session, arrival.content_digest, tickets),
        bounced=_bounced(session, reading, arrival, secret),
        asked=_asked(session, claims, sender, lock=lock) if sender else None,
        named=tickets_named(session, reading, desk, lock=lock) if whose.agent else {},
        original_in=_original_in(session, reading) if whose.agent else frozenset(),
        unseen=never_seen(found, refs),
        alias=whose.alias,
        challenge=whose.challenge,
        listing=listing_answered(claims, whose.agent),
        ban=ban_of(session, reading, arrival),
        shared=_shared(sender, tickets, desk),
        person=person or UNKNOWN_PERSON,
        answered=_answered(session, reading),
        presence=presence(session) if whose.agent else NOTHING_RECORDED,
        history=sender_history(session, reading.mail, sender, desk) if desk.rules else NO_HISTORY,
        said=said_on(session, tickets) if whose.agent else (),
        tapped=tapped,
        missed=unseen.missed,
        held_answers=unseen.held,
        inbound=arrival.inbound_id,
        done=done_by(session, reading, tapped, whose.agent, list(tickets), desk, lock=lock),
    )
    return _with_what_follows(session, facts, reading, arrival, desk, lock=lock)


def _with_what_follows(
    session: Session, facts: Facts, reading: Reading, arrival: Arrival, desk: Desk, *, lock: bool
) -> Facts:
    """What can only be asked once the rest is known: the ticket of what came back, the sender's load."""
    tickets = facts.tickets
    if facts.bounced is not None and facts.bounced.ticket_id is not None:
        about, _ = tickets_by_id(session, [facts.bounced.ticket_id], lock=lock)
        facts = replace(facts, tickets=facts.tickets | about)
    facts = with_lifecycle(session, facts, reading, arrival, desk, lock=lock)
    if is_governed(reading, facts):
        load = sender_load(session, reading, arrival, facts.sender or "", tickets, desk, lock=lock)
        facts = replace(facts, load=load)
    return facts


def _shared(sender: str | None, tickets: dict[int, TicketFacts], desk: Desk) -> frozenset[int]:
    """The tickets of the sender's colleagues, where their organisation shares them."""
    key = desk.organisation_of(sender) if sender is not None and tickets else None
    if key is None or not desk.organisations[key].share:
        return frozenset()
    return frozenset(one.id for one in tickets.values() if desk.organisation_of(one.requester) == key)


def _original_in(session: Session, reading: Reading) -> frozenset[int]:
    """The tickets that hold what a mail passes on, as a mail of its author."""
    original = reading.mail.forwarded
    if original is None:
        return frozenset()
    ids = {*reading.mail.in_reply_to, original.message_id} - {""}
    rows = session.execute(
        select(MessageRef.ticket_id).where(
            MessageRef.key.in_([message_key(item) for item in ids]),
            MessageRef.direction == "in",
            MessageRef.party == canonical(original.sender.address),
        )
    )
    return frozenset(rows.scalars())


def _answered(session: Session, reading: Reading) -> str | None:
    """What a bare number answers: only there does it matter."""
    if score_of(reading.content.reply) is None:
        return None
    return template_answered(session, reading.mail.in_reply_to or reading.mail.references[-1:])


def _asked(
    session: Session, claims: Iterable[tuple[EvidenceKind, Claims | None]], sender: str, *, lock: bool
) -> TicketFacts | None:
    """The held ticket about which the sender was asked, if a token made for them says so."""
    for _, claim in claims:
        if claim is not None and claim.role is Role.QUESTION and claim.who == who_in_token(sender):
            ticket = session.get(Ticket, claim.ticket, with_for_update=True if lock else None)
            if ticket is not None and ticket.held:
                return ticket_facts(session, ticket, lock=lock)
    return None


def tickets_named(session: Session, reading: Reading, desk: Desk, *, lock: bool) -> dict[str, TicketFacts]:
    """The tickets that command lines of an agent's mail name, by the number written there."""
    numbers = named_numbers(reading.content.reply, desk.command_prefix)
    if not numbers:
        return {}
    rows = session.execute(select(Ticket.number, Ticket.id).where(Ticket.number.in_(numbers))).all()
    tickets, moved = tickets_by_id(session, {row.id for row in rows}, lock=lock)
    return {row.number: tickets[moved[row.id]] for row in rows if row.id in moved}


def _already_in(session: Session, digest: str, tickets: dict[int, TicketFacts]) -> frozenset[int]:
    if not tickets:
        return frozenset()
    rows = session.execute(_ALREADY, {"tickets": list(tickets), "digest": digest})
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
        named = final_ticket(session, session.get(Ticket, claims.ticket))
        where = (Outbox.ticket_id == (named.id if named else 0), Outbox.entry_id == claims.entry)
        rows = session.execute(select(Outbox).where(*where)).scalars()
        row = next((item for item in rows if who_in_token(item.recipient) == claims.who), None)
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
    entry = session.get(Entry, row.entry_id) if row.entry_id is not None else None
    ticket = final_ticket(session, session.get(Ticket, row.ticket_id)) if row.ticket_id is not None else None
    return OutgoingFacts(
        row.id,
        ticket.id if ticket is not None else None,
        row.entry_id,
        row.recipient,
        row.template,
        entry.author if entry is not None else None,
    )
