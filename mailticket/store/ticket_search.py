"""Lists of tickets: every filter, every order, and full text, by index where a desk is big.

Only finished tickets make a desk big, so what is not finished has indexes of its own. Found texts are
walked through from the newest entry, and no further than a page needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import islice
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session

from mailticket.domain.terms import Piece, snippet
from mailticket.domain.ticket_query import Access, Span, TicketQuery
from mailticket.store.fulltext import matching
from mailticket.store.links import referred_to
from mailticket.store.models import Entry, Ticket
from mailticket.store.ticket_filters import conditions, visible
from mailticket.store.views import TicketRow

_COLUMNS: Final = tuple(getattr(Ticket, item.name) for item in fields(TicketRow))
_CHUNK: Final = 200
_MOST_ENTRIES: Final = 20_000
"""Found entries looked through for one page."""


@dataclass(frozen=True, slots=True)
class Found:
    """A ticket of a list; of a search also the entry found, and the words around the hit.

    referred  of the departments asked for, those it is referred to; () where it is in one of them itself
    """

    ticket: TicketRow
    entry: int | None = None
    pieces: tuple[Piece, ...] = ()
    referred: tuple[str, ...] = ()


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
    where = list(conditions(session, query))
    if access is not None:
        where.append(visible(access))
    if query.asked is not None:
        found = _searched(session, query, where, limit, offset)
    else:
        rows = _ordered(session, query, where, limit, offset, urgency or {})
        found = [Found(TicketRow(*row)) for row in rows]
    return _marked(session, query, found)


def _marked(session: Session, query: TicketQuery, found: list[Found]) -> list[Found]:
    """The same, with what brings tickets of other departments into a list of these."""
    elsewhere = {one.ticket.id for one in found if one.ticket.department not in query.department}
    if not query.department or not elsewhere:
        return found
    referred = referred_to(session, elsewhere)
    return [
        replace(one, referred=tuple(sorted({*referred.get(one.ticket.id, ())} & {*query.department})))
        for one in found
    ]


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
