"""What would have been: history told again under other plans, schedules and rules.

The tickets that came in during a period are judged twice: as they were, under the desk as it is
configured; and as they would have been under another one. What people did stays as it was, and when
they did it: the simulation changes where a ticket went at first and what was promised for it, never
how fast anybody worked.

Where the rules of both desks come to different values for the mail that opened a ticket, the ticket
gets the new value from its beginning, until somebody changed that field by hand. A promise counts
once it is kept or its time is used up; one still running counts for neither.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from mailticket.config.desk import Desk
from mailticket.config.promise import TARGETS, Target
from mailticket.domain.clocks import Clock
from mailticket.domain.history import FIELDS, Field, TicketStory
from mailticket.domain.report import decided_at, measured
from mailticket.domain.routing import Route
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.status import Status

Dimension = Literal["department", "team", "agent"]
_DIMENSIONS: tuple[tuple[Dimension, Field], ...] = (
    ("department", "department"),
    ("team", "team"),
    ("agent", "assignee"),
)
_ROUTED: tuple[tuple[Field, str], ...] = (
    ("department", "department"),
    ("topic", "topic"),
    ("priority", "priority"),
    ("sla_plan", "sla_plan"),
    ("assignee", "agent"),
    ("team", "team"),
)


@dataclass(frozen=True, slots=True)
class Promises:
    """Promises kept and broken."""

    met: int
    missed: int


@dataclass(frozen=True, slots=True)
class TargetChange:
    """One target, then and now."""

    target: Target
    then: Promises
    now: Promises


@dataclass(frozen=True, slots=True)
class LoadChange:
    """A department, team or agent: the tickets that came to it at first, and promises it broke.

    A promise is broken by whoever had the ticket when its time was used up.
    """

    dimension: Dimension
    key: str
    tickets_then: int
    tickets_now: int
    missed_then: int
    missed_now: int


@dataclass(frozen=True, slots=True)
class TicketChange:
    """A ticket that the other desk would have judged or routed differently.

    broken, kept  targets missed only now, and only then
    moved         (field, then, now) of what the rules came to
    rejected      the new rules would have refused the mail that opened it
    """

    number: str
    subject: str
    broken: tuple[Target, ...]
    kept: tuple[Target, ...]
    moved: tuple[tuple[Field, str | None, str | None], ...]
    rejected: bool = False


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """What came of it.

    tickets   judged in all; `rerouted` of them with the mail that opened them at hand
    breached_then, breached_now  tickets with at least one broken promise
    changes   at most as many as asked for, the newly broken first; `changed` counts all
    """

    since: datetime
    until: datetime
    tickets: int
    rerouted: int
    moved: int
    rejected: int
    breached_then: int
    breached_now: int
    targets: tuple[TargetChange, ...]
    loads: tuple[LoadChange, ...]
    changed: int
    changes: tuple[TicketChange, ...]


def same_routing(then: Desk, now: Desk) -> bool:
    """Whether both desks send every mail to the same place, so that no mail needs to be read again."""
    names = ("rules", "topics", "departments", "default_department", "default_priority", "default_sla_plan")
    return all(getattr(then, name) == getattr(now, name) for name in names)


def rerouted(story: TicketStory, then: Route, now: Route) -> TicketStory:
    """The story as it would have begun under other rules; what was changed by hand later stays changed."""
    fields = dict(story.fields)
    changes = list(story.changes)
    for name, routed in _ROUTED:
        before, after = getattr(then, routed), getattr(now, routed)
        if before == after:
            continue
        at_once = [c for c in changes if c.name == name and c.at <= story.created_at]
        later = [c for c in changes if c.name == name and c.at > story.created_at]
        if later:
            changes[changes.index(later[0])] = replace(later[0], before=after)
        else:
            fields[name] = after
        for change in at_once:  # the log of a new ticket may tell its first assignee
            changes.remove(change)
    return replace(story, fields=fields, changes=tuple(changes))


class Simulation:
    """Takes one ticket after the other, so that memory does not grow with them.

    since, until: the period, aware UTC; `until` is now. most: how many changed tickets to keep.
    """

    def __init__(
        self,
        then: tuple[Desk, WorkingTimes],
        now: tuple[Desk, WorkingTimes],
        since: datetime,
        until: datetime,
        most: int,
    ) -> None:
        self._then = then
        self._now = now
        self._since = since
        self._until = until
        self._most = most
        self._counts: Counter[str] = Counter()
        self._promises: Counter[tuple[str, Target, bool]] = Counter()
        self._came: Counter[tuple[str, Dimension, str]] = Counter()
        self._missed: Counter[tuple[str, Dimension, str]] = Counter()
        self._broken: list[TicketChange] = []
        self._others: list[TicketChange] = []

    def add(self, story: TicketStory, routes: tuple[Route, Route] | None = None) -> None:
        """Judge one ticket; routes are what both desks make of the mail that opened it, if it is known.

        Tickets that did not come in during the period, and merged ones, are passed over.
        """
        if not self._since <= story.created_at < self._until or story.status == Status.MERGED:
            return
        self._counts["tickets"] += 1
        self._counts["rerouted"] += routes is not None
        missed_then = self._judge("then", story, self._then)
        if routes is not None and routes[1].reject is not None and routes[0].reject is None:
            self._counts["rejected"] += 1
            self._keep(TicketChange(story.number, story.subject, (), _ordered(missed_then), (), True))
            return
        other = story if routes is None else rerouted(story, *routes)
        missed_now = self._judge("now", other, self._now)
        first = story.created_at
        moved = tuple(
            (name, story.value(name, first), other.value(name, first))
            for name in FIELDS
            if story.value(name, first) != other.value(name, first)
        )
        self._counts["moved"] += bool(moved)
        broken, kept = _ordered(missed_now - missed_then), _ordered(missed_then - missed_now)
        if broken or kept or moved:
            self._keep(TicketChange(story.number, story.subject, broken, kept, moved))

    def result(self) -> SimulationResult:
        """What came of all that was added."""
        counts = self._counts
        return SimulationResult(
            since=self._since,
            until=self._until,
            tickets=counts["tickets"],
            rerouted=counts["rerouted"],
            moved=counts["moved"],
            rejected=counts["rejected"],
            breached_then=counts["breached then"],
            breached_now=counts["breached now"],
            targets=tuple(
                TargetChange(target, self._of("then", target), self._of("now", target)) for target in TARGETS
            ),
            loads=self._loads(),
            changed=counts["changed"],
            changes=tuple((self._broken + self._others)[: self._most]),
        )

    def _judge(self, which: str, story: TicketStory, desk: tuple[Desk, WorkingTimes]) -> set[Target]:
        """Count a ticket's promises and load; the targets it missed."""
        missed: set[Target] = set()
        for dimension, name in _DIMENSIONS:
            holder = story.value(name, story.created_at)
            if holder is not None:
                self._came[which, dimension, holder] += 1
        for clock in measured(story, *desk, self._until):
            if decided_at(clock) is None:
                continue
            self._promises[which, clock.target, clock.state == "met"] += 1
            if clock.state == "missed":
                missed.add(clock.target)
                self._blame(which, story, clock)
        self._counts[f"breached {which}"] += bool(missed)
        return missed

    def _blame(self, which: str, story: TicketStory, clock: Clock) -> None:
        moment = decided_at(clock)
        assert moment is not None
        for dimension, name in _DIMENSIONS:
            holder = story.value(name, moment)
            if holder is not None:
                self._missed[which, dimension, holder] += 1

    def _keep(self, change: TicketChange) -> None:
        self._counts["changed"] += 1
        kept = self._broken if change.broken else self._others
        if len(kept) < self._most:
            kept.append(change)

    def _of(self, which: str, target: Target) -> Promises:
        return Promises(self._promises[which, target, True], self._promises[which, target, False])

    def _loads(self) -> tuple[LoadChange, ...]:
        found: list[LoadChange] = []
        for dimension, _ in _DIMENSIONS:
            keys = {key for _, kind, key in (*self._came, *self._missed) if kind == dimension}
            found += [
                LoadChange(
                    dimension,
                    key,
                    self._came["then", dimension, key],
                    self._came["now", dimension, key],
                    self._missed["then", dimension, key],
                    self._missed["now", dimension, key],
                )
                for key in sorted(keys)
            ]
        return tuple(found)


def _ordered(targets: Iterable[Target]) -> tuple[Target, ...]:
    found = set(targets)
    return tuple(target for target in TARGETS if target in found)
