"""domain/schedule.py: working time, exact to the minute, checked against a minute-by-minute counter.

`MAILTICKET_CLOCK_CASES` sets how many random cases the counters are asked (2,000 unless told).
"""

from __future__ import annotations

import os
import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailticket.config.desk import Desk, Schedule, SLAPlan
from mailticket.domain.schedule import (
    BadSchedule,
    NeverOpens,
    WorkingTime,
    WorkingTimes,
    parse_hours,
    schedule_problems,
)

CASES = int(os.environ.get("MAILTICKET_CLOCK_CASES", "2000"))
MINUTE = timedelta(minutes=1)
OFFICE = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("09:00-17:00",))
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def at(text: str, zone: str = "UTC", fold: int = 0) -> datetime:
    """A wall-clock time of a zone, as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def office(zone: str = "Europe/Berlin", **more: object) -> WorkingTime:
    return WorkingTime(Schedule.model_validate({"time_zone": zone, "hours": OFFICE, **more}))


# -- the counter that everything is measured against: it knows the wall clock and nothing else ------


class MinuteCounter:
    """Asks, minute by minute, what the wall clock shows and whether that is within the day's hours."""

    def __init__(self, schedule: Schedule, holidays: frozenset[date] = frozenset()) -> None:
        self.zone = ZoneInfo(schedule.time_zone or "UTC")
        self.schedule = schedule
        self.holidays = holidays
        self.minutes: dict[tuple[int, int, int], bytes] = {}

    def is_open(self, moment: datetime) -> bool:
        local = moment.astimezone(self.zone)
        day = local.year, local.month, local.day
        if day not in self.minutes:
            self.minutes[day] = self._minutes(local.date())
        return bool(self.minutes[day][local.hour * 60 + local.minute])

    def between(self, start: datetime, end: datetime) -> int:
        minutes = int((end - start) / MINUTE)
        return sum(self.is_open(start + MINUTE * count) for count in range(minutes))

    def add(self, start: datetime, minutes: int, limit: int) -> datetime | None:
        """None when it takes more than `limit` minutes."""
        if not minutes:
            return start
        for count in range(limit):
            if self.is_open(start + MINUTE * count):
                minutes -= 1
                if not minutes:
                    return start + MINUTE * (count + 1)
        return None

    def _minutes(self, day: date) -> bytes:
        open_ = bytearray(1440)
        for text in self._texts(day):
            start, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in text.split("-"))
            open_[start:end] = b"\1" * (end - start)
        return bytes(open_)

    def _texts(self, day: date) -> tuple[str, ...]:
        if day in self.schedule.open:
            return self.schedule.open[day]
        if day in self.schedule.closed or day in self.holidays:
            return ()
        return self.schedule.hours.get(WEEK[day.weekday()], ())


CLOCK_CHANGES = {
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
    "Asia/Kathmandu": ("2026-03-29", "2026-10-25"),
    "Africa/Casablanca": ("2026-02-15", "2026-03-22"),
    "Africa/Cairo": ("2026-04-24", "2026-10-29"),
    "America/St_Johns": ("2006-04-02", "2006-10-29"),
    "Pacific/Apia": ("2011-12-30", "2011-12-31"),
    "America/Nuuk": ("2026-03-28", "2026-10-24"),
}


def _clock_text(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def random_hours(rng: random.Random) -> tuple[str, ...]:
    # Small hours are drawn often, because clocks change there; a day may be open to its last minute.
    kinds = (
        lambda: rng.randint(0, 240),
        lambda: rng.randint(0, 1440),
        lambda: rng.choice((0, 120, 150, 180, 1440)),
    )
    edges = sorted({rng.choice(kinds)() for _ in range(rng.choice((0, 2, 2, 4, 6)))})
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return tuple(f"{_clock_text(start)}-{_clock_text(end)}" for start, end in pairs)


def scene_of(seed: int) -> tuple[Schedule, datetime]:
    """A random schedule, and a moment near a clock change of its zone.

    From one number, because drawing every choice through hypothesis costs more than checking it.
    """
    rng = random.Random(seed)
    zone = rng.choice(sorted(CLOCK_CHANGES))
    near = date.fromisoformat(rng.choice(CLOCK_CHANGES[zone]))
    around = [near + timedelta(days=days) for days in range(-2, 6)]
    start = datetime.combine(near, datetime.min.time(), UTC) + MINUTE * rng.randint(-3 * 1440, 2 * 1440)
    schedule = Schedule(
        time_zone=zone,
        hours={day: random_hours(rng) for day in WEEK},
        closed=tuple(rng.sample(around, rng.choice((0, 0, 1, 2)))),
        open={day: random_hours(rng) for day in rng.sample(around, rng.choice((0, 0, 1, 2)))},
    )
    return schedule, start


scenes = st.integers(0, 2**63).map(scene_of)
exhaustive = settings(
    max_examples=CASES, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@exhaustive
@given(scenes, st.one_of(st.integers(0, 600), st.integers(0, 4000)))
def test_time_between_equals_a_minute_counter(scene: tuple[Schedule, datetime], length: int) -> None:
    schedule, start = scene
    working, end = WorkingTime(schedule), start + MINUTE * length
    counter = MinuteCounter(schedule)
    minutes = counter.between(start, end)
    assert working.is_open(end) == counter.is_open(end)
    assert working.between(start, end) == MINUTE * minutes
    assert working.between(end, start) == -MINUTE * minutes
    stretches = working.intervals(start, end)
    assert sum((b - a for a, b in stretches), timedelta(0)) == MINUTE * minutes
    assert all(a < b for a, b in stretches)
    if any(schedule.hours.values()):
        assert all(working.is_open(working.next_open(b)) for _, b in stretches)
    assert all(earlier[1] < later[0] for earlier, later in pairwise(stretches))
    assert all(working.is_open(a) and not working.is_open(b) for a, b in stretches if a > start and b < end)


@exhaustive
@given(scenes, st.one_of(st.just(1), st.integers(0, 1500)))
def test_adding_time_equals_a_minute_counter(scene: tuple[Schedule, datetime], minutes: int) -> None:
    schedule, start = scene
    limit = 2 * 1440
    expected = MinuteCounter(schedule).add(start, minutes, limit)
    try:
        due = WorkingTime(schedule).add(start, MINUTE * minutes)
    except NeverOpens:
        assert expected is None
        assert not any(schedule.hours.values())
        return
    if minutes == 1 and expected is not None:
        assert WorkingTime(schedule).next_open(start) == expected - MINUTE
    if expected is None:
        assert due > start + MINUTE * limit
    else:
        assert due == expected


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 365 * 1440),
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=40)),
    st.sampled_from([("DE", "BY"), ("US", "NY"), ("GB", None), ("NP", None), ("MA", None)]),
)
def test_with_public_holidays_what_was_added_is_what_lies_between(
    minute: int, duration: timedelta, place: tuple[str, str | None]
) -> None:
    working = office(country=place[0], region=place[1])
    start = datetime(2026, 1, 1, tzinfo=UTC) + MINUTE * minute
    due = working.add(start, duration)
    assert working.between(start, due) == duration
    if duration:
        assert working.between(start, due - timedelta(microseconds=1)) < duration


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 60 * 1440), st.integers(0, 6000))
def test_public_holidays_equal_a_minute_counter_that_is_told_the_dates(minute: int, length: int) -> None:
    dates = frozenset(date.fromisoformat(text) for text in BAVARIA_2026)
    start = at("2026-03-20T00:00", "Europe/Berlin") + MINUTE * minute
    end = start + MINUTE * length
    schedule = Schedule(time_zone="Europe/Berlin", hours=OFFICE, country="DE", region="BY")
    counted = MinuteCounter(schedule, dates).between(start, end)
    assert WorkingTime(schedule).between(start, end) == MINUTE * counted


# The law of Bavaria, between 20 March and 1 June 2026.
BAVARIA_2026 = ("2026-04-03", "2026-04-06", "2026-05-01", "2026-05-14", "2026-05-25")


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-06-01T09:00", 8, "2026-06-01T17:00"),  # a whole day ends at closing time, not next morning
        ("2026-06-01T09:00", 9, "2026-06-02T10:00"),
        ("2026-06-05T16:00", 2, "2026-06-08T10:00"),  # over a weekend
        ("2026-06-06T12:00", 1, "2026-06-08T10:00"),  # from a Saturday
        ("2026-06-01T07:00", 1, "2026-06-01T10:00"),  # before opening
        ("2026-06-01T18:00", 40, "2026-06-08T17:00"),
        ("2026-03-27T16:00", 2, "2026-03-30T10:00"),  # the clock goes forward on the Sunday between
        ("2026-10-23T16:00", 2, "2026-10-26T10:00"),  # and back
        ("2026-06-06T12:00", 0, "2026-06-06T12:00"),  # nothing takes no time
    ],
)
def test_business_hours_from_a_berlin_office(start: str, hours: int, due: str) -> None:
    assert office().add(at(start, "Europe/Berlin"), timedelta(hours=hours)) == at(due, "Europe/Berlin")


def test_a_lunch_break_is_not_working_time() -> None:
    hours = {"mon": ("09:00-12:30", "13:30-17:00")}
    working = WorkingTime(Schedule(time_zone="Europe/Berlin", hours=hours))
    noon = at("2026-06-01T12:00", "Europe/Berlin")
    assert working.add(noon, timedelta(hours=1)) == at("2026-06-01T14:00", "Europe/Berlin")


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-07", 24)])
def test_a_whole_sunday_is_as_long_as_the_clock_makes_it(day: str, hours: int) -> None:
    working = WorkingTime(Schedule(time_zone="Europe/Berlin", hours={"sun": ("00:00-24:00",)}))
    start = at(day, "Europe/Berlin") - timedelta(hours=12)
    assert working.between(start, start + timedelta(days=2)) == timedelta(hours=hours)


def test_an_opening_that_the_clock_skips_happens_when_the_clock_goes_on() -> None:
    working = WorkingTime(Schedule(time_zone="Europe/Berlin", hours={"sun": ("02:30-10:00",)}))
    night = at("2026-03-29T00:00", "Europe/Berlin")
    assert working.next_open(night) == at("2026-03-29T03:00", "Europe/Berlin")


def test_an_hour_that_happens_twice_is_open_twice() -> None:
    working = WorkingTime(Schedule(time_zone="Europe/Berlin", hours={"sun": ("02:15-02:45",)}))
    night = at("2026-10-25T00:00", "Europe/Berlin")
    zone = "Europe/Berlin"
    assert working.intervals(night, night + timedelta(hours=12)) == (
        (at("2026-10-25T02:15", zone), at("2026-10-25T02:45", zone)),
        (at("2026-10-25T02:15", zone, fold=1), at("2026-10-25T02:45", zone, fold=1)),
    )


def test_a_date_that_a_zone_skipped_has_no_hours() -> None:
    working = WorkingTime(Schedule(time_zone="Pacific/Apia", hours={"fri": ("00:00-24:00",)}))
    start = at("2011-12-29T12:00", "Pacific/Apia")
    assert working.between(start, start + timedelta(days=5)) == timedelta(0)


@pytest.mark.parametrize(
    ("day", "open_"),
    [
        ("2026-12-24", True),  # own hours on a day that the list of closures also names
        ("2026-12-25", False),  # a public holiday
        ("2026-12-28", False),  # an own closure
        ("2026-12-26", True),  # a working Saturday, although it is a holiday
        ("2026-12-29", False),  # an exception without hours
        ("2026-12-30", True),
    ],
)
def test_exceptions_win_over_closures_and_closures_over_the_week(day: str, open_: bool) -> None:
    working = office(
        country="DE",
        closed=["2026-12-24", "2026-12-28"],
        open={"2026-12-24": ["09:00-12:00"], "2026-12-26": ["09:00-12:00"], "2026-12-29": []},
    )
    assert working.is_open(at(f"{day}T10:00", "Europe/Berlin")) is open_


def test_without_a_schedule_time_counts_around_the_clock() -> None:
    working, start = WorkingTime(None), at("2026-06-06T12:00")
    week = timedelta(days=7)
    assert working.around_the_clock
    assert working.add(start, week) == start + week
    assert working.between(start, start + week) == week
    assert working.is_open(start)
    assert working.next_open(start) == start
    assert working.intervals(start, start + week) == ((start, start + week),)
    assert working.intervals(start, start) == ()


def test_always_open_by_schedule_is_one_stretch_without_seams() -> None:
    always = dict.fromkeys(WEEK, ("00:00-24:00",))
    working = WorkingTime(Schedule(time_zone="Australia/Lord_Howe", hours=always))
    start = at("2026-03-01T10:30")
    assert working.intervals(start, start + timedelta(days=60)) == ((start, start + timedelta(days=60)),)


@pytest.mark.parametrize("hours", [{}, {"mon": []}])
def test_a_schedule_that_never_opens_says_so_instead_of_searching_on(hours: dict[str, list[str]]) -> None:
    working = WorkingTime(Schedule.model_validate({"key": "ghost", "hours": hours}))
    with pytest.raises(NeverOpens, match='"ghost" has no opening'):
        working.add(at("2026-06-06T12:00"), timedelta(minutes=1))
    with pytest.raises(NeverOpens):
        working.next_open(at("2026-06-06T12:00"))
    assert working.between(at("2026-06-06T12:00"), at("2027-06-06T12:00")) == timedelta(0)


def test_a_schedule_with_one_last_opening_gives_it_and_then_no_more() -> None:
    working = WorkingTime(Schedule.model_validate({"hours": {}, "open": {"2027-01-01": ["08:00-09:00"]}}))
    start = at("2026-06-06T12:00")
    assert working.add(start, timedelta(hours=1)) == at("2027-01-01T09:00")
    with pytest.raises(NeverOpens):
        working.add(start, timedelta(hours=1, microseconds=1))


@pytest.mark.parametrize("schedule", [None, Schedule(hours={"mon": ("09:00-09:01",)})])
def test_more_time_than_the_calendar_has_is_refused(schedule: Schedule | None) -> None:
    with pytest.raises(NeverOpens, match="within 20 years"):
        WorkingTime(schedule).add(at("2026-06-06T12:00"), timedelta(days=3_000_000))


def test_seconds_and_microseconds_are_kept() -> None:
    start = at("2026-06-05T16:59:59.250000", "Europe/Berlin")
    assert office().add(start, timedelta(seconds=1)) == at("2026-06-08T09:00:00.250000", "Europe/Berlin")


def test_naive_times_and_negative_durations_are_refused() -> None:
    working = office()
    with pytest.raises(ValueError, match="time zone"):
        working.add(datetime(2026, 6, 6), timedelta(hours=1))  # noqa: DTZ001 -- naive on purpose
    with pytest.raises(ValueError, match="forwards"):
        working.add(at("2026-06-06T12:00"), timedelta(hours=-1))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"time_zone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"hours": {"mon": ["9 to 5"]}}, "9 to 5"),
        ({"hours": {"mon": ["22:00-06:00"]}}, "ends before it begins"),
        ({"hours": {"monday": ["09:00-17:00"]}}, "monday"),
        ({"country": "XX"}, "XX"),
        ({"country": "DE", "region": "ZZ"}, "ZZ"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused_by_name(wrong: dict[str, Any], words: str) -> None:
    # Built past validation: the configuration refuses most of these before they come here.
    value = Schedule(hours=OFFICE).model_copy(update=wrong)
    with pytest.raises(BadSchedule, match=words):
        WorkingTime(value)


def test_overlapping_and_touching_hours_become_one() -> None:
    assert parse_hours(["13:00-17:00", "09:00-12:00", "12:00-13:00"]) == ((540, 1020),)


def desk_with(**schedules: Any) -> Desk:
    return Desk.model_validate(
        {
            "name": "Desk",
            "instance": "desk1",
            "time_zone": "Asia/Kathmandu",
            "default_department": "support",
            "departments": {"support": {"name": "Support", "addresses": ["support@desk.example"]}},
            "priorities": {"normal": {"name": "Normal", "urgency": 3}},
            "schedules": schedules,
        }
    )


def test_a_desk_has_its_schedules_compiled_in_its_own_zone() -> None:
    times = WorkingTimes(
        desk_with(office={"hours": OFFICE}, berlin={"hours": OFFICE, "time_zone": "Europe/Berlin"})
    )
    assert times.of(None).around_the_clock
    assert times.of_plan(None).around_the_clock
    assert times.of("office").next_open(at("2026-06-01T00:00")) == at("2026-06-01T09:00", "Asia/Kathmandu")
    plan = SLAPlan(name="Plan", schedule="berlin")
    assert times.of_plan(plan).next_open(at("2026-06-01T00:00")) == at("2026-06-01T09:00", "Europe/Berlin")
    with pytest.raises(KeyError):
        times.of("none")


def test_what_is_wrong_with_the_schedules_is_told_by_name() -> None:
    desk = desk_with(
        good={"hours": OFFICE},
        never={"hours": {}},
        over={"hours": {}, "open": {"2020-01-01": ["09:00-17:00"]}},
        strange={"hours": OFFICE, "country": "XX"},
    )
    problems = schedule_problems(desk, at("2026-06-01T00:00"))
    assert [problem.partition(":")[0] for problem in problems] == [
        'schedule "never"',
        'schedule "over"',
        'schedule "strange"',
    ]
    with pytest.raises(BadSchedule, match="strange"):
        WorkingTimes(desk)
