"""Reads for people: tickets as lists and as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailticket.store.links import LinkRow, followed, links_of, referrals_of
from mailticket.store.merge import final_ticket
from mailticket.store.models import (
    Entry,
    EntryAttachment,
    Inbound,
    Participant,
    Ticket,
    TicketEvent,
)

_MOST_HELD = 1_000


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A ticket as listed."""

    id: int
    number: str
    subject: str
    status: str
    priority: str
    department: str
    topic: str | None
    sla_plan: str | None
    assignee: str | None
    team: str | None
    requester_address: str
    requester_name: str
    source: str
    tags: list[Any]
    created_at: datetime
    updated_at: datetime
    due_at: datetime | None
    overdue_since: datetime | None
    closed_at: datetime | None
    minutes_spent: int | None = None
    custom_status: str | None = None
    fields: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A thread entry as shown.

    evidence   how its author was known and why it landed here, as the decision about its mail says
    """

    id: int
    kind: str
    audience: str
    author: str
    author_name: str
    trust: str
    text: str
    reason: str
    created_at: datetime
    inbound_id: int | None
    attachments: tuple[str, ...]
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as shown. `trust`: how well its actor was known, where that is somebody who wrote."""

    id: int
    entry_id: int | None
    kind: str
    actor: str
    trust: str | None
    at: datetime
    reason: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ParticipantRow:
    """Somebody outside who takes part in a ticket, since when and by whom."""

    address: str
    role: str
    added_at: datetime
    added_by: str


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A reply that waits for somebody to decide whether it joins the ticket `held_for` (a number)."""

    number: str
    held_for: str
    requester: str
    subject: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class WholeTicket:
    """A ticket, who takes part in it, its thread and its event log.

    merged_into, held_for   the number of that other ticket
    held                    the replies held for this one
    links                   other tickets and how it hangs together with them
    referred                departments that see it beside its own
    """

    ticket: TicketRow
    entries: list[EntryRow]
    events: list[EventRow]
    participants: list[ParticipantRow]
    held: list[HeldRow]
    merged_into: str | None = None
    held_for: str | None = None
    links: list[LinkRow] = field(default_factory=list)
    referred: list[str] = field(default_factory=list)


_COLUMNS = tuple(getattr(Ticket, item.name) for item in fields(TicketRow))


def show_ticket(session: Session, number: str) -> WholeTicket | None:
    """A ticket by number, with all that belongs to it; None when there is none."""
    row = session.execute(select(*_COLUMNS).where(Ticket.number == number)).one_or_none()
    if row is None:
        return None
    ticket = TicketRow(*row)
    events = session.execute(
        select(
            TicketEvent.id, TicketEvent.entry_id, TicketEvent.kind, TicketEvent.actor, TicketEvent.trust,
            TicketEvent.at, TicketEvent.reason, TicketEvent.data,
        )
        .where(TicketEvent.ticket_id == ticket.id)
        .order_by(TicketEvent.id)
    )  # fmt: skip
    people = session.execute(
        select(Participant.address, Participant.role, Participant.added_at, Participant.added_by)
        .where(Participant.ticket_id == ticket.id)
        .order_by(Participant.added_at, Participant.address)
    )
    merged, held_for = _elsewhere(session, ticket.id)
    return WholeTicket(
        ticket,
        _entries(session, ticket.id),
        [EventRow(*event) for event in events],
        [ParticipantRow(*person) for person in people],
        [row for row in list_held(session, _MOST_HELD) if row.held_for == ticket.number],
        merged,
        held_for,
        [*links_of(session, ticket.id), *followed(session, ticket.id)],
        referrals_of(session, ticket.id),
    )


def list_held(session: Session, limit: int) -> list[HeldRow]:
    """What is held, the oldest first. A ticket it is held for may have been merged: then its last one."""
    rows = session.execute(
        select(Ticket)
        .where(Ticket.held, Ticket.suspected_ticket_id.is_not(None))
        .order_by(Ticket.id + 0)  # by the bare id SQLite would rather read every ticket in order
        .limit(limit)
    ).scalars()
    found: list[HeldRow] = []
    for row in rows:
        target = final_ticket(session, session.get(Ticket, row.suspected_ticket_id))
        if target is not None:
            found.append(
                HeldRow(row.number, target.number, row.requester_address, row.subject, row.created_at)
            )
    return found


def _elsewhere(session: Session, ticket_id: int) -> tuple[str | None, str | None]:
    """The numbers of the ticket this one was merged into, and of the one it is held for."""
    ticket = session.get_one(Ticket, ticket_id)
    merged = final_ticket(session, ticket)
    held_for = final_ticket(session, session.get(Ticket, ticket.suspected_ticket_id)) if ticket.held else None
    return (
        merged.number if merged is not None and merged is not ticket else None,
        held_for.number if held_for is not None else None,
    )


def _entries(session: Session, ticket_id: int) -> list[EntryRow]:
    names: dict[int, list[str]] = {}
    attached = session.execute(
        select(EntryAttachment.entry_id, EntryAttachment.filename)
        .join(Entry, Entry.id == EntryAttachment.entry_id)
        .where(Entry.ticket_id == ticket_id)
        .order_by(EntryAttachment.id)
    )
    for entry_id, filename in attached:
        names.setdefault(entry_id, []).append(filename)
    rows = session.execute(
        select(
            Entry.id, Entry.kind, Entry.audience, Entry.author, Entry.author_name,
            Entry.trust, Entry.text, Entry.reason, Entry.created_at, Entry.inbound_id,
        )
        .where(Entry.ticket_id == ticket_id)
        .order_by(Entry.id)
    )  # fmt: skip
    reasons = _decided(session, ticket_id)
    return [
        EntryRow(
            **row._mapping, attachments=tuple(names.get(row.id, ())), evidence=reasons.get(row.inbound_id, ())
        )
        for row in rows
    ]


def _decided(session: Session, ticket_id: int) -> dict[int | None, tuple[str, ...]]:
    """The reasons of the decisions about the mails whose entries are on a ticket, by mail."""
    rows = session.execute(
        select(Inbound.id, Inbound.decision)
        .join(Entry, Entry.inbound_id == Inbound.id)
        .where(Entry.ticket_id == ticket_id)
    )
    return {mail: tuple((decision or {}).get("reasons", ())) for mail, decision in rows}
