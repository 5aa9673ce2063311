"""Changes that tie tickets to each other and to departments, and those of custom fields."""

from __future__ import annotations

from dataclasses import dataclass

from mailticket.domain.types import FieldValue


@dataclass(frozen=True, slots=True)
class SetCustomField:
    """Give a custom field a value that domain/fields.py has read; None takes it away."""

    ticket: int | None
    key: str
    value: FieldValue
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class Refer:
    """Let another department see a ticket, and hear of it."""

    ticket: int | None
    department: str
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class Unrefer:
    """A department sees a ticket of another one no more."""

    ticket: int
    department: str
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class Link:
    """Two tickets have to do with each other; with `blocks`, `ticket` waits until `other` is finished."""

    ticket: int | None
    other: int
    actor: str
    why: str
    blocks: bool = False


@dataclass(frozen=True, slots=True)
class Unlink:
    """What was linked is so no more; a ticket that waited for the other goes on."""

    ticket: int
    other: int
    actor: str
    why: str


TieChange = SetCustomField | Refer | Unrefer | Link | Unlink
