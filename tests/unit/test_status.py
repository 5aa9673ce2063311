"""domain/status.py: the transition table, cell by cell, and that no story leaves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.domain.status import (
    ACTIVE,
    FINISHED,
    PAUSED,
    NewLinkedTicket,
    Refused,
    Status,
    StatusEvent,
    Transition,
    next_status,
    requested_event,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
WINDOW = timedelta(days=30)

# One letter per outcome: the new state's, "-" refused, "L" a new linked ticket.
LETTERS = {
    "o": Status.OPEN,
    "p": Status.IN_PROGRESS,
    "w": Status.WAITING,
    "h": Status.ON_HOLD,
    "r": Status.RESOLVED,
    "c": Status.CLOSED,
    "a": Status.ARCHIVED,
    "m": Status.MERGED,
}
COLUMNS = [
    Status.OPEN,
    Status.IN_PROGRESS,
    Status.WAITING,
    Status.ON_HOLD,
    Status.RESOLVED,
    Status.CLOSED,
    Status.ARCHIVED,
    Status.MERGED,
]
# fmt: off
EXPECTED = {                           #  o p w h r c a m
    StatusEvent.AGENT_REPLIED:           "p p w h r c - -",
    StatusEvent.CUSTOMER_REPLIED:        "o p p h o o L -",
    StatusEvent.CUSTOMER_CLOSED:         "c c c c c c - -",
    StatusEvent.STARTED:                 "p p p p - - - -",
    StatusEvent.WAITS_FOR_CUSTOMER:      "w w w w - - - -",
    StatusEvent.PUT_ON_HOLD:             "h h h h - - - -",
    StatusEvent.RESOLVED_BY_AGENT:       "r r r r r - - -",
    StatusEvent.CLOSED_BY_AGENT:         "c c c c c c - -",
    StatusEvent.REOPENED:                "- - - - o o - -",
    StatusEvent.ANSWER_BOUNCED:          "- - o - o - - -",
    StatusEvent.TIMED_OUT:               "- - r - c - - -",
    StatusEvent.ARCHIVED:                "- - - - a a a -",
    StatusEvent.MERGED:                  "m m m m m m - -",
}
# fmt: on
CELLS = [
    (state, event, letter)
    for event, row in EXPECTED.items()
    for state, letter in zip(COLUMNS, row.split(), strict=True)
]


def step(
    state: Status, event: StatusEvent, ago: timedelta | None = timedelta(0)
) -> Transition | NewLinkedTicket | Refused:
    closed_at = None if ago is None else NOW - ago
    return next_status(state, event, closed_at=closed_at, now=NOW, reopen_window=WINDOW)


def test_the_table_above_covers_every_state_and_every_event() -> None:
    assert len(CELLS) == len(Status) * len(StatusEvent)


@pytest.mark.parametrize(("state", "event", "letter"), CELLS)
def test_each_event_moves_each_state_as_written(state: Status, event: StatusEvent, letter: str) -> None:
    result = step(state, event)
    if letter == "-":
        assert isinstance(result, Refused)
    elif letter == "L":
        assert isinstance(result, NewLinkedTicket)
    else:
        assert isinstance(result, Transition)
        assert result.new is LETTERS[letter]
    assert result.reason


@pytest.mark.parametrize("state", [Status.RESOLVED, Status.CLOSED])
@pytest.mark.parametrize(
    ("ago", "comes_back"),
    [
        (timedelta(0), True),
        (WINDOW, True),
        (WINDOW + timedelta(microseconds=1), False),
        (timedelta(days=3650), False),
        (timedelta(hours=-1), True),  # the clock was set back
        (None, True),
    ],
)
def test_a_customer_brings_a_ticket_back_only_within_the_window(
    state: Status, ago: timedelta | None, comes_back: bool
) -> None:
    result = step(state, StatusEvent.CUSTOMER_REPLIED, ago)
    assert isinstance(result, Transition if comes_back else NewLinkedTicket)


@pytest.mark.parametrize("state", [Status.RESOLVED, Status.CLOSED])
def test_an_agent_reopens_at_any_time(state: Status) -> None:
    result = step(state, StatusEvent.REOPENED, timedelta(days=3650))
    assert result == Transition(Status.OPEN, "an agent reopened it")


def test_without_a_window_every_reply_to_a_finished_ticket_opens_a_new_one() -> None:
    result = next_status(
        Status.CLOSED,
        StatusEvent.CUSTOMER_REPLIED,
        closed_at=NOW - timedelta(seconds=1),
        now=NOW,
        reopen_window=timedelta(0),
    )
    assert result == NewLinkedTicket(
        "the old ticket was closed more than 0 hours ago, too long ago to reopen it"
    )


def test_a_window_without_the_time_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="now"):
        next_status(Status.CLOSED, StatusEvent.CUSTOMER_REPLIED, closed_at=NOW, reopen_window=WINDOW)


def test_without_a_limit_a_customer_always_brings_a_ticket_back() -> None:
    assert next_status("closed", StatusEvent.CUSTOMER_REPLIED) == Transition(
        Status.OPEN, "the customer wrote again"
    )


@pytest.mark.parametrize(
    ("command", "argument", "event"),
    [
        ("close", "", StatusEvent.CLOSED_BY_AGENT),
        ("close", "replaced the toner", StatusEvent.CLOSED_BY_AGENT),
        ("resolve", "", StatusEvent.RESOLVED_BY_AGENT),
        ("reopen", "", StatusEvent.REOPENED),
        ("status", "On-Hold", StatusEvent.PUT_ON_HOLD),
        ("status", "on hold", StatusEvent.PUT_ON_HOLD),
        ("status", "in_progress", StatusEvent.STARTED),
        ("status", "waiting", StatusEvent.WAITS_FOR_CUSTOMER),
        ("status", "closed", StatusEvent.CLOSED_BY_AGENT),
        ("status", "archived", StatusEvent.ARCHIVED),
    ],
)
def test_what_an_agent_asks_for_is_an_event(command: str, argument: str, event: StatusEvent) -> None:
    assert requested_event(command, argument) is event


@pytest.mark.parametrize("argument", ["", "merged", "done-ish", "status"])
def test_a_state_nobody_knows_is_refused_with_those_that_are(argument: str) -> None:
    refused = requested_event("status", argument)
    assert isinstance(refused, Refused)
    assert "on hold" in refused.reason


def test_every_state_is_active_paused_or_finished() -> None:
    assert frozenset(Status) == ACTIVE | PAUSED | FINISHED
    assert not ACTIVE & PAUSED
    assert not FINISHED & (ACTIVE | PAUSED)


@given(st.lists(st.tuples(st.sampled_from(StatusEvent), st.integers(0, 60)), max_size=40))
def test_no_story_leaves_the_table_or_leaves_an_archived_or_merged_ticket(
    story: list[tuple[StatusEvent, int]],
) -> None:
    state, closed_at, now = Status.OPEN, None, NOW
    for event, days in story:
        now += timedelta(days=days)
        result = next_status(state, event, closed_at=closed_at, now=now, reopen_window=WINDOW)
        if not isinstance(result, Transition):
            continue
        assert result.new in Status
        if state in (Status.ARCHIVED, Status.MERGED):
            assert result.new is state
        if result.new in FINISHED and state not in FINISHED:
            closed_at = now
        state = result.new
