"""What `#due`, `#ack` and `#sla` of an agent's mail change."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from mailticket.config.desk import Desk
from mailticket.domain.actor import Actor, Effect
from mailticket.domain.change import Acknowledge, Change, SetDue, SetField
from mailticket.domain.clocks import spoken
from mailticket.domain.duedate import parse_due
from mailticket.domain.naming import Unknown, resolve
from mailticket.domain.types import TicketFacts
from mailticket.mail.commands import Command, Problem
from mailticket.mail.vocabulary import CommandName


def promise_change(
    command: Command, ticket: TicketFacts, agent: str, desk: Desk, now: datetime
) -> list[Change] | Problem:
    """What agent `agent` does to a ticket's promises with one of these commands, or why it cannot be."""
    name, actor = desk.agents[agent].name, f"agent:{agent}"
    match command.name:
        case CommandName.ACK:
            return [Acknowledge(ticket.id, actor, f"{name} looks after it: alerts climb no further")]
        case CommandName.SLA:
            found = resolve(command.argument, desk.sla_plans, "SLA plan")
            if isinstance(found, Unknown):
                nearest = f"{desk.command_prefix}sla {found.nearest}" if found.nearest else None
                return Problem(command.line, found.reason, nearest)
            why = f"{name} sets the SLA plan to {desk.sla_plans[found].name}"
            return [SetField(ticket.id, "sla_plan", found, actor, why)]
        case _:
            return _due(command, ticket, agent, desk, now)


def _due(
    command: Command, ticket: TicketFacts, agent: str, desk: Desk, now: datetime
) -> list[Change] | Problem:
    one = desk.agents[agent]
    zone = ZoneInfo(one.time_zone or desk.time_zone)
    given = parse_due(command.argument, now, zone)
    if isinstance(given, str):
        return Problem(command.line, given, f"{desk.command_prefix}due +4h")
    if given.due is not None:
        why = f"{one.name} sets the due date to {given.due.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    elif given.after is not None:
        why = f"{one.name} sets the ticket due in {spoken(given.after)} of working time"
    else:
        why = f"{one.name} takes the due date back"
    return [SetDue(ticket.id, given.due, given.after, f"agent:{agent}", why)]


def _promise(command: Command, actor: Actor) -> list[Change] | Problem:
    return promise_change(command, actor.ticket, actor.key, actor.desk, actor.now)


EFFECTS: Final[dict[CommandName, Effect]] = {
    CommandName.DUE: _promise,
    CommandName.SLA: _promise,
    CommandName.ACK: _promise,
}
