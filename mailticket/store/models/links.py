"""The tables that tie tickets to each other and to further departments. No rules in here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mailticket.store.models.base import Base


class TicketLink(Base):
    """Two tickets that belong together.

    kind  "related": they have to do with each other, the lower id first;
          "blocks": `ticket_id` waits until `other_id` is finished
    """

    __tablename__ = "ticket_link"
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    other_id: Mapped[int] = mapped_column(
        ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]


class TicketReferral(Base):
    """A department that sees a ticket of another one, and hears of it."""

    __tablename__ = "ticket_referral"
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    department: Mapped[str] = mapped_column(String(80), primary_key=True, index=True)
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]
