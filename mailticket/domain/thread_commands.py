"""Commands about the thread itself: who takes part, where a message belongs, what becomes of a held reply."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailticket.config.desk import Desk
from mailticket.domain.access import collaborator
from mailticket.domain.change import AddParticipant, Change, MoveEntry, RemoveParticipant, SetField
from mailticket.domain.holding import approve, bare_word, deny, note_beside
from mailticket.domain.status import (
    NewLinkedTicket,
    Refused,
    Status,
    StatusEvent,
    Transition,
    next_status,
)
from mailticket.domain.types import Facts, TicketFacts, Trust
from mailticket.mail.commands import Command, CommandName, Commands, Problem
from mailticket.mail.types import Reading


@dataclass(frozen=True, slots=True)
class Actor:
    """The agent at work on a ticket, and all that a single command may have to know."""

    key: str
    name: str
    trust: Trust
    ticket: TicketFacts
    desk: Desk
    now: datetime

    @property
    def identity(self) -> str:
        """Who the agent is in events and entries."""
        return f"agent:{self.key}"

    def field(self, name: str, value: str | None, why: str) -> SetField:
        """The change of one field of the ticket by this agent."""
        return SetField(self.ticket.id, name, value, self.identity, why)

    def moved(self, event: StatusEvent) -> Transition | Refused:
        """What an event of this agent makes of the ticket's status; an agent may reopen at any time."""
        found = next_status(
            self.ticket.status,
            event,
        )
        assert not isinstance(found, NewLinkedTicket)  # only for customers
        return found


ALONE = (CommandName.APPROVE, CommandName.DENY, CommandName.MOVE)
"""Commands that change which ticket a mail is about: nothing else may depend on which one was meant."""


def spelled_out(text: str, actor: Actor) -> str:
    """On a held ticket the bare words `approve` and `deny` are commands."""
    if actor.ticket.held_for is None:
        return text
    wanted, rest = bare_word(text)
    if wanted is None:
        return text
    name = CommandName.APPROVE if wanted else CommandName.DENY
    return f"{actor.desk.command_prefix}{name}\n\n{rest}"


def done_alone(
    command: Command,
    reading: Reading,
    parsed: Commands,
    actor: Actor,
    facts: Facts,
    entry: int,
) -> list[Change] | Problem:
    """What a command that stands alone changes, or why it cannot. entry: the one the mail answers, or 0."""
    others = [one.line for one in parsed.commands if one is not command]
    if others:
        return Problem(others[0], f"{command.line.strip()} stands alone; send the other commands afterwards")
    if command.name is CommandName.MOVE:
        return _move(command, parsed, actor, facts, entry)
    who = (actor.identity, actor.name)
    done = (
        approve(actor.ticket, *who, actor.desk, actor.now)
        if command.name is CommandName.APPROVE
        else deny(actor.ticket, *who)
    )
    if isinstance(done, str):
        return Problem(command.line, done)
    if not parsed.body:
        return list(done)
    return [*done, note_beside(parsed.body, reading, *who, actor.trust, actor.ticket.id)]


def _move(
    command: Command, parsed: Commands, actor: Actor, facts: Facts, entry: int
) -> list[Change] | Problem:
    ticket, number = actor.ticket, command.argument
    if parsed.body:
        return Problem(command.line, "moves a message and takes no text; write to the ticket afterwards")
    if number.casefold() == "new":
        why = f"{actor.name} moves a message of #{ticket.number} to a new ticket"
        return [MoveEntry(ticket.id, entry, None, actor.identity, why)]
    target = facts.named.get(number)
    if target is None:
        return Problem(command.line, f"there is no ticket #{number}")
    if target.id == ticket.id:
        return Problem(command.line, f"this is ticket #{target.number} already")
    if target.status in (Status.ARCHIVED, Status.MERGED):
        return Problem(command.line, f"#{target.number} is {target.status} and takes no more messages")
    why = f"{actor.name} moves a message of #{ticket.number} to #{target.number}"
    return [MoveEntry(ticket.id, entry, target.id, actor.identity, why)]


def participant(command: Command, actor: Actor) -> list[Change] | Problem:
    """Collaborators get every answer from now on, and may write; nobody is sent what was said before."""
    ticket = actor.ticket
    address, problem = collaborator(actor.desk, command.argument)
    if address is None:
        return Problem(command.line, problem)
    if command.name is CommandName.CC:
        why = f"{actor.name} lets {address} take part"
        return [AddParticipant(ticket.id, address, "", actor.identity, why)]
    if address not in ticket.participants:
        return Problem(command.line, f"{address} takes no part in #{ticket.number}")
    if address == ticket.requester:
        return Problem(command.line, f"{address} opened #{ticket.number} and stays its requester")
    why = f"{actor.name} ends the part of {address}"
    return [RemoveParticipant(ticket.id, address, actor.identity, why)]


def undecided(actor: Actor) -> str:
    """Words on a held ticket: for its author, or for the ticket it points at? Nobody can tell."""
    prefix, ticket = actor.desk.command_prefix, actor.ticket
    assert ticket.held_for is not None
    return (
        f"#{ticket.number} is held: write approve as the first line to let {ticket.requester} take part in "
        f"#{ticket.held_for.number}, or deny to keep it apart; {prefix}note keeps your words inside"
    )
