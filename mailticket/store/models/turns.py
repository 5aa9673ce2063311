"""Whose turn it is, for tickets that are given out. No rules in here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from mailticket.store.models.base import Base


class AssignmentTurn(Base):
    """Who of a pool ("department:KEY", "team:KEY") was given the last ticket, and when."""

    __tablename__ = "assignment_turn"
    pool: Mapped[str] = mapped_column(String(100), primary_key=True)
    agent: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]
