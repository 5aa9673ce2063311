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

from sqlalchemy import Engine, Row, bindparam, literal_column, select, update
from sqlalchemy.orm import Session

from mailticket.mail.charset import clean_text
from mailticket.store import acknowledgements, blobs
from mailticket.store.dialect import claimable, insert_new, table_of
from mailticket.store.engine import transaction
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


QUEUED: Final = _C.state == literal_column("'queued'")
"""A literal, so that the plans PostgreSQL prepares know how rare it is."""

# Statements of the hot path are built once: building one costs more than running it.
_DUE: Final = claimable(
    select(*(_C[name] for name in ClaimedOut.__dataclass_fields__))
    .where(QUEUED, _C.next_try_at <= bindparam("now"))
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
    .where(_C.id.in_(bindparam("ids", expanding=True)), QUEUED)
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


def fail(session: Session, outbox_id: int, error: str, now: datetime) -> bool:
    """Never: the server refused it for good, or its time is up.

    In the caller's transaction; False when the mail no longer waits to be sent.
    """
    values = {"state": "failed", "finished_at": now, "error": clean_text(error, limit=4000)}
    statement = update(_OUTBOX).where(_C.id == outbox_id, QUEUED).values(lease_until=None, **values)
    return session.execute(statement.returning(_C.id)).one_or_none() is not None


def park(session: Session, outbox_id: int, error: str, now: datetime) -> bool:
    """Set aside until a person has mended what is wrong on our side (a template) and retries it.

    In the caller's transaction; False when the mail no longer waits to be sent.
    """
    return _park(session, [outbox_id], clean_text(error, limit=4000), now) == 1


def release(engine: Engine, ids: Iterable[int], now: datetime) -> None:
    """Give claims back that were not tried, so that the try does not count."""
    wanted = list(ids)
    if wanted:
        with transaction(engine) as session:
            _settle(session, wanted, next_try_at=now, attempts=_C.attempts - 1)


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


def _settle(session: Session, ids: Sequence[int], **values: Any) -> int:
    """End the claim of rows still queued; a row cancelled or sent meanwhile stays as it is. How many."""
    if not ids:
        return 0
    ended = update(_OUTBOX).where(_C.id.in_(ids), QUEUED).values(lease_until=None, **values)
    return len(session.execute(ended.returning(_C.id)).all())


def _park(session: Session, ids: Sequence[int], error: str, now: datetime) -> int:
    return _settle(session, ids, state="parked", finished_at=now, error=error)


def _claimed(row: Row[Any], data: dict[str, bytes], context: dict[str, Any] | None) -> ClaimedOut:
    values = dict(row._mapping)
    values["context"] = context or row.context
    values["rendered"] = data[row.rendered] if row.rendered is not None else None
    values["attempts"] += 1
    return ClaimedOut(**values)
