"""The queue by order and filter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from mailticket.store.engine import reading, transaction
from mailticket.store.queue import Order, QueueCounts, QueueFilter, queue_counts, queue_rows
from tests.store.stories import make_ticket

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
URGENCY = {"high": 1, "normal": 3}


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """Four tickets in the queue and one that is closed."""
    with transaction(engine) as session:
        make_ticket(session, "late", NOW - 4 * HOUR, due_at=NOW - HOUR, overdue_since=NOW - HOUR)
        make_ticket(session, "soon", NOW - 3 * HOUR, due_at=NOW + HOUR, priority="high", assignee="ann")
        make_ticket(session, "paused", NOW - 9 * HOUR, status="waiting", department="it", assignee="bob")
        make_ticket(session, "never", NOW - HOUR, priority="unknown")
        make_ticket(session, "closed", NOW - HOUR, status="closed", closed_at=NOW)
    return engine


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("due", ["late", "soon", "paused", "never"]),
        ("priority", ["soon", "late", "paused", "never"]),
        ("assignee", ["late", "never", "soon", "paused"]),
        ("created", ["paused", "late", "soon", "never"]),
        ("department", ["paused", "late", "soon", "never"]),
    ],
)
def test_the_queue_comes_in_the_order_asked_for(filled: Engine, order: Order, expected: list[str]) -> None:
    with reading(filled) as session:
        rows = queue_rows(session, QueueFilter(), order, URGENCY, NOW, 10)
        page = queue_rows(session, QueueFilter(), order, URGENCY, NOW, 2, 1)
    assert [row.number for row in rows] == expected
    assert [row.number for row in page] == expected[1:3]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (QueueFilter(department="it"), ["paused"]),
        (QueueFilter(assignee="ann"), ["soon"]),
        (QueueFilter(assignee="-"), ["late", "never"]),
        (QueueFilter(overdue=True), ["late"]),
        (QueueFilter(working=True), ["late", "soon", "never"]),
        (QueueFilter(department="it", working=True), []),
    ],
)
def test_a_filter_leaves_what_fits_all_of_it(
    filled: Engine, wanted: QueueFilter, expected: list[str]
) -> None:
    with reading(filled) as session:
        rows = queue_rows(session, wanted, "due", URGENCY, NOW, 10)
        counts = queue_counts(session, wanted, NOW)
    assert [row.number for row in rows] == expected
    assert counts.open == len(expected)


def test_the_counts_tell_late_unassigned_and_paused_ones(filled: Engine) -> None:
    with reading(filled) as session:
        assert queue_counts(session, QueueFilter(), NOW) == QueueCounts(4, 1, 2, 1)


def test_a_queue_in_no_department_counts_nothing(engine: Engine) -> None:
    with reading(engine) as session:
        assert queue_counts(session, QueueFilter(), NOW) == QueueCounts(0, 0, 0, 0)
