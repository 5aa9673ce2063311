"""What may stand behind a command's name: its shape. Whether such a thing exists is asked elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mailticket.mail.numbering import is_number

LONGEST: Final = 100
"""Characters of an argument that is no free text."""
DASHES: Final = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－"), "-")
"""What clients make of a hyphen, to `str.translate`."""
_EMPHASIS: Final = "*_`~"
_QUOTED: Final = frozenset(
    [(one, one) for one in _EMPHASIS + "\"'"] + [(one, other) for one in "“”„‟" for other in "“”‟"]
    + [("«", "»"), ("»", "«"), ("‹", "›"), ("‘", "’"), ("‚", "‘"), ("‚", "’")]
)  # fmt: skip
"""Pairs of signs in which a client or its owner puts a value."""
_PUNCTUATION: Final = ".,;:!"
_MAILTO: Final = re.compile(r"\s?[<\[]mailto:[^<>\[\]\s]{0,320}[>\]]", re.IGNORECASE)
_TAG: Final = re.compile(r"\w[\w.:/+-]*")
_FIELD: Final = re.compile(r"[A-Za-z0-9][\w-]{0,39}(?:\s*[:=]\s*|\s+)\S.*", re.DOTALL)
_ANYWAY: Final = "anyway"


@dataclass(frozen=True, slots=True)
class Shape:
    """The form of an argument.

    needs        what is missing where it does not fit: "needs a name after it"
    placeholder  how it is written in lists of commands: "NAME"; "" for none
    fits         whether a text, never "", has the form
    optional     may be left out
    free         text kept as it was written; anything else is freed of quotes, links and closing points
    brackets     what may surround it besides
    """

    needs: str
    placeholder: str
    fits: Callable[[str], bool]
    optional: bool = False
    free: bool = False
    brackets: str = ""


def _starts_with_letter(argument: str) -> bool:
    return argument[:1].isalnum()


NOTHING: Final = Shape("takes nothing after it", "", lambda _: False, optional=True)
TEXT: Final = Shape("may be followed by text", "[TEXT]", lambda _: True, optional=True, free=True)
WORDS: Final = Shape("needs text after it", "TEXT", lambda _: True, free=True)
LATER: Final = Shape(
    "may be followed by a moment, such as 3d or 2026-12-01", "[WHEN]",
    lambda one: _starts_with_letter(one.removeprefix("+")), optional=True,
)  # fmt: skip
WHEN_AND_TEXT: Final = Shape(
    "needs a moment after it, such as 2d, and may go on with text", "WHEN [TEXT]",
    lambda one: _starts_with_letter(one.removeprefix("+")), free=True,
)  # fmt: skip
SPENT: Final = Shape(
    "needs how long it took, such as 15m, and may go on with text", "LENGTH [TEXT]",
    lambda one: one.translate(DASHES).removeprefix("-")[:1].isdigit(), free=True,
)  # fmt: skip
NAME: Final = Shape("needs a name after it", "NAME", _starts_with_letter)
WORD: Final = Shape(
    "needs one word after it", "WORD", lambda one: _TAG.fullmatch(one) is not None, brackets="~"
)
CANNED: Final = Shape(
    "needs the key of a canned reply after it", "KEY [NAME=VALUE ...]", _starts_with_letter, free=True
)
ADDRESS: Final = Shape("needs a mail address after it", "ADDRESS", _starts_with_letter)
TIME: Final = Shape("needs a time after it", "WHEN", lambda one: _starts_with_letter(one.removeprefix("+")))
ABSENCE: Final = Shape(
    "may be followed by a length of time, until when, and who is your deputy",
    "[WHEN] [deputy NAME]",
    _starts_with_letter,
    optional=True,
)
TICKET: Final = Shape(
    'needs the number of a ticket after it, or "new"',
    "NUMBER",
    lambda one: is_number(one) or one.casefold() == "new",
    brackets="#[]()",
)
OTHER: Final = Shape("needs the number of another ticket after it", "NUMBER", is_number, brackets="#[]()")
INTO: Final = Shape(
    f'needs the number of another ticket after it, and "{_ANYWAY}" where people would see what they have not',
    f"NUMBER [{_ANYWAY}]",
    lambda one: is_number(into(one)[0]),
    brackets="#[]()",
)
FIELD: Final = Shape(
    "needs a field and its value after it",
    "FIELD VALUE",
    lambda one: _FIELD.fullmatch(one) is not None,
    free=True,
)


def into(argument: str) -> tuple[str, bool]:
    """The number in an argument of the shape INTO, and whether it is meant whoever sees what then."""
    number, _, rest = argument.partition(" ")
    anyway = rest.strip().casefold() == _ANYWAY
    return number.strip(" #[]()") if anyway or not rest else "", anyway


def read_argument(rest: str, shape: Shape) -> str:
    """What follows a command's name, freed of what clients and habits put around it; "" for nothing.

    rest: the rest of the line, blanks already single.
    """
    rest = rest.removeprefix(":").strip()
    if not any(char.isalnum() for char in rest):
        return ""
    if shape.free:
        return rest
    rest = _MAILTO.sub("", rest).translate(DASHES).strip("<> ")
    while len(rest) > 2 and (rest[0], rest[-1]) in _QUOTED:
        rest = rest[1:-1].strip()
    rest = rest.strip().rstrip(_PUNCTUATION + _EMPHASIS).lstrip("@").strip()
    return rest.strip(shape.brackets) if shape.brackets else rest


def misfit(shape: Shape, argument: str) -> str | None:
    """Why the argument does not fit, as the end of a sentence that begins with the command; or None."""
    if not argument:
        return None if shape.optional else shape.needs
    if not shape.free and len(argument) > LONGEST and shape is not NOTHING:
        return f"is followed by more than {LONGEST} characters"
    return None if shape.fits(argument) else shape.needs
