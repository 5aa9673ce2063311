"""The word somebody meant: nearest by the slips of typing, never by guessing at sense."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_LONGEST: Final = 40
"""Characters of a word that are compared; more is no slip of typing."""


def distance(one: str, other: str) -> int:
    """How many slips lie between two words: a letter too many, too few, wrong, or two changed about.

    Damerau's four slips, no part of the word edited twice ("optimal string alignment").
    """
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        this = [row]
        for column, wanted in enumerate(other, start=1):
            cost = min(last[column] + 1, this[-1] + 1, last[column - 1] + (letter != wanted))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == wanted:
                cost = min(cost, before_last[column - 2] + 1)
            this.append(cost)
        before_last, last = last, this
    return last[-1]


def nearest(typed: str, known: Iterable[str]) -> str | None:
    """The known word with the fewest slips, the first of several; None where none is near.

    Near is one slip in a word of up to four letters, two up to eight, three beyond; or a word that
    begins with what was typed, or is the beginning of it. Case counts: fold it before.
    """
    word = typed[:_LONGEST]
    if not word:
        return None
    most = 1 if len(word) <= 4 else 2 if len(word) <= 8 else 3
    best: tuple[int, str] | None = None
    words = list(known)
    for candidate in words:
        if abs(len(candidate) - len(word)) <= most:
            slips = distance(word, candidate[:_LONGEST])
            if slips <= most and slips < len(candidate) and (best is None or slips < best[0]):
                best = (slips, candidate)
    if best is not None:
        return best[1]
    return next((one for one in words if _begins(one, word) or _begins(word, one)), None)


def _begins(word: str, start: str) -> bool:
    return len(start) >= 3 and word.startswith(start)
