"""A ticket as its event log tells it: what each of its fields was at any moment, and when it was open.

Reports and what-if runs ask the log and not the ticket's row, because the row only knows today.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from mailticket.domain.clocks import ClockEvent, ClockEventKind

Field = Literal["department", "topic", "priority", "sla_plan", "assignee", "team"]
FIELDS: tuple[Field, ...] = ("department", "topic", "priority", "sla_plan", "assignee", "team")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field got another value, when (aware UTC)."""

    at: datetime
    name: Field
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class OpenSpell:
    """A stretch in which the ticket was unfinished; `ended_at` None while it still is.

    came_back  the ticket was reopened after it
    """

    since: datetime
    ended_at: datetime | None
    came_back: bool = False


@dataclass(frozen=True, slots=True)
class TicketStory:
    """One ticket and what happened to it.

    fields   as they are now, by name
    changes  of those fields, in order
    events   what clocks count, in order
    """

    id: int
    number: str
    subject: str
    status: str
    created_at: datetime
    fields: Mapping[Field, str | None]
    changes: tuple[FieldChange, ...]
    events: tuple[ClockEvent, ...]

    def value(self, name: Field, at: datetime) -> str | None:
        """What a field was at a moment, changes of that very moment included."""
        own = [change for change in self.changes if change.name == name]
        earlier = [change for change in own if change.at <= at]
        if earlier:
            return earlier[-1].after
        return own[0].before if own else self.fields[name]

    def first(self, name: Field) -> str | None:
        """What a field was when the ticket was made."""
        return next((change.before for change in self.changes if change.name == name), self.fields[name])

    def until(self, moment: datetime) -> TicketStory:
        """The story as it was told at a moment: what happened from then on has not happened."""
        later = {change.name for change in self.changes if change.at >= moment}
        if not later and not any(event.at >= moment for event in self.events):
            return self
        fields = dict(self.fields)
        for change in reversed(self.changes):
            if change.at >= moment:
                fields[change.name] = change.before
        return replace(
            self,
            fields=fields,
            changes=tuple(change for change in self.changes if change.at < moment),
            events=tuple(event for event in self.events if event.at < moment),
        )

    def spells(self) -> tuple[OpenSpell, ...]:
        """When the ticket was unfinished, in order."""
        found: list[OpenSpell] = []
        since: datetime | None = self.created_at
        for event in self.events:
            if event.kind is ClockEventKind.RESOLVED and since is not None:
                found.append(OpenSpell(since, max(event.at, since)))
                since = None
            elif event.kind is ClockEventKind.REOPENED and since is None:
                found[-1] = replace(found[-1], came_back=True)
                since = event.at
        return tuple(found) if since is None else (*found, OpenSpell(since, None))
