"""The tables of people: who writes to the desk, and agents where mail taught us of them. No rules in here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from mailticket.store.models.base import Base, Id


class Person(Base):
    """Somebody who writes to the desk."""

    __tablename__ = "person"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(16))
    """The tag of the language the desk writes to them in; None when nothing tells."""
    language_from: Mapped[str | None] = mapped_column(String(16))
    """How it is known: "header", "text", or "choice", which no mail changes."""
    utc_offset: Mapped[int | None] = mapped_column(Integer)
    """Minutes east of UTC of their clock when they last wrote."""
    created_at: Mapped[datetime]


class PersonAddress(Base):
    """A canonical address of a person."""

    __tablename__ = "person_address"
    address: Mapped[str] = mapped_column(String(320), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    undeliverable_since: Mapped[datetime | None]


class AgentPrimer(Base):
    """One of an agent's first alerts, which explain how to answer (store/newcomers.py)."""

    __tablename__ = "agent_primer"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    agent: Mapped[str] = mapped_column(String(80), index=True)
    told_at: Mapped[datetime]


class AgentAlias(Base):
    """A further address of an agent, or one that may be: mail from it carried that agent's token.

    state: pending until the agent, asked at a known address, has said yes (confirmed) or no (denied);
    expired when there was no answer in time.
    """

    __tablename__ = "agent_alias"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    address: Mapped[str] = mapped_column(String(320), unique=True)
    """Canonical."""
    agent: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(12))
    inbound_id: Mapped[int | None] = mapped_column(ForeignKey("inbound.id", ondelete="SET NULL"))
    """The mail that raised the question; None when an operator made the alias."""
    created_at: Mapped[datetime]
    """When the question was asked."""
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (Index("ix_agent_alias_state_created_at", "state", "created_at"),)
