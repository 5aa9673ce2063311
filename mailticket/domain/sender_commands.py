"""Commands about who writes: `#owner`, `#spam` and `#ban`."""

from __future__ import annotations

from typing import Final

from mailticket.domain.access import collaborator
from mailticket.domain.actor import Actor, Effect
from mailticket.domain.change import Change, SetField, SetRequester, Tag
from mailticket.domain.people_changes import AddBan
from mailticket.domain.screening import kind_of, names
from mailticket.domain.sender import BanFacts
from mailticket.domain.status import Refused, StatusEvent
from mailticket.errors import Permanent
from mailticket.mail.address import canonical
from mailticket.mail.commands import Command, Problem
from mailticket.mail.vocabulary import CommandName

SPAM: Final = "spam"
"""The tag of a ticket that is spam: what its sender writes to it is kept and told to nobody."""


def owner(command: Command, actor: Actor) -> list[Change] | Problem:
    """Somebody else is the requester. The old one takes part no longer, unless this mail says #cc."""
    ticket, prefix = actor.ticket, actor.desk.command_prefix
    if "@" not in command.argument:
        nearest = f"{prefix}assign {command.argument}"
        return Problem(command.line, "needs the mail address of the new requester after it", nearest)
    address, problem = collaborator(actor.desk, command.argument)
    if address is None:
        return Problem(command.line, problem)
    if address == ticket.requester:
        return []
    others = (one.argument for one in actor.asked.commands if one.name is CommandName.CC)
    keep = ticket.requester in {canonical(other) for other in others}
    why = f"{actor.name} makes {address} the requester"
    why += "; the old one still takes part" if keep else "; the old one takes part no longer"
    return [SetRequester(ticket.id, address, keep, actor.identity, why)]


def spam(command: Command, actor: Actor) -> list[Change] | Problem:
    """Closed without a word to anybody outside; by configuration the sender is banned as well."""
    ticket = actor.ticket
    if actor.asked.body and not actor.asked.note:
        told = "sends nothing to anybody: take your words out, or keep them inside"
        return Problem(command.line, told, f"{actor.desk.command_prefix}note")
    moved = actor.moved(StatusEvent.CLOSED_BY_AGENT)
    if isinstance(moved, Refused):
        return Problem(command.line, moved.reason)
    why = f"{actor.name}: it is spam"
    changes: list[Change] = [
        Tag(ticket.id, SPAM, True, actor.identity, why),
        SetField(ticket.id, "status", moved.new, actor.identity, why, silent=True),
    ]
    if actor.desk.ban_spammers and _harmed(actor, ticket.requester) is None:
        told = f"{actor.name} says it is spam (#{ticket.number})"
        changes.append(
            AddBan(ticket.id, ticket.requester, told, actor.identity, f"{why}; its sender is banned")
        )
    return changes


def ban(command: Command, actor: Actor) -> list[Change] | Problem:
    """Mail of an address, or of a whole domain, is refused from now on; without a name, the requester's."""
    first, _, rest = command.argument.partition(" ")
    first = first.strip("<>,;")
    named = "@" in first or "*" in first or ("." in first.strip(".") and not first.endswith("."))
    wanted, said = (first, rest) if named else (actor.ticket.requester, command.argument)
    try:
        _, pattern = kind_of(wanted)
    except Permanent as problem:
        return Problem(command.line, str(problem))
    harmed = _harmed(actor, pattern)
    if harmed is not None:
        return Problem(command.line, f"{pattern} would ban {harmed}, which works here")
    reason = said.strip() or f"banned by {actor.name} from #{actor.ticket.number}"
    why = f"{actor.name} bans {pattern}" + (f": {said.strip()}" if said.strip() else "")
    return [AddBan(actor.ticket.id, pattern, reason, actor.identity, why)]


def _harmed(actor: Actor, pattern: str) -> str | None:
    """An address of this house that a ban would be about."""
    kind, text = kind_of(pattern)
    wanted = BanFacts(0, text, kind, "reject", "")
    here = (*actor.desk.agent_by_address, *actor.desk.department_by_address)
    return next((address for address in here if names(wanted, address)), None)


EFFECTS: Final[dict[CommandName, Effect]] = {
    CommandName.OWNER: owner,
    CommandName.SPAM: spam,
    CommandName.BAN: ban,
}
