"""Canned replies: texts that are written once and used often, with places for what differs."""

from __future__ import annotations

import re
from typing import Final

from pydantic import field_validator

from mailticket.config.section import Section
from mailticket.config.values import Line, NotThis

KNOWN: Final = (
    "ticket.number", "ticket.subject", "ticket.name", "department.name", "company.name", "agent.name",
)  # fmt: skip
"""The variables that fill themselves in; any other name is a value whoever uses the reply gives."""
UNKNOWN_TO_RULES: Final = ("agent.name",)
"""What there is none of when a rule sends the reply."""

_PLACE: Final = re.compile(r"\{\{\s*([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?)\s*\}\}", re.ASCII)
_LONGEST: Final = 20_000


class Canned(Section):
    """A canned reply. `departments` are those whose tickets it is for; none written means all."""

    key: str = ""
    title: Line
    text: str
    departments: tuple[str, ...] = ()

    @field_validator("text")
    @classmethod
    def _has_places_that_can_be_filled(cls, value: str) -> str:
        text = value.strip()
        if not text:
            raise NotThis("must not be empty")
        if len(text) > _LONGEST:
            raise NotThis(f"must not be longer than {_LONGEST} characters")
        rest = _PLACE.sub("", text)
        if "{{" in rest or "}}" in rest:
            raise NotThis('has braces that are no variable like "{{ ticket.number }}" or "{{ link }}"')
        unknown = [name for name in _names(text) if "." in name and name not in KNOWN]
        if unknown:
            raise NotThis(f"names {unknown[0]}, which nobody fills in", f"There are {', '.join(KNOWN)}")
        return text

    @property
    def asks_for(self) -> tuple[str, ...]:
        """The values that whoever uses it has to give, in the order of the text."""
        return tuple(name for name in _names(self.text) if name not in KNOWN)

    @property
    def fills_itself_in(self) -> bool:
        """Whether it needs nothing that only an agent can give."""
        return not self.asks_for and not set(self.names) & set(UNKNOWN_TO_RULES)

    @property
    def names(self) -> tuple[str, ...]:
        """Every variable of the text, each once, in order."""
        return _names(self.text)

    def filled(self, values: dict[str, str]) -> str:
        """The text with `values` in it. KeyError for a variable without one; values are never read again."""
        return _PLACE.sub(lambda place: values[place[1]], self.text)


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_PLACE.findall(text)))
