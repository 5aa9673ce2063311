"""What stands in a document, wherever it stands: for rules that look at more than one section."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from mailticket.config.problems import Path
from mailticket.config.validate import Draft
from mailticket.config.values import NotThis, canonical_address

ANY: Final = "*"
"""Any key of a table, or any place of a list."""


def matching(here: Any, path: Path, pattern: Path) -> Iterator[tuple[Path, Any]]:
    """Every value below `here` (which is at `path`) whose place fits the pattern, with its path."""
    if not pattern:
        yield path, here
    elif isinstance(here, list) and pattern[0] == ANY:
        for index, inner in enumerate(here):
            yield from matching(inner, (*path, index), pattern[1:])
    elif isinstance(here, dict):
        for key in here if pattern[0] == ANY else [pattern[0]]:
            if key in here:
                yield from matching(here[key], (*path, key), pattern[1:])


def addresses(draft: Draft, section: str) -> Iterator[tuple[Path, str]]:
    """Every valid address of a section, as written in entries with and without other mistakes."""
    for path, written in matching(draft.document.tree, (), (section, ANY, "addresses")):
        for index, address in enumerate(written if isinstance(written, list) else ()):
            try:
                yield (*path, index), canonical_address(str(address).strip())
            except NotThis:
                continue  # reported where the section is validated
