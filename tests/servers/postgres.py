"""A throw-away PostgreSQL cluster on a Unix socket, from the installed binaries.

    with Postgres() as server:
        url = server.new_database()

Nothing is synced to disk: a crash of the test machine may cost the cluster, not a test's meaning.
Runs as an ordinary user, and as root, where the server processes belong to the user "postgres"
(PostgreSQL refuses to run as root).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

from tests.servers import missing_server, wait_until

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
}


def binaries() -> Path | None:
    """The folder of the newest installed server's programs, None where there is none."""
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    if versions:
        return max(versions, key=lambda path: float(path.parent.name))
    found = shutil.which("initdb")
    return None if found is None else Path(os.path.realpath(found)).parent


def require_postgres() -> Path:
    """The programs; skips (or fails, see `missing_server`) the running test where they are not installed."""
    folder = binaries()
    if folder is None:
        missing_server("no PostgreSQL server is installed (apt-get install postgresql)")
    assert folder is not None
    return folder


class Postgres:
    """One cluster with one database per test; usable as a context manager."""

    def __init__(self) -> None:
        self._programs = require_postgres()
        self.root = Path(tempfile.mkdtemp(prefix="mt-postgres-"))
        self._as_user: dict[str, Any] = {"cwd": "/"}
        if os.geteuid() == 0:
            shutil.chown(self.root, "postgres", "postgres")
            self._as_user |= {"user": "postgres", "group": "postgres", "extra_groups": []}
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)

    def __enter__(self) -> Postgres:
        self._run("initdb", "-D", str(self.root / "data"), "-U", "mt", "-A", "trust", "-E", "UTF8")
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop(signal.SIGQUIT)  # nothing of it is needed any more
        shutil.rmtree(self.root, ignore_errors=True)

    def start(self) -> None:
        """Start, or start again after `stop`, with the same databases."""
        options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with (self.root / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self.root / "data", "-k", self.root, *options],
                stdout=log,
                stderr=log,
                **self._as_user,
            )
        wait_until(self._answers, f"PostgreSQL answers; {self.log()}", bound=30)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server and wait for it. SIGINT closes open connections, SIGQUIT is a crash."""
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process = None

    def url(self, database: str) -> str:
        """The URL of a database, as the configuration takes it."""
        return f"postgresql:///{database}?host={self.root}&user=mt"

    def new_database(self, template: str | None = None) -> str:
        """The URL of a new database: empty, or a copy of `template`, to which nobody is connected."""
        name = f"mt{os.getpid()}_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return self.url(name)

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement outside any transaction, as the superuser; returns its rows."""
        import psycopg

        with psycopg.connect(
            dbname=database, host=str(self.root), user="mt", autocommit=True, connect_timeout=10
        ) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def log(self) -> str:
        """The last lines of the server's log, for a failing test's message."""
        path = self.root / "server.log"
        return " | ".join(path.read_text(errors="replace").splitlines()[-10:]) if path.exists() else ""

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments, "--locale=C.UTF-8", "-N"],
            check=True,
            capture_output=True,
            **self._as_user,
        )

    def _answers(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise AssertionError(f"PostgreSQL ended at once: {self.log()}")
        ready = subprocess.run(
            [self._programs / "pg_isready", "-q", "-h", self.root, "-U", "mt", "-d", "postgres"],
            check=False,
            **self._as_user,
        )
        return ready.returncode == 0
