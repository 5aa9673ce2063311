"""Cron lines: five fields that say on which days, and at which local times of day, something is due.

The fields are those of crontab(5): minute, hour, day of the month, month, day of the week (0 and 7
are Sunday; names such as `mon` and `jan` work too). A field is `*`, a number, a range `1-5`, a step
`*/2` or `8-18/2`, or a list of these. As there, a line that restricts the day of the month and the
day of the week means either of them, unless one of the two fields begins with `*`.

Own code and no library, because a slot here is a date and a time of the wall clock, named by both:
what a clock change makes of it is decided in one place for every rhythm (domain/slots.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator

from mailticket.config.values import WEEKDAYS, NotThis

MOST_A_DAY = 48
"""A line that comes round more often is refused: nobody reads so many mails."""

_PART = re.compile(r"(\*|[0-9a-z]{1,3})(?:-([0-9a-z]{1,3}))?(?:/([0-9]{1,2}))?", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAY_NUMBERS = {name: number + 1 for number, name in enumerate(WEEKDAYS)}
_MONTH_NUMBERS = {name: number + 1 for number, name in enumerate(_MONTHS)}
_ANY_LEAP_CYCLE = 28 * 366


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron line taken apart. `weekdays` are ISO: 1 is Monday, 7 is Sunday."""

    times: tuple[time, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool
    """A day that fits `days` or `weekdays` is enough; else it has to fit both."""

    def on(self, day: date) -> tuple[time, ...]:
        """The local times on a date, in order; none where the date does not fit."""
        if day.month not in self.months:
            return ()
        fits = day.day in self.days, day.isoweekday() in self.weekdays
        return self.times if (any(fits) if self.either else all(fits)) else ()


@lru_cache(maxsize=256)
def parse_cron(text: str) -> Cron:
    """Take a cron line apart. Raises ValueError (`NotThis`), also for one that never comes round."""
    fields = text.lower().split()
    if len(fields) != 5:
        raise NotThis('must have the five fields of a cron line, like "0 8 * * mon-fri"')
    minutes = _field(fields[0], "minute", 0, 59)
    hours = _field(fields[1], "hour", 0, 23)
    if len(minutes) * len(hours) > MOST_A_DAY:
        raise NotThis(f"comes round more than {MOST_A_DAY} times a day")
    cron = Cron(
        times=tuple(time(hour, minute) for hour in sorted(hours) for minute in sorted(minutes)),
        days=_field(fields[2], "day of the month", 1, 31),
        months=_field(fields[3], "month", 1, 12, _MONTH_NUMBERS),
        weekdays=frozenset(day or 7 for day in _field(fields[4], "day of the week", 0, 7, _WEEKDAY_NUMBERS)),
        either=not fields[2].startswith("*") and not fields[4].startswith("*"),
    )
    start = date(2000, 1, 1)
    if not any(cron.on(start + timedelta(days=ahead)) for ahead in range(_ANY_LEAP_CYCLE)):
        raise NotThis("names a day that no year has")
    return cron


def _field(text: str, what: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise NotThis(f'"{part}" is no {what}')
        first, last, step = match.groups()
        if first == "*":
            start, end = low, high
        else:
            start = _number(first, what, low, high, names or {})
            end = _number(last, what, low, high, names or {}) if last else start
            if step is not None and last is None:
                end = high
        if end < start or step == "0" or (first == "*" and last):
            raise NotThis(f'"{part}" is no {what}')
        found.update(range(start, end + 1, int(step or 1)))
    return frozenset(found)


def _number(text: str, what: str, low: int, high: int, names: dict[str, int]) -> int:
    number = int(text) if text.isdigit() else names.get(text, -1)
    if not low <= number <= high:
        raise NotThis(f'"{text}" is no {what}')
    return number


def _checked(text: str) -> str:
    parse_cron(text)
    return text


CronLine = Annotated[str, AfterValidator(_checked)]
"""A cron line, kept as it is written."""
