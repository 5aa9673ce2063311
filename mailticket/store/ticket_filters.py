"""What a query asks of tickets, as conditions of SQL: one function for each kind of filter."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
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

from mailticket.config.field_values import FieldValue
from mailticket.domain.ticket_query import Access, Span, TicketQuery
from mailticket.store.dialect import table_of
from mailticket.store.models import Entry, Participant, Person, PersonAddress, Ticket, TicketReferral

_Condition = ColumnElement[bool]


def conditions(session: Session, query: TicketQuery) -> Iterator[_Condition]:
    """All that must hold of a ticket, but for the words of a search."""
    yield from _statuses(query)
    if query.department:
        yield _in_departments(session, query.department)
    for column, values in (
        (Ticket.topic, query.topic),
        (Ticket.priority, query.priority),
        (Ticket.sla_plan, query.sla_plan),
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


def visible(access: Access) -> _Condition:
    """What an agent who may not see everything sees: as permissions.why_no_access says."""
    parts: list[_Condition] = [Ticket.assignee == access.agent]
    if access.departments:
        parts.append(Ticket.department.in_(access.departments))
        parts.append(Ticket.id.in_(_referred(access.departments)))
    if access.teams:
        parts.append(Ticket.team.in_(access.teams))
    return or_(*parts)


def _statuses(query: TicketQuery) -> Iterator[_Condition]:
    parts: list[_Condition] = [Ticket.status.in_(query.status)] if query.status else []
    parts += [and_(Ticket.custom_status == key, Ticket.status == state) for state, key in query.own_status]
    if parts:
        yield or_(*parts)
    elif not query.every and query.closed == Span():
        yield Ticket.closed_at.is_(None)


def _in_departments(session: Session, departments: tuple[str, ...]) -> _Condition:
    """In them, or referred to them; where nothing is, the index of departments is all that is needed."""
    column = Ticket.department
    own = column == departments[0] if len(departments) == 1 else column.in_(departments)
    referred = _referred(departments)
    if session.execute(referred.limit(1)).first() is None:
        return own
    return or_(own, Ticket.id.in_(referred))


def _referred(departments: tuple[str, ...]) -> Select[int]:
    return select(TicketReferral.ticket_id).where(TicketReferral.department.in_(departments))


def _people(query: TicketQuery) -> Iterator[_Condition]:
    if query.requester:
        yield or_(*(_requested_by(one) for one in query.requester))
    if query.participant:
        yield Ticket.id.in_(select(Participant.ticket_id).where(Participant.address.in_(query.participant)))
    if query.domains:
        parts = [Ticket.requester_address.endswith(f"@{domain}", autoescape=True) for domain in query.domains]
        parts += [
            Ticket.requester_address.endswith(f".{domain}", autoescape=True) for domain in query.domains
        ]
        yield or_(*parts)
    if query.language:
        # for each ticket its person: a list of all who speak a language is longer than any list of tickets
        spoken = func.lower(Person.language)
        tags = [spoken == one for one in query.language]
        tags += [spoken.startswith(f"{one}-", autoescape=True) for one in query.language]
        yield exists().where(Person.id == Ticket.requester_id, or_(*tags))


def _requested_by(one: str) -> _Condition:
    if "@" in one[1:]:
        person = select(PersonAddress.person_id).where(PersonAddress.address == one)
        return Ticket.requester_id.in_(person)
    if one.startswith("@"):
        return Ticket.requester_address.endswith(one, autoescape=True)
    return func.lower(Ticket.requester_name).contains(one, autoescape=True)


def _details(session: Session, query: TicketQuery) -> Iterator[_Condition]:
    for tag in query.tag:
        yield _tagged(session, tag)
    for key, value in query.field:
        yield _field_is(session, key, value)
    if query.source:
        parts: list[_Condition] = [Ticket.source == one for one in query.source]
        parts += [Ticket.source.startswith(f"{one}:", autoescape=True) for one in query.source]
        yield or_(*parts)
    if query.trust:
        yield exists().where(
            Entry.ticket_id == Ticket.id, Entry.kind == "message", Entry.trust.in_(query.trust)
        )
    if query.spent is not None:
        yield Ticket.minutes_spent >= query.spent.total_seconds() / 60
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


def _tagged(session: Session, tag: str) -> _Condition:
    if session.get_bind().dialect.name != "sqlite":
        return cast(Ticket.tags, JSONB).contains(cast(literal(json.dumps([tag])), JSONB))
    each = func.json_each(Ticket.tags).table_valued("value")
    return exists(select(literal(1)).select_from(each).where(each.c.value == tag))


def _field_is(session: Session, key: str, value: FieldValue) -> _Condition:
    """Texts as texts, because JSON may write a letter in several ways; numbers as a database keeps them."""
    held = table_of(Ticket).c.fields[key]
    text: ColumnElement[str] = held.as_string()
    if value is None:
        return text.is_(None)
    if isinstance(value, str):
        return text == value
    if session.get_bind().dialect.name == "sqlite":
        number: ColumnElement[float] = held.as_float()
        return number == value  # as a text, 1e-05 is 1.0e-05 there
    return cast(held, Text) == json.dumps(value)


def _times(query: TicketQuery) -> Iterator[_Condition]:
    for column, span in (
        (Ticket.created_at, query.created),
        (Ticket.updated_at, query.updated),
        (Ticket.due_at, query.due),
        (Ticket.closed_at, query.closed),
        (Ticket.last_message_at, query.wrote),
        (Ticket.last_response_at, query.answered),
    ):
        if span.since is not None:
            yield column >= span.since
        if span.until is not None:
            yield column < span.until
