"""What somebody asked to be shown or done by one mail: the agents' console, a customer's own tickets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ConsoleLook:
    """Something an agent wants to see: `argument` is words, filters, or for "show" a number."""

    kind: Literal["list", "show", "search"]
    argument: str


@dataclass(frozen=True, slots=True)
class ConsoleLine:
    """A command for several tickets: numbers of a list or of tickets; the command with its prefix."""

    numbers: tuple[str, ...]
    command: str
    line: str


@dataclass(frozen=True, slots=True)
class AnswerConsole:
    """Carry out what an agent asked of the mail console, and answer with one mail (work/console.py).

    address   where the agent wrote from
    listing   the numbered mail that is answered
    problems  one per line that was not understood; then nothing is done
    """

    agent: str
    address: str
    listing: int | None
    looks: tuple[ConsoleLook, ...]
    lines: tuple[ConsoleLine, ...]
    problems: tuple[tuple[str, str, str], ...]
    subject: str
    why: str


@dataclass(frozen=True, slots=True)
class SendStatus:
    """Mail a customer the list of their own open tickets."""

    address: str
    name: str
    why: str
