"""A digest as its template needs it: names instead of keys, and a number for every ticket it lists.

A ticket has one number throughout a digest, and is described once, in the first list it belongs to;
only "waiting longest" may name it again. What the numbers stand for is kept with the digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from mailticket.config.desk import Desk
from mailticket.domain.agent_notice import to_agent
from mailticket.domain.by_number import examples
from mailticket.domain.digest import DigestModel, DigestSection, TicketRow
from mailticket.domain.health import health_line
from mailticket.domain.notice import Notice

MOST_OVERDUE = 50
MOST_LISTED = 25
MOST_OTHERS = 10
"""Tickets described per department and list; the counts are of all."""
MOST_BOUNCES = 10


@dataclass(frozen=True, slots=True)
class DigestRow:
    """A ticket in a digest.

    n      what its reader may call it by
    why    the clock ledger of an overdue one: "unassigned 2 h, with Ann 5 h"
    moved  against the last digest: "new", "worse: overdue now"
    """

    number: str
    subject: str
    assigned: str
    priority: str
    create_date: datetime
    due_date: datetime | None = None
    overdue_since: datetime | None = None
    waiting_since: datetime | None = None
    n: int = 0
    why: str = ""
    moved: str = ""


@dataclass(frozen=True, slots=True)
class DigestBar:
    """One bar: how many tickets, and how many of them are overdue."""

    label: str
    count: int
    late: int


@dataclass(frozen=True, slots=True)
class DigestPart:
    """One department. A list may hold the first of more; `more_*` says how many more there are."""

    name: str
    overdue: tuple[DigestRow, ...] = ()
    soon: tuple[DigestRow, ...] = ()
    unassigned: tuple[DigestRow, ...] = ()
    changed: tuple[DigestRow, ...] = ()
    waiting: tuple[DigestRow, ...] = ()
    open: tuple[DigestRow, ...] = ()
    overdue_count: int = 0
    open_count: int = 0
    """Open and not overdue."""
    paused_count: int = 0
    more_overdue: int = 0
    more_soon: int = 0
    more_unassigned: int = 0
    more_changed: int = 0
    more_open: int = 0
    load: tuple[DigestBar, ...] = ()
    ages: tuple[DigestBar, ...] = ()


@dataclass(frozen=True, slots=True)
class DigestBounce:
    """A mail that did not arrive."""

    number: str
    address: str
    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class DigestStuck:
    """A mail that waits for a person."""

    state: str
    sender: str
    subject: str
    date: datetime
    why: str


@dataclass(frozen=True, slots=True)
class DigestMail:
    """A whole digest. since and the counts of what moved are of the last one; None before the second.

    issue  its id in the database
    """

    departments: tuple[DigestPart, ...] = ()
    title: str = ""
    issue: int = 0
    since: datetime | None = None
    next_at: datetime | None = None
    new: int = 0
    worse: int = 0
    better: int = 0
    gone: int = 0
    bounces: tuple[DigestBounce, ...] = ()
    health: str = ""
    troubles: tuple[str, ...] = ()
    stuck: tuple[DigestStuck, ...] = ()
    by_number: tuple[str, ...] = ()
    """Lines that would do something with what is listed (domain/by_number.py)."""


_JSON: TypeAdapter[DigestMail] = TypeAdapter(DigestMail)


def to_json(mail: DigestMail) -> dict[str, Any]:
    """The digest as an outbox row keeps it."""
    kept: dict[str, Any] = _JSON.dump_python(mail, mode="json")
    return kept


def from_json(kept: Mapping[str, Any]) -> DigestMail:
    """The digest that `to_json` made."""
    return _JSON.validate_python(kept)


@dataclass(slots=True)
class Listing:
    """The tickets a digest lists, in the order of their numbers, from 1."""

    tickets: list[TicketRow] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)

    def number(self, row: TicketRow) -> int:
        """The ticket's number, a new one where it has none yet."""
        if row.id not in self.numbers:
            self.tickets.append(row)
            self.numbers[row.id] = len(self.tickets)
        return self.numbers[row.id]


@dataclass(frozen=True, slots=True)
class _Lists:
    """A department's tickets by the list that describes them; each is in one, `waiting` apart."""

    overdue: tuple[TicketRow, ...]
    soon: tuple[TicketRow, ...]
    unassigned: tuple[TicketRow, ...]
    changed: tuple[TicketRow, ...]
    others: tuple[TicketRow, ...]
    waiting: tuple[TicketRow, ...]


def numbered(model: DigestModel) -> Listing:
    """Which tickets the digest lists under which numbers."""
    listing = Listing()
    for section in model.sections:
        lists = _lists(section, model)
        for rows, most in (
            (lists.overdue, MOST_OVERDUE),
            (lists.soon, MOST_LISTED),
            (lists.unassigned, MOST_LISTED),
            (lists.changed, MOST_LISTED),
            (lists.waiting, len(lists.waiting)),
            (lists.others, MOST_OTHERS),
        ):
            for row in rows[:most]:
                listing.number(row)
    return listing


def digest_mail(
    model: DigestModel, desk: Desk, listing: Listing, why: Mapping[int, str], issue: int
) -> DigestMail:
    """The digest in words. why: clock ledgers by ticket id; issue: the digest's id in the database."""
    moved = model.moved
    return DigestMail(
        departments=tuple(_part(section, model, desk, listing, why) for section in model.sections),
        title=model.job.title,
        issue=issue,
        since=model.since,
        next_at=model.next_at,
        new=moved.count("new") if moved else 0,
        worse=moved.count("worse") if moved else 0,
        better=moved.count("better") if moved else 0,
        gone=moved.gone if moved else 0,
        bounces=tuple(
            DigestBounce(item.number, item.address, item.at, "undeliverable" if item.permanent else "delayed")
            for item in model.bounces[:MOST_BOUNCES]
        ),
        health=health_line(model.health) if model.health else "",
        troubles=model.health.troubles if model.health else (),
        stuck=tuple(
            DigestStuck(item.state, item.sender, item.subject, item.received_at, item.why)
            for item in (model.health.stuck if model.health else ())
        ),
        by_number=_by_number(model, desk, listing),
    )


def _by_number(model: DigestModel, desk: Desk, listing: Listing) -> tuple[str, ...]:
    free = next((listing.numbers[row.id] for row in listing.tickets if row.assignee is None), None)
    return examples(len(listing.tickets), desk, model.job.reader, free)


def digest_notice(model: DigestModel, mail: DigestMail, desk: Desk, slot: str) -> Notice:
    """The mail that carries a digest; its name and slot are its key, so it goes out once."""
    return to_agent(
        desk,
        model.job.reader,
        "ticket.digest",
        f"{model.job.key}:{slot}",
        reason=model.job.reason,
        extra={"digest": to_json(mail), "issue": mail.issue},
    )


def _lists(section: DigestSection, model: DigestModel) -> _Lists:
    told: set[int] = set()

    def fresh(rows: Iterable[TicketRow]) -> tuple[TicketRow, ...]:
        found = tuple(row for row in rows if row.id not in told)
        told.update(row.id for row in found)
        return found

    moved = model.moved.of if model.moved else {}
    return _Lists(
        overdue=fresh(line.ticket for line in section.overdue),
        soon=fresh(section.due_soon),
        unassigned=fresh(section.unassigned),
        changed=fresh(row for row in section.in_time if row.id in moved),
        others=fresh(section.in_time),
        waiting=section.waiting,
    )


def _part(
    section: DigestSection, model: DigestModel, desk: Desk, listing: Listing, why: Mapping[int, str]
) -> DigestPart:
    lists = _lists(section, model)
    since = {line.ticket.id: line.since for line in section.overdue}

    def rows(found: Sequence[TicketRow], most: int) -> tuple[DigestRow, ...]:
        return tuple(_row(row, since.get(row.id), model, desk, listing, why) for row in found[:most])

    return DigestPart(
        name=section.name,
        overdue=rows(lists.overdue, MOST_OVERDUE),
        soon=rows(lists.soon, MOST_LISTED),
        unassigned=rows(lists.unassigned, MOST_LISTED),
        changed=rows(lists.changed, MOST_LISTED),
        waiting=rows(lists.waiting, len(lists.waiting)),
        open=rows(lists.others, MOST_OTHERS),
        overdue_count=len(section.overdue),
        open_count=len(section.in_time),
        paused_count=section.paused,
        more_overdue=max(len(lists.overdue) - MOST_OVERDUE, 0),
        more_soon=max(len(lists.soon) - MOST_LISTED, 0),
        more_unassigned=max(len(lists.unassigned) - MOST_LISTED, 0),
        more_changed=max(len(lists.changed) - MOST_LISTED, 0),
        more_open=max(len(lists.others) - MOST_OTHERS, 0),
        load=tuple(DigestBar(_name(item.assignee, desk), item.open, item.overdue) for item in section.load),
        ages=tuple(DigestBar(item.words, item.open, item.overdue) for item in section.ages),
    )


def _name(agent: str | None, desk: Desk) -> str:
    if agent is None:
        return "nobody"
    return desk.agents[agent].name if agent in desk.agents else agent


def _row(
    row: TicketRow,
    since: datetime | None,
    model: DigestModel,
    desk: Desk,
    listing: Listing,
    why: Mapping[int, str],
) -> DigestRow:
    priority = desk.priorities.get(row.priority)
    movement = model.moved.of.get(row.id) if model.moved else None
    moved = (
        (f"{movement.direction}: {movement.why}" if movement.why else movement.direction) if movement else ""
    )
    return DigestRow(
        number=row.number,
        subject=row.subject,
        assigned="" if row.assignee is None else _name(row.assignee, desk),
        priority=priority.name if priority else row.priority,
        create_date=row.created_at,
        due_date=row.due_at,
        overdue_since=since,
        waiting_since=row.unanswered_since,
        n=listing.number(row),
        why=why.get(row.id, ""),
        moved=moved,
    )
