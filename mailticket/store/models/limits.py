"""The tables that brakes and bans count by. No rules in here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mailticket.store.models.base import Base, Id


class AutoMail(Base):
    """An automatic mail planned for an outsider: what the brakes count."""

    __tablename__ = "auto_mail"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    address: Mapped[str] = mapped_column(String(320))
    domain: Mapped[str] = mapped_column(String(255))
    ticket_id: Mapped[int | None] = mapped_column(Id)
    subject_key: Mapped[str] = mapped_column(String(64))
    template: Mapped[str] = mapped_column(String(64), default="", server_default="")

    __table_args__ = (
        Index("ix_auto_mail_address_at", "address", "at"),
        Index("ix_auto_mail_domain_at", "domain", "at"),
        Index("ix_auto_mail_ticket_id_at", "ticket_id", "at"),
    )


class SenderMail(Base):
    """A mail of an outsider that was worked on: what tells a storm from a conversation. Kept for a day.

    kind: "opened" a ticket, "joined" one, "reopened" it, or went into the ticket of a "storm".
    """

    __tablename__ = "sender_mail"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    sender: Mapped[str] = mapped_column(String(320))
    subject_key: Mapped[str] = mapped_column(String(64))
    content_key: Mapped[str | None] = mapped_column(String(64))
    ticket_id: Mapped[int | None] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(12))

    __table_args__ = (Index("ix_sender_mail_sender_at", "sender", "at"),)


class Ban(Base):
    """Mail that is not wanted, by its sender. `hits` counts what it stopped."""

    __tablename__ = "ban"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    pattern: Mapped[str] = mapped_column(String(320), unique=True)
    kind: Mapped[str] = mapped_column(String(16), index=True)
    """"address", "domain" (its subdomains included) or "pattern" (an address with `*`)."""
    action: Mapped[str] = mapped_column(String(16))
    """"reject", "discard" or "hold"."""
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    hits: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    last_hit_at: Mapped[datetime | None]
