"""Who hears of a step of an SLA plan, when, and what the step does to the ticket.

An alert never goes to nobody: where a step names people the ticket has not got (an assignee, a
team), it goes to whomever the ticket concerns. Alerts of somebody who is away go to their deputy,
else to the department's manager, and only where there is neither to themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailticket.config.desk import Desk, Step
from mailticket.domain.absence import NOTHING_RECORDED, Presence, stand_in
from mailticket.domain.alert_switches import hearers
from mailticket.domain.assignment import after_transfer, alerted
from mailticket.domain.change import CallWebhook, Change, SetField, Tag
from mailticket.domain.routing import plan_after_transfer
from mailticket.domain.schedule import NeverOpens, WorkingTimes
from mailticket.domain.types import TicketFacts

SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody to be told. agent: the key, None for a mere address; why: in words, for the mail's foot."""

    identity: str
    agent: str | None
    address: str
    name: str
    why: str


def readers_of(
    steps: Iterable[Step],
    ticket: TicketFacts,
    desk: Desk,
    now: datetime,
    presence: Presence = NOTHING_RECORDED,
) -> tuple[Reader, ...]:
    """Who is told of these steps, each once; nobody only where no step tells anybody."""
    named = list(dict.fromkeys(name for step in steps for name in step.tell))
    if not named:
        return ()
    found: dict[str, Reader] = {}
    for name in named:
        for reader in _named(name, ticket, desk, now, presence):
            found.setdefault(reader.identity, reader)
    if not found:
        for reader in _named("concerned", ticket, desk, now, presence):
            found.setdefault(reader.identity, reader)
    return tuple(found.values())


def told_at(
    reader: Reader, steps: Iterable[Step], desk: Desk, times: WorkingTimes, now: datetime
) -> datetime:
    """When the reader may be told: now, or when their own hours begin, unless a step minds no hours."""
    agent = desk.agents.get(reader.agent or "")
    if agent is None or agent.schedule is None or any(step.any_hour for step in steps):
        return now
    try:
        return times.of(agent.schedule).next_open(now)
    except NeverOpens:
        return now


def _named(name: str, ticket: TicketFacts, desk: Desk, now: datetime, presence: Presence) -> Iterator[Reader]:
    if "@" in name:
        key = desk.agent_by_address.get(name.lower())
        if key is None:
            yield Reader(f"address:{name}", None, name, "", "the SLA plan names this address")
            return
        agents: Sequence[str] = (key,)
        why = "the SLA plan names you"
    else:
        agents, why = _people(name, ticket, desk)
    home = desk.departments.get(ticket.department)
    manager = home.manager if home is not None else None
    for agent in agents:
        if agent not in desk.agents:
            continue
        reader = stand_in(desk, agent, manager, now, presence)
        for_whom = why if reader == agent else f"{desk.agents[agent].name} is away ({why})"
        one = desk.agents[reader]
        yield Reader(f"agent:{reader}", reader, one.address, one.name, for_whom)


def _people(name: str, ticket: TicketFacts, desk: Desk) -> tuple[Sequence[str], str]:
    """Agents by what they are to the ticket, and why they are told."""
    kind, _, key = name.partition(":")
    home = desk.departments.get(ticket.department)
    team = desk.teams.get(key if kind == "team" and key else ticket.team or "")
    where = home.name if home is not None else ticket.department
    match kind:
        case "agent":
            return (key,), "the SLA plan names you"
        case "assignee":
            return ((ticket.assignee,) if ticket.assignee else ()), "the ticket is yours"
        case "team":
            return (team.members if team else ()), f"you are in team {team.name}" if team else ""
        case "lead":
            return ((team.lead,) if team and team.lead else ()), f"you lead {team.name}" if team else ""
        case "department":
            members = desk.members_of(ticket.department) if home is not None else ()
            return members, f"you work in {where}"
        case "manager":
            return ((home.manager,) if home and home.manager else ()), f"you manage {where}"
        case _:
            found = alerted(desk, ticket.department, ticket.assignee, ticket.team)
            told = hearers("overdue", found.agents, ticket, desk)
            return told, f"the ticket concerns {found.reason}"


def changes_of(steps: Iterable[Step], ticket: TicketFacts, desk: Desk, because: str) -> tuple[Change, ...]:
    """What these steps do to the ticket, in their order; a later one overrides an earlier one.

    because: where the promise stands, as the reason of each change.
    """
    fields: dict[str, SetField] = {}
    tags: dict[str, Tag] = {}

    def put(name: str, value: str | None, step: Step) -> None:
        if value is not None and value != getattr(ticket, name):
            fields[name] = SetField(ticket.id, name, value, SYSTEM, f"step {step.at}: {because}")

    steps = tuple(steps)
    for step in steps:
        if step.priority is not None and _more_urgent(step.priority, ticket.priority, desk):
            put("priority", step.priority, step)
        put("department", step.department, step)
        put("assignee", step.agent, step)
        put("team", step.team, step)
        for tag in step.tags:
            if tag not in ticket.tags:
                tags[tag] = Tag(ticket.id, tag, True, SYSTEM, f"step {step.at}: {because}")
    called = dict.fromkeys(webhook for step in steps for webhook in step.webhooks)
    calls = [CallWebhook(ticket.id, webhook, SYSTEM, because) for webhook in called]
    moved = fields.get("department")
    followed = _followed(moved, fields, ticket, desk) if moved is not None else ()
    return (*fields.values(), *followed, *tags.values(), *calls)


def _followed(
    moved: SetField, fields: dict[str, SetField], ticket: TicketFacts, desk: Desk
) -> Iterator[SetField]:
    """What a transfer brings with it: the new department's plan, and no assignee from elsewhere."""
    assert moved.value is not None
    if "assignee" not in fields:
        released = after_transfer(desk, moved.value, ticket.assignee, ticket.team)
        if released is not None:
            yield SetField(ticket.id, "assignee", released.agent, SYSTEM, released.reason)
    plan = plan_after_transfer(desk, ticket, moved.value)
    if plan != ticket.sla_plan:
        where = desk.departments[moved.value].name
        yield SetField(ticket.id, "sla_plan", plan, SYSTEM, f"the ticket is now in {where}")


def _more_urgent(wanted: str, present: str, desk: Desk) -> bool:
    new, old = desk.priorities.get(wanted), desk.priorities.get(present)
    return new is not None and (old is None or new.urgency < old.urgency)
