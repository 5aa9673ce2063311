"""Lists of tickets: every filter, every order, and full text, by index where a desk is big.

Only finished tickets make a desk big, so what is not finished has indexes of its own. Found texts are
walked through from the newest entry, and no further than a page needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from mailticket.domain.status import FINISHED, Status
from mailticket.domain.terms import Piece, snippet
from mailticket.domain.ticket_query import Access, Span, TicketQuery
from mailticket.store.dialect import table_of
from mailticket.store.fulltext import matching
from mailticket.store.models import Entry, PersonAddress, Ticket
from mailticket.store.views import TicketRow

_UNFINISHED: Final = tuple(str(status) for status in Status if status not in FINISHED)
_COLUMNS: Final = tuple(getattr(Ticket, item.name) for item in fields(TicketRow))
_CHUNK: Final = 200
_MOST_ENTRIES: Final = 20_000
"""Found entries looked through for one page."""


@dataclass(frozen=True, slots=True)
class Found:
    """A ticket of a list; of a search also the entry found, and the words around the hit."""

    ticket: TicketRow
    entry: int | None = None
    pieces: tuple[Piece, ...] = ()


def find_tickets(
    session: Session,
    query: TicketQuery,
    limit: int,
    offset: int = 0,
    *,
    urgency: Mapping[str, int] | None = None,
    access: Access | None = None,
) -> list[Found]:
    """The tickets that fit, in the query's order; of a search the newest entry first.

    urgency: priorities by rank, for sorting by them. access: leaves out what its agent may not see.
    """
    where = list(_conditions(session, query))
    if access is not None:
        where.append(_visible(access))
    if query.asked is not None:
        return _searched(session, query, where, limit, offset)
    rows = _ordered(session, query, where, limit, offset, urgency or {})
    return [Found(TicketRow(*row)) for row in rows]


def _ordered(
    session: Session,
    query: TicketQuery,
    where: list[ColumnElement[bool]],
    limit: int,
    offset: int,
    urgency: Mapping[str, int],
) -> list[Any]:
    base = select(*_COLUMNS).where(*where)
    if query.sort == "due" and not query.overdue and query.due == Span():
        return _by_due(session, base, where, limit, offset, reverse=query.reverse)
    order = _order(query, urgency)
    return list(session.execute(base.order_by(*order).limit(limit).offset(offset)))


def _by_due(
    session: Session,
    base: Select[Any],
    where: list[ColumnElement[bool]],
    limit: int,
    offset: int,
    *,
    reverse: bool,
) -> list[Any]:
    """First those that are due some time, the earliest first, then the newest: no index has both orders."""
    due = Ticket.due_at.is_not(None)
    order = (Ticket.due_at.desc(), Ticket.id.desc()) if reverse else (Ticket.due_at, Ticket.id)
    rows = list(session.execute(base.where(due).order_by(*order).limit(limit).offset(offset)))
    if len(rows) == limit:
        return rows
    skip = 0
    if offset and not rows:
        counted = session.execute(select(func.count()).select_from(Ticket).where(*where, due)).scalar() or 0
        skip = max(0, offset - counted)
    rest = base.where(Ticket.due_at.is_(None)).order_by(Ticket.id.desc())
    return [*rows, *session.execute(rest.limit(limit - len(rows)).offset(skip))]


def _order(query: TicketQuery, urgency: Mapping[str, int]) -> tuple[Any, ...]:
    newest_first = {"created": Ticket.created_at, "updated": Ticket.updated_at, "closed": Ticket.closed_at}
    if query.sort in newest_first:
        column = newest_first[query.sort]
        return (column, Ticket.id) if query.reverse else (column.desc(), Ticket.id.desc())
    if query.sort == "priority":
        rank = case(urgency, value=Ticket.priority, else_=99) if urgency else Ticket.priority
        return (rank.desc() if query.reverse else rank, Ticket.id)
    column = Ticket.overdue_since if query.overdue and query.due == Span() else Ticket.due_at
    return (column.desc(), Ticket.id.desc()) if query.reverse else (column, Ticket.id)


def _conditions(session: Session, query: TicketQuery) -> Iterator[ColumnElement[bool]]:
    if query.status:
        yield Ticket.status.in_(query.status)
    elif not query.every and query.closed == Span():
        yield Ticket.closed_at.is_(None)
    for column, values in (
        (Ticket.department, query.department),
        (Ticket.topic, query.topic),
        (Ticket.priority, query.priority),
        (Ticket.team, query.team),
    ):
        if values:
            yield column == values[0] if len(values) == 1 else column.in_(values)
    if query.assignee:
        agents = [agent for agent in query.assignee if agent is not None]
        parts = (
            [Ticket.assignee == agents[0] if len(agents) == 1 else Ticket.assignee.in_(agents)]
            if agents
            else []
        )
        parts += [Ticket.assignee.is_(None)] if None in query.assignee else []
        yield or_(*parts)
    yield from _people(query)
    yield from _details(session, query)
    yield from _times(query)


def _people(query: TicketQuery) -> Iterator[ColumnElement[bool]]:
    if query.requester:
        yield or_(*(_requested_by(one) for one in query.requester))
    if query.domains:
        parts = [Ticket.requester_address.endswith(f"@{domain}", autoescape=True) for domain in query.domains]
        parts += [
            Ticket.requester_address.endswith(f".{domain}", autoescape=True) for domain in query.domains
        ]
        yield or_(*parts)


def _requested_by(one: str) -> ColumnElement[bool]:
    if "@" in one[1:]:
        person = select(PersonAddress.person_id).where(PersonAddress.address == one)
        return Ticket.requester_id.in_(person)
    if one.startswith("@"):
        return Ticket.requester_address.endswith(one, autoescape=True)
    return func.lower(Ticket.requester_name).contains(one, autoescape=True)


def _details(session: Session, query: TicketQuery) -> Iterator[ColumnElement[bool]]:
    for tag in query.tag:
        yield _tagged(session, tag)
    for key, value in query.field:
        yield _field_is(key, value)
    if query.overdue:
        yield Ticket.overdue_since.is_not(None)
    if query.held:
        yield (
            Ticket.held == true()
            if session.get_bind().dialect.name != "sqlite"
            else literal_column("ticket.held = 1")
        )
        yield Ticket.suspected_ticket_id.is_not(None)
    if query.unanswered:
        yield Ticket.last_message_at.is_not(None)
        yield or_(Ticket.last_response_at.is_(None), Ticket.last_response_at < Ticket.last_message_at)


def _tagged(session: Session, tag: str) -> ColumnElement[bool]:
    if session.get_bind().dialect.name != "sqlite":
        return (
            cast(Ticket.tags, JSONB).contains(cast(literal(f'["{tag}"]'), JSONB))
            if '"' not in tag
            else ~true()
        )
    each = func.json_each(Ticket.tags).table_valued("value")
    return exists(select(literal(1)).select_from(each).where(each.c.value == tag))


def _field_is(key: str, value: str) -> ColumnElement[bool]:
    column = table_of(Ticket).c.get("fields")
    if column is None:
        return ~true()
    return cast(column[key], Text).in_([value, f'"{value}"'])


def _times(query: TicketQuery) -> Iterator[ColumnElement[bool]]:
    for column, span in (
        (Ticket.created_at, query.created),
        (Ticket.updated_at, query.updated),
        (Ticket.due_at, query.due),
        (Ticket.closed_at, query.closed),
    ):
        if span.since is not None:
            yield column >= span.since
        if span.until is not None:
            yield column < span.until


def _visible(access: Access) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = [Ticket.assignee == access.agent]
    if access.departments:
        parts.append(Ticket.department.in_(access.departments))
    if access.teams:
        parts.append(Ticket.team.in_(access.teams))
    return or_(*parts)


def _searched(
    session: Session, query: TicketQuery, where: list[ColumnElement[bool]], limit: int, offset: int
) -> list[Found]:
    """Tickets by the newest of their entries that holds what is asked for."""
    seen: dict[int, int] = {}
    for entry, ticket in islice(_entries(session, query, where), _MOST_ENTRIES):
        seen.setdefault(ticket, entry)
        if len(seen) == offset + limit:
            break
    page = dict(list(seen.items())[offset:])
    if not page:
        return []
    tickets = {
        row.id: TicketRow(*row) for row in session.execute(select(*_COLUMNS).where(Ticket.id.in_(page)))
    }
    texts = session.execute(select(Entry.ticket_id, Entry.text).where(Entry.id.in_(page.values())))
    assert query.asked is not None
    pieces = {ticket: snippet(text, query.asked) for ticket, text in texts}
    return [Found(tickets[ticket], entry, pieces[ticket]) for ticket, entry in page.items()]


def _entries(
    session: Session, query: TicketQuery, where: list[ColumnElement[bool]]
) -> Iterator[tuple[int, int]]:
    """(entry, ticket) of what fits, the newest entry first."""
    assert query.asked is not None
    index, entry_id, condition = matching(session.get_bind().dialect.name, query.asked)
    base = (
        select(entry_id, Entry.ticket_id)
        .select_from(index)
        .join(Entry, and_(Entry.id == entry_id))
        .join(Ticket, Ticket.id == Entry.ticket_id)
        .where(condition, *where)
        .order_by(entry_id.desc())
    )
    below: int | None = None
    while True:
        part = base if below is None else base.where(entry_id < below)
        rows = session.execute(part.limit(_CHUNK)).all()
        yield from ((row[0], row[1]) for row in rows)
        if len(rows) < _CHUNK:
            return
        below = rows[-1][0]
