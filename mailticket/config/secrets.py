"""Secrets: from the environment, from a file, or, in a file nobody else may read, as they are."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

from pydantic import SecretStr

from mailticket.config.document import Document
from mailticket.config.paths import url_password
from mailticket.config.problems import ConfigurationError, Path, Problem
from mailticket.config.shape import Keyed, Leaf, Node, Rows, Table, Top, shape

SHORTEST_KEY = 32
"""Characters of a secret key: 128 bits even when it is written as hexadecimal digits."""
_LARGEST_FILE = 16_384
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class _Unusable(Exception):
    """A secret cannot be had; the text says why, without it."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.suggestion = suggestion


def resolve_secrets(document: Document, environ: Mapping[str, str]) -> None:
    """Put `SecretStr` in place of every secret of the document, or report why that is not possible.

    A secret that cannot be had is taken out of the tree, so that nothing later can show it.
    """
    for table, path in _places(document.tree, (), shape()):
        key = str(path[-1])
        try:
            secret = _resolve(document, path, table[key], environ)
        except _Unusable as exc:
            document.report(path, str(exc), suggestion=exc.suggestion)
            table[key] = UNUSABLE
        else:
            table[key] = secret


UNUSABLE = SecretStr("")
"""Stands where a secret could not be had, which is reported already."""


def ensure_secret_key(path: FilePath) -> SecretStr:
    """The key in the file `path`; when there is none, a new one of 256 bits, readable by its owner only.

    Safe when several processes start at once: all get the same key. Raises `ConfigurationError` when
    the file cannot be read or written, or holds less than 32 characters.
    """
    try:
        if not path.exists():
            _create_key(path)
        key = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as exc:
        problem = f"cannot be used: {exc.strerror if isinstance(exc, OSError) else 'it is not plain text'}"
        key = ""
    else:
        problem = f"is shorter than {SHORTEST_KEY} characters"
    if len(key) < SHORTEST_KEY:
        raise ConfigurationError([Problem(str(path), "service.secret_key", problem)])
    return SecretStr(key)


def readable_by_others(path: FilePath) -> bool:
    """True when the group or anybody else may read or change the file."""
    return bool(path.stat().st_mode & _OTHERS)


def _create_key(path: FilePath) -> None:
    """Write the whole file aside, then link it to its name: nobody ever reads half a key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(aside, path)
        except FileExistsError:
            return  # another process was first, and its key is the one to use
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        aside.unlink()


def _places(tree: Any, path: Path, node: Node | Top) -> list[tuple[dict[str, Any], Path]]:
    """Every secret that is written somewhere: the table that holds it, and its path."""
    found: list[tuple[dict[str, Any], Path]] = []
    if isinstance(node, Keyed) and isinstance(tree, dict):
        for key, entry in tree.items():
            found += _places(entry, (*path, key), node.entry)
    elif isinstance(node, Rows) and isinstance(tree, list):
        for index, row in enumerate(tree):
            found += _places(row, (*path, index), node.entry)
    elif isinstance(node, (Table, Top)) and isinstance(tree, dict):
        for key, option in node.options.items():
            if key not in tree:
                continue
            if isinstance(option, Leaf):
                found += [(tree, (*path, key))] if option.secret else []
            else:
                found += _places(tree[key], (*path, key), option)
    return found


def _resolve(document: Document, path: Path, written: Any, environ: Mapping[str, str]) -> SecretStr:
    if isinstance(written, dict):
        return _referenced(document, path, written, environ)
    if not isinstance(written, str):
        raise _Unusable('must be a text, { env = "NAME" } or { file = "PATH" }')
    if not written.strip():
        raise _Unusable("must not be empty")
    file = document.file_of(document.origin(path))
    secret = path != ("service", "database") or url_password(written) is not None
    if file is not None and secret and readable_by_others(file):
        raise _Unusable(
            "is a secret in a file that others may read",
            f'Run `chmod 600 {document.origin(path)}`, or write {path[-1]} = {{ env = "NAME" }}'
            f' or {path[-1]} = {{ file = "PATH" }}',
        )
    return SecretStr(written)


def _referenced(
    document: Document, path: Path, written: dict[str, Any], environ: Mapping[str, str]
) -> SecretStr:
    kind, target = next(iter(written.items()), ("", ""))
    if len(written) != 1 or kind not in ("env", "file") or not isinstance(target, str) or not target:
        raise _Unusable('must be { env = "NAME" } or { file = "PATH" }')
    secret = environ.get(target, "") if kind == "env" else _from_file(document, path, target)
    if not secret.strip():
        where = (
            f"the environment variable {target} is not set"
            if kind == "env"
            else f"the file {target} is empty"
        )
        raise _Unusable(f"cannot be had: {where}")
    return SecretStr(secret.strip())


def _from_file(document: Document, path: Path, name: str) -> str:
    file = document.directory / os.path.expanduser(name)
    try:
        with file.open("rb") as opened:
            if stat.S_IMODE(os.fstat(opened.fileno()).st_mode) & stat.S_IRWXO:
                document.report(
                    path,
                    f"is in the file {name}, which everybody may read",
                    suggestion=f"Run `chmod 600 {file}`",
                    warning=True,
                )
            return opened.read(_LARGEST_FILE).decode("utf-8")
    except OSError as exc:
        raise _Unusable(f"cannot be read from the file {name}: {exc.strerror}") from None
    except UnicodeDecodeError:
        raise _Unusable(f"cannot be read from the file {name}: it is not UTF-8") from None
    except ValueError:
        raise _Unusable(f"cannot be read from the file {name!r}: that is no path") from None
