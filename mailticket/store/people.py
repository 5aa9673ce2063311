"""Persons by their addresses, and who takes part in which ticket."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailticket.store.models import Participant, Person, PersonAddress


def find_or_add_person(session: Session, address: str, name: str, now: datetime) -> Person:
    """The person with a canonical address; made when there is none yet."""
    known = session.get(PersonAddress, address)
    if known is not None:
        return session.get_one(Person, known.person_id)
    person = Person(name=name, language=None, created_at=now)
    session.add(person)
    session.flush()
    session.add(PersonAddress(address=address, person_id=person.id))
    return person


def reachable_again(session: Session, address: str) -> bool:
    """Forget that nothing reached an address; False when nothing was known against it."""
    known = session.get(PersonAddress, address)
    if known is None or known.undeliverable_since is None:
        return False
    known.undeliverable_since = None
    return True


def unreachable(session: Session) -> list[tuple[str, datetime]]:
    """The addresses that nothing reaches, and since when, newest first."""
    rows = session.execute(
        select(PersonAddress.address, PersonAddress.undeliverable_since)
        .where(PersonAddress.undeliverable_since.is_not(None))
        .order_by(PersonAddress.undeliverable_since.desc())
    )
    return [(address, since) for address, since in rows if since is not None]


def add_participant(
    session: Session,
    ticket_id: int,
    address: str,
    person_id: int,
    by: str,
    now: datetime,
    *,
    role: str = "collaborator",
) -> bool:
    """Let an address take part in a ticket; False when it already does, whatever its role."""
    if session.get(Participant, (ticket_id, address)) is not None:
        return False
    session.add(
        Participant(
            ticket_id=ticket_id, address=address, person_id=person_id, role=role, added_at=now, added_by=by
        )
    )
    session.flush()
    return True


def remove_participant(session: Session, ticket_id: int, address: str) -> bool:
    """End the part of a collaborator; False for the requester and for somebody who takes none."""
    found = session.get(Participant, (ticket_id, address))
    if found is None or found.role == "requester":
        return False
    session.delete(found)
    session.flush()
    return True
