"""What a mail can ask for beyond its words: an action by one tap, and that another mail be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Tap:
    """A one-tap action offered in a mail (domain/taps.py).

    name     what templates call it: "take", "transfer"
    label    words for the link
    subject  of the mail it opens; body: its text
    entry    what the action is about, beside the ticket
    """

    name: str
    label: str
    code: int
    subject: str
    body: str
    entry: int = 0


@dataclass(frozen=True, slots=True)
class Tapped:
    """A one-tap action that a mail asks for, by the address it was sent to.

    action, argument  see domain/taps.py
    entry             what the action is about, beside the ticket; 0 for nothing
    offered           the day its link was made (UTC)
    party             whom it was made for ("agent:KEY" or a canonical address); somebody who is
                      neither an agent nor on the ticket any more is nobody's party
    merged            it was made for another ticket, which lives on in this one
    """

    ticket_id: int
    action: int
    argument: int
    entry: int
    offered: date
    party: str
    merged: bool = False


@dataclass(frozen=True, slots=True)
class DoneEvent:
    """An event of a ticket's log, as far as taking it back goes."""

    kind: str
    entry_id: int | None
    reason: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DoneLetter:
    """A mail to a customer that an agent's mail caused.

    gone   it was sent, is being sent, or nobody knows: it cannot be stopped any more
    """

    id: int
    recipient: str
    name: str
    gone: bool

    @property
    def shown(self) -> str:
        """Name and address."""
        return f"{self.name} <{self.recipient}>" if self.name else self.recipient


@dataclass(frozen=True, slots=True)
class DoneMail:
    """What an agent's mail did to a ticket.

    inbound  the stored mail; at: when it was worked on
    events   what happened, in order; later: what happened on the ticket since, whoever did it
    mails    those to customers; nothing changes them until this decision is carried out
    undone   it was taken back already, or itself took something back
    """

    inbound: int
    at: datetime
    events: tuple[DoneEvent, ...]
    later: tuple[DoneEvent, ...] = ()
    mails: tuple[DoneLetter, ...] = ()
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Withdraw:
    """An agent takes back what the stored mail `mail` did; what goes back follows as further changes.

    entry      what they had said, and nobody outside has got
    cancel     mails of the outbox that are never sent; cancelled: to whom, in words
    sent       who has got a mail already, in words
    void       fields and kinds of events that count no more, of that mail and of this one
    kept       what stays as it is, in words
    clean      nobody outside has heard of any of it, nor will they: within the hold, nothing sent
    """

    ticket: int
    mail: int
    entry: int | None
    cancel: tuple[int, ...]
    cancelled: tuple[str, ...]
    sent: tuple[str, ...]
    void: tuple[str, ...]
    kept: tuple[str, ...]
    actor: str
    why: str
    clean: bool = False


@dataclass(frozen=True, slots=True)
class MissedEntry:
    """A customer's message or an agent's answer that somebody had not seen. author: as in the entry."""

    id: int
    author: str


@dataclass(frozen=True, slots=True)
class HeldAnswer:
    """An agent's answer that waits: the stored mail, its new text and its subject."""

    inbound: int
    text: str
    subject: str


@dataclass(frozen=True, slots=True)
class HoldAnswer:
    """An answer waits, because its author had not seen `missed` (entries, oldest first).

    inbound: the stored mail; another answer of this agent on the ticket that waits is given up for it.
    """

    ticket: int
    agent: str
    inbound: int
    missed: tuple[int, ...]
    text: str
    subject: str
    why: str


@dataclass(frozen=True, slots=True)
class SettleAnswer:
    """What becomes of an answer that waits: it is worked on after all, or given up."""

    ticket: int
    inbound: int
    send: bool
    actor: str
    why: str
