"""Ticket numbers: short, unique, and hard to guess."""

from __future__ import annotations

import secrets
from typing import Final

from sqlalchemy import bindparam, exists, func, select
from sqlalchemy.orm import Session

from mailticket.store.dialect import table_of
from mailticket.store.models import Ticket

_C: Final = table_of(Ticket).c
_LOOK: Final = select(
    select(func.max(_C.id)).scalar_subquery().label("newest"),
    exists().where(_C.number == bindparam("wanted")).label("taken"),
)
"""Built once: building a statement costs more than running it."""
_NUMBER_TRIES = 50
_LOAD_FACTOR = 4
"""Numbers get one digit more when a quarter of them are taken, so that guessing one stays hard."""


def free_number(session: Session) -> str:
    """A ticket number nobody has: six digits or more, drawn at random, so that none leads to the next."""
    digits = 6
    for _ in range(_NUMBER_TRIES):
        low = 10 ** (digits - 1)
        number = str(low + secrets.randbelow(9 * low))
        newest, taken = session.connection().execute(_LOOK, {"wanted": number}).one()
        needed = _digits(newest or 0)
        if needed <= digits and not taken:
            return number
        digits = max(digits, needed)
    raise RuntimeError("no free ticket number found")


def _digits(count: int) -> int:
    digits = 6
    while count * _LOAD_FACTOR > 9 * 10 ** (digits - 1):
        digits += 1
    return digits
