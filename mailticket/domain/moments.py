"""A moment in the future as agents write it in a command: "3d", "+4h", "until friday", "14:00"."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from mailticket.config.desk import Desk
from mailticket.domain.duedate import parse_due
from mailticket.domain.schedule import BadSchedule, NeverOpens, WorkingTime
from mailticket.domain.types import TicketFacts
from mailticket.mail.arguments import DASHES

HOW: Final = "say when, like 3d, 2h, +4h (working time), 14:00, tomorrow 9:00, friday, 2026-12-01"
_LENGTH: Final = re.compile(
    r"(\d{1,5})\s*(weeks?|wks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m)(?=\s|\d|$)", re.ASCII
)
_UNITS: Final = {
    "w": timedelta(weeks=1), "d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1),
}  # fmt: skip
_LEAD: Final = re.compile(r"(?:until|till|for|in|on|at|by)\s+")
_CLOCK: Final = re.compile(r"\d{1,2}[:.]\d\d$", re.ASCII)
_FURTHEST: Final = timedelta(days=3660)
_MORNING: Final = time(9)


def parse_moment(text: str, now: datetime, zone: ZoneInfo, working: WorkingTime | None) -> datetime | str:
    """The moment (aware UTC) an agent in `zone` means at `now` (aware); a str says why there is none.

    "3d" is this time of the day in three days; "+4h" is working time, where there is any; a day alone
    is its morning: when work begins, or nine o'clock.
    """
    words = _LEAD.sub("", " ".join(text.casefold().translate(DASHES).split()), count=1)
    length = _length(words)
    if length is not None:
        return now + length if timedelta(0) < length <= _FURTHEST else HOW
    given = parse_due(words, now, zone)
    if isinstance(given, str):
        return given if given.startswith("that is") else HOW
    if given.after is not None:
        return _worked(now, given.after, working)
    if given.due is None:
        return HOW
    if _CLOCK.search(words):
        return given.due
    return _morning(given.due.astimezone(zone), now, working)


def _length(words: str) -> timedelta | None:
    """ "1w 2d", "3 days": all of it lengths, else None."""
    if _LENGTH.sub("", words).strip() or not words:
        return None
    return sum((int(found[1]) * _UNITS[found[2][0]] for found in _LENGTH.finditer(words)), timedelta(0))


def _worked(now: datetime, after: timedelta, working: WorkingTime | None) -> datetime | str:
    try:
        return now + after if working is None else working.add(now, after)
    except NeverOpens:
        return "the schedule never opens again; say a date"


def _morning(day: datetime, now: datetime, working: WorkingTime | None) -> datetime:
    midnight = day.replace(hour=0, minute=0)
    found = day.replace(hour=_MORNING.hour, minute=0)
    if working is not None:
        try:
            opens = working.next_open(max(midnight.astimezone(UTC), now))
            found = opens if opens.astimezone(day.tzinfo).date() == day.date() else found
        except NeverOpens:
            pass
    return found.astimezone(UTC) if found.astimezone(UTC) > now else day.astimezone(UTC)


def zone_of(desk: Desk, agent: str) -> ZoneInfo:
    """The time zone in which an agent reads and writes times."""
    return ZoneInfo(desk.agents[agent].time_zone or desk.time_zone)


def hours_of(desk: Desk, agent: str, ticket: TicketFacts) -> WorkingTime | None:
    """The working time an agent means: their own, else that of the ticket's plan; None for all hours."""
    plan = desk.sla_plans.get(ticket.sla_plan or "")
    key = desk.agents[agent].schedule or (plan.schedule if plan is not None else None)
    schedule = desk.schedules.get(key or "")
    try:
        return WorkingTime(schedule, desk.time_zone) if schedule is not None else None
    except BadSchedule:
        return None
