"""The table of calls to web services."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mailticket.store.models.base import Base, Id


class WebhookCall(Base):
    """One call to one web service. state: queued -> sent | failed | cancelled.

    key     sent as Idempotency-Key; dedupe_key is its SHA-256
    body    JSON as it goes out, made once
    answer  the last HTTP status, None where none came
    hold_until  until when what it tells of can be taken back as if it had never been; None where it cannot
    waits_for   the answer it tells of: made only when a mail with it has gone
    """

    __tablename__ = "webhook_call"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(String(64), unique=True)
    key: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12), default="queued")
    webhook: Mapped[str] = mapped_column(String(80))
    event: Mapped[str] = mapped_column(String(32))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    next_try_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    lease_until: Mapped[datetime | None]
    answer: Mapped[int | None] = mapped_column(Integer)
    error: Mapped[str | None] = mapped_column(Text)
    finished_at: Mapped[datetime | None]
    hold_until: Mapped[datetime | None]
    waits_for: Mapped[int | None] = mapped_column(ForeignKey("entry.id"))

    # not partial: SQLite's planner would pass a partial index over
    __table_args__ = (Index("ix_webhook_call_due", "state", "next_try_at", "id"),)
