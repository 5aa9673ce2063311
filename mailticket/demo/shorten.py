"""A mail's text, short enough to be watched: no machine lines, facts on one line, long ends cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

_MOST_LINES = 16
_MARKER = "-- Please reply above this line --"
_TWO_COLUMNS = re.compile(r"^(\S+(?: \S+){0,6}) {2,}(\S+(?: \S+)*)$")


def shortened(text: str, most: int = _MOST_LINES) -> str:
    """The first `most` lines of what the text says; how many are left out is said."""
    kept = [line for line in text.splitlines() if line.strip() != _MARKER and not line.startswith("[mt:")]
    lines = "\n\n".join(_blocks(kept)).splitlines()
    if len(lines) <= most + 1:
        return "\n".join(lines)
    shown = "\n".join(lines[:most]).rstrip()
    return f"{shown}\n… {len(lines) - most} more lines"


def _blocks(lines: list[str]) -> Iterator[str]:
    """Paragraphs; one that is a table of names and values becomes a line of its own."""
    for blank, group in groupby(lines, key=lambda line: not line.strip()):
        if blank:
            continue
        block = list(group)
        facts = [_TWO_COLUMNS.match(line) for line in block]
        if len(block) > 1 and all(facts):
            yield " · ".join(f"{fact[1]}: {fact[2]}" for fact in facts if fact is not None)
        else:
            yield "\n".join(block)
