"""One mistake in the configuration, and the error that carries all of them.

A problem never shows a secret: whoever makes one passes its value through `shown`, and passes
none at all where the value may be a secret (unknown keys included: `pasword = "..."` is one).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from mailticket.errors import Permanent

Path = tuple[str | int, ...]
"""Where an option stands: ("departments", "it", "addresses", 0)."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_URL_PASSWORD = re.compile(r"(://[^\s:@]*:)\S*@")
_QUERY_PASSWORD = re.compile(r"([?&]password=)[^&\s]+", re.IGNORECASE)
_MAX_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake.

    file        the file as the operator knows it ("config/people.toml"), or "environment NAME"
    path        the option, dotted ("departments.it.addresses[0]"); empty for a whole file
    message     what is wrong, as the rest of a sentence about the option
    value       what is written there, shortened; None where it is missing or may be a secret
    suggestion  what to write instead, as a sentence; None when nothing is near
    line        the line of a syntax error
    """

    file: str
    path: str
    message: str
    value: str | None = None
    suggestion: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        subject = f"{self.path}: " if self.path else ""
        value = "" if self.value is None else f" (it is {self.value})"
        suggestion = "" if self.suggestion is None else f". {self.suggestion}"
        return f"{place}: {subject}{self.message}{value}{suggestion}"


class ConfigurationError(Permanent):
    """The configuration cannot be used; `problems` holds every mistake found, by file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = "one mistake" if count == 1 else f"{count} mistakes"
        super().__init__("\n".join((f"{head} in the configuration:", *(f"  {one}" for one in self.problems))))


def dotted(path: Path) -> str:
    """("rules", "Outage now", "when", 0) -> 'rules."Outage now".when[0]'."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _BARE_KEY.fullmatch(part) else '"' + part.replace('"', '\\"') + '"'
            text += f".{key}" if text else key
    return text


def shown(value: Any) -> str | None:
    """A value for a person to recognise: at most 80 characters, passwords in URLs masked.

    None for tables, which may hold secrets.
    """
    if value is None or isinstance(value, dict):
        return None
    if isinstance(value, (list, tuple)):
        if any(isinstance(item, (dict, list, tuple)) for item in value):
            return None
        text = "[" + ", ".join(shown(item) or "" for item in value[:20]) + "]"
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, (int, float, str)):
        text = repr(value)
    else:
        text = str(value)
    return _shortened(mask_url(text))


def mask_url(text: str) -> str:
    """Replaces what stands between "://user:" and "@", and after "?password=", by asterisks."""
    return _QUERY_PASSWORD.sub(r"\1***", _URL_PASSWORD.sub(r"\1***@", text))


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A sentence naming the nearest known word; without a near one, all of them if they are few."""
    words: Sequence[str] = sorted(known)
    folded = {candidate.casefold(): candidate for candidate in words}
    near = get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
    if near:
        return f"Did you mean {folded[near[0]]}?"
    if 0 < len(words) <= 12:
        return f"Known are: {', '.join(words)}"
    return None


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."
