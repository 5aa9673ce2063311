"""`top`: what keys do, what a frame shows, and that the documentation tells the same keys."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from mailticket.cli.top_command import keys_of
from mailticket.cli.top_view import KEYS, View, age, countdown, frame, pressed
from mailticket.store.queue import QueueCounts, QueueFilter, QueueRow
from tests.unit.test_report import DESK

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def row(due: timedelta | None = None, late: timedelta | None = None, status: str = "open") -> QueueRow:
    return QueueRow(
        number="100001",
        subject="Printer [bold]on[/] fire",
        status=status,
        priority="normal",
        department="support",
        assignee="ann",
        created_at=NOW - timedelta(hours=5),
        due_at=NOW + due if due is not None else None,
        overdue_since=NOW - late if late is not None else None,
    )


def shown(view: View, rows: list[QueueRow], width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(frame(DESK, view, rows, QueueCounts(1, 0, 0, 0), NOW))
    output = console.file
    assert isinstance(output, io.StringIO)
    return output.getvalue()


@pytest.mark.parametrize(
    ("due", "late", "status", "expected"),
    [
        (timedelta(hours=2, minutes=3, seconds=4), None, "open", "02:03:04"),
        (timedelta(days=3, hours=4), None, "open", "3 d 04:00:00"),
        (timedelta(seconds=-61), None, "open", "-00:01:01"),
        (timedelta(hours=1), timedelta(days=1, seconds=1), "open", "-1 d 00:00:01"),
        (None, None, "waiting", "paused"),
        (None, None, "open", "-"),
    ],
)
def test_the_countdown_tells_what_is_left_and_how_late_it_is(
    due: timedelta | None, late: timedelta | None, status: str, expected: str
) -> None:
    assert countdown(row(due, late, status), NOW).plain == expected


@pytest.mark.parametrize(
    ("length", "expected"),
    [(timedelta(0), "0 min"), (timedelta(minutes=59), "59 min"), (timedelta(hours=23), "23 h")],
)
def test_an_age_is_told_in_its_largest_unit(length: timedelta, expected: str) -> None:
    assert age(length) == expected


def test_each_sort_key_sorts_and_goes_back_to_the_top() -> None:
    orders = [pressed(View(offset=9), key, DESK, 10) for key in "dpaco"]
    assert orders == [View(order=o) for o in ("due", "priority", "assignee", "created", "department")]


def test_the_department_key_goes_through_all_of_them_and_back_to_no_filter() -> None:
    view, found = View(), []
    for _ in range(3):
        changed = pressed(view, "n", DESK, 10)
        assert changed is not None
        view = changed
        found.append(view.wanted.department)
    assert found == ["support", "sales", None]


def test_the_agent_key_goes_through_the_agents_then_nobody_then_all() -> None:
    view, found = View(), []
    for _ in range(3):
        changed = pressed(view, "g", DESK, 10)
        assert changed is not None
        view = changed
        found.append(view.wanted.assignee)
    assert found == ["ann", "-", None]


def test_filters_are_switched_on_off_and_all_away() -> None:
    late = pressed(View(), "l", DESK, 10)
    assert late == View(wanted=QueueFilter(overdue=True))
    assert late is not None
    both = pressed(late, "w", DESK, 10)
    assert both == View(wanted=QueueFilter(overdue=True, working=True))
    assert both is not None
    assert pressed(both, "x", DESK, 10) == View()


def test_scrolling_never_goes_above_the_top() -> None:
    assert pressed(View(), "up", DESK, 10) == View()
    assert pressed(View(), "page-down", DESK, 10) == View(offset=10)
    assert pressed(View(offset=5), "page-up", DESK, 10) == View()
    assert pressed(View(offset=5), "home", DESK, 10) == View()


def test_q_quits_and_an_unknown_key_does_nothing() -> None:
    assert pressed(View(), "q", DESK, 10) is None
    assert pressed(View(), "z", DESK, 10) == View()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("dq", ["d", "q"]),
        ("\x1b[A\x1b[Bq", ["up", "down", "q"]),
        ("\x1b[5~\x1b[6~\x1b[H", ["page-up", "page-down", "home"]),
        ("\x1b[1;5Dq", ["q"]),
        ("\x1bq", []),
        ("\x1b", []),
        ("\x1b[", []),
        ("\x04", ["end-of-file"]),
    ],
)
def test_escape_sequences_are_keys_of_their_own_and_never_letters(typed: str, expected: list[str]) -> None:
    assert list(keys_of(typed)) == expected


def test_a_frame_shows_the_names_and_takes_no_markup_from_a_subject() -> None:
    text = shown(View(), [row(timedelta(hours=2))])
    assert "Printer [bold]on[/] fire" in text
    assert "Support" in text
    assert "Ann" in text
    assert "02:00:00" in text


def test_a_frame_has_one_line_for_each_ticket_at_any_width() -> None:
    for width in (40, 80, 200):
        assert shown(View(), [row(timedelta(hours=2))] * 5, width).count("\n") == 8


def test_the_keys_are_shown_and_documented_alike() -> None:
    told = shown(View(help=True), [])
    documented = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
    for keys, meaning in KEYS:
        assert meaning in told
        assert f"| {keys} | {meaning} |" in documented
