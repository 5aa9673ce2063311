"""The states of a ticket and what moves it between them: one table, and nothing moves past it.

Every pair of state and event has a cell. A cell is the new state, or a state that the customer can
only bring back within the department's reopen window (after it their mail opens a new ticket,
linked to this one), or a refusal in words fit for the agent who asked.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta


class Status(enum.StrEnum):
    """Where a ticket is in its life."""

    OPEN = "open"
    """Nobody has answered yet, or it came back."""
    IN_PROGRESS = "in-progress"
    WAITING = "waiting"
    """For the customer; the clocks stand still."""
    ON_HOLD = "on-hold"
    """For somebody else; the clocks stand still, and a customer's mail does not end it."""
    RESOLVED = "resolved"
    """Done as the agent sees it; the customer may object."""
    CLOSED = "closed"
    ARCHIVED = "archived"
    MERGED = "merged"
    """Lives on in another ticket, which gets everything sent to this one."""


PAUSED = frozenset({Status.WAITING, Status.ON_HOLD})
FINISHED = frozenset({Status.RESOLVED, Status.CLOSED, Status.ARCHIVED, Status.MERGED})
ACTIVE = frozenset(Status) - PAUSED - FINISHED


class StatusEvent(enum.StrEnum):
    """What can move a ticket. The customer's events come from any participant who is not an agent."""

    AGENT_REPLIED = "agent-replied"
    """A public answer; notes move nothing."""
    CUSTOMER_REPLIED = "customer-replied"
    CUSTOMER_CLOSED = "customer-closed"
    STARTED = "started"
    """An agent takes it up, or takes it up again after a pause."""
    WAITS_FOR_CUSTOMER = "waits-for-customer"
    PUT_ON_HOLD = "put-on-hold"
    RESOLVED_BY_AGENT = "resolved-by-agent"
    CLOSED_BY_AGENT = "closed-by-agent"
    REOPENED = "reopened"
    """By an agent, who may do so at any time."""
    ANSWER_BOUNCED = "answer-bounced"
    """An answer did not arrive, so the customer waits while the desk believes to be waiting."""
    TIMED_OUT = "timed-out"
    """The desk's own follow-up: no answer from the customer, or no objection to a solution."""
    ARCHIVED = "archived"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Transition:
    """The ticket goes on in state `new`, which may be the state it was in."""

    new: Status
    reason: str


@dataclass(frozen=True, slots=True)
class NewLinkedTicket:
    """Too late to bring the ticket back: the mail opens a new one that names this as predecessor."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It cannot be done; `reason` is a sentence for whoever asked."""

    reason: str


@dataclass(frozen=True, slots=True)
class _WithinWindow:
    new: Status


@dataclass(frozen=True, slots=True)
class _Linked:
    pass


_Cell = Status | _WithinWindow | _Linked | Refused

_E, _S = StatusEvent, Status
_CLOSED_ALREADY = Refused("the ticket is closed; reopen it first")
_ARCHIVED_ALREADY = Refused("the ticket is archived and takes no more changes")
_MERGED_ALREADY = Refused("the ticket was merged into another one; do this there")
_NOT_FINISHED = Refused("the ticket is neither resolved nor closed, so it cannot be reopened")

_UNFINISHED: dict[StatusEvent, _Cell] = {
    _E.STARTED: _S.IN_PROGRESS,
    _E.WAITS_FOR_CUSTOMER: _S.WAITING,
    _E.PUT_ON_HOLD: _S.ON_HOLD,
    _E.RESOLVED_BY_AGENT: _S.RESOLVED,
    _E.CLOSED_BY_AGENT: _S.CLOSED,
    _E.CUSTOMER_CLOSED: _S.CLOSED,
    _E.REOPENED: _NOT_FINISHED,
    _E.ANSWER_BOUNCED: Refused("the ticket is being worked on"),
    _E.TIMED_OUT: Refused("nobody is waiting for the customer"),
    _E.ARCHIVED: Refused("the ticket is still open; close it first"),
    _E.MERGED: _S.MERGED,
}

TRANSITIONS: dict[Status, dict[StatusEvent, _Cell]] = {
    _S.OPEN: {
        **_UNFINISHED,
        _E.AGENT_REPLIED: _S.IN_PROGRESS,
        _E.CUSTOMER_REPLIED: _S.OPEN,
    },
    _S.IN_PROGRESS: {
        **_UNFINISHED,
        _E.AGENT_REPLIED: _S.IN_PROGRESS,
        _E.CUSTOMER_REPLIED: _S.IN_PROGRESS,
    },
    _S.WAITING: {
        **_UNFINISHED,
        _E.AGENT_REPLIED: _S.WAITING,
        _E.CUSTOMER_REPLIED: _S.IN_PROGRESS,
        _E.ANSWER_BOUNCED: _S.OPEN,
        _E.TIMED_OUT: _S.RESOLVED,
    },
    _S.ON_HOLD: {
        **_UNFINISHED,
        _E.AGENT_REPLIED: _S.ON_HOLD,
        _E.CUSTOMER_REPLIED: _S.ON_HOLD,
    },
    _S.RESOLVED: {
        _E.AGENT_REPLIED: _S.RESOLVED,
        _E.CUSTOMER_REPLIED: _WithinWindow(_S.OPEN),
        _E.CUSTOMER_CLOSED: _S.CLOSED,
        _E.STARTED: Refused("the ticket is resolved; reopen it first"),
        _E.WAITS_FOR_CUSTOMER: Refused("the ticket is resolved; reopen it first"),
        _E.PUT_ON_HOLD: Refused("the ticket is resolved; reopen it first"),
        _E.RESOLVED_BY_AGENT: _S.RESOLVED,
        _E.CLOSED_BY_AGENT: _S.CLOSED,
        _E.REOPENED: _S.OPEN,
        _E.ANSWER_BOUNCED: _S.OPEN,
        _E.TIMED_OUT: _S.CLOSED,
        _E.ARCHIVED: _S.ARCHIVED,
        _E.MERGED: _S.MERGED,
    },
    _S.CLOSED: {
        _E.AGENT_REPLIED: _S.CLOSED,
        _E.CUSTOMER_REPLIED: _WithinWindow(_S.OPEN),
        _E.CUSTOMER_CLOSED: _S.CLOSED,
        _E.STARTED: _CLOSED_ALREADY,
        _E.WAITS_FOR_CUSTOMER: _CLOSED_ALREADY,
        _E.PUT_ON_HOLD: _CLOSED_ALREADY,
        _E.RESOLVED_BY_AGENT: _CLOSED_ALREADY,
        _E.CLOSED_BY_AGENT: _S.CLOSED,
        _E.REOPENED: _S.OPEN,
        _E.ANSWER_BOUNCED: Refused("the ticket is closed"),
        _E.TIMED_OUT: Refused("the ticket is closed already"),
        _E.ARCHIVED: _S.ARCHIVED,
        _E.MERGED: _S.MERGED,
    },
    _S.ARCHIVED: {
        **dict.fromkeys(_E, _ARCHIVED_ALREADY),
        _E.CUSTOMER_REPLIED: _Linked(),
        _E.ARCHIVED: _S.ARCHIVED,
    },
    _S.MERGED: dict.fromkeys(_E, _MERGED_ALREADY),
}
"""What each event does in each state; a test holds it complete."""


def next_status(
    current: str,
    event: StatusEvent,
    *,
    closed_at: datetime | None = None,
    reopen_window: timedelta | None = None,
    now: datetime | None = None,
) -> Transition | NewLinkedTicket | Refused:
    """What `event` makes of a ticket whose status is `current`.

    closed_at      when it was last resolved or closed (aware UTC); None counts as just now
    reopen_window  how long after that a customer's mail still brings it back, the end included;
                   None for ever
    now            aware UTC; needed where the two above are given

    Mail to a merged ticket is refused here: who calls follows the merge first. ValueError for a
    `current` that is no `Status`, or a missing `now`.
    """
    old = Status(current)
    cell = TRANSITIONS[old][event]
    if isinstance(cell, Refused):
        return cell
    if isinstance(cell, _Linked):
        return NewLinkedTicket(f"the old ticket is {old}")
    if isinstance(cell, Status):
        return Transition(cell, _moved(old, cell, event))
    if closed_at is None or reopen_window is None:
        return Transition(cell.new, "the customer wrote again")
    if now is None:
        raise ValueError("whether a window is over can only be told with `now`")
    if now - closed_at > reopen_window:
        return NewLinkedTicket(
            f"the old ticket was {old} more than {_days(reopen_window)} ago, too long ago to reopen it"
        )
    return Transition(cell.new, f"the customer wrote again within {_days(reopen_window)}")


_REQUESTS = {
    "resolve": _E.RESOLVED_BY_AGENT,
    "resolved": _E.RESOLVED_BY_AGENT,
    "solved": _E.RESOLVED_BY_AGENT,
    "close": _E.CLOSED_BY_AGENT,
    "closed": _E.CLOSED_BY_AGENT,
    "reopen": _E.REOPENED,
    "open": _E.REOPENED,
    "in progress": _E.STARTED,
    "progress": _E.STARTED,
    "started": _E.STARTED,
    "wait": _E.WAITS_FOR_CUSTOMER,
    "waiting": _E.WAITS_FOR_CUSTOMER,
    "waiting for customer": _E.WAITS_FOR_CUSTOMER,
    "hold": _E.PUT_ON_HOLD,
    "on hold": _E.PUT_ON_HOLD,
    "archive": _E.ARCHIVED,
    "archived": _E.ARCHIVED,
}


def requested_event(command: str, argument: str = "") -> StatusEvent | Refused:
    """What an agent asks for with a command ("close", "resolve", "reopen"), or "status" and a state's name.

    Case, hyphens and underscores in the state's name do not count. Refused names what can be asked.
    """
    asked = argument if command == "status" else command
    words = " ".join(asked.casefold().replace("-", " ").replace("_", " ").split())
    event = _REQUESTS.get(words)
    if event is not None:
        return event
    return Refused(
        f'"{asked}" is no state a ticket can be put in; there are: open, in progress, waiting, on hold, '
        "resolved, closed, archived"
    )


_WORDS = {
    _E.AGENT_REPLIED: "an agent answered",
    _E.CUSTOMER_REPLIED: "the customer wrote",
    _E.CUSTOMER_CLOSED: "the customer closed it",
    _E.STARTED: "an agent works on it",
    _E.WAITS_FOR_CUSTOMER: "it waits for the customer",
    _E.PUT_ON_HOLD: "an agent put it on hold",
    _E.RESOLVED_BY_AGENT: "an agent resolved it",
    _E.CLOSED_BY_AGENT: "an agent closed it",
    _E.REOPENED: "an agent reopened it",
    _E.ANSWER_BOUNCED: "an answer did not arrive",
    _E.TIMED_OUT: "the customer did not answer in time",
    _E.ARCHIVED: "it was archived",
    _E.MERGED: "it was merged into another ticket",
}


def _moved(old: Status, new: Status, event: StatusEvent) -> str:
    return f"{_WORDS[event]}; it stays {new}" if new is old else _WORDS[event]


def _days(window: timedelta) -> str:
    if window < timedelta(days=2):
        return f"{window / timedelta(hours=1):g} hours"
    return f"{window.days} days"
