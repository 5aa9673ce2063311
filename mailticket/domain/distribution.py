"""Who gets a ticket that nobody was named for: a pure choice from facts, with the reason in words.

A department or a team says how (`assign`): its words are tried from left to right.

    sticky        whoever had the customer's last ticket, if they can take one now
    skill         of those who can, who knows most of what the ticket is about: topic, tags, language
    round_robin   the next one in the list after whoever had the last turn
    least_loaded  who has fewest tickets to work on; of equals, the next in turn

Nobody gets one who is away or has `most_open` tickets already. Of the others, those are asked whose
working hours are now, or begin first. Where nobody can, a team's lead gets it, if the lead can; else
nobody, and everybody concerned hears of it, as without any strategy.

What the choice needs to know is `Workload`; the caller sees to it that no other choice is made at the
same time, or two tickets would be given on the strength of one count (store/workload.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mailticket.config.desk import Desk
from mailticket.config.people import Strategy
from mailticket.domain.absence import Presence, absence_of, until_words
from mailticket.domain.schedule import NeverOpens, WorkingTimes


@dataclass(frozen=True, slots=True)
class Pool:
    """Those among whom a ticket is given out. key: such as "team:night"; name: for reasons."""

    key: str
    name: str
    members: tuple[str, ...]
    lead: str | None
    assign: tuple[Strategy, ...]


@dataclass(frozen=True, slots=True)
class Workload:
    """What a choice rests on; only what the pool's words ask for is filled in.

    open   tickets to work on, by agent; turn: who of the pool was given the last one; last: who had the
           customer's last ticket
    """

    open: Mapping[str, int] = field(default_factory=dict)
    turn: str | None = None
    last: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Who gets it; None for nobody. The reason is in words."""

    agent: str | None
    reason: str


def pool_of(
    desk: Desk, department: str, team: str | None, assign: tuple[Strategy, ...] | None = None
) -> Pool | None:
    """Among whom a ticket of this department and team is given out; None where agents take them themselves.

    assign: what a rule says, before team and department.
    """
    group, home = desk.teams.get(team or ""), desk.departments.get(department)
    if group is not None and team is not None:
        how = assign if assign is not None else group.assign
        return Pool(f"team:{team}", group.name, group.members, group.lead, how) if how else None
    if home is None:
        return None
    how = assign if assign is not None else home.assign
    members = desk.members_of(department)
    return Pool(f"department:{department}", home.name, members, None, how) if how else None


def wants_counts(pool: Pool, desk: Desk) -> bool:
    """Whether a choice in this pool looks at how much everybody has."""
    capped = any(desk.agents[one].most_open is not None for one in everybody(pool, desk))
    return capped or "least_loaded" in pool.assign


def everybody(pool: Pool, desk: Desk) -> tuple[str, ...]:
    """The agents who may get a ticket of the pool, the lead last."""
    lead = (pool.lead,) if pool.lead is not None else ()
    return tuple(one for one in dict.fromkeys((*pool.members, *lead)) if one in desk.agents)


def choose(
    pool: Pool,
    workload: Workload,
    about: Collection[str],
    desk: Desk,
    presence: Presence,
    times: WorkingTimes,
    now: datetime,
    *,
    but: Collection[str] = (),
) -> Choice:
    """Who of the pool gets the ticket.

    about: what it is about, as skills name it; but: those who shall not get it. times: the desk's schedules.
    """
    members = tuple(one for one in pool.members if one in desk.agents and one not in but)
    hindered = {one: _hindered(one, workload, desk, presence, now) for one in everybody(pool, desk)}
    free = [one for one in members if hindered[one] is None]
    notes = [why for one in members if (why := hindered[one]) is not None]
    if not free:
        return _fallback(pool, desk, hindered, notes, but)
    free = _working(free, desk, times, now)
    said: list[str] = []
    for how in pool.assign:
        if how == "sticky":
            if workload.last in free:
                who = desk.agents[workload.last].name
                return Choice(workload.last, _worded(f"sticky: {who} had the customer's last ticket", notes))
        elif how == "skill":
            free, word = _skilled(free, about, desk)
            said += [word] if word else []
        else:
            return _picked(how, pool, free, workload, desk, said, notes)
    return Choice(None, _worded(f"{pool.name} gives out by {_names(pool)} only, which found nobody", notes))


def _picked(
    how: str,
    pool: Pool,
    free: Sequence[str],
    workload: Workload,
    desk: Desk,
    said: list[str],
    notes: list[str],
) -> Choice:
    in_turn = _in_turn(everybody(pool, desk), workload.turn, free)
    if how == "least_loaded":
        least = min(workload.open.get(one, 0) for one in free)
        chosen = next(one for one in in_turn if workload.open.get(one, 0) == least)
        why = f"least loaded: {desk.agents[chosen].name} has {least} to work on"
    else:
        chosen = in_turn[0]
        after = desk.agents[workload.turn].name if workload.turn in desk.agents else None
        why = f"round robin: after {after} comes {desk.agents[chosen].name}" if after else (
            f"round robin: {desk.agents[chosen].name} is the first"
        )  # fmt: skip
    return Choice(chosen, _worded("; ".join((*said, why)), notes))


def _hindered(agent: str, workload: Workload, desk: Desk, presence: Presence, now: datetime) -> str | None:
    """Why an agent can be given nothing now, in words; None for one who can."""
    one = desk.agents[agent]
    absence = absence_of(desk, presence, agent, now)
    if absence is not None:
        return f"{one.name} is away {until_words(desk, absence)}"
    count = workload.open.get(agent, 0)
    if one.most_open is not None and count >= one.most_open:
        return f"{one.name} has {count} of {one.most_open}"
    return None


def _fallback(
    pool: Pool, desk: Desk, hindered: Mapping[str, str | None], notes: list[str], but: Collection[str]
) -> Choice:
    lead = pool.lead
    if lead is not None and lead in desk.agents and lead not in but and hindered[lead] is None:
        why = f"nobody else of {pool.name} can take it, so {desk.agents[lead].name} does, who leads it"
        return Choice(lead, _worded(why, notes))
    return Choice(None, _worded(f"nobody of {pool.name} can take it now", notes))


def _working(free: Sequence[str], desk: Desk, times: WorkingTimes, now: datetime) -> list[str]:
    """Those at work now, or whose work begins first. Who has no hours is always at work."""
    begins = {one: _begins(one, desk, times, now) for one in free}
    first = min((at for at in begins.values() if at is not None), default=None)
    return [one for one in free if begins[one] == first]


def _begins(agent: str, desk: Desk, times: WorkingTimes, now: datetime) -> datetime | None:
    schedule = desk.agents[agent].schedule
    if schedule is None:
        return now
    try:
        return times.of(schedule).next_open(now)
    except NeverOpens:
        return None


def _skilled(free: list[str], about: Collection[str], desk: Desk) -> tuple[list[str], str]:
    """Those who know most of what the ticket is about, and why in words; everybody where nobody knows any."""
    wanted = {one.casefold() for one in about}
    known = {one: wanted & {skill.casefold() for skill in desk.agents[one].skills} for one in free}
    most = max(len(skills) for skills in known.values())
    if most == 0:
        return free, ""
    best = [one for one in free if len(known[one]) == most]
    return best, f"skill: {', '.join(sorted(known[best[0]]))}"


def _in_turn(order: Sequence[str], last: str | None, free: Collection[str]) -> list[str]:
    """The free ones, beginning behind whoever had the last turn."""
    at = order.index(last) + 1 if last in order else 0
    return [one for one in (*order[at:], *order[:at]) if one in free]


def _names(pool: Pool) -> str:
    return " and ".join(word.replace("_", " ") for word in pool.assign)


def _worded(reason: str, notes: Sequence[str]) -> str:
    return "; ".join((reason, *notes))
