"""Links between tickets: which there are, who waits for whom, and what goes on when a wait is over.

A ticket that others wait for wakes them when it is finished: each gets a deadline for that very moment,
and the next tick looks whether it waits for anything else (`work/waiting.py`). Runs in the caller's
transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, func, insert, literal_column, or_, select
from sqlalchemy.orm import Session

from mailticket.domain.status import FINISHED
from mailticket.store import deadlines
from mailticket.store.dialect import table_of
from mailticket.store.models import Ticket, TicketLink, TicketReferral

WAITED = "waited"
"""The kind of deadline at which a ticket looks whether what it waits for is done."""
RELATED, BLOCKS = "related", "blocks"
_CIRCLE_LOCK = 0x6D740B10
"""Number of the advisory lock under which waits are made on PostgreSQL: two at once could close a circle."""
_LINK: Final = table_of(TicketLink)
_C: Final = _LINK.c
_MOST_HOPS = 1000
# Built once: this one runs whenever a ticket ends.
_WAITING: Final = select(_C.ticket_id).where(
    _C.other_id == bindparam("other"), _C.kind == literal_column(f"'{BLOCKS}'")
)


@dataclass(frozen=True, slots=True)
class LinkRow:
    """Another ticket, and how it hangs together with the one asked about: related, waits for, holds up."""

    how: str
    number: str
    subject: str
    status: str


def linked(session: Session, tickets: Iterable[int]) -> dict[int, frozenset[int]]:
    """The tickets tied to each of these, in whatever way."""
    wanted = set(tickets)
    if not wanted:
        return {}
    rows = session.execute(
        select(_C.ticket_id, _C.other_id).where(or_(_C.ticket_id.in_(wanted), _C.other_id.in_(wanted)))
    ).all()
    found: dict[int, set[int]] = {}
    for one, other in rows:
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return {key: frozenset(found.get(key, ())) for key in wanted}


def waits_for(session: Session, ticket: int) -> frozenset[int]:
    """All the tickets this one waits for, directly or by others."""
    found: set[int] = set()
    fresh = {ticket}
    while fresh and len(found) < _MOST_HOPS:
        rows = session.execute(
            select(_C.other_id).where(_C.ticket_id.in_(fresh), _C.kind == BLOCKS)
        ).scalars()
        fresh = set(rows) - found
        found |= fresh
    return frozenset(found)


def tie(session: Session, ticket: int, other: int, by: str, now: datetime, *, blocks: bool) -> bool:
    """Tie two tickets; False where they are, or where the wait would close a circle."""
    first, second = (ticket, other) if blocks else sorted((ticket, other))
    kind = BLOCKS if blocks else RELATED
    if blocks:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(select(func.pg_advisory_xact_lock(_CIRCLE_LOCK)))
        if ticket in waits_for(session, other) or ticket == other:
            return False
    there = select(_C.kind).where(_C.ticket_id == first, _C.other_id == second, _C.kind == kind)
    if session.execute(there).first() is not None:
        return False
    row = {"ticket_id": first, "other_id": second, "kind": kind, "made_by": by, "made_at": now}
    session.execute(insert(_LINK), row)
    return True


def untie(session: Session, ticket: int, other: int, now: datetime) -> bool:
    """End every tie between two tickets; whichever waited for the other looks what it waits for now."""
    ends = [(ticket, other), (other, ticket)]
    waiting = [one for one, two in ends if _tied(session, one, two, BLOCKS)]
    done = 0
    for one, two in ends:
        rows = session.execute(
            delete(_LINK).where(_C.ticket_id == one, _C.other_id == two).returning(_C.kind)
        ).all()
        done += len(rows)
    for one in waiting:
        deadlines.plan(session, one, WAITED, now)
    return done > 0


def wake_those_waiting(session: Session, ticket: int, now: datetime) -> None:
    """A ticket is finished: whoever waits for it looks, with the next tick."""
    for waiting in session.connection().execute(_WAITING, {"other": ticket}).scalars().all():
        deadlines.plan(session, waiting, WAITED, now)


def still_awaited(session: Session, ticket: int) -> tuple[list[Ticket], list[Ticket]]:
    """(what a ticket waits for and is not finished, what it waited for and is)."""
    rows: Sequence[Ticket] = (
        session.execute(
            select(Ticket).join(TicketLink, TicketLink.other_id == Ticket.id)
            .where(TicketLink.ticket_id == ticket, TicketLink.kind == BLOCKS)
            .order_by(Ticket.id)
        ).scalars().all()
    )  # fmt: skip
    return [one for one in rows if one.status not in FINISHED], [
        one for one in rows if one.status in FINISHED
    ]


def wait_is_over(session: Session, ticket: int, other: int, now: datetime) -> None:
    """What was waited for is only related from now on, so that it never ends another wait."""
    row = (_C.ticket_id == ticket, _C.other_id == other, _C.kind == BLOCKS)
    by = session.execute(select(_C.made_by).where(*row)).scalar()
    session.execute(delete(_LINK).where(*row))
    if by is not None:
        tie(session, ticket, other, by, now, blocks=False)


def move_ties(session: Session, source: int, target: int, now: datetime) -> None:
    """A ticket was merged: what it was tied to is tied to the target, but for the target itself."""
    rows = session.execute(
        select(_C.ticket_id, _C.other_id, _C.kind, _C.made_by)
        .where(or_(_C.ticket_id == source, _C.other_id == source))
    ).all()  # fmt: skip
    session.execute(delete(_LINK).where(or_(_C.ticket_id == source, _C.other_id == source)))
    for one, other, kind, by in rows:
        first, second = (target if end == source else end for end in (one, other))
        if first != second:
            tie(session, first, second, by, now, blocks=kind == BLOCKS)
    referred = session.execute(
        select(TicketReferral.department, TicketReferral.made_by).where(TicketReferral.ticket_id == source)
    ).all()
    session.execute(delete(TicketReferral).where(TicketReferral.ticket_id == source))
    home = session.get_one(Ticket, target).department
    for department, by in referred:
        if department != home:
            refer(session, target, department, by, now)


def refer(session: Session, ticket: int, department: str, by: str, now: datetime) -> bool:
    """Let a department see a ticket; False where it does."""
    if session.get(TicketReferral, (ticket, department)) is not None:
        return False
    session.add(TicketReferral(ticket_id=ticket, department=department, made_by=by, made_at=now))
    session.flush()
    return True


def unrefer(session: Session, ticket: int, department: str) -> bool:
    """End a referral; False where there is none."""
    row = session.get(TicketReferral, (ticket, department))
    if row is None:
        return False
    session.delete(row)
    session.flush()
    return True


def links_of(session: Session, ticket: int) -> list[LinkRow]:
    """Everything a ticket is tied to, in words, for people who look at it."""
    rows: list[LinkRow] = []
    for mine, theirs, how_related, how_blocks in (
        (TicketLink.ticket_id, TicketLink.other_id, "related to", "waits for"),
        (TicketLink.other_id, TicketLink.ticket_id, "related to", "awaited by"),
    ):
        found = session.execute(
            select(TicketLink.kind, Ticket.number, Ticket.subject, Ticket.status)
            .join(Ticket, theirs == Ticket.id).where(mine == ticket).order_by(Ticket.id)
        )  # fmt: skip
        rows += [
            LinkRow(how_blocks if kind == BLOCKS else how_related, number, subject, status)
            for kind, number, subject, status in found
        ]
    return rows


def followed(session: Session, ticket: int) -> list[LinkRow]:
    """The ticket this one follows or was split off, and those that follow it."""
    older = select(Ticket.predecessor_id).where(Ticket.id == ticket).scalar_subquery()
    rows: list[LinkRow] = []
    for how, rule in (("follows", Ticket.id == older), ("followed by", Ticket.predecessor_id == ticket)):
        found = session.execute(
            select(Ticket.number, Ticket.subject, Ticket.status).where(rule).order_by(Ticket.id)
        )
        rows += [LinkRow(how, *row) for row in found]
    return rows


def referrals_of(session: Session, ticket: int) -> list[str]:
    """Keys of the departments a ticket is referred to."""
    rows = select(TicketReferral.department).where(TicketReferral.ticket_id == ticket)
    return list(session.execute(rows.order_by(TicketReferral.department)).scalars())


def referred_to(session: Session, tickets: Collection[int]) -> dict[int, list[str]]:
    """Keys of the departments that some tickets are referred to, by ticket."""
    found: dict[int, list[str]] = {}
    query = select(TicketReferral.ticket_id, TicketReferral.department)
    for ticket, department in session.execute(query.where(TicketReferral.ticket_id.in_(tickets))):
        found.setdefault(ticket, []).append(department)
    return found


def _tied(session: Session, ticket: int, other: int, kind: str) -> bool:
    row = (_C.ticket_id == ticket, _C.other_id == other, _C.kind == kind)
    return session.execute(select(_C.kind).where(*row)).first() is not None
