"""What a digest says: rows of unfinished tickets in, the worst first out, a section per department."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailticket.config.desk import Desk
from mailticket.domain.clocks import spoken
from mailticket.domain.digest_jobs import DigestJob, zone_of_agent
from mailticket.domain.health import MailHealth
from mailticket.domain.movement import Movements, State, movements
from mailticket.domain.slots import next_slot
from mailticket.domain.status import FINISHED, PAUSED

MOST_WAITING = 5
AGES: tuple[tuple[str, timedelta], ...] = (
    ("under a day", timedelta(days=1)),
    ("1 to 3 days", timedelta(days=3)),
    ("3 to 7 days", timedelta(days=7)),
    ("1 to 4 weeks", timedelta(days=28)),
)
OLDER = "older"


@dataclass(frozen=True, slots=True)
class TicketRow:
    """One unfinished ticket as the database tells it. `urgency` 1 is the most urgent; times are UTC.

    due_at            the earliest promise not kept yet
    last_customer_at  when the customer wrote last
    last_answer_at    when the customer was answered last
    """

    id: int
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
    last_answer_at: datetime | None = None

    @property
    def unanswered_since(self) -> datetime | None:
        """Since when the customer waits for an answer; None while the desk waits for them."""
        if self.status in PAUSED or self.last_customer_at is None:
            return None
        answered = self.last_answer_at is not None and self.last_answer_at >= self.last_customer_at
        return None if answered else self.last_customer_at


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
class Age:
    """How many unfinished tickets are how old, in words of `AGES`."""

    words: str
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
    waiting     whose customer waits longest for an answer, at most `MOST_WAITING`
    load        the busiest first
    ages        the youngest first, every age
    """

    department: str
    name: str
    overdue: tuple[OverdueLine, ...]
    due_soon: tuple[TicketRow, ...]
    in_time: tuple[TicketRow, ...]
    unassigned: tuple[TicketRow, ...]
    paused: int
    oldest: TicketRow | None
    waiting: tuple[TicketRow, ...]
    load: tuple[Load, ...]
    ages: tuple[Age, ...]

    @property
    def open_count(self) -> int:
        """All unfinished tickets, overdue ones included."""
        return len(self.overdue) + len(self.in_time)


@dataclass(frozen=True, slots=True)
class BouncedMail:
    """A mail about a ticket that did not arrive."""

    number: str
    address: str
    at: datetime
    permanent: bool
    why: str


@dataclass(frozen=True, slots=True)
class Before:
    """The last digest of the same name that the reader got."""

    made_at: datetime
    states: Mapping[int, State]


@dataclass(frozen=True, slots=True)
class DigestModel:
    """What a digest says, at `made_at`; `next_at` is when the next one comes, if any.

    since    when the last one was made; None for the first
    states   what the next one will be compared with, by ticket id
    moved    against the last one; None for the first
    """

    job: DigestJob
    made_at: datetime
    next_at: datetime | None
    since: datetime | None
    sections: tuple[DigestSection, ...]
    states: Mapping[int, State]
    moved: Movements | None
    bounces: tuple[BouncedMail, ...] = ()
    health: MailHealth | None = None

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
        """Nothing is open, no mail bounced, and no mail needs anybody."""
        troubled = self.health is not None and bool(self.health.troubles)
        return self.open_count == 0 and not self.bounces and not troubled


def digest(
    desk: Desk,
    job: DigestJob,
    rows: Iterable[TicketRow],
    now: datetime,
    before: Before | None = None,
    bounces: Iterable[BouncedMail] = (),
    health: MailHealth | None = None,
) -> DigestModel:
    """The digest of one reader: a section for each department, where the job says so also without tickets.

    rows: the tickets of the job's queue; finished ones are passed over. before: None for the first.
    """
    every = job.queue.departments if job.every_department else ()
    by_department: dict[str, list[TicketRow]] = {key: [] for key in every or ()}
    for row in rows:
        if row.status not in FINISHED:
            by_department.setdefault(row.department, []).append(row)
    order = {key: place for place, key in enumerate(desk.departments)}
    next_at = next_slot(now, job.beat, zone_of_agent(desk, job.reader))
    sections = tuple(
        _section(key, desk.departments[key].name if key in order else key, found, now, next_at)
        for key, found in sorted(
            by_department.items(), key=lambda item: (order.get(item[0], 10_000), item[0])
        )
    )
    states = {
        row.id: State(_overdue_since(row, now) is not None, row.urgency, row.assignee is not None)
        for found in by_department.values()
        for row in found
    }
    return DigestModel(
        job=job,
        made_at=now,
        next_at=next_at,
        since=before.made_at if before else None,
        sections=sections,
        states=states,
        moved=movements(before.states, states) if before else None,
        bounces=tuple(bounces),
        health=health,
    )


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
        waiting=_waiting(rows),
        load=_load(rows, late),
        ages=_ages(rows, late, now),
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


def _waiting(rows: Iterable[TicketRow]) -> tuple[TicketRow, ...]:
    unanswered = [(since, row.number, row) for row in rows if (since := row.unanswered_since) is not None]
    return tuple(row for _, _, row in sorted(unanswered, key=lambda item: item[:2])[:MOST_WAITING])


def _ages(rows: Iterable[TicketRow], late: Mapping[str, datetime], now: datetime) -> tuple[Age, ...]:
    totals = {words: [0, 0] for words, _ in AGES} | {OLDER: [0, 0]}
    for row in rows:
        words = next((words for words, below in AGES if now - row.created_at < below), OLDER)
        totals[words][0] += 1
        totals[words][1] += row.number in late
    return tuple(Age(words, *counts) for words, counts in totals.items())
