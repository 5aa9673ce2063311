"""How a database is opened, and what its errors become."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from mailticket.errors import Permanent, Temporary
from mailticket.store import engine as engines
from mailticket.store.dialect import table_of
from mailticket.store.engine import durability_warnings, open_engine, reading, transaction
from mailticket.store.migrate import migrate
from mailticket.store.models import MailboxContact
from mailticket.store.single import lock_single_daemon
from tests.servers.postgres import Postgres
from tests.store.threads import at_once

CONTACT = table_of(MailboxContact)


def test_a_new_file_that_somebody_writes_to_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "mailticket.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE elsewhere (n)")
    other.execute("BEGIN IMMEDIATE")
    writer = threading.Timer(0.3, other.execute, ("COMMIT",))
    writer.start()
    engine = open_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    writer.join()
    other.close()
    engine.dispose()


def _note(engine: Engine, name: str, text_: str = "") -> None:
    with transaction(engine) as session:
        session.execute(CONTACT.insert().values(mailbox=name, error=text_))


def _fresh_sqlite(folder: Path, busy_timeout: float = 10.0) -> Engine:
    engine = open_engine(f"sqlite:///{folder / 'mailticket.db'}", busy_timeout=busy_timeout)
    migrate(engine)
    return engine


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("busy_timeout", 10000),
        ("trusted_schema", 0),
        ("journal_size_limit", 67108864),
    ],
)
def test_every_sqlite_connection_has_the_settings_that_make_commits_last(
    tmp_path: Path, pragma: str, value: object
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with transaction(engine) as first, reading(engine) as second:
        for session in (first, second):
            assert session.execute(text(f"PRAGMA {pragma}")).scalar_one() == value
    engine.dispose()


def test_the_database_file_and_its_folder_are_for_their_owner_only(tmp_path: Path) -> None:
    engine = _fresh_sqlite(tmp_path / "new" / "var")
    assert (tmp_path / "new" / "var" / "mailticket.db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new" / "var").stat().st_mode & 0o777 == 0o700
    engine.dispose()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("statement_timeout", "30s"),
        ("lock_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "1min"),
        ("synchronous_commit", "on"),
        ("TimeZone", "UTC"),
    ],
)
@pytest.mark.postgres
def test_every_postgres_connection_has_bounds_and_waits_for_the_disk(
    postgres_url: str, setting: str, value: str
) -> None:
    engine = open_engine(postgres_url)
    with reading(engine) as session:
        assert session.execute(text(f"SHOW {setting}")).scalar_one() == value
    engine.dispose()


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://localhost/x", "sqlite://", "sqlite:///:memory:", "nosuch+driver://x/y"]
)
def test_a_url_that_is_not_supported_is_refused_in_plain_words(url: str) -> None:
    with pytest.raises(Permanent, match=r"sqlite:///PATH"):
        open_engine(url)


def test_a_database_in_a_place_that_cannot_hold_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Permanent, match="cannot be opened"):
        open_engine(f"sqlite:///{tmp_path / 'file' / 'mailticket.db'}")


def test_a_file_that_is_no_database_is_reported_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "mailticket.db"
    path.write_bytes(b"a letter to the editor, not a database " * 100)
    engine = open_engine(f"sqlite:///{path}")
    with pytest.raises(Temporary, match="not a database"):
        _note(engine, "x")
    assert path.read_bytes().startswith(b"a letter")
    engine.dispose()


def test_concurrent_read_modify_writes_lose_nothing(engine: Engine) -> None:
    with transaction(engine) as session:
        session.add(MailboxContact(mailbox="counter", error="0"))

    def count(_: int) -> None:
        for _ in range(10):
            with transaction(engine) as session:
                row = session.execute(select(MailboxContact).with_for_update()).scalar_one()
                row.error = str(int(row.error or "") + 1)

    at_once(count)
    with reading(engine) as session:
        assert session.execute(select(CONTACT.c.error)).scalar_one() == "80"


def test_a_block_that_raises_leaves_nothing_behind(engine: Engine) -> None:
    def half() -> None:
        with transaction(engine) as session:
            session.add(MailboxContact(mailbox="half"))
            session.flush()
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        half()
    with reading(engine) as session:
        assert session.execute(select(CONTACT)).all() == []


def test_a_session_for_reading_cannot_write(engine: Engine) -> None:
    with pytest.raises(Temporary, match="read-only"), reading(engine) as session:
        session.execute(CONTACT.insert().values(mailbox="no"))
    _note(engine, "yes")  # the same connection writes again afterwards


def test_a_broken_rule_of_the_tables_is_not_taken_for_a_database_that_is_away(engine: Engine) -> None:
    _note(engine, "a")
    with pytest.raises(IntegrityError):
        _note(engine, "a")


def test_a_mistake_in_sql_is_not_taken_for_a_database_that_is_away(engine: Engine) -> None:
    with pytest.raises(DBAPIError), transaction(engine) as session:
        session.execute(text("SELECT nonsense FROM nowhere"))


def test_a_database_locked_by_another_process_is_temporary_and_then_works(tmp_path: Path) -> None:
    engine = _fresh_sqlite(tmp_path, busy_timeout=0.1)
    other = sqlite3.connect(tmp_path / "mailticket.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Temporary, match="locked"):
        _note(engine, "waits")
    with reading(engine) as session:  # WAL: readers do not wait for a writer
        assert session.execute(select(CONTACT)).all() == []
    other.execute("COMMIT")
    other.close()
    _note(engine, "works")
    engine.dispose()


def test_a_full_disk_is_temporary_and_then_works(tmp_path: Path) -> None:
    engine = _fresh_sqlite(tmp_path)
    with reading(engine) as session:  # as SQLite sees a disk without room, on the pool's only connection
        session.execute(text("PRAGMA max_page_count = 1"))
    with pytest.raises(Temporary, match="disk of the database is full"):
        _note(engine, "big", "x" * 100_000)
    engine.dispose()
    _note(engine, "big", "x" * 100_000)
    engine.dispose()


@pytest.mark.postgres
def test_a_postgres_that_is_stopped_is_temporary_and_then_works() -> None:
    with Postgres() as server:
        engine = open_engine(server.new_database(), busy_timeout=1)
        migrate(engine)
        server.stop()
        with pytest.raises(Temporary):
            _note(engine, "lost")
        with pytest.raises(Temporary, match="cannot be reached"):
            migrate(engine)
        server.start()
        _note(engine, "works")
        engine.dispose()


@pytest.mark.postgres
def test_a_connection_cut_in_a_transaction_is_temporary_and_replaced(
    postgres: Postgres, postgres_url: str
) -> None:
    engine = open_engine(postgres_url)
    migrate(engine)

    def cut() -> None:
        with transaction(engine) as session:
            backend = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
            postgres.execute(f"SELECT pg_terminate_backend({backend})")
            session.execute(CONTACT.insert().values(mailbox="lost"))

    with pytest.raises(Temporary):
        cut()
    _note(engine, "works")
    engine.dispose()


@pytest.mark.postgres
def test_a_postgres_that_takes_no_writes_is_temporary(postgres: Postgres, postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    migrate(engine)
    postgres.execute(f"ALTER DATABASE {engine.url.database} SET default_transaction_read_only = on")
    engine.dispose()
    with pytest.raises(Temporary, match="read-only"), transaction(engine) as session:
        session.execute(CONTACT.insert().values(mailbox="no"))
    assert any("no writes" in line for line in durability_warnings(engine))
    engine.dispose()


@pytest.mark.postgres
def test_a_server_that_could_lose_commits_is_named(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    warnings = durability_warnings(engine)
    assert [line for line in warnings if "fsync" in line]
    assert [line for line in warnings if "full_page_writes" in line]
    engine.dispose()


def test_a_local_sqlite_file_gives_no_durability_warning(tmp_path: Path) -> None:
    engine = _fresh_sqlite(tmp_path)
    assert durability_warnings(engine) == []
    engine.dispose()


@pytest.mark.parametrize(
    ("place", "kind"),
    [("/", "ext4"), ("/srv/desk/m.db", "nfs4"), ("/srv/desktop/m.db", "ext4"), ("/srv/a b/m.db", "cifs")],
)
def test_the_file_system_of_a_path_is_that_of_the_longest_mount_point(
    tmp_path: Path, place: str, kind: str
) -> None:
    table = tmp_path / "mounts"
    table.write_text(
        "dev / ext4 rw 0 0\nhost:/x /srv/desk nfs4 rw 0 0\n//h/y /srv/a\\040b cifs rw 0 0\nodd\n"
    )
    assert engines._file_system(Path(place), table) == kind
    assert engines._file_system(Path(place), tmp_path / "absent") == ""


def test_sqlite_on_a_network_file_system_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = _fresh_sqlite(tmp_path)
    monkeypatch.setattr(engines, "_file_system", lambda path: "nfs4")
    assert durability_warnings(engine) == [
        "the SQLite database lies on nfs4: its locks and syncs cannot be relied on there"
    ]
    engine.dispose()


def test_a_writer_that_waits_too_long_for_its_own_process_is_told_so(tmp_path: Path) -> None:
    engine = _fresh_sqlite(tmp_path, busy_timeout=0.05)
    with transaction(engine), pytest.raises(Temporary, match="of this process"):
        _note(engine, "nested")
    _note(engine, "after")
    engine.dispose()


def test_a_second_daemon_on_the_same_folder_is_told_which_process_is_there(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from mailticket.store.single import lock_single_daemon\n"
        "lock = lock_single_daemon(pathlib.Path(sys.argv[1]))\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "locked\n"
        with pytest.raises(Permanent, match=rf"already running on .* \(process {first.pid}\)"):
            lock_single_daemon(tmp_path)
        first.kill()
    with lock_single_daemon(tmp_path) as lock:  # however the first one ended
        lock.close()
