"""Commands about a ticket's life: its status, its help topic, its custom fields, who sees it besides."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from mailticket.domain.actor import Actor, Effect
from mailticket.domain.change import Change
from mailticket.domain.fields import FieldProblem, read_value, shown
from mailticket.domain.guards import why_not_ended
from mailticket.domain.naming import Unknown, resolve
from mailticket.domain.status import Refused, requested_event
from mailticket.domain.statuses import Wanted, moved, wanted_status
from mailticket.domain.tie_changes import Refer, SetCustomField, Unrefer
from mailticket.mail.commands import Command, Problem
from mailticket.mail.vocabulary import CommandName

_KEY_AND_VALUE = re.compile(r"([A-Za-z0-9][\w-]*)(?:\s*[:=]\s*|\s+)(.*)", re.DOTALL)


def status(command: Command, actor: Actor) -> list[Change] | Problem:
    """The ticket moves to the state or the status of the house's own asked for, if it can go there."""
    wanted = _wanted(command, actor)
    if isinstance(wanted, Refused):
        return Problem(command.line, wanted.reason)
    found = moved(actor.ticket, wanted, actor.desk)
    if isinstance(found, Refused):
        return Problem(command.line, found.reason)
    solution = f": {command.argument}" if command.name is CommandName.CLOSE and command.argument else ""
    why = f"{actor.name}: {found.reason}{solution}"
    return [actor.field("status", found.new, why, custom=wanted.custom)]


def _wanted(command: Command, actor: Actor) -> Wanted | Refused:
    if command.name is CommandName.STATUS:
        return wanted_status(command.argument, actor.desk)
    event = requested_event(command.name)
    return event if isinstance(event, Refused) else Wanted(event)


def not_ended(actor: Actor, changes: Sequence[Change]) -> list[Problem]:
    """What has to be known before the mail may resolve or close the ticket, all its commands together."""
    ending = [one for one in actor.asked.commands if one.name in _ENDING]
    solution = " ".join(one.argument for one in ending if one.name is CommandName.CLOSE)
    line = ending[0].line if ending else ""
    prefix = actor.desk.command_prefix
    return [
        Problem(line, one.reason, f"{prefix}{one.command}")
        for one in why_not_ended(actor.desk, actor.ticket, changes, solution=solution)
    ]


def topic(command: Command, actor: Actor) -> list[Change] | Problem:
    """The ticket gets another help topic, or none."""
    if command.argument.casefold() == "none":
        return [actor.field("topic", None, f"{actor.name} takes the help topic away")]
    found = actor.resolved(command, actor.desk.topics, "help topic")
    if isinstance(found, Problem):
        return found
    return [
        actor.field("topic", found, f"{actor.name} sets the help topic to {actor.desk.topics[found].name}")
    ]


def field(command: Command, actor: Actor) -> list[Change] | Problem:
    """A custom field gets a value."""
    named = _KEY_AND_VALUE.fullmatch(command.argument)
    assert named is not None  # the command's shape
    fields, prefix = actor.desk.fields, actor.desk.command_prefix
    if not fields:
        return Problem(command.line, "this desk has no custom fields")
    key = resolve(named[1], fields, "field")
    if isinstance(key, Unknown):
        nearest = f"{prefix}field {key.nearest} {named[2]}" if key.nearest else None
        return Problem(command.line, key.reason, nearest)
    one = fields[key]
    if not one.belongs_to(actor.ticket.department, actor.ticket.topic):
        return Problem(command.line, f"tickets of this department and topic have no {one.name}")
    value = read_value(one, named[2])
    if isinstance(value, FieldProblem):
        example = value.nearest or (one.choices[0] if one.choices else "")
        return Problem(command.line, value.reason, f"{prefix}field {key} {example}" if example else None)
    if _contradicted(command, named[1], actor):
        return Problem(command.line, f"contradicts another line about {one.name}")
    why = f"{actor.name} sets {one.name} to {shown(value)}"
    if value is None:
        why = f"{actor.name} takes {one.name} away"
    return [SetCustomField(actor.ticket.id, key, value, actor.identity, why)]


def _contradicted(command: Command, name: str, actor: Actor) -> bool:
    """Whether another line of the mail gives the same field another value."""
    for other in actor.asked.commands:
        match = _KEY_AND_VALUE.fullmatch(other.argument) if other.name is CommandName.FIELD else None
        if match and match[1].casefold() == name.casefold() and other.argument != command.argument:
            return True
    return False


def refer(command: Command, actor: Actor) -> list[Change] | Problem:
    """Another department sees the ticket, or no more."""
    desk, ticket = actor.desk, actor.ticket
    found = actor.resolved(command, desk.departments, "department")
    if isinstance(found, Problem):
        return found
    where = desk.departments[found].name
    if command.name is CommandName.UNREFER:
        if found not in ticket.referred:
            return Problem(command.line, f"the ticket is not referred to {where}")
        return [Unrefer(ticket.id, found, actor.identity, f"{actor.name} ends the referral to {where}")]
    if found == ticket.department:
        return Problem(command.line, f"the ticket is in {where} already")
    return [Refer(ticket.id, found, actor.identity, f"{actor.name} refers the ticket to {where}")]


_ENDING = (CommandName.CLOSE, CommandName.RESOLVE, CommandName.STATUS)
EFFECTS: Final[dict[CommandName, Effect]] = {
    CommandName.STATUS: status,
    CommandName.RESOLVE: status,
    CommandName.CLOSE: status,
    CommandName.REOPEN: status,
    CommandName.ARCHIVE: status,
    CommandName.TOPIC: topic,
    CommandName.FIELD: field,
    CommandName.REFER: refer,
    CommandName.UNREFER: refer,
}
