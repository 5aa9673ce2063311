"""Outgoing mails as an operator looks after them: listed, shown, retried, cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, Row, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from mailticket.domain.types import Event, EventKind
from mailticket.errors import Permanent
from mailticket.store import blobs
from mailticket.store.dialect import table_of
from mailticket.store.engine import reading, transaction
from mailticket.store.event_log import record
from mailticket.store.merge import final_ticket
from mailticket.store.models import Outbox, Ticket
from mailticket.store.outbox import QUEUED, OutboxState, message_key

_OUTBOX: Final = table_of(Outbox)
_C: Final = _OUTBOX.c


@dataclass(frozen=True, slots=True)
class QueuedMail:
    """What an operator is shown of an outgoing mail."""

    id: int
    state: OutboxState
    template: str
    audience: str
    ticket_id: int | None
    entry_id: int | None
    recipient: str
    recipient_name: str
    envelope_from: str
    message_id: str
    subject: str | None
    reason: str
    created_at: datetime
    next_try_at: datetime
    attempts: int
    unknown_outcomes: int
    lease_until: datetime | None
    error: str | None
    finished_at: datetime | None


_LISTED: Final = tuple(_C[name] for name in QueuedMail.__dataclass_fields__)


def retry(engine: Engine, outbox_id: int, now: datetime) -> None:
    """Send a queued mail at once, or a failed, parked or cancelled one after all.

    Raises `Permanent` for a sent mail, one being sent, or none at all.
    """
    idle = or_(_C.lease_until.is_(None), _C.lease_until <= now)
    _change(
        engine,
        outbox_id,
        or_(QUEUED & idle, _C.state.in_(["failed", "parked", "cancelled"])),
        "only mails that are waiting, failed, parked or cancelled are retried",
        now,
        state="queued",
        next_try_at=now,
        unknown_outcomes=0,
        finished_at=None,
        lease_until=None,
    )


def cancel(engine: Engine, outbox_id: int, now: datetime) -> None:
    """Never send a queued, failed or parked mail. Raises `Permanent` for any other, or one being sent."""
    idle = or_(_C.lease_until.is_(None), _C.lease_until <= now)
    _change(
        engine,
        outbox_id,
        _C.state.in_(["queued", "failed", "parked"]) & idle,
        "only mails that are waiting, failed or parked are cancelled",
        now,
        state="cancelled",
        finished_at=now,
        lease_until=None,
    )


_ABOUT: Final = select(_C.id, _C.ticket_id, _C.state, _C.template, _C.recipient).where(
    _C.id == bindparam("id")
)


def _ticket_of(session: Session, ticket: int) -> Ticket | None:
    return final_ticket(session, session.get(Ticket, ticket, with_for_update=True), lock=True)


def _event(mail: Any, ticket: int, state: str, now: datetime) -> Event:
    """What the ticket's log keeps of an operator's hand on one of its mails."""
    data = {"template": mail.template, "address": mail.recipient, "outbox": mail.id, "was": mail.state}
    if state == OutboxState.CANCELLED:
        why = f"an operator stopped the mail to {mail.recipient}, which was {mail.state}"
        return Event(EventKind.CANCELLED, ticket, None, "operator", now, why, data)
    why = f"an operator lets the mail to {mail.recipient} go out after all, which was {mail.state}"
    return Event(EventKind.RESENT, ticket, None, "operator", now, why, data)


def list_mails(engine: Engine, states: Sequence[OutboxState] = (), limit: int = 100) -> list[QueuedMail]:
    """Mails in any of `states` (none given: in all), newest first."""
    query = select(*_LISTED).order_by(_C.created_at.desc(), _C.id.desc()).limit(limit)
    if states:
        query = query.where(_C.state.in_([str(state) for state in states]))
    with reading(engine) as session:
        return [_shown(row) for row in session.execute(query)]


def show(engine: Engine, outbox_id: int) -> QueuedMail:
    """One mail. Raises `Permanent` when there is none with this number."""
    with reading(engine) as session:
        row = session.execute(select(*_LISTED).where(_C.id == outbox_id)).one_or_none()
    if row is None:
        raise _no_such_mail(outbox_id)
    return _shown(row)


def raw(engine: Engine, outbox_id: int) -> bytes | None:
    """The bytes as they go out, None while not rendered. Raises `Permanent` when there is no such mail."""
    with reading(engine) as session:
        row = session.execute(select(_C.rendered).where(_C.id == outbox_id)).one_or_none()
        if row is None:
            raise _no_such_mail(outbox_id)
        return None if row.rendered is None else blobs.get(session, row.rendered)


def counts(engine: Engine) -> dict[OutboxState, int]:
    """How many mails are in each state; states without any count 0."""
    with reading(engine) as session:
        found = session.execute(select(_C.state, func.count()).group_by(_C.state)).all()
    numbers: dict[str, int] = dict(map(tuple, found))
    return {state: numbers.get(state.value, 0) for state in OutboxState}


def oldest_queued(engine: Engine) -> datetime | None:
    """When the mail that waits longest was planned; None when none waits."""
    with reading(engine) as session:
        oldest: datetime | None = session.execute(select(func.min(_C.created_at)).where(QUEUED)).scalar_one()
    return oldest


def find_by_message_id(session: Session, message_id: str) -> QueuedMail | None:
    """The mail of ours with this Message-ID (without angle brackets), for bounces and replies."""
    query = select(*_LISTED).where(_C.message_key == message_key(message_id), _C.message_id == message_id)
    row = session.execute(query.order_by(_C.id).limit(1)).one_or_none()
    return None if row is None else _shown(row)


def _change(
    engine: Engine, outbox_id: int, allowed: ColumnElement[bool], rule: str, now: datetime, **values: Any
) -> None:
    with transaction(engine) as session:
        # the ticket before the mail's own row: merging takes the two in this order too
        mail = session.execute(_ABOUT, {"id": outbox_id}).one_or_none()
        ticket = _ticket_of(session, mail.ticket_id) if mail is not None and mail.ticket_id else None
        statement = update(_OUTBOX).where(_C.id == outbox_id, allowed).values(values).returning(_C.id)
        if session.execute(statement).all():
            if mail is not None and ticket is not None and mail.state != values["state"]:
                record(session, [_event(mail, ticket.id, values["state"], now)])
            return
        row = session.execute(select(_C.state, _C.lease_until).where(_C.id == outbox_id)).one_or_none()
    if row is None:
        raise _no_such_mail(outbox_id)
    held = row.state == "queued" and row.lease_until is not None
    raise Permanent(f"mail {outbox_id} is {'being sent' if held else row.state}: {rule}")


def _shown(row: Row[Any]) -> QueuedMail:
    values = dict(row._mapping)
    values["state"] = OutboxState(values["state"])
    return QueuedMail(**values)


def _no_such_mail(outbox_id: int) -> Permanent:
    return Permanent(f"there is no outgoing mail with the number {outbox_id}")
