"""What somebody typed, and which agent, department, team or priority it means. Never guesses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from mailticket.mail.nearest import nearest


class Named(Protocol):
    """Anything in the configuration with a display name."""

    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing, or more than one thing, has that name. `nearest` is a key that may be meant, or ""."""

    reason: str
    nearest: str = ""


def resolve(typed: str, things: Mapping[str, Named], what: str) -> str | Unknown:
    """The key of the thing called `typed`: by key, by whole name, or by a part of the name only it has.

    `what` names the sort of thing in the reason, for instance "department". Case does not count.
    """
    wanted = " ".join(typed.casefold().split()).removeprefix("@")
    by_key = {key.casefold(): key for key in things}
    if wanted in by_key:
        return by_key[wanted]
    exact = [key for key, thing in things.items() if thing.name.casefold() == wanted]
    if len(exact) == 1:
        return exact[0]
    part = exact or [key for key, thing in things.items() if wanted and _has_word(thing.name, wanted)]
    if len(part) == 1:
        return part[0]
    if part:
        return Unknown(f'more than one {what} is called "{typed}": {", ".join(sorted(part))}', part[0])
    names = {thing.name.casefold(): key for key, thing in things.items()} | by_key
    names |= {word: key for name, key in list(names.items()) for word in name.split() if word not in names}
    close = nearest(wanted, names)
    known = f"there are: {', '.join(sorted(things))}" if things else "this desk has none"
    return Unknown(f'there is no {what} "{typed}"; {known}', names[close] if close else "")


def _has_word(name: str, wanted: str) -> bool:
    words = name.casefold().split()
    pieces = wanted.split()
    return any(words[start : start + len(pieces)] == pieces for start in range(len(words)))
