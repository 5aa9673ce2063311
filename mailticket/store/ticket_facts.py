"""Ticket rows as the rules see them. Reads only; locks where it is asked to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import bindparam, literal_column, select, union_all
from sqlalchemy.orm import Session

from mailticket.domain.types import TicketFacts
from mailticket.store.dialect import table_of
from mailticket.store.merge import final_ticket
from mailticket.store.models import Participant, Ticket, TicketReferral

_PART: Final = table_of(Participant).c
_REFERRAL: Final = table_of(TicketReferral).c
# Built once: building a statement costs more than running it.
_CIRCLE: Final = union_all(
    select(_PART.address, literal_column("0")).where(_PART.ticket_id == bindparam("ticket")),
    select(_REFERRAL.department, literal_column("1")).where(_REFERRAL.ticket_id == bindparam("ticket")),
)
"""Who takes part in a ticket, and the departments it is referred to, in one query."""


def tickets_by_id(
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
