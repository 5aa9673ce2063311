"""Persons as an operator works with them: found, shown, made one of two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, or_, select, update
from sqlalchemy.orm import Session

from mailticket.errors import Permanent
from mailticket.store.dialect import table_of
from mailticket.store.models import Base, Participant, Person, PersonAddress, Ticket


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person in a list; addresses in the order of the alphabet."""

    id: int
    name: str
    addresses: tuple[str, ...]
    language: str | None
    tickets: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TicketOfPerson:
    """A ticket a person asked for or takes part in."""

    number: str
    subject: str
    status: str
    role: str
    created_at: datetime
    closed_at: datetime | None


def find_person(session: Session, who: str) -> int:
    """The id of the person with an address, or the id itself. Permanent where there is none."""
    if who.isdigit():
        if session.get(Person, int(who)) is None:
            raise Permanent(f"there is no person {who}: `mailticket person list` shows them")
        return int(who)
    person = session.execute(
        select(PersonAddress.person_id).where(PersonAddress.address == who.strip().lower())
    ).scalar_one_or_none()
    if person is None:
        part = who.partition("@")[0]
        raise Permanent(f"nobody with the address {who} is on file; `mailticket person list {part}` searches")
    return int(person)


def list_persons(session: Session, words: str, limit: int) -> list[PersonRow]:
    """Persons whose name or an address holds `words`, the newest first."""
    query: Select[Any] = select(Person.id).order_by(Person.id.desc()).limit(limit)
    if words:
        holds = or_(
            Person.name.icontains(words, autoescape=True),
            Person.id.in_(
                select(PersonAddress.person_id).where(PersonAddress.address.icontains(words, autoescape=True))
            ),
        )
        query = query.where(holds)
    return [person_row(session, one) for one in session.execute(query).scalars()]


def person_row(session: Session, person: int) -> PersonRow:
    """One person by id."""
    one = session.get_one(Person, person)
    addresses = session.execute(
        select(PersonAddress.address).where(PersonAddress.person_id == person).order_by(PersonAddress.address)
    ).scalars()
    tickets = session.execute(
        select(func.count()).select_from(Ticket).where(Ticket.requester_id == person)
    ).scalar_one()
    return PersonRow(one.id, one.name, tuple(addresses), one.language, tickets, one.created_at)


def tickets_of(session: Session, person: int) -> list[TicketOfPerson]:
    """The tickets a person takes part in, newest first."""
    rows = session.execute(
        select(Ticket, Participant.role)
        .join(Participant, Participant.ticket_id == Ticket.id)
        .where(Participant.person_id == person)
        .order_by(Ticket.id.desc())
    )
    return [
        TicketOfPerson(one.number, one.subject, one.status, role, one.created_at, one.closed_at)
        for one, role in rows
    ]


def merge_persons(session: Session, source: int, into: int) -> int:
    """Everything of person `source` belongs to `into` from now on; returns how many addresses that were.

    Addresses stay as they are: a ticket goes on being answered where it was written from.
    """
    if source == into:
        raise Permanent("these are one person already")
    old, new = session.get_one(Person, source), session.get_one(Person, into)
    moved = session.execute(
        select(func.count()).select_from(PersonAddress).where(PersonAddress.person_id == source)
    ).scalar_one()
    new.name = new.name or old.name
    new.language = new.language or old.language
    session.flush()
    persons = table_of(Person)
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if any(key.column.table is persons for key in column.foreign_keys):
                session.execute(update(table).where(column == source).values({column.name: into}))
    session.expire_all()
    session.execute(delete(Person).where(Person.id == source))
    return int(moved)
