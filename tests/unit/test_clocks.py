"""domain/clocks.py and ledger.py: promises, measured against a simulation of every minute.

`MAILTICKET_CLOCK_CASES` sets how many random stories the simulation is asked (2,000 unless told).
"""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailticket.config.desk import Schedule, SLAPlan
from mailticket.domain.clocks import (
    Clock,
    ClockEvent,
    ClockEventKind,
    Reopen,
    clock_event_of,
    clocks,
    every_clock,
    moment_of,
    next_due,
    spoken,
    time_left,
)
from mailticket.domain.ledger import ledger, ledger_words
from mailticket.domain.schedule import WorkingTime
from mailticket.domain.status import FINISHED, PAUSED, Status

CASES = int(os.environ.get("MAILTICKET_CLOCK_CASES", "2000"))
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
K = ClockEventKind
BERLIN = "Europe/Berlin"
OFFICE = WorkingTime(
    Schedule(time_zone=BERLIN, hours=dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("09:00-17:00",)))
)
ALWAYS = WorkingTime(None)


def plan(**targets: Any) -> SLAPlan:
    return SLAPlan.model_validate({"name": "Plan", **targets})


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN)).astimezone(UTC)


def story(*events: tuple[str, ClockEventKind] | tuple[str, ClockEventKind, str]) -> list[ClockEvent]:
    return [ClockEvent(berlin(event[0]), *event[1:]) for event in events]


def only(plan_: SLAPlan, events: list[ClockEvent], now: str, **more: Any) -> Clock:
    (clock,) = clocks(plan_, events, more.pop("working_time", OFFICE), berlin(now), **more)
    return clock


# -- the simulation: it knows the story so far and the wall clock, and counts minutes -----------------


class Counter:
    """One target counted minute by minute, by rules written down a second time and in another way."""

    def __init__(self, target: str, reopen: Reopen) -> None:
        self.target, self.reopen = target, reopen
        self.created = self.waiting = self.held = self.resolved = self.answered = False
        self.running = target in ("first_response", "resolution")
        self.used = self.begun = 0
        self.done: list[int] = []
        """Minutes used by each promise that ended."""

    def happens(self, kind: ClockEventKind) -> None:
        self.created = self.created or kind is K.CREATED
        if kind in (K.WAITING, K.ON_HOLD):
            self.waiting, self.held = kind is K.WAITING, kind is K.ON_HOLD
        elif kind is K.RESUMED:
            self.waiting = self.held = False
        elif kind is K.RESOLVED:
            self.resolved = True
        elif kind is K.REOPENED:
            self.resolved = self.waiting = self.held = False
        getattr(self, f"_{self.target}")(kind)
        self.answered = self.answered or kind in (K.RESPONSE, K.RESOLVED)

    def _end(self) -> None:
        if self.running:
            self.done.append(self.used)
        self.running = False

    def _begin(self) -> None:
        if not self.running:
            self.running, self.used = True, 0
            self.begun += 1

    def _first_response(self, kind: ClockEventKind) -> None:
        if kind in (K.RESPONSE, K.RESOLVED):
            self._end()

    def _next_response(self, kind: ClockEventKind) -> None:
        if kind in (K.RESPONSE, K.RESOLVED):
            self._end()
        elif kind is K.CUSTOMER_MESSAGE and self.answered:
            self._begin()

    def _update(self, kind: ClockEventKind) -> None:
        if kind in (K.RESPONSE, K.RESOLVED):
            self._end()
        if kind in (K.RESPONSE, K.REOPENED) and not self.resolved:
            self._begin()

    def _resolution(self, kind: ClockEventKind) -> None:
        self.running = not self.resolved
        if kind is K.REOPENED and self.reopen == "restart":
            self.used = 0
            self.begun += 1

    @property
    def counting(self) -> bool:
        paused = self.waiting or (self.held and self.target != "update")
        return self.created and self.running and not paused and not self.resolved


def simulate(
    target: str, events: list[ClockEvent], working: WorkingTime, now: datetime, reopen: Reopen
) -> tuple[Counter, dict[int, datetime]]:
    """The counter at `now`, and when the promise under way had used up 1, 2 ... minutes."""
    counter = Counter(target, reopen)
    reached: dict[int, datetime] = {}
    pending = sorted(events, key=lambda event: event.at)
    moment = pending[0].at
    while True:
        while pending and pending[0].at <= moment:
            begun = counter.begun
            counter.happens(pending.pop(0).kind)
            if counter.begun != begun:
                reached = {}
        if moment >= now:
            return counter, reached
        if counter.counting and working.is_open(moment):
            counter.used += 1
            reached[counter.used] = moment + MINUTE
        moment += MINUTE


ZONES = {
    "Europe/Berlin": "2026-03-29",
    "America/New_York": "2026-11-01",
    "Australia/Lord_Howe": "2026-10-04",
    "Asia/Kathmandu": "2026-06-06",
    "Africa/Casablanca": "2026-02-15",
}
LATER = (K.RESPONSE, K.CUSTOMER_MESSAGE, K.WAITING, K.ON_HOLD, K.RESUMED, K.RESOLVED, K.REOPENED, K.ASSIGNED)


def scene_of(seed: int) -> tuple[WorkingTime, list[ClockEvent], datetime, int, Reopen]:
    """A random desk, a random life of a ticket around a clock change, and a promise.

    From one number, because drawing every choice through hypothesis costs more than checking it.
    """
    rng = random.Random(seed)
    zone = rng.choice(sorted(ZONES))
    day = datetime.fromisoformat(ZONES[zone]).replace(tzinfo=UTC)
    start = day + MINUTE * rng.randint(-1440, 1440)
    hours = {
        name: (f"{rng.randint(0, 9):02d}:{rng.choice((0, 15, 30)):02d}-{rng.randint(10, 24):02d}:00",)
        for name in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        if rng.random() < 0.8
    }
    schedule = Schedule(time_zone=zone, hours=hours or {"mon": ("09:00-17:00",)})
    working = ALWAYS if rng.random() < 0.2 else WorkingTime(schedule)
    at = start
    events = [ClockEvent(start, K.CREATED)]
    for _ in range(rng.randint(0, 8)):
        at += MINUTE * rng.choice((0, rng.randint(1, 30), rng.randint(1, 600)))
        events.append(ClockEvent(at, rng.choice(LATER), rng.choice(("", "ann", "bob"))))
    now = at + MINUTE * rng.choice((0, rng.randint(0, 1500)))
    return working, events, now, rng.randint(1, 700), rng.choice(("continue", "restart"))


PROMISED = ("first_response", "next_response", "update", "resolution")


@settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**63))
def test_every_clock_equals_the_simulation_to_the_minute(seed: int) -> None:
    working, events, now, allowed, reopen = scene_of(seed)
    target = PROMISED[seed % 4]
    promised = plan(**{target: MINUTE * allowed})
    found = every_clock(promised, events, working, now, reopen)
    counter, reached = simulate(target, events, working, now, reopen)
    ended = [clock for clock in found if clock.ended_at is not None]
    if target == "resolution":
        assert [clock.used for clock in found] == [MINUTE * counter.used]
        assert bool(ended) is counter.resolved
    else:
        assert [clock.used for clock in ended] == [MINUTE * used for used in counter.done]
        assert (len(found) > len(ended)) is counter.running
    for clock in ended:
        assert clock.state == ("missed" if clock.used > MINUTE * allowed else "met")
    if found and found[-1].ended_at is None:
        check_running(found[-1], counter, reached, allowed, working, now)


def check_running(
    clock: Clock,
    counter: Counter,
    reached: dict[int, datetime],
    allowed: int,
    working: WorkingTime,
    now: datetime,
) -> None:
    """An unfinished clock against the counter: used, due, and every minute of the way there."""
    assert clock.used == MINUTE * counter.used
    assert clock.counting is counter.counting
    assert (clock.state == "missed") is (allowed in reached)
    for minutes in range(1, counter.used + 1, max(counter.used // 5, 1)):
        assert moment_of(clock, MINUTE * minutes, working) == reached[minutes]
    if clock.state == "missed":
        assert clock.due_at == reached[allowed]
    elif clock.counting:
        assert clock.state == "running"
        assert clock.due_at is not None
        assert clock.due_at > now
        assert working.between(now, clock.due_at) == MINUTE * (allowed - counter.used)
    else:
        assert (clock.state, clock.due_at) == ("paused", None)


@settings(max_examples=CASES // 4, deadline=None, database=None)
@given(st.integers(0, 2**63))
def test_a_new_plan_or_priority_is_counted_from_the_beginning_whenever_it_came(seed: int) -> None:
    working, events, now, allowed, reopen = scene_of(seed)
    changed = [*events, ClockEvent(events[seed % len(events)].at, K.PLAN_CHANGED)]
    low = plan(
        first_response=MINUTE * allowed * 2,
        resolution="100d",
        priorities={"high": {"factor": 0.5, "resolution": MINUTE * allowed}, "low": {"factor": 3.0}},
    )
    high = plan(first_response=MINUTE * allowed, resolution=MINUTE * allowed)
    assert clocks(low, changed, working, now, reopen, priority="high") == clocks(
        high, events, working, now, reopen
    )
    assert clocks(low, changed, working, now, reopen, priority="normal")[0].allowed == MINUTE * allowed * 2


@settings(max_examples=CASES // 4, deadline=None, database=None)
@given(st.integers(0, 2**63))
def test_a_due_date_set_by_hand_stands_whatever_pauses(seed: int) -> None:
    working, events, now, _, reopen = scene_of(seed)
    rng = random.Random(seed)
    set_at = events[rng.randrange(len(events))].at
    due = set_at + MINUTE * rng.randint(-600, 3000)
    by_hand = ClockEvent(set_at, K.DUE_SET, due=due)
    (clock,) = clocks(plan(), [*events, by_hand], working, now, reopen)
    resolved = simulate("resolution", events, working, now, reopen)[0].resolved
    late = (clock.ended_at or now) >= due if clock.ended_at is None else clock.ended_at > due
    assert clock.fixed == due
    assert (clock.ended_at is not None) is resolved
    assert clock.state == ("missed" if late else "met" if resolved else "running")
    assert clock.due_at == (None if clock.state == "met" else due)
    taken_back = ClockEvent(max(event.at for event in events), K.DUE_SET)
    assert clocks(plan(), [*events, by_hand, taken_back], working, now, reopen) == ()


@settings(max_examples=CASES // 4, deadline=None, database=None)
@given(st.integers(0, 2**63))
def test_the_counted_lines_of_the_ledger_add_up_to_the_time_used(seed: int) -> None:
    working, events, now, _, _ = scene_of(seed)
    (clock,) = clocks(plan(resolution="1h"), events, working, now)
    lines = ledger(events, working, now)
    assert sum((line.time for line in lines if line.counted), timedelta(0)) == clock.used
    assert len({(line.holder, line.who) for line in lines}) == len(lines)


# -- by hand -------------------------------------------------------------------------------------------

CREATED = ("2026-06-01T09:00", K.CREATED)  # a Monday


@pytest.mark.parametrize(
    ("events", "now", "state", "due", "used"),
    [
        ([], "2026-06-01T10:00", "running", "2026-06-01T13:00", 1 * HOUR),
        ([], "2026-06-01T13:00", "missed", "2026-06-01T13:00", 4 * HOUR),
        ([], "2026-06-03T09:00", "missed", "2026-06-01T13:00", 16 * HOUR),
        ([("2026-06-01T10:30", K.RESPONSE)], "2026-06-05T09:00", "met", None, 1.5 * HOUR),
        ([("2026-06-01T13:00", K.RESPONSE)], "2026-06-05T09:00", "met", None, 4 * HOUR),
        (
            [("2026-06-01T13:01", K.RESPONSE)],
            "2026-06-05T09:00",
            "missed",
            "2026-06-01T13:00",
            4 * HOUR + MINUTE,
        ),
        # a note, a customer's message and an assignment answer nothing
        (
            [("2026-06-01T09:30", K.CUSTOMER_MESSAGE), ("2026-06-01T09:40", K.ASSIGNED)],
            "2026-06-01T10:00",
            "running",
            "2026-06-01T13:00",
            1 * HOUR,
        ),
        # paused before the first answer
        ([("2026-06-01T10:00", K.ON_HOLD)], "2026-06-04T10:00", "paused", None, 1 * HOUR),
        (
            [("2026-06-01T10:00", K.WAITING), ("2026-06-02T10:00", K.RESUMED)],
            "2026-06-02T11:00",
            "running",
            "2026-06-02T13:00",
            2 * HOUR,
        ),
        # overdue stays overdue while it waits
        (
            [("2026-06-01T14:00", K.WAITING)],
            "2026-06-03T10:00",
            "missed",
            "2026-06-01T13:00",
            5 * HOUR,
        ),
        # resolved without a word
        ([("2026-06-01T12:00", K.RESOLVED)], "2026-06-03T10:00", "met", None, 3 * HOUR),
        # and once answered it is done for good
        (
            [
                ("2026-06-01T10:00", K.RESPONSE),
                ("2026-06-01T11:00", K.RESOLVED),
                ("2026-06-02T11:00", K.REOPENED),
            ],
            "2026-06-09T10:00",
            "met",
            None,
            1 * HOUR,
        ),
    ],
)
def test_the_first_response_by_hand(
    events: list[tuple[str, ClockEventKind]], now: str, state: str, due: str | None, used: timedelta
) -> None:
    clock = only(plan(first_response="4h"), story(CREATED, *events), now)
    assert (clock.state, clock.due_at, clock.used) == (state, berlin(due) if due else None, used)


RESOLVED_THEN_BACK = [("2026-06-01T15:00", K.RESOLVED), ("2026-06-08T09:00", K.REOPENED)]


@pytest.mark.parametrize(
    ("events", "now", "reopen", "state", "due", "used"),
    [
        (
            [("2026-06-01T12:00", K.RESPONSE)],
            "2026-06-01T13:00",
            "continue",
            "running",
            "2026-06-01T17:00",
            4 * HOUR,
        ),
        ([("2026-06-01T15:00", K.RESOLVED)], "2026-06-09T13:00", "continue", "met", None, 6 * HOUR),
        (RESOLVED_THEN_BACK, "2026-06-08T10:00", "continue", "running", "2026-06-08T11:00", 7 * HOUR),
        (RESOLVED_THEN_BACK, "2026-06-08T10:00", "restart", "running", "2026-06-08T17:00", 1 * HOUR),
        (
            [*RESOLVED_THEN_BACK, ("2026-06-08T10:00", K.RESOLVED)],
            "2026-06-20T10:00",
            "continue",
            "met",
            None,
            7 * HOUR,
        ),
        # resolved twice over (resolved, then closed): the first one is when it was done
        (
            [("2026-06-01T15:00", K.RESOLVED), ("2026-06-04T15:00", K.RESOLVED)],
            "2026-06-20T10:00",
            "continue",
            "met",
            None,
            6 * HOUR,
        ),
        # the last promised minute ends the day; the evening after it costs nothing
        ([("2026-06-01T22:00", K.RESOLVED)], "2026-06-20T10:00", "continue", "met", None, 8 * HOUR),
        ([], "2026-06-01T22:00", "continue", "missed", "2026-06-01T17:00", 8 * HOUR),
        # resolved while it waited: the wait is over when it comes back
        (
            [("2026-06-01T10:00", K.WAITING), *RESOLVED_THEN_BACK],
            "2026-06-08T10:00",
            "continue",
            "running",
            "2026-06-08T16:00",
            2 * HOUR,
        ),
    ],
)
def test_the_resolution_by_hand(
    events: list[tuple[str, ClockEventKind]],
    now: str,
    reopen: Reopen,
    state: str,
    due: str | None,
    used: timedelta,
) -> None:
    clock = only(plan(resolution="8h"), story(CREATED, *events), now, reopen=reopen)
    assert (clock.state, clock.due_at, clock.used) == (state, berlin(due) if due else None, used)


def test_a_plan_without_targets_and_a_ticket_without_beginning_have_no_clocks() -> None:
    assert clocks(plan(), story(CREATED), OFFICE, berlin("2026-06-01T10:00")) == ()
    assert clocks(plan(resolution="8h"), [], OFFICE, berlin("2026-06-01T10:00")) == ()


def test_a_promise_in_a_schedule_that_never_opens_is_never_due() -> None:
    never = WorkingTime(Schedule(hours={}))
    promised = plan(first_response="2h", resolution="8h", repeat_alert="1h")
    now = berlin("2026-06-09T10:00")
    found = clocks(promised, story(CREATED), never, now)
    assert [(clock.state, clock.due_at) for clock in found] == [("running", None), ("running", None)]
    assert next_due(found) is None


def test_a_clock_set_back_never_gives_time_back_or_a_negative_use() -> None:
    events = story(CREATED, ("2026-06-01T11:00", K.CUSTOMER_MESSAGE))
    clock = only(plan(resolution="8h"), events, "2026-05-31T08:00")
    assert clock.used == 2 * HOUR
    assert clock.state == "running"


def test_events_may_come_in_any_order() -> None:
    events = story(CREATED, *RESOLVED_THEN_BACK)
    now = berlin("2026-06-08T10:00")
    promised = plan(first_response="4h", resolution="8h")
    assert clocks(promised, reversed(events), OFFICE, now) == clocks(promised, events, OFFICE, now)


def test_a_new_plan_applies_from_the_beginning() -> None:
    events = story(CREATED, ("2026-06-01T12:00", K.PLAN_CHANGED))
    assert only(plan(resolution="2h"), events, "2026-06-01T12:00").state == "missed"
    assert only(plan(resolution="2d"), events, "2026-06-01T12:00").due_at == berlin("2026-06-08T17:00")


def test_met_at_tells_only_promises_that_were_kept() -> None:
    kept = only(
        plan(first_response="4h"), story(CREATED, ("2026-06-01T10:00", K.RESPONSE)), "2026-06-02T10:00"
    )
    late = only(
        plan(first_response="4h"), story(CREATED, ("2026-06-01T14:00", K.RESPONSE)), "2026-06-02T10:00"
    )
    assert kept.met_at == berlin("2026-06-01T10:00")
    assert late.met_at is None
    assert late.ended_at == berlin("2026-06-01T14:00")
    assert not late.overdue


BOTH = plan(first_response="2h", resolution="8h")


@pytest.mark.parametrize(
    ("events", "now", "due"),
    [
        ([], "2026-06-01T10:00", "2026-06-01T11:00"),
        ([], "2026-06-01T12:00", "2026-06-01T11:00"),  # due until it is done
        ([("2026-06-01T12:00", K.RESPONSE)], "2026-06-01T13:00", "2026-06-01T17:00"),
        ([("2026-06-01T12:00", K.RESOLVED)], "2026-06-01T13:00", None),
        ([("2026-06-01T10:00", K.WAITING)], "2026-06-01T13:00", None),
    ],
)
def test_next_due_is_the_earliest_unkept_promise(
    events: list[tuple[str, ClockEventKind]], now: str, due: str | None
) -> None:
    found = clocks(BOTH, story(CREATED, *events), OFFICE, berlin(now))
    assert next_due(found) == (berlin(due) if due else None)


# -- statuses, words, the ledger -----------------------------------------------------------------------


@pytest.mark.parametrize("before", Status)
@pytest.mark.parametrize("after", Status)
def test_every_change_of_status_tells_the_clocks_what_it_means(before: Status, after: Status) -> None:
    kind = clock_event_of(before, after)
    if after in FINISHED:
        assert kind is (None if before in FINISHED else K.RESOLVED)
    elif after in PAUSED:
        assert kind is (None if before is after else (K.WAITING if after is Status.WAITING else K.ON_HOLD))
    elif before in FINISHED:
        assert kind is K.REOPENED
    else:
        assert kind is (K.RESUMED if before in PAUSED else None)


@pytest.mark.parametrize(
    ("length", "days", "words"),
    [
        (timedelta(seconds=30), False, "less than a minute"),
        (45 * MINUTE, False, "45 min"),
        (60 * MINUTE, False, "1 h"),
        (2 * HOUR, False, "2 h"),
        (2 * HOUR + 10 * MINUTE, False, "2 h 10 min"),
        (-3 * HOUR, False, "3 h"),
        (26 * HOUR, False, "26 h"),
        (26 * HOUR, True, "1 d 2 h"),
        (2 * DAY, True, "2 d"),
        (23 * HOUR, True, "23 h"),
    ],
)
def test_lengths_of_time_are_spoken_as_people_do(length: timedelta, days: bool, words: str) -> None:
    assert spoken(length, days=days) == words


@pytest.mark.parametrize(
    ("events", "now", "words"),
    [
        ([], "2026-06-01T14:50", "2 h 10 min left"),
        ([], "2026-06-01T17:00", "due now"),
        ([], "2026-06-02T12:00", "overdue by 3 h"),
        ([("2026-06-01T14:00", K.WAITING)], "2026-06-05T12:00", "paused, 3 h left"),
        ([("2026-06-01T09:40", K.RESOLVED)], "2026-06-05T12:00", "met in 40 min"),
        ([("2026-06-02T12:00", K.RESOLVED)], "2026-06-05T12:00", "missed by 3 h"),
    ],
)
def test_a_clock_tells_where_it_stands(
    events: list[tuple[str, ClockEventKind]], now: str, words: str
) -> None:
    assert time_left(only(plan(resolution="8h"), story(CREATED, *events), now), OFFICE) == words


def test_around_the_clock_time_is_told_in_days() -> None:
    clock = only(plan(resolution="3d"), story(CREATED), "2026-06-02T10:00", working_time=ALWAYS)
    assert time_left(clock, ALWAYS) == "1 d 23 h left"


def test_the_ledger_in_words() -> None:
    events = story(
        CREATED,
        ("2026-06-01T11:00", K.ASSIGNED, "ann"),
        ("2026-06-01T14:00", K.WAITING),
        ("2026-06-02T14:00", K.RESUMED),
        ("2026-06-02T16:00", K.RESOLVED),
        ("2026-06-04T16:00", K.REOPENED),
        ("2026-06-04T16:30", K.ON_HOLD),
        ("2026-06-04T18:00", K.RESUMED),
        ("2026-06-05T10:00", K.RESOLVED),
        ("2026-06-06T10:00", K.ASSIGNED, "bob"),
    )
    lines = ledger(events, OFFICE, berlin("2026-06-08T12:00"))
    assert ledger_words(lines, OFFICE, str.title) == (
        "unassigned 2 h, with Ann 6 h 30 min, waiting for the customer 1 d (not counted), "
        "resolved 2 d (not counted), on hold 1 h 30 min (not counted)"
    )


def test_an_empty_ledger_says_nothing() -> None:
    assert ledger([], OFFICE, berlin("2026-06-08T12:00")) == ()
    assert ledger_words((), OFFICE) == ""
