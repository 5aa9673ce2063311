"""What a sender has sent lately: one row per mail, and one indexed query that counts them.

Kept for a day (store/autocounts.py prunes). The query looks at the newest mails of the sender only,
as many as the highest limit, so that the ten-thousandth mail of a storm costs no more than the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, case, func, insert, literal_column, select
from sqlalchemy.orm import Session

from mailticket.config.desk import Brakes, Desk
from mailticket.domain.change import Decision
from mailticket.domain.sender import SenderLoad
from mailticket.domain.storms import content_key, is_governed, reopens, subject_key
from mailticket.domain.types import Arrival, Facts, Outcome, TicketFacts
from mailticket.mail.types import Reading
from mailticket.store.dialect import table_of
from mailticket.store.merge import final_ticket
from mailticket.store.models import Entry, SenderMail, Ticket

_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_TABLE: Final = table_of(SenderMail)
_C: Final = _TABLE.c

# Statements of the hot path are built once: building one costs more than running it.
_NEW: Final = (
    select(_C.at, _C.subject_key, _C.content_key, _C.ticket_id, _C.kind)
    .where(_C.sender == bindparam("sender"), _C.at > bindparam("day", type_=_C.at.type))
    .order_by(_C.at.desc())
    .limit(bindparam("newest"))
    .subquery()
)


def _number(*rules: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((and_(*rules), 1), else_=0)), 0)


_LATELY: Final = _NEW.c.at > bindparam("hour", type_=_C.at.type)
_SAME_SUBJECT: Final = _NEW.c.subject_key == bindparam("subject")
_MADE: Final = _NEW.c.kind.in_([literal_column("'opened'"), literal_column("'storm'")])
_LOAD: Final = select(
    _number(_LATELY).label("mails"),
    _number(_LATELY, _NEW.c.kind == literal_column("'opened'")).label("tickets"),
    _number(_LATELY, _SAME_SUBJECT).label("same_subject"),
    _number(_LATELY, _SAME_SUBJECT, _MADE).label("same_subject_tickets"),
    _number(_LATELY, _NEW.c.content_key == bindparam("content")).label("same_text"),
    _number(
        _NEW.c.kind == literal_column("'reopened'"),
        _NEW.c.ticket_id.in_(bindparam("tickets", expanding=True)),
    ).label("reopened"),
    func.max(case((_LATELY & _SAME_SUBJECT & _MADE, _NEW.c.ticket_id))).label("storm_ticket"),
)
_NOTE: Final = insert(_TABLE)


def sender_load(
    session: Session,
    reading: Reading,
    arrival: Arrival,
    sender: str,
    tickets: Mapping[int, TicketFacts],
    desk: Desk,
    *,
    lock: bool,
) -> SenderLoad:
    """What `sender` has sent before this mail; `tickets` are those it points at.

    Time is counted back from when the mail was received, so that a backlog is no storm.
    """
    row = session.execute(
        _LOAD,
        {
            "sender": sender,
            "day": arrival.received_at - _DAY,
            "hour": arrival.received_at - _HOUR,
            "newest": _newest(desk.brakes),
            "subject": subject_key(reading, desk),
            "content": content_key(reading) or "",
            "tickets": list(tickets),
        },
    ).one()
    values: dict[str, Any] = dict(row._mapping)
    if row.same_subject_tickets < desk.brakes.same_subject_tickets_hour:
        return SenderLoad(**values | {"storm_ticket": None})
    found = session.get(Ticket, row.storm_ticket, with_for_update=True if lock else None)
    ticket = final_ticket(session, found, lock=lock)
    values["storm_ticket"] = ticket.id if ticket is not None else None
    return SenderLoad(**values, in_storm=_holds(session, ticket, arrival))


def _newest(limits: Brakes) -> int:
    """How many mails have to be looked at to tell whether any limit is reached."""
    return max(
        limits.same_text_hour,
        limits.same_subject_hour,
        limits.same_subject_tickets_hour,
        limits.new_tickets_hour,
        limits.mails_hour,
        limits.reopenings_day,
    )


def note_mail(
    session: Session,
    reading: Reading,
    arrival: Arrival,
    facts: Facts,
    decision: Decision,
    ticket: int | None,
    desk: Desk,
) -> None:
    """Count a mail that became part of `ticket` from now on."""
    kind = _kind(decision, facts)
    if kind is None or not is_governed(reading, facts):
        return
    session.execute(
        _NOTE,
        {
            "at": arrival.received_at,
            "sender": facts.sender,
            "subject_key": subject_key(reading, desk),
            "content_key": content_key(reading),
            "ticket_id": ticket,
            "kind": kind,
        },
    )


def _kind(decision: Decision, facts: Facts) -> str | None:
    if decision.outcome is Outcome.NEW_TICKET:
        return "opened"
    if decision.outcome is Outcome.RECORDED:
        return "joined" if decision.quiet is None else "storm"
    if decision.outcome is not Outcome.THREADED:
        return None
    return "reopened" if reopens(decision, facts.tickets.get(decision.ticket or 0)) else "joined"


def _holds(session: Session, ticket: Ticket | None, arrival: Arrival) -> bool:
    if ticket is None:
        return False
    query = select(Entry.id).where(
        Entry.ticket_id == ticket.id, Entry.content_digest == arrival.content_digest
    )
    return session.execute(query).first() is not None
