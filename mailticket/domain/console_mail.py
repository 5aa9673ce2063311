"""What an answer of the mail console says: values only, JSON-able, rendered by `console.answer`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ConsoleOutcome:
    """What became of the commands for one ticket. `named`: the number as it was written."""

    named: str
    number: str
    subject: str
    done: bool
    words: str


@dataclass(frozen=True, slots=True)
class ConsoleRow:
    """A numbered line. due and overdue in ISO form; snippet: the words around what was searched for."""

    n: int
    number: str
    subject: str
    status: str
    priority: str
    assigned: str
    requester: str
    due: str | None
    overdue: str | None
    snippet: str


@dataclass(frozen=True, slots=True)
class ConsoleList:
    """A list under what was asked for; `trouble` instead, where that means nothing."""

    asked: str
    rows: tuple[ConsoleRow, ...] = ()
    more: bool = False
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ConsoleStory:
    """A ticket with its story. moments: (when in ISO form, who, what, why, text)."""

    n: int
    number: str
    subject: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    moments: tuple[tuple[str, str, str, str, str], ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ConsoleMail:
    """Everything one answer says. problems: (line, reason, nearest); with any, nothing was done."""

    problems: tuple[tuple[str, str, str], ...] = ()
    outcomes: tuple[ConsoleOutcome, ...] = ()
    lists: tuple[ConsoleList, ...] = ()
    stories: tuple[ConsoleStory, ...] = ()
    by_number: tuple[str, ...] = ()
    """Lines that would do something with what is listed (domain/by_number.py)."""


def from_json(values: dict[str, Any]) -> ConsoleMail:
    """The mail as `asdict` wrote it, back from JSON."""
    return ConsoleMail(
        problems=tuple(tuple(row) for row in values["problems"]),
        outcomes=tuple(ConsoleOutcome(**row) for row in values["outcomes"]),
        lists=tuple(
            ConsoleList(**{**one, "rows": tuple(ConsoleRow(**row) for row in one["rows"])})
            for one in values["lists"]
        ),
        stories=tuple(
            ConsoleStory(
                **{
                    **one,
                    "facts": tuple(tuple(pair) for pair in one["facts"]),
                    "moments": tuple(tuple(row) for row in one["moments"]),
                }
            )
            for one in values["stories"]
        ),
        by_number=tuple(values.get("by_number", ())),
    )
