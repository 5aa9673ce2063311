"""RT's form of commands: lines such as `Status: resolved` as the very first ones of the text.

Everyday words and a colon begin ordinary answers too, so three cases are kept apart (docs/commands.md):

- commands: lines of known fields, each with a value that has its form, and a blank line, a command or
  the end of the text below them;
- text: the first line begins with no known field, or with an everyday word and a whole sentence;
- in doubt, so nothing is done: fields with text directly below, fields with and without a fitting value
  side by side, `Subject:` alone, and RT's own names (`TimeLeft`, `CF.{...}`) that mean nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mailticket.mail.arguments import misfit, read_argument
from mailticket.mail.vocabulary import CommandName

_LINE: Final = re.compile(
    r"[ \t\u00a0]*[*_]{0,2}([A-Za-z]{2,20}(?:\.\{[^{}\n]{1,60}\})?)[*_]{0,2}[ \t\u00a0]{0,3}[:：]"
    r"[*_]{0,2}[ \t\u00a0]*([^\n]*)"
)
_EVERYDAY: Final[dict[str, CommandName]] = {
    "status": CommandName.STATUS,
    "owner": CommandName.ASSIGN,
    "priority": CommandName.PRIORITY,
    "queue": CommandName.TRANSFER,
    "department": CommandName.TRANSFER,
    "due": CommandName.DUE,
    "subject": CommandName.SUBJECT,
}
"""Fields whose names begin ordinary sentences as well."""
_OWN: Final[dict[str, CommandName]] = {
    "addcc": CommandName.CC,
    "delcc": CommandName.UNCC,
    "requestor": CommandName.OWNER,
    "timeworked": CommandName.TIME,
}
"""Names that nobody writes but to say what they mean in RT."""
_ELSEWHERE: Final = re.compile(
    r"(?:finalpriority|timeestimated|timeleft|addadmincc|deladmincc|addrequestor|delrequestor|"
    r"dependson|dependedonby|refersto|referredtoby|memberof|(?:cf|txncf|customfield|customrole)\.\{.*)",
    re.IGNORECASE,
)
_SENTENCE: Final = "is it a field or text? Its value is a whole sentence"
_MOST_WORDS: Final = 5
"""More words are a sentence, not a value."""
_NOBODY: Final = ("nobody", "none")
_SENTENCE_ENDS: Final = (".", "!", "?", "…", "。")


@dataclass(frozen=True, slots=True)
class Field:
    """A line of the block: the command it is, or why it cannot be one."""

    line: str
    name: CommandName | None
    argument: str
    problem: str | None = None


def fields(lines: Sequence[str]) -> tuple[int, tuple[Field, ...]]:
    """(how many of the first lines are such a block, what is in them); (0, ()) for ordinary text.

    lines: those at the very top, the first not blank. In doubt every line of the block has a problem.
    """
    block: list[Field] = []
    for line in lines:
        found = _field(line)
        if found is None:
            break
        block.append(found)
    if all(one.problem == _SENTENCE for one in block):
        return 0, ()
    return len(block), tuple(block)


def in_doubt(block: Sequence[Field], *, text_below: bool) -> str | None:
    """Why nobody can tell whether the block is meant as commands; None when it is."""
    if text_below:
        return "is it a field or text? Leave a blank line below the fields, or begin with other words"
    if all(one.name is CommandName.SUBJECT for one in block):
        return "is it a field or text? A new subject is set by the command"
    return None


def _field(line: str) -> Field | None:
    found = _LINE.fullmatch(line.rstrip())
    if found is None:
        return None
    name, value = found[1].casefold(), found[2].strip()
    if _ELSEWHERE.fullmatch(name):
        return Field(line, None, "", "is a field of RT that means nothing here")
    command = _EVERYDAY.get(name) or _OWN.get(name)
    if command is None or (name in _EVERYDAY and not value):
        return None
    if name in _EVERYDAY and name != "subject" and _is_sentence(value):
        return Field(line, command, "", _SENTENCE)
    return _read(line, command, name, value)


def _is_sentence(value: str) -> bool:
    return len(value.split()) > _MOST_WORDS or value.endswith(_SENTENCE_ENDS)


def _read(line: str, command: CommandName, name: str, value: str) -> Field:
    if name == "owner" and value.casefold() in _NOBODY:
        return Field(line, CommandName.UNASSIGN, "")
    argument = read_argument(" ".join(value.split()), command.shape)
    wrong = misfit(command.shape, argument) or (None if argument else "has no value")
    return Field(line, command, argument, wrong)
