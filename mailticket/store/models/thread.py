"""The tables of what was said and what happened on a ticket. No rules in here."""

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
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from mailticket.store.models.base import Base, Id


class Entry(Base):
    """One thread entry.

    kind      message (from outside), response (agent to customer), note (inside)
    audience  customer or internal: decided before anything is rendered
    author    canonical address of a customer, or "agent:KEY", or "system"
    text      the new text, as shown and mailed; `full_text` keeps the whole body, quotes included
    """

    __tablename__ = "entry"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    audience: Mapped[str] = mapped_column(String(16))
    author: Mapped[str] = mapped_column(Text)
    author_name: Mapped[str] = mapped_column(Text)
    trust: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    full_text: Mapped[str | None] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[str | None] = mapped_column(Text)
    content_digest: Mapped[str | None] = mapped_column(String(64))
    inbound_id: Mapped[int | None] = mapped_column(ForeignKey("inbound.id"), index=True)
    withdrawn_at: Mapped[datetime | None]
    """When its author took it back, before anybody outside had got it."""
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("ticket_id", "content_digest"),
        Index("ix_entry_ticket_id_id", "ticket_id", "id"),
    )


class EntryAttachment(Base):
    """A file of an entry; its name is a label, its bytes are found by content."""

    __tablename__ = "entry_attachment"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"), index=True)
    blob: Mapped[str] = mapped_column(ForeignKey("blob.sha256"), index=True)
    filename: Mapped[str] = mapped_column(Text)
    content_type: Mapped[str] = mapped_column(String(255))
    size: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(16))
    inline: Mapped[bool] = mapped_column(Boolean)
    content_id: Mapped[str] = mapped_column(Text)


class TicketEvent(Base):
    """What happened, to which ticket, by whom, how we knew, and why.

    Rows are never changed or deleted (domain/eventchain.py); one moves when its entry does. Rows
    without `seq` were written around the log.
    """

    __tablename__ = "ticket_event"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    trust: Mapped[str | None] = mapped_column(String(16))
    """How well the actor was known; None for the desk itself and for operators."""
    chain_id: Mapped[int | None] = mapped_column(Id)
    """The ticket it was recorded on, wherever it is now."""
    seq: Mapped[int | None] = mapped_column(Integer)
    """Its position in that chain, from 1."""
    salt: Mapped[bytes | None]
    """None once the words are erased."""
    words: Mapped[bytes | None]
    """The digest of actor, reason, data, and the entry's text where it tells of one; stays when they go."""
    digest: Mapped[bytes | None]

    __table_args__ = (
        Index("ix_ticket_event_ticket_id_id", "ticket_id", "id"),
        Index("ix_ticket_event_chain_id_seq", "chain_id", "seq", unique=True),
        # partial: no other event pays for it
        Index(
            "ix_ticket_event_bounced", "at",
            sqlite_where=text("kind = 'bounced'"), postgresql_where=text("kind = 'bounced'"),
        ),
    )  # fmt: skip


class MessageRef(Base):
    """A Message-ID that stands for a ticket: of a mail that came in, of ours, or one such a mail names."""

    __tablename__ = "message_ref"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), index=True)
    """SHA-256 of the Message-ID in hex, so that its length never matters."""
    message_id: Mapped[str] = mapped_column(Text)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), index=True)
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"))
    direction: Mapped[str] = mapped_column(String(4))
    """"in", "out", or "ref": named by a mail that came in, itself never seen here."""
    party: Mapped[str] = mapped_column(Text)
    """Who wrote it (in), got it (out) or named it (ref): canonical address or "agent:KEY"."""
    thread_index: Mapped[str | None] = mapped_column(Text)
    """Outlook's Thread-Index of a mail that came in, to be carried on in what answers it."""
    thread_topic: Mapped[str | None] = mapped_column(Text)
