"""The configuration as written: one tree out of all files, and which file each part came from."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from mailticket.config.problems import Path, Problem, dotted, shown

_SYNTAX_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")


@dataclass
class Document:
    """What was read, and what was wrong with it so far."""

    directory: FilePath
    tree: dict[str, Any] = field(default_factory=dict)
    origins: dict[Path, str] = field(default_factory=dict)
    """Path -> the file that wrote it, "config/people.toml" or "environment NAME"."""
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    complete: bool = True
    """False when a file could not be read: then nothing can be called missing."""

    def origin(self, path: Path) -> str:
        """The file that wrote `path`, or the nearest part above it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return self.directory.name

    def file_of(self, origin: str) -> FilePath | None:
        """The file behind an origin, None for the environment."""
        return None if origin.startswith("environment ") else self.directory.parent / origin

    def report(
        self,
        path: Path,
        message: str,
        *,
        value: Any = None,
        suggestion: str | None = None,
        warning: bool = False,
    ) -> None:
        """Note a mistake at `path`, in the file that wrote it. Never pass a secret as `value`."""
        problem = Problem(self.origin(path), dotted(self.named(path)), message, shown(value), suggestion)
        (self.warnings if warning else self.problems).append(problem)

    def named(self, path: Path) -> Path:
        """The path with a rule's name in place of its index."""
        if len(path) < 2 or path[0] != "rules" or not isinstance(path[1], int):
            return path
        rows = self.tree.get("rules")
        row = rows[path[1]] if isinstance(rows, list) and path[1] < len(rows) else None
        name = row.get("name") if isinstance(row, dict) else None
        return ("rules", name, *path[2:]) if isinstance(name, str) and name else path

    def at(self, path: Path) -> Any:
        """The value at `path`, None where there is none."""
        here: Any = self.tree
        for part in path:
            in_table = isinstance(here, dict) and part in here
            in_list = isinstance(here, list) and isinstance(part, int) and part < len(here)
            if not (in_table or in_list):
                return None
            here = here[part]
        return here


def read_directory(directory: FilePath) -> Document:
    """All `*.toml` files of a directory, in the order of their names, as one document.

    Tables of the same name are joined; an option written in two files is a mistake that names both.
    """
    document = Document(directory)
    files = sorted(directory.glob("*.toml")) if directory.is_dir() else []
    if not files:
        why = "holds no *.toml file" if directory.is_dir() else "is not a directory"
        suggestion = f"`mailticket init {directory}` writes a configuration to start from"
        document.problems.append(Problem(str(directory), "", why, None, suggestion))
        document.complete = False
    for file in files:
        name = f"{directory.name}/{file.name}"
        _join(document, (), document.tree, _read(document, file, name), name)
    return document


OVERLAID = (
    "desk", "sla_plans", "schedules", "rules", "topics", "departments", "teams", "agents", "priorities",
)  # fmt: skip
"""Sections that a file to be tried out may have: what routing and promises depend on."""


def lay_over(document: Document, file: FilePath) -> None:
    """Put what a file says in the place of what the directory says: whole entries, and all the rules."""
    name = str(file)
    for section, value in _read(document, file, name).items():
        if section not in OVERLAID:
            message = f"cannot be tried out; what can is {', '.join(OVERLAID)}"
            document.problems.append(Problem(name, dotted((section,)), message))
            continue
        if not isinstance(value, dict) or not isinstance(document.tree.get(section, {}), dict):
            document.tree.pop(section, None)
            _join(document, (), document.tree, {section: value}, name)
            continue
        into = document.tree.setdefault(section, {})
        for key, entry in value.items():
            into.pop(key, None)
            _join(document, (section,), into, {key: entry}, name)


def _read(document: Document, file: FilePath, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except tomllib.TOMLDecodeError as exc:
        message = str(exc)
        place = _SYNTAX_PLACE.search(message)
        line = int(place.group(1)) if place and place.group(1) else None
        document.problems.append(
            Problem(name, "", f"is not TOML: {_SYNTAX_PLACE.sub('', message)}", line=line)
        )
    except UnicodeDecodeError as exc:
        document.problems.append(Problem(name, "", f"is not UTF-8 at byte {exc.start}"))
    except OSError as exc:
        document.problems.append(Problem(name, "", f"cannot be read: {exc.strerror}"))
    document.complete = False
    return {}


def _join(document: Document, path: Path, into: dict[str, Any], table: dict[str, Any], origin: str) -> None:
    for key, value in table.items():
        here = (*path, key)
        if key not in into:
            into[key] = {} if isinstance(value, dict) else value
            document.origins[here] = origin
            if isinstance(value, dict):
                _join(document, here, into[key], value, origin)
        elif isinstance(value, dict) and isinstance(into[key], dict):
            _join(document, here, into[key], value, origin)
        else:
            message = f"is also written in {document.origin(here)}"
            suggestion = (
                "Keep all rules in one file, as their order matters"
                if here == ("rules",)
                else "Write it in one of the two files only"
            )
            document.problems.append(Problem(origin, dotted(here), message, None, suggestion))
