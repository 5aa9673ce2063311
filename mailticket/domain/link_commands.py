"""Commands that tie tickets together or take one apart: merge, split, link, block.

A merge shows nobody what was said before: mails are not sent again. But all who take part in either
ticket get every answer from then on. So where somebody takes part in only one of the two, the merge is
refused with their addresses, until the agent says `anyway`.
"""

from __future__ import annotations

import re
from typing import Final

from mailticket.config.desk import Desk
from mailticket.domain.actor import Actor, Effect
from mailticket.domain.change import Change, Merge, MoveEntry
from mailticket.domain.numbers import mask_of
from mailticket.domain.permissions import Permission, why_no_access, why_not
from mailticket.domain.status import FINISHED, Refused, Status, StatusEvent
from mailticket.domain.tie_changes import Link, Unlink
from mailticket.domain.types import TicketFacts
from mailticket.mail.arguments import into
from mailticket.mail.commands import Command, Problem
from mailticket.mail.numbering import as_kept
from mailticket.mail.vocabulary import CommandName

_MOST_NAMED = 5
"""Addresses a refusal lists."""
_ENTRY = re.compile(r"(?:entry\s+)?([0-9]{1,18})(?:\s+|$)|last(?:\s+|$)", re.IGNORECASE | re.ASCII)
LONGEST_SUBJECT: Final = 200


def merge(command: Command, actor: Actor) -> list[Change] | Problem:
    """The ticket goes on in another one."""
    number, anyway = into(command.argument)
    target = other_ticket(number, command, actor, Permission.MERGE)
    if isinstance(target, Problem):
        return target
    if actor.asked.body:
        return Problem(command.line, f"takes no text; write to #{target.number} afterwards")
    why_refused = why_not_merged(actor.ticket, target, actor.desk, anyway=anyway)
    if why_refused is not None:
        meant = f"{actor.desk.command_prefix}merge {target.number} anyway"
        return Problem(command.line, why_refused, None if anyway else meant)
    why = f"{actor.name} merges #{actor.ticket.number} into #{target.number}"
    return [Merge(actor.ticket.id, target.id, actor.identity, why)]


def why_not_merged(source: TicketFacts, target: TicketFacts, desk: Desk, *, anyway: bool) -> str | None:
    """Why `source` cannot go on in `target`, as a sentence; None where it can."""
    for one in (source, target):
        if one.status in (Status.ARCHIVED, Status.MERGED):
            return f"#{one.number} is {one.status} and takes no more changes"
        if one.held_for is not None:
            return f"#{one.number} is held: approve or deny it first"
    if target.status in FINISHED and source.status not in FINISHED:
        return f"#{target.number} is {target.status}, and this one is not done: reopen #{target.number} first"
    apart = taking_part_in_one(source, target, desk)
    if apart and not anyway:
        shown = ", ".join(apart[:_MOST_NAMED]) + (" and others" if len(apart) > _MOST_NAMED else "")
        return (
            f"{shown} would get every answer in #{target.number} from then on, and "
            f"{'takes' if len(apart) == 1 else 'take'} part in only one of the two"
        )
    return None


def taking_part_in_one(source: TicketFacts, target: TicketFacts, desk: Desk) -> tuple[str, ...]:
    """Who takes part in only one of two tickets, but for colleagues whose organisation shares its tickets."""
    shared = _sharing(source.requester, desk)
    apart = sorted(source.participants ^ target.participants)
    if shared is None or _sharing(target.requester, desk) != shared:
        return tuple(apart)
    return tuple(one for one in apart if _sharing(one, desk) != shared)


def _sharing(address: str, desk: Desk) -> str | None:
    key = desk.organisation_of(address)
    return key if key is not None and desk.organisations[key].share else None


def split(command: Command, actor: Actor) -> list[Change] | Problem:
    """A message of the customer becomes a ticket of its own."""
    ticket = actor.ticket
    if actor.asked.body:
        return Problem(command.line, "takes a message out and takes no text; write to the ticket afterwards")
    messages = actor.facts.messages.get(ticket.id, ())
    named = _ENTRY.match(command.argument)
    entry, subject = actor.entry, command.argument
    if named is not None:
        entry, subject = int(named[1] or 0), command.argument[named.end() :]
    if named is not None and named[1] and entry not in messages:
        newest = f"{actor.desk.command_prefix}split last {command.argument}"
        return Problem(command.line, f"#{ticket.number} has no message {entry} of a customer", newest)
    if len(messages) < 2:
        return Problem(command.line, f"#{ticket.number} has no other message: there is nothing to split")
    if ticket.status in (Status.ARCHIVED, Status.MERGED):
        return Problem(command.line, f"#{ticket.number} is {ticket.status} and takes no more changes")
    why = f"{actor.name} makes a ticket of its own of a message of #{ticket.number}"
    numbers = mask_of(actor.desk, actor.now)
    subject = " ".join(subject.split())[:LONGEST_SUBJECT]
    return [MoveEntry(ticket.id, entry, None, actor.identity, why, subject, numbers)]


def link(command: Command, actor: Actor) -> list[Change] | Problem:
    """Two tickets have to do with each other, or no more."""
    other = other_ticket(command.argument, command, actor, None)
    if isinstance(other, Problem):
        return other
    linked = other.id in actor.facts.linked.get(actor.ticket.id, frozenset())
    if command.name is CommandName.LINK:
        why = f"{actor.name} links it with #{other.number}"
        return [] if linked else [Link(actor.ticket.id, other.id, actor.identity, why)]
    if not linked:
        return Problem(command.line, f"#{actor.ticket.number} and #{other.number} are not linked")
    return [
        Unlink(actor.ticket.id, other.id, actor.identity, f"{actor.name} ends the link with #{other.number}")
    ]


def block(command: Command, actor: Actor) -> list[Change] | Problem:
    """The ticket waits on hold until another one is finished."""
    ticket = actor.ticket
    other = other_ticket(command.argument, command, actor, None)
    if isinstance(other, Problem):
        return other
    if other.status in FINISHED:
        return Problem(command.line, f"#{other.number} is {other.status}: there is nothing to wait for")
    if ticket.id in actor.facts.waits.get(other.id, frozenset()):
        return Problem(
            command.line, f"#{other.number} waits for #{ticket.number} itself, by itself or by others"
        )
    moved = actor.moved(StatusEvent.PUT_ON_HOLD)
    if isinstance(moved, Refused):
        return Problem(command.line, moved.reason)
    why = f"{actor.name}: it waits for #{other.number}"
    tied = Link(ticket.id, other.id, actor.identity, why, blocks=True)
    return [tied, actor.field("status", moved.new, why)]


def other_ticket(
    number: str, command: Command, actor: Actor, wanted: Permission | None
) -> TicketFacts | Problem:
    """The other ticket a command names, if there is one that this agent may do it to."""
    target = actor.facts.named.get(as_kept(number))
    if target is None:
        return Problem(command.line, f"there is no ticket #{as_kept(number)}")
    if target.id == actor.ticket.id:
        return Problem(command.line, f"this is ticket #{target.number} itself")
    closed = (
        why_no_access(actor.desk, actor.key, target)
        if wanted is None
        else why_not(actor.desk, actor.key, target, wanted)
    )
    return target if closed is None else Problem(command.line, closed)


EFFECTS: Final[dict[CommandName, Effect]] = {
    CommandName.LINK: link,
    CommandName.UNLINK: link,
    CommandName.BLOCK: block,
}
ALONE: Final[dict[CommandName, Effect]] = {
    CommandName.MERGE: merge,
    CommandName.SPLIT: split,
}
