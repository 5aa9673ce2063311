"""What a desk achieved in a period: promises met and missed, how long answers took, what came back.

A promise belongs to the period in which it was decided: when it was kept, or when its time was used
up. So every promise is counted once, in whatever periods reports are made. It is counted for the
department, agent, topic or priority the ticket had at that moment. Tickets that came in, and those
open now, are counted where they are now.

How long a first response and a resolution took is measured for every ticket that got one in the
period, promised or not, in the working time of its plan (without a plan around the clock). Merged
tickets are left out: they live on in others.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from math import ceil
from typing import Final, Literal, get_args

from mailticket.config.desk import Desk
from mailticket.config.promise import TARGETS, Target
from mailticket.domain.clock_runs import RUNS, resolution_runs
from mailticket.domain.clocks import Clock, ClockEventKind, every_clock, spoken
from mailticket.domain.history import Field, TicketStory
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.status import Status

By = Literal["department", "agent", "topic", "priority"]
BYS: tuple[By, ...] = get_args(By)

_FIELD: Final[Mapping[By, Field]] = {
    "department": "department",
    "agent": "assignee",
    "topic": "topic",
    "priority": "priority",
}
_NOTHING = timedelta(0)
_STEPS = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=7), timedelta(days=30))
_MOST_POINTS = 150


@dataclass(frozen=True, slots=True)
class TargetFigures:
    """One target of one group.

    met, missed  promises decided in the period
    measured     how many lengths the percentiles are of
    p50, p90     working time in which half, and nine of ten, were done; None when none was
    """

    target: Target
    met: int
    missed: int
    measured: int
    p50: timedelta | None
    p90: timedelta | None

    @property
    def share_met(self) -> float | None:
        """Kept promises of all, 0 to 1; None without any."""
        return self.met / (self.met + self.missed) if self.met or self.missed else None


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """One line of the report. `key` None stands for tickets without such a value: unassigned, no topic.

    resolved   how often tickets were resolved in the period
    reopened   how many of these came back, until now
    open       unfinished now; `overdue` of them have a promise that is late
    """

    key: str | None
    name: str
    created: int
    resolved: int
    reopened: int
    open: int
    overdue: int
    targets: tuple[TargetFigures, ...]

    @property
    def reopen_rate(self) -> float | None:
        """Resolutions that did not last, 0 to 1; None without any resolution."""
        return self.reopened / self.resolved if self.resolved else None

    def of(self, target: Target) -> TargetFigures:
        """The figures of one target."""
        return next(item for item in self.targets if item.target == target)


@dataclass(frozen=True, slots=True)
class SLAReport:
    """The report: groups by name, those without a value last; the total; unfinished tickets over time."""

    since: datetime
    until: datetime
    by: By
    groups: tuple[GroupFigures, ...]
    total: GroupFigures
    backlog: tuple[tuple[datetime, int], ...]

    @property
    def targets(self) -> tuple[Target, ...]:
        """The targets worth a column: first response and resolution, and whatever else was promised."""
        always = ("first_response", "resolution")
        return tuple(
            item.target
            for item in self.total.targets
            if item.target in always or item.met or item.missed or item.measured
        )


def measured(story: TicketStory, desk: Desk, times: WorkingTimes, now: datetime) -> tuple[Clock, ...]:
    """Every clock a ticket ever had under the desk's plans, as store/due.py would count them at `now`."""
    key = story.fields["sla_plan"]
    plan = desk.sla_plans.get(key) if key is not None else None
    if plan is None:
        return ()
    target_times = {target: times.of(plan.schedule_of(target)) for target in TARGETS}
    priority = story.fields["priority"] or ""
    working = times.of_plan(plan)
    return every_clock(plan, story.events, working, now, priority=priority, target_times=target_times)


def decided_at(clock: Clock) -> datetime | None:
    """When a promise was kept, or its time was used up; None while that is open."""
    if clock.state == "met":
        return clock.ended_at
    if clock.state == "missed":
        return clock.due_at or clock.ended_at
    return None


def percentile(lengths: Sequence[float], share: float) -> float | None:
    """The smallest of sorted `lengths` that at least `share` of them do not exceed (nearest rank)."""
    return lengths[max(ceil(share * len(lengths)), 1) - 1] if lengths else None


def backlog_moments(since: datetime, until: datetime) -> tuple[datetime, ...]:
    """The moments at which unfinished tickets are counted: evenly spaced, `until` the last."""
    length = until - since
    step = next((item for item in _STEPS if length / item < _MOST_POINTS), length / _MOST_POINTS)
    points = int(length / step)
    return tuple(until - step * back for back in range(points, -1, -1))


def share_words(share: float | None) -> str:
    """A share as people read it: "12 %", or "-" where there is none."""
    return "-" if share is None else f"{100 * share:.0f} %"


def length_words(length: timedelta | None) -> str:
    """A length of working time in words, or "-" where there is none."""
    return "-" if length is None else spoken(length)


@dataclass(slots=True)
class _TargetTally:
    met: int = 0
    missed: int = 0
    seconds: array[float] = field(default_factory=lambda: array("d"))


@dataclass(slots=True)
class _Tally:
    created: int = 0
    resolved: int = 0
    reopened: int = 0
    open: int = 0
    overdue: int = 0
    targets: dict[Target, _TargetTally] = field(
        default_factory=lambda: {target: _TargetTally() for target in TARGETS}
    )


class ReportBuilder:
    """Takes one story after the other, so that a million tickets need no more memory than their lengths.

    since, now: the period, aware UTC; `now` itself is not part of it. It may be past: what happened
    from then on does not count, and "now" is that moment.
    """

    def __init__(self, desk: Desk, times: WorkingTimes, by: By, since: datetime, now: datetime) -> None:
        self._desk = desk
        self._times = times
        self._by: By = by
        self._since = since
        self._now = now
        self._tallies: dict[str | None, _Tally] = {}
        self._moments = backlog_moments(since, now)
        self._changes = [0] * (len(self._moments) + 1)

    def add(self, story: TicketStory) -> None:
        """Count one ticket."""
        if story.status == Status.MERGED or story.created_at >= self._now:
            return
        story = story.until(self._now)
        if self._inside(story.created_at):
            self._at(story, self._now).created += 1
        self._count_spells(story)
        clocks = measured(story, self._desk, self._times, self._now)
        for clock in clocks:
            self._count_promise(story, clock)
        self._measure_unpromised(story, {clock.target for clock in clocks if clock.fixed is None})
        unfinished = any(spell.ended_at is None for spell in story.spells())
        if unfinished:
            tally = self._at(story, self._now)
            tally.open += 1
            tally.overdue += any(clock.overdue for clock in clocks)

    def result(self) -> SLAReport:
        """The report of all that was added."""
        names = _names(self._desk, self._by)
        groups = [
            _figures(key, names.get(key, key) if key is not None else _NOBODY[self._by], [tally])
            for key, tally in self._tallies.items()
        ]
        groups.sort(key=lambda group: (group.key is None, group.name.casefold(), group.key or ""))
        total = _figures(None, "all", list(self._tallies.values()))
        counts = accumulate(self._changes[:-1])
        backlog = tuple(zip(self._moments, counts, strict=True))
        return SLAReport(self._since, self._now, self._by, tuple(groups), total, backlog)

    def _inside(self, moment: datetime | None) -> bool:
        return moment is not None and self._since <= moment < self._now

    def _at(self, story: TicketStory, moment: datetime) -> _Tally:
        key = story.value(_FIELD[self._by], moment)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = _Tally()
        return tally

    def _count_spells(self, story: TicketStory) -> None:
        for spell in story.spells():
            self._changes[bisect_left(self._moments, spell.since)] += 1
            if spell.ended_at is not None:
                self._changes[bisect_left(self._moments, spell.ended_at)] -= 1
                if self._inside(spell.ended_at):
                    tally = self._at(story, spell.ended_at)
                    tally.resolved += 1
                    tally.reopened += spell.came_back

    def _count_promise(self, story: TicketStory, clock: Clock) -> None:
        decided = decided_at(clock)
        if decided is not None and self._inside(decided):
            tally = self._at(story, decided).targets[clock.target]
            if clock.state == "met":
                tally.met += 1
            else:
                tally.missed += 1
        if clock.fixed is None and clock.ended_at is not None and self._inside(clock.ended_at):
            seconds = clock.used.total_seconds()
            self._at(story, clock.ended_at).targets[clock.target].seconds.append(seconds)

    def _measure_unpromised(self, story: TicketStory, promised: set[Target]) -> None:
        """First response and resolution are of interest even where nobody promised any."""
        if not any(event.kind is ClockEventKind.CREATED for event in story.events):
            return
        key = story.fields["sla_plan"]
        plan = self._desk.sla_plans.get(key) if key is not None else None
        for target in ("first_response", "resolution"):
            if target in promised:
                continue
            if target == "resolution":
                run = resolution_runs(story.events, "continue")[0]
            else:
                run = RUNS["first_response"](story.events)[0]
            if run.ended_at is not None and self._inside(run.ended_at):
                working = self._times.of(plan.schedule_of(target) if plan is not None else None)
                used = sum((working.between(a, b or run.ended_at) for a, b in run.stretches), _NOTHING)
                tally = self._at(story, run.ended_at).targets[target]
                tally.seconds.append(used.total_seconds())


_NOBODY: Final[Mapping[By, str]] = {
    "department": "(no department)",
    "agent": "(nobody)",
    "topic": "(no topic)",
    "priority": "(no priority)",
}


def _names(desk: Desk, by: By) -> dict[str, str]:
    match by:
        case "department":
            return {key: item.name for key, item in desk.departments.items()}
        case "agent":
            return {key: item.name for key, item in desk.agents.items()}
        case "topic":
            return {key: item.name for key, item in desk.topics.items()}
        case "priority":
            return {key: item.name for key, item in desk.priorities.items()}


def _figures(key: str | None, name: str, tallies: Sequence[_Tally]) -> GroupFigures:
    return GroupFigures(
        key=key,
        name=name,
        created=sum(tally.created for tally in tallies),
        resolved=sum(tally.resolved for tally in tallies),
        reopened=sum(tally.reopened for tally in tallies),
        open=sum(tally.open for tally in tallies),
        overdue=sum(tally.overdue for tally in tallies),
        targets=tuple(_target(target, [tally.targets[target] for tally in tallies]) for target in TARGETS),
    )


def _target(target: Target, tallies: Iterable[_TargetTally]) -> TargetFigures:
    found = list(tallies)
    seconds = sorted(second for tally in found for second in tally.seconds)
    p50, p90 = percentile(seconds, 0.5), percentile(seconds, 0.9)
    return TargetFigures(
        target=target,
        met=sum(tally.met for tally in found),
        missed=sum(tally.missed for tally in found),
        measured=len(seconds),
        p50=timedelta(seconds=p50) if p50 is not None else None,
        p90=timedelta(seconds=p90) if p90 is not None else None,
    )
