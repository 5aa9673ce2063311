"""Taking a person out of texts: their addresses, their names, and what they wrote. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

ERASED: Final = "(erased)"
_SHORTEST_LINE: Final = 12
"""Characters; shorter lines are anybody's: "Thank you!"."""
_SHORTEST_NAME: Final = 3
_QUOTING: Final = re.compile(r"^[\s>|]*")
_WORDS: Final = ("text", "subject", "diagnostic", "problems", "notice")
"""Keys of an event's data that hold somebody's words."""


@dataclass(frozen=True)
class Redactor:
    """Replaces a person in texts.

    addresses  canonical; names as written; lines  what they wrote, stripped; stand_in  what stands for an
               address afterwards
    """

    addresses: frozenset[str]
    names: frozenset[str]
    lines: frozenset[str]
    stand_in: str

    def text(self, value: str) -> str:
        """The text without the person: each line of theirs, quoted or not, and every mention of them."""
        if not value:
            return value
        kept = (ERASED if self._theirs(line) else line for line in value.split("\n"))
        found = self._address.sub(self.stand_in, "\n".join(kept))
        return found if self._name is None else self._name.sub(ERASED, found)

    def value(self, value: Any) -> Any:
        """The same for whatever JSON holds; keys stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(one) for one in value]
        if isinstance(value, dict):
            return {key: self.value(one) for key, one in value.items()}
        return value

    def data(self, data: dict[str, Any]) -> dict[str, Any]:
        """An event's data: nobody's words are kept, the rest is freed of the person."""
        return {key: _emptied(one) if key in _WORDS else self.value(one) for key, one in data.items()}

    def is_theirs(self, address: str | None) -> bool:
        """Whether an address, in whatever case, is the person's."""
        return address is not None and address.lower() in self.addresses

    def _theirs(self, line: str) -> bool:
        return _QUOTING.sub("", line).strip() in self.lines

    @cached_property
    def _address(self) -> re.Pattern[str]:
        each = sorted(map(re.escape, self.addresses), key=len, reverse=True)
        return re.compile("|".join(each) or r"(?!)", re.IGNORECASE)

    @cached_property
    def _name(self) -> re.Pattern[str] | None:
        each = sorted(map(re.escape, self.names), key=len, reverse=True)
        return re.compile(rf"(?<!\w)(?:{'|'.join(each)})(?!\w)", re.IGNORECASE) if each else None


def names_of(written: Iterable[str | None]) -> frozenset[str]:
    """Names worth looking for in texts."""
    return frozenset(one.strip() for one in written if one and len(one.strip()) >= _SHORTEST_NAME)


def lines_of(texts: Iterable[str | None]) -> frozenset[str]:
    """The lines of what somebody wrote that are theirs and nobody else's."""
    lines = (_QUOTING.sub("", line).strip() for text in texts if text for line in text.splitlines())
    return frozenset(line for line in lines if len(line) >= _SHORTEST_LINE)


def _emptied(value: Any) -> Any:
    if isinstance(value, str):
        return ERASED if value else value
    return [] if isinstance(value, list) else value
