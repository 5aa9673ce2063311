"""When a ticket is due, as agents write it in a command: "+4h", "14:00", "2026-11-05 14:00", "none"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mailticket.config.values import parse_duration

_TIME = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)", re.ASCII)
_NEVER = ("none", "never", "off", "-")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_END_OF_DAY = time(23, 59)
_FURTHEST = timedelta(days=3660)
HOW = "say when, like +4h, 14:00, tomorrow, friday, 2026-11-05, 2026-11-05 14:00, or none"


@dataclass(frozen=True, slots=True)
class DueGiven:
    """`due` (aware UTC), or `after` so much of the plan's working time; neither takes a due date back."""

    due: datetime | None = None
    after: timedelta | None = None


def parse_due(text: str, now: datetime, zone: ZoneInfo) -> DueGiven | str:
    """What an agent in `zone` means at `now` (aware); a str says why it cannot be.

    A time alone is the next one there is; a day alone is until its end; a weekday is the next one, never
    today. A time that the clock skips
    is as much later (02:30 is 03:30); one that happens twice is the first.
    """
    words = text.casefold().replace("t", " ", 1).split() if _iso(text) else text.casefold().split()
    if len(words) == 1 and words[0] in _NEVER:
        return DueGiven()
    if text.startswith("+"):
        return _after("".join(words)[1:])
    here = now.astimezone(zone)
    day = _day(words[0], here.date()) if words else None
    clock = _clock(words[-1]) if words else None
    if len(words) == 1 and clock is not None:
        today = datetime.combine(here.date(), clock, zone)
        return _checked(today if today > here else _next_day(here.date(), clock, zone), now)
    if day is None or len(words) > 2 or (len(words) == 2 and clock is None):
        return HOW
    return _checked(datetime.combine(day, clock or _END_OF_DAY, zone), now)


def _iso(text: str) -> bool:
    return re.match(r"\d{4}-\d\d-\d\d[tT]\d", text, re.ASCII) is not None


def _after(text: str) -> DueGiven | str:
    try:
        length = parse_duration(text)
    except ValueError:
        return HOW
    return DueGiven(after=length)


def _day(word: str, today: date) -> date | None:
    if word in ("today", "tomorrow"):
        return today + timedelta(days=word == "tomorrow")
    if len(word) >= 3 and any(name.startswith(word) for name in _WEEKDAYS):
        wanted = next(at for at, name in enumerate(_WEEKDAYS) if name.startswith(word))
        return today + timedelta(days=(wanted - today.weekday() - 1) % 7 + 1)
    try:
        return date.fromisoformat(word)
    except ValueError:
        return None


def _clock(word: str) -> time | None:
    found = _TIME.fullmatch(word)
    return None if found is None else time(int(found.group(1)), int(found.group(2)))


def _next_day(today: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(today + timedelta(days=1), clock, zone)


def _checked(local: datetime, now: datetime) -> DueGiven | str:
    moment = local.astimezone(UTC)
    if moment <= now:
        return "that is over already; " + HOW
    if moment - now > _FURTHEST:
        return "that is more than ten years away"
    return DueGiven(due=moment)
