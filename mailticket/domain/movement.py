"""What became new, worse or better since the last digest, told against what that one was made from.

The state of every ticket of a digest's queue is kept with it. So the comparison is exact: it does
not depend on the clock, on when a tick came round, or on what happened and was undone in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Direction = Literal["new", "worse", "better"]


@dataclass(frozen=True, slots=True)
class State:
    """What of a ticket is compared. `urgency` 1 is the most urgent."""

    overdue: bool
    urgency: int
    assigned: bool


@dataclass(frozen=True, slots=True)
class Movement:
    """How a ticket moved, and in words why that is so: "overdue now", "taken"."""

    direction: Direction
    why: str


@dataclass(frozen=True, slots=True)
class Movements:
    """of  by ticket id, only of those that moved; gone  how many were told last time and are no more"""

    of: Mapping[int, Movement]
    gone: int

    def count(self, direction: Direction) -> int:
        """How many tickets moved that way."""
        return sum(movement.direction == direction for movement in self.of.values())


def movements(before: Mapping[int, State], now: Mapping[int, State]) -> Movements:
    """Compare two snapshots, each by ticket id.

    A ticket that got worse in one way and better in another counts as worse. A ticket is gone when
    it is finished, or when it left the queue.
    """
    found = {
        ticket: movement
        for ticket, state in now.items()
        if (movement := _movement(before.get(ticket), state)) is not None
    }
    return Movements(found, sum(ticket not in now for ticket in before))


def packed(states: Mapping[int, State]) -> dict[str, Any]:
    """A snapshot as JSON, few characters a ticket."""
    return {
        str(ticket): [int(state.overdue), state.urgency, int(state.assigned)]
        for ticket, state in states.items()
    }


def unpacked(kept: Mapping[str, Any]) -> dict[int, State]:
    """The snapshot that `packed` made."""
    return {
        int(ticket): State(bool(overdue), urgency, bool(assigned))
        for ticket, (overdue, urgency, assigned) in kept.items()
    }


def _movement(before: State | None, now: State) -> Movement | None:
    if before is None:
        return Movement("new", "")
    worse = _reasons(
        (now.overdue and not before.overdue, "overdue now"),
        (now.urgency < before.urgency, "more urgent"),
        (before.assigned and not now.assigned, "nobody has it any more"),
    )
    if worse:
        return Movement("worse", worse)
    better = _reasons(
        (before.overdue and not now.overdue, "no longer overdue"),
        (now.urgency > before.urgency, "less urgent"),
        (now.assigned and not before.assigned, "taken"),
    )
    return Movement("better", better) if better else None


def _reasons(*cases: tuple[bool, str]) -> str:
    return ", ".join(words for holds, words in cases if holds)
