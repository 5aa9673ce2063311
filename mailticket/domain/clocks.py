"""SLA clocks: what was promised, how much of it is used, when it is due. A pure function of events.

    clock           starts                   ends for good              stands still
    first_response  creation                 first public answer, or    while paused
                                             resolution
    next_response   a customer's message     the next public answer,    while paused
                    after that               or resolution
    update          each public answer;      the next one, or           while waiting for the
                    reopening                resolution                 customer, not on hold
    resolution      creation                 never: resolution stops    while paused, while
                                             it, reopening goes on      resolved

- Paused is from WAITING or ON_HOLD to RESUMED. What ends a pause is the status table's business
  (status.py): a customer's message ends waiting there, and does not end a hold. On hold the
  customer still wants to hear something, so the update clock runs.
- A reopened ticket goes on with what was left, because the promise was not kept yet. Whoever wants
  a fresh promise passes `reopen="restart"`: then the clock counts from the last reopening.
- Resolving without an answer ends a response as met or missed: nobody is left to answer.
- A new plan, priority or schedule applies from the beginning: everything is counted again under it.
  What happened under the old one stays in the event log.
- A due date set by hand takes the place of the resolution's promise: it is a moment of the calendar,
  no pause moves it, and it holds until it is taken back. It makes a resolution clock where the plan
  has none.
- Due is the first moment at which the promised time is used up; from then on an unfinished clock is
  overdue. A finished one is missed when it used more than was promised: an answer in the evening of
  a day that ended with the last promised minute is in time, because the desk has not worked since.

Durations count in the target's working time, of which the caller passes the compiled schedule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal

from mailticket.config.desk import SLAPlan
from mailticket.config.promise import TARGETS, Target
from mailticket.domain.clock_runs import (
    RUNS,
    ClockEvent,
    ClockEventKind,
    K,
    Reopen,
    Run,
    Stretches,
    resolution_of,
    resolution_runs,
    stretches_of,
    window,
)
from mailticket.domain.schedule import NeverOpens, WorkingTime
from mailticket.domain.status import FINISHED, PAUSED, Status

__all__ = [
    "Clock", "ClockEvent", "ClockEventKind", "Reopen", "State", "Target", "clock_event_of", "clocks",
    "every_clock", "moment_of", "next_due", "spoken", "target_words", "time_left",
]  # fmt: skip

TargetTimes = Mapping[Target, WorkingTime]
"""Working times of single targets, where they are not the plan's."""

_NOTHING = timedelta(0)
_NO_TIMES: Final[TargetTimes] = MappingProxyType({})


State = Literal["running", "paused", "met", "missed"]


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise and where it stands at `now`.

    state     "running"; "paused" (waiting, on hold, or resolved and perhaps reopened later);
              "met"; "missed": overdue, or ended too late
    due_at    when the promised time is or was used up; None while that is open: paused, met, or never
    used      working time counted so far, or until it ended
    allowed   working time promised
    ended_at  when what was promised came, on time or not; None while it did not
    counting  time is being counted at this moment
    since     when what is promised here began
    stretches (from, to) in which time counts; the last one open (None) while the clock runs
    fixed     the due date set by hand, None for a promise of the plan
    """

    target: Target
    state: State
    due_at: datetime | None
    used: timedelta
    allowed: timedelta
    ended_at: datetime | None
    counting: bool
    since: datetime | None = None
    stretches: Stretches = ()
    fixed: datetime | None = None

    @property
    def met_at(self) -> datetime | None:
        """When the promise was kept; None where it was not, or not yet."""
        return self.ended_at if self.state == "met" else None

    @property
    def overdue(self) -> bool:
        """Late, and still not done."""
        return self.state == "missed" and self.ended_at is None

    @property
    def left(self) -> timedelta:
        """Working time left; negative when more than promised was used."""
        return self.allowed - self.used


def clocks(
    plan: SLAPlan,
    events: Iterable[ClockEvent],
    working_time: WorkingTime,
    now: datetime,
    reopen: Reopen = "continue",
    *,
    priority: str = "",
    target_times: TargetTimes = _NO_TIMES,
) -> tuple[Clock, ...]:
    """The clocks of a plan for a ticket with these events: of each target the newest one.

    priority      the ticket's, for plans that differ by it
    working_time  the plan's; `target_times` has those of targets with a schedule of their own

    Events may come in any order; those of one moment keep theirs. A `now` before the last event
    (the clock was set back) counts as the moment of that event. Without a CREATED event there is
    no clock. A promise in a schedule that never comes to it is never due; `schedule_problems` tells
    the operator, and no mail fails for it.
    """
    newest = {
        clock.target: clock
        for clock in every_clock(
            plan, events, working_time, now, reopen, priority=priority, target_times=target_times
        )
    }
    return tuple(newest.values())


def every_clock(
    plan: SLAPlan,
    events: Iterable[ClockEvent],
    working_time: WorkingTime,
    now: datetime,
    reopen: Reopen = "continue",
    *,
    priority: str = "",
    target_times: TargetTimes = _NO_TIMES,
) -> tuple[Clock, ...]:
    """As `clocks`, with the ended ones: a next response and an update are promised many times over.

    In the order of `TARGETS`, those of one target by their beginning.
    """
    story = sorted(events, key=lambda event: event.at)
    if not any(event.kind is ClockEventKind.CREATED for event in story):
        return ()
    now = max([now, *(event.at for event in story if event.kind is not ClockEventKind.ASSIGNED)])
    found: list[Clock] = []
    for target in TARGETS:
        working = target_times.get(target, working_time)
        by_hand = _set_by_hand(story, working) if target == "resolution" else None
        allowed = plan.promised(target, priority)
        if by_hand is not None:
            found.append(_clock_by_hand(story, *by_hand, working, now))
        elif allowed is not None:
            runs = resolution_runs(story, reopen) if target == "resolution" else RUNS[target](story)
            found += [_clock(target, run, allowed, working, now) for run in runs]
    return tuple(found)


def moment_of(clock: Clock, threshold: timedelta, working_time: WorkingTime) -> datetime | None:
    """When `threshold` of working time is or was used up; None while that is open, and for never.

    A clock that stands still has no such moment ahead of it, unless its due date was set by hand.
    """
    if clock.fixed is not None:
        return _moment_by_hand(clock, clock.fixed, threshold, working_time)
    used = _NOTHING
    for since, until in clock.stretches:
        counted = _NOTHING if until is None else working_time.between(since, until)
        if until is None or used + counted >= threshold:
            return _after(working_time, since, threshold - used)
        used += counted
    return None


def next_due(found: Sequence[Clock]) -> datetime | None:
    """The earliest moment at which an unfinished clock is due, or was: it is due until it is done."""
    return min((clock.due_at for clock in found if clock.ended_at is None and clock.due_at), default=None)


def promised_answer(found: Sequence[Clock], now: datetime) -> datetime | None:
    """By when a customer who has just written can expect an answer; None when none is promised."""
    answers = ("first_response", "next_response")
    waiting = (clock.due_at for clock in found if clock.target in answers and clock.ended_at is None)
    return min((due for due in waiting if due is not None and due > now), default=None)


def clock_event_of(before: str, after: str) -> ClockEventKind | None:
    """What a change from one status to another is to the clocks; None when it is nothing to them.

    Raises ValueError for a text that is no `Status`.
    """
    old, new = Status(before), Status(after)
    if new in FINISHED:
        return None if old in FINISHED else ClockEventKind.RESOLVED
    if new in PAUSED:
        kind = ClockEventKind.WAITING if new is Status.WAITING else ClockEventKind.ON_HOLD
        return None if new is old else kind
    if old in FINISHED:
        return ClockEventKind.REOPENED
    return ClockEventKind.RESUMED if old in PAUSED else None


# -- where a clock stands --------------------------------------------------------------------------------


def _clock(target: Target, run: Run, allowed: timedelta, working_time: WorkingTime, now: datetime) -> Clock:
    used = sum((working_time.between(since, until or now) for since, until in run.stretches), _NOTHING)
    counting = bool(run.stretches) and run.stretches[-1][1] is None
    clock = Clock(
        target=target,
        state="running" if counting else "paused",
        due_at=None,
        used=used,
        allowed=allowed,
        ended_at=run.ended_at,
        counting=counting,
        since=run.since,
        stretches=run.stretches,
    )
    due_at = moment_of(clock, allowed, working_time)
    if run.ended_at is not None:
        clock = replace(clock, state="missed" if used > allowed else "met")
    elif due_at is not None and now >= due_at:
        clock = replace(clock, state="missed")
    return replace(clock, due_at=due_at if clock.state in ("running", "missed") else None)


# -- due dates set by hand -----------------------------------------------------------------------------


def _set_by_hand(story: Sequence[ClockEvent], working_time: WorkingTime) -> tuple[datetime, datetime] | None:
    """(when it was set, when it is due), None where the plan's own promise holds."""
    last = next((event for event in reversed(story) if event.kind is K.DUE_SET), None)
    if last is None:
        return None
    due = last.due if last.after is None else _after(working_time, last.at, last.after)
    return None if due is None else (last.at, due)


def _clock_by_hand(
    story: Sequence[ClockEvent], since: datetime, due: datetime, working_time: WorkingTime, now: datetime
) -> Clock:
    stretches = stretches_of(story, stops=frozenset((K.RESOLVED,)))
    ended_at = resolution_of(story)
    run = window(stretches, since, None)
    used = sum((working_time.between(begin, end or now) for begin, end in run.stretches), _NOTHING)
    late = (ended_at or now) > due if ended_at is not None else now >= due
    state: State = "missed" if late else "met" if ended_at is not None else "running"
    return Clock(
        target="resolution",
        state=state,
        due_at=None if state == "met" else due,
        used=used,
        allowed=working_time.between(since, max(since, due)),
        ended_at=ended_at,
        counting=ended_at is None,
        since=since,
        stretches=run.stretches,
        fixed=due,
    )


def _moment_by_hand(
    clock: Clock, due: datetime, threshold: timedelta, working_time: WorkingTime
) -> datetime | None:
    if threshold == clock.allowed:
        return due
    if threshold > clock.allowed:
        return _after(working_time, due, threshold - clock.allowed)
    assert clock.since is not None
    earlier = _after(working_time, clock.since, threshold)
    return due if earlier is None else min(earlier, due)


def _after(working_time: WorkingTime, start: datetime, duration: timedelta) -> datetime | None:
    """When `duration` of working time after `start` is over; None where the schedule never comes to it."""
    try:
        return working_time.add(start, duration)
    except NeverOpens:
        return None


# -- in words ------------------------------------------------------------------------------------------

_TARGET_WORDS: dict[Target, str] = {
    "first_response": "first response",
    "next_response": "next response",
    "update": "update to the customer",
    "resolution": "resolution",
}


def target_words(target: Target) -> str:
    """What is promised, as people call it: "first response"."""
    return _TARGET_WORDS[target]


def spoken(length: timedelta, *, days: bool = False) -> str:
    """A length of time: "2 h 10 min", "45 min", "less than a minute"; with `days` also "3 d 2 h".

    Working time is told in hours, because a day of it could mean anything. Rounded down.
    """
    minutes = int(abs(length) / timedelta(minutes=1))
    if minutes == 0:
        return "less than a minute"
    if days and minutes >= 1440:
        hours = minutes // 60 % 24
        return f"{minutes // 1440} d" + (f" {hours} h" if hours else "")
    if minutes >= 60:
        rest = minutes % 60
        return f"{minutes // 60} h" + (f" {rest} min" if rest else "")
    return f"{minutes} min"


def time_left(clock: Clock, working_time: WorkingTime) -> str:
    """Where a clock stands: "2 h 10 min left", "overdue by 3 h", "met in 40 min", "paused, 3 h left"."""
    days = working_time.around_the_clock
    used, left = spoken(clock.used, days=days), spoken(clock.left, days=days)
    if clock.state == "met":
        return f"met in {used}"
    if clock.ended_at is not None:
        return f"missed by {left}"
    if clock.state == "missed":
        return "due now" if clock.left == _NOTHING else f"overdue by {left}"
    return f"{left} left" if clock.state == "running" else f"paused, {left} left"
