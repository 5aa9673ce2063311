"""A manager's digest: rows of unfinished tickets in, the worst first out; and which digest is due.

A digest's slot is named by a local date of its reader. The slot of a date begins at the configured
local time of that date; where the clock skips that time, as much later as it skips, and where it
comes twice, the first time. It stays due for `GRACE`, so that a daemon that was down sends it late,
and after a weekend's outage sends Monday's and not also Friday's. The database takes each slot once;
so restarts, several daemons and clocks set back make no second one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from mailticket.config.desk import Desk
from mailticket.config.values import WEEKDAYS
from mailticket.domain.clocks import spoken
from mailticket.domain.status import FINISHED, PAUSED

GRACE = timedelta(hours=20)
"""So late a digest may still go out; less than the shortest time between two."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TicketRow:
    """One unfinished ticket as the database tells it. `urgency` 1 is the most urgent; times are UTC.

    due_at            the earliest promise not kept yet
    last_customer_at  when the customer wrote last
    """

    number: str
    subject: str
    status: str
    priority: str
    urgency: int
    department: str
    assignee: str | None
    created_at: datetime
    due_at: datetime | None = None
    overdue_since: datetime | None = None
    last_customer_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OverdueLine:
    """An overdue ticket, since when, and for how long in real time, in words: "3 d 2 h"."""

    ticket: TicketRow
    since: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Load:
    """How many unfinished tickets of a department somebody has; `assignee` None stands for nobody."""

    assignee: str | None
    open: int
    overdue: int


@dataclass(frozen=True, slots=True)
class DigestSection:
    """One department.

    overdue     the most urgent first, within a priority the one overdue longest
    due_soon    in time now, but due before the next digest; the next one due first
    in_time     all that are not overdue: those due first, then those without a promise, oldest first
    unassigned  overdue or not; the most urgent first, then the oldest
    paused      how many wait for the customer or somebody else
    oldest      the ticket that is open longest
    load        the busiest first
    """

    department: str
    name: str
    overdue: tuple[OverdueLine, ...]
    due_soon: tuple[TicketRow, ...]
    in_time: tuple[TicketRow, ...]
    unassigned: tuple[TicketRow, ...]
    paused: int
    oldest: TicketRow | None
    load: tuple[Load, ...]

    @property
    def open_count(self) -> int:
        """All unfinished tickets, overdue ones included."""
        return len(self.overdue) + len(self.in_time)


@dataclass(frozen=True, slots=True)
class DigestModel:
    """What a manager's digest says, at `made_at`; `next_at` is when the next one comes, if any."""

    manager: str
    made_at: datetime
    next_at: datetime | None
    sections: tuple[DigestSection, ...]

    @property
    def overdue_count(self) -> int:
        """Overdue tickets in all departments."""
        return sum(len(section.overdue) for section in self.sections)

    @property
    def open_count(self) -> int:
        """Unfinished tickets in all departments."""
        return sum(section.open_count for section in self.sections)

    @property
    def empty(self) -> bool:
        """Nothing is open."""
        return self.open_count == 0


def departments_managed(desk: Desk, manager: str) -> tuple[str, ...]:
    """Keys of the departments an agent manages, in the configuration's order."""
    return tuple(key for key, department in desk.departments.items() if department.manager == manager)


def digest(desk: Desk, manager: str, rows: Iterable[TicketRow], now: datetime) -> DigestModel:
    """The digest of one manager: a section for each department they manage, the emptiest ones too.

    Rows of other departments and finished tickets are passed over.
    """
    by_department: dict[str, list[TicketRow]] = {key: [] for key in departments_managed(desk, manager)}
    for row in rows:
        if row.department in by_department and row.status not in FINISHED:
            by_department[row.department].append(row)
    next_at = next_slot(now, desk.digest.at, zone_of_agent(desk, manager), desk.digest.weekdays)
    sections = tuple(
        _section(key, desk.departments[key].name, found, now, next_at) for key, found in by_department.items()
    )
    return DigestModel(manager, now, next_at, sections)


def _section(
    key: str, name: str, rows: Sequence[TicketRow], now: datetime, next_at: datetime | None
) -> DigestSection:
    late = {row.number: since for row in rows if (since := _overdue_since(row, now)) is not None}
    overdue = sorted(
        (row for row in rows if row.number in late),
        key=lambda row: (row.urgency, late[row.number], row.number),
    )
    in_time = sorted((row for row in rows if row.number not in late), key=_by_due)
    unassigned = sorted(
        (row for row in rows if row.assignee is None), key=lambda row: (row.urgency, *_age(row))
    )
    return DigestSection(
        department=key,
        name=name,
        overdue=tuple(
            OverdueLine(row, late[row.number], spoken(now - late[row.number], days=True)) for row in overdue
        ),
        due_soon=tuple(row for row in in_time if row.due_at and next_at and row.due_at <= next_at),
        in_time=tuple(in_time),
        unassigned=tuple(unassigned),
        paused=sum(row.status in PAUSED for row in rows),
        oldest=min(rows, key=_age, default=None),
        load=_load(rows, late),
    )


def _overdue_since(row: TicketRow, now: datetime) -> datetime | None:
    """The tick may not have come round yet, so a due time that has passed counts too."""
    if row.overdue_since is not None:
        return row.overdue_since
    return row.due_at if row.due_at is not None and row.due_at <= now else None


def _age(row: TicketRow) -> tuple[datetime, str]:
    return row.created_at, row.number


def _by_due(row: TicketRow) -> tuple[bool, datetime, str]:
    return row.due_at is None, row.due_at or row.created_at, row.number


def _load(rows: Iterable[TicketRow], late: dict[str, datetime]) -> tuple[Load, ...]:
    totals: dict[str | None, Load] = {}
    for row in rows:
        had = totals.get(row.assignee, Load(row.assignee, 0, 0))
        totals[row.assignee] = Load(row.assignee, had.open + 1, had.overdue + (row.number in late))
    return tuple(sorted(totals.values(), key=lambda load: (-load.open, -load.overdue, load.assignee or "")))


# -- when ----------------------------------------------------------------------------------------------


def digest_slot(desk: Desk, manager: str, now: datetime) -> str | None:
    """The local date ("2026-06-01") of the manager's digest that is due now, or None."""
    if not desk.digest.enabled:
        return None
    zone = zone_of_agent(desk, manager)
    slot = slot_due(now, desk.digest.at, zone, desk.digest.weekdays)
    return slot.isoformat() if slot is not None else None


def zone_of_agent(desk: Desk, agent: str) -> ZoneInfo:
    """The zone an agent reads times in: their own, else the desk's."""
    known = desk.agents.get(agent)
    return ZoneInfo((known.time_zone if known else None) or desk.time_zone)


def slot_due(now: datetime, at: time, zone: tzinfo, weekdays: Iterable[str]) -> date | None:
    """The date whose digest has begun to be due at `now` and still is; None when there is none.

    at: local time of day. weekdays: "mon" ... "sun".
    """
    days = frozenset(weekdays)
    today = now.astimezone(zone).date()
    for day in (today, today - _DAY):
        if WEEKDAYS[day.weekday()] in days and _begins(day, at, zone) <= now < _begins(day, at, zone) + GRACE:
            return day
    return None


def next_slot(now: datetime, at: time, zone: tzinfo, weekdays: Iterable[str]) -> datetime | None:
    """When the next digest after `now` begins to be due (UTC); None without weekdays."""
    days = frozenset(weekdays)
    today = now.astimezone(zone).date()
    for ahead in range(9):
        day = today + ahead * _DAY
        if WEEKDAYS[day.weekday()] in days and (moment := _begins(day, at, zone)) > now:
            return moment
    return None


def _begins(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at.replace(tzinfo=None, fold=0), zone).astimezone(UTC)
