"""docs/lifecycle.md shows the transition table as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailticket.domain.status import (
    TRANSITIONS,
    NewLinkedTicket,
    Refused,
    Status,
    StatusEvent,
    Transition,
    next_status,
)
from tests.unit.test_status import NOW, WINDOW

PAGE = (Path(__file__).parents[2] / "docs" / "lifecycle.md").read_text(encoding="utf-8")


def _rows() -> list[list[str]]:
    part = PAGE.split("| Event |", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in part.splitlines()]


HEAD, CELLS = _rows()[0], {row[0]: row[1:] for row in _rows()[2:]}


def _word(state: Status, event: StatusEvent) -> str:
    """What the code does in a cell, as the page writes it."""
    soon = next_status(state, event, closed_at=NOW, reopen_window=WINDOW, now=NOW)
    late = next_status(state, event, closed_at=NOW - 2 * WINDOW, reopen_window=WINDOW, now=NOW)
    if isinstance(soon, Refused):
        return "-"
    if isinstance(soon, NewLinkedTicket):
        return "new"
    assert isinstance(soon, Transition)
    return soon.new.replace("-", " ") + ("*" if isinstance(late, NewLinkedTicket) else "")


def test_the_page_has_every_state_and_every_event() -> None:
    assert [state.replace("-", " ") for state in TRANSITIONS] == HEAD
    assert list(CELLS) == [event.replace("-", " ") for event in StatusEvent]


@pytest.mark.parametrize("event", StatusEvent)
def test_a_row_says_what_the_code_does(event: StatusEvent) -> None:
    assert CELLS[event.replace("-", " ")] == [_word(state, event) for state in TRANSITIONS]
