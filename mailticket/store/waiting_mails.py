"""Mails to customers that still wait, while those who take part in their ticket change.

Whoever leaves a ticket gets nothing of it any more, and whoever joins gets the answers that wait, as if
they had been there when those were written. What is cancelled here is cancelled for good: who comes back
gets a mail of their own. A sender that has claimed a mail wins, and then it goes; one that died with it,
or could not tell whether it went, tries no more.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from mailticket.domain.customer_notices import HELD_BACK
from mailticket.store import acknowledgements
from mailticket.store.models import Entry, Outbox

ANSWER: Final = "ticket.reply"
LEFT: Final = "its reader takes no part in the ticket any more"


def stop(session: Session, ticket_id: int, address: str, now: datetime) -> None:
    """Cancel what waits for somebody who has left a ticket."""
    keys = session.execute(
        update(Outbox)
        .where(
            Outbox.ticket_id == ticket_id,
            Outbox.recipient == address,
            Outbox.audience == "customer",
            _idle(now),
        )
        .values(state="cancelled", finished_at=now, error=LEFT, lease_until=None)
        .returning(Outbox.message_key)
    ).scalars()
    acknowledgements.forget(session, list(keys))


def answers_for(session: Session, ticket_id: int, address: str, now: datetime) -> list[dict[str, Any]]:
    """The answers on hold that somebody who joins gets too, as `domain.notify` reads them from the event."""
    return _unsent(session, and_(Outbox.template == ANSWER, _on_hold(now)), ticket_id, address)


def mails_of(
    session: Session, ticket_id: int, old: str, new: str, now: datetime, *, leaves: bool
) -> list[dict[str, Any]]:
    """What waits and goes to a new requester; the old one's acknowledgements do not.

    leaves: the old one takes no part any more; then whatever has not gone to them yet, for whatever reason.
    """
    waiting = _idle(now) if leaves else _on_hold(now)
    theirs = and_(Outbox.recipient == old, Outbox.template.not_in(HELD_BACK), waiting)
    return _unsent(session, or_(theirs, and_(Outbox.template == ANSWER, _on_hold(now))), ticket_id, new)


def _on_hold(now: datetime) -> ColumnElement[bool]:
    """Nobody has tried to send it, because its time has not come."""
    return and_(Outbox.state == "queued", Outbox.attempts == 0, Outbox.next_try_at > now)


def _idle(now: datetime) -> ColumnElement[bool]:
    """Not sent, and not being sent."""
    lease = or_(Outbox.lease_until.is_(None), Outbox.lease_until <= now)
    return and_(Outbox.state.in_(["queued", "parked"]), lease)


def _unsent(
    session: Session, which: ColumnElement[bool], ticket_id: int, reader: str
) -> list[dict[str, Any]]:
    """Those of the mails that `reader` neither gets nor has, one of each."""
    told = and_(Outbox.entry_id.is_not(None), Outbox.state != "cancelled")
    has = and_(Outbox.recipient == reader, or_(told, Outbox.state.in_(["queued", "parked"])))
    rows = session.execute(
        select(Outbox.template, Outbox.recipient, Outbox.entry_id, Outbox.next_try_at, Outbox.context)
        .outerjoin(Entry, Entry.id == Outbox.entry_id)
        .where(
            or_(which, has),
            Outbox.ticket_id == ticket_id,
            Outbox.audience == "customer",
            Entry.withdrawn_at.is_(None),
        )
        .order_by(Outbox.id)
    ).all()
    theirs = {(row.template, row.entry_id) for row in rows if row.recipient == reader}
    found = {(row.template, row.entry_id): row for row in rows}
    return [
        {
            "template": row.template,
            "entry": row.entry_id,
            "until": row.next_try_at.isoformat(),
            "automatic": row.context["automatic"],
            "extra": row.context["extra"],
        }
        for key, row in found.items()
        if key not in theirs
    ]
