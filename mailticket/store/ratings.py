"""How satisfied customers were, and what they are told of their own tickets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailticket.domain.change import Rate
from mailticket.domain.status import FINISHED, Status
from mailticket.mail.token import token_of_message_id
from mailticket.store.models import Outbox, Participant, Rating, Ticket
from mailticket.store.outbox import message_key

MOST_SHOWN: Final = 30
"""Tickets that one status mail lists, the newest."""
_SHOWN: Final = tuple(str(one) for one in Status if one not in FINISHED)


def rate(session: Session, ticket: Ticket, change: Rate, now: datetime) -> None:
    """Keep a rating; the one this address gave before is replaced."""
    row = session.get(Rating, (ticket.id, change.address))
    if row is None:
        row = Rating(ticket_id=ticket.id, address=change.address)
        session.add(row)
    row.score, row.comment, row.at = change.score, change.comment, now
    row.agent, row.department = ticket.assignee, ticket.department


def ratings_of(session: Session, ticket: int) -> list[Rating]:
    """The ratings of a ticket, oldest first."""
    return list(
        session.execute(select(Rating).where(Rating.ticket_id == ticket).order_by(Rating.at)).scalars()
    )


def averages(session: Session, since: datetime, until: datetime) -> list[tuple[str, str | None, int, float]]:
    """(department, agent, how many, average score) of the ratings given in that time."""
    rows = session.execute(
        select(Rating.department, Rating.agent, func.count(), func.avg(Rating.score))
        .where(Rating.at >= since, Rating.at < until)
        .group_by(Rating.department, Rating.agent)
        .order_by(Rating.department, Rating.agent)
    )
    return [(department, agent, count, float(average)) for department, agent, count, average in rows]


def own_tickets(session: Session, address: str) -> list[dict[str, Any]]:
    """The unfinished tickets somebody takes part in, newest first, as a status mail tells them."""
    rows = session.execute(
        select(Ticket)
        .join(Participant, Participant.ticket_id == Ticket.id)
        .where(Participant.address == address, Ticket.status.in_(_SHOWN), Ticket.held.is_(False))
        .order_by(Ticket.id.desc())
        .limit(MOST_SHOWN)
    ).scalars()
    return [
        {
            "number": one.number,
            "subject": one.subject,
            "state": one.status,
            "department": one.department,
            "opened": one.created_at.isoformat(),
            "due": one.due_at.isoformat() if one.due_at and one.last_response_at is None else None,
        }
        for one in rows
    ]


def template_answered(session: Session, message_ids: Iterable[str]) -> str | None:
    """The template of the newest of our mails among these Message-IDs; None when there is none."""
    keys = [message_key(one) for one in message_ids if token_of_message_id(one)]
    if not keys:
        return None
    return session.execute(
        select(Outbox.template).where(Outbox.message_key.in_(keys)).order_by(Outbox.id.desc()).limit(1)
    ).scalar_one_or_none()
