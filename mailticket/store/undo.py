"""What an agent's mail did, read back from the event log; and taking an answer back before it is sent.

The mails to customers are locked while it is decided. A sender that has claimed one holds it with a
lease, so either it is found gone here, or the sender finds it cancelled: never both, never neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.requests import DoneEvent, DoneLetter, DoneMail, Tapped, Withdraw
from mailticket.domain.taps import Action
from mailticket.domain.types import EventKind
from mailticket.domain.undo import undo_asked
from mailticket.errors import Temporary
from mailticket.mail.types import Reading
from mailticket.store import acknowledgements
from mailticket.store.dialect import table_of
from mailticket.store.models import Entry, Outbox, Ticket, TicketEvent
from mailticket.store.outbox import message_key
from mailticket.store.waiting_mails import ANSWER, LEFT
from mailticket.store.webhooks import forget_calls

RECEIPT = "agent.receipt"
_EVENT: Final = table_of(TicketEvent).c
_OUT: Final = table_of(Outbox).c
_LOG: Final = (
    select(_EVENT.kind, _EVENT.actor, _EVENT.at, _EVENT.entry_id, _EVENT.reason, _EVENT.data)
    .where(_EVENT.ticket_id == bindparam("ticket"))
    .order_by(_EVENT.id)
)


class _Row(NamedTuple):
    kind: str
    actor: str
    at: datetime
    entry_id: int | None
    reason: str
    data: dict[str, Any]


def done_by(
    session: Session,
    reading: Reading,
    tapped: Tapped | None,
    agent: str | None,
    tickets: Sequence[int],
    desk: Desk,
    *,
    lock: bool,
) -> dict[int, DoneMail]:
    """What agent `agent` did by the mail they want to take back, by ticket; nothing where none is asked for.

    By one tap, or in reply to a receipt, that mail; else their newest one on the ticket.
    """
    if agent is None or not tickets:
        return {}
    by_tap = tapped is not None and tapped.action == Action.UNDO
    if not by_tap and not undo_asked(reading.content.reply.splitlines(), desk.command_prefix):
        return {}
    wanted = tapped.entry if tapped is not None and by_tap else _of_receipt(session, reading)
    found = {ticket: _done(session, ticket, f"agent:{agent}", wanted, lock=lock) for ticket in tickets}
    return {ticket: done for ticket, done in found.items() if done is not None}


def _of_receipt(session: Session, reading: Reading) -> int | None:
    """The stored mail that the receipt answered by this mail is about."""
    keys = [message_key(item) for item in reading.mail.in_reply_to]
    if not keys:
        return None
    rows = session.execute(
        select(Outbox.context).where(Outbox.message_key.in_(keys), Outbox.template == RECEIPT)
    ).scalars()
    mails = [context["extra"]["receipt"]["mail"] for context in rows]
    return mails[0] if len(mails) == 1 else None


def _done(session: Session, ticket: int, who: str, wanted: int | None, *, lock: bool) -> DoneMail | None:
    log = [_Row(*row) for row in session.execute(_LOG, {"ticket": ticket})]
    own = [row for row in log if row.actor == who and row.data.get("mail") is not None]
    inbound = wanted if wanted is not None else (own[-1].data["mail"] if own else None)
    rows = [row for row in own if row.data["mail"] == inbound]
    if inbound is None or not rows:
        return None
    last = max(place for place, row in enumerate(log) if row in rows)
    taken_back = [row.data for row in own if row.kind == EventKind.UNDONE]
    return DoneMail(
        inbound=inbound,
        at=rows[0].at,
        events=tuple(_event(row) for row in rows),
        later=tuple(_event(row) for row in log[last + 1 :]),
        mails=_letters(session, ticket, rows, lock=lock),
        undone=any(inbound in (data["undid"], data["mail"]) for data in taken_back),
    )


def _letters(session: Session, ticket: int, rows: Sequence[_Row], *, lock: bool) -> tuple[DoneLetter, ...]:
    """The mails to customers that these events caused; the moment is theirs, to the microsecond.

    An answer of theirs may have got further readers since. What waited before and only changed its reader
    with them is no mail of theirs: it goes on with whoever takes part again (store/waiting_mails.py).
    """
    said = [row.entry_id for row in rows if row.kind == EventKind.RESPONSE]
    caused = or_(_OUT.created_at == rows[0].at, and_(_OUT.template == ANSWER, _OUT.entry_id.in_(said)))
    query = (
        select(
            _OUT.id,
            _OUT.recipient,
            _OUT.recipient_name,
            _OUT.state,
            _OUT.lease_until,
            _OUT.unknown_outcomes,
            _OUT.template,
            _OUT.entry_id,
        )
        .where(_OUT.ticket_id == ticket, _OUT.audience == "customer", caused, _not_left())
        .order_by(_OUT.id)
    )
    found = session.execute(query.with_for_update() if lock else query)
    passed_on = {mail for row in rows for mail in _passed_on(row.data)}
    return tuple(
        DoneLetter(
            row.id,
            row.recipient,
            row.recipient_name,
            gone=not _stoppable(row.state, row.lease_until, row.unknown_outcomes),
        )
        for row in found
        if (row.recipient, row.template, row.entry_id) not in passed_on
    )


def _passed_on(data: dict[str, Any]) -> Iterator[tuple[str, str, int | None]]:
    """Reader, template and entry of the mails that waited already when an event let somebody in."""
    reader: str = data.get("added") or data.get("after") or ""
    for one in data.get("waiting", ()):
        yield reader, one["template"], one["entry"]


def _not_left() -> ColumnElement[bool]:
    """Without the mails of people who have left the ticket: those are cancelled and stay so."""
    return or_(_OUT.state != "cancelled", _OUT.error.is_(None), _OUT.error != LEFT)


def _stoppable(state: str, lease_until: datetime | None, unknown_outcomes: int) -> bool:
    """A mail that nobody has begun to send, or whose every try the server has surely refused.

    A lease that ended without a word may mean that the mail was taken.
    """
    idle = lease_until is None and not unknown_outcomes
    return state == "cancelled" or (state in ("queued", "parked", "failed") and idle)


def _event(row: _Row) -> DoneEvent:
    return DoneEvent(row.kind, row.entry_id, row.reason, row.data)


def withdraw(session: Session, ticket: Ticket, change: Withdraw, now: datetime) -> None:
    """Cancel the mails, mark what was said as withdrawn, and bring back what it had made needless.

    Raises `Temporary` when a mail or a call has gone since it was decided, so that it is decided again.
    """
    if change.clean:
        forget_calls(session, ticket.id, change.mail, change.why, now)
    if change.cancel:
        cancelled = session.execute(
            update(Outbox)
            .where(
                Outbox.id.in_(change.cancel),
                Outbox.state.in_(["queued", "parked", "failed", "cancelled"]),
                Outbox.lease_until.is_(None),
            )
            .values(state="cancelled", finished_at=now, error=change.why)
            .returning(Outbox.id)
        ).all()
        if len(cancelled) != len(change.cancel):
            raise Temporary("a mail that was to be taken back is being sent")
    if change.entry is not None:
        session.get_one(Entry, change.entry).withdrawn_at = now
        session.flush()
        ticket.last_response_at = session.execute(
            select(func.max(Entry.created_at)).where(
                Entry.ticket_id == ticket.id, Entry.kind == "response", Entry.withdrawn_at.is_(None)
            )
        ).scalar()
        acknowledgements.restore(session, ticket.id, ticket.last_response_at)
    ticket.updated_at = now


def undone_data(change: Withdraw) -> dict[str, Any]:
    """What the event keeps of it; domain/undo.py (`counting`) reads `undid` and `void`."""
    return {
        "undid": change.mail,
        "withdrawn": change.entry is not None,
        "cancelled": list(change.cancelled),
        "sent": list(change.sent),
        "kept": list(change.kept),
        "void": list(change.void),
        "clean": change.clean,
    }
