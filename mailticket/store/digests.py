"""What a manager's digest is made of, and which digests were made already."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.digest import DigestModel, TicketRow, departments_managed, digest
from mailticket.domain.status import FINISHED
from mailticket.store.dialect import insert_new, table_of
from mailticket.store.models import DigestRun, Ticket


def claim_slot(session: Session, digest: str, slot: str, now: datetime) -> bool:
    """Take a digest's slot for ourselves; False when somebody made that digest already."""
    statement = insert_new(session, table_of(DigestRun), "digest", "slot", returning=("slot",))
    taken = session.execute(statement, [{"digest": digest, "slot": slot, "made_at": now}])
    return taken.first() is not None


def gather_digest(session: Session, desk: Desk, manager: str, now: datetime) -> DigestModel:
    """What a manager's digest says at `now`."""
    rows = open_tickets(session, departments_managed(desk, manager), desk)
    return digest(desk, manager, rows, now)


def open_tickets(session: Session, departments: tuple[str, ...], desk: Desk) -> list[TicketRow]:
    """Every unfinished ticket of some departments, oldest first."""
    rows = session.execute(
        select(Ticket)
        .where(Ticket.department.in_(departments), Ticket.status.not_in([str(item) for item in FINISHED]))
        .order_by(Ticket.id)
    ).scalars()
    return [
        TicketRow(
            number=ticket.number,
            subject=ticket.subject,
            status=ticket.status,
            priority=ticket.priority,
            urgency=desk.priorities[ticket.priority].urgency if ticket.priority in desk.priorities else 9,
            department=ticket.department,
            assignee=ticket.assignee,
            created_at=ticket.created_at,
            due_at=ticket.due_at,
            overdue_since=ticket.overdue_since,
            last_customer_at=ticket.last_message_at,
        )
        for ticket in rows
    ]
