"""The table of agents' absences. No rules in here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from mailticket.store.models.base import Base, Id


class AgentAbsence(Base):
    """An agent is away, or (`here`) is there although the configuration says otherwise.

    It is over once `ended_at` is set: the agent came back, said something else, or `until` has passed.
    """

    __tablename__ = "agent_absence"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    agent: Mapped[str] = mapped_column(String(80))
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    deputy: Mapped[str | None] = mapped_column(String(80))
    here: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    source: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(Text)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        # however long the history, only what is not over is looked through
        Index("ix_agent_absence_ended_at_id", "ended_at", "id"),
        Index("ix_agent_absence_agent_id", "agent", "id"),
    )
