"""The values rules take and return. Immutable; times are aware UTC and always come from outside."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mailticket.config.field_values import FieldValue as FieldValue
from mailticket.domain.absence import NOTHING_RECORDED, Presence
from mailticket.domain.requests import DoneMail, HeldAnswer, MissedEntry, Tapped
from mailticket.domain.sender import (
    NO_HISTORY,
    NOTHING_SENT,
    UNKNOWN_PERSON,
    AliasFacts,
    BanFacts,
    PersonFacts,
    SenderHistory,
    SenderLoad,
)
from mailticket.mail.authentication import Verdict


class Trust(enum.StrEnum):
    """How well we know that the mail comes from whom it names, best first."""

    TOKEN = "token"  # noqa: S105 -- a level's name, not a secret
    AUTHENTICATED = "authenticated"
    KNOWN = "known"
    UNKNOWN = "unknown"
    FAILED = "failed"


class Audience(enum.StrEnum):
    """Who may ever see a text. Decided before anything is rendered."""

    CUSTOMER = "customer"
    INTERNAL = "internal"


class EntryKind(enum.StrEnum):
    """What a thread entry is."""

    MESSAGE = "message"
    RESPONSE = "response"
    NOTE = "note"


class EvidenceKind(enum.StrEnum):
    """How a mail points at a ticket, strongest first."""

    ADDRESS_TOKEN = "address-token"  # noqa: S105
    MESSAGE_ID_TOKEN = "message-id-token"  # noqa: S105
    BODY_TOKEN = "body-token"  # noqa: S105
    REFERENCE = "reference"
    ALIAS = "alias"
    """A Message-ID never seen here, which a mail on the ticket names too."""
    SUBJECT_NUMBER = "subject-number"
    SAME_SUBJECT = "same-subject"
    """No pointer at all, but a reply of a participant under the ticket's own subject."""


@dataclass(frozen=True, slots=True)
class ThreadEvidence:
    """One pointer from a mail to a ticket.

    party  whom a token was made for ("agent:KEY" or a canonical address), None when it was made for
           somebody this ticket does not know, or the evidence is not bound to anybody
    entry  the newest entry the bearer of a token had seen; 0 when unknown
    """

    kind: EvidenceKind
    ticket_id: int
    party: str | None = None
    entry: int = 0


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """A ticket as the rules see it.

    status     the state (domain/status.py); custom_status says more within it, for people only
    fields     custom fields: key -> value
    referred   departments that see it beside its own
    held_for   the ticket this one is kept apart from until somebody decides; None when it is not held
    """

    id: int
    number: str
    subject: str
    status: str
    department: str
    topic: str | None
    priority: str
    sla_plan: str | None
    assignee: str | None
    team: str | None
    requester: str
    requester_name: str
    participants: frozenset[str]
    created_at: datetime
    closed_at: datetime | None = None
    due_at: datetime | None = None
    overdue_since: datetime | None = None
    tags: tuple[str, ...] = ()
    held_for: TicketFacts | None = None
    custom_status: str | None = None
    fields: Mapping[str, FieldValue] = field(default_factory=dict, hash=False)
    referred: tuple[str, ...] = ()
    last_message_at: datetime | None = None
    last_response_at: datetime | None = None
    last_note_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OutgoingFacts:
    """A mail of ours that a delivery report is about. `author` wrote the entry it carried."""

    outbox_id: int
    ticket_id: int | None
    entry_id: int | None
    recipient: str
    template: str
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Quiet:
    """Why nobody is told of a mail, but for one alert a day about all that share `about`.

    day: such as "2026-11-21" (UTC)
    """

    about: str
    why: str
    day: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a mail came to us."""

    inbound_id: int
    recipient: str
    envelope_from: str | None
    source: str
    received_at: datetime
    content_digest: str
    auth_user: str | None = None
    released: bool = False
    """A person has let it in, past bans and policies."""


@dataclass(frozen=True, slots=True)
class Said:
    """The text of an entry that a ticket has, and whether it stays inside."""

    text: str
    internal: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database knows that bears on one mail.

    sender         canonical From address, None when the From header is ambiguous
    sender_agent   key of the agent with that address or confirmed alias; grants nothing by itself
    known_sender   the address is on file
    evidence       pointers to tickets, strongest first
    tickets        every ticket the evidence names, merges already followed
    already_in     tickets that hold this very mail as an entry
    bounced        the mail of ours a delivery report names
    asked          the held ticket about which this very sender was asked, by a token made for them
    named          tickets by number that command lines of the mail name
    alias          what is known of the sender's address as an agent's alias
    challenge      the alias about which this very agent was asked, by a token made for them
    verified       what we found out ourselves about the From domain; None when we did not look
    original_in    tickets that hold, as a mail of its author, what this mail of an agent forwards
    unseen         Message-IDs the mail refers to that nobody here has ever seen
    ban            the entry of the ban list that names the sender most closely
    presence       absences on record; read where an agent may be writing
    shared         tickets of the sender's organisation, where its people may join each other's
    load           what the sender has sent lately; nothing where no limit bears on the mail
    person         what is remembered of the sender
    said           what stands on the tickets already, the newest; for agents' mails only
    missed         of an agent: by ticket, the entries newer than what they had seen when they wrote
    held_answers   of an agent: by ticket, their answer that waits
    inbound        the number of the stored mail
    done           what the agent did by the mail that this one wants to take back, by ticket
    answered       template of the mail of ours that a bare number answers; not looked for otherwise
    tapped         the one-tap action it asks for, whoever sent it; grants nothing by itself
    history        what was with the sender before; nothing where no rule asks about it
    linked         where commands name tickets: what each ticket pointed at is tied to, by id
    waits          where commands name tickets: all that each named one waits for, by id
    messages       where a command takes one out: the customer's messages on each ticket pointed at
    twin           the ticket that this very mail, sent to another of our addresses, opened
    seen_files     hashes of small images that the sender sent before, where a finished ticket is meant
    """

    department: str | None
    sender: str | None
    sender_agent: str | None
    known_sender: bool
    evidence: tuple[ThreadEvidence, ...] = ()
    tickets: dict[int, TicketFacts] = field(default_factory=dict)
    already_in: frozenset[int] = frozenset()
    bounced: OutgoingFacts | None = None
    asked: TicketFacts | None = None
    named: dict[str, TicketFacts] = field(default_factory=dict)
    original_in: frozenset[int] = frozenset()
    unseen: tuple[str, ...] = ()
    alias: AliasFacts | None = None
    challenge: AliasFacts | None = None
    verified: Verdict | None = None
    ban: BanFacts | None = None
    load: SenderLoad = NOTHING_SENT
    listing: int | None = None
    """The numbered mail of ours that it answers, by a token made for this very agent."""
    history: SenderHistory = NO_HISTORY
    shared: frozenset[int] = frozenset()
    person: PersonFacts = UNKNOWN_PERSON
    tapped: Tapped | None = None
    answered: str | None = None
    presence: Presence = NOTHING_RECORDED
    said: tuple[Said, ...] = ()
    linked: Mapping[int, frozenset[int]] = field(default_factory=dict)
    waits: Mapping[int, frozenset[int]] = field(default_factory=dict)
    messages: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    twin: TicketFacts | None = None
    seen_files: frozenset[str] = frozenset()
    done: dict[int, DoneMail] = field(default_factory=dict)
    missed: dict[int, tuple[MissedEntry, ...]] = field(default_factory=dict)
    held_answers: dict[int, HeldAnswer] = field(default_factory=dict)
    inbound: int = 0


class Outcome(enum.StrEnum):
    """What becomes of an incoming mail."""

    NEW_TICKET = "new-ticket"
    THREADED = "threaded"
    AGENT_ACTED = "agent-acted"
    STALE = "stale"
    """An agent's answer waits until its author has seen what has come meanwhile."""
    REHEARSED = "rehearsed"
    """An agent asked what a mail would do, and was told; nothing was done."""
    RECORDED = "recorded"
    IGNORED = "ignored"
    HELD = "held"
    REJECTED = "rejected"
    RETURNED = "returned"


class EventKind(enum.StrEnum):
    """What can happen to a ticket; osTicket's names where it has one."""

    CREATED = "created"
    MESSAGE = "message"
    RESPONSE = "response"
    NOTE = "note"
    ASSIGNED = "assigned"
    RELEASED = "released"
    TRANSFERRED = "transferred"
    STATUS = "status"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REOPENED = "reopened"
    EDITED = "edited"
    OVERDUE = "overdue"
    WARNED = "warned"
    """A step of the SLA plan before its promise is broken."""
    ACKNOWLEDGED = "acknowledged"
    BOUNCED = "bounced"
    """An answer of an agent did not arrive."""
    ERROR = "error"
    """Another mail about it could not be written, or was refused for good."""
    RESENT = "resent"
    """An operator let a mail go out after all that had failed or was stopped."""
    CANCELLED = "cancelled"
    """An operator stopped a mail that had not gone out."""
    RETURNED = "returned"
    """A mail of an agent went back to its author: nothing of it was done."""
    HELD = "held"
    APPROVED = "approved"
    DENIED = "denied"
    STALE = "stale"
    """An agent's answer waits, because they had not seen all."""
    UNDONE = "undone"
    """An agent has taken back what a mail of theirs did."""
    MERGED = "merged"
    MOVED = "moved"
    COPIED = "copied"
    """The mail was sent on to somebody outside the ticket, because a rule says so."""
    HOOKED = "hooked"
    """A web service is told, because a rule or a step of an SLA plan says so."""
    COLLAB = "collab"
    CHALLENGED = "challenged"
    ERASED = "erased"
    """Words of earlier events were erased on request; its data proves what stands there now."""
    TIME = "time"
    """Time spent on it."""
    REMINDER = "reminder"
    """An agent wants to be reminded of it."""
    REMINDED = "reminded"
    BANNED = "banned"
    """A sender was banned because of it."""
    AWAY = "away"
    """An agent is away; belongs to no ticket, as does the next."""
    BACK = "back"
    REFERRED = "referred"
    """Another department sees the ticket from now on, or no more."""
    LINKED = "linked"
    UNLINKED = "unlinked"
    RATED = "rated"
    """A customer says how satisfied they are."""
    STATUS_SENT = "status-sent"
    """A customer asked for their open tickets; belongs to no ticket."""
    FOLLOWED_UP = "followed-up"
    """The desk reminded the customer, or an agent of the customer, by itself."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `actor` is a canonical address, "agent:KEY" or "system"."""

    kind: EventKind
    ticket_id: int | None
    entry_id: int | None
    actor: str
    at: datetime
    reason: str
    data: dict[str, Any] = field(default_factory=dict)
