"""The clock ledger: where a ticket's time went, as a manager asks it. "Unassigned 2 h, with Ann 5 h,
waiting for the customer 1 d (not counted)".

Counted lines are in the plan's working time and add up to what the resolution clock has used. The
others are in real time, because no promise counts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from mailticket.domain.clocks import ClockEvent, ClockEventKind, spoken
from mailticket.domain.schedule import WorkingTime

Holder = Literal["unassigned", "agent", "customer", "hold", "resolved"]
_NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """How long one holder had the ticket in all. `who` is the agent's key where it was an agent."""

    holder: Holder
    who: str
    time: timedelta

    @property
    def counted(self) -> bool:
        """The time counts for the promise."""
        return self.holder in ("unassigned", "agent")


def ledger(events: Iterable[ClockEvent], working_time: WorkingTime, now: datetime) -> tuple[LedgerLine, ...]:
    """One line per holder, in the order they first had the ticket, until it was resolved for the last time.

    Lines without any time are left out. Takes what `clocks.clocks` takes, with the same meaning of `now`.
    """
    story = sorted(events, key=lambda event: event.at)
    totals: dict[tuple[Holder, str], timedelta] = {}
    holding = _Holding()
    since: datetime | None = None
    for event in story:
        if holding.resolved and event.kind is not ClockEventKind.REOPENED:
            holding = holding.after(event)  # resolved time is only told once the ticket came back
            continue
        if since is not None:
            _count(totals, holding, since, event.at, working_time)
        since = event.at if since is not None or event.kind is ClockEventKind.CREATED else None
        holding = holding.after(event)
    if since is not None and not holding.resolved:
        _count(totals, holding, since, max(now, since), working_time)
    return tuple(LedgerLine(*key, time) for key, time in totals.items() if time > _NOTHING)


def ledger_words(
    lines: Iterable[LedgerLine], working_time: WorkingTime, name_of: Callable[[str], str] = str
) -> str:
    """The ledger as one line; `name_of` turns an agent's key into a name. "" for an empty ledger."""
    words = {
        "unassigned": "unassigned",
        "customer": "waiting for the customer",
        "hold": "on hold",
        "resolved": "resolved",
    }
    parts: list[str] = []
    for line in lines:
        what = f"with {name_of(line.who)}" if line.holder == "agent" else words[line.holder]
        length = spoken(line.time, days=not line.counted or working_time.around_the_clock)
        parts.append(f"{what} {length}" + ("" if line.counted else " (not counted)"))
    return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class _Holding:
    assignee: str = ""
    pause: Holder | None = None
    resolved: bool = False

    def after(self, event: ClockEvent) -> _Holding:
        match event.kind:
            case ClockEventKind.ASSIGNED:
                return _Holding(event.who, self.pause, self.resolved)
            case ClockEventKind.WAITING:
                return _Holding(self.assignee, "customer", self.resolved)
            case ClockEventKind.ON_HOLD:
                return _Holding(self.assignee, "hold", self.resolved)
            case ClockEventKind.RESUMED:
                return _Holding(self.assignee, None, self.resolved)
            case ClockEventKind.RESOLVED:
                return _Holding(self.assignee, self.pause, resolved=True)
            case ClockEventKind.REOPENED:
                return _Holding(self.assignee)
            case _:
                return self

    @property
    def key(self) -> tuple[Holder, str]:
        if self.resolved:
            return "resolved", ""
        if self.pause is not None:
            return self.pause, ""
        return ("agent", self.assignee) if self.assignee else ("unassigned", "")


def _count(
    totals: dict[tuple[Holder, str], timedelta],
    holding: _Holding,
    since: datetime,
    until: datetime,
    working_time: WorkingTime,
) -> None:
    counted = holding.key[0] in ("unassigned", "agent")
    time = working_time.between(since, until) if counted else until - since
    totals[holding.key] = totals.get(holding.key, _NOTHING) + time
