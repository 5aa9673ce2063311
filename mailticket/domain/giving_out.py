"""Where a decision leaves a ticket with nobody, and who gets it then. Pure; the choice is distribution.py's.

Two steps, because what a choice rests on is only read for tickets that need one:
`wanted` says that a decision leaves a ticket to be given out, and among whom; `given` puts the choice
into the decision. Between them the caller reads the workload.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from mailticket.config.desk import Desk
from mailticket.domain.absence import Presence, absence_of, deputy_of, until_words
from mailticket.domain.change import Decision, OpenTicket, SetField
from mailticket.domain.distribution import Choice, Pool, pool_of
from mailticket.domain.people_changes import TakeTurn
from mailticket.domain.types import Facts, TicketFacts

_SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A ticket to be given out: among whom, for which customer, and what it is about, as skills say it.

    but: who shall not get it
    """

    pool: Pool
    customer: str
    about: tuple[str, ...]
    but: tuple[str, ...] = ()


def wanted(decision: Decision, facts: Facts, desk: Desk, language: str | None) -> Wanted | None:
    """Among whom the ticket of a decision is given out; None where somebody has it, or nobody gives out."""
    opening = _opening(decision)
    if opening is not None:
        if opening.held or opening.assignee is not None or decision.quiet is not None:
            return None
        pool = pool_of(desk, opening.department, opening.team)
        about = _about(opening.topic, opening.tags, language)
        return None if pool is None else Wanted(pool, opening.requester, about)
    ticket = facts.tickets.get(decision.ticket or 0)
    return None if ticket is None else _moved(decision, ticket, desk, language)


def _moved(decision: Decision, ticket: TicketFacts, desk: Desk, language: str | None) -> Wanted | None:
    """A ticket that went to another department or team, and is left with nobody there."""
    fields = {one.name: one.value for one in decision.changes if isinstance(one, SetField)}
    if not {"department", "team"} & set(fields) or fields.get("assignee", ticket.assignee) is not None:
        return None
    team = fields.get("team", ticket.team)
    pool = pool_of(desk, fields.get("department") or ticket.department, team)
    about = _about(fields.get("topic", ticket.topic), ticket.tags, language)
    return None if pool is None else Wanted(pool, ticket.requester, about)


def given(decision: Decision, pool: Pool, choice: Choice) -> Decision:
    """The decision with the choice in it, and its reason in either case."""
    if choice.agent is None:
        return replace(decision, reasons=(*decision.reasons, f"given to nobody: {choice.reason}"))
    turn = TakeTurn(pool.key, choice.agent, choice.reason)
    opening = _opening(decision)
    if opening is not None:
        opened = replace(opening, assignee=choice.agent, why=f"{opening.why}; {choice.reason}")
        changes = tuple(opened if change is opening else change for change in decision.changes)
    else:
        field = SetField(decision.ticket, "assignee", choice.agent, _SYSTEM, choice.reason)
        changes = (*decision.changes, field)
    return replace(decision, changes=(*changes, turn), reasons=(*decision.reasons, choice.reason))


def wanted_again(ticket: TicketFacts, desk: Desk, language: str | None) -> Wanted | None:
    """Among whom a ticket is given out again, never to whoever has it; None where agents take them."""
    pool = pool_of(desk, ticket.department, ticket.team)
    but = (ticket.assignee,) if ticket.assignee is not None else ()
    about = _about(ticket.topic, ticket.tags, language)
    return None if pool is None else Wanted(pool, ticket.requester, about, but)


def given_back(
    ticket: TicketFacts, desk: Desk, lying: str, pool: Pool | None, choice: Choice | None
) -> tuple[SetField | TakeTurn, ...]:
    """The department gets a ticket back that its assignee left lying, and whoever was chosen gets it then.

    lying: for how long, in words; pool, choice: among whom it is given out and who was chosen, if at all
    """
    had = ticket.assignee or ""
    name = desk.agents[had].name if had in desk.agents else had
    why = f"{name} has done nothing on it for {lying}, and it waits for the desk"
    if pool is None or choice is None:
        return (SetField(ticket.id, "assignee", None, _SYSTEM, why),)
    if choice.agent is None:
        return (SetField(ticket.id, "assignee", None, _SYSTEM, f"{why}; {choice.reason}"),)
    return (
        SetField(ticket.id, "assignee", None, _SYSTEM, why),
        SetField(ticket.id, "assignee", choice.agent, _SYSTEM, choice.reason),
        TakeTurn(pool.key, choice.agent, choice.reason),
    )


def deputised(decision: Decision, desk: Desk, presence: Presence, now: datetime) -> Decision:
    """New work named for an agent who is away goes to the deputy; without one it is left to be given out."""
    opening = _opening(decision)
    if opening is None or opening.assignee is None:
        return decision
    absence = absence_of(desk, presence, opening.assignee, now)
    if absence is None:
        return decision
    name = desk.agents[opening.assignee].name
    deputy = deputy_of(desk, opening.assignee, now, presence)
    why = f"{name} is away {until_words(desk, absence)}"
    why += f": {desk.agents[deputy].name} gets it" if deputy is not None else ", and nobody stands in"
    changed = replace(opening, assignee=deputy, why=f"{opening.why}; {why}")
    changes = tuple(changed if change is opening else change for change in decision.changes)
    return replace(decision, changes=changes, reasons=(*decision.reasons, why))


def _opening(decision: Decision) -> OpenTicket | None:
    return next((one for one in decision.changes if isinstance(one, OpenTicket)), None)


def _about(topic: str | None, tags: tuple[str, ...], language: str | None) -> tuple[str, ...]:
    return tuple(one for one in (topic, *tags, language) if one)
