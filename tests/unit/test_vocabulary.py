"""mail/vocabulary.py and domain/effects.py: one table of commands, and each of them does something."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailticket.delivery.context import context_of
from mailticket.delivery.render import Renderer
from mailticket.delivery.samples import SAMPLES
from mailticket.domain.effects import ALONE, BUILT_IN, EFFECTS
from mailticket.mail.commands import Commands, parse_commands
from mailticket.mail.vocabulary import KNOWN, CommandName
from tests.unit.commands_page import PAGE, written


def test_every_command_has_exactly_one_effect() -> None:
    assert EFFECTS.keys() | ALONE.keys() | BUILT_IN == set(CommandName)
    assert not EFFECTS.keys() & ALONE.keys()


def test_no_word_means_two_commands() -> None:
    words = [word for one in CommandName for word in (one.value, *one.aliases)]
    assert sorted(words) == sorted(KNOWN)


@pytest.mark.parametrize("name", CommandName)
def test_the_example_of_a_command_is_that_command(name: CommandName) -> None:
    parsed = parse_commands(f"#{name.example}")
    assert isinstance(parsed, Commands), parsed
    if name in (CommandName.NOTE, CommandName.REPLY):
        assert parsed.commands == ()
    else:
        assert [one.name for one in parsed.commands] == [name]


@pytest.mark.parametrize("name", CommandName)
def test_a_command_is_told_of_in_one_line(name: CommandName) -> None:
    assert 5 < len(name.help) <= 100
    assert not name.help.endswith(".")


def test_the_page_of_commands_shows_the_vocabulary() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == written(page), "run: python -m tests.unit.commands_page"


def test_the_mail_that_answers_help_lists_every_command_with_the_desks_prefix() -> None:
    for prefix in ("#", "/"):
        letter = replace(SAMPLES["command.help"](), command_prefix=prefix)
        rendered = Renderer([]).render("command.help", "en", context_of(letter))
        for one in CommandName:
            assert f"{prefix}{one}" in rendered.text
            assert f"{prefix}{one}" in rendered.html
