"""When each clock of a ticket runs: its events cut into the stretches in which time counts.

What the rules are is said in clocks.py; here they are applied, without any calendar.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from mailticket.config.promise import Target

Reopen = Literal["continue", "restart"]


class ClockEventKind(enum.StrEnum):
    """What happened to a ticket, as far as clocks and the ledger care."""

    CREATED = "created"
    RESPONSE = "response"
    """A public answer by an agent; notes and automatic mails are none."""
    CUSTOMER_MESSAGE = "customer-message"
    WAITING = "waiting"
    ON_HOLD = "on-hold"
    RESUMED = "resumed"
    RESOLVED = "resolved"
    """Resolved, closed, archived or merged."""
    REOPENED = "reopened"
    ASSIGNED = "assigned"
    """`who` has the ticket from now on; "" for nobody."""
    PLAN_CHANGED = "plan-changed"
    DUE_SET = "due-set"
    """By hand: to the moment `due`, or `after` so much working time; to neither takes it back."""


@dataclass(frozen=True, slots=True)
class ClockEvent:
    """One of these things, when (aware UTC), for ASSIGNED to whom, for DUE_SET until when."""

    at: datetime
    kind: ClockEventKind
    who: str = ""
    due: datetime | None = None
    after: timedelta | None = None


Stretches = tuple[tuple[datetime, datetime | None], ...]


@dataclass(frozen=True, slots=True)
class Run:
    """stretches: (from, to) in which time counts, the last one open (None) while the clock runs."""

    since: datetime
    stretches: Stretches
    ended_at: datetime | None


K = ClockEventKind
_STOPS = frozenset((K.WAITING, K.ON_HOLD, K.RESOLVED))
_STARTS = frozenset((K.CREATED, K.RESUMED, K.REOPENED))
_ANSWERS = frozenset((K.RESPONSE, K.RESOLVED))


def _first_response_runs(story: Sequence[ClockEvent]) -> list[Run]:
    ended_at = next((event.at for event in story if event.kind in _ANSWERS), None)
    return [window(stretches_of(story), _created(story), ended_at)]


def _next_response_runs(story: Sequence[ClockEvent]) -> list[Run]:
    """From each message that nobody has answered yet to the answer; the first response has its own clock."""
    stretches = stretches_of(story)
    runs: list[Run] = []
    since: datetime | None = None
    answered = False
    for event in story:
        if event.kind in _ANSWERS:
            if since is not None:
                runs.append(window(stretches, since, event.at))
            since, answered = None, True
        elif event.kind is K.CUSTOMER_MESSAGE and answered and since is None:
            since = event.at
    return runs if since is None else [*runs, window(stretches, since, None)]


def _update_runs(story: Sequence[ClockEvent]) -> list[Run]:
    """From each answer to the next one, and from reopening."""
    stretches = stretches_of(story, stops=_STOPS - {K.ON_HOLD}, starts=_STARTS | {K.ON_HOLD})
    runs: list[Run] = []
    since: datetime | None = None
    resolved = False
    for event in story:
        if event.kind in _ANSWERS and since is not None:
            runs.append(window(stretches, since, event.at))
            since = None
        if event.kind in (K.RESOLVED, K.REOPENED):
            resolved = event.kind is K.RESOLVED
        if since is None and not resolved and event.kind in (K.RESPONSE, K.REOPENED):
            since = event.at
    return runs if since is None else [*runs, window(stretches, since, None)]


def resolution_runs(story: Sequence[ClockEvent], reopen: Reopen) -> list[Run]:
    since = _created(story)
    if reopen == "restart":
        last = [index for index, event in enumerate(story) if event.kind is K.REOPENED]
        story = story[last[-1] :] if last else story
        since = story[0].at if last else since
    return [Run(since, stretches_of(story), resolution_of(story))]


RUNS: dict[Target, Callable[[Sequence[ClockEvent]], list[Run]]] = {
    "first_response": _first_response_runs,
    "next_response": _next_response_runs,
    "update": _update_runs,
}


def _created(story: Sequence[ClockEvent]) -> datetime:
    return next(event.at for event in story if event.kind is K.CREATED)


def resolution_of(story: Sequence[ClockEvent]) -> datetime | None:
    """When the ticket was resolved, if it still is; of several times in a row the first."""
    resolved_at: datetime | None = None
    for event in story:
        if event.kind is K.RESOLVED:
            resolved_at = resolved_at or event.at
        elif event.kind is K.REOPENED:
            resolved_at = None
    return resolved_at


def stretches_of(
    story: Iterable[ClockEvent],
    stops: frozenset[ClockEventKind] = _STOPS,
    starts: frozenset[ClockEventKind] = _STARTS,
) -> Stretches:
    """When time counts. A resolved ticket only starts again by being reopened."""
    found: list[tuple[datetime, datetime | None]] = []
    since: datetime | None = None
    resolved = False
    for event in story:
        if event.kind in stops:
            resolved = resolved or event.kind is K.RESOLVED
            if since is not None:
                found.append((since, event.at))
                since = None
        elif event.kind in starts:
            resolved = resolved and event.kind is not K.REOPENED
            if since is None and not resolved:
                since = event.at
    if since is not None:
        found.append((since, None))
    return tuple(found)


def window(stretches: Stretches, since: datetime, ended_at: datetime | None) -> Run:
    """The part of the stretches between two moments; None is no end."""
    inside: list[tuple[datetime, datetime | None]] = []
    for start, end in stretches:
        begins = max(start, since)
        if ended_at is None:
            if end is None or end >= begins:
                inside.append((begins, end))
        elif begins <= ended_at and (end is None or end >= begins):
            inside.append((begins, ended_at if end is None else min(end, ended_at)))
    return Run(since, tuple(inside), ended_at)
