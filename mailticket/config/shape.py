"""What may be written where: the sections as an operator sees them, derived from the models.

The files are flatter than the models: `[service]` also holds the desk's name, instance and time
zone, and the desk's departments, agents and so on are sections of their own.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from mailticket.config.desk import Desk, Section
from mailticket.config.problems import Path
from mailticket.config.settings import Settings

DESK_IN_SERVICE = ("name", "instance", "time_zone")
"""Options of `Desk` that are written in [service]."""

KEYED = (
    "arrivals",
    "departments",
    "agents",
    "teams",
    "roles",
    "organisations",
    "priorities",
    "topics",
    "statuses",
    "fields",
    "sla_plans",
    "schedules",
    "digests",
    "reports",
    "canned",
    "follow_ups",
    "webhooks",
    "queues",
)
"""Sections of the desk with entries by key."""

SINGLE = ("absence", "alerts", "digest", "brakes", "trust")
"""Sections of the desk that exist once."""

_COMMANDS = frozenset({"token_command"})
"""Options that are no secrets themselves but often carry one."""


@dataclass(frozen=True)
class Leaf:
    """An option with a value."""

    info: FieldInfo
    secret: bool = False
    """The value is never shown, and may be given as { env = ... } or { file = ... }."""
    hidden: bool = False
    """The value is never shown."""

    @property
    def takes_list(self) -> bool:
        """True for lists, which the environment writes with commas."""
        return any(typing.get_origin(part) is tuple for part in _alternatives(self.info.annotation))

    @property
    def takes_table(self) -> bool:
        """True for tables whose keys are values, as the hours of a schedule."""
        return any(typing.get_origin(part) is dict for part in _alternatives(self.info.annotation))


@dataclass(frozen=True, eq=False)
class Table:
    """A section: `[delivery]`, or one entry of a keyed section or of a list of tables."""

    model: type[Section]
    options: dict[str, Node]


@dataclass(frozen=True)
class Keyed:
    """A section whose entries have keys: `[departments.KEY]`."""

    entry: Table


@dataclass(frozen=True)
class Rows:
    """A list of tables: `[[rules]]`."""

    entry: Table


@dataclass(frozen=True)
class Top:
    """The whole configuration."""

    options: dict[str, Node] = field(default_factory=dict)


Node = Leaf | Table | Keyed | Rows


@cache
def shape() -> Top:
    """The shape of the whole configuration."""
    settings, desk = _options(Settings), _options(Desk)
    service = settings.pop("service")
    assert isinstance(service, Table)
    settings.pop("root")
    settings.pop("desk")
    sections = {name: desk.pop(name) for name in (*KEYED, "rules", *SINGLE)}
    in_service = {name: desk.pop(name) for name in DESK_IN_SERVICE}
    return Top(
        {
            "service": Table(service.model, {**in_service, **service.options}),
            "desk": Table(Desk, desk),
            **settings,
            **sections,
        }
    )


def node_at(path: Path) -> Node | None:
    """What stands at a path of the configuration, None when that is unknown."""
    here: Node | Top = shape()
    for part in path:
        following: Node | None = None
        if isinstance(here, (Table, Top)):
            following = here.options.get(str(part))
        elif isinstance(here, (Keyed, Rows)):
            following = here.entry
        elif isinstance(here, Leaf):
            return here
        if following is None:
            return None
        here = following
    return None if isinstance(here, Top) else here


def leaves(prefix: Path = (), node: Node | Top | None = None) -> Iterator[tuple[Path, Leaf]]:
    """Every option with its path; "KEY" and 0 stand for the entries of sections and lists.

    What a section holds of its own kind (conditions within conditions) is told once.
    """
    yield from _leaves(prefix, shape() if node is None else node, ())


def _leaves(prefix: Path, here: Node | Top, within: tuple[Node | Top, ...]) -> Iterator[tuple[Path, Leaf]]:
    if isinstance(here, Leaf):
        yield prefix, here
    elif isinstance(here, Keyed):
        yield from _leaves((*prefix, "KEY"), here.entry, within)
    elif isinstance(here, Rows):
        yield from _leaves((*prefix, 0), here.entry, within)
    elif not any(here is outer for outer in within):
        for name, option in here.options.items():
            yield from _leaves((*prefix, name), option, (*within, here))


_Known = dict[type[Section], "Table"]


def _options(model: type[Section], known: _Known | None = None) -> dict[str, Node]:
    known = {} if known is None else known
    return {
        name: _node(model, name, info, known) for name, info in model.model_fields.items() if name != "key"
    }


def _table(model: type[Section], known: _Known) -> Table:
    """The section's table; one and the same for a section within itself."""
    if model not in known:
        known[model] = Table(model, {})
        known[model].options.update(_options(model, known))
    return known[model]


def _node(model: type[Section], name: str, info: FieldInfo, known: _Known) -> Node:
    for part in _alternatives(info.annotation):
        origin, arguments = typing.get_origin(part), typing.get_args(part)
        if _is_section(part):
            return _table(part, known)
        if origin is dict and _is_section(arguments[1]):
            return Keyed(_table(arguments[1], known))
        if origin is tuple and _is_section(arguments[0]):
            return Rows(_table(arguments[0], known))
        if part is SecretStr:
            return Leaf(info, secret=True, hidden=True)
    database = model.__name__ == "Service" and name == "database"
    return Leaf(info, secret=database, hidden=name in _COMMANDS)


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """The members of a union without Annotated; of anything else, itself."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _alternatives(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return tuple(part for one in typing.get_args(annotation) for part in _alternatives(one))
    return (annotation,)


def _is_section(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, Section)
