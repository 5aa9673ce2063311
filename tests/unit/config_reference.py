"""How docs/config.md has to name the type and the default of an option; used by its test."""

from __future__ import annotations

import datetime
import typing
from typing import Any

from pydantic import SecretStr

from mailticket.config.cron import CronLine
from mailticket.config.problems import Path, dotted
from mailticket.config.queues import Moment
from mailticket.config.references import REFERENCES
from mailticket.config.shape import Leaf, leaves
from mailticket.config.values import Address, Day, Duration, LanguageTag, TimeZone, Weekday

__all__ = ["default_of", "heading_of", "rows", "type_of"]


def rows() -> list[tuple[Path, str, str]]:
    """Every option: its path, and the words for its type and its default."""
    return [(path, type_of(path, leaf), default_of(path, leaf)) for path, leaf in leaves()]


def type_of(path: Path, leaf: Leaf) -> str:
    """The word for an option's type."""
    pattern = tuple("*" if part in ("KEY", 0) else part for part in path)
    for reference, section in REFERENCES:
        if reference == pattern:
            return f"list of keys of `{section}`" if leaf.takes_list else f"key of `{section}`"
    if path == ("service", "database"):
        return "secret URL"
    return _type(leaf.info.annotation, leaf.info.metadata)


def default_of(path: Path, leaf: Leaf) -> str:
    """The word for an option's default, as TOML where it is a value."""
    if path == ("service", "secret_key"):
        return "made and kept in `{state_dir}/secret.key`"
    if path == ("desk", "default_department"):
        return "the only department"
    if leaf.info.is_required():
        return "required"
    default = leaf.info.get_default(call_default_factory=True)
    return "none" if default is None else f"`{_toml(default)}`"


def _type(annotation: Any, metadata: Any = ()) -> str:
    if typing.get_origin(annotation) is typing.Annotated:
        inner, *metadata = typing.get_args(annotation)
        return _type(inner, metadata)
    arguments = typing.get_args(annotation)
    if type(None) in arguments:
        return _type(next(part for part in arguments if part is not type(None)))
    if typing.get_origin(annotation) is typing.Literal:
        return "one of " + ", ".join(f"`{word}`" for word in arguments)
    if typing.get_origin(annotation) is tuple:
        return f"list of {_type(arguments[0])}s"
    if typing.get_origin(annotation) is dict:
        values = "intervals" if typing.get_origin(arguments[1]) is not None else _type(arguments[1])
        return f"table {_type(arguments[0])} = {values}"
    known = (
        (Address, "address"),
        (TimeZone, "time zone"),
        (Weekday, "weekday"),
        (CronLine, "cron line"),
        (LanguageTag, "language"),
        (Moment, "moment"),
    )
    for named, word in known:
        if annotation is str and typing.get_args(named)[1] in metadata:
            return word
    return {
        str: "text",
        int: "number",
        float: "number",
        bool: "true/false",
        SecretStr: "secret",
        typing.get_args(Duration)[0]: "duration",
        typing.get_args(Day)[0]: "date",
        datetime.time: "time of day",
    }.get(annotation, "path")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        assert not value
        return "{}"
    if isinstance(value, datetime.timedelta):
        return f'"{_duration(int(value.total_seconds()))}"'
    if isinstance(value, datetime.time):
        return f'"{value:%H:%M}"'
    return f'"{value}"'


def _duration(seconds: int) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def heading_of(path: Path) -> str:
    """The section an option stands under, as docs/config.md heads it: "[listeners.KEY]"."""
    head = dotted(tuple(part for part in path[:-1] if part != 0))
    return f"[[{head}]]" if path[0] == "rules" and len(path) == 3 else f"[{head}]"
