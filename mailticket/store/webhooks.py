"""Calls to web services: queued in the transaction that causes them, claimed by lease, recorded.

The states are those of the outbox: queued -> sent | failed | cancelled. A call is made at least once; a
repeat carries the same Idempotency-Key and the same body.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Engine, Row, bindparam, func, literal_column, or_, select, update
from sqlalchemy.orm import Session

from mailticket.domain.hooks import Call, Said
from mailticket.errors import Permanent, Temporary
from mailticket.mail.charset import clean_text
from mailticket.store.dialect import claimable, insert_new, table_of
from mailticket.store.engine import reading, transaction
from mailticket.store.models import Entry, Outbox, WebhookCall

_CALL: Final = table_of(WebhookCall)
_C: Final = _CALL.c
_ENTRY: Final = table_of(Entry).c
_MAIL: Final = table_of(Outbox).c
_QUEUED: Final = _C.state == literal_column("'queued'")
_LOOK_AGAIN: Final = timedelta(seconds=10)
_MAY_GO: Final = frozenset({"queued", "parked"})
UNSENT: Final = "no mail with this answer has gone: it was taken back, or stopped"

_DUE: Final = claimable(
    select(_C.id, _C.key, _C.webhook, _C.event, _C.body, _C.created_at, _C.attempts, _C.waits_for)
    .where(_QUEUED, _C.next_try_at <= bindparam("now"), _C.webhook.not_in(bindparam("but", expanding=True)))
    .order_by(_C.next_try_at, _C.id)
    .limit(bindparam("most")),
    _CALL,
)
_HOLD: Final = (
    update(_CALL)
    .where(_C.id.in_(bindparam("ids", expanding=True)))
    .values(lease_until=bindparam("until"), next_try_at=bindparam("until"), attempts=_C.attempts + 1)
)


class CallState(enum.StrEnum):
    """Where a call stands."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ClaimedCall:
    """A call a sender holds until its lease ends; `attempts` counts this try."""

    id: int
    key: str
    webhook: str
    event: str
    body: str
    created_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class QueuedCall:
    """What an operator is shown of a call."""

    id: int
    state: CallState
    webhook: str
    event: str
    key: str
    ticket_id: int | None
    created_at: datetime
    next_try_at: datetime
    attempts: int
    answer: int | None
    error: str | None
    finished_at: datetime | None


_LISTED: Final = tuple(_C[name] for name in QueuedCall.__dataclass_fields__)


def told_entries(session: Session, ids: Collection[int]) -> dict[int, Said]:
    """Entries as web services may be told of them."""
    if not ids:
        return {}
    rows = session.execute(
        select(*(_ENTRY[name] for name in Said.__dataclass_fields__)).where(_ENTRY.id.in_(ids))
    )
    return {row.id: Said(*row) for row in rows}


def enqueue(session: Session, calls: Iterable[Call], now: datetime) -> int:
    """Queue calls in the caller's transaction; how many were not queued before."""
    rows = [
        {
            "dedupe_key": sha256(call.key.encode()).hexdigest(),
            "key": call.key,
            "state": "queued",
            "webhook": call.webhook,
            "event": call.event,
            "ticket_id": call.ticket_id,
            "body": call.body,
            "created_at": now,
            "next_try_at": call.hold_until or now,
            "attempts": 0,
            "hold_until": call.hold_until,
            "waits_for": call.waits_for,
        }
        for call in calls
    ]
    if not rows:
        return 0
    statement = insert_new(session, _CALL, "dedupe_key", returning=("id",))
    return len(session.execute(statement, rows).all())


def claim(
    engine: Engine, now: datetime, limit: int, lease: timedelta, but: Collection[str] = ()
) -> list[ClaimedCall]:
    """Up to `limit` calls that are due, the longest due first, each held until `now + lease`.

    but: keys of web services that are in trouble and left alone for now.
    """
    with transaction(engine) as session:
        rows = session.execute(_DUE, {"now": now, "most": limit, "but": [*but, ""]}).all()
        if not rows:
            return []
        rows = _sayable(session, rows, now)
        session.execute(_HOLD, {"ids": [row.id for row in rows], "until": now + lease})
    return [_claimed(row, now) for row in rows]


def _sayable(session: Session, rows: Sequence[Row[Any]], now: datetime) -> list[Row[Any]]:
    """Of the calls that are due those that may be made: an answer is told of when customers have it.

    One that waits for its mail is looked at again later; one whose mail was stopped is cancelled. An answer
    that no server takes stands in the ticket all the same, with all that came with it.
    """
    answers = {row.waits_for for row in rows if row.waits_for is not None}
    if not answers:
        return list(rows)
    mails = select(_MAIL.entry_id, _MAIL.state).join(Entry, Entry.id == _MAIL.entry_id)
    of_answers = mails.where(
        _MAIL.ticket_id == _ENTRY.ticket_id, _MAIL.entry_id.in_(answers), _MAIL.audience == "customer"
    )
    states: dict[int, set[str]] = {}
    for entry, state in session.execute(of_answers):
        states.setdefault(entry, set()).add(state)
    sayable: list[Row[Any]] = []
    for row in rows:
        known = states.get(row.waits_for or 0, set())
        refused = "failed" in known and not known & _MAY_GO
        if row.waits_for is None or not known or "sent" in known or refused:
            sayable.append(row)
        elif known & _MAY_GO:
            again = now + max(_LOOK_AGAIN, (now - row.created_at) / 10)
            session.execute(update(_CALL).where(_C.id == row.id).values(next_try_at=again))
        else:
            never = {"state": "cancelled", "finished_at": now, "error": UNSENT}
            session.execute(update(_CALL).where(_C.id == row.id).values(never))
    begun = [row.id for row in sayable if _begins(row)]
    if begun:
        session.execute(update(_CALL).where(_C.id.in_(begun)).values(created_at=now))
    return sayable


def _begins(row: Row[Any]) -> bool:
    """Whether its time begins only now: one that waited long would be given up after its first try."""
    return row.waits_for is not None and not row.attempts


def forget_calls(session: Session, ticket_id: int, inbound: int, why: str, now: datetime) -> None:
    """Never tell of what the stored mail `inbound` did to a ticket: it was taken back within the hold.

    Raises `Temporary` when one is being told right now, or has been.
    """
    held = _C.key.like(f"inbound:{inbound}:%"), _C.ticket_id == ticket_id, _C.hold_until.is_not(None)
    calls = session.execute(select(_C.id, _C.state, _C.lease_until).where(*held).with_for_update()).all()
    if any(call.state == "sent" or call.lease_until is not None for call in calls):
        raise Temporary("what was to be taken back is being told to a web service")
    if calls:
        never = {"state": "cancelled", "finished_at": now, "error": why}
        session.execute(update(_CALL).where(_C.id.in_([call.id for call in calls])).values(never))


def _claimed(row: Row[Any], now: datetime) -> ClaimedCall:
    values = {name: getattr(row, name) for name in ClaimedCall.__dataclass_fields__}
    if _begins(row):
        values["created_at"] = now
    values["attempts"] += 1
    return ClaimedCall(**values)


def record_sent(engine: Engine, call_id: int, answer: int, now: datetime) -> None:
    """The web service took it."""
    _settle(engine, call_id, state="sent", answer=answer, error=None, finished_at=now)


def record_deferred(engine: Engine, call_id: int, at: datetime, error: str, answer: int | None) -> None:
    """Not now: again at `at`."""
    _settle(engine, call_id, next_try_at=at, error=clean_text(error, limit=4000), answer=answer)


def record_failed(engine: Engine, call_id: int, error: str, answer: int | None, now: datetime) -> None:
    """Never by itself: refused for good, or its time is up."""
    _settle(
        engine, call_id, state="failed", error=clean_text(error, limit=4000), answer=answer, finished_at=now
    )


def release(engine: Engine, ids: Sequence[int], now: datetime) -> None:
    """Give claims back that were not tried, so that the try does not count."""
    if not ids:
        return
    with transaction(engine) as session:
        session.execute(
            update(_CALL)
            .where(_C.id.in_(ids), _QUEUED)
            .values(lease_until=None, next_try_at=now, attempts=_C.attempts - 1)
        )


def retry(engine: Engine, call_id: int, now: datetime) -> None:
    """Make a waiting call at once, or a failed or cancelled one after all; `Permanent` for any other."""
    idle = or_(_C.lease_until.is_(None), _C.lease_until <= now)
    _change(
        engine,
        call_id,
        (_QUEUED & idle) | _C.state.in_(["failed", "cancelled"]),
        "only calls that wait, have failed or are cancelled are retried",
        # its time begins anew, or an old one would be given up after its first try
        state="queued", next_try_at=now, created_at=now, attempts=0, finished_at=None, lease_until=None,
    )  # fmt: skip


def cancel(engine: Engine, call_id: int, now: datetime) -> None:
    """Never make a call that waits or has failed. Raises `Permanent` for any other, or one being made."""
    idle = or_(_C.lease_until.is_(None), _C.lease_until <= now)
    _change(
        engine,
        call_id,
        _C.state.in_(["queued", "failed"]) & idle,
        "only calls that wait or have failed are cancelled",
        state="cancelled", finished_at=now, lease_until=None,
    )  # fmt: skip


def list_calls(
    engine: Engine, states: Sequence[CallState] = (), webhook: str | None = None, limit: int = 100
) -> list[QueuedCall]:
    """Calls in any of `states` (none given: in all), newest first."""
    query = select(*_LISTED).order_by(_C.id.desc()).limit(limit)
    if states:
        query = query.where(_C.state.in_([str(state) for state in states]))
    if webhook is not None:
        query = query.where(_C.webhook == webhook)
    with reading(engine) as session:
        return [_shown(row) for row in session.execute(query)]


def show(engine: Engine, call_id: int) -> tuple[QueuedCall, str]:
    """One call, and its body. Raises `Permanent` when there is none with this number."""
    with reading(engine) as session:
        row = session.execute(select(*_LISTED, _C.body).where(_C.id == call_id)).one_or_none()
    if row is None:
        raise _no_such_call(call_id)
    return _shown(row[:-1]), row.body


def counts(engine: Engine) -> dict[CallState, int]:
    """How many calls are in each state."""
    with reading(engine) as session:
        found = session.execute(select(_C.state, func.count()).group_by(_C.state)).all()
    numbers: dict[str, int] = dict(map(tuple, found))
    return {state: numbers.get(state.value, 0) for state in CallState}


def _shown(row: Any) -> QueuedCall:
    values = dict(zip(QueuedCall.__dataclass_fields__, row, strict=True))
    values["state"] = CallState(values["state"])
    return QueuedCall(**values)


def _settle(engine: Engine, call_id: int, **values: Any) -> None:
    """End a claim; a call cancelled meanwhile stays so."""
    with transaction(engine) as session:
        session.execute(update(_CALL).where(_C.id == call_id, _QUEUED).values(lease_until=None, **values))


def _change(engine: Engine, call_id: int, allowed: Any, rule: str, **values: Any) -> None:
    with transaction(engine) as session:
        statement = update(_CALL).where(_C.id == call_id, allowed).values(values).returning(_C.id)
        if session.execute(statement).all():
            return
        row = session.execute(select(_C.state, _C.lease_until).where(_C.id == call_id)).one_or_none()
    if row is None:
        raise _no_such_call(call_id)
    held = row.state == "queued" and row.lease_until is not None
    raise Permanent(f"call {call_id} is {'being made' if held else row.state}: {rule}")


def _no_such_call(call_id: int) -> Permanent:
    return Permanent(f"there is no call with the number {call_id}")
