"""Dates and lengths of time as people read them, in the language of a template and the reader's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@dataclass(frozen=True, slots=True)
class Phrases:
    """The words of one language. `date` is a format string; the names start with Monday and January."""

    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    date: str
    day: str
    hour: str
    minute: str
    ahead: str
    ago: str


ENGLISH = Phrases(
    weekdays=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    date="{weekday} {day} {month} {year}",
    day="{} d",
    hour="{} h",
    minute="{} min",
    ahead="in {}",
    ago="{} ago",
)
GERMAN = Phrases(
    weekdays=("Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So."),
    months=("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."),
    date="{weekday} {day}. {month} {year}",
    day="{} T.",
    hour="{} Std.",
    minute="{} Min.",
    ahead="in {}",
    ago="vor {}",
)
LANGUAGES = {"en": ENGLISH, "de": GERMAN}


def phrases_of(language: str) -> Phrases:
    """The words for a language tag; English for languages without any."""
    return LANGUAGES.get(language.partition("-")[0].lower(), ENGLISH)


def zone_of(name: str) -> tzinfo:
    """The time zone with this IANA name; UTC for names nobody knows, which the configuration refuses."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


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
    name = local.tzname() or "UTC"
    shown = name if name[:1].isalpha() else f"UTC{name}"
    return f"{date_of(when, zone, words)}, {local:%H:%M} {shown}"


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
    return " ".join(part for part in parts if part)


def relative(when: datetime, now: datetime, words: Phrases) -> str:
    """`in 3 h 20 min` or `2 d 4 h ago`."""
    pattern = words.ahead if when >= now else words.ago
    return pattern.format(duration(when - now, words))
