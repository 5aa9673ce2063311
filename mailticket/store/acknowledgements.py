"""Mails that wait a little before they go, because something may happen that makes them needless.

They are rows of the outbox with a time ahead of them. Whoever makes one needless cancels it in the
transaction of what makes it so; a sender that has claimed it already wins, and then both mails go.
The row lock (PostgreSQL) or the write lock (SQLite) settles which of the two it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, insert, literal_column, or_, select, update
from sqlalchemy.orm import Session

from mailticket.store.dialect import claimable, table_of
from mailticket.store.models import MessageRef, Outbox, Participant

ANSWERED: Final = "an answer went out first"
_NEW_TICKET: Final = "ticket.autoresp"
_C: Final = table_of(Outbox).c
_REF: Final = table_of(MessageRef)
_WAITING: Final = _C.state == literal_column("'queued'")

# Statements of the hot path are built once: building one costs more than running it.
_CANCEL: Final = (
    update(table_of(Outbox))
    .where(
        _C.ticket_id == bindparam("ticket"),
        _C.template.in_(bindparam("templates", expanding=True)),
        _WAITING,
        or_(_C.lease_until.is_(None), _C.lease_until <= bindparam("now")),
    )
    .values(state="cancelled", finished_at=bindparam("now"), error=bindparam("why"), lease_until=None)
    .returning(_C.message_key)
)
_FORGET: Final = delete(_REF).where(
    _REF.c.key.in_(bindparam("keys", expanding=True)), _REF.c.direction == literal_column("'out'")
)
_KNOW_AGAIN: Final = insert(_REF).values(
    key=bindparam("key"),
    message_id=bindparam("message_id"),
    ticket_id=bindparam("ticket_id"),
    entry_id=bindparam("entry_id"),
    party=bindparam("party"),
    direction="out",
)
_OTHERS: Final = claimable(
    select(_C.id, _C.ticket_id, _C.recipient, _C.message_key, _C.context)
    .where(
        _C.recipient.in_(bindparam("recipients", expanding=True)),
        _C.id.not_in(bindparam("keepers", expanding=True)),
        _WAITING,
        _C.template == literal_column("'ticket.autoresp'"),
        _C.rendered.is_(None),
        or_(_C.lease_until.is_(None), _C.lease_until <= bindparam("now")),
    )
    .order_by(_C.id),
    table_of(Outbox),
)
_DROP: Final = (
    update(table_of(Outbox))
    .where(_C.id == bindparam("which"))
    .values(state="cancelled", finished_at=bindparam("now"), error=bindparam("why"), lease_until=None)
)
_TELL: Final = update(table_of(Outbox)).where(_C.id == bindparam("which")).values(context=bindparam("told"))


def cancel(session: Session, ticket_id: int, templates: Collection[str], why: str, now: datetime) -> int:
    """Cancel the mails of a ticket that still wait, by their templates; how many. Nothing is rendered yet.

    Their Message-IDs are forgotten too, so that no later mail claims to answer what nobody got.
    """
    wanted = {"ticket": ticket_id, "templates": list(templates), "why": why, "now": now}
    keys = list(session.connection().execute(_CANCEL, wanted).scalars())
    forget(session, keys)
    return len(keys)


def restore(session: Session, ticket_id: int, answered_at: datetime | None) -> int:
    """The answer for which acknowledgements were cancelled has been taken back: they go after all.

    answered_at: when the newest answer was written that still stands; what was cancelled until then stays
    so. Those of people who have left the ticket do too, and what had to wait still waits for its time.
    """
    taking_part = select(Participant.address).where(Participant.ticket_id == ticket_id)
    cancelled = (
        _C.ticket_id == ticket_id,
        _C.state == "cancelled",
        _C.error == ANSWERED,
        _C.recipient.in_(taking_part),
        *(() if answered_at is None else (_C.finished_at > answered_at,)),
    )
    back = {"state": "queued", "finished_at": None, "error": None}
    statement = update(table_of(Outbox)).where(*cancelled).values(back)
    rows = session.execute(
        statement.returning(_C.message_key, _C.message_id, _C.ticket_id, _C.entry_id, _C.recipient)
    ).all()
    known = [{**row._mapping, "key": row.message_key, "party": row.recipient} for row in rows]
    if known:
        session.connection().execute(_KNOW_AGAIN, known)
    return len(rows)


def combine(session: Session, due: Sequence[Row[Any]], now: datetime) -> dict[int, dict[str, Any] | None]:
    """One acknowledgement for all the tickets somebody opened while it waited.

    due: the rows about to be claimed, in the same transaction, not held yet. Returns what becomes of
    them by id: the context of one that tells of others too, None for one that is told of elsewhere.
    """
    keepers: dict[str, Row[Any]] = {}
    for row in due:
        if row.template == _NEW_TICKET and row.rendered is None and row.context.get("held_back"):
            keepers.setdefault(row.recipient, row)
    if not keepers:
        return {}
    kept = [row.id for row in keepers.values()]
    found = session.execute(_OTHERS, {"recipients": list(keepers), "keepers": kept, "now": now}).all()
    others = [row for row in found if row.context.get("held_back")]
    told = {
        keeper.id: _telling(keeper.context, group)
        for keeper in keepers.values()
        if (group := [row for row in others if row.recipient == keeper.recipient])
    }
    if not others:
        return {}
    connection = session.connection()
    connection.execute(_TELL, [{"which": key, "told": context} for key, context in told.items()])
    why = {one: f"told of in the acknowledgement of #{_number(row)}" for one, row in keepers.items()}
    dropped = [{"which": row.id, "now": now, "why": why[row.recipient]} for row in others]
    connection.execute(_DROP, dropped)
    forget(session, [row.message_key for row in others])
    return {**told, **dict.fromkeys((row.id for row in others), None)}


def _telling(context: dict[str, Any], others: Iterable[Row[Any]]) -> dict[str, Any]:
    also = [{"number": _number(row), "subject": row.context["ticket"]["subject"]} for row in others]
    return context | {"extra": context["extra"] | {"also": also}}


def _number(row: Row[Any]) -> str:
    return str(row.context["ticket"]["number"])


def forget(session: Session, keys: Sequence[str]) -> None:
    """No later mail answers these mails of ours: nobody got them. keys: see `Outbox.message_key`."""
    if keys:
        session.connection().execute(_FORGET, {"keys": list(keys)})
