"""Who has a ticket, and who hears of it, each with the reason in words.

Alerts go to the first of these that names anybody who is still an agent here: the assignee, the
team, the department's members, its manager, the managers of the other departments, every agent.
osTicket stops at an empty department and tells nobody, not even the manager (desks.md 1.9).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mailticket.config.desk import Desk, Team


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who has the ticket from now on; None for nobody."""

    agent: str | None
    team: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Alerted:
    """Keys of the agents to alert, each once; empty only where the desk has no agent at all."""

    agents: tuple[str, ...]
    reason: str


def claim_on_reply(
    desk: Desk, department: str, assignee: str | None, team: str | None, agent: str
) -> Assignment | None:
    """The first agent to answer an unassigned ticket gets it; None where nothing changes.

    A team keeps the ticket: the agent only becomes the one of it who works on it.
    """
    if assignee is not None or not desk.home_of(department).auto_assign_on_reply:
        return None
    return Assignment(agent, team, f"{desk.agents[agent].name} is the first to answer the unassigned ticket")


def assign(
    desk: Desk, by: str, *, assignee: str | None, team: str | None, agent: str | None
) -> Assignment | None:
    """What agent `by` does by giving the ticket of `assignee` to `agent` (None: to nobody).

    None where nothing changes.
    """
    if agent == assignee:
        return None
    name = desk.agents[by].name
    if agent is None:
        return Assignment(None, team, f"{name} gives the ticket back")
    if agent == by:
        return Assignment(agent, team, f"{name} takes the ticket" + _from(desk, assignee))
    return Assignment(
        agent, team, f"{name} assigns the ticket to {desk.agents[agent].name}" + _from(desk, assignee)
    )


def after_transfer(desk: Desk, department: str, assignee: str | None, team: str | None) -> Assignment | None:
    """A transfer releases an assignee who does not work in the new department; None where nothing changes."""
    if assignee is None or assignee in desk.members_of(department):
        return None
    where = desk.departments[department].name
    return Assignment(None, team, f"{_name(desk, assignee)} does not work in {where}")


def alerted(desk: Desk, department: str, assignee: str | None = None, team: str | None = None) -> Alerted:
    """Whom a ticket of this department, assignee and team concerns. Never raises for keys nobody has."""
    home = desk.departments.get(department)
    group = desk.teams.get(team) if team is not None else None
    lead = (group.lead,) if group is not None and group.lead is not None else ()
    managers = [item.manager for item in desk.departments.values() if item.manager is not None]
    offers: tuple[tuple[Iterable[str], str], ...] = (
        ((assignee,) if assignee is not None else (), "the assignee"),
        ((*listening(group), *lead) if group is not None else (), f"team {group.name}" if group else ""),
        (desk.members_of(department) if home is not None else (), f"{home.name}'s members" if home else ""),
        (
            (home.manager,) if home is not None and home.manager is not None else (),
            "the department's manager",
        ),
        (managers, "all managers, because the department has nobody"),
        (desk.agents, "all agents, because the department has nobody and there is no manager"),
    )
    for people, reason in offers:
        known = tuple(dict.fromkeys(person for person in people if person in desk.agents))
        if known:
            return Alerted(known, reason)
    return Alerted((), "the desk has no agents")


def listening(team: Team) -> tuple[str, ...]:
    """The members who want to hear of the team's tickets; all where nobody does."""
    return tuple(one for one in team.members if one not in team.quiet) or team.members


def _name(desk: Desk, agent: str) -> str:
    return desk.agents[agent].name if agent in desk.agents else agent


def _from(desk: Desk, assignee: str | None) -> str:
    return f", which {_name(desk, assignee)} had" if assignee is not None else ""
