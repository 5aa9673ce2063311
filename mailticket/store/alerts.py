"""Alerts about promised times between the tick that raises them and the mail that tells them.

They wait here for their reader's working hours, and for each other: all that are due for a reader
go out together, whichever tick, thread or machine raised them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import bindparam, case, delete, func, or_, select, update
from sqlalchemy.orm import Session

from mailticket.store.dialect import claimable, insert_new, table_of, upsert
from mailticket.store.models import Alert, AlertReader

ROUND = timedelta(minutes=1)
"""No reader gets more than one round of alerts in this time."""

_ALERT: Final = table_of(Alert)
_READER: Final = table_of(AlertReader)
_A: Final = _ALERT.c
_R: Final = _READER.c

_DUE_READER: Final = claimable(
    select(_R.reader)
    .where(
        _R.due_at <= bindparam("now"),
        # a round that lies ahead was sent under a clock that was wrong
        or_(_R.sent_at.is_(None), _R.sent_at <= bindparam("round"), _R.sent_at > bindparam("now")),
    )
    .order_by(_R.due_at)
    .limit(1),
    _READER,
)


@dataclass(frozen=True, slots=True)
class NewAlert:
    """An alert for one reader. `key` says what makes it unique; `due_at` when the reader may get it."""

    key: str
    reader: str
    ticket_id: int
    due_at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class WaitingAlert:
    """An alert whose time has come. `key` is never that of another one; ids are used again."""

    key: str
    ticket_id: int
    made_at: datetime
    data: dict[str, Any]


def add_alerts(session: Session, alerts: Iterable[NewAlert], now: datetime) -> None:
    """Let alerts wait for their readers. One that waits already, or is the same, is not doubled."""
    wanted = sorted(alerts, key=lambda alert: (alert.reader, alert.key))
    if not wanted:
        return
    rows = [
        {
            "key": sha256(alert.key.encode()).hexdigest(),
            "reader": alert.reader,
            "ticket_id": alert.ticket_id,
            "due_at": alert.due_at,
            "made_at": now,
            "data": alert.data,
        }
        for alert in wanted
    ]
    session.execute(insert_new(session, _ALERT, "key"), rows)
    earliest: dict[str, datetime] = {}
    for alert in wanted:  # in the order of readers, so that two ticks never wait for each other
        earliest[alert.reader] = min(alert.due_at, earliest.get(alert.reader, alert.due_at))
    insert = upsert(session, _READER)
    sooner = or_(_R.due_at.is_(None), insert.excluded.due_at < _R.due_at)
    statement = insert.on_conflict_do_update(
        index_elements=["reader"], set_={"due_at": case((sooner, insert.excluded.due_at), else_=_R.due_at)}
    )
    for reader, due_at in earliest.items():
        session.execute(statement, {"reader": reader, "due_at": due_at})


def claim_reader(session: Session, now: datetime) -> str | None:
    """A reader for whom alerts are due, ours until the transaction ends; None when there is none.

    The caller takes their alerts with `waiting` and ends with `sent`.
    """
    found: str | None = session.execute(_DUE_READER, {"now": now, "round": now - ROUND}).scalar()
    return found


def waiting(session: Session, reader: str, now: datetime) -> list[WaitingAlert]:
    """The alerts due for a claimed reader, oldest first."""
    rows = session.execute(
        select(_A.key, _A.ticket_id, _A.made_at, _A.data)
        .where(_A.reader == reader, _A.due_at <= now)
        .order_by(_A.id)
    )
    return [WaitingAlert(row.key, row.ticket_id, row.made_at, row.data) for row in rows]


def sent(session: Session, reader: str, told: bool, now: datetime) -> None:
    """Take away the alerts that `waiting` gave. `told`: a mail went out, so the next round waits."""
    session.execute(delete(_ALERT).where(_A.reader == reader, _A.due_at <= now))
    following = session.execute(select(func.min(_A.due_at)).where(_A.reader == reader)).scalar_one()
    values: dict[str, Any] = {"due_at": following} | ({"sent_at": now} if told else {})
    session.execute(update(_READER).where(_R.reader == reader).values(values))
