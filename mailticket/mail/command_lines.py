"""Lines that start like a command, however a client mangled them, and the rest of those it wrapped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mailticket.mail.arguments import DASHES, NOTHING
from mailticket.mail.signature import is_footer
from mailticket.mail.vocabulary import KNOWN, CommandName

_LONGEST_HEAD: Final = 300
"""A line is a command or not by its first characters."""
_WIDTH: Final = range(71, 81)
"""Columns at which mail clients wrap plain text (RFC 3676 section 4.2 recommends 78 at most)."""

_ZERO_WIDTH: Final = dict.fromkeys(
    map(ord, "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061"
        "\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufe0e\ufe0f\ufeff")
)  # fmt: skip
_LOOK_ALIKE: Final = (
    {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {ord(c): "#" for c in "♯﹟"} | DASHES
)
"""Full-width forms and dashes to ASCII, one character for one."""
_BULLETS: Final = "•·‣⁃◦▪▫■□●○►▶➢➤→✓✔☐☑-–—"
_OPENING: Final = "*_`~\\\"'“”„‟«‹‘‚([{<" + _BULLETS + " \t"
_MIRROR: Final = dict(zip("“„‟«‹‘‚([{<", "”””»›’’)]}>", strict=True))
_BLANKS: Final = " \t\u00a0\u2007\u202f\u3000"
_NUMBERED: Final = re.compile(r"\d{1,2}[.)]\s+", re.ASCII)
_NAME: Final = re.compile(r"[^\W\d_](?:[\w-]*[^\W_])?|\?")
_ELSEWHERE: Final = re.compile(r"([#/@!])([a-z]{2,12})(?!\S)", re.ASCII | re.IGNORECASE)
_LINK_ALONE: Final = re.compile(r"\s*[<\[(](?:mailto:|https?://)[^<>\[\]()\s]{1,500}[>\])]\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Seen:
    """A line that starts like a command. `spaced`: there is a blank between prefix and name."""

    line: str
    name: str
    rest: str
    spaced: bool

    @property
    def known(self) -> CommandName | None:
        """The command of that name."""
        return KNOWN.get(self.name)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the text; a command's with the lines a client wrapped it into.

    raw     as written, line breaks as LF
    seen    what the line is in command position, None for text
    unsure  whether the next line belongs to the command cannot be told
    blank   nothing to see, or a mobile client's footer: command lines may stand on both sides of it
    """

    raw: str
    seen: Seen | None
    unsure: bool
    blank: bool


def rows(lines: Sequence[str], prefix: str) -> list[Row]:
    """The lines of a text, wrapped command lines put together again."""
    found: list[Row] = []
    index = 0
    while index < len(lines):
        seen = see(lines[index], prefix)
        end, unsure = (index + 1, False) if seen is None else _end_of(lines, index, seen, prefix)
        raw = "\n".join(lines[index:end])
        if seen is not None and end > index + 1:
            rest = " ".join([seen.rest, *(line.strip() for line in lines[index + 1 : end])])
            seen = Seen(raw, seen.name, " ".join(rest.split()), seen.spaced)
        found.append(Row(raw, seen, unsure, seen is None and _is_nothing(raw)))
        index = end
    return found


def visible(line: str) -> str:
    """The line without what nobody sees, and without blanks around it."""
    return line.translate(_ZERO_WIDTH).strip()


def see(line: str, prefix: str, *, position: bool = True) -> Seen | None:
    """The line as a command, if it starts like one.

    In command position a blank behind the prefix does not make a known command into text.
    """
    start = line.translate(_ZERO_WIDTH).lstrip()
    body = _NUMBERED.sub("", start, count=1).lstrip(_OPENING)
    opening = start[: len(start) - len(body)]
    plain = body[:_LONGEST_HEAD].translate(_LOOK_ALIKE)
    if not plain.startswith(prefix):
        return None
    at = len(prefix)
    spaced = plain[at : at + 1].isspace() or plain.startswith(prefix, at)
    if spaced:
        at = len(plain) - len(plain[at:].lstrip(prefix + _BLANKS))
    name = _NAME.match(plain, at)
    if name is None:
        return None
    word = name.group().casefold()
    if word not in KNOWN and (spaced or (prefix == "/" and plain.startswith("/", name.end()))):
        return None  # a heading, a path
    if spaced and not position:
        return None
    return Seen(line, word, _rest(body[name.end() :], opening), spaced)


def _rest(rest: str, opening: str) -> str:
    """What follows the name, without what only closes what was opened before the prefix."""
    closing = "".join(_MIRROR.get(char, char) for char in opening if char in _MIRROR or char in "*_`~\"'”")
    if closing:
        rest = rest.lstrip(closing).rstrip().rstrip(closing)
    return " ".join(rest.split())


def _is_nothing(line: str) -> bool:
    text = visible(line)
    return not text or is_footer(text)


def _end_of(lines: Sequence[str], index: int, seen: Seen, prefix: str) -> tuple[int, bool]:
    """(the line after the command that begins in line `index`, whether that is in doubt).

    A link on a line of its own is what a client added to an address. Else a line goes on below when the
    next word had no room in it, and that word begins no sentence; where it does, or where more text
    follows directly, nobody can tell the command's words from the customer's.
    """
    end = index + 1
    if seen.known is None or seen.known.shape is NOTHING:
        return end, False
    while end < len(lines) and _LINK_ALONE.fullmatch(lines[end]):
        end += 1
    is_note = seen.known is CommandName.NOTE  # all of it is internal, however it was wrapped
    first = end
    while end < len(lines) and _goes_on(lines[end - 1], lines[end], prefix):
        if not _within_sentence(lines[end]):
            return first, not is_note
        end += 1
    if end > first and end < len(lines) and not _ends_paragraph(lines[end], prefix):
        return first, not is_note
    return end, False


def _goes_on(line: str, below: str, prefix: str) -> bool:
    if _ends_paragraph(below, prefix):
        return False
    length = len(line.rstrip())
    return length < _WIDTH.stop and length + 1 + len(below.split()[0]) > _WIDTH.start


def _ends_paragraph(line: str, prefix: str) -> bool:
    return not visible(line) or see(line, prefix) is not None


def _within_sentence(line: str) -> bool:
    first = visible(line)[0]
    return not first.isalpha() or first.islower()


def block(found: Iterable[Row]) -> int:
    """How many of the first rows are the block of command lines, up to its last command."""
    length = 0
    for count, row in enumerate(found, start=1):
        if row.seen is not None:
            length = count
        elif not row.blank:
            break
    return length


def of_other_desks(found: Sequence[Row], prefix: str) -> Iterator[tuple[str, CommandName]]:
    """(line, command) of rows at the top and at the end of a text that are commands, but for their prefix.

    Agents who come from another desk write what worked there: FreeScout mailed an `@close` to the
    customer (freescout#5190).
    """
    filled = [row for row in found if not row.blank]
    top = _leading(filled, prefix)
    end = _leading(filled[len(top) :][::-1], prefix)
    yield from (*top, *end[::-1])


def _leading(found: Iterable[Row], prefix: str) -> list[tuple[str, CommandName]]:
    """The first of the rows, as far as they are such commands."""
    leading: list[tuple[str, CommandName]] = []
    for row in found:
        name = _elsewhere(row, prefix)
        if name is None:
            break
        leading.append((row.raw, name))
    return leading


def _elsewhere(row: Row, prefix: str) -> CommandName | None:
    match = _ELSEWHERE.match(visible(row.raw)) if row.seen is None else None
    return KNOWN.get(match[2].casefold()) if match is not None and match[1] != prefix else None


def known_outside(found: Iterable[Row], prefix: str) -> Iterator[Seen]:
    """Known commands in rows that are not in command position."""
    for row in found:
        seen = see(row.raw.partition("\n")[0], prefix, position=False) if row.seen is not None else None
        if seen is not None and seen.known is not None:
            yield seen
