"""When something that comes round by the wall clock is due: one slot for each date and time of it.

A slot is named by the local date of its reader, and by the time where a date may have several. It
begins at that wall-clock time; where the clock skips it, as much later as it skips, and where it
comes twice, the first time. Only the newest slot that has begun is ever due, and for no longer than
`GRACE`: a daemon that was down over a weekend sends one digest late, and not one for each it missed.
The database takes each slot once; so restarts, several daemons and clocks set back make no second.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from mailticket.config.cron import parse_cron
from mailticket.config.values import WEEKDAYS

GRACE = timedelta(days=3)
"""So late a slot may still be used, unless the next one has begun: longer than a weekend's outage."""
REACH_DAYS = 8 * 366
"""So far ahead the next slot is looked for: the 29th of February may be eight years away."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """times_on  the local times of a date, in order; timed  a slot's name needs the time"""

    times_on: Callable[[date], Sequence[time]]
    timed: bool


@dataclass(frozen=True, slots=True)
class Slot:
    """One turn. `name` is "2026-06-01" or "2026-06-01T08:00"; `begins` is in UTC."""

    name: str
    begins: datetime


def rhythm(
    at: time,
    weekdays: Collection[str],
    cron: str | None = None,
    works_on: Callable[[date], bool] | None = None,
) -> Rhythm:
    """The rhythm of a cron line, or without one of a time on some weekdays ("mon" ... "sun").

    works_on: which dates are no holidays; None for all of them. Raises ValueError for a bad cron line.
    """
    if cron is not None:
        on = parse_cron(cron).on
    else:
        days = frozenset(weekdays)
        times = (at.replace(tzinfo=None, fold=0),)

        def on(day: date) -> tuple[time, ...]:
            return times if WEEKDAYS[day.weekday()] in days else ()

    if works_on is None:
        return Rhythm(on, cron is not None)
    return Rhythm(lambda day: found if (found := on(day)) and works_on(day) else (), cron is not None)


def slot_due(now: datetime, beat: Rhythm, zone: tzinfo) -> Slot | None:
    """The newest slot that has begun at `now`, unless that is longer than `GRACE` ago; else None."""
    today = now.astimezone(zone).date()
    for back in range(GRACE // _DAY + 2):
        begun = [slot for slot in _slots(today - back * _DAY, beat, zone) if slot.begins <= now]
        if begun:
            newest = max(begun, key=lambda slot: (slot.begins, slot.name))
            return newest if now - newest.begins < GRACE else None
    return None


def next_slot(now: datetime, beat: Rhythm, zone: tzinfo) -> datetime | None:
    """When the next slot after `now` begins (UTC); None when there is none within `REACH_DAYS`."""
    today = now.astimezone(zone).date()
    for ahead in range(-1, REACH_DAYS):
        begins = [slot.begins for slot in _slots(today + ahead * _DAY, beat, zone) if slot.begins > now]
        if begins:
            return min(begins)
    return None


def _slots(day: date, beat: Rhythm, zone: tzinfo) -> list[Slot]:
    return [
        Slot(f"{day}T{at:%H:%M}" if beat.timed else day.isoformat(), _begins(day, at, zone))
        for at in beat.times_on(day)
    ]


def _begins(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
