"""Texts and questions as search terms: the same terms on every database.

A term is a folded word: case, accents and umlauts, full and half width do not count. Scripts written
without blanks between words (Chinese, Japanese, Thai, ...) and Korean become pairs of neighbouring
letters, so that any part of a word is found. The indexes of the databases only ever see these terms.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

LONGEST_TERM: Final = 64
MOST_TERMS: Final = 15_000
"""Of one text. PostgreSQL counts positions up to 16383."""
MOST_ASKED: Final = 20
LONGEST_QUESTION: Final = 500

# letters of scripts that do not part words by blanks, and of Korean, whose words carry endings
_DENSE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3041-\u3096\u3099-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3100-\u318f"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_RUN: Final = re.compile(rf"[{_DENSE}]+|[^\W_{_DENSE}]+")
_DENSE_RUN: Final = re.compile(rf"[{_DENSE}]+")
_MARKS: Final = re.compile(
    "[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff]"
)
_SPECIAL: Final = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)
_WORD: Final = re.compile(r'(-)?"([^"]*)(?:"|$)(\*)?|(\S+)')
_QUOTES: Final = str.maketrans(dict.fromkeys("“”„‟«»「」『』", '"') | {"＊": "*", "－": "-", "\u3000": " "})


@dataclass(frozen=True, slots=True)
class Asked:
    """Terms that must stand side by side. `prefix`: the last one is only a beginning."""

    terms: tuple[str, ...]
    prefix: bool = False
    without: bool = False
    """It must not be there."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for: all of `wanted`, none of those `without`."""

    asked: tuple[Asked, ...]

    @property
    def wanted(self) -> tuple[Asked, ...]:
        """What must be there."""
        return tuple(one for one in self.asked if not one.without)

    @property
    def unwanted(self) -> tuple[Asked, ...]:
        """What must not be there."""
        return tuple(one for one in self.asked if one.without)


def folded(text: str) -> str:
    """Text without what does not count: case, accents, width."""
    if text.isascii():
        return text.lower()
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFKC", plain).casefold().translate(_SPECIAL)


def terms(text: str) -> list[str]:
    """The terms of a text in order, at most `MOST_TERMS`."""
    found: list[str] = []
    for run in _RUN.findall(folded(text)):
        if _DENSE_RUN.match(run):
            found += [run[at : at + 2] for at in range(len(run))]  # the last one alone, to be found by it
        else:
            found.append(run[:LONGEST_TERM])
        if len(found) >= MOST_TERMS:
            return found[:MOST_TERMS]
    return found


def question(text: str) -> Question | None:
    """What a person's words ask for; None where there is nothing to look for. Never raises.

    Words must all be there, in any order; words in quotation marks side by side; `print*` is anything that
    begins so; `-word` must not be there. Whatever else is written parts words and means nothing.
    """
    asked: list[Asked] = []
    for found in _WORD.finditer(text[:LONGEST_QUESTION].translate(_QUOTES)):
        minus, phrase, star, word = found.groups()
        if word is not None:
            minus, star = word.startswith("-"), word.rstrip('"').endswith("*")
            asked += [Asked(one.terms, one.prefix, bool(minus)) for one in _runs(word, prefix=bool(star))]
        else:
            asked += _phrase(phrase, prefix=bool(star), without=bool(minus))
    kept = tuple(asked[:MOST_ASKED])
    return Question(kept) if any(not one.without for one in kept) else None


def _phrase(text: str, *, prefix: bool, without: bool) -> Iterator[Asked]:
    """Words in quotation marks; a change of script inside parts them."""
    runs = _RUN.findall(folded(text))
    if not any(_DENSE_RUN.match(run) for run in runs):
        if runs:
            yield Asked(tuple(run[:LONGEST_TERM] for run in runs), prefix, without)
        return
    for run in runs:
        yield _one(run, prefix=False, without=without)


def _runs(word: str, *, prefix: bool) -> Iterator[Asked]:
    """One word as written: what punctuation parts in it stands side by side."""
    runs = _RUN.findall(folded(word))
    if len(runs) > 1 and not any(_DENSE_RUN.match(run) for run in runs):
        yield Asked(tuple(run[:LONGEST_TERM] for run in runs), prefix)
        return
    for at, run in enumerate(runs, start=1):
        yield _one(run, prefix=prefix and at == len(runs), without=False)


def _one(run: str, *, prefix: bool, without: bool) -> Asked:
    if not _DENSE_RUN.match(run):
        return Asked((run[:LONGEST_TERM],), prefix, without)
    if len(run) == 1:  # a single letter is found wherever a pair begins with it
        return Asked((run,), True, without)
    return Asked(tuple(run[at : at + 2] for at in range(len(run) - 1)), False, without)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text; `hit`: it is what was looked for."""

    text: str
    hit: bool


def snippet(text: str, asked: Question, around: int = 60) -> tuple[Piece, ...]:
    """The part of a text around the first thing found in it, on one line, with every hit in it told apart."""
    line = unicodedata.normalize("NFC", " ".join(text.split()))
    hits = list(_hits(line, asked))
    first, after = hits[0] if hits else (0, 0)
    begin, end = max(0, first - around), min(len(line), max(first + 2 * around, after))
    if begin:
        begin = line.find(" ", begin, first) + 1 or begin
    if end < len(line):
        blank = line.rfind(" ", after, end)
        end = blank if blank > after else end
    pieces = [Piece("…", False)] if begin else []
    at = begin
    for low, high in hits:
        if low < at or high > end:
            continue
        pieces += [Piece(line[at:low], False), Piece(line[low:high], True)]
        at = high
    pieces.append(Piece(line[at:end] + ("…" if end < len(line) else ""), False))
    return tuple(piece for piece in pieces if piece.text)


def _hits(line: str, asked: Question) -> Iterator[tuple[int, int]]:
    exact = {term for one in asked.wanted for term in one.terms}
    starts = tuple(one.terms[-1] for one in asked.wanted if one.prefix)
    for found in _RUN.finditer(line):
        word = folded(found.group())
        if not _DENSE_RUN.match(word):
            if word in exact or (starts and word.startswith(starts)):
                yield found.span()
        elif len(word) == len(found.group()):
            yield from _dense_hits(found.start(), word, exact, starts)


def _dense_hits(start: int, word: str, exact: set[str], starts: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Runs of letters that are part of a pair looked for."""
    hit = [False] * len(word)
    for at in range(len(word)):
        if word[at : at + 2] in exact and len(word[at : at + 2]) == 2:
            hit[at] = hit[at + 1] = True
        elif word[at] in starts:
            hit[at] = True
    at = 0
    while at < len(word):
        if not hit[at]:
            at += 1
            continue
        end = at
        while end < len(word) and hit[end]:
            end += 1
        yield start + at, start + end
        at = end
