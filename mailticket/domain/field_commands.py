"""Commands that give a ticket's fields new values: who has it, where it is, its priority and tags."""

from __future__ import annotations

from typing import Final

from mailticket.domain.actor import Actor, Effect
from mailticket.domain.assignment import after_transfer, assign
from mailticket.domain.change import Change, Tag
from mailticket.domain.routing import plan_after_transfer
from mailticket.mail.commands import Command, Problem
from mailticket.mail.threading import bare_subject
from mailticket.mail.vocabulary import CommandName


def take(command: Command, actor: Actor) -> list[Change] | Problem:
    """The agent becomes the assignee."""
    return _assigned(actor.key, actor)


def unassign(command: Command, actor: Actor) -> list[Change] | Problem:
    """Nobody is the assignee any more."""
    return _assigned(None, actor)


def assign_to(command: Command, actor: Actor) -> list[Change] | Problem:
    """The agent of that name becomes the assignee; "me" is who writes."""
    if command.argument.casefold() in ("me", "myself"):
        return _assigned(actor.key, actor)
    found = actor.resolved(command, actor.desk.agents, "agent")
    return found if isinstance(found, Problem) else _assigned(found, actor)


def _assigned(agent: str | None, actor: Actor) -> list[Change]:
    ticket = actor.ticket
    given = assign(actor.desk, actor.key, assignee=ticket.assignee, team=ticket.team, agent=agent)
    return [] if given is None else [actor.field("assignee", given.agent, given.reason)]


def team(command: Command, actor: Actor) -> list[Change] | Problem:
    """The ticket goes to a team."""
    teams = actor.desk.teams
    found = actor.resolved(command, teams, "team")
    if isinstance(found, Problem):
        return found
    return [actor.field("team", found, f"{actor.name} sets the team to {teams[found].name}")]


def priority(command: Command, actor: Actor) -> list[Change] | Problem:
    """The ticket gets another priority."""
    priorities = actor.desk.priorities
    found = actor.resolved(command, priorities, "priority")
    if isinstance(found, Problem):
        return found
    return [actor.field("priority", found, f"{actor.name} sets the priority to {priorities[found].name}")]


def transfer(command: Command, actor: Actor) -> list[Change] | Problem:
    """A transfer also releases an assignee who does not work there, and brings the new department's plan."""
    desk, ticket = actor.desk, actor.ticket
    target = actor.resolved(command, desk.departments, "department")
    if isinstance(target, Problem):
        return target
    where = desk.departments[target].name
    changes: list[Change] = [
        actor.field("department", target, f"{actor.name} sets the department to {where}")
    ]
    released = after_transfer(desk, target, ticket.assignee, ticket.team)
    if released is not None:
        changes.append(actor.field("assignee", released.agent, released.reason))
    plan = plan_after_transfer(desk, ticket, target)
    if plan != ticket.sla_plan:
        changes.append(actor.field("sla_plan", plan, f"the ticket is now in {where}"))
    return changes


def subject(command: Command, actor: Actor) -> list[Change] | Problem:
    """The ticket gets another subject."""
    new, _ = bare_subject(command.argument, actor.desk.subject_tag)
    if not new:
        return Problem(command.line, "needs words that say what it is about")
    return [actor.field("subject", new, f"{actor.name} changes the subject")]


def tag(command: Command, actor: Actor) -> list[Change] | Problem:
    """A tag comes or goes."""
    add = command.name is CommandName.TAG
    why = f"{actor.name} {'adds' if add else 'removes'} the tag {command.argument}"
    return [Tag(actor.ticket.id, command.argument, add, actor.identity, why)]


EFFECTS: Final[dict[CommandName, Effect]] = {
    CommandName.TAKE: take,
    CommandName.ASSIGN: assign_to,
    CommandName.UNASSIGN: unassign,
    CommandName.TEAM: team,
    CommandName.TRANSFER: transfer,
    CommandName.PRIORITY: priority,
    CommandName.SUBJECT: subject,
    CommandName.TAG: tag,
    CommandName.UNTAG: tag,
}
