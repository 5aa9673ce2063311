"""Counting automatic mail to outsiders: in the database, so that a restart forgets nothing."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, ScalarSelect, Select, bindparam, delete, func, insert, select, true
from sqlalchemy.orm import Session

from mailticket.domain.brakes import WINDOWS, Counts, Planned, Which
from mailticket.store.dialect import table_of
from mailticket.store.models import AutoMail, SenderMail

KEPT: Final = max(*WINDOWS.values(), timedelta(days=1))
"""How long counted mails are kept: the longest window, here and in store/load.py."""

_TABLE: Final = table_of(AutoMail)
_C: Final = _TABLE.c


def _statement() -> Select[*tuple[Any, ...]]:
    to_address = _C.address == bindparam("address")
    about_ticket = _C.ticket_id == bindparam("ticket")
    asked: dict[Which, ColumnElement[bool]] = {
        "address_hour": to_address,
        "address_day": to_address,
        "domain_hour": _C.domain == bindparam("domain"),
        "template_hour": _C.template == bindparam("template"),
        "total_hour": true(),
        "ticket_10_minutes": about_ticket,
        "ticket_hour": about_ticket,
        "ticket_10_hours": about_ticket,
        "same_subject_hour": to_address & (_C.subject_key == bindparam("subject")),
    }
    return select(*(_count(which, rule).label(which) for which, rule in asked.items()))


def _count(which: Which, rule: ColumnElement[bool]) -> ScalarSelect[int]:
    query = select(func.count()).select_from(_TABLE).where(_C.at > bindparam(which, type_=_C.at.type), rule)
    return query.scalar_subquery()


# Built once: building them costs more than running them. The windows hold no more rows than the
# limits let through, so counting stays cheap whatever comes in.
_COUNTS: Final = _statement()
_NOTE: Final = insert(_TABLE)


def count_automatic(session: Session, planned: Planned, now: datetime) -> Counts:
    """How much of what `planned` is has been queued within each window of `WINDOWS` before `now`."""
    values: dict[str, Any] = {which: now - window for which, window in WINDOWS.items()}
    row = session.execute(_COUNTS, values | _values(planned)).one()
    counted = {**row._mapping, "domain_hour": row.domain_hour if planned.domain is not None else None}
    if planned.decided:
        counted["same_subject_hour"] = 0
    return Counts(**counted)


def note_automatic(session: Session, planned: Planned, now: datetime) -> None:
    """Count `planned` from now on."""
    values = _values(planned)
    session.execute(
        _NOTE,
        {
            "at": now,
            "address": values["address"],
            "domain": values["domain"],
            "ticket_id": planned.ticket_id,
            "subject_key": values["subject"],
            "template": values["template"],
        },
    )


def prune(session: Session, now: datetime, most: int) -> int:
    """Forget up to `most` rows of each kind that nothing counts any more; returns how many went."""
    gone = 0
    for model in (AutoMail, SenderMail):
        old = select(model.id).where(model.at <= now - KEPT).order_by(model.at).limit(most)
        ids = session.execute(old).scalars().all()
        if ids:
            session.execute(delete(model).where(model.id.in_(ids)))
        gone += len(ids)
    return gone


def _values(planned: Planned) -> dict[str, Any]:
    subject = f"{planned.template}: {planned.subject}" if planned.decided else planned.subject
    return {
        "address": planned.recipient,
        "domain": planned.recipient.rpartition("@")[2].lower(),
        "ticket": planned.ticket_id,
        "subject": _subject_key(subject),
        "template": planned.template,
    }


def _subject_key(subject: str) -> str:
    return hashlib.sha256(" ".join(subject.casefold().split()).encode()).hexdigest()
