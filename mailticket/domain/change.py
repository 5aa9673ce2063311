"""What a decision is made of: the changes it asks for. Immutable; every change says why, in words."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from mailticket.domain.console_changes import AnswerConsole, SendStatus
from mailticket.domain.people_changes import (
    AddBan,
    AskAgent,
    EndAbsence,
    LearnPerson,
    SetAbsence,
    SettleAlias,
    TakeTurn,
)
from mailticket.domain.requests import HoldAnswer, SettleAnswer, Withdraw
from mailticket.domain.routing import Reaction, Route
from mailticket.domain.tie_changes import TieChange
from mailticket.domain.types import Audience, EntryKind, Outcome, OutgoingFacts, Quiet, Trust

ANY_NUMBER: Final = "######"
"""What numbers look like where nothing else is said."""


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """Make a ticket. Later changes of the same decision with ticket None mean this one."""

    subject: str
    requester: str
    requester_name: str
    department: str
    topic: str | None
    priority: str
    sla_plan: str | None
    assignee: str | None
    team: str | None
    tags: tuple[str, ...]
    suspected: int | None
    suspected_number: str | None
    predecessor: int | None
    why: str
    held: bool = False
    """Kept apart from the suspected ticket until its owner decides."""
    on_behalf: str | None = None
    """Key of the agent who opened it for the requester."""
    numbers: str = ANY_NUMBER
    """What its number looks like: a `#` for each random digit."""
    canned: str | None = None
    """The canned reply that goes out in place of the acknowledgement."""


class Brings(enum.StrEnum):
    """What of the mail comes with an entry."""

    WHOLE = "whole"
    """The mail is the entry: its Message-ID, files and content."""
    ORIGINAL = "original"
    """What the mail forwards, with the files that belong to it."""
    WORDS = "words"
    """Only words that stand beside another entry of the same mail."""


@dataclass(frozen=True, slots=True)
class AddEntry:
    """Put a thread entry on a ticket; attachments of the mail come with it.

    aliases   Message-IDs never seen here that stand for the ticket from now on
    conflict  numbers of other tickets that weaker evidence names
    delivered canonical addresses of participants who have these words already, straight from the author
    original  Message-ID of what was passed on, where `brings` says so and it is known
    passed_by "agent:KEY" of who passed it on
    """

    ticket: int | None
    kind: EntryKind
    audience: Audience
    author: str
    author_name: str
    trust: Trust
    text: str
    full_text: str | None
    html: str | None
    why: str
    automatic: bool = False
    """Written by a machine: kept on the ticket, told to nobody."""
    returns_on: date | None = None
    """Until when its author says to be away."""
    aliases: tuple[str, ...] = ()
    conflict: tuple[str, ...] = ()
    thanks: str = ""
    """Why it is a thanks and nothing else, in words: it reopens nothing, and no clock counts it."""
    delivered: tuple[str, ...] = ()
    brings: Brings = Brings.WHOLE
    original: str = ""
    passed_by: str = ""


@dataclass(frozen=True, slots=True)
class SetField:
    """Give a ticket's field a new value: status, department, priority, assignee, team, topic, sla_plan.

    custom  with a status: the key of the house's own status within that state; every change of status
            that names none ends the one there was
    """

    ticket: int | None
    name: str
    value: str | None
    actor: str
    why: str
    silent: bool = False
    """Nobody outside is told of it."""
    custom: str | None = None


@dataclass(frozen=True, slots=True)
class Tag:
    """Add or remove a tag."""

    ticket: int | None
    tag: str
    add: bool
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class NoteBounce:
    """Remember that a mail of ours did not arrive.

    dead   the address itself is gone: no more automatic mail goes there
    """

    outgoing: OutgoingFacts
    address: str
    status: str | None
    diagnostic: str
    permanent: bool
    why: str
    dead: bool = False


@dataclass(frozen=True, slots=True)
class ReturnToAgent:
    """Send an agent's mail back with what was wrong; nothing else happens.

    problems  one per line that was not understood: (line, reason, nearest valid command or "")
    """

    agent: str
    ticket: int | None
    template: str
    problems: tuple[tuple[str, str, str], ...]
    text: str
    subject: str
    why: str


@dataclass(frozen=True, slots=True)
class AddParticipant:
    """Let somebody outside take part in a ticket, as a collaborator."""

    ticket: int | None
    address: str
    name: str
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class RemoveParticipant:
    """A collaborator takes no more part in a ticket."""

    ticket: int
    address: str
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class ForwardCopy:
    """Send the mail at hand, as it came, to somebody outside the ticket."""

    ticket: int | None
    address: str
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class CallWebhook:
    """Tell a web service of the ticket, by the key of its configuration."""

    ticket: int | None
    webhook: str
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class Merge:
    """Everything on `source` moves to `ticket`; what is sent to it goes there from now on.

    approved  the source was held, and this is the decision that it belongs here
    """

    source: int
    ticket: int
    actor: str
    why: str
    approved: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """A held ticket stays a ticket of its own."""

    ticket: int
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class MoveEntry:
    """Take a customer's message to another ticket.

    entry    which one; 0, or one that is none, means the newest
    target   None makes a new ticket for it
    subject  of the new ticket; "" for the old one's
    numbers  what the new ticket's number looks like: a `#` for each random digit
    """

    ticket: int
    entry: int
    target: int | None
    actor: str
    why: str
    subject: str = ""
    numbers: str = ANY_NUMBER


@dataclass(frozen=True, slots=True)
class SetDue:
    """Set by hand when a ticket is due: `due`, or `after` so much of its plan's working time from now.

    Neither takes back what was set, so that the plan's own promise holds again.
    """

    ticket: int
    due: datetime | None
    after: timedelta | None
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Somebody looks after a ticket whose alerts climb: they climb no further."""

    ticket: int
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class SetWake:
    """When a paused ticket comes back by itself; None takes back what was set."""

    ticket: int
    at: datetime | None
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class SetReminder:
    """Remind an agent of a ticket at a moment."""

    ticket: int
    agent: str
    at: datetime
    text: str
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class SpendTime:
    """Minutes spent on a ticket, to be added up; below nothing to take back."""

    ticket: int
    minutes: int
    text: str
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class SetRequester:
    """Somebody else asks for what a ticket is about; `keep` lets the old requester take part still."""

    ticket: int
    address: str
    keep: bool
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class Rate:
    """How satisfied a customer is, 1 to 5; a later rating of the same person replaces it."""

    ticket: int
    address: str
    score: int
    comment: str
    why: str


Change = (
    OpenTicket
    | AnswerConsole
    | AddEntry
    | SetField
    | Tag
    | NoteBounce
    | ReturnToAgent
    | AskAgent
    | SettleAlias
    | AddParticipant
    | RemoveParticipant
    | ForwardCopy
    | CallWebhook
    | Merge
    | Release
    | MoveEntry
    | SetDue
    | Acknowledge
    | TieChange
    | Withdraw
    | HoldAnswer
    | SettleAnswer
    | LearnPerson
    | Rate
    | SendStatus
    | SetWake
    | SetReminder
    | SpendTime
    | SetRequester
    | AddBan
    | SetAbsence
    | TakeTurn
    | EndAbsence
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a mail, and why, in words, in the order the reasons came up.

    ignored  what of the mail does nothing, as sentences for the agent who wrote it
    agent    the key of the agent who acts, and gets a receipt; None for anybody else
    seen     the newest entry that agent had seen
    dry_run  nothing of it is done; the agent is told what would be
    """

    outcome: Outcome
    changes: tuple[Change, ...] = ()
    reasons: tuple[str, ...] = ()
    trust: Trust = Trust.UNKNOWN
    ticket: int | None = None
    acknowledge: bool = False
    rejection: str | None = None
    quiet: Quiet | None = None
    ignored: tuple[str, ...] = ()
    route: Route | Reaction | None = None
    """What the rules came to, where they had a say."""
    agent: str | None = None
    seen: int = 0
    dry_run: bool = False
