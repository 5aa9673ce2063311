"""Thread entries change their ticket: one of them, or all when a ticket is merged into another.

Whatever belongs to an entry goes with it: its Message-IDs, so that replies find the new place, and
the events about it. A merged ticket keeps its number, its other events and the tokens made for it;
reading follows `merged_into_id`. Runs in the caller's transaction.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from mailticket.domain.change import ANY_NUMBER
from mailticket.domain.status import FINISHED, Status
from mailticket.domain.types import EntryKind, Event, EventKind
from mailticket.store import deadlines, links
from mailticket.store.due import SLA
from mailticket.store.models import Entry, Inbound, MessageRef, Outbox, Participant, Ticket, TicketEvent
from mailticket.store.numbers import free_number
from mailticket.store.people import add_participant, find_or_add_person


def final_ticket(session: Session, ticket: Ticket | None, *, lock: bool = False) -> Ticket | None:
    """The ticket a merged one lives on in; itself when it was never merged.

    However long the chain is: every number and token ever given out has to lead somewhere. A merge only
    ever points at a ticket that is not merged, so a ring cannot be; ValueError for one made otherwise.
    """
    passed: set[int] = set()
    while ticket is not None and ticket.merged_into_id is not None:
        if ticket.id in passed:
            raise ValueError(f"the merges of #{ticket.number} lead round in a ring")
        passed.add(ticket.id)
        ticket = session.get(Ticket, ticket.merged_into_id, with_for_update=True if lock else None)
    return ticket


def merge(
    session: Session,
    source: Ticket,
    target: Ticket,
    *,
    actor: str,
    why: str,
    now: datetime,
    approved: bool = False,
) -> list[Event]:
    """Move everything of `source` to `target`; returns what happened, to both, in order.

    approved: the source was held for the target; the event on the target then asks for an alert.
    ValueError when one of them was merged before, or both are the same.
    """
    if source.id == target.id or source.merged_into_id is not None or target.merged_into_id is not None:
        raise ValueError(f"#{source.number} cannot be merged into #{target.number}")
    session.flush()
    before, both = source.status, _taking_part_in_both(session, source.id, target.id)
    newest = newest_message(session, source.id)
    _move_entries(session, source.id, target.id)
    _move_participants(session, source.id, target.id, actor, now)
    session.execute(update(Outbox).where(Outbox.ticket_id == source.id).values(ticket_id=target.id))
    source.status, source.merged_into_id, source.held = Status.MERGED, target.id, False
    source.closed_at, source.updated_at = now, now
    source.due_at = source.overdue_since = None
    source.version += 1
    deadlines.clear(session, source.id)
    links.move_ties(session, source.id, target.id, now)
    if target.status in FINISHED:
        links.wake_those_waiting(session, target.id, now)
    _keep_what_was_set(source, target)
    _refresh(session, target, now)
    data = {"field": "status", "before": before, "after": str(Status.MERGED), "into": target.number}
    gained = {"from": source.number, "requester": source.requester_address, "tell": both}
    kind = EventKind.APPROVED if approved else EventKind.MERGED
    return [
        Event(EventKind.MERGED, source.id, None, actor, now, why, data),
        Event(kind, target.id, newest if approved else None, actor, now, why, gained),
    ]


def move_entry(
    session: Session,
    ticket: Ticket,
    entry_id: int,
    target: Ticket | None,
    *,
    actor: str,
    why: str,
    now: datetime,
    subject: str = "",
    numbers: str = ANY_NUMBER,
) -> tuple[Ticket, list[Event]]:
    """Take one message of a customer from `ticket` to `target`, or to a new ticket; where it is now.

    entry_id: which one; when it is no message of this ticket, the newest is taken. A ticket left
    without any message is merged into the target. A ticket that has none stays as it is.
    """
    session.flush()
    entry = session.get(Entry, entry_id) if entry_id else None
    if entry is None or entry.ticket_id != ticket.id or entry.kind != EntryKind.MESSAGE:
        newest = newest_message(session, ticket.id)
        entry = session.get(Entry, newest) if newest else None
    if entry is None:
        nothing = f"{why}; but it has no message of a customer"
        return ticket, [Event(EventKind.EDITED, ticket.id, None, actor, now, nothing)]
    events: list[Event] = []
    if target is None:
        target = _ticket_for(session, entry, ticket, now, subject, numbers)
        events.append(
            Event(EventKind.CREATED, target.id, None, actor, entry.created_at, why, {"moved": True})
        )
    _move_one(session, entry, target)
    moved = {"to": target.number, "entry": entry.id}
    events.append(Event(EventKind.MOVED, ticket.id, None, actor, now, why, moved))
    events.append(Event(EventKind.MOVED, target.id, entry.id, actor, now, why, {"from": ticket.number}))
    if newest_message(session, ticket.id) is None:
        events += merge(session, ticket, target, actor=actor, why="it holds no message any more", now=now)
    else:
        _refresh(session, ticket, now)
        _refresh(session, target, now)
        deadlines.plan(session, ticket.id, SLA, now)  # the next tick works its clocks out anew
    return target, events


def newest_message(session: Session, ticket_id: int) -> int | None:
    """The id of the newest message of a customer on a ticket."""
    return session.execute(
        select(func.max(Entry.id)).where(Entry.ticket_id == ticket_id, Entry.kind == EntryKind.MESSAGE)
    ).scalar()


def _move_entries(session: Session, source: int, target: int) -> None:
    held_there = select(Entry.content_digest).where(
        Entry.ticket_id == target, Entry.content_digest.is_not(None)
    )
    session.execute(
        update(Entry)
        .where(Entry.ticket_id == source, Entry.content_digest.in_(held_there))
        .values(content_digest=None),
        execution_options={"synchronize_session": "fetch"},
    )
    session.execute(
        update(Inbound)
        .where(Inbound.id.in_(select(Entry.inbound_id).where(Entry.ticket_id == source)))
        .values(ticket_id=target),
        execution_options={"synchronize_session": "fetch"},
    )
    about_entry = (TicketEvent.ticket_id == source, TicketEvent.entry_id.is_not(None))
    session.execute(update(TicketEvent).where(*about_entry).values(ticket_id=target))
    session.execute(update(MessageRef).where(MessageRef.ticket_id == source).values(ticket_id=target))
    session.execute(update(Entry).where(Entry.ticket_id == source).values(ticket_id=target))


def _taking_part_in_both(session: Session, one: int, other: int) -> list[str]:
    """Who took part in both tickets before: they alone may be told that there were two, and are one now."""
    there = select(Participant.address).where(Participant.ticket_id == other)
    rows = session.execute(
        select(Participant.address)
        .where(Participant.ticket_id == one, Participant.address.in_(there))
        .order_by(Participant.address)
    )
    return list(rows.scalars())


def _keep_what_was_set(source: Ticket, target: Ticket) -> None:
    """Tags of both, and the custom fields that only the source has."""
    target.tags = list(dict.fromkeys((*target.tags, *source.tags)))
    target.fields = {**(source.fields or {}), **(target.fields or {})}


def _move_participants(session: Session, source: int, target: int, actor: str, now: datetime) -> None:
    """Who took part in the source takes part in the target, nobody as its requester."""
    rows = session.execute(
        select(Participant.address, Participant.person_id).where(Participant.ticket_id == source)
    ).all()
    session.execute(delete(Participant).where(Participant.ticket_id == source))
    for address, person in rows:
        add_participant(session, target, address, person, actor, now)


def _move_one(session: Session, entry: Entry, target: Ticket) -> None:
    twin = select(Entry.id).where(Entry.ticket_id == target.id, Entry.content_digest == entry.content_digest)
    if session.execute(twin).first() is not None:
        entry.content_digest = None
    if entry.inbound_id is not None:
        session.execute(update(Inbound).where(Inbound.id == entry.inbound_id).values(ticket_id=target.id))
    own = (MessageRef.entry_id == entry.id, MessageRef.direction != "out")
    session.execute(update(MessageRef).where(*own).values(ticket_id=target.id))
    session.execute(update(TicketEvent).where(TicketEvent.entry_id == entry.id).values(ticket_id=target.id))
    entry.ticket_id = target.id
    session.flush()


def _ticket_for(
    session: Session, entry: Entry, origin: Ticket, now: datetime, subject: str, numbers: str
) -> Ticket:
    """A ticket for a message that was on another one: of its author, in the same department."""
    person = find_or_add_person(session, entry.author, entry.author_name, now)
    ticket = Ticket(
        number=free_number(session, numbers),
        subject=subject or origin.subject,
        status=Status.OPEN,
        department=origin.department,
        topic=origin.topic,
        priority=origin.priority,
        sla_plan=origin.sla_plan,
        requester_id=person,
        requester_address=entry.author,
        requester_name=entry.author_name,
        source=origin.source,
        tags=[],
        created_at=entry.created_at,
        updated_at=now,
        predecessor_id=origin.id,
        version=1,
    )
    session.add(ticket)
    session.flush()
    add_participant(session, ticket.id, entry.author, person, entry.author, now, role="requester")
    return ticket


def _refresh(session: Session, ticket: Ticket, now: datetime) -> None:
    """What a ticket tells of its entries, after some came or went."""
    rows = session.execute(
        select(Entry.kind, func.max(Entry.created_at))
        .where(
            Entry.ticket_id == ticket.id,
            or_(
                Entry.kind == EntryKind.MESSAGE,
                Entry.kind == EntryKind.RESPONSE,
                and_(Entry.kind == EntryKind.NOTE, Entry.author.startswith("agent:")),
            ),
            Entry.withdrawn_at.is_(None),
        )
        .group_by(Entry.kind)
    )
    newest = {kind: at for kind, at in rows}  # noqa: C416 -- rows are not tuples to mypy
    ticket.last_message_at = newest.get("message")
    ticket.last_response_at = newest.get("response")
    ticket.last_note_at = newest.get("note")
    ticket.updated_at = now
    ticket.version += 1
