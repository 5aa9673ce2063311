"""Options from the environment: MAILTICKET_SECTION__OPTION, whatever the case of its letters.

They win over the files. A name with "__" that fits no option is a mistake; one without is only
warned of when it looks like an override, because container platforms set MAILTICKET_PORT and the
like for a service of that name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from mailticket.config.document import Document
from mailticket.config.problems import Path, did_you_mean
from mailticket.config.shape import Keyed, Leaf, Node, Table, Top, leaves, shape

PREFIX = "MAILTICKET_"
_BETWEEN = "__"


def apply_environment(document: Document, environ: Mapping[str, str]) -> None:
    """Write the overrides found in `environ` into the document. Empty variables count as not set."""
    referenced = _referenced(document.tree)
    for name in sorted(environ):
        value = environ[name]
        if not name.upper().startswith(PREFIX) or not value or name in referenced:
            continue
        words = name[len(PREFIX) :].lower().split(_BETWEEN)
        if len(words) > 1:
            _override(document, name, words, value)
        else:
            _warn_of_single_underscores(document, name, words[0])


def _override(document: Document, name: str, words: list[str], value: str) -> None:
    path: Path = ()
    here: Node | Top = shape()
    for word in words:
        following, key = _step(document, path, here, word)
        if following is None:
            _report(document, name, "is no option", _nearest(name))
            return
        path, here = (*path, key), following
    if not isinstance(here, Leaf):
        _report(document, name, "names a section, not an option of it", _nearest(name))
        return
    if document.origin(path).startswith("environment ") and document.at(path) is not None:
        _report(document, name, f"says the same as {document.origin(path)}", None)
        return
    try:
        _write(document, path, _value(here, value), f"environment {name}")
    except ValueError:
        _report(document, name, 'must be a list like ["a", "b"] or a table, written as in TOML', None)


def _step(document: Document, path: Path, here: Node | Top, word: str) -> tuple[Node | None, str]:
    if isinstance(here, (Table, Top)):
        return here.options.get(word), word
    if isinstance(here, Keyed):
        return here.entry, _existing_key(document.at(path), word)
    return None, word


def _existing_key(section: Any, word: str) -> str:
    """The key as the files write it: a variable's name cannot hold a hyphen."""
    keys = section if isinstance(section, dict) else ()
    return next((key for key in keys if key.casefold().replace("-", "_") == word.replace("-", "_")), word)


def _value(leaf: Leaf, value: str) -> Any:
    if leaf.takes_table or (leaf.takes_list and value.lstrip().startswith("[")):
        return tomllib.loads(f"value = {value}")["value"]
    if leaf.takes_list:
        return [part.strip() for part in value.split(",")]
    return value


def _write(document: Document, path: Path, value: Any, origin: str) -> None:
    table = document.tree
    for part in path[:-1]:
        inner = table.setdefault(str(part), {})
        if not isinstance(inner, dict):
            return  # the file's mistake is reported when the section is checked
        table = inner
    table[str(path[-1])] = value
    for known in [one for one in document.origins if one[: len(path)] == path]:
        del document.origins[known]
    document.origins[path] = origin


def _referenced(tree: Any) -> set[str]:
    """The variables that `{ env = "NAME" }` names anywhere."""
    if isinstance(tree, dict):
        own = {tree["env"]} if set(tree) == {"env"} and isinstance(tree["env"], str) else set()
        return own.union(*(_referenced(value) for value in tree.values()))
    if isinstance(tree, list):
        return set().union(*(_referenced(value) for value in tree))
    return set()


def _nearest(name: str) -> str | None:
    words = name[len(PREFIX) :].lower().split(_BETWEEN)
    known = []
    for path, _ in leaves():
        if 0 in path:
            continue
        filled = [words[1] if part == "KEY" and len(words) > 2 else str(part) for part in path]
        known.append(PREFIX + _BETWEEN.join(filled).upper())
    return did_you_mean(name, known)


def _warn_of_single_underscores(document: Document, name: str, word: str) -> None:
    for path, _ in leaves():
        if "_".join(map(str, path)) == word:
            right = PREFIX + _BETWEEN.join(map(str, path)).upper()
            _report(document, name, "has no effect", f"Did you mean {right}?", warning=True)


def _report(
    document: Document, name: str, message: str, suggestion: str | None, *, warning: bool = False
) -> None:
    marker: Path = (name,)
    document.origins[marker] = "environment"
    document.report(marker, message, suggestion=suggestion, warning=warning)
    del document.origins[marker]
