"""domain/slots.py: when what comes round by the wall clock is due, and that it comes exactly once."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailticket.domain.slots import GRACE, Rhythm, next_slot, rhythm, slot_due
from tests.unit.test_digest import DAY, HOUR, MINUTE, desk, job_of

WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
BERLIN = ZoneInfo("Europe/Berlin")


def local(text: str, zone: str = "Europe/Berlin", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def due(now: datetime, beat: Rhythm, zone: ZoneInfo = BERLIN) -> str | None:
    slot = slot_due(now, beat, zone)
    return slot.name if slot else None


@pytest.mark.parametrize(
    ("now", "slot"),
    [
        ("2026-06-01T07:59:59", "2026-05-29"),
        ("2026-06-01T08:00", "2026-06-01"),
        ("2026-06-01T23:59", "2026-06-01"),  # late, after an outage
        ("2026-06-02T07:59", "2026-06-01"),
        ("2026-06-02T08:00", "2026-06-02"),
        ("2026-06-05T09:00", "2026-06-05"),  # Friday
        ("2026-06-07T09:00", "2026-06-05"),  # still Friday's, if nobody made it
        ("2026-06-08T07:59", "2026-06-05"),
        ("2026-06-08T09:00", "2026-06-08"),  # Monday after a weekend's outage: only Monday's
    ],
)
def test_which_days_digest_is_due(now: str, slot: str) -> None:
    assert due(local(now), rhythm(time(8), WORKDAYS)) == slot


def test_a_slot_is_given_up_after_the_grace() -> None:
    beat = rhythm(time(16), ("fri",))
    assert due(local("2026-06-08T09:00"), beat) == "2026-06-05"  # down over the weekend: not lost
    assert due(local("2026-06-08T16:00"), beat) is None


@pytest.mark.parametrize(
    ("line", "now", "slot", "following"),
    [
        ("0 8,16 * * *", "2026-06-01T15:59", "2026-06-01T08:00", "2026-06-01T16:00"),
        ("0 8,16 * * *", "2026-06-01T16:00", "2026-06-01T16:00", "2026-06-02T08:00"),
        ("0 7 1 * *", "2026-06-01T07:30", "2026-06-01T07:00", "2026-07-01T07:00"),
        ("0 7 29 2 *", "2026-06-01T07:30", None, "2028-02-29T07:00"),  # leap day
        ("30 2 * * *", "2026-03-29T03:30", "2026-03-29T02:30", "2026-03-30T02:30"),  # 23 hours: skipped
        ("*/30 2 * * *", "2026-03-29T03:30", "2026-03-29T02:30", "2026-03-30T02:00"),
    ],
)
def test_a_cron_line_has_slots_named_by_date_and_time(
    line: str, now: str, slot: str | None, following: str
) -> None:
    beat = rhythm(time(8), (), line)
    assert due(local(now), beat) == slot
    assert next_slot(local(now), beat, BERLIN) == local(following)


def test_dates_on_which_nobody_works_are_skipped() -> None:
    closed = {date(2026, 6, 4)}
    beat = rhythm(time(8), WORKDAYS, None, lambda day: day not in closed)
    assert due(local("2026-06-04T09:00"), beat) == "2026-06-03"
    assert next_slot(local("2026-06-03T09:00"), beat, BERLIN) == local("2026-06-05T08:00")


def test_holidays_of_a_schedule_are_skipped() -> None:
    hours = {day: ["09:00-17:00"] for day in WORKDAYS}
    schedules = {
        "office": {"hours": hours, "country": "DE", "region": "BY", "open": {"2026-06-06": ["09:00-12:00"]}}
    }
    value = desk(digest={"schedule": "office", "weekdays": [*WORKDAYS, "sat"]}, schedules=schedules)
    beat = job_of("mia", value).beat
    assert next_slot(local("2026-06-03T09:00"), beat, BERLIN) == local("2026-06-05T08:00")  # Corpus Christi
    assert next_slot(local("2026-06-05T09:00"), beat, BERLIN) == local(
        "2026-06-06T08:00"
    )  # open that Saturday


def test_a_time_the_clock_skips_comes_as_much_later() -> None:
    beat = rhythm(time(2, 30), ("sun",))
    assert next_slot(local("2026-03-29T00:00"), beat, BERLIN) == local("2026-03-29T03:30")


def test_a_time_that_comes_twice_counts_the_first_time() -> None:
    beat = rhythm(time(2, 30), ("sun",))
    first, second = local("2026-10-25T02:30"), local("2026-10-25T02:30", fold=1)
    assert next_slot(first - HOUR, beat, BERLIN) == first
    assert due(first, beat) == due(second, beat)


ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", [time(0, 0), time(2, 30), time(8, 0), time(23, 59)])
def test_over_a_year_every_working_day_has_exactly_one_slot(zone: str, at: time) -> None:
    info, beat = ZoneInfo(zone), rhythm(at, WORKDAYS)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    made: list[str] = []
    taken: set[str] = set()
    while now < datetime(2027, 1, 1, tzinfo=UTC):
        slot = due(now, beat, info)
        if slot is not None and slot not in taken:  # what the database's unique key does
            taken.add(slot)
            made.append(slot)
        now += 20 * MINUTE
    assert made == sorted(made)
    working = {date(2026, 1, 2) + day * DAY for day in range(363)}
    assert {day.isoformat() for day in working if day.weekday() < 5} <= taken
    assert all(date.fromisoformat(slot).weekday() < 5 for slot in taken)


@pytest.mark.parametrize("zone", ZONES)
def test_a_cron_line_comes_once_for_each_of_its_times_on_days_of_23_and_25_hours(zone: str) -> None:
    info, beat = ZoneInfo(zone), rhythm(time(8), (), "0 */3 * * *")
    now = datetime(2026, 3, 1, tzinfo=UTC)
    made: list[str] = []
    while now < datetime(2026, 11, 30, tzinfo=UTC):
        slot = due(now, beat, info)
        if slot is not None and slot not in made[-3:]:
            made.append(slot)
        now += 10 * MINUTE
    assert len(made) == len(set(made))
    assert abs(len(made) - 274 * 8) <= 9


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_outages_and_clocks_set_back_make_no_second_slot_and_no_storm(seed: int) -> None:
    rng = random.Random(seed)
    zone = ZoneInfo(rng.choice(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]))
    beat = rhythm(time(8), WORKDAYS)
    now = datetime(2026, rng.choice([3, 4, 10, 11]), 1, tzinfo=UTC)
    taken: set[str] = set()
    for _ in range(120):
        slot = slot_due(now, beat, zone)
        if slot is not None:
            assert slot.begins <= now < slot.begins + GRACE
            taken.add(slot.name)
        now += rng.choice([20 * MINUTE, 5 * HOUR, -1 * HOUR, 3 * DAY, 3650 * DAY, -3650 * DAY])
        now = (
            max(now, datetime(2026, 1, 1, tzinfo=UTC))
            if now.year < 2026
            else min(now, datetime(2046, 1, 1, tzinfo=UTC))
        )
    assert all(date.fromisoformat(slot).weekday() < 5 for slot in taken)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2 * 365 * 1440), st.sampled_from(ZONES))
def test_the_next_slot_is_where_a_slot_begins(minute: int, name: str) -> None:
    zone, now = ZoneInfo(name), datetime(2026, 1, 1, tzinfo=UTC) + MINUTE * minute
    beat = rhythm(time(2, 15), WORKDAYS)
    moment = next_slot(now, beat, zone)
    assert moment is not None
    assert moment > now
    begun = due(moment, beat, zone)
    assert begun == moment.astimezone(zone).date().isoformat()
    assert due(moment - MINUTE, beat, zone) != begun
