"""The table of answers that wait. No rules in here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mailticket.store.models.base import Base


class PendingAnswer(Base):
    """An agent's answer that waits until its author has seen what they missed: at most one per ticket.

    The mail itself is the row of `inbound`, in the state held.
    """

    __tablename__ = "pending_answer"
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    agent: Mapped[str] = mapped_column(String(80), primary_key=True)
    inbound_id: Mapped[int] = mapped_column(ForeignKey("inbound.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    held_at: Mapped[datetime] = mapped_column(index=True)
