"""Counting automatic mail to outsiders: in the database, so that a restart forgets nothing."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, func, select, true
from sqlalchemy.orm import Session

from mailticket.domain.brakes import WINDOWS, Counts, Planned, Which
from mailticket.store.models import AutoMail


def count_automatic(session: Session, planned: Planned, now: datetime) -> Counts:
    """How much of what `planned` is has been queued within each window of `WINDOWS` before `now`."""
    to_address = AutoMail.address == planned.recipient
    same_subject = to_address & (AutoMail.subject_key == _subject_key(planned.subject))
    asked: dict[Which, ColumnElement[bool]] = {
        "address_hour": to_address,
        "address_day": to_address,
        "total_hour": true(),
        "same_subject_hour": same_subject,
    }
    if planned.domain is not None:
        asked["domain_hour"] = AutoMail.domain == planned.domain
    if planned.ticket_id is not None:
        asked["ticket_10_minutes"] = AutoMail.ticket_id == planned.ticket_id
    row = session.execute(select(*(_count(which, now, rule) for which, rule in asked.items()))).one()
    counted = dict(zip(asked, row, strict=True))
    return Counts(**{**counted, "domain_hour": counted.get("domain_hour")})


def note_automatic(session: Session, planned: Planned, now: datetime) -> None:
    """Count `planned` from now on."""
    session.add(
        AutoMail(
            at=now,
            address=planned.recipient,
            domain=planned.recipient.rpartition("@")[2].lower(),
            ticket_id=planned.ticket_id,
            subject_key=_subject_key(planned.subject),
        )
    )


def _count(which: Which, now: datetime, rule: ColumnElement[bool]) -> ScalarSelect[int]:
    query = select(func.count()).select_from(AutoMail).where(AutoMail.at > now - WINDOWS[which], rule)
    return query.scalar_subquery()


def _subject_key(subject: str) -> str:
    return hashlib.sha256(" ".join(subject.casefold().split()).encode()).hexdigest()
