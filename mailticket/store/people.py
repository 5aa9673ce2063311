"""Persons by their addresses, and who takes part in which ticket."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from mailticket.domain.people_changes import LearnPerson
from mailticket.domain.sender import PersonFacts
from mailticket.store.dialect import table_of
from mailticket.store.models import Participant, Person, PersonAddress

_PERSON: Final = table_of(Person)
_ADDRESS: Final = table_of(PersonAddress)
_C: Final = _ADDRESS.c

# Statements of the hot path are built once: building one costs more than running it. They run on the
# session's connection: these rows are never kept as objects, so there is nothing to flush first.
_KNOWN: Final = select(_C.person_id).where(_C.address == bindparam("wanted"))
_P: Final = _PERSON.c
_REMEMBERED: Final = (
    select(_P.language, _P.language_from, _P.utc_offset)
    .join(_ADDRESS, _C.person_id == _P.id)
    .where(_C.address == bindparam("wanted"))
)
_CONTACTS: Final = (
    select(_C.address, _C.undeliverable_since, _P.language, _P.language_from, _P.utc_offset)
    .join(_PERSON, _C.person_id == _P.id)
    .where(_C.address.in_(bindparam("wanted", expanding=True)))
)
_LEARN: Final = (
    update(_PERSON)
    .where(_P.id == select(_C.person_id).where(_C.address == bindparam("wanted")).scalar_subquery())
    .values(language=bindparam("tag"), language_from=bindparam("source"), utc_offset=bindparam("minutes"))
)
_NAME: Final = select(_PERSON.c.name).where(_PERSON.c.id == bindparam("wanted"))
_NEW_PERSON: Final = insert(_PERSON).returning(_PERSON.c.id)
_NEW_ADDRESS: Final = insert(_ADDRESS)
_UNREACHABLE: Final = (
    update(_ADDRESS)
    .where(_C.address == bindparam("wanted"), _C.undeliverable_since.is_(None))
    .values(undeliverable_since=bindparam("since"))
)
_REACHABLE: Final = (
    update(_ADDRESS)
    .where(_C.address == bindparam("wanted"), _C.undeliverable_since.is_not(None))
    .values(undeliverable_since=None)
)


def name_of(session: Session, person: int) -> str:
    """The name of a person; "" where none is known."""
    return str(session.connection().execute(_NAME, {"wanted": person}).scalar_one())


def find_or_add_person(session: Session, address: str, name: str, now: datetime) -> int:
    """The id of the person with a canonical address; made when there is none yet."""
    connection = session.connection()
    known = connection.execute(_KNOWN, {"wanted": address}).one_or_none()
    if known is not None:
        return int(known.person_id)
    person = connection.execute(_NEW_PERSON, {"name": name, "language": None, "created_at": now}).scalar_one()
    connection.execute(_NEW_ADDRESS, {"address": address, "person_id": person})
    return int(person)


def remembered(session: Session, address: str) -> PersonFacts | None:
    """What is remembered of the person with a canonical address; None when there is none."""
    row = session.connection().execute(_REMEMBERED, {"wanted": address}).one_or_none()
    return None if row is None else PersonFacts(row.language, row.language_from, row.utc_offset)


def learn(session: Session, change: LearnPerson) -> None:
    """Remember what a mail told of its sender, if they are on file."""
    session.connection().execute(
        _LEARN,
        {
            "wanted": change.address,
            "tag": change.language,
            "source": change.language_from,
            "minutes": change.utc_offset,
        },
    )


@dataclass(frozen=True, slots=True)
class Contact:
    """What writing to an address needs: what is remembered of the person, and since when nothing arrives."""

    person: PersonFacts
    unreachable_since: datetime | None


def contacts(session: Session, addresses: Collection[str]) -> dict[str, Contact]:
    """Those of some canonical addresses that are on file, in one query."""
    if not addresses:
        return {}
    rows = session.connection().execute(_CONTACTS, {"wanted": list(addresses)})
    return {
        row.address: Contact(
            PersonFacts(row.language, row.language_from, row.utc_offset), row.undeliverable_since
        )
        for row in rows
    }


def note_unreachable(session: Session, address: str, now: datetime) -> None:
    """Remember that nothing reaches an address; since when, stays as it was noted first."""
    session.connection().execute(_UNREACHABLE, {"wanted": address, "since": now})


def reachable_again(session: Session, address: str) -> bool:
    """Forget that nothing reached an address; False when nothing was known against it."""
    return session.connection().execute(_REACHABLE, {"wanted": address}).rowcount > 0


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


def change_requester(
    session: Session,
    ticket_id: int,
    old: str,
    new: str,
    person_id: int,
    by: str,
    now: datetime,
    *,
    keep: bool,
) -> None:
    """Make `new` the requester among those who take part; `keep` leaves the old one as a collaborator."""
    before = session.get(Participant, (ticket_id, old))
    if before is not None and keep:
        before.role = "collaborator"
    elif before is not None:
        session.delete(before)
    session.flush()
    if not add_participant(session, ticket_id, new, person_id, by, now, role="requester"):
        session.get_one(Participant, (ticket_id, new)).role = "requester"
        session.flush()
