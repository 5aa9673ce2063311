"""SLA clocks: what was promised, how much of it is used, when it is due. A pure function of events.

    clock           starts    ends for good                        stands still
    first_response  creation  first public answer, or resolution   while paused
    resolution      creation  never: resolution stops it, and      while paused, while resolved
                              reopening lets it go on

- Paused is from WAITING or ON_HOLD to RESUMED. What ends a pause is the status table's business
  (status.py): a customer's message ends waiting there, and does not end a hold.
- A reopened ticket goes on with what was left, because the promise was not kept yet. Whoever wants
  a fresh promise passes `reopen="restart"`: then the clock counts from the last reopening.
- Resolving without an answer ends the first response as met or missed: nobody is left to answer.
- A new plan or schedule applies from the beginning: everything is counted again under it.
- Due is the first moment at which the promised time is used up; from then on an unfinished clock is
  overdue. A finished one is missed when it used more than was promised: an answer in the evening of
  a day that ended with the last promised minute is in time, because the desk has not worked since.

Durations count in the plan's working time, of which the caller passes the compiled schedule.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from mailticket.config.desk import SLAPlan
from mailticket.domain.schedule import NeverOpens, WorkingTime
from mailticket.domain.status import FINISHED, PAUSED, Status

Target = Literal["first_response", "resolution"]
Reopen = Literal["continue", "restart"]

_NOTHING = timedelta(0)


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


@dataclass(frozen=True, slots=True)
class ClockEvent:
    """One of these things, when (aware UTC), and for ASSIGNED to whom."""

    at: datetime
    kind: ClockEventKind
    who: str = ""


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
    """

    target: Target
    state: State
    due_at: datetime | None
    used: timedelta
    allowed: timedelta
    ended_at: datetime | None
    counting: bool

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
) -> tuple[Clock, ...]:
    """The clocks of a plan for a ticket with these events, one for each target the plan names.

    Events may come in any order; those of one moment keep theirs. A `now` before the last event
    (the clock was set back) counts as the moment of that event. Without a CREATED event there is
    no clock. A promise in a schedule that never comes to it is never due; `schedule_problems` tells
    the operator, and no mail fails for it.
    """
    story = sorted(events, key=lambda event: event.at)
    if not any(event.kind is ClockEventKind.CREATED for event in story):
        return ()
    now = max(now, story[-1].at)
    found: list[Clock] = []
    if plan.first_response is not None:
        run = _first_response_run(story)
        found.append(_clock("first_response", run, plan.first_response, working_time, now))
    if plan.resolution is not None:
        run = _resolution_run(story, reopen)
        found.append(_clock("resolution", run, plan.resolution, working_time, now))
    return tuple(found)


def next_due(found: Sequence[Clock]) -> datetime | None:
    """The earliest moment at which an unfinished clock is due, or was: it is due until it is done."""
    return min((clock.due_at for clock in found if clock.ended_at is None and clock.due_at), default=None)


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


# -- when a clock runs ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Run:
    """stretches: (from, to) in which time counts, the last one open (None) while the clock runs."""

    stretches: tuple[tuple[datetime, datetime | None], ...]
    ended_at: datetime | None


_STOPS = frozenset((ClockEventKind.WAITING, ClockEventKind.ON_HOLD, ClockEventKind.RESOLVED))
_STARTS = frozenset((ClockEventKind.CREATED, ClockEventKind.RESUMED, ClockEventKind.REOPENED))
_ANSWERS = frozenset((ClockEventKind.RESPONSE, ClockEventKind.RESOLVED))


def _first_response_run(story: Sequence[ClockEvent]) -> _Run:
    upto = next((index for index, event in enumerate(story) if event.kind in _ANSWERS), None)
    if upto is None:
        return _Run(_stretches(story), None)
    ended_at = story[upto].at
    stretches = tuple((since, until or ended_at) for since, until in _stretches(story[:upto]))
    return _Run(stretches, ended_at)


def _resolution_run(story: Sequence[ClockEvent], reopen: Reopen) -> _Run:
    if reopen == "restart":
        last = [index for index, event in enumerate(story) if event.kind is ClockEventKind.REOPENED]
        story = story[last[-1] :] if last else story
    resolved_at: datetime | None = None
    for event in story:
        if event.kind is ClockEventKind.RESOLVED:
            resolved_at = resolved_at or event.at
        elif event.kind is ClockEventKind.REOPENED:
            resolved_at = None
    return _Run(_stretches(story), resolved_at)


def _stretches(story: Iterable[ClockEvent]) -> tuple[tuple[datetime, datetime | None], ...]:
    """When time counts. A resolved ticket only starts again by being reopened."""
    found: list[tuple[datetime, datetime | None]] = []
    since: datetime | None = None
    resolved = False
    for event in story:
        if event.kind in _STOPS:
            resolved = resolved or event.kind is ClockEventKind.RESOLVED
            if since is not None:
                found.append((since, event.at))
                since = None
        elif event.kind in _STARTS:
            resolved = resolved and event.kind is not ClockEventKind.REOPENED
            if since is None and not resolved:
                since = event.at
    if since is not None:
        found.append((since, None))
    return tuple(found)


def _clock(target: Target, run: _Run, allowed: timedelta, working_time: WorkingTime, now: datetime) -> Clock:
    used, due_at = _NOTHING, None
    for since, until in run.stretches:
        counted = working_time.between(since, until or now)
        if due_at is None and (until is None or used + counted >= allowed):
            due_at = _after(working_time, since, allowed - used)
        used += counted
    counting = bool(run.stretches) and run.stretches[-1][1] is None
    state: State
    if run.ended_at is not None:
        state = "missed" if used > allowed else "met"
    elif due_at is not None and now >= due_at:
        state = "missed"
    else:
        state = "running" if counting else "paused"
    return Clock(
        target=target,
        state=state,
        due_at=due_at if state in ("running", "missed") else None,
        used=used,
        allowed=allowed,
        ended_at=run.ended_at,
        counting=counting,
    )


# -- what a tick has to do -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AlertSent:
    """An overdue alert that went out, as its event in the ticket's log tells."""

    target: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Overdue:
    """An alert is to go out now.

    since    when the target was due
    late     working time since then
    number   1 for the target's first alert ever; with ticket and target a unique key
    next_at  when to look again if nothing happens before; None for never
    """

    target: Target
    since: datetime
    late: timedelta
    number: int
    next_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class NotYet:
    """Nothing to alert before `due_at`: look again then."""

    due_at: datetime


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing to alert until something happens to the ticket."""


def overdue_decision(
    found: Sequence[Clock],
    alerts_sent: Sequence[AlertSent],
    plan: SLAPlan,
    working_time: WorkingTime,
    now: datetime,
) -> Overdue | NotYet | Nothing:
    """What a deadline that has come means for a ticket with these clocks, at `now`.

    Each overdue target is alerted once, and again whenever `plan.repeat_alert` of working time has
    passed since its last alert, but not while its clock stands still. After an outage one alert
    goes out, not one for each that was missed. An alert sent before the target was due (under
    another plan) does not count. Of several targets the one due longest comes first.
    """
    upcoming: list[datetime] = []
    alarmed: Clock | None = None
    for clock in sorted((clock for clock in found if clock.due_at), key=_due):
        moment = _alert_at(clock, alerts_sent, plan, working_time)
        if moment is None:
            continue
        if alarmed is None and moment <= now:
            alarmed = clock
        else:
            upcoming.append(max(moment, now))
    if alarmed is None:
        return NotYet(min(upcoming)) if upcoming else Nothing()
    if plan.repeat_alert is not None and alarmed.counting:
        repeat = _after(working_time, now, plan.repeat_alert)
        upcoming += [repeat] if repeat is not None else []
    number = 1 + sum(alert.target == alarmed.target for alert in alerts_sent)
    return Overdue(
        target=alarmed.target,
        since=_due(alarmed),
        late=working_time.between(_due(alarmed), now),
        number=number,
        next_at=min(upcoming, default=None),
        reason=f"the {_TARGET_WORDS[alarmed.target]} is {time_left(alarmed, working_time)}",
    )


def _due(clock: Clock) -> datetime:
    assert clock.due_at is not None
    return clock.due_at


def _alert_at(
    clock: Clock, alerts_sent: Sequence[AlertSent], plan: SLAPlan, working_time: WorkingTime
) -> datetime | None:
    """When the clock's next alert is due, past or future; None for never."""
    if clock.ended_at is not None or clock.due_at is None:
        return None
    sent = [alert.at for alert in alerts_sent if alert.target == clock.target and alert.at >= clock.due_at]
    if not sent:
        return clock.due_at
    if plan.repeat_alert is None or not clock.counting:
        return None
    return _after(working_time, max(sent), plan.repeat_alert)


def _after(working_time: WorkingTime, start: datetime, duration: timedelta) -> datetime | None:
    """When `duration` of working time after `start` is over; None where the schedule never comes to it."""
    try:
        return working_time.add(start, duration)
    except NeverOpens:
        return None


# -- in words ------------------------------------------------------------------------------------------

_TARGET_WORDS: dict[Target, str] = {"first_response": "first response", "resolution": "resolution"}


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
