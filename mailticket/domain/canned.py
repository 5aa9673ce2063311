"""`#use KEY name=value`: a canned reply joins an agent's own words; and what a rule sends by itself.

Fails closed: a reply that is not there, or not for this department, a value that is missing, and one
that has no place, all stop the mail before anything reaches the customer.
"""

from __future__ import annotations

import re
from dataclasses import replace

from mailticket.config.desk import Desk
from mailticket.domain.actor import Actor
from mailticket.domain.change import Change
from mailticket.domain.naming import Unknown, resolve
from mailticket.domain.types import TicketFacts
from mailticket.mail.charset import clean_text
from mailticket.mail.commands import Command, Problem
from mailticket.mail.defang import defang
from mailticket.mail.vocabulary import CommandName

_VALUE = re.compile(r"""\s+([a-z][a-z0-9_]{0,39})=(?:"([^"]*)"|“([^”]*)”|„([^“”]*)[“”]|(\S+))""", re.I)
_LONGEST_VALUE = 2_000


def joined(actor: Actor) -> Actor:
    """The agent with the canned replies they use below their own words, in the order written.

    One that cannot be used is left out here; its command's effect says why, and stops the mail.
    """
    texts = [
        text
        for command in actor.asked.commands
        if command.name is CommandName.USE and not isinstance(text := _text(command, actor), Problem)
    ]
    if not texts:
        return actor
    body = "\n\n".join(filter(None, (actor.asked.body, *texts)))
    return replace(actor, asked=replace(actor.asked, body=body))


def for_rule(key: str, ticket: TicketFacts, desk: Desk) -> str | None:
    """The text of a canned reply that goes out by itself; None when it cannot be filled in.

    None too when the ticket has come to a department that the reply is not for.

    What the customer wrote is defanged in it: anybody can write in somebody else's name.
    """
    reply = desk.canned.get(key)
    if reply is None or not reply.fills_itself_in:
        return None
    if reply.departments and ticket.department not in reply.departments:
        return None
    values = {name: defang(value) for name, value in _about(ticket).items()}
    home = {"company.name": desk.name, "department.name": _department(ticket, desk)}
    return reply.filled(values | home)


def _use(command: Command, actor: Actor) -> list[Change] | Problem:
    """Nothing changes by itself: the text is in the agent's words already, or the mail stops here."""
    text = _text(command, actor)
    return text if isinstance(text, Problem) else []


def _text(command: Command, actor: Actor) -> str | Problem:
    key, values = _taken_apart(command.argument)
    if values is None:
        return _problem(command, actor, 'has words that are no value like link="https://..."', key)
    mine = {
        name: one
        for name, one in actor.desk.canned.items()
        if not one.departments or actor.ticket.department in one.departments
    }
    found = resolve(key, {name: _Titled(one.title) for name, one in mine.items()}, "canned reply")
    if isinstance(found, Unknown):
        return _problem(command, actor, found.reason, found.nearest or "")
    reply = mine[found]
    missing = [name for name in reply.asks_for if not values.get(name)]
    if missing:
        wanted = " ".join(f"{name}=..." for name in reply.asks_for)
        return _problem(command, actor, f"needs {', '.join(missing)}", f"{found} {wanted}")
    idle = [name for name in values if name not in reply.asks_for]
    if idle:
        return _problem(command, actor, f"{found} has no place for {', '.join(idle)}", found)
    known = _about(actor.ticket) | {
        "company.name": actor.desk.name,
        "department.name": _department(actor.ticket, actor.desk),
        "agent.name": actor.name,
    }
    return reply.filled(known | values)


class _Titled:
    """What `resolve` asks of the things it chooses among."""

    def __init__(self, name: str) -> None:
        self.name = name


def _taken_apart(argument: str) -> tuple[str, dict[str, str] | None]:
    """KEY and the values behind it; None instead of them where something else stands there."""
    key, _, _ = argument.partition(" ")
    rest, values = argument[len(key) :].rstrip(), dict[str, str]()
    while rest:
        match = _VALUE.match(rest)
        if match is None:
            return key, None
        written = next(group for group in match.groups()[1:] if group is not None)
        values[match[1].lower()] = clean_text(written, limit=_LONGEST_VALUE, one_line=True)
        rest = rest[match.end() :]
    return key, values


def _about(ticket: TicketFacts) -> dict[str, str]:
    return {
        "ticket.number": ticket.number,
        "ticket.subject": ticket.subject,
        "ticket.name": ticket.requester_name or ticket.requester,
    }


def _department(ticket: TicketFacts, desk: Desk) -> str:
    home = desk.departments.get(ticket.department)
    return home.name if home is not None else ticket.department


def _problem(command: Command, actor: Actor, reason: str, nearest: str) -> Problem:
    return Problem(
        command.line, reason, f"{actor.desk.command_prefix}use {nearest}".strip() if nearest else None
    )


EFFECTS = {CommandName.USE: _use}
