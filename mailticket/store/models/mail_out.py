"""The table of what goes out by mail. No rules in here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from mailticket.store.models.base import Base, Id


class Outbox(Base):
    """One mail to one recipient.

    state: queued -> sent | failed | cancelled, or parked when its template cannot be rendered.
    `context` is what the template needs; `rendered` the bytes, made once and never again.
    """

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(String(64), unique=True)
    state: Mapped[str] = mapped_column(String(12), default="queued")
    template: Mapped[str] = mapped_column(String(64))
    audience: Mapped[str] = mapped_column(String(16))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id"))
    recipient: Mapped[str] = mapped_column(String(320))
    recipient_name: Mapped[str] = mapped_column(Text)
    envelope_from: Mapped[str] = mapped_column(Text)
    message_id: Mapped[str] = mapped_column(Text)
    message_key: Mapped[str] = mapped_column(String(64), index=True)
    context: Mapped[dict[str, Any]]
    rendered: Mapped[str | None] = mapped_column(ForeignKey("blob.sha256"))
    subject: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    next_try_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    unknown_outcomes: Mapped[int] = mapped_column(Integer, default=0)
    lease_until: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_outbox_due", "state", "next_try_at", "id"),
        Index("ix_outbox_state_created_at", "state", "created_at"),
        # partial: what of somebody's acknowledgements still waits, and could be one mail
        Index(
            "ix_outbox_acknowledging",
            "recipient",
            sqlite_where=text("state = 'queued' AND template = 'ticket.autoresp'"),
            postgresql_where=text("state = 'queued' AND template = 'ticket.autoresp'"),
        ),
    )
