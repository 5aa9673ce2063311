"""Tickets with a past, for tests of what reads the event log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from mailticket.store.models import Person, Ticket, TicketEvent


def make_ticket(session: Session, number: str, created_at: datetime, **fields: Any) -> Ticket:
    """An open ticket of a new person with its event "created"."""
    person = Person(name="A Person", language=None, created_at=created_at)
    session.add(person)
    session.flush()
    values: dict[str, Any] = {
        "subject": f"Case {number}",
        "status": "open",
        "department": "support",
        "priority": "normal",
        "source": "smtp",
        "updated_at": created_at,
        "requester_address": "person@customer.example",
        "requester_name": "A Person",
    }
    ticket = Ticket(number=number, created_at=created_at, requester_id=person.id, **(values | fields))
    session.add(ticket)
    session.flush()
    log(session, ticket, "created", created_at)
    return ticket


def log(session: Session, ticket: Ticket, kind: str, at: datetime, **data: Any) -> None:
    """Something that happened to a ticket."""
    session.add(
        TicketEvent(ticket_id=ticket.id, kind=kind, actor="system", at=at, reason="a test", data=data)
    )
    session.flush()


def change(session: Session, ticket: Ticket, name: str, value: str | None, at: datetime) -> None:
    """Give a field another value, as the daemon does it."""
    before = getattr(ticket, name)
    setattr(ticket, name, value)
    if name == "status":
        ticket.closed_at = at if value in ("resolved", "closed", "archived", "merged") else None
    log(session, ticket, "edited", at, field=name, before=before, after=value)
