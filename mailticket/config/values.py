"""The kinds of values that options have: each a plain Python type with the checks it has to pass."""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator, Field

from mailticket.config.problems import did_you_mean

_DURATION = re.compile(r"(\d{1,9})\s?(w|d|h|m|s)", re.ASCII)
_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_LONGEST = timedelta(days=3660)
_INTERVAL = re.compile(r"(\d\d):(\d\d)\s?-\s?(\d\d):(\d\d)", re.ASCII)
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)
_INSTANCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,39}", re.ASCII)
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:-([A-Za-z]{2}))?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x80-\x9f\u2028\u2029]")
_INTRANET = ("local", "localhost")

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class NotThis(ValueError):
    """A value is refused; `suggestion` is a sentence with a better one, or None."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.suggestion = suggestion


def _duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    wrong = 'must be a duration like "30m", "18h", "1h30m" or "2d"'
    if not isinstance(value, str):
        raise NotThis(wrong)
    text = value.strip().lower()
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text).strip():
        raise NotThis(wrong)
    seconds = sum(int(count) * _SECONDS[unit] for count, unit in parts)
    if seconds > _LONGEST.total_seconds():
        raise NotThis("must not be longer than ten years")
    return timedelta(seconds=seconds)


def parse_duration(text: str) -> timedelta:
    """ "1h30m" -> 90 minutes. Raises ValueError (`NotThis`) for what is none, and for nothing at all."""
    length = _duration(text)
    assert isinstance(length, timedelta)
    return _positive(length)


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise NotThis("must be longer than nothing")
    return value


def _line(value: str) -> str:
    if not value:
        raise NotThis("must not be empty")
    if _CONTROL.search(value):
        raise NotThis("must be one line without control characters")
    return value


def _instance(value: str) -> str:
    if not _INSTANCE.fullmatch(value):
        raise NotThis("must be 1 to 40 letters, digits, dots or hyphens, beginning with a letter or digit")
    return value


def canonical_address(value: str) -> str:
    """A mail address with its domain as ASCII and in lower case. Raises ValueError (`NotThis`)."""
    _, _, domain = value.rpartition("@")
    # email-validator refuses these names in any mode; a label behind them lets it judge the rest.
    intranet = domain.lower().rpartition(".")[2] in _INTRANET
    try:
        checked = validate_email(
            f"{value}.example" if intranet else value, check_deliverability=False, test_environment=True
        )
    except EmailNotValidError as exc:
        reason = str(exc).rstrip(".")
        raise NotThis(f"is not a mail address: {reason[:1].lower()}{reason[1:]}") from None
    plain = checked.ascii_email or checked.normalized
    return plain.removesuffix(".example") if intranet else plain


def _domain(value: str) -> str:
    try:
        return canonical_address(f"postmaster@{value}").rpartition("@")[2].lower()
    except NotThis:
        raise NotThis('must be a domain like "customer.example"') from None


def _time_zone(value: str) -> str:
    if not _known_zone(value):
        raise NotThis("is not a known time zone", did_you_mean(value, available_timezones()))
    return value


@lru_cache(maxsize=256)
def _known_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return False
    return bool(name)


def _language(value: str) -> str:
    match = _LANGUAGE.fullmatch(value.strip().replace("_", "-"))
    if match is None:
        raise NotThis('must be a language tag like "de" or "pt-BR"')
    return f"{match[1].lower()}-{match[2].upper()}" if match[2] else match[1].lower()


def _clock_time(value: Any) -> Any:
    """Refuses the numbers that pydantic would read as seconds since midnight."""
    if isinstance(value, (str, time)):
        return value
    raise NotThis('must be a time of day like "08:00"')


def _wall_clock(value: time) -> time:
    if value.tzinfo is not None:
        raise NotThis("must be a local time of day, without a time zone")
    return value


def _day(value: Any) -> Any:
    """Refuses the numbers that pydantic would read as seconds since 1970."""
    if isinstance(value, (str, date)):
        return value
    raise NotThis("must be a date like 2026-12-24")


def parse_days(text: str) -> tuple[date, date]:
    """ "2026-08-03..2026-08-14" -> its first and last day, which may be one and the same.

    Raises ValueError (`NotThis`) for anything else.
    """
    first, dots, last = text.partition("..")
    try:
        days = date.fromisoformat(first.strip()), date.fromisoformat((last if dots else first).strip())
    except ValueError:
        raise NotThis('must be days like "2026-08-03..2026-08-14"') from None
    if days[1] < days[0]:
        raise NotThis("ends before it begins")
    return days


def _days(text: str) -> str:
    parse_days(text)
    return text


def parse_interval(text: str) -> tuple[int, int]:
    """ "09:00-12:30" -> (540, 750): minutes since local midnight; the end "24:00" is 1440.

    Raises ValueError for anything else, an end at or before its start included.
    """
    match = _INTERVAL.fullmatch(text.strip())
    if match is None:
        raise NotThis(f'{text!r} is not an interval like "09:00-17:30"')
    from_hour, from_minute, to_hour, to_minute = (int(group) for group in match.groups())
    start, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute
    if from_minute > 59 or to_minute > 59 or end > 1440:
        raise NotThis(f"{text!r} names a time that no day has")
    if end <= start:
        raise NotThis(
            f"{text!r} ends before it begins",
            'Hours over midnight are two intervals: "22:00-24:00", and "00:00-06:00" on the next day',
        )
    return start, end


def _intervals(value: tuple[str, ...]) -> tuple[str, ...]:
    spans = sorted((parse_interval(text), text) for text in value)
    for ((_, end), text), ((start, _), later) in pairwise(spans):
        if start < end:
            raise NotThis(f"{text!r} and {later!r} overlap")
    return value


def _weekday(value: str) -> str:
    if value.lower() not in WEEKDAYS:
        raise NotThis("is not a weekday", did_you_mean(value[:3], WEEKDAYS))
    return value.lower()


def key_mistake(key: str) -> str | None:
    """Why a section's key cannot be used, or None. Keys stand in commands and environment variables."""
    if _KEY.fullmatch(key):
        return None
    return "a key is 1 to 40 of a-z, 0-9, _ and -, beginning with a letter or digit"


Duration = Annotated[timedelta, BeforeValidator(_duration)]
"""A length of time written "45s", "30m", "18h", "1h30m", "2d" or "1w"."""

PositiveDuration = Annotated[timedelta, AfterValidator(_positive), BeforeValidator(_duration)]
"""A duration longer than nothing."""

Line = Annotated[str, AfterValidator(_line)]
"""Text fit for a mail header: one line, not empty."""

InstanceId = Annotated[str, AfterValidator(_instance)]
"""The short id of an installation."""

LanguageTag = Annotated[str, AfterValidator(_language)]
"""A language, with or without a region: "de", "pt-BR" (RFC 5646)."""

Address = Annotated[str, AfterValidator(canonical_address)]
"""A mail address (RFC 5321 section 4.1.2, no quoted local part), its domain as ASCII.

`.test`, `.local` and `localhost` pass: a desk may serve a closed network.
"""

Addresses = Annotated[tuple[Address, ...], Field(min_length=1)]
"""At least one address; the first one is where mail goes to or comes from."""

Domains = Annotated[tuple[Annotated[str, AfterValidator(_domain)], ...], Field(min_length=1)]
"""At least one domain, as ASCII in lower case; subdomains belong to it."""

TimeZone = Annotated[str, AfterValidator(_time_zone)]
"""A name of the IANA time zone database."""

ClockTime = Annotated[time, AfterValidator(_wall_clock), BeforeValidator(_clock_time)]
"""A local time of day written "08:00"."""

Day = Annotated[date, BeforeValidator(_day)]
"""A date written 2026-12-24."""

Days = Annotated[str, AfterValidator(_days)]
"""From one day to another, both included, written "2026-08-03..2026-08-14"; or one day."""

Weekday = Annotated[str, AfterValidator(_weekday)]
"""One of "mon" ... "sun"."""

Intervals = Annotated[tuple[str, ...], AfterValidator(_intervals)]
"""Parts of a day written "09:00-12:30", none overlapping another."""
