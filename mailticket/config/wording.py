"""What pydantic found wrong, in the words of somebody who writes TOML."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from mailticket.config.document import Document
from mailticket.config.problems import Path, did_you_mean
from mailticket.config.shape import Leaf, node_at
from mailticket.config.values import NotThis

_PLAIN = {
    "missing": "is missing",
    "string_type": "must be a text in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": 'must be a list in brackets, like ["..."]',
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "path_type": "must be a path in quotes",
    "time_parsing": 'must be a time of day like "08:00"',
    "time_type": 'must be a time of day like "08:00"',
    "date_parsing": "must be a date like 2026-12-24",
    "date_type": "must be a date like 2026-12-24",
    "date_from_datetime_parsing": "must be a date like 2026-12-24",
    "date_from_datetime_inexact": "must be a date like 2026-12-24, without a time",
}
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
    "greater_than": ("more than", "gt"),
    "less_than": ("less than", "lt"),
}


def report(document: Document, error: ValidationError, place: Callable[[Path], Path]) -> None:
    """Note all of pydantic's errors; `place` turns a location within the model into a path."""
    errors = error.errors(include_url=False)
    locations = [tuple(part for part in one["loc"] if part != "[key]") for one in errors]
    for one, location in zip(errors, locations, strict=True):
        if one["type"] == "missing" and not document.complete:
            continue
        inner = any(len(other) > len(location) and other[: len(location)] == location for other in locations)
        if one["type"] == "too_short" and inner:
            continue  # a list whose every item was refused counts as empty
        _note(document, place(location), one)


def _note(document: Document, path: Path, error: ErrorDetails) -> None:
    message, suggestion = _words(error)
    value = error["input"]
    if error["type"] == "missing" or not _may_be_shown(path, value):
        value = None
    document.report(path, message, value=value, suggestion=suggestion)


def _words(error: ErrorDetails) -> tuple[str, str | None]:
    kind, context = error["type"], error.get("ctx", {})
    if kind in _PLAIN:
        return _PLAIN[kind], None
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return f"must be {words} {context[bound]}", None
    if kind == "too_short":
        return "must not be empty", None
    if kind == "literal_error":
        known = [word.strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")]
        return f"must be one of {', '.join(known)}", _near(error["input"], known)
    cause = context.get("error")
    if isinstance(cause, NotThis):
        return str(cause), cause.suggestion
    message = error["msg"].removeprefix("Value error, ")
    return f"{message[:1].lower()}{message[1:]}", None


def _near(value: Any, known: list[str]) -> str | None:
    suggestion = did_you_mean(value, known) if isinstance(value, str) else None
    return suggestion if suggestion and suggestion.startswith("Did") else None


def _may_be_shown(path: Path, value: Any) -> bool:
    node = node_at(path)
    return isinstance(node, Leaf) and not (node.hidden or node.secret or isinstance(value, SecretStr))
