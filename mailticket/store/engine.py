"""Opening the database: every durability setting and every kind of BEGIN is decided in this file.

SQLite (measured with SQLite 3.40, SQLAlchemy 2.1.9): the driver's own transaction control loses
concurrent read-modify-writes silently, because a SELECT opens no transaction; therefore the driver's
control is off and SQLAlchemy's `begin` event says BEGIN IMMEDIATE for writing, BEGIN for reading.
WAL with synchronous=FULL is what makes a commit survive a power loss; NORMAL does not.

PostgreSQL (psycopg 3): every wait has an end, and a connection found dead is replaced before use.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from mailticket.errors import Permanent, Temporary
from mailticket.store.failures import CommitUnknown, connection_lost, raise_plain

BUSY_TIMEOUT_SECONDS: Final = 10.0

_SQLITE_PRAGMAS: Final = (
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA wal_autocheckpoint=1000",
    "PRAGMA cache_size=-8000",
)
_POSTGRES_SETTINGS: Final = {
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
}
_POSTGRES_CONNECT: Final = {
    "application_name": "mailticket",
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
_TURNS: Final[WeakKeyDictionary[Engine, tuple[Lock, float]]] = WeakKeyDictionary()
_READING: Final = "mailticket_reading"
_A_MOMENT: Final = 0.02
_NETWORK_FILE_SYSTEMS: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs", "fuse.glusterfs"}
)


def open_engine(url: str, *, busy_timeout: float = BUSY_TIMEOUT_SECONDS) -> Engine:
    """An engine for `sqlite:///PATH` or `postgresql://...` with all settings mailticket relies on.

    Creates the folder and the file of an SQLite database, readable by their owner only; connects to
    nothing else yet. `busy_timeout` is how many seconds a transaction waits for SQLite's write lock, and
    for a free connection. Raises `Permanent` for a URL of another kind.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError) as error:
        raise Permanent("not a database URL; it looks like sqlite:///PATH or postgresql://...") from error
    if backend == "sqlite":
        return _open_sqlite(parsed, busy_timeout)
    if backend in ("postgresql", "postgres"):
        return _open_postgres(parsed, busy_timeout)
    raise Permanent(f"a {backend} database is not supported: use sqlite:///PATH or postgresql://...")


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """A session for writing: commits when the block ends, rolls back when it raises.

    SQLite takes the write lock with the first statement, reading or writing (BEGIN IMMEDIATE), so
    what was read cannot change before it is written. Raises `Temporary` when the database cannot do
    it now, and `CommitUnknown` (also temporary) when the connection broke during COMMIT.
    """
    try:
        with _turn(engine), Session(engine, expire_on_commit=False) as session:
            yield session
            _commit(session)
    except (DBAPIError, PoolTimeout) as error:
        raise_plain(error)


@contextmanager
def reading(engine: Engine, *, snapshot: bool = False) -> Iterator[Session]:
    """A session for reading one consistent state (SQLite) or committed rows (PostgreSQL); cannot write.

    snapshot: one consistent state on PostgreSQL too (REPEATABLE READ), for what takes many queries.
    Never waits for a writer. Raises `Temporary` when the database cannot be read now.
    """
    reader = _reader(engine)
    if snapshot and engine.dialect.name != "sqlite":
        reader = reader.execution_options(isolation_level="REPEATABLE READ")
    try:
        with Session(reader, expire_on_commit=False) as session:
            yield session
    except (DBAPIError, PoolTimeout) as error:
        raise_plain(error)


def durability_warnings(engine: Engine) -> list[str]:
    """What about this database would lose acknowledged mails at a power cut; empty when nothing.

    For the log at start and for `mailticket check`. Raises `Temporary` when it cannot be reached.
    """
    if engine.dialect.name == "sqlite":
        kind = _file_system(Path(str(engine.url.database)))
        if kind in _NETWORK_FILE_SYSTEMS:
            return [f"the SQLite database lies on {kind}: its locks and syncs cannot be relied on there"]
        return []
    found: list[str] = []
    with reading(engine) as session:
        for name in ("fsync", "full_page_writes"):
            if session.execute(text(f"SHOW {name}")).scalar_one() != "on":
                found += [f"PostgreSQL runs with {name} off: a power cut can destroy the database"]
        if session.execute(text("SELECT pg_is_in_recovery()")).scalar_one():
            found += ["PostgreSQL is a standby server and takes no writes"]
        if session.execute(text("SHOW default_transaction_read_only")).scalar_one() == "on":
            found += ["PostgreSQL takes no writes (default_transaction_read_only)"]
    return found


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Writers of this process take turns before they ask SQLite, which lets them poll and starve.

    Measured with seven busy threads: the longest wait for the write lock was 530 ms without turns
    (SQLite sleeps up to 100 ms between looks), 12 ms with them.
    """
    turn = _TURNS.get(engine)
    if turn is None:
        yield
        return
    lock, patience = turn
    if not lock.acquire(timeout=patience):
        raise Temporary("the database is busy with another transaction of this process")
    try:
        yield
    finally:
        lock.release()


def _commit(session: Session) -> None:
    try:
        session.commit()
    except DBAPIError as error:
        if connection_lost(error):
            raise CommitUnknown("the connection to the database broke while it was saving") from error
        raise


def _reader(engine: Engine) -> Engine:
    if engine.dialect.name == "sqlite":
        return engine.execution_options(**{_READING: True})
    return engine.execution_options(postgresql_readonly=True)


def _open_sqlite(url: URL, busy_timeout: float) -> Engine:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise Permanent("the SQLite database must be a file on disk: sqlite:///PATH")
    path = Path(url.database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise Permanent(f"the database file {path} cannot be opened: {error.strerror}") from error
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        connect_args={"timeout": busy_timeout, "isolation_level": None},
        pool_size=5,
        max_overflow=20,
        pool_timeout=busy_timeout,
    )
    event.listen(engine, "connect", partial(_prepare_sqlite, busy_timeout))
    event.listen(engine, "begin", _begin_sqlite)
    _TURNS[engine] = (Lock(), busy_timeout)
    return engine


def _prepare_sqlite(busy_timeout: float, connection: sqlite3.Connection, _record: object) -> None:
    mode = _write_ahead(connection, busy_timeout)
    if mode != "wal":
        raise Permanent(f"SQLite keeps journal_mode={mode} here; WAL is needed (a local, writable disk)")
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(pragma).close()


def _write_ahead(connection: sqlite3.Connection, patience: float) -> str:
    """Turn write-ahead logging on, which is for ever; returns the mode that is in force.

    SQLite does not ask its busy handler here: of 1,500 times that six connections at once were the first
    to a file, 32 ended in "database is locked" (3.40). So the waiting is done here.
    """
    gives_up = monotonic() + patience
    while True:
        try:
            return str(connection.execute("PRAGMA journal_mode=WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > gives_up:
                raise
            sleep(_A_MOMENT)


def _begin_sqlite(connection: Connection) -> None:
    wants_reading = connection.get_execution_options().get(_READING, False)
    driver: Any = connection.connection.driver_connection
    if connection.info.get(_READING, False) != wants_reading:
        driver.execute(f"PRAGMA query_only={'ON' if wants_reading else 'OFF'}").close()
        connection.info[_READING] = wants_reading
    # through SQLAlchemy, so that "database is locked" arrives as its DBAPIError
    connection.exec_driver_sql("BEGIN" if wants_reading else "BEGIN IMMEDIATE")


def _open_postgres(url: URL, busy_timeout: float) -> Engine:
    options = " ".join(f"-c {name}={value}" for name, value in _POSTGRES_SETTINGS.items())
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={**_POSTGRES_CONNECT, "options": options},
            pool_pre_ping=True,
            pool_size=5,
            max_overflow=20,
            pool_timeout=busy_timeout,
        )
    except ImportError as error:
        raise Permanent("PostgreSQL needs the driver psycopg: pip install 'mailticket[postgres]'") from error
    event.listen(engine, "connect", _prepare_postgres)
    return engine


def _prepare_postgres(connection: Any, _record: object) -> None:
    """Commits wait for the disk whatever the server's default; a stricter default is kept."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        if cursor.fetchone()[0] in ("off", "local"):
            cursor.execute("SET synchronous_commit=on")
    connection.commit()


def _file_system(path: Path, table: Path = Path("/proc/self/mounts")) -> str:
    """The type of the file system `path` lies on, "" where the system keeps no such table."""
    try:
        mounts = table.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    resolved = str(path.resolve())
    best, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ")
        if (resolved == point or resolved.startswith(point.rstrip("/") + "/")) and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind
