"""Notices become rows of the outbox, in the transaction that caused them.

Here a planned mail gets all that must never change again: its Message-ID, its reply token, its
envelope sender, and what it answers in its recipient's own conversation.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.brakes import Braked, Planned, check
from mailticket.domain.types import Audience, Notice, TicketFacts
from mailticket.mail.token import Role, message_id, mint, reply_address
from mailticket.store.autocounts import count_automatic, note_automatic
from mailticket.store.models import MessageRef
from mailticket.store.outbox import OutgoingMail, enqueue_all, message_key

_CHAIN_START = 1
_CHAIN_END = 12
"""References kept: the root of the recipient's conversation and its newest mails (RFC 5322, 3.6.4)."""


@dataclass(frozen=True, slots=True)
class Announced:
    """What was queued, and what the brakes on automatic mail stopped, in words."""

    queued: int
    braked: tuple[str, ...]


def announce(
    session: Session,
    notices: Sequence[Notice],
    ticket: TicketFacts | None,
    desk: Desk,
    secret: bytes,
    now: datetime,
) -> Announced:
    """Queue notices about `ticket` (or about none). The same notice is never queued twice."""
    allowed, braked = _brake(session, notices, ticket, desk, now)
    if not allowed:
        return Announced(0, braked)
    chains = _chains(session, ticket.id, {notice.identity for notice in allowed}) if ticket else {}
    mails = [_written(notice, ticket, desk, secret, chains.get(notice.identity, [])) for notice in allowed]
    queued = enqueue_all(session, mails, now)
    session.add_all(
        MessageRef(
            key=message_key(mail.message_id),
            message_id=mail.message_id,
            ticket_id=ticket.id,
            entry_id=notice.entry_id,
            direction="out",
            party=notice.identity,
        )
        for mail, notice, fresh in zip(mails, allowed, queued, strict=True)
        if fresh and ticket is not None
    )
    return Announced(sum(queued), braked)


def _brake(
    session: Session, notices: Sequence[Notice], ticket: TicketFacts | None, desk: Desk, now: datetime
) -> tuple[list[Notice], tuple[str, ...]]:
    """Automatic mail to outsiders passes only below every limit; the rest always passes."""
    allowed: list[Notice] = []
    braked: list[str] = []
    for notice in notices:
        if notice.automatic is None or notice.audience is Audience.INTERNAL:
            allowed.append(notice)
            continue
        planned = Planned(notice.recipient, ticket.id if ticket else None, ticket.subject if ticket else "")
        verdict = check(count_automatic(session, planned, now), desk.brakes)
        if isinstance(verdict, Braked):
            braked.append(f"no {notice.template} to {notice.recipient}: {verdict.reason}")
        else:
            note_automatic(session, planned, now)
            allowed.append(notice)
    return allowed, tuple(braked)


def _chains(session: Session, ticket_id: int, parties: set[str]) -> dict[str, list[str]]:
    """For each party the Message-IDs of its own conversation about the ticket, oldest first."""
    rows = session.execute(
        select(MessageRef.party, MessageRef.message_id)
        .where(MessageRef.ticket_id == ticket_id, MessageRef.party.in_(parties))
        .order_by(MessageRef.id)
    )
    chains: dict[str, list[str]] = {}
    for party, known in rows:
        chains.setdefault(party, []).append(known)
    return {
        party: ids if len(ids) <= _CHAIN_START + _CHAIN_END else [*ids[:_CHAIN_START], *ids[-_CHAIN_END:]]
        for party, ids in chains.items()
    }


def _written(
    notice: Notice, ticket: TicketFacts | None, desk: Desk, secret: bytes, chain: list[str]
) -> OutgoingMail:
    department = desk.departments[ticket.department if ticket else desk.default_department]
    role = Role.AGENT if notice.identity.startswith("agent:") else Role.CUSTOMER
    ticket_id, entry_id = ticket.id if ticket else 0, notice.entry_id or 0
    token = mint(secret, role, ticket_id, entry_id, notice.identity)
    context: dict[str, Any] = {
        "sender_name": desk.name if notice.audience is Audience.INTERNAL else department.name,
        "sender_address": department.address,
        "references": chain,
        "token": token if ticket else None,
        "automatic": notice.automatic,
        "extra": notice.extra,
        "reason": notice.reason,
        "ticket": _snapshot(ticket) if ticket else None,
    }
    if notice.automatic is None:
        verp = mint(secret, Role.BOUNCE, ticket_id, entry_id, notice.recipient)
        envelope_from = reply_address(department.address, verp)
    else:
        envelope_from = ""
    return OutgoingMail(
        key=notice.key,
        template=notice.template,
        audience=str(notice.audience),
        recipient=notice.recipient,
        recipient_name=notice.recipient_name,
        envelope_from=envelope_from,
        message_id=message_id(token, _serial(notice.key), department.address.rpartition("@")[2]),
        context=context,
        reason=notice.reason,
        ticket_id=ticket.id if ticket else None,
        entry_id=notice.entry_id,
    )


def _snapshot(ticket: TicketFacts) -> dict[str, Any]:
    """The ticket as it is now, so that a mail sent later tells the moment it is about."""
    return {
        "id": ticket.id,
        "number": ticket.number,
        "subject": ticket.subject,
        "status": ticket.status,
        "department": ticket.department,
        "topic": ticket.topic,
        "priority": ticket.priority,
        "sla_plan": ticket.sla_plan,
        "assignee": ticket.assignee,
        "team": ticket.team,
        "requester": ticket.requester,
        "requester_name": ticket.requester_name,
        "created_at": ticket.created_at.isoformat(),
        "due_at": ticket.due_at.isoformat() if ticket.due_at else None,
        "overdue_since": ticket.overdue_since.isoformat() if ticket.overdue_since else None,
        "closed_at": ticket.closed_at.isoformat() if ticket.closed_at else None,
    }


def _serial(key: str) -> str:
    """A short name that follows from the notice, so that planning it again gives the same Message-ID."""
    return base64.b32encode(hashlib.sha256(key.encode()).digest()[:10]).decode("ascii").lower()
