"""How a mail points at tickets: by token, Message-ID, number, or only its subject. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.matching import Pointers, reply_subject
from mailticket.domain.requests import Tapped
from mailticket.domain.status import FINISHED
from mailticket.domain.taps import action_of
from mailticket.domain.types import EvidenceKind, ThreadEvidence, TicketFacts
from mailticket.mail.threading import clean_subject
from mailticket.mail.token import Claims, Role, token_of_message_id, who_of
from mailticket.mail.types import Reading
from mailticket.store.dialect import table_of
from mailticket.store.models import MessageRef, Participant, Ticket
from mailticket.store.outbox import message_key

NOBODY_HERE = "somebody who is not on this ticket"
"""Party of a token whose bearer the ticket does not know (any more)."""
_MOST_ALIASES = 10
"""Message-IDs never seen before that one mail makes stand for its ticket: the oldest, and the newest."""
_MOST_OWN = 50
"""Unfinished tickets of one person looked through for a subject."""

_REF: Final = table_of(MessageRef).c
_TICKET: Final = table_of(Ticket).c

# Statements of the hot path are built once: building one costs more than running it.
_REFERRED: Final = (
    select(_REF.key, _REF.ticket_id, _REF.direction)
    .where(_REF.key.in_(bindparam("keys", expanding=True)))
    .distinct()
)
_NUMBERED: Final = select(_TICKET.id).where(_TICKET.number.in_(bindparam("numbers", expanding=True)))

who_in_token = lru_cache(maxsize=4096)(who_of)

_Raw = tuple[EvidenceKind, int, Claims | None]


class _Ref(NamedTuple):
    """A known Message-ID a mail refers to."""

    key: str
    ticket_id: int
    direction: str


def references(session: Session, found: Pointers) -> Sequence[_Ref]:
    """What is known of the Message-IDs a mail refers to, in the order it names them."""
    if not found.references:
        return ()
    keys = {message_key(item): position for position, item in enumerate(found.references)}
    rows = session.execute(_REFERRED, {"keys": list(keys)})
    refs = [_Ref(*row) for row in rows]
    return sorted(refs, key=lambda ref: (keys[ref.key], ref.direction == "ref", ref.ticket_id))


def listing_answered(claims: Iterable[tuple[EvidenceKind, Claims | None]], agent: str | None) -> int | None:
    """The numbered mail that the sender answers, where its token was made for them."""
    if agent is None:
        return None
    who = who_in_token(f"agent:{agent}")
    found = (claim for _, claim in claims if claim is not None and claim.role is Role.LISTING)
    return next((claim.ticket for claim in found if claim.who == who), None)


def never_seen(found: Pointers, refs: Sequence[_Ref]) -> tuple[str, ...]:
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


def raw_evidence(
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


def tapped_action(evidence: Sequence[tuple[ThreadEvidence, Claims | None]]) -> Tapped | None:
    """The one-tap action a mail asks for: by the address it came to, else by the first one it names."""
    for item, claim in evidence:
        if claim is not None and claim.role is Role.ACTION and claim.offered is not None:
            action, argument = action_of(claim.action)
            merged, party = claim.ticket != item.ticket_id, item.party or NOBODY_HERE
            return Tapped(item.ticket_id, action, argument, claim.entry, claim.offered, party, merged)
    return None


def by_subject(
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


def evidence_of(kind: EvidenceKind, ticket: TicketFacts, claim: Claims | None, desk: Desk) -> ThreadEvidence:
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
    return next((item for item in candidates if who_in_token(item) == claims.who), NOBODY_HERE)
