"""domain/rehearsal.py: what asks for a dry run, and of what."""

from __future__ import annotations

import pytest

from mailticket.domain.rehearsal import rehearsal


@pytest.mark.parametrize(
    ("text", "prefix", "about"),
    [
        ("#?\n#take\n\nHello", "#", "#take\n\nHello"),
        ("\n  #?  \nHello", "#", "Hello"),
        ("#? take", "#", "#take\n"),
        ("#? #take", "#", "#take\n"),
        ("#?close the fuse was blown", "#", "#close the fuse was blown\n"),
        ("/? take\nHello", "/", "/take\nHello"),
        ("*#?*\nHello", "#", "Hello"),
    ],
)
def test_a_mark_in_front_asks_what_would_happen(text: str, prefix: str, about: str) -> None:
    assert rehearsal(text, prefix) == (True, about)


@pytest.mark.parametrize("text", ["", "Hello\n#?", "#take\n#?", "? what", "#help", "Is it #?"])
def test_anything_else_is_meant(text: str) -> None:
    assert rehearsal(text, "#") == (False, text)
