"""The tables of a ticket: who takes part, what is due, how satisfied the customer was. No rules in here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from mailticket.store.models.base import Base, Id


class Ticket(Base):
    """One case, from first mail to closure."""

    __tablename__ = "ticket"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    subject: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16))
    """The state; it alone decides what may happen."""
    custom_status: Mapped[str | None] = mapped_column(String(40))
    """Key of the house's own status within the state; None where the state says it all."""
    department: Mapped[str] = mapped_column(String(80))
    topic: Mapped[str | None] = mapped_column(String(80))
    priority: Mapped[str] = mapped_column(String(80))
    sla_plan: Mapped[str | None] = mapped_column(String(80))
    assignee: Mapped[str | None] = mapped_column(String(80))
    team: Mapped[str | None] = mapped_column(String(80))
    requester_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    requester_address: Mapped[str] = mapped_column(String(320))
    requester_name: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(80))
    tags: Mapped[list[Any]] = mapped_column(default=list)
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    """Custom fields: key -> text, number, or date as text."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    last_message_at: Mapped[datetime | None]
    last_response_at: Mapped[datetime | None]
    last_note_at: Mapped[datetime | None]
    """When an agent wrote the newest note."""
    due_at: Mapped[datetime | None]
    overdue_since: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    minutes_spent: Mapped[int | None] = mapped_column(Integer)
    """What agents said they spent on it, added up; None where nobody said anything."""
    suspected_ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    held: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    """A reply of somebody who takes no part in the suspected ticket; its owner decides whether it joins."""
    predecessor_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    version: Mapped[int] = mapped_column(Integer, default=1)
    log_length: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    """How many events were recorded on it, and the digest of the last (domain/eventchain.py)."""
    log_head: Mapped[bytes | None]

    __table_args__ = (
        Index("ix_ticket_status_department", "status", "department"),
        Index("ix_ticket_status_due_at", "status", "due_at"),
        Index("ix_ticket_assignee_status", "assignee", "status"),
        # partial: an ordinary ticket pays nothing for it; "= 1" is how a query says it to SQLite
        Index(
            "ix_ticket_held",
            "suspected_ticket_id",
            sqlite_where=text("held = 1"),
            postgresql_where=text("held"),
        ),
        # what a rule asks about a sender's open tickets, however many they had; finished ones cost nothing
        Index(
            "ix_ticket_unfinished_requester",
            "requester_address",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_ticket_created_at", "created_at", "id"),
        Index("ix_ticket_updated_at", "updated_at", "id"),
        Index(
            "ix_ticket_closed_at",
            "closed_at",
            "id",
            sqlite_where=text("closed_at IS NOT NULL"),
            postgresql_where=text("closed_at IS NOT NULL"),
        ),
        # what is not finished, by what lists of it begin with
        Index(
            "ix_ticket_department_due",
            "department",
            "due_at",
            "id",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "ix_ticket_assignee_due",
            "assignee",
            "due_at",
            "id",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "ix_ticket_overdue",
            "overdue_since",
            "id",
            sqlite_where=text("overdue_since IS NOT NULL"),
            postgresql_where=text("overdue_since IS NOT NULL"),
        ),
        # partial: a desk without statuses of its own pays nothing for it
        Index(
            "ix_ticket_custom_status",
            "custom_status",
            sqlite_where=text("custom_status IS NOT NULL"),
            postgresql_where=text("custom_status IS NOT NULL"),
        ),
        # partial: few tickets follow another one
        Index(
            "ix_ticket_predecessor",
            "predecessor_id",
            sqlite_where=text("predecessor_id IS NOT NULL"),
            postgresql_where=text("predecessor_id IS NOT NULL"),
        ),
        # the queue in the order in which it is worked on, without all the tickets that are done
        Index(
            "ix_ticket_unfinished_due",
            "due_at",
            "id",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )


class Participant(Base):
    """An outsider who may read and write a ticket, by canonical address."""

    __tablename__ = "participant"
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    address: Mapped[str] = mapped_column(String(320), primary_key=True, index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[str] = mapped_column(String(16))
    """"requester" or "collaborator"."""
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(Text)


class Deadline(Base):
    """A moment at which something is due for a ticket. Ticks claim these; nothing scans tickets.

    A cleared deadline keeps its row (due_at NULL), so that `version` never repeats and may be part
    of the unique key of whatever the deadline causes.
    """

    __tablename__ = "deadline"
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    due_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(Integer, default=1)
    planned_at: Mapped[datetime | None] = mapped_column(index=True)
    """When it was planned or cleared, so that what a wrong clock planned can be found."""

    __table_args__ = (Index("ix_deadline_due", "due_at", "ticket_id", "kind"),)


class Rating(Base):
    """How satisfied a customer was with a ticket, 1 to 5. A later rating replaces an earlier one."""

    __tablename__ = "rating"
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    address: Mapped[str] = mapped_column(String(320), primary_key=True)
    score: Mapped[int] = mapped_column(Integer)
    comment: Mapped[str] = mapped_column(Text)
    agent: Mapped[str | None] = mapped_column(String(80))
    """Who had the ticket then."""
    department: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(index=True)
