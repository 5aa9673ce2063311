"""Ticket numbers: short, unique, and hard to guess."""

from __future__ import annotations

import secrets
from typing import Final

from sqlalchemy import bindparam, exists, func, select
from sqlalchemy.orm import Session

from mailticket.domain.change import ANY_NUMBER
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


def free_number(session: Session, mask: str = ANY_NUMBER) -> str:
    """A ticket number nobody has, drawn at random, so that none leads to the next.

    mask: its beginning, and a `#` for each digit; there are more digits when numbers get scarce. The first
    digit is never 0, because people leave it out.
    """
    before, least = mask.rstrip("#"), len(mask) - len(mask.rstrip("#"))
    digits = least
    for _ in range(_NUMBER_TRIES):
        low = 10 ** (digits - 1)
        number = f"{before}{low + secrets.randbelow(9 * low)}"
        newest, taken = session.connection().execute(_LOOK, {"wanted": number}).one()
        needed = _digits(newest or 0, least)
        if needed <= digits and not taken:
            return number
        digits = max(digits, needed)
    raise RuntimeError("no free ticket number found")


def _digits(count: int, least: int) -> int:
    digits = least
    while count * _LOAD_FACTOR > 9 * 10 ** (digits - 1):
        digits += 1
    return digits
