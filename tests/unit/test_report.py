"""The SLA report: what is counted, when, and for whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.cli.plot import area
from mailticket.cli.report_commands import safe_cell
from mailticket.config.desk import Agent, Department, Desk, Priority, Schedule, SLAPlan
from mailticket.delivery.report_page import report_page
from mailticket.domain.clocks import ClockEvent, ClockEventKind
from mailticket.domain.history import Field, FieldChange, OpenSpell, TicketStory
from mailticket.domain.report import By, ReportBuilder, SLAReport, backlog_moments, percentile
from mailticket.domain.schedule import WorkingTimes

K = ClockEventKind
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""A Monday."""
NOW = START + timedelta(days=14)
HOUR = timedelta(hours=1)

DESK = Desk(
    name="Example Desk",
    instance="t1",
    default_department="support",
    departments={
        "support": Department(key="support", name="Support", addresses=("support@desk.example",)),
        "sales": Department(key="sales", name="Sales <b>", addresses=("sales@desk.example",)),
    },
    agents={"ann": Agent(key="ann", name="Ann", addresses=("ann@desk.example",))},
    priorities={"normal": Priority(key="normal", name="Normal", urgency=3)},
    sla_plans={
        "std": SLAPlan(
            key="std",
            name="Std",
            schedule="office",
            first_response=timedelta(hours=4),
            resolution=timedelta(hours=16),
        )
    },
    schedules={
        "office": Schedule(
            key="office", hours=dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("08:00-16:00",))
        )
    },
)


def story(
    *events: tuple[float, ClockEventKind],
    changes: tuple[tuple[float, Field, str | None, str | None], ...] = (),
    status: str = "open",
    plan: str | None = "std",
    created: datetime = START,
    **fields: str | None,
) -> TicketStory:
    """A ticket; events and changes at hours after its creation, which goes without saying."""
    told = [ClockEvent(created, K.CREATED)]
    told += [ClockEvent(created + hours * HOUR, kind) for hours, kind in events]
    known: dict[Field, str | None] = {
        "department": fields.get("department", "support"),
        "topic": None,
        "priority": "normal",
        "sla_plan": plan,
        "assignee": fields.get("assignee"),
        "team": None,
    }
    altered = tuple(FieldChange(created + at * HOUR, name, old, new) for at, name, old, new in changes)
    return TicketStory(1, "100001", "Printer", status, created, known, altered, tuple(told))


def report(
    *stories: TicketStory, by: By = "department", since: datetime = START, now: datetime = NOW
) -> SLAReport:
    builder = ReportBuilder(DESK, WorkingTimes(DESK), by, since, now)
    for one in stories:
        builder.add(one)
    return builder.result()


def test_an_answer_in_time_and_a_resolution_too_late_are_counted_with_their_working_time() -> None:
    total = report(story((2, K.RESPONSE), (72, K.RESOLVED), status="resolved")).total
    first, resolution = total.of("first_response"), total.of("resolution")
    assert (first.met, first.missed, first.p50) == (1, 0, 2 * HOUR)
    assert (resolution.met, resolution.missed, resolution.p50) == (0, 1, 24 * HOUR)
    assert (total.created, total.resolved, total.open, total.overdue) == (1, 1, 0, 0)


def test_a_promise_that_is_late_and_still_open_counts_as_missed_and_overdue() -> None:
    total = report(story()).total
    assert (total.of("first_response").missed, total.of("resolution").missed) == (1, 1)
    assert (total.open, total.overdue) == (1, 1)
    assert total.of("first_response").p50 is None


def test_a_promise_broken_in_one_period_and_done_in_the_next_is_counted_in_the_first_only() -> None:
    late = story((100, K.RESPONSE))
    middle = START + 24 * HOUR
    counted = [
        report(late, since=since, now=now).total.of("first_response").missed
        for since, now in ((START, middle), (middle, NOW))
    ]
    assert counted == [1, 0]


@given(
    st.lists(st.tuples(st.floats(0, 300), st.sampled_from(list(K)[1:8])), max_size=8),
    st.floats(1, 300),
)
def test_two_periods_in_a_row_count_what_both_together_count(
    events: list[tuple[float, ClockEventKind]], cut: float
) -> None:
    told = sorted(events, key=lambda event: event[0])
    middle = START + cut * HOUR
    until_then = [event for event in told if event[0] < cut]
    parts = [report(story(*until_then), now=middle), report(story(*told), since=middle)]
    whole = report(story(*told)).total.of("first_response")
    found = [part.total.of("first_response") for part in parts]
    assert sum(item.met for item in found) == whole.met
    assert sum(item.missed for item in found) == whole.missed
    assert sum(item.measured for item in found) == whole.measured


def test_what_happened_counts_for_whom_it_happened_to_and_what_is_open_for_where_it_is_now() -> None:
    moved = story(
        (2, K.RESPONSE),
        changes=((3, "department", "sales", "support"),),
        department="support",
    )
    by_name = {group.key: group for group in report(moved).groups}
    assert by_name["sales"].of("first_response").met == 1
    assert by_name["support"].of("first_response").met == 0
    assert (by_name["support"].open, by_name["support"].created) == (1, 1)


def test_an_agent_who_takes_a_ticket_by_answering_gets_the_answer_counted() -> None:
    taken = story((2, K.RESPONSE), changes=((2, "assignee", None, "ann"),), assignee="ann")
    groups = {group.key: group for group in report(taken, by="agent").groups}
    assert groups["ann"].name == "Ann"
    assert groups["ann"].of("first_response").met == 1


def test_tickets_without_a_value_come_last_under_a_name_that_says_so() -> None:
    groups = report(story(), story(assignee="ann"), by="agent").groups
    assert [group.name for group in groups] == ["Ann", "(nobody)"]


def test_without_a_promise_lengths_are_measured_around_the_clock() -> None:
    total = report(story((20, K.RESPONSE), (30, K.RESOLVED), plan=None, status="resolved")).total
    first = total.of("first_response")
    assert (first.met, first.missed, first.measured, first.p50) == (0, 0, 1, 20 * HOUR)
    assert total.of("resolution").p90 == 30 * HOUR


def test_the_reopen_rate_is_the_share_of_resolutions_that_did_not_last() -> None:
    back = story((1, K.RESOLVED), (2, K.REOPENED), (3, K.RESOLVED), status="resolved")
    total = report(back, story((1, K.RESOLVED), status="closed")).total
    assert (total.resolved, total.reopened) == (3, 1)
    assert total.reopen_rate == pytest.approx(1 / 3)


def test_merged_tickets_are_left_out() -> None:
    assert report(story((1, K.RESOLVED), status="merged")).groups == ()


def test_the_backlog_counts_what_was_open_at_each_moment() -> None:
    tickets = [story((24 * days, K.RESOLVED), status="resolved") for days in (1, 2, 3)]
    backlog = dict(report(*tickets).backlog)
    found = [backlog[START + timedelta(days=day)] for day in range(5)]
    assert found == [3, 2, 1, 0, 0]


def test_spells_end_with_resolving_and_begin_again_with_reopening() -> None:
    found = story((1, K.RESOLVED), (2, K.RESOLVED), (3, K.REOPENED)).spells()
    assert found == (
        OpenSpell(START, START + HOUR, came_back=True),
        OpenSpell(START + 3 * HOUR, None),
    )


@pytest.mark.parametrize(
    ("lengths", "share", "expected"),
    [([], 0.5, None), ([7], 0.9, 7), ([1, 2, 3, 4], 0.5, 2), (list(range(1, 11)), 0.9, 9)],
)
def test_percentiles_are_of_the_nearest_rank(
    lengths: list[float], share: float, expected: float | None
) -> None:
    assert percentile(lengths, share) == expected


@given(st.timedeltas(timedelta(minutes=1), timedelta(days=3650)))
def test_the_backlog_has_a_bounded_number_of_moments_and_ends_with_the_period(length: timedelta) -> None:
    moments = backlog_moments(START, START + length)
    assert moments[-1] == START + length
    assert moments[0] >= START
    assert 1 <= len(moments) <= 152
    assert list(moments) == sorted(set(moments))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_a_csv_file_can_be_a_formula(start: str) -> None:
    assert safe_cell(f"{start}1+1") == f"'{start}1+1"
    assert safe_cell("Support") == "Support"
    assert safe_cell(None) == ""


def test_the_page_loads_nothing_and_escapes_names() -> None:
    page = report_page(report(story(department="sales")), "A & B", ZoneInfo("Europe/Berlin"))
    assert "Sales &lt;b&gt;" in page
    assert "<b>" not in page
    assert "A &amp; B" in page
    for foreign in ("http:", "https:", "<script", "<link", "@import", "url(", " src="):
        assert foreign not in page
    assert "<svg" in page


def test_the_area_is_full_where_the_greatest_value_is_and_empty_at_zero() -> None:
    lines = area([0, 4], 2, 2)
    assert lines == ["⠀⣿", "⠀⣿"]
    assert area([], 2, 1) == ["⠀⠀"]
    assert area([1, 1000], 1, 1)[0] not in ("⠀", "⣿")
