"""The command lines of an agent's mail, read so that in any doubt nothing is done and nothing is sent.

A command line starts with the prefix (`#`) and a letter, and stands in command position: in the
unbroken block of command lines, blank ones between them allowed, at the start or at the end of the
new text. Clients' manglings are forgiven (blanks, non-breaking and zero-width characters, full-width
forms, `*#close*`, autocorrected dashes, `<mailto:...>` behind an address); a quoted line (`> #close`)
is never a command.

Fails closed: a line in command position that is no known command with a fitting argument, two
commands that contradict each other, and a known command in the middle of the text all make
`Problems`, and then the caller must neither act nor send. Whether a department or agent of that name
exists is asked later; here only the shape counts.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailticket.mail.arguments import Shape, misfit, read_argument
from mailticket.mail.vocabulary import KNOWN, CommandName

_MOST_PROBLEMS = 20
_LONGEST_HEAD = 300
"""A line is a command or not by its first characters."""


@dataclass(frozen=True, slots=True)
class Command:
    """One change asked for. `argument` is "" where there is none; `line` is the line as written."""

    name: CommandName
    argument: str
    line: str


@dataclass(frozen=True, slots=True)
class Commands:
    """A mail whose command lines, if any, are all understood.

    note      the text is an internal note
    commands  what is to be changed, in the order written, without #note and #reply
    body      the text without the command lines, line breaks as LF; "" when only commands were written
    """

    note: bool
    commands: tuple[Command, ...]
    body: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that stops the mail, why, and the valid command nearest to it, with its prefix."""

    line: str
    reason: str
    nearest: str | None = None


@dataclass(frozen=True, slots=True)
class Problems:
    """Nothing may be done or sent. At least one problem, at most twenty."""

    problems: tuple[Problem, ...]


_ZERO_WIDTH = dict.fromkeys(
    map(ord, "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061"
        "\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufe0e\ufe0f\ufeff")
)  # fmt: skip
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－"), "-")
_LOOK_ALIKE = (
    {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {ord(c): "#" for c in "♯﹟"} | _DASHES
)
"""Full-width forms and dashes to ASCII, one character for one."""
_OPENING = "*_`~\\\"'“”„‟«‹‘‚([{<•·‣◦▪-–— \t"
_MIRROR = dict(zip("“„‟«‹‘‚([{<", "”””»›’’)]}>", strict=True))
_BLANKS = " \t\u00a0\u2007\u202f\u3000"
_NAME = re.compile(r"[^\W\d_](?:[\w-]*[^\W_])?|\?")


@dataclass(frozen=True, slots=True)
class _Seen:
    """A line that starts like a command. `spaced`: there is a blank between prefix and name."""

    line: str
    name: str
    rest: str
    spaced: bool

    @property
    def known(self) -> CommandName | None:
        return KNOWN.get(self.name)


def parse_commands(reply_text: str, prefix: str = "#") -> Commands | Problems:
    """The commands in an agent's new text, and the text without them; or why nothing may be done.

    reply_text  the new text of the mail, quotes and signature already taken off
    prefix      what starts a command: one or more characters, none a letter, digit or blank

    Raises ValueError for another prefix. Linear in the length of the text.
    """
    if not prefix or any(char.isalnum() or char.isspace() for char in prefix):
        raise ValueError(f"not a command prefix: {prefix!r}")
    lines = reply_text.splitlines()
    top = _block(lines, prefix)
    bottom = len(lines) - _block(lines[top:][::-1], prefix)
    found = _in_position(lines[:top] + lines[bottom:], prefix)
    problems: list[Problem] = []
    commands: list[Command] = []
    for seen in found:
        read = _read(seen, prefix)
        if isinstance(read, Command):
            commands.append(read)
        elif len(problems) < _MOST_PROBLEMS:
            problems.append(read)
    problems += _contradictions(commands)
    problems += _in_the_middle(lines[top:bottom], prefix, _MOST_PROBLEMS - len(problems))
    if problems:
        return Problems(tuple(problems[:_MOST_PROBLEMS]))
    return _commands(commands, "\n".join(lines[top:bottom]).strip())


def _commands(commands: Sequence[Command], body: str) -> Commands:
    notes = [one for one in commands if one.name is CommandName.NOTE]
    said = [one.argument for one in notes if one.argument]
    changes = [one for one in commands if one.name not in (CommandName.NOTE, CommandName.REPLY)]
    unique = {(one.name, one.argument.casefold()): one for one in reversed(changes)}
    ordered = [one for one in changes if unique[one.name, one.argument.casefold()] is one]
    return Commands(bool(notes), tuple(ordered), "\n".join([*said, body]).strip())


def _block(lines: Sequence[str], prefix: str) -> int:
    """How many of the first lines are the block of command lines, up to its last command."""
    block = 0
    for count, line in enumerate(lines, start=1):
        if not line:
            continue
        if _seen(line, prefix) is not None:
            block = count
        elif line.translate(_ZERO_WIDTH).strip():
            break
    return block


def _in_position(lines: Sequence[str], prefix: str) -> Iterator[_Seen]:
    for line in lines:
        seen = _seen(line, prefix)
        if seen is not None:
            yield seen


def _seen(line: str, prefix: str, position: bool = True) -> _Seen | None:
    """The line as a command, if it starts like one.

    In command position a blank behind the prefix does not make a known command into text.
    """
    start = line.translate(_ZERO_WIDTH).lstrip()
    body = start.lstrip(_OPENING)
    opening = start[: len(start) - len(body)]
    plain = body[:_LONGEST_HEAD].translate(_LOOK_ALIKE)
    if not plain.startswith(prefix):
        return None
    at = len(prefix)
    spaced = plain[at : at + 1].isspace() or plain.startswith(prefix, at)
    if spaced:
        at = len(plain) - len(plain[at:].lstrip(prefix + _BLANKS))
    name = _NAME.match(plain, at)
    if name is None or (spaced and not (position and name.group().casefold() in KNOWN)):
        return None
    return _Seen(line, name.group().casefold(), _rest(body[name.end() :], opening), spaced)


def _rest(rest: str, opening: str) -> str:
    """What follows the name, without what only closes what was opened before the prefix."""
    closing = "".join(_MIRROR.get(char, char) for char in opening if char not in "\\-–—•·‣◦▪ \t")
    if closing:
        rest = rest.lstrip(closing).rstrip().rstrip(closing)
    return " ".join(rest.split())


def _read(seen: _Seen, prefix: str) -> Command | Problem:
    name = seen.known
    if name is None:
        return Problem(seen.line, f"{prefix}{seen.name[:40]} is not a command", _nearest(seen.name, prefix))
    written = f"{prefix}{name}"
    if seen.spaced:
        return Problem(seen.line, f"write {written} without anything between {prefix} and the name", written)
    argument = read_argument(seen.rest, name.shape)
    reason = _misfit(name.shape, argument, prefix)
    if reason is not None:
        return Problem(seen.line, f"{written} {reason}", written)
    return Command(name, argument, seen.line)


def _misfit(shape: Shape, argument: str, prefix: str) -> str | None:
    """Why the argument does not fit, if it does not."""
    if shape.free and _seen(argument, prefix) is not None:
        return "is followed by another command; write each on a line of its own"
    return misfit(shape, argument)


def _nearest(name: str, prefix: str) -> str | None:
    if name == "?":
        return f"{prefix}{CommandName.HELP}"
    known = list(KNOWN)
    near = difflib.get_close_matches(name[:40], known, n=1) or difflib.get_close_matches(
        re.split(r"[-_]", name[:40])[0], known, n=1
    )
    return f"{prefix}{KNOWN[near[0]]}" if near else None


def _contradictions(commands: Sequence[Command]) -> Iterator[Problem]:
    """Two different commands of one exclusive group: nobody can tell which was meant."""
    for group in dict.fromkeys(one.name.group for one in commands if one.name.group):
        members = [one for one in commands if one.name.group == group]
        first = members[0] if members else None
        for other in members[1:]:
            same_name = first is not None and other.name is first.name
            free = other.name in (CommandName.NOTE, CommandName.REPLY)
            if first is None or (
                same_name and (free or other.argument.casefold() == first.argument.casefold())
            ):
                continue
            yield Problem(other.line, f"contradicts the line {first.line.strip()[:80]!r}")


def _in_the_middle(lines: Sequence[str], prefix: str, most: int) -> Iterator[Problem]:
    """Known commands outside command position: meant as a command or as text, nobody can tell."""
    for line in lines:
        seen = _seen(line, prefix, position=False)
        if seen is None or seen.known is None:
            continue
        if most <= 0:
            return
        most -= 1
        reason = "a command stands in the first or last lines of the text, not between others"
        yield Problem(line, reason, f"{prefix}{seen.known}")
