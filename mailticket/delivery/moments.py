"""Dates and lengths of time as people read them, in the language of a template and the reader's zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailticket.delivery.phrases import Phrases

_FIXED = re.compile(r"UTC([+-])(\d\d):(\d\d)", re.ASCII)
_KILO = 1000


def zone_of(name: str) -> tzinfo:
    """The time zone with this IANA name, or `UTC+09:00`; UTC for names nobody knows, which the
    configuration refuses."""
    fixed = _FIXED.fullmatch(name)
    try:
        if fixed is None:
            return ZoneInfo(name)
        minutes = int(fixed[2]) * 60 + int(fixed[3])
        return timezone(timedelta(minutes=-minutes if fixed[1] == "-" else minutes))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def readers_zone(utc_offset: int | None, home: str, now: datetime) -> tuple[str, bool]:
    """In which zone somebody reads times, and whether it is known to be theirs.

    utc_offset: minutes east of UTC of their clock. Where the zone `home` has the same now, they are
    taken to live in it, so that times beyond the next change of the clocks are right too.
    """
    if utc_offset is None:
        return home, False
    here = now.astimezone(zone_of(home)).utcoffset()
    if here == timedelta(minutes=utc_offset):
        return home, True
    hours, minutes = divmod(abs(utc_offset), 60)
    return f"UTC{'-' if utc_offset < 0 else '+'}{hours:02}:{minutes:02}", True


def date_of(when: datetime, zone: tzinfo, words: Phrases) -> str:
    """`Tue 3 Nov 2026`, in `zone`. `when` is aware."""
    local = when.astimezone(zone)
    weekday, month = words.weekdays[local.weekday()], words.months[local.month - 1]
    return words.date.format(weekday=weekday, day=local.day, month=month, year=local.year)


def moment(when: datetime, zone: tzinfo, words: Phrases) -> str:
    """`Tue 3 Nov 2026, 17:00 CET`, in `zone`. `when` is aware; ValueError when it is not."""
    if when.tzinfo is None:
        raise ValueError("a time without a zone")
    local = when.astimezone(zone)
    return words.moment.format(date=date_of(when, zone, words), time=f"{local:%H:%M}", zone=zone_name(local))


def appointment(when: datetime, zone: tzinfo, words: Phrases, *, theirs: bool) -> str:
    """`Tuesday 3 November, 17:00 (your time)`, and with the zone's name where it is not known to be the
    reader's own. `when` is aware."""
    local = when.astimezone(zone)
    return words.appointment.format(
        weekday=words.long_weekdays[local.weekday()],
        day=local.day,
        month=words.long_months[local.month - 1],
        time=f"{local:%H:%M}",
        zone=words.your_time if theirs else zone_name(local),
    )


def zone_name(local: datetime) -> str:
    """How an aware time's zone is called: `CET`, `UTC+9`."""
    name = local.tzname() or "UTC"
    return name if name[:1].isalpha() else f"UTC{name}"


def duration(length: timedelta, words: Phrases) -> str:
    """The two largest units: `2 d 4 h`, `3 h 20 min`, `45 min`. Never negative, never under a minute."""
    minutes = max(int(abs(length).total_seconds()) // 60, 1)
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        parts = [words.day.format(days), words.hour.format(hours) if hours else ""]
    elif hours:
        parts = [words.hour.format(hours), words.minute.format(minutes % 60) if minutes % 60 else ""]
    else:
        parts = [words.minute.format(minutes)]
    return words.between_units.join(part for part in parts if part)


def relative(when: datetime, now: datetime, words: Phrases) -> str:
    """`in 3 h 20 min` or `2 d 4 h ago`."""
    pattern = words.ahead if when >= now else words.ago
    return pattern.format(duration(when - now, words))


def size(octets: int, words: Phrases) -> str:
    """`640 B`, `12 kB`, `3.4 MB`: powers of a thousand, as mail programs show them."""
    if octets < _KILO:
        return f"{octets} {words.bytes_[0]}"
    if octets < _KILO * _KILO - 500:
        return f"{round(octets / _KILO)} {words.bytes_[1]}"
    return f"{octets / _KILO / _KILO:.1f}".replace(".", words.decimal_point) + f" {words.bytes_[2]}"
