"""The tables of what comes in: bytes, the spool, the ledger of IMAP. No rules in here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from mailticket.store.models.base import Base, Id


class Blob(Base):
    """Bytes by content: raw mails, attachments, rendered mails."""

    __tablename__ = "blob"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    data: Mapped[bytes]


class Inbound(Base):
    """One mail for one recipient, from the moment it is durable.

    state: pending -> done | ignored | held | rejected, or failed after the last try.
    `digest` is content plus recipient (mail/trace.py): the same mail comes in once, whichever way.
    """

    __tablename__ = "inbound"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    content_digest: Mapped[str] = mapped_column(String(64), index=True)
    blob: Mapped[str] = mapped_column(ForeignKey("blob.sha256"))
    size: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(String(80))
    envelope_from: Mapped[str | None] = mapped_column(Text)
    recipient: Mapped[str] = mapped_column(Text)
    client: Mapped[str | None] = mapped_column(String(64))
    auth_user: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime]
    released: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    """A person has said that it is to be let in, whatever a ban or a policy says."""
    state: Mapped[str] = mapped_column(String(12), default="pending")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    parse_kills: Mapped[int] = mapped_column(Integer, default=0)
    next_try_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[str | None] = mapped_column(Text)
    sender: Mapped[str | None] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(Text)
    decision: Mapped[dict[str, Any] | None]
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        # not partial: SQLite's planner would pass a partial index over for the one below, and sort
        Index("ix_inbound_due", "state", "next_try_at", "id"),
        Index("ix_inbound_state_received_at", "state", "received_at"),
    )


class ImapMessage(Base):
    """The ledger of what was fetched from IMAP; flags and folders are never the truth."""

    __tablename__ = "imap_message"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    mailbox: Mapped[str] = mapped_column(String(80))
    folder: Mapped[str] = mapped_column(String(255))
    uidvalidity: Mapped[int] = mapped_column(BigInteger)
    uid: Mapped[int] = mapped_column(BigInteger)
    inbound_id: Mapped[int] = mapped_column(ForeignKey("inbound.id"))
    fetched_at: Mapped[datetime]
    moved_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("mailbox", "folder", "uidvalidity", "uid"),)


class MailboxContact(Base):
    """When each IMAP mailbox was last reached, what was wrong if it was not, and what the server holds.

    in_folder  messages there after it was last worked through; untaken  those of them not in the ledger
    """

    __tablename__ = "mailbox_contact"
    mailbox: Mapped[str] = mapped_column(String(80), primary_key=True)
    reached_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    counted_at: Mapped[datetime | None]
    in_folder: Mapped[int | None] = mapped_column(Integer)
    untaken: Mapped[int | None] = mapped_column(Integer)
