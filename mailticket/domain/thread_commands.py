"""Commands about the thread itself: who takes part, where a message belongs, what becomes of a held reply."""

from __future__ import annotations

from typing import Final

from mailticket.config.desk import Desk
from mailticket.domain.access import collaborator
from mailticket.domain.actor import Actor, Effect
from mailticket.domain.change import AddParticipant, Change, MoveEntry, RemoveParticipant
from mailticket.domain.holding import approve, bare_word, deny, note_beside
from mailticket.domain.link_commands import other_ticket, taking_part_in_one
from mailticket.domain.permissions import Permission
from mailticket.domain.status import Status
from mailticket.domain.types import TicketFacts
from mailticket.mail.commands import Command, Problem
from mailticket.mail.vocabulary import CommandName


def spelled_out(text: str, ticket: TicketFacts, desk: Desk) -> str:
    """On a held ticket the bare words `approve` and `deny` are commands."""
    if ticket.held_for is None:
        return text
    wanted, rest = bare_word(text)
    if wanted is None:
        return text
    name = CommandName.APPROVE if wanted else CommandName.DENY
    return f"{desk.command_prefix}{name}\n\n{rest}"


def verdict(command: Command, actor: Actor) -> list[Change] | Problem:
    """What becomes of a held reply. Words beside it are a note."""
    who = (actor.identity, actor.name)
    done = (
        approve(actor.ticket, *who, actor.desk, actor.now)
        if command.name is CommandName.APPROVE
        else deny(actor.ticket, *who)
    )
    if isinstance(done, str):
        return Problem(command.line, done)
    words = actor.asked.body
    if not words:
        return list(done)
    return [*done, note_beside(words, actor.reading, *who, actor.trust, actor.ticket.id)]


def move(command: Command, actor: Actor) -> list[Change] | Problem:
    """The message the agent's alert was about belongs to another ticket, or to a new one."""
    ticket, number = actor.ticket, command.argument
    if actor.asked.body:
        return Problem(command.line, "moves a message and takes no text; write to the ticket afterwards")
    if number.casefold() == "new":
        why = f"{actor.name} moves a message of #{ticket.number} to a new ticket"
        return [MoveEntry(ticket.id, actor.entry, None, actor.identity, why)]
    target = other_ticket(number, command, actor, Permission.MERGE)
    if isinstance(target, Problem):
        return target
    apart = taking_part_in_one(ticket, target, actor.desk)
    if apart and len(actor.facts.messages.get(ticket.id, ())) < 2:
        told = f"would merge #{ticket.number} into #{target.number}, as it holds no other message"
        meant = f"{actor.desk.command_prefix}merge {target.number} anyway"
        return Problem(command.line, f"{told}, and {apart[0]} takes part in only one of the two", meant)
    if target.status in (Status.ARCHIVED, Status.MERGED):
        return Problem(command.line, f"#{target.number} is {target.status} and takes no more messages")
    why = f"{actor.name} moves a message of #{ticket.number} to #{target.number}"
    return [MoveEntry(ticket.id, actor.entry, target.id, actor.identity, why)]


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


EFFECTS: Final[dict[CommandName, Effect]] = {
    CommandName.CC: participant,
    CommandName.UNCC: participant,
}
ALONE: Final[dict[CommandName, Effect]] = {
    CommandName.APPROVE: verdict,
    CommandName.DENY: verdict,
    CommandName.MOVE: move,
}
