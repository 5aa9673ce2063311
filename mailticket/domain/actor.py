"""The agent at work on a ticket, and what every effect of a command may look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mailticket.config.desk import Desk
from mailticket.domain.change import Change, SetField
from mailticket.domain.naming import Named, Unknown, resolve
from mailticket.domain.status import NewLinkedTicket, Refused, StatusEvent, Transition, next_status
from mailticket.domain.types import Facts, TicketFacts, Trust
from mailticket.mail.commands import Command, Commands, Problem
from mailticket.mail.types import Reading


@dataclass(frozen=True, slots=True)
class Actor:
    """An agent proven to have written a mail about a ticket, and all that a command in it may have to know.

    asked    all commands of the mail, and its text without them
    entry    the one the mail answers, as far as its token says, else 0
    now      aware UTC
    """

    key: str
    name: str
    trust: Trust
    ticket: TicketFacts
    desk: Desk
    facts: Facts
    reading: Reading
    asked: Commands
    entry: int
    now: datetime

    @property
    def identity(self) -> str:
        """Who the agent is in events and entries."""
        return f"agent:{self.key}"

    def field(self, name: str, value: str | None, why: str, *, custom: str | None = None) -> SetField:
        """The change of one field of the ticket by this agent. custom: a status of the house's own."""
        return SetField(self.ticket.id, name, value, self.identity, why, custom=custom)

    def moved(self, event: StatusEvent) -> Transition | Refused:
        """What an event of this agent makes of the ticket's status; an agent may reopen at any time."""
        found = next_status(self.ticket.status, event)
        assert not isinstance(found, NewLinkedTicket)  # only for customers
        return found

    def resolved(self, command: Command, things: Mapping[str, Named], what: str) -> str | Problem:
        """The key of what the command names, or the problem with the nearest command that would do."""
        found = resolve(command.argument, things, what)
        if not isinstance(found, Unknown):
            return found
        nearest = f"{self.desk.command_prefix}{command.name} {found.nearest}" if found.nearest else None
        return Problem(command.line, found.reason, nearest)


Effect = Callable[[Command, Actor], list[Change] | Problem]
"""What a command changes, or why it cannot: pure, and never half of it."""
