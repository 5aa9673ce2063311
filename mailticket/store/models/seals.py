"""The tables that vouch for the event log."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from mailticket.store.models.base import Base, Id


class EventSeal(Base):
    """A signature over the events recorded since the seal before it (domain/eventchain.py)."""

    __tablename__ = "event_seal"
    number: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    made_at: Mapped[datetime]
    newest_at: Mapped[datetime]
    """When the newest of its events happened."""
    last_id: Mapped[int] = mapped_column(Id)
    """The highest event id in this seal or one before it."""
    count: Mapped[int] = mapped_column(Integer)
    packed: Mapped[bytes]
    """The id, chain, position and digest of each event."""
    key: Mapped[str] = mapped_column(String(16))
    """The name of the key it is signed with."""
    digest: Mapped[str] = mapped_column(String(64))
