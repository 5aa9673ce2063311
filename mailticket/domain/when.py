"""Moments as people write them in a search: "7d" ago, "today", "2026-11-01", "2026-11-01T10:30"."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_AGO: Final = re.compile(r"(\d{1,5})\s*(min|m|h|d|w)", re.ASCII | re.IGNORECASE)
_UNITS: Final = {"min": "minutes", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAYS: Final = {"yesterday": -1, "today": 0, "tomorrow": 1}


def parse_moment(text: str, now: datetime, zone: ZoneInfo, *, end: bool = False) -> datetime | None:
    """The moment (UTC) that `text` means at `now`, None when it means none.

    A length lies in the past, or in the future with a `+` before it. A day begins in `zone`, and
    with `end` it is its end that is meant: "until 2026-11-01" takes that day in.
    """
    text = text.strip()
    ago = _AGO.fullmatch(text.removeprefix("+"))
    try:
        if ago is not None:
            length = timedelta(**{_UNITS[ago[2].lower()]: int(ago[1])})
            return now + length if text.startswith("+") else now - length
        if text.lower() in _DAYS:
            day = now.astimezone(zone).date() + timedelta(days=_DAYS[text.lower()])
            return _day(day, zone, end=end)
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            return _day(date.fromisoformat(text), zone, end=end)
        if not re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", text, re.ASCII):
            return None
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _day(day: date, zone: ZoneInfo, *, end: bool) -> datetime:
    begins = day + timedelta(days=1) if end else day
    return datetime.combine(begins, time.min, zone).astimezone(UTC)
