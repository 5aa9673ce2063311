"""Commands that are imported when they are called: starting the program costs what one command needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

Command = TyperCommand | TyperGroup


class LazyCommands(Mapping[str, Command]):
    """The commands of a group by name; `places` says of each in which module it is, and under which name.

    A function is one command; a `typer.Typer` a group of them.
    """

    def __init__(self, places: Mapping[str, tuple[str, str]]) -> None:
        self._places = places
        self._made: dict[str, Command] = {}

    def __getitem__(self, name: str) -> Command:
        if name not in self._made:
            module, attribute = self._places[name]
            self._made[name] = _made(name, getattr(import_module(module), attribute))
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


class LazyGroup(TyperGroup):
    """A group that knows its commands by name and imports those it is asked for."""

    places: Mapping[str, tuple[str, str]]

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = cast(MutableMapping[str, Any], LazyCommands(self.places))

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, in the order of `--help`; imports none."""
        return list(self.commands)


def _made(name: str, thing: Any) -> Command:
    if isinstance(thing, typer.Typer):
        group = get_group(thing)
        group.name = name
        for inner in group.commands.values():
            inner.help = _unwrapped(inner.help)
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name)(thing)
    made = cast(Command, get_command(alone))
    made.help = _unwrapped(made.help)
    return made


def _unwrapped(text: str | None) -> str | None:
    """A docstring with its paragraphs on one line each, so that they are wrapped for the terminal at hand."""
    if text is None:
        return None
    paragraphs = text.split("\n\n")
    return "\n\n".join(part if "\n " in part else " ".join(part.split("\n")) for part in paragraphs)
