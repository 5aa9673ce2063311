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

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from mailticket.mail.arguments import Shape, misfit, read_argument
from mailticket.mail.command_lines import Row, Seen, block, known_outside, of_other_desks, rows, see
from mailticket.mail.nearest import nearest
from mailticket.mail.pseudo_headers import Field, fields, in_doubt
from mailticket.mail.vocabulary import KNOWN, CommandName

_MOST_PROBLEMS: Final = 20
_MOST_FIELDS: Final = 30
_BETWEEN: Final = "a command stands in the first or last lines of the text, not between others"
_UNSURE: Final = (
    "may go on in the next line, or not: leave a blank line below it, or let your mail program wrap no lines"
)


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
    reply     it is said in so many words to be for the customer
    commands  what is to be changed, in the order written, without #note and #reply
    body      the text without the command lines, line breaks as LF; "" when only commands were written
    """

    note: bool
    commands: tuple[Command, ...]
    body: str
    reply: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that stops the mail, why, and the valid command nearest to it, with its prefix."""

    line: str
    reason: str
    nearest: str | None = None


@dataclass(frozen=True, slots=True)
class Problems:
    """Nothing may be done or sent. At least one problem, at most twenty; and what was understood."""

    problems: tuple[Problem, ...]
    understood: Commands = Commands(False, (), "")


def parse_commands(reply_text: str, prefix: str = "#", signature: str = "") -> Commands | Problems:
    """The commands in an agent's new text, and the text without them; or why nothing may be done.

    reply_text  the new text of the mail, quotes and signature already taken off
    prefix      what starts a command: one or more characters, none a letter, digit or blank
    signature   what was taken off as the signature: phones put it above what is written last

    Raises ValueError for another prefix. Linear in the length of the text.
    """
    if not prefix or any(char.isalnum() or char.isspace() for char in prefix):
        raise ValueError(f"not a command prefix: {prefix!r}")
    found = rows(reply_text.splitlines(), prefix)
    problems: list[Problem] = []
    commands: list[Command] = []
    top = _read_top(found, prefix, commands, problems)
    bottom = len(found) - block(found[top:][::-1])
    _read_rows(found[bottom:], prefix, commands, problems)
    problems += _below(signature, prefix, commands)
    problems += _contradictions(commands)
    outside = known_outside(found[top:bottom], prefix)
    problems += (
        Problem(one.line, _BETWEEN, f"{prefix}{one.known}") for one in islice(outside, _MOST_PROBLEMS)
    )
    understood = _commands(commands, _text(found, top, bottom))
    if not understood.note:
        problems += (
            Problem(line, f"commands start with {prefix} here", f"{prefix}{name}")
            for line, name in of_other_desks(found[top:bottom], prefix)
        )
    return Problems(tuple(problems[:_MOST_PROBLEMS]), understood) if problems else understood


def _text(found: list[Row], top: int, bottom: int) -> str:
    """The rows between the command lines, without a mobile client's footer above the last of them."""
    while top < bottom < len(found) and found[bottom - 1].blank:
        bottom -= 1
    return "\n".join(row.raw for row in found[top:bottom]).strip()


def _read_top(found: list[Row], prefix: str, commands: list[Command], problems: list[Problem]) -> int:
    """Read the command lines and pseudo-headers at the top; how many rows they are."""
    top = 0
    while True:
        length = block(found[top:])
        _read_rows(found[top : top + length], prefix, commands, problems)
        top += length
        start = next((at for at in range(top, len(found)) if not found[at].blank), len(found))
        count, read = fields([row.raw for row in found[start : start + _MOST_FIELDS]])
        if not count:
            if not length:
                return top
            continue
        top = start + count
        below = top < len(found) and _is_text(found[top])
        _read_fields(read, below, prefix, commands, problems)


def _is_text(row: Row) -> bool:
    return row.seen is None and not row.blank


def _read_fields(
    read: tuple[Field, ...], text_below: bool, prefix: str, commands: list[Command], problems: list[Problem]
) -> None:
    doubt = in_doubt(read, text_below=text_below)
    for one in read:
        written = None if one.name is None else f"{prefix}{one.name}"
        if one.problem or doubt or one.name is None:
            problems.append(Problem(one.line, one.problem or doubt or "", written))
        else:
            commands.append(Command(one.name, one.argument, one.line))


def _read_rows(found: Iterable[Row], prefix: str, commands: list[Command], problems: list[Problem]) -> None:
    for row in found:
        if row.seen is None:
            continue
        read = _read(row.seen, prefix)
        if isinstance(read, Problem):
            problems.append(read)
        elif row.unsure:
            problems.append(Problem(row.raw, _UNSURE, f"{prefix}{read.name}"))
        else:
            commands.append(read)


def _below(signature: str, prefix: str, commands: list[Command]) -> list[Problem]:
    """Commands at the end of the signature are read like others; a word that is near none may stand there."""
    if not signature:
        return []
    found = rows(signature.splitlines(), prefix)
    end = len(found) - block(found[::-1])
    problems: list[Problem] = []
    last = [row for row in found[end:] if row.seen and (row.seen.known or nearest(row.seen.name, KNOWN))]
    _read_rows(last, prefix, commands, problems)
    outside = known_outside(found[:end], prefix)
    problems += (
        Problem(one.line, _BETWEEN, f"{prefix}{one.known}") for one in islice(outside, _MOST_PROBLEMS)
    )
    return problems


def _commands(commands: Sequence[Command], body: str) -> Commands:
    notes = [one for one in commands if one.name is CommandName.NOTE]
    said = [one.argument for one in notes if one.argument]
    changes = [one for one in commands if one.name not in (CommandName.NOTE, CommandName.REPLY)]
    unique = {(one.name, one.argument.casefold()): one for one in reversed(changes)}
    ordered = [one for one in changes if unique[one.name, one.argument.casefold()] is one]
    public = any(one.name is CommandName.REPLY for one in commands)
    return Commands(bool(notes), tuple(ordered), "\n".join([*said, body]).strip(), public)


def _read(seen: Seen, prefix: str) -> Command | Problem:
    name = seen.known
    if name is None:
        return Problem(seen.line, f"{prefix}{seen.name[:40]} is not a command", _nearest(seen.name, prefix))
    written = f"{prefix}{name}"
    if seen.spaced:
        return Problem(seen.line, f"write {written} without anything between {prefix} and the name", written)
    argument = read_argument(seen.rest, name.shape)
    reason = _misfit(name.shape, argument, prefix)
    if reason is not None:
        # with nothing behind it, its bare name is what was written: a whole example says more
        return Problem(seen.line, f"{written} {reason}", written if argument else f"{prefix}{name.example}")
    return Command(name, argument, seen.line)


def _misfit(shape: Shape, argument: str, prefix: str) -> str | None:
    """Why the argument does not fit, if it does not."""
    if shape.free and see(argument, prefix) is not None:
        return "is followed by another command; write each on a line of its own"
    return misfit(shape, argument)


def _nearest(name: str, prefix: str) -> str | None:
    if name == "?":
        return f"{prefix}{CommandName.HELP}"
    near = nearest(name, KNOWN) or nearest(re.split(r"[-_]", name)[0], KNOWN)
    return f"{prefix}{KNOWN[near]}" if near else None


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
