"""From paths and database URLs as written to absolute ones."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mailticket.config.problems import mask_url
from mailticket.config.values import NotThis

_STATE_DIR = "{state_dir}"
_POSTGRES = ("postgres", "postgresql", "postgresql+psycopg")
_SQLITE = ("sqlite", "sqlite+pysqlite")


def absolute(path: Path | str, root: Path, state_dir: Path | str) -> Path:
    """`path` with "{state_dir}" put in, starting at `root` unless it is absolute, without ".."."""
    text = str(path).replace(_STATE_DIR, str(state_dir))
    return Path(os.path.abspath(root.absolute() / os.path.expanduser(text)))


def database_url(url: str, root: Path, state_dir: Path | str) -> str:
    """A database URL as written -> what SQLAlchemy is given.

    `sqlite:///FILE` gets an absolute path, `postgresql://` and `postgres://` the driver psycopg 3.
    Raises ValueError (`NotThis`) for another database, and for SQLite in memory, which forgets.
    """
    scheme, separator, rest = url.partition("://")
    if separator and scheme in _POSTGRES:
        return f"postgresql+psycopg://{rest}"
    if scheme not in _SQLITE or not separator:
        raise NotThis(
            "is not a database that mailticket knows",
            "Write sqlite:///{state_dir}/mailticket.db or postgresql://user@host/name",
        )
    file, question, options = rest.partition("?")
    if not file.startswith("/") or file in ("/", "/:memory:"):
        raise NotThis(
            "must name a file: mail kept in memory is lost", "Write sqlite:///{state_dir}/mailticket.db"
        )
    return f"sqlite:///{absolute(file[1:], root, state_dir)}{question}{options}"


def sqlite_file(url: str) -> Path | None:
    """The file of a resolved SQLite URL, None for another database."""
    scheme, _, rest = url.partition("://")
    return Path(rest.partition("?")[0][1:]) if scheme in _SQLITE else None


def masked_url(url: str) -> str:
    """A URL without its password, wherever that stands."""
    return mask_url(url)


def url_password(url: str) -> str | None:
    """The password within a database URL, or None."""
    try:
        password = urlsplit(url).password
    except ValueError:
        return None
    return None if password is None else unquote(password)
