"""The tables of digests that were made and mailed. No rules in here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mailticket.store.models.base import Base, Id


class DigestRun(Base):
    """A digest that was made: one per reader and slot, whoever runs and however often."""

    __tablename__ = "digest_run"
    digest: Mapped[str] = mapped_column(String(160), primary_key=True)
    slot: Mapped[str] = mapped_column(String(32), primary_key=True)
    made_at: Mapped[datetime]


class DigestIssue(Base):
    """A digest that was mailed: what the next one is compared with, and what its numbers stand for."""

    __tablename__ = "digest_issue"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    digest: Mapped[str] = mapped_column(String(160))
    slot: Mapped[str] = mapped_column(String(32))
    reader: Mapped[str] = mapped_column(String(80))
    made_at: Mapped[datetime]
    states: Mapped[dict[str, Any] | None]
    """By ticket id, as domain/movement.py packs it; only the newest issue of a digest keeps it."""

    __table_args__ = (
        UniqueConstraint("digest", "slot"),
        Index("ix_digest_issue_digest_id", "digest", "id"),
    )


class DigestNumber(Base):
    """A numbered line of a digest that was mailed, so that its reader can answer by number."""

    __tablename__ = "digest_number"
    issue_id: Mapped[int] = mapped_column(ForeignKey("digest_issue.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), index=True)
