"""What a ticket's number looks like, wherever one is read: one form that fits every pattern there can be.

A number is digits, four at least; before them may stand a name that begins with a letter, and one group
of digits that is a year or a day: `123456`, `T123456`, `ACME-123456`, `ACME-2026-123456`, `2026-123456`.
Whether a ticket has the number is asked of the database, so numbers of an earlier pattern are still found.
"""

from __future__ import annotations

import re
from typing import Final

NUMBER: Final = r"(?:[A-Za-z][A-Za-z0-9]{0,9}-?)?(?:[0-9]{2,8}-)?[0-9]{4,12}"
"""The form, for use inside a larger pattern; its case does not count."""
LONGEST: Final = 32
_WHOLE: Final = re.compile(NUMBER, re.ASCII)


def is_number(text: str) -> bool:
    """Whether a text has the form of a ticket's number."""
    return len(text) <= LONGEST and _WHOLE.fullmatch(text) is not None


def as_kept(number: str) -> str:
    """A number as it is kept, however it was written: without `#`, in capitals."""
    return number.strip().lstrip("#").upper()
