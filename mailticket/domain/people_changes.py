"""Changes to what the desk knows of people: agents, senders, and who is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AskAgent:
    """Ask an agent, at a known address, whether another address is theirs; the mail waits meanwhile."""

    agent: str
    address: str
    text: str
    subject: str
    why: str


@dataclass(frozen=True, slots=True)
class SettleAlias:
    """An agent has said whether an address is theirs; the mails that waited for it are worked on."""

    alias: int
    confirmed: bool
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class LearnPerson:
    """Remember what a mail tells of its sender; domain/person.py says what counts.

    language_from  "header", "text", or "choice" for what somebody chose; utc_offset  minutes east of UTC
    """

    address: str
    language: str | None
    language_from: str | None
    utc_offset: int | None
    why: str


@dataclass(frozen=True, slots=True)
class AddBan:
    """Refuse mail of a sender from now on. pattern: domain/screening.py; reason: shown where it acts."""

    ticket: int
    pattern: str
    reason: str
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class SetAbsence:
    """An agent is away from `since` up to `until` (aware UTC; None: until further notice).

    source  of domain/absence.py (Source); reason: what the agent said of it, "" for nothing
    """

    agent: str
    since: datetime
    until: datetime | None
    deputy: str | None
    source: str
    reason: str
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class EndAbsence:
    """An agent is there again. planned_until: when what the configuration has for today would end."""

    agent: str
    planned_until: datetime | None
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class TakeTurn:
    """A ticket was given out in a pool ("department:KEY", "team:KEY"): whose turn that was."""

    pool: str
    agent: str
    why: str
