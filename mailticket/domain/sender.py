"""What is known of whoever sent a mail. Immutable; times are aware UTC."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Final


@dataclass(frozen=True, slots=True)
class BanFacts:
    """An entry of the ban list that names the sender of a mail."""

    id: int
    pattern: str
    kind: str
    action: str
    reason: str


@dataclass(frozen=True, slots=True)
class SenderLoad:
    """What the sender has sent lately, this mail not counted.

    mails         in the last hour
    tickets       opened in the last hour
    same_subject  mails under the same cleaned subject in the last hour
    same_subject_tickets  those of them that opened a ticket, or went into one as part of a storm
    same_text     mails with the same new text, digits aside, in the last hour
    reopened      how often the sender reopened a ticket this mail points at in the last day
    storm_ticket  the newest ticket of this sender and subject, where there are enough for a storm
    in_storm      that ticket holds this very mail already
    """

    mails: int = 0
    tickets: int = 0
    same_subject: int = 0
    same_subject_tickets: int = 0
    same_text: int = 0
    reopened: int = 0
    storm_ticket: int | None = None
    in_storm: bool = False


@dataclass(frozen=True, slots=True)
class SenderHistory:
    """What was with a sender before, gathered only where a rule asks about it.

    open_tickets    tickets of theirs that are not finished
    bounced         nothing has reached the address since a mail to it came back
    known_reply_to  the address that answers are asked for at is on file
    """

    open_tickets: int = 0
    bounced: bool = False
    known_reply_to: bool = False


class AliasState(enum.StrEnum):
    """Where a further address of an agent stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class AliasFacts:
    """An address from which mail with an agent's token came, and what the agent said about it.

    asked_at   when the agent was asked last
    """

    id: int
    address: str
    agent: str
    state: AliasState
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What is remembered of a person.

    language_from  how the language is known: "header", "text", or "choice"
    utc_offset     minutes east of UTC of their clock when they last wrote, None when unknown
    """

    language: str | None = None
    language_from: str | None = None
    utc_offset: int | None = None


NOTHING_SENT: Final = SenderLoad()
NO_HISTORY: Final = SenderHistory()
UNKNOWN_PERSON: Final = PersonFacts()
