"""The tables of alerts that wait for their readers. No rules in here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from mailticket.store.models.base import Base, Id


class Alert(Base):
    """An alert about a promised time for one reader, from the tick that raised it to the mail that tells it.

    reader  "agent:KEY", or the address of somebody who is no agent
    key     SHA-256 in hex of what makes it unique
    """

    __tablename__ = "alert"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    reader: Mapped[str] = mapped_column(String(326))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), index=True)
    due_at: Mapped[datetime]
    made_at: Mapped[datetime]
    data: Mapped[dict[str, Any]]

    __table_args__ = (Index("ix_alert_waiting", "reader", "due_at"),)


class AlertReader(Base):
    """A reader of alerts: when the next of theirs may go out, and when the last ones did.

    Whoever holds this row's lock, and nobody else, sends the reader's alerts, so that all that are
    due make one round.
    """

    __tablename__ = "alert_reader"
    reader: Mapped[str] = mapped_column(String(326), primary_key=True)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    sent_at: Mapped[datetime | None]
