"""The house's own statuses within the states: which one somebody means, and what setting it changes.

The state stays the truth (domain/status.py): a custom status is a name beside it, so whatever asks for
a ticket's state goes on being right. A change of state that names no custom status ends the one there was.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailticket.config.desk import Desk
from mailticket.domain.change import SetField
from mailticket.domain.naming import Unknown, resolve
from mailticket.domain.status import (
    NewLinkedTicket,
    Refused,
    Status,
    StatusEvent,
    Transition,
    next_status,
    requested_event,
)
from mailticket.domain.types import TicketFacts

EVENT_OF_STATE: dict[str, StatusEvent] = {
    Status.OPEN: StatusEvent.REOPENED,
    Status.IN_PROGRESS: StatusEvent.STARTED,
    Status.WAITING: StatusEvent.WAITS_FOR_CUSTOMER,
    Status.ON_HOLD: StatusEvent.PUT_ON_HOLD,
    Status.RESOLVED: StatusEvent.RESOLVED_BY_AGENT,
    Status.CLOSED: StatusEvent.CLOSED_BY_AGENT,
    Status.ARCHIVED: StatusEvent.ARCHIVED,
}
"""How an agent brings a ticket into each state."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A status somebody asks for: what moves the ticket there, and the house's own status if it is one."""

    event: StatusEvent
    custom: str | None = None


def wanted_status(typed: str, desk: Desk) -> Wanted | Refused:
    """What a status written by a person means: one of the house's own, else a state. Names all otherwise."""
    found = resolve(typed, desk.statuses, "status") if desk.statuses else Unknown("")
    if not isinstance(found, Unknown):
        return Wanted(EVENT_OF_STATE[desk.statuses[found].state], found)
    event = requested_event("status", typed)
    if not isinstance(event, Refused):
        return Wanted(event)
    own = ", ".join(one.name for one in desk.statuses.values())
    return Refused(f"{event.reason}, {own}" if own else event.reason)


def moved(ticket: TicketFacts, wanted: Wanted, desk: Desk) -> Transition | Refused:
    """Where an agent's wish brings a ticket. To another status of its own state it can always go."""
    if wanted.custom is not None and desk.statuses[wanted.custom].state == ticket.status:
        name = desk.statuses[wanted.custom].name
        return Transition(Status(ticket.status), f"it is {name} now")
    found = next_status(ticket.status, wanted.event)
    assert not isinstance(found, NewLinkedTicket)  # only for customers
    if wanted.custom is None or isinstance(found, Refused):
        return found
    return Transition(found.new, f"{found.reason} ({desk.statuses[wanted.custom].name})")


def status_change(desk: Desk, ticket: int | None, wanted: str, actor: str, why: str) -> SetField:
    """The change that gives a new ticket a status: a key of the house's own, or a state.

    For what the configuration says, whose names are checked; KeyError or ValueError for another one.
    From open every state can be reached, so nothing has to be asked.
    """
    own = desk.statuses.get(wanted)
    if own is not None:
        return SetField(ticket, "status", own.state, actor, why, custom=wanted)
    return SetField(ticket, "status", Status(wanted), actor, why)


def status_name(desk: Desk, state: str, custom: str | None) -> str:
    """A ticket's status in people's words."""
    own = desk.statuses.get(custom or "")
    return own.name if own is not None else state_words(state)


def state_words(state: str) -> str:
    """A state in people's words: "in progress", "waiting for customer"."""
    return "waiting for customer" if state == Status.WAITING else state.replace("-", " ")
