"""Saved queues: lists of tickets by name."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator

from mailticket.config.section import Section
from mailticket.config.values import Line, NotThis, parse_duration

HOW: Final = "write 7d, 12h, +3d, today, yesterday, 2026-11-01 or 2026-11-01T10:30"
_SHAPE: Final = re.compile(
    r"\+?\d{1,5}\s*(min|m|h|d|w)|yesterday|today|tomorrow|\d{4}-\d\d-\d\d([T ]\d\d:\d\d\S*)?",
    re.ASCII | re.IGNORECASE,
)
TrustLevel = Literal["token", "authenticated", "known", "unknown", "failed"]
SortKey = Literal["due", "created", "updated", "closed", "priority"]


def _moment(value: str) -> str:
    if not _SHAPE.fullmatch(value.strip()):
        raise NotThis(f"is no moment: {HOW}")
    return value


def _length(value: str) -> str:
    parse_duration(value)
    return value


Moment = Annotated[str, AfterValidator(_moment)]
Length = Annotated[str, AfterValidator(_length)]
"""A duration, as written."""


class SavedQueue(Section):
    """Which tickets, in which order. All conditions must hold; of a list, one is enough.

    status    states, and keys of `[statuses]`
    assignee  keys of agents, "me" for whoever asks, "-" for nobody
    field     KEY=VALUE of custom fields
    """

    key: str = ""
    name: Line
    description: str = ""
    status: tuple[str, ...] = ()
    department: tuple[str, ...] = ()
    topic: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    sla_plan: tuple[str, ...] = ()
    assignee: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    requester: tuple[str, ...] = ()
    participant: tuple[str, ...] = ()
    organisation: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    trust: tuple[TrustLevel, ...] = ()
    source: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    field: tuple[str, ...] = ()
    words: str = ""
    created_since: Moment | None = None
    created_until: Moment | None = None
    updated_since: Moment | None = None
    updated_until: Moment | None = None
    due_since: Moment | None = None
    due_until: Moment | None = None
    closed_since: Moment | None = None
    closed_until: Moment | None = None
    wrote_since: Moment | None = None
    wrote_until: Moment | None = None
    answered_since: Moment | None = None
    answered_until: Moment | None = None
    spent: Length | None = None
    overdue: bool = False
    held: bool = False
    unanswered: bool = False
    all: bool = False
    sort: SortKey = "due"
    reverse: bool = False
