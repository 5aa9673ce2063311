"""What has to happen now about a ticket's promises: the steps of its plan that have come.

A step is taken when so much of the promised working time is used up, whatever came between; it is
taken once, however often anybody looks. What was taken follows from the ticket's own log of alerts:
all steps that had come by the last alert of a target are done. Hence a tick that comes late takes
all steps that have come meanwhile as one, with one alert; and a step whose moment moved behind the
last alert, because the plan or the priority changed, is taken again.

A plan says at least this, even where it names no steps: at 100 % whoever has the ticket and the
department's manager hear of it, and again every `repeat_alert`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from mailticket.config.desk import SLAPlan, Step
from mailticket.domain.clocks import Clock, Target, TargetTimes, moment_of, target_words, time_left
from mailticket.domain.schedule import NeverOpens, WorkingTime

WRONG_CLOCK = timedelta(days=1)
"""What the log says happened later than this from now was written under a clock that was wrong."""


@dataclass(frozen=True, slots=True)
class AlertSent:
    """An alert that went out, as its event in the ticket's log tells. `points`: of which steps."""

    target: str
    at: datetime
    points: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something to be done now about one promise.

    steps    the steps that have come, earliest first; the built-in one is among them
    since    when the first of them had come
    overdue  the promised time is over
    late     working time since the target was due; nothing before
    number   1 for the target's first alert ever; with ticket and target a unique key
    reason   in words, where the promise stands
    """

    clock: Clock
    steps: tuple[Step, ...]
    since: datetime
    overdue: bool
    late: timedelta
    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a ticket's clocks finds: what to do now, and when to look again (None: never)."""

    alarms: tuple[Alarm, ...]
    next_at: datetime | None


def look(
    found: Sequence[Clock],
    sent: Sequence[AlertSent],
    acknowledged: Sequence[datetime],
    plan: SLAPlan,
    working_time: WorkingTime,
    now: datetime,
    target_times: TargetTimes,
) -> Look:
    """What is to be done about a ticket with these clocks at `now`, having sent these alerts.

    acknowledged  when agents answered `#ack`; it counts for promises that had begun by then

    After an outage one alert goes out per target, not one for each step that was missed. A repeated
    alert waits for its time to pass again after the last one, and stops while the clock stands still.
    """
    alarms: list[Alarm] = []
    ahead: list[datetime] = []
    for clock in found:
        if clock.ended_at is None:
            watch = _Watch(clock, plan, target_times.get(clock.target, working_time), now)
            alarm, later = watch.look(sent, acknowledged)
            alarms += [alarm] if alarm is not None else []
            ahead += later
    alarms.sort(key=lambda alarm: alarm.since)
    return Look(tuple(alarms), min(ahead, default=None))


class _Watch:
    """One unfinished clock being looked at."""

    def __init__(self, clock: Clock, plan: SLAPlan, working_time: WorkingTime, now: datetime) -> None:
        self.clock = clock
        self.plan = plan
        self.working_time = working_time
        self.now = now

    def look(
        self, sent: Sequence[AlertSent], acknowledged: Sequence[datetime]
    ) -> tuple[Alarm | None, list[datetime]]:
        """What is due of this clock's steps, and the moments at which more is."""
        mine = [
            alert
            for alert in sent
            if alert.target == self.clock.target and alert.at <= self.now + WRONG_CLOCK
        ]
        answered = self._answered(acknowledged)
        due: list[tuple[datetime, Step]] = []
        ahead: list[datetime] = []
        for step in steps_of(self.plan, self.clock.target, self.clock.allowed):
            if step.until_ack and answered:
                continue
            moment = self._moment(step, mine)
            if moment is not None and moment <= self.now:
                due.append((moment, step))
                again = self._repeated(step, self.now)
                ahead += [again] if again is not None else []
            elif moment is not None:
                ahead.append(moment)
        if not due:
            return None, ahead
        number = 1 + sum(alert.target == self.clock.target for alert in sent)
        return self._alarm(sorted(due, key=lambda pair: pair[0]), number), ahead

    def _moment(self, step: Step, sent: Sequence[AlertSent]) -> datetime | None:
        """When the step is to be taken next, past or future; None for never, as things stand."""
        moment = moment_of(self.clock, step.threshold(self.clock.allowed), self.working_time)
        if moment is None:
            return None
        after = [alert for alert in sent if alert.at >= moment]
        if not after:
            return moment
        own = [alert.at for alert in after if step.at in alert.points or not alert.points]
        return self._repeated(step, max(own or [alert.at for alert in after]))

    def _repeated(self, step: Step, last: datetime) -> datetime | None:
        if step.repeat is None or not self.clock.counting:
            return None
        try:
            return self.working_time.add(last, step.repeat)
        except NeverOpens:
            return None

    def _answered(self, acknowledged: Iterable[datetime]) -> bool:
        since = self.clock.since
        return any(at <= self.now + WRONG_CLOCK and (since is None or at >= since) for at in acknowledged)

    def _alarm(self, due: Sequence[tuple[datetime, Step]], number: int) -> Alarm:
        clock = self.clock
        late = timedelta(0)
        if clock.overdue and clock.due_at is not None:
            late = self.working_time.between(clock.due_at, self.now)
        return Alarm(
            clock=clock,
            steps=tuple(step for _, step in due),
            since=due[0][0],
            overdue=clock.overdue,
            late=late,
            number=number,
            reason=f"the {target_words(clock.target)} is {standing_words(clock, self.working_time)}",
        )


def steps_of(plan: SLAPlan, target: Target, allowed: timedelta) -> tuple[Step, ...]:
    """The steps of a target, the plan's own overdue alert included unless a step takes its place."""
    named = [step for step in plan.steps if not step.targets or target in step.targets]
    steps = [
        step.model_copy(update={"repeat": plan.repeat_alert})
        if step.repeat is None and not step.until_ack and step.threshold(allowed) == allowed
        else step
        for step in named
    ]
    told = any(step.threshold(allowed) == allowed and step.tell and not step.until_ack for step in steps)
    if not told:
        steps.append(_own_alert(plan.repeat_alert))
    return tuple(sorted(steps, key=lambda step: step.threshold(allowed)))


@lru_cache(maxsize=64)
def _own_alert(repeat: timedelta | None) -> Step:
    return Step(at="100%", tell=("concerned", "manager"), repeat=repeat)


def standing_words(clock: Clock, working_time: WorkingTime) -> str:
    """`time_left` as the end of a sentence: "due in 2 h 10 min", "overdue by 3 h"."""
    words = time_left(clock, working_time)
    if clock.state == "running":
        return f"due in {words.removesuffix(' left')}"
    return words
