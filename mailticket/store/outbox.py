"""Outgoing mails: planned in the transaction that causes them, sent later, at least once.

The unique key of a row makes a mail exist at most once, whoever plans it and how often. A sender
claims rows with a lease longer than any try can take; dying between the server's answer and
`record_sent` repeats that one mail, with the same Message-ID and the same bytes, because the bytes
are stored when they are first rendered and never made again.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, Row, bindparam, func, literal_column, or_, select, update
from sqlalchemy.orm import Session

from mailticket.errors import Permanent
from mailticket.mail.charset import clean_text
from mailticket.store import acknowledgements, blobs
from mailticket.store.dialect import claimable, insert_new, table_of
from mailticket.store.engine import reading, transaction
from mailticket.store.models import Outbox

_OUTBOX: Final = table_of(Outbox)
_C: Final = _OUTBOX.c


class OutboxState(enum.StrEnum):
    """Where an outgoing mail stands."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A mail to one recipient, not rendered yet.

    key        names the mail among all ever planned, readable: "ack:17", "alert:40:agent:ann"
    audience   "customer" or "internal"
    context    what the template needs; JSON values only
    not_before when it may be sent first; None is at once
    """

    key: str
    template: str
    audience: str
    recipient: str
    recipient_name: str
    envelope_from: str
    message_id: str
    context: dict[str, Any]
    reason: str
    ticket_id: int | None = None
    entry_id: int | None = None
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClaimedOut:
    """A mail a sender holds until its lease ends. `rendered` is None until it was rendered once.

    `attempts` counts this try; `unknown_outcomes` the tries whose end nobody knows.
    """

    id: int
    template: str
    audience: str
    ticket_id: int | None
    entry_id: int | None
    recipient: str
    recipient_name: str
    envelope_from: str
    message_id: str
    context: dict[str, Any]
    rendered: bytes | None
    subject: str | None
    created_at: datetime
    attempts: int
    unknown_outcomes: int


@dataclass(frozen=True, slots=True)
class Rendered:
    """The bytes of a mail as they will go out, and its subject for the operator's list."""

    id: int
    data: bytes
    subject: str


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
_QUEUED: Final = _C.state == literal_column("'queued'")
"""A literal, so that the plans PostgreSQL prepares know how rare it is."""

# Statements of the hot path are built once: building one costs more than running it.
_DUE: Final = claimable(
    select(*(_C[name] for name in ClaimedOut.__dataclass_fields__))
    .where(_QUEUED, _C.next_try_at <= bindparam("now"))
    .order_by(_C.next_try_at, _C.id)
    .limit(bindparam("most")),
    _OUTBOX,
)
_PLANNED: Final = select(_C.dedupe_key).where(_C.dedupe_key.in_(bindparam("keys", expanding=True)))
_HOLD: Final = (
    update(_OUTBOX)
    .where(_C.id.in_(bindparam("ids", expanding=True)))
    .values(lease_until=bindparam("until"), next_try_at=bindparam("until"), attempts=_C.attempts + 1)
)
_SENT: Final = (
    update(_OUTBOX)
    .where(_C.id.in_(bindparam("ids", expanding=True)), _QUEUED)
    .values(state="sent", finished_at=bindparam("now"), error=None, lease_until=None)
)
_CHOSEN: Final = select(_C.id, _C.rendered).where(_C.id.in_(bindparam("ids", expanding=True)))
_KEEP_RENDERED: Final = (
    update(_OUTBOX)
    .where(_C.id == bindparam("which"), _C.rendered.is_(None))
    .values(rendered=bindparam("blob"), subject=bindparam("title"))
)


def message_key(message_id: str) -> str:
    """What a Message-ID (without angle brackets) is looked up by: its SHA-256 in hex."""
    return sha256(message_id.encode()).hexdigest()


def enqueue(session: Session, mail: OutgoingMail, now: datetime) -> bool:
    """Plan a mail in the caller's transaction; False when one with its key was planned before."""
    return enqueue_all(session, (mail,), now)[0]


def enqueue_all(session: Session, mails: Sequence[OutgoingMail], now: datetime) -> list[bool]:
    """`enqueue` for several mails in one statement; for equal keys the first one counts."""
    keys = [sha256(mail.key.encode()).hexdigest() for mail in mails]
    rows: dict[str, dict[str, Any]] = {}
    for key, mail in zip(keys, mails, strict=True):
        rows.setdefault(key, _row(key, mail, now))
    if not rows:
        return []
    statement = insert_new(session, _OUTBOX, "dedupe_key", returning=("dedupe_key",))
    planned = set(session.execute(statement, [rows[key] for key in sorted(rows)]).scalars())
    answers: list[bool] = []
    for key in keys:
        answers.append(key in planned)
        planned.discard(key)
    return answers


def planned_keys(session: Session, keys: Iterable[str]) -> set[str]:
    """Those of `keys` (see `OutgoingMail.key`) under which a mail has been planned already."""
    digests = {sha256(key.encode()).hexdigest(): key for key in keys}
    found = session.execute(_PLANNED, {"keys": list(digests)}).scalars()
    return {digests[digest] for digest in found}


def claim(engine: Engine, now: datetime, limit: int, lease: timedelta) -> list[ClaimedOut]:
    """Up to `limit` mails that are due, the longest due first, each held until `now + lease`."""
    with transaction(engine) as session:
        rows = session.execute(_DUE, {"now": now, "most": limit}).all()
        if not rows:
            return []
        told = acknowledgements.combine(session, rows, now)
        rows = [row for row in rows if told.get(row.id, {}) is not None]
        session.execute(_HOLD, {"ids": [row.id for row in rows], "until": now + lease})
        keys = {row.rendered for row in rows if row.rendered is not None}
        data = blobs.get_all(session, keys) if keys else {}
        damaged = [row.id for row in rows if row.rendered is not None and row.rendered not in data]
        if damaged:
            _park(session, damaged, "the stored bytes of this mail are damaged", now)
    return [_claimed(row, data, told.get(row.id)) for row in rows if row.id not in damaged]


def store_rendered(engine: Engine, mails: Sequence[Rendered]) -> dict[int, bytes]:
    """Keep what was rendered, once and for ever; returns the bytes to send, by row.

    Where a row had bytes before (another sender was faster), those are returned, not the new ones.
    """
    if not mails:
        return {}
    with transaction(engine) as session:
        keys = blobs.put_all(session, [mail.data for mail in mails])
        session.connection().execute(
            _KEEP_RENDERED,
            [
                {"which": mail.id, "blob": key, "title": clean_text(mail.subject, limit=1000, one_line=True)}
                for mail, key in zip(mails, keys, strict=True)
            ],
        )
        chosen = session.execute(_CHOSEN, {"ids": [mail.id for mail in mails]}).all()
        data = dict(zip(keys, (mail.data for mail in mails), strict=True))
        others = {row.rendered for row in chosen} - set(data)
        if others:
            data |= blobs.get_all(session, others)
    return {row.id: data[row.rendered] for row in chosen if row.rendered in data}


def record_sent(engine: Engine, ids: Iterable[int], now: datetime) -> None:
    """The server took these mails."""
    with transaction(engine) as session:
        session.connection().execute(_SENT, {"ids": list(ids), "now": now})


def record_deferred(
    engine: Engine, outbox_id: int, next_try_at: datetime, error: str, unknown: bool = False
) -> None:
    """Not now: again at `next_try_at`. `unknown`: the mail may have been taken, nobody answered."""
    values: dict[str, Any] = {"next_try_at": next_try_at, "error": clean_text(error, limit=4000)}
    if unknown:
        values["unknown_outcomes"] = _C.unknown_outcomes + 1
    with transaction(engine) as session:
        _settle(session, [outbox_id], **values)


def record_failed(engine: Engine, outbox_id: int, error: str, now: datetime) -> None:
    """Never: the server refused it for good, or its time is up."""
    with transaction(engine) as session:
        fail(session, outbox_id, error, now)


def fail(session: Session, outbox_id: int, error: str, now: datetime) -> bool:
    """`record_failed` in the caller's transaction; False when the mail no longer waits to be sent."""
    values = {"state": "failed", "finished_at": now, "error": clean_text(error, limit=4000)}
    statement = update(_OUTBOX).where(_C.id == outbox_id, _QUEUED).values(lease_until=None, **values)
    return session.execute(statement.returning(_C.id)).one_or_none() is not None


def park(engine: Engine, outbox_id: int, error: str, now: datetime) -> None:
    """Set aside until a person has mended what is wrong on our side (a template) and retries it."""
    with transaction(engine) as session:
        _park(session, [outbox_id], clean_text(error, limit=4000), now)


def release(engine: Engine, ids: Iterable[int], now: datetime) -> None:
    """Give claims back that were not tried, so that the try does not count."""
    wanted = list(ids)
    if wanted:
        with transaction(engine) as session:
            _settle(session, wanted, next_try_at=now, attempts=_C.attempts - 1)


def retry(engine: Engine, outbox_id: int, now: datetime) -> None:
    """Send a queued mail at once, or a failed, parked or cancelled one after all.

    Raises `Permanent` for a sent mail, one being sent, or none at all.
    """
    idle = or_(_C.lease_until.is_(None), _C.lease_until <= now)
    _change(
        engine,
        outbox_id,
        or_(_QUEUED & idle, _C.state.in_(["failed", "parked", "cancelled"])),
        "only mails that are waiting, failed, parked or cancelled are retried",
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
        state="cancelled",
        finished_at=now,
        lease_until=None,
    )


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
        oldest: datetime | None = session.execute(select(func.min(_C.created_at)).where(_QUEUED)).scalar_one()
    return oldest


def find_by_message_id(session: Session, message_id: str) -> QueuedMail | None:
    """The mail of ours with this Message-ID (without angle brackets), for bounces and replies."""
    query = select(*_LISTED).where(_C.message_key == message_key(message_id), _C.message_id == message_id)
    row = session.execute(query.order_by(_C.id).limit(1)).one_or_none()
    return None if row is None else _shown(row)


def _row(key: str, mail: OutgoingMail, now: datetime) -> dict[str, Any]:
    return {
        "dedupe_key": key,
        "state": "queued",
        "template": mail.template,
        "audience": mail.audience,
        "ticket_id": mail.ticket_id,
        "entry_id": mail.entry_id,
        "recipient": mail.recipient,
        "recipient_name": mail.recipient_name,
        "envelope_from": mail.envelope_from,
        "message_id": mail.message_id,
        "message_key": message_key(mail.message_id),
        "context": mail.context,
        "reason": mail.reason,
        "created_at": now,
        "next_try_at": mail.not_before or now,
        "attempts": 0,
        "unknown_outcomes": 0,
    }


def _settle(session: Session, ids: Sequence[int], **values: Any) -> None:
    """End the claim of rows still queued; a row cancelled or sent meanwhile stays as it is."""
    if ids:
        session.execute(update(_OUTBOX).where(_C.id.in_(ids), _QUEUED).values(lease_until=None, **values))


def _park(session: Session, ids: Sequence[int], error: str, now: datetime) -> None:
    _settle(session, ids, state="parked", finished_at=now, error=error)


def _change(engine: Engine, outbox_id: int, allowed: ColumnElement[bool], rule: str, **values: Any) -> None:
    with transaction(engine) as session:
        statement = update(_OUTBOX).where(_C.id == outbox_id, allowed).values(values).returning(_C.id)
        if session.execute(statement).all():
            return
        row = session.execute(select(_C.state, _C.lease_until).where(_C.id == outbox_id)).one_or_none()
    if row is None:
        raise _no_such_mail(outbox_id)
    held = row.state == "queued" and row.lease_until is not None
    raise Permanent(f"mail {outbox_id} is {'being sent' if held else row.state}: {rule}")


def _claimed(row: Row[Any], data: dict[str, bytes], context: dict[str, Any] | None) -> ClaimedOut:
    values = dict(row._mapping)
    values["context"] = context or row.context
    values["rendered"] = data[row.rendered] if row.rendered is not None else None
    values["attempts"] += 1
    return ClaimedOut(**values)


def _shown(row: Row[Any]) -> QueuedMail:
    values = dict(row._mapping)
    values["state"] = OutboxState(values["state"])
    return QueuedMail(**values)


def _no_such_mail(outbox_id: int) -> Permanent:
    return Permanent(f"there is no outgoing mail with the number {outbox_id}")
