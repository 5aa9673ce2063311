"""format=flowed and doubled line ends."""

from __future__ import annotations

import pytest

from mailticket.mail.flowed import undouble, unflow


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("one \nline", "one line"),
        ("two\nlines", "two\nlines"),
        ("> quoted \n> line", "> quoted line"),
        ("> quoted \nnot quoted", "> quoted \nnot quoted"),
        (">> deeper \n>> line\n> up", ">> deeper line\n> up"),
        (" stuffed", "stuffed"),
        ("text \n-- \nname", "text \n-- \nname"),
        ("> a \n>\n> b", "> a \n> b"),
        ("", ""),
    ],
)
def test_soft_breaks_are_joined(text: str, joined: str) -> None:
    assert unflow(text, delsp=False) == joined


def test_delsp_takes_the_blank_away() -> None:
    assert unflow("プリン \nター", delsp=True) == "プリンター"


def test_doubled_line_ends_are_halved() -> None:
    doubled = "\n\n".join(["Hello", "", *[f"line {n}" for n in range(8)], "", "Bye"])
    assert undouble(doubled) == "\n".join(["Hello", "", *[f"line {n}" for n in range(8)], "", "Bye"])


@pytest.mark.parametrize(
    "text",
    [
        "\n\n".join(f"paragraph {n}" for n in range(12)),
        "\n".join(f"line {n}" for n in range(12)),
        "a\n\nb\n\n\n\nc",
        "\n\n\n".join(f"line {n}" for n in range(12)),
    ],
)
def test_ordinary_paragraphs_stay(text: str) -> None:
    assert undouble(text) == text
