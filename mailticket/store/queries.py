"""Reads that turn rows into the facts rules need. Reads only; every hot query has an index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from sqlalchemy import bindparam, literal_column, select, union_all
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.absence import NOTHING_RECORDED
from mailticket.domain.matching import Pointers, correspondents, named_numbers, pointers, reply_subject
from mailticket.domain.requests import Tapped
from mailticket.domain.sender import NO_HISTORY, UNKNOWN_PERSON
from mailticket.domain.status import FINISHED
from mailticket.domain.storms import is_governed
from mailticket.domain.taps import action_of
from mailticket.domain.types import Arrival, EvidenceKind, Facts, OutgoingFacts, ThreadEvidence, TicketFacts
from mailticket.mail.address import canonical, split_extension
from mailticket.mail.self_service_words import score_of
from mailticket.mail.threading import clean_subject
from mailticket.mail.token import Claims, Role, token_of_address, token_of_message_id, verify, who_of
from mailticket.mail.types import Reading
from mailticket.store.absences import presence
from mailticket.store.aliases import whose_address
from mailticket.store.bans import ban_of
from mailticket.store.dialect import table_of
from mailticket.store.history import sender_history
from mailticket.store.lifecycle_facts import with_lifecycle
from mailticket.store.load import sender_load
from mailticket.store.merge import final_ticket
from mailticket.store.models import Entry, MessageRef, Outbox, Participant, Ticket, TicketReferral
from mailticket.store.outbox import message_key
from mailticket.store.people import remembered
from mailticket.store.ratings import template_answered
from mailticket.store.said import said_on
from mailticket.store.stale import unseen_by
from mailticket.store.undo import done_by

NOBODY_HERE = "somebody who is not on this ticket"
"""Party of a token whose bearer the ticket does not know (any more)."""
_MOST_ALIASES = 10
"""Message-IDs never seen before that one mail makes stand for its ticket: the oldest, and the newest."""
_MOST_OWN = 50
"""Unfinished tickets of one person looked through for a subject."""

_ENTRY: Final = table_of(Entry).c
_REF: Final = table_of(MessageRef).c
_TICKET: Final = table_of(Ticket).c
_PART: Final = table_of(Participant).c
_REFERRAL: Final = table_of(TicketReferral).c

# Statements of the hot path are built once: building one costs more than running it.
_REFERRED: Final = (
    select(_REF.key, _REF.ticket_id, _REF.direction)
    .where(_REF.key.in_(bindparam("keys", expanding=True)))
    .distinct()
)
_NUMBERED: Final = select(_TICKET.id).where(_TICKET.number.in_(bindparam("numbers", expanding=True)))
_CIRCLE: Final = union_all(
    select(_PART.address, literal_column("0")).where(_PART.ticket_id == bindparam("ticket")),
    select(_REFERRAL.department, literal_column("1")).where(_REFERRAL.ticket_id == bindparam("ticket")),
)
"""Who takes part in a ticket, and the departments it is referred to, in one query."""
_ALREADY: Final = select(_ENTRY.ticket_id).where(
    _ENTRY.ticket_id.in_(bindparam("tickets", expanding=True)),
    _ENTRY.content_digest == bindparam("digest"),
)

_who = lru_cache(maxsize=4096)(who_of)


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
    refs = _references(session, found)
    raw_evidence = _raw_evidence(session, found, claims, refs)
    if not raw_evidence and sender is not None:
        people = correspondents(reading.mail, sender, desk)
        raw_evidence = _same_subject(session, reading, people, desk, arrival.received_at)
    tickets, moved = _tickets(session, {ticket for _, ticket, _ in raw_evidence}, lock=lock)
    pointing = [
        (_evidence(kind, tickets[moved[ticket]], claim, desk), claim)
        for kind, ticket, claim in raw_evidence
        if ticket in moved
    ]
    whose = whose_address(session, sender, desk, [claim for _, claim in claims if claim is not None])
    person = remembered(session, sender) if sender is not None else None
    tapped = _tapped(pointing)
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
        unseen=_unseen(found, refs),
        alias=whose.alias,
        challenge=whose.challenge,
        listing=_listing(claims, whose.agent),
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
    if facts.bounced is not None and facts.bounced.ticket_id is not None:
        about, _ = _tickets(session, [facts.bounced.ticket_id], lock=lock)
        facts = replace(facts, tickets=facts.tickets | about)
    facts = with_lifecycle(session, facts, reading, arrival, desk, ticket_facts, lock=lock)
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


_Raw = tuple[EvidenceKind, int, Claims | None]


class _Ref(NamedTuple):
    """A known Message-ID a mail refers to."""

    key: str
    ticket_id: int
    direction: str


def _references(session: Session, found: Pointers) -> Sequence[_Ref]:
    """What is known of the Message-IDs a mail refers to, in the order it names them."""
    if not found.references:
        return ()
    keys = {message_key(item): position for position, item in enumerate(found.references)}
    rows = session.execute(_REFERRED, {"keys": list(keys)})
    refs = [_Ref(*row) for row in rows]
    return sorted(refs, key=lambda ref: (keys[ref.key], ref.direction == "ref", ref.ticket_id))


def _listing(claims: Iterable[tuple[EvidenceKind, Claims | None]], agent: str | None) -> int | None:
    """The numbered mail that the sender answers, where its token was made for them."""
    if agent is None:
        return None
    who = _who(f"agent:{agent}")
    found = (claim for _, claim in claims if claim is not None and claim.role is Role.LISTING)
    return next((claim.ticket for claim in found if claim.who == who), None)


def _unseen(found: Pointers, refs: Sequence[_Ref]) -> tuple[str, ...]:
    """The Message-IDs referred to that nobody here has seen, the newest and the oldest, capped."""
    known = {row.key for row in refs}
    unseen = [
        item
        for item in found.references
        if token_of_message_id(item) is None and message_key(item) not in known
    ]
    if len(unseen) > _MOST_ALIASES:
        unseen = [*unseen[: _MOST_ALIASES - 1], unseen[-1]]
    return tuple(unseen)


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


def _raw_evidence(
    session: Session,
    found: Pointers,
    claims: Sequence[tuple[EvidenceKind, Claims | None]],
    refs: Sequence[_Ref],
) -> list[_Raw]:
    """(kind, ticket id as named, claims) of every pointer that holds, strongest first."""
    rows: list[_Raw] = [
        (kind, claim.ticket, claim) for kind, claim in claims if claim is not None and _points(kind, claim)
    ]
    rows += [
        (EvidenceKind.ALIAS if row.direction == "ref" else EvidenceKind.REFERENCE, row.ticket_id, None)
        for row in refs
    ]
    if found.numbers:
        numbered = session.execute(_NUMBERED, {"numbers": list(found.numbers)}).scalars()
        rows += [(EvidenceKind.SUBJECT_NUMBER, ticket, None) for ticket in numbered]
    return rows


def _points(kind: EvidenceKind, claim: Claims) -> bool:
    """A one-tap token counts only where the link has put it."""
    if claim.role is Role.ACTION:
        return kind is EvidenceKind.ADDRESS_TOKEN
    return claim.role in (Role.CUSTOMER, Role.AGENT)


def _answered(session: Session, reading: Reading) -> str | None:
    """What a bare number answers: only there does it matter."""
    if score_of(reading.content.reply) is None:
        return None
    return template_answered(session, reading.mail.in_reply_to or reading.mail.references[-1:])


def _tapped(evidence: Sequence[tuple[ThreadEvidence, Claims | None]]) -> Tapped | None:
    """The one-tap action a mail asks for: by the address it came to, else by the first one it names."""
    for item, claim in evidence:
        if claim is not None and claim.role is Role.ACTION and claim.offered is not None:
            action, argument = action_of(claim.action)
            return Tapped(
                item.ticket_id, action, argument, claim.entry, claim.offered, item.party or NOBODY_HERE
            )
    return None


def _same_subject(
    session: Session, reading: Reading, people: Sequence[str], desk: Desk, arrived: datetime
) -> list[_Raw]:
    """The one unfinished ticket of these people with this subject, for a reply that points nowhere."""
    subject = reply_subject(reading, desk.subject_tag) if desk.subject_window else None
    if subject is None:
        return []
    rows = session.execute(
        select(Ticket.id, Ticket.subject)
        .distinct()
        .join(Participant, Participant.ticket_id == Ticket.id)
        .where(
            Participant.address.in_(people),
            Ticket.status.not_in(FINISHED),
            Ticket.updated_at >= arrived - desk.subject_window,
        )
        .order_by(Ticket.id.desc())
        .limit(_MOST_OWN)
    )
    fitting = [row.id for row in rows if clean_subject(row.subject, desk.subject_tag)[0] == subject]
    return [(EvidenceKind.SAME_SUBJECT, fitting[0], None)] if len(fitting) == 1 else []


def _tickets(
    session: Session, ids: Iterable[int], *, lock: bool
) -> tuple[dict[int, TicketFacts], dict[int, int]]:
    """The tickets by id with merges followed, and for each id asked for the id it leads to."""
    loaded: dict[int, Ticket] = {}
    moved: dict[int, int] = {}
    for asked in sorted(set(ids)):
        named = session.get(Ticket, asked, with_for_update=True if lock else None)
        ticket = final_ticket(session, named, lock=lock)
        if ticket is not None:
            loaded[ticket.id] = ticket
            moved[asked] = ticket.id
    return {key: ticket_facts(session, ticket, lock=lock) for key, ticket in loaded.items()}, moved


def _asked(
    session: Session, claims: Iterable[tuple[EvidenceKind, Claims | None]], sender: str, *, lock: bool
) -> TicketFacts | None:
    """The held ticket about which the sender was asked, if a token made for them says so."""
    for _, claim in claims:
        if claim is not None and claim.role is Role.QUESTION and claim.who == _who(sender):
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
    tickets, moved = _tickets(session, {row.id for row in rows}, lock=lock)
    return {row.number: tickets[moved[row.id]] for row in rows if row.id in moved}


def ticket_facts(session: Session, ticket: Ticket, *, lock: bool = False) -> TicketFacts:
    """A ticket row and its participants as the rules see them, and what it is held for."""
    held_for: TicketFacts | None = None
    if ticket.held and ticket.suspected_ticket_id is not None:
        wait = True if lock else None
        suspected = session.get(Ticket, ticket.suspected_ticket_id, with_for_update=wait)
        other = final_ticket(session, suspected, lock=lock)
        if other is not None and other.id != ticket.id:
            held_for = _facts_of(other, _circle(session, other), None)
    return _facts_of(ticket, _circle(session, ticket), held_for)


def _circle(session: Session, ticket: Ticket) -> tuple[frozenset[str], tuple[str, ...]]:
    """(who takes part, departments referred to); both are flushed where they change."""
    rows = session.connection().execute(_CIRCLE, {"ticket": ticket.id}).all()
    taking_part = frozenset(name for name, referral in rows if not referral)
    return taking_part, tuple(sorted(name for name, referral in rows if referral))


def _facts_of(
    ticket: Ticket, circle: tuple[frozenset[str], tuple[str, ...]], held_for: TicketFacts | None
) -> TicketFacts:
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
        participants=circle[0],
        referred=circle[1],
        created_at=ticket.created_at,
        closed_at=ticket.closed_at,
        due_at=ticket.due_at,
        overdue_since=ticket.overdue_since,
        tags=tuple(ticket.tags),
        held_for=held_for,
        custom_status=ticket.custom_status,
        fields=ticket.fields or {},
        last_message_at=ticket.last_message_at,
        last_response_at=ticket.last_response_at,
        last_note_at=ticket.last_note_at,
    )


def _evidence(kind: EvidenceKind, ticket: TicketFacts, claim: Claims | None, desk: Desk) -> ThreadEvidence:
    """What a pointer says; the entry of a one-tap token is no entry somebody has seen."""
    if claim is None:
        return ThreadEvidence(kind, ticket.id)
    seen = 0 if claim.role is Role.ACTION else claim.entry
    return ThreadEvidence(kind, ticket.id, _party(claim, ticket, desk), seen)


def _party(claims: Claims, ticket: TicketFacts, desk: Desk) -> str:
    """Whom a token was made for, among the ticket's participants or the desk's agents."""
    candidates: list[str] = []
    if claims.role in (Role.AGENT, Role.ACTION):
        candidates += (f"agent:{key}" for key in desk.agents)
    if claims.role in (Role.CUSTOMER, Role.ACTION):
        candidates += ticket.participants
    return next((item for item in candidates if _who(item) == claims.who), NOBODY_HERE)


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
