"""Bringing a database to the form this program expects.

Everything happens in one transaction under one lock (SQLite: BEGIN IMMEDIATE; PostgreSQL: an
advisory lock), so that two daemons starting together do it once, and a failed migration leaves the
database as it was. SQLite migrates with foreign keys off, because Alembic's batch mode drops the old
table and ON DELETE CASCADE would take the children with it (measured); `PRAGMA foreign_key_check`
before the commit makes up for that.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from mailticket.errors import Permanent
from mailticket.store import revision as revisions
from mailticket.store.failures import raise_plain
from mailticket.store.revision import head_revision, revision_of

_LOCK: Final = 0x6D61696C7469636B
"""The advisory lock of PostgreSQL that migrations take: "mailtick" as a number."""


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What `migrate` did: the revision before (None: an empty database) and after, and the copy made."""

    before: str | None
    after: str
    backup: Path | None

    @property
    def changed(self) -> bool:
        """False when the database was as it should be."""
        return self.before != self.after


def migrate(engine: Engine, backup_dir: Path | None = None) -> MigrationReport:
    """Bring an empty or older database to this program's revision.

    An SQLite file that holds an older revision is copied first, into `backup_dir` (None: beside the
    file). Raises `Permanent` when the database is newer than the program or the copy cannot be
    written, `Temporary` when the database cannot be reached or stays locked.
    """
    head = head_revision()
    with _exclusive(engine) as connection:
        before = revision_of(connection)
        backup = None
        if before != head:
            _refuse_unknown(before)
            if before is not None and engine.dialect.name == "sqlite":
                backup = _back_up(Path(str(engine.url.database)), before, backup_dir)
            command.upgrade(alembic_config(connection), "head")
            _check_foreign_keys(connection)
    return MigrationReport(before, head, backup)


def alembic_config(connection: Connection | None) -> Config:
    """Alembic's view of our migrations, with the connection `migrations/env.py` runs on."""
    config = Config()
    config.set_main_option(
        "script_location", str(revisions.SCRIPTS).replace("%", "%%")
    )  # ConfigParser interpolates
    config.attributes["connection"] = connection
    return config


def _refuse_unknown(revision: str | None) -> None:
    if revision is None:
        return
    try:
        ScriptDirectory.from_config(alembic_config(None)).get_revision(revision)
    except CommandError as error:
        raise Permanent(
            f"the database is at revision {revision}, which this version of mailticket does not know: "
            "it was used with a newer one; install that, or restore the copy made before the upgrade"
        ) from error


@contextmanager
def _exclusive(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that no second migration can be in; committed at the end."""
    prepare = _sqlite_alone if engine.dialect.name == "sqlite" else _postgres_alone
    try:
        with engine.connect() as connection, prepare(connection):
            yield connection
    except (DBAPIError, PoolTimeout) as error:
        raise_plain(error)


@contextmanager
def _sqlite_alone(connection: Connection) -> Iterator[None]:
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF").close()  # does nothing inside a transaction
    try:
        with connection.begin():
            yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON").close()


@contextmanager
def _postgres_alone(connection: Connection) -> Iterator[None]:
    with connection.begin():
        connection.execute(text("SET LOCAL lock_timeout = '10min'"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield


def _check_foreign_keys(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.execute(text("PRAGMA foreign_key_check")).all()
    if broken:
        tables = ", ".join(sorted({row[0] for row in broken}))
        raise Permanent(f"the migration was undone: it would have left broken references in {tables}")


def _back_up(database: Path, revision: str, backup_dir: Path | None) -> Path:
    """A consistent copy of the file, complete on disk before it gets its name."""
    folder = backup_dir or database.parent
    part = folder / f".{database.name}.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target)
        _sync(part)
        final = _free_name(folder, f"{database.stem}-before-upgrade-from-{revision}", database.suffix)
        part.rename(final)
        _sync(folder)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise Permanent(
            f"nothing was changed: the copy of the database in {folder} failed ({error})"
        ) from error
    return final


def _free_name(folder: Path, stem: str, suffix: str) -> Path:
    number = 1
    while True:
        name = folder / f"{stem}{'' if number == 1 else f'-{number}'}{suffix}"
        if not name.exists():
            return name
        number += 1


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
