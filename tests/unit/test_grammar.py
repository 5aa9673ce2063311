"""The grammar of command lines as tables of readable rows, one file for each sort of trouble."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mailticket.mail.commands import Commands, Problems, parse_commands

_FOLDER = Path(__file__).with_name("grammar")
_FILES = sorted(_FOLDER.glob("*.txt"))


def _rows() -> list[tuple[str, str]]:
    found = []
    for file in _FILES:
        lines = file.read_text(encoding="utf-8").splitlines()
        found += [(file.stem, line) for line in lines if "  =>  " in line and not line.startswith("# text")]
    return found


def _written(text: str) -> str:
    """A row's text: line breaks and characters given by number put in."""
    text = text.replace("⏎", "\n").replace("\\\\", "\\")
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)


def _told(parsed: Commands | Problems) -> str:
    """What came out of a parse, as rows put it."""
    if isinstance(parsed, Problems):
        return f"STOP {next((one.nearest for one in parsed.problems if one.nearest), '')}".strip()
    said = "; ".join(f"{one.name} {one.argument}".strip() for one in parsed.commands)
    note = "NOTE " if parsed.note else ""
    return f"{note}{said}".strip() + f" | {parsed.body}".rstrip()


@pytest.mark.parametrize(("table", "row"), _rows(), ids=lambda value: value[:60])
def test_every_row_of_the_grammar_is_read_as_it_says(table: str, row: str) -> None:
    text, _, outcome = row.partition("  =>  ")
    text, _, signature = text.partition("¶")
    parsed = parse_commands(_written(text), "/" if table == "slash" else "#", _written(signature))
    assert _told(parsed).strip() == _written(outcome).strip()


def test_there_are_enough_rows() -> None:
    assert len(_rows()) >= 200
