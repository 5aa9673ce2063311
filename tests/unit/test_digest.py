"""domain/digest.py: what a manager reads, and that each digest comes exactly once."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailticket.config.desk import Desk
from mailticket.domain.digest import (
    GRACE,
    DigestSection,
    Load,
    TicketRow,
    departments_managed,
    digest,
    digest_slot,
    next_slot,
    slot_due,
)
from mailticket.domain.status import FINISHED

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 6, 1, 6, 5, tzinfo=UTC)  # Monday 08:05 in Berlin
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")


def desk(**more: Any) -> Desk:
    value: dict[str, Any] = {
        "name": "Desk",
        "instance": "desk1",
        "time_zone": "Europe/Berlin",
        "default_department": "support",
        "departments": {
            "support": {"name": "Support", "addresses": ["support@desk.example"], "manager": "mia"},
            "it": {"name": "IT", "addresses": ["it@desk.example"], "manager": "mia"},
            "sales": {"name": "Sales", "addresses": ["sales@desk.example"], "manager": "max"},
        },
        "agents": {
            "mia": {"name": "Mia", "addresses": ["mia@staff.example"]},
            "max": {"name": "Max", "addresses": ["max@staff.example"], "time_zone": "America/New_York"},
        },
        "priorities": {"normal": {"name": "Normal", "urgency": 3}},
    }
    return Desk.model_validate(value | more)


def row(number: str, **more: Any) -> TicketRow:
    base = TicketRow(
        number=number,
        subject=f"Subject {number}",
        status="open",
        priority="normal",
        urgency=3,
        department="support",
        assignee="mia",
        created_at=NOW - 3 * DAY,
    )
    return replace(base, **more)


def support(*rows: TicketRow) -> DigestSection:
    return digest(desk(), "mia", rows, NOW).sections[0]


def numbers(rows: Any) -> list[str]:
    return [item.number for item in rows]


def test_a_manager_gets_a_section_for_each_department_they_manage() -> None:
    model = digest(desk(), "mia", [row("1"), row("2", department="it"), row("3", department="sales")], NOW)
    assert [(section.name, section.open_count) for section in model.sections] == [("Support", 1), ("IT", 1)]
    assert (model.open_count, model.overdue_count, model.empty) == (2, 0, False)
    assert departments_managed(desk(), "max") == ("sales",)


def test_with_nothing_open_the_digest_is_empty_and_still_has_its_sections() -> None:
    model = digest(desk(), "mia", [], NOW)
    assert model.empty
    assert [section.oldest for section in model.sections] == [None, None]


@pytest.mark.parametrize("status", sorted(FINISHED))
def test_finished_tickets_are_passed_over(status: str) -> None:
    assert digest(desk(), "mia", [row("1", status=status)], NOW).empty


def test_the_most_urgent_comes_first_and_then_what_is_overdue_longest() -> None:
    section = support(
        row("1", overdue_since=NOW - 2 * DAY),
        row("2", overdue_since=NOW - 5 * DAY),
        row("3", overdue_since=NOW - 10 * MINUTE, urgency=1),
        row("4", due_at=NOW),  # due this very minute, and no tick has seen it yet
        row("5", due_at=NOW + MINUTE),
    )
    assert [(line.ticket.number, line.by) for line in section.overdue] == [
        ("3", "10 min"),
        ("2", "5 d"),
        ("1", "2 d"),
        ("4", "less than a minute"),
    ]
    assert numbers(section.in_time) == ["5"]


def test_what_will_be_due_before_the_next_digest_is_told() -> None:
    rows = [
        row("1", due_at=NOW + DAY - 5 * MINUTE),  # exactly when the next digest comes
        row("2", due_at=NOW + DAY),
        row("3", due_at=NOW + HOUR),
        row("4"),
    ]
    section = support(*rows)
    assert numbers(section.due_soon) == ["3", "1"]
    assert numbers(section.in_time) == ["3", "1", "2", "4"]


def test_on_friday_the_next_digest_is_on_monday() -> None:
    friday = NOW + 4 * DAY
    model = digest(desk(), "mia", [row("1", due_at=friday + 2 * DAY)], friday)
    assert model.next_at == NOW + 7 * DAY - 5 * MINUTE
    assert numbers(model.sections[0].due_soon) == ["1"]


def test_without_a_next_digest_nothing_is_due_before_it() -> None:
    model = digest(desk(digest={"weekdays": []}), "mia", [row("1", due_at=NOW + HOUR)], NOW)
    assert model.next_at is None
    assert model.sections[0].due_soon == ()


def test_unassigned_tickets_paused_ones_the_oldest_and_the_load() -> None:
    section = support(
        row("1", assignee=None),
        row("2", assignee=None, urgency=1, overdue_since=NOW - HOUR),
        row("3", status="waiting", created_at=NOW - 9 * DAY),
        row("4", status="on-hold", assignee="max"),
        row("5", assignee="max", overdue_since=NOW - HOUR),
        row("6", assignee="max"),
    )
    assert numbers(section.unassigned) == ["2", "1"]
    assert section.paused == 2
    assert section.oldest is not None
    assert section.oldest.number == "3"
    assert section.load == (Load("max", 3, 1), Load(None, 2, 1), Load("mia", 1, 0))


@given(st.lists(st.integers(0, 2**32), max_size=40))
def test_every_ticket_is_told_once_whatever_the_order(seeds: list[int]) -> None:
    rows = []
    for index, seed in enumerate(seeds):
        rng = random.Random(seed)
        rows.append(
            row(
                str(index),
                urgency=rng.randint(1, 4),
                assignee=rng.choice([None, "mia", "max"]),
                due_at=rng.choice([None, NOW + HOUR * rng.randint(-50, 50)]),
                overdue_since=rng.choice([None, NOW - HOUR * rng.randint(0, 50)]),
            )
        )
    section = support(*rows)
    told = [line.ticket.number for line in section.overdue] + numbers(section.in_time)
    assert sorted(told) == sorted(item.number for item in rows)
    assert sum(load.open for load in section.load) == section.open_count == len(rows)
    assert sum(load.overdue for load in section.load) == len(section.overdue)
    assert support(*reversed(rows)) == section


# -- when ----------------------------------------------------------------------------------------------


def local(text: str, zone: str = "Europe/Berlin", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "slot"),
    [
        ("2026-06-01T07:59:59", None),
        ("2026-06-01T08:00", "2026-06-01"),
        ("2026-06-01T23:59", "2026-06-01"),  # late, after an outage
        ("2026-06-02T03:59", "2026-06-01"),
        ("2026-06-02T04:00", None),
        ("2026-06-05T09:00", "2026-06-05"),  # Friday
        ("2026-06-06T02:00", "2026-06-05"),
        ("2026-06-06T09:00", None),  # Saturday
        ("2026-06-08T09:00", "2026-06-08"),  # Monday after a weekend's outage: only Monday's
    ],
)
def test_which_days_digest_is_due(now: str, slot: str | None) -> None:
    assert digest_slot(desk(), "mia", local(now)) == slot


def test_each_manager_has_the_slot_of_their_own_zone() -> None:
    assert digest_slot(desk(), "mia", local("2026-06-01T08:00")) == "2026-06-01"
    assert digest_slot(desk(), "max", local("2026-06-01T08:00")) is None
    assert digest_slot(desk(), "max", local("2026-06-01T08:00", "America/New_York")) == "2026-06-01"


def test_digests_that_are_switched_off_are_never_due() -> None:
    assert digest_slot(desk(digest={"enabled": False}), "mia", NOW) is None
    assert digest_slot(desk(digest={"weekdays": []}), "mia", NOW) is None


def test_a_manager_who_is_no_agent_any_more_reads_the_desks_time() -> None:
    assert digest_slot(desk(), "gone", local("2026-06-01T08:00")) == "2026-06-01"


def test_a_time_the_clock_skips_comes_as_much_later() -> None:
    zone = ZoneInfo("Europe/Berlin")
    before = local("2026-03-29T00:00")
    assert next_slot(before, time(2, 30), zone, ("sun",)) == local("2026-03-29T03:30")


def test_a_time_that_comes_twice_counts_the_first_time() -> None:
    zone = ZoneInfo("Europe/Berlin")
    first, second = local("2026-10-25T02:30"), local("2026-10-25T02:30", fold=1)
    assert next_slot(first - HOUR, time(2, 30), zone, ("sun",)) == first
    assert slot_due(first, time(2, 30), zone, ("sun",)) == slot_due(second, time(2, 30), zone, ("sun",))


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
)
@pytest.mark.parametrize("at", [time(0, 0), time(2, 30), time(8, 0), time(23, 59)])
def test_over_a_year_every_working_day_has_exactly_one_digest(zone: str, at: time) -> None:
    info = ZoneInfo(zone)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    made: list[date] = []
    taken: set[date] = set()
    while now < datetime(2027, 1, 1, tzinfo=UTC):
        slot = slot_due(now, at, info, WORKDAYS)
        if slot is not None and slot not in taken:  # what the database's unique key does
            taken.add(slot)
            made.append(slot)
        now += 20 * MINUTE
    assert made == sorted(made)
    expected = {date(2026, 1, 2) + day * DAY for day in range(363)}
    assert {day for day in expected if day.weekday() < 5} <= taken
    assert all(day.weekday() < 5 for day in taken)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_outages_and_clocks_set_back_make_no_second_digest_and_no_storm(seed: int) -> None:
    rng = random.Random(seed)
    zone = ZoneInfo(rng.choice(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]))
    now = datetime(2026, rng.choice([3, 4, 10, 11]), 1, tzinfo=UTC)
    taken: set[date] = set()
    sent_at: list[datetime] = []
    for _ in range(120):
        slot = slot_due(now, time(8), zone, WORKDAYS)
        if slot is not None and slot not in taken:
            taken.add(slot)
            sent_at.append(now)
            assert now - local(f"{slot}T08:00", zone.key) < GRACE
        now += rng.choice([20 * MINUTE, 5 * HOUR, -1 * HOUR, 3 * DAY])
    assert len(set(sent_at)) == len(sent_at)
    assert all(slot.weekday() < 5 for slot in taken)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 2 * 365 * 1440),
    st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca"]),
)
def test_the_next_slot_is_where_a_slot_begins(minute: int, name: str) -> None:
    zone, now = ZoneInfo(name), datetime(2026, 1, 1, tzinfo=UTC) + MINUTE * minute
    moment = next_slot(now, time(2, 15), zone, WORKDAYS)
    assert moment is not None
    assert moment > now
    begun = slot_due(moment, time(2, 15), zone, WORKDAYS)
    assert begun == moment.astimezone(zone).date()
    assert slot_due(moment - MINUTE, time(2, 15), zone, WORKDAYS) != begun
