"""Who is away, until when, and who stands in. The one source of truth for alerts and for new work.

An absence comes from the configuration (`away`), from the agent's own `#away`, from an operator, or is
learnt from an out-of-office reply to one of our alerts. What was recorded last counts before what was
recorded earlier, and anything recorded before the configuration: so `#back` ends a holiday early.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from mailticket.config.desk import Desk
from mailticket.config.values import parse_days

_MOST_DEPUTIES: Final = 20


class Source(enum.StrEnum):
    """How an absence became known."""

    CONFIGURATION = "configuration"
    COMMAND = "command"
    OPERATOR = "operator"
    AUTO_REPLY = "auto-reply"


@dataclass(frozen=True, slots=True)
class Absence:
    """An agent is not there from `since` up to `until` (aware UTC); `until` None: until they say so.

    deputy  who stands in, where it is somebody else than the agent's usual deputy
    here    the opposite: the agent is there after all, whatever was known before
    id      0 for one of the configuration
    """

    agent: str
    since: datetime
    until: datetime | None
    source: Source
    deputy: str | None = None
    reason: str = ""
    here: bool = False
    id: int = 0

    def covers(self, now: datetime) -> bool:
        """Whether it holds at `now`."""
        return self.since <= now and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class Presence:
    """What is recorded of absences that are not over, oldest first. Small: one row per absent agent."""

    recorded: tuple[Absence, ...] = ()

    def last_word(self, agent: str, now: datetime) -> Absence | None:
        """What was recorded last about an agent and holds at `now`."""
        return next((one for one in reversed(self.recorded) if one.agent == agent and one.covers(now)), None)


NOTHING_RECORDED: Final = Presence()


def absence_of(desk: Desk, presence: Presence, agent: str, now: datetime) -> Absence | None:
    """Why an agent counts as away at `now`; None for one who is there, or is no agent."""
    recorded = presence.last_word(agent, now)
    if recorded is not None:
        return None if recorded.here else recorded
    return configured(desk, agent, now)


def configured(desk: Desk, agent: str, now: datetime) -> Absence | None:
    """The absence that the configuration has for an agent at `now`, by the agent's own calendar."""
    one = desk.agents.get(agent)
    if one is None or not one.away:
        return None
    zone = zone_of(desk, agent)
    today = now.astimezone(zone).date()
    for first, last in map(parse_days, one.away):
        if first <= today <= last:
            begins = datetime.combine(first, time(0), zone).astimezone(UTC)
            ends = datetime.combine(last + timedelta(days=1), time(0), zone).astimezone(UTC)
            return Absence(agent, begins, ends, Source.CONFIGURATION)
    return None


def zone_of(desk: Desk, agent: str) -> ZoneInfo:
    """The zone in which an agent reads times."""
    one = desk.agents.get(agent)
    return ZoneInfo((one.time_zone if one is not None else None) or desk.time_zone)


def is_away(desk: Desk, agent: str, now: datetime, presence: Presence = NOTHING_RECORDED) -> bool:
    """Whether an agent is absent."""
    return absence_of(desk, presence, agent, now) is not None


def stand_in(
    desk: Desk, agent: str, manager: str | None, now: datetime, presence: Presence = NOTHING_RECORDED
) -> str:
    """Who gets what is meant for `agent`: themselves, while they are away their deputy, else `manager`.

    A deputy who is away has a deputy too. Only where nobody is there it is the agent all the same.
    """
    deputy = deputy_of(desk, agent, now, presence)
    if deputy is not None:
        return deputy
    if manager is not None and manager in desk.agents and not is_away(desk, manager, now, presence):
        return manager
    return agent


def deputy_of(desk: Desk, agent: str, now: datetime, presence: Presence = NOTHING_RECORDED) -> str | None:
    """The agent, or the first of the chain of deputies who is there; None where there is none."""
    seen: list[str] = []
    one: str | None = agent
    while one is not None and one not in seen and len(seen) < _MOST_DEPUTIES and one in desk.agents:
        absence = absence_of(desk, presence, one, now)
        if absence is None:
            return one
        seen.append(one)
        one = absence.deputy or desk.agents[one].deputy
    return None


def represented(
    desk: Desk, agent: str, now: datetime, presence: Presence = NOTHING_RECORDED
) -> tuple[str, ...]:
    """The agent, and everybody away for whom the agent stands in as a deputy."""
    absent = (one for one in desk.agents if one != agent and is_away(desk, one, now, presence))
    return (agent, *(one for one in absent if deputy_of(desk, one, now, presence) == agent))


def until_words(desk: Desk, absence: Absence) -> str:
    """ "until the end of Tue 1 Dec 2026", "until Tue 1 Dec 2026 14:00", or "until further notice"."""
    if absence.until is None:
        return "until further notice"
    there = absence.until.astimezone(zone_of(desk, absence.agent))
    if there.time() == time(0):
        last = there - timedelta(minutes=1)
        return f"until the end of {_day(last)}"
    return f"until {_day(there)} {there:%H:%M}"


def _day(moment: datetime) -> str:
    return f"{moment:%a} {moment.day} {moment:%b %Y}"
