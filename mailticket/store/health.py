"""Counting what became of every mail, so that a digest can say that none is lost."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.orm import Session

from mailticket.domain.health import LATE, MailboxHealth, MailHealth, StuckMail
from mailticket.domain.status import FINISHED
from mailticket.store.inbox import InboundState
from mailticket.store.models import ImapMessage, Inbound, MailboxContact, Outbox, Ticket

MOST_STUCK = 10
_STUCK = (str(InboundState.HELD), str(InboundState.FAILED))
_SETTLED = (str(InboundState.DONE), str(InboundState.IGNORED), str(InboundState.REJECTED))


def mail_health(session: Session, since: datetime, now: datetime) -> MailHealth:
    """How incoming and outgoing mail stands, counting what came in after `since`. Reads only."""
    states = [str(state) for state in InboundState]
    recent = (Inbound.state.in_(states), Inbound.received_at > since)
    received = _counts(session, *recent)
    untraced = session.execute(
        select(func.count())
        .select_from(Inbound)
        .where(Inbound.state.in_(_SETTLED), Inbound.received_at > since, Inbound.finished_at.is_(None))
    ).scalar_one()
    pending, oldest_pending = session.execute(
        select(func.count(), func.min(Inbound.received_at)).where(Inbound.state == str(InboundState.PENDING))
    ).one()
    stuck = _counts(session, Inbound.state.in_(_STUCK))
    outgoing, oldest_outgoing = session.execute(
        select(func.count(), func.min(Outbox.created_at)).where(Outbox.state == literal_column("'queued'"))
    ).one()
    return MailHealth(
        now=now,
        since=since,
        received=received,
        untraced=untraced,
        pending=pending,
        oldest_pending=oldest_pending,
        held=stuck.get(str(InboundState.HELD), 0),
        failed=stuck.get(str(InboundState.FAILED), 0),
        held_tickets=_held_tickets(session),
        outgoing=outgoing,
        oldest_outgoing=oldest_outgoing,
        unsent=_outgoing_since(session, "failed", since),
        parked=_outgoing_in(session, "parked"),
        mailboxes=_mailboxes(session, since, now),
        stuck=_stuck(session),
    )


def _counts(session: Session, *which: ColumnElement[bool]) -> dict[str, int]:
    rows = session.execute(select(Inbound.state, func.count()).where(*which).group_by(Inbound.state))
    return {row[0]: row[1] for row in rows}


def _held_tickets(session: Session) -> int:
    finished = [str(item) for item in FINISHED]
    found: int = session.execute(
        select(func.count()).select_from(Ticket).where(Ticket.held, Ticket.status.not_in(finished))
    ).scalar_one()
    return found


def _outgoing_since(session: Session, state: str, since: datetime) -> int:
    found: int = session.execute(
        select(func.count()).select_from(Outbox).where(Outbox.state == state, Outbox.created_at > since)
    ).scalar_one()
    return found


def _outgoing_in(session: Session, state: str) -> int:
    found: int = session.execute(
        select(func.count()).select_from(Outbox).where(Outbox.state == state)
    ).scalar_one()
    return found


def _mailboxes(session: Session, since: datetime, now: datetime) -> tuple[MailboxHealth, ...]:
    contacts = session.execute(
        select(
            MailboxContact.mailbox,
            MailboxContact.reached_at,
            MailboxContact.error,
            MailboxContact.in_folder,
            MailboxContact.untaken,
        ).order_by(MailboxContact.mailbox)
    ).all()
    if not contacts:
        return ()
    counts = {
        row.mailbox: (row.fetched, row.unfiled)
        for row in session.execute(
            select(
                ImapMessage.mailbox,
                func.count().filter(ImapMessage.fetched_at > since).label("fetched"),
                func.count()
                .filter(ImapMessage.moved_at.is_(None), ImapMessage.fetched_at < now - LATE)
                .label("unfiled"),
            )
            .where((ImapMessage.fetched_at > since) | ImapMessage.moved_at.is_(None))
            .group_by(ImapMessage.mailbox)
        )
    }
    return tuple(
        MailboxHealth(
            row.mailbox,
            row.reached_at,
            row.error or None,
            *counts.get(row.mailbox, (0, 0)),
            left=row.in_folder,
            untaken=row.untaken or 0,
        )
        for row in contacts
    )


def _stuck(session: Session) -> tuple[StuckMail, ...]:
    rows = session.execute(
        select(
            Inbound.state, Inbound.sender, Inbound.envelope_from, Inbound.subject, Inbound.received_at,
            Inbound.error, Inbound.decision,
        )
        .where(Inbound.state.in_(_STUCK))
        .order_by(Inbound.received_at.desc(), Inbound.id.desc())
        .limit(MOST_STUCK)
    )  # fmt: skip
    return tuple(
        StuckMail(
            row.state,
            row.sender or row.envelope_from or "",
            row.subject or "",
            row.received_at,
            row.error or _last_reason(row.decision),
        )
        for row in rows
    )


def _last_reason(decision: dict[str, list[str]] | None) -> str:
    reasons = (decision or {}).get("reasons") or [""]
    return reasons[-1]
