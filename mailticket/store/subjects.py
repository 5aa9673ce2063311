"""Under which Subject each reader knows a ticket: the one of the first mail they got about it."""

from __future__ import annotations

from collections.abc import Set
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from mailticket.store.dialect import table_of
from mailticket.store.models import Outbox, Ticket

_OUT: Final = table_of(Outbox).c
_TICKET: Final = table_of(Ticket).c

# Built once, for every batch of outgoing mails asks. A mail of a ticket that was merged into this one
# names the other number and does not count.
_FIRST: Final = (
    select(func.min(_OUT.id))
    .join_from(table_of(Outbox), table_of(Ticket), _TICKET.id == _OUT.ticket_id)
    .where(
        _OUT.ticket_id.in_(bindparam("tickets", expanding=True)),
        _OUT.recipient.in_(bindparam("recipients", expanding=True)),
        _OUT.subject.contains(_TICKET.number),
    )
    .group_by(_OUT.ticket_id, _OUT.recipient)
)
_SUBJECTS: Final = select(_OUT.ticket_id, _OUT.recipient, _OUT.subject).where(_OUT.id.in_(_FIRST))


def first_subjects(session: Session, readers: Set[tuple[int, str]]) -> dict[tuple[int, str], str]:
    """The Subjects by ticket and address, for those readers that got a mail about the ticket already."""
    if not readers:
        return {}
    asked = {
        "tickets": sorted({ticket for ticket, _ in readers}),
        "recipients": sorted({reader for _, reader in readers}),
    }
    return {(ticket, reader): subject for ticket, reader, subject in session.execute(_SUBJECTS, asked)}
