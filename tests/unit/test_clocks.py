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
    AlertSent,
    Clock,
    ClockEvent,
    ClockEventKind,
    Nothing,
    NotYet,
    Overdue,
    Reopen,
    clock_event_of,
    clocks,
    next_due,
    overdue_decision,
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


def simulate(
    target: str,
    allowed: int,
    events: list[ClockEvent],
    working: WorkingTime,
    now: datetime,
    reopen: Reopen,
) -> tuple[int, datetime | None, bool]:
    """(minutes used, when the allowance was used up, whether the clock is done), minute by minute."""
    used, due_at, created, paused, resolved, done = 0, None, False, False, False, False
    pending = sorted(events, key=lambda event: event.at)
    moment = pending[0].at
    while True:
        while pending and pending[0].at <= moment:
            kind = pending.pop(0).kind
            created = created or kind is K.CREATED
            if kind in (K.WAITING, K.ON_HOLD):
                paused = True
            elif kind is K.RESUMED:
                paused = False
            elif kind is K.RESOLVED:
                resolved = True
            elif kind is K.REOPENED:
                resolved = paused = False
                if target == "resolution" and reopen == "restart":
                    used, due_at = 0, None
            if target == "first_response":
                done = done or kind in (K.RESPONSE, K.RESOLVED)
            else:
                done = resolved
        if created and due_at is None and not done and used >= allowed:
            due_at = moment
        if moment >= now:
            return used, due_at, done
        if created and not paused and not resolved and not done and working.is_open(moment):
            used += 1
            if used == allowed and due_at is None:
                due_at = moment + MINUTE
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


@settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**63))
def test_every_clock_equals_the_simulation_to_the_minute(seed: int) -> None:
    working, events, now, allowed, reopen = scene_of(seed)
    promised = plan(first_response=MINUTE * allowed, resolution=MINUTE * allowed)
    shuffled = [event for event in events if event.kind is not K.CREATED]
    for clock in clocks(promised, [events[0], *shuffled], working, now, reopen):
        used, due_at, done = simulate(clock.target, allowed, events, working, now, reopen)
        assert clock.used == MINUTE * used
        assert (clock.ended_at is not None) is done
        if done:
            assert clock.state == ("missed" if used > allowed else "met")
        else:
            assert (clock.state == "missed") is (due_at is not None and due_at <= now)
        if clock.state == "missed":
            assert clock.due_at == due_at
        if clock.state == "running":
            assert clock.due_at is not None
            assert clock.due_at > now
            assert working.between(now, clock.due_at) == MINUTE * (allowed - used)


@settings(max_examples=CASES // 4, deadline=None, database=None)
@given(st.integers(0, 2**63))
def test_the_counted_lines_of_the_ledger_add_up_to_the_time_used(seed: int) -> None:
    working, events, now, _, _ = scene_of(seed)
    (clock,) = clocks(plan(resolution="1h"), events, working, now)
    lines = ledger(events, working, now)
    assert sum((line.time for line in lines if line.counted), timedelta(0)) == clock.used
    assert len({(line.holder, line.who) for line in lines}) == len(lines)


@settings(max_examples=CASES // 4, deadline=None, database=None)
@given(st.integers(0, 2**63), st.sampled_from([None, 30, 240]))
def test_a_tick_alerts_each_target_once_and_then_only_when_it_is_to_be_repeated(
    seed: int, repeat: int | None
) -> None:
    working, events, now, allowed, _ = scene_of(seed)
    promised = plan(
        first_response=MINUTE * allowed,
        resolution=MINUTE * allowed * 2,
        repeat_alert=MINUTE * repeat if repeat else None,
    )
    sent: list[AlertSent] = []
    looked = 0
    while looked < 40:
        looked += 1
        found = clocks(promised, events, working, now)
        verdict = overdue_decision(found, sent, promised, working, now)
        if isinstance(verdict, Nothing):
            break
        if isinstance(verdict, NotYet):
            assert verdict.due_at > now
            now = verdict.due_at
            continue
        assert verdict.since <= now
        assert verdict.number == 1 + sum(alert.target == verdict.target for alert in sent)
        again = [alert.at for alert in sent if alert.target == verdict.target]
        if again:
            assert repeat is not None
            assert working.between(max(again), now) >= MINUTE * repeat
        sent.append(AlertSent(verdict.target, now))
    if repeat is None:
        assert len(sent) == len({alert.target for alert in sent})
        assert looked < 40


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
    assert overdue_decision(found, [], promised, never, now) == Nothing()


def test_an_overdue_alert_is_not_repeated_once_the_desk_has_closed_for_good() -> None:
    last = WorkingTime(Schedule.model_validate({"hours": {}, "open": {"2026-06-01": ["00:00-24:00"]}}))
    promised = plan(first_response="2h", repeat_alert="12h")
    found = clocks(promised, story(CREATED), last, berlin("2026-06-02T01:00"))
    verdict = overdue_decision(found, [], promised, last, berlin("2026-06-02T01:00"))
    assert isinstance(verdict, Overdue)
    assert verdict.next_at is None


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


# -- what a tick does ----------------------------------------------------------------------------------


def decide(
    now: str, *alerts: tuple[str, str], events: Any = (), repeat: str | None = None
) -> Overdue | NotYet | Nothing:
    promised = plan(first_response="2h", resolution="8h", repeat_alert=repeat)
    found = clocks(promised, story(CREATED, *events), OFFICE, berlin(now))
    sent = [AlertSent(target, berlin(at)) for target, at in alerts]
    return overdue_decision(found, sent, promised, OFFICE, berlin(now))


def test_before_anything_is_due_a_tick_looks_again_when_it_is() -> None:
    assert decide("2026-06-01T10:00") == NotYet(berlin("2026-06-01T11:00"))


def test_at_the_very_moment_the_alert_goes_out() -> None:
    assert decide("2026-06-01T11:00") == Overdue(
        target="first_response",
        since=berlin("2026-06-01T11:00"),
        late=timedelta(0),
        number=1,
        next_at=berlin("2026-06-01T17:00"),
        reason="the first response is due now",
    )


def test_an_alert_sent_is_not_sent_again_by_a_late_or_second_tick() -> None:
    assert decide("2026-06-01T11:05", ("first_response", "2026-06-01T11:00")) == NotYet(
        berlin("2026-06-01T17:00")
    )


def test_an_overdue_alert_is_repeated_in_working_time() -> None:
    sent = ("first_response", "2026-06-01T11:00")
    assert decide("2026-06-01T12:00", sent, repeat="4h") == NotYet(berlin("2026-06-01T15:00"))
    verdict = decide("2026-06-01T15:00", sent, repeat="4h")
    assert isinstance(verdict, Overdue)
    assert (verdict.number, verdict.late) == (2, 4 * HOUR)
    # 17:00 brings the resolution before 11:00 of the next day brings the next repeat
    assert verdict.next_at == berlin("2026-06-01T17:00")


def test_after_a_long_outage_one_alert_goes_out_for_each_target() -> None:
    first = decide("2026-06-20T10:00", repeat="1h")
    assert isinstance(first, Overdue)
    assert first.target == "first_response"
    assert first.next_at == berlin("2026-06-20T10:00")  # the other target, at once
    sent = [("first_response", "2026-06-20T10:00")]
    second = decide("2026-06-20T10:00", *sent, repeat="1h")
    assert isinstance(second, Overdue)
    assert second.target == "resolution"
    sent.append(("resolution", "2026-06-20T10:00"))
    # it is a Saturday: the next one on Monday, when an hour has been worked
    assert decide("2026-06-20T10:00", *sent, repeat="1h") == NotYet(berlin("2026-06-22T10:00"))


def test_an_overdue_ticket_that_waits_for_the_customer_is_not_nagged_about() -> None:
    events = [("2026-06-01T12:00", K.WAITING)]
    sent = ("first_response", "2026-06-01T11:00")
    assert decide("2026-06-03T12:00", sent, events=events, repeat="1h") == Nothing()
    assert isinstance(decide("2026-06-03T12:00", events=events, repeat="1h"), Overdue)


def test_what_is_done_is_not_alerted() -> None:
    assert decide("2026-06-20T10:00", events=[("2026-06-01T10:00", K.RESOLVED)]) == Nothing()
    assert decide("2026-06-20T10:00", events=[("2026-06-01T12:00", K.RESOLVED)]) == Nothing()


def test_an_alert_of_an_earlier_promise_does_not_count_for_a_later_one() -> None:
    verdict = decide(
        "2026-06-01T17:00", ("resolution", "2026-06-01T13:00"), ("first_response", "2026-06-01T11:00")
    )
    assert isinstance(verdict, Overdue)
    assert (verdict.target, verdict.number) == ("resolution", 2)


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
