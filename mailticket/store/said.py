"""What stands on a ticket already, so that nobody repeats to a customer what was said inside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from mailticket.domain.types import Said
from mailticket.store.dialect import table_of
from mailticket.store.models import Entry

_MOST: Final = 40
"""Entries looked at, the newest: what an alert quotes is among them."""
_LONGEST: Final = 20_000
_C: Final = table_of(Entry).c
_SAID: Final = (
    select(_C.audience, func.substr(_C.text, 1, _LONGEST))
    .where(_C.ticket_id == bindparam("ticket"))
    .order_by(_C.id.desc())
    .limit(_MOST)
)


def said_on(session: Session, tickets: Iterable[int]) -> tuple[Said, ...]:
    """The texts of the newest entries of these tickets."""
    connection = session.connection()
    return tuple(
        Said(text, audience == "internal")
        for ticket in tickets
        for audience, text in connection.execute(_SAID, {"ticket": ticket})
    )
