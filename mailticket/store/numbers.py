"""Ticket numbers: short, unique, and hard to guess."""

from __future__ import annotations

import secrets
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from mailticket.store.dialect import table_of
from mailticket.store.models import Ticket

_C: Final = table_of(Ticket).c
_NEWEST: Final = select(func.max(_C.id))
_TAKEN: Final = select(_C.id).where(_C.number == bindparam("wanted"))
_NUMBER_TRIES = 50
_LOAD_FACTOR = 4
"""Numbers get one digit more when a quarter of them are taken, so that guessing one stays hard."""


def free_number(session: Session) -> str:
    """A ticket number nobody has: six digits or more, drawn at random, so that none leads to the next."""
    count = session.connection().execute(_NEWEST).scalar() or 0
    digits = 6
    while count * _LOAD_FACTOR > 9 * 10 ** (digits - 1):
        digits += 1
    low = 10 ** (digits - 1)
    for _ in range(_NUMBER_TRIES):
        number = str(low + secrets.randbelow(9 * low))
        if session.connection().execute(_TAKEN, {"wanted": number}).first() is None:
            return number
    raise RuntimeError("no free ticket number found")
