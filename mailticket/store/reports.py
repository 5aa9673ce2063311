"""Stories of tickets for reports and what-if runs, read in batches.

Each batch is a transaction of its own, so that a report over a million tickets neither holds one
state of the database for minutes (SQLite could not shorten its log meanwhile) nor needs memory for
more than a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, and_, func, or_, select
from sqlalchemy.orm import Session

from mailticket.domain.history import FIELDS, FieldChange, TicketStory
from mailticket.store import blobs
from mailticket.store.due import LoggedEvent, clock_events
from mailticket.store.engine import reading
from mailticket.store.models import Entry, Inbound, Ticket, TicketEvent

BATCH: Final = 500
"""Tickets read at once."""

_COLUMNS: Final = (
    Ticket.id, Ticket.number, Ticket.subject, Ticket.status, Ticket.created_at,
    *(getattr(Ticket, name) for name in FIELDS),
)  # fmt: skip


def count_stories(engine: Engine, since: datetime, until: datetime) -> int:
    """How many stories `stories` will tell."""
    with reading(engine) as session:
        count: int = session.execute(
            select(func.count()).select_from(Ticket).where(_concerns(since, until))
        ).scalar_one()
    return count


def stories(
    engine: Engine, since: datetime, until: datetime, batch: int = BATCH
) -> Iterator[list[TicketStory]]:
    """The tickets that were open at some time from `since` to `until`, in batches, oldest first.

    Raises `Temporary` when the database cannot be read now.
    """
    last = 0
    while True:
        with reading(engine) as session:
            found = _after(session, last, _concerns(since, until), batch)
        if not found:
            return
        yield found
        last = found[-1].id


@dataclass(frozen=True, slots=True)
class OpeningMail:
    """The mail that opened a ticket. trust: the level its sender had then."""

    raw: bytes
    recipient: str
    envelope_from: str | None
    trust: str


def opening_mails(session: Session, ticket_ids: Sequence[int]) -> dict[int, OpeningMail]:
    """By ticket the mail that opened it, where it is still stored.

    A ticket made otherwise (by hand, by an import, from an entry of another one) has none.
    """
    rows = session.execute(
        select(Entry.ticket_id, Entry.trust, Inbound.blob, Inbound.recipient, Inbound.envelope_from)
        .join(Ticket, Ticket.id == Entry.ticket_id)
        .join(Inbound, Inbound.id == Entry.inbound_id)
        # an entry that came by a merge is of another moment
        .where(
            Entry.ticket_id.in_(ticket_ids), Entry.kind == "message", Entry.created_at == Ticket.created_at
        )
        .order_by(Entry.id.desc())
    ).all()
    data = blobs.get_all(session, [row.blob for row in rows])
    return {
        row.ticket_id: OpeningMail(data[row.blob], row.recipient, row.envelope_from, row.trust)
        for row in rows
        if row.blob in data
    }


def _concerns(since: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(Ticket.created_at < until, or_(Ticket.closed_at.is_(None), Ticket.closed_at >= since))


def _after(session: Session, last: int, wanted: ColumnElement[bool], limit: int) -> list[TicketStory]:
    rows = session.execute(
        select(*_COLUMNS).where(Ticket.id > last, wanted).order_by(Ticket.id).limit(limit)
    ).all()
    if not rows:
        return []
    logs: dict[int, list[LoggedEvent]] = {row.id: [] for row in rows}
    events = session.execute(
        select(TicketEvent.ticket_id, TicketEvent.kind, TicketEvent.at, TicketEvent.data)
        .where(TicketEvent.ticket_id.in_(logs))
        .order_by(TicketEvent.ticket_id, TicketEvent.id)
    )
    for ticket_id, kind, at, data in events:
        logs[ticket_id].append(LoggedEvent(kind, at, data))
    return [_story(row, logs[row.id]) for row in rows]


def _story(row: Any, log: list[LoggedEvent]) -> TicketStory:
    """Events of a merged ticket's entries come later by number and earlier by time; time counts."""
    log = sorted(log, key=lambda event: event.at)
    return TicketStory(
        id=row.id,
        number=row.number,
        subject=row.subject,
        status=row.status,
        created_at=row.created_at,
        fields={name: getattr(row, name) for name in FIELDS},
        changes=tuple(
            FieldChange(event.at, event.data["field"], event.data["before"], event.data["after"])
            for event in log
            if event.data.get("field") in FIELDS
        ),
        events=tuple(clock_events(log)),
    )
