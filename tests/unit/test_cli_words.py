"""What people read on the command line: help that wraps at any width, and numbers with the right noun."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typer.core import TyperCommand, TyperGroup

from mailticket.cli.lazy import LazyCommands
from mailticket.cli.main import PLACES
from mailticket.cli.session import counted


def commands(name: str) -> Iterator[tuple[str, TyperCommand]]:
    """A command, or those of a group, by the words that call them."""
    found = LazyCommands(PLACES)[name]
    if isinstance(found, TyperGroup):
        for inner, command in found.commands.items():
            assert isinstance(command, TyperCommand)
            yield f"{name} {inner}", command
    else:
        yield name, found


@pytest.mark.parametrize("name", PLACES)
def test_help_is_there_and_its_paragraphs_are_wrapped_for_the_terminal_at_hand(name: str) -> None:
    for called, command in commands(name):
        assert command.help, called
        for paragraph in command.help.split("\n\n"):
            assert "\n" not in paragraph or "\n " in paragraph, called


@pytest.mark.parametrize(
    ("number", "words", "shown"),
    [
        (0, ("seal",), "0 seals"),
        (1, ("seal",), "1 seal"),
        (2, ("mailbox", "mailboxes"), "2 mailboxes"),
        (1, ("mailbox", "mailboxes"), "1 mailbox"),
    ],
)
def test_things_are_counted_in_words(number: int, words: tuple[str, ...], shown: str) -> None:
    assert counted(number, *words) == shown
