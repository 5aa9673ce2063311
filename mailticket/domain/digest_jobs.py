"""Who gets which digest, about which tickets, in which rhythm: the configuration made into jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mailticket.config.desk import Desk, NamedDigest
from mailticket.domain.schedule import NeverOpens, WorkingTimes
from mailticket.domain.slots import Rhythm, rhythm

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Queue:
    """Which unfinished tickets: those that meet all of it. None is no restriction.

    departments are in the configuration's order. `own_of` is an agent: tickets assigned to them.
    """

    departments: tuple[str, ...] | None = None
    teams: frozenset[str] | None = None
    topics: frozenset[str] | None = None
    priorities: frozenset[str] | None = None
    own_of: str | None = None
    unassigned: bool = False


@dataclass(frozen=True, slots=True)
class DigestJob:
    """One digest for one reader.

    key       names it in the database, with the reader; it must not change from one day to the next
    title     "" for the managers' daily one
    reader    an agent's key
    every_department  departments without a ticket are told too
    """

    key: str
    title: str
    reader: str
    reason: str
    queue: Queue
    beat: Rhythm
    when_empty: bool
    health: bool
    every_department: bool


def digest_jobs(desk: Desk, times: WorkingTimes) -> list[DigestJob]:
    """Every digest that is switched on, for each of its readers; none for keys that are no agents.

    times: the desk's schedules, compiled.
    """
    found = [*_daily(desk, times)]
    for key, digest in desk.digests.items():
        if digest.enabled:
            found += _named(f"digests.{key}", digest, desk, times)
    return found


def departments_managed(desk: Desk, manager: str) -> tuple[str, ...]:
    """Keys of the departments an agent manages, in the configuration's order."""
    return tuple(key for key, department in desk.departments.items() if department.manager == manager)


def zone_of_agent(desk: Desk, agent: str) -> ZoneInfo:
    """The zone an agent reads times in: their own, else the desk's."""
    known = desk.agents.get(agent)
    return ZoneInfo((known.time_zone if known else None) or desk.time_zone)


def _daily(desk: Desk, times: WorkingTimes) -> Iterator[DigestJob]:
    simple = desk.digest
    if not simple.enabled:
        return
    beat = rhythm(simple.at, simple.weekdays, None, _works_on(simple.schedule, times))
    for manager in _managers(desk):
        managed = departments_managed(desk, manager)
        yield DigestJob(
            key=f"daily:{manager}",
            title="",
            reader=manager,
            reason=_manages(desk, manager, managed),
            queue=Queue(departments=managed),
            beat=beat,
            when_empty=simple.when_empty,
            health=True,
            every_department=True,
        )


def _named(key: str, digest: NamedDigest, desk: Desk, times: WorkingTimes) -> Iterator[DigestJob]:
    beat = rhythm(digest.at, digest.weekdays, digest.cron, _works_on(digest.schedule, times))
    for reader in _readers(digest, desk):
        departments = _departments(digest, desk, reader)
        yield DigestJob(
            key=f"{key}:{reader}",
            title=digest.name,
            reader=reader,
            reason=f"you are a reader of the digest {digest.name}",
            queue=Queue(
                departments=departments,
                teams=frozenset(digest.teams) or None,
                topics=frozenset(digest.topics) or None,
                priorities=frozenset(digest.priorities) or None,
                own_of=reader if digest.scope == "own" else None,
                unassigned=digest.unassigned,
            ),
            beat=beat,
            when_empty=digest.when_empty,
            health=digest.health,
            every_department=digest.scope != "own" and departments is not None,
        )


def _managers(desk: Desk) -> list[str]:
    named = {department.manager for department in desk.departments.values()}
    return [key for key in desk.agents if key in named]


def _readers(digest: NamedDigest, desk: Desk) -> list[str]:
    if digest.readers:
        return [key for key in dict.fromkeys(digest.readers) if key in desk.agents]
    return _managers(desk) if digest.scope == "managed" else list(desk.agents)


def _departments(digest: NamedDigest, desk: Desk, reader: str) -> tuple[str, ...] | None:
    named = tuple(key for key in desk.departments if key in digest.departments)
    if digest.scope != "managed":
        return named or None
    managed = departments_managed(desk, reader)
    return tuple(key for key in managed if key in named) if named else managed


def _manages(desk: Desk, manager: str, departments: tuple[str, ...]) -> str:
    names = ", ".join(desk.departments[key].name for key in departments)
    return f"{desk.agents[manager].name} manages {names}"


def _works_on(schedule: str | None, times: WorkingTimes) -> Callable[[date], bool] | None:
    """Whether a schedule opens at all on a date of its own zone."""
    if schedule is None:
        return None
    working = times.of(schedule)

    def works(day: date) -> bool:
        opens = datetime.combine(day, time(0), working.zone).astimezone(UTC)
        closes = datetime.combine(day + _DAY, time(0), working.zone).astimezone(UTC)
        try:
            return working.between(opens, closes) > timedelta(0)
        except NeverOpens:
            return False

    return works
