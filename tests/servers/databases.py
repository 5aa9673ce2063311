"""Databases at the newest revision, copied from one that was migrated once in a test run.

Migrating takes some tenths of a second, a copy some hundredths. Tests of migrations begin with an empty
database (`database_url`), as does every daemon that is given none.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy.engine import make_url

from mailticket.store.engine import open_engine
from mailticket.store.migrate import migrate
from tests.servers.postgres import Postgres


class SqliteTemplate:
    """A migrated SQLite file in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "template.db"
        _migrated(f"sqlite:///{self._file}")

    def copy(self, place: Path) -> str:
        """Copy it to `place`; the URL of the copy."""
        assert not self._file.with_name("template.db-wal").exists(), "all of it is in the one file"
        shutil.copy(self._file, place)
        return f"sqlite:///{place}"


class PostgresTemplate:
    """A migrated database of `server`."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        url = server.new_database()
        _migrated(url)
        self._name = make_url(url).database

    def copy(self) -> str:
        """The URL of a new copy."""
        return self._server.new_database(template=self._name)


def _migrated(url: str) -> None:
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()
