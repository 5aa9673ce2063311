"""The real daemon, `mailticket run`, in a folder of its own, and a look into its database."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.load import AGENT_ADDRESS, DESK_ADDRESS
from bench.processes import Family
from bench.wire import RunWrong

_START_WITHIN = 60.0
_STOP_WITHIN = 60.0
_STALLED_AFTER = 60.0
"""Seconds without any progress after which work is given up for lost."""

_CONFIGURATION = """
[service]
name = "Example Help Desk"
instance = "bench"
state_dir = "{state}"
database = "{database}"
secret_key = {{ env = "BENCH_SECRET_KEY" }}

[desk]
default_department = "support"
default_sla_plan = "standard"
acknowledge_after = "0s"          # what is measured is our own time, not a wait we were asked for
undo_hold = "0s"
receipts = "errors"

[listeners.smtp]
protocol = "smtp"
host = "127.0.0.1"
port = {port}
max_messages_per_minute = 10000000

[departments.support]
name = "Support"
addresses = ["{desk}"]
members = ["alex"]
manager = "alex"
acknowledge = true
signature = "Support, Example Help Desk"

[agents.alex]
name = "Alex Agent"
addresses = ["{agent}"]

[sla_plans.standard]
name = "Standard"
first_response = "4h"
resolution = "18h"

[digest]
enabled = false

[brakes]
per_address_hour = 10000000
per_address_day = 10000000
per_domain_hour = 10000000
total_hour = 10000000
per_ticket_10_minutes = 10000000
same_subject_hour = 10000000
per_template_hour = 10000000
per_ticket_hour = 10000000
per_ticket_10_hours = 10000000
same_text_hour = 1000
same_subject_tickets_hour = 1000
new_tickets_hour = 1000
mails_hour = 1000

[delivery.smarthost]
host = "127.0.0.1"
port = {smarthost}
security = "none"
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """An outgoing mail in the daemon's books: its Message-ID, and the mail it was caused by."""

    message_id: str
    template: str
    cause: str
    """SHA-256 in hex of the raw mail that caused it."""


@dataclass(slots=True)
class Daemon:
    """`mailticket run` on a temporary folder. `profile`: where to write where its CPU time went."""

    folder: Path
    smarthost: int
    profile: Path | None = None
    port: int = 0
    seconds_to_start: float = 0.0
    _process: subprocess.Popen[bytes] | None = None
    _database: sqlite3.Connection | None = field(default=None, repr=False)

    @property
    def configuration(self) -> Path:
        """The generated configuration directory."""
        return self.folder / "config"

    @property
    def environment(self) -> dict[str, str]:
        """What the daemon is started with."""
        root = str(Path(__file__).resolve().parents[1])
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MAILTICKET_")}
        return {**kept, "BENCH_SECRET_KEY": "benchmark " * 4, "PYTHONPATH": root}

    def configure(self) -> None:
        """Write the configuration."""
        self.configuration.mkdir(parents=True, exist_ok=True)
        self.port = _free_port()
        text = _CONFIGURATION.format(
            state=self.folder / "var",
            database=f"sqlite:///{self.folder / 'var' / 'mailticket.db'}",
            port=self.port,
            smarthost=self.smarthost,
            desk=DESK_ADDRESS,
            agent=AGENT_ADDRESS,
        )
        (self.configuration / "mailticket.toml").write_text(text, encoding="utf-8")

    async def start(self) -> Family:
        """Start it, and wait until it accepts connections; raises `RunWrong` when it does not."""
        self.configure()
        started = time.monotonic()
        arguments = ["--config", str(self.configuration), "run"]
        program = ["bench.profiler", str(self.profile)] if self.profile else ["mailticket"]
        with (self.folder / "daemon.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd=self.folder,
            )
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() - started > _START_WITHIN:
                raise RunWrong(f"the daemon did not start:\n{self.log()}")
            await asyncio.sleep(0.02)
        self.seconds_to_start = time.monotonic() - started
        return Family(self._process.pid)

    async def stop(self) -> None:
        """SIGTERM, and wait; raises `RunWrong` when it does not end by itself, and well."""
        if self._database is not None:
            self._database.close()
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            code = await asyncio.to_thread(self._process.wait, _STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RunWrong(f"the daemon did not stop within {_STOP_WITHIN:g} seconds") from None
        if code != 0:
            raise RunWrong(f"the daemon ended with code {code}:\n{self.log()}")

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def log(self) -> str:
        """The last lines it has said."""
        lines = (self.folder / "daemon.log").read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-12:])

    async def drained(self) -> None:
        """Wait until no mail is pending and none is queued.

        Raises `RunWrong` when the daemon has ended, or nothing has moved for a minute.
        """
        left, moved = -1, time.monotonic()
        while (now_left := self._unfinished()) > 0:
            if now_left != left:
                left, moved = now_left, time.monotonic()
            if self._process is not None and self._process.poll() is not None:
                raise RunWrong(f"the daemon died:\n{self.log()}")
            if time.monotonic() - moved > _STALLED_AFTER:
                raise RunWrong(f"{left} mails are stuck:\n{self.log()}")
            await asyncio.sleep(0.02)

    def states(self, table: str) -> dict[str, int]:
        """How many rows of "inbound" or "outbox" are in each state."""
        rows = self._read().execute(f"SELECT state, count(*) FROM {table} GROUP BY state")
        return {str(state): int(count) for state, count in rows}

    def tickets(self) -> int:
        """How many tickets there are."""
        return int(self._read().execute("SELECT count(*) FROM ticket").fetchone()[0])

    def known(self) -> set[str]:
        """SHA-256 of every mail it has stored."""
        return {str(row[0]) for row in self._read().execute("SELECT blob FROM inbound")}

    def sent(self) -> list[Sent]:
        """Every outgoing mail that has a cause."""
        rows = self._read().execute(
            "SELECT outbox.message_id, outbox.template, inbound.blob FROM outbox"
            " JOIN entry ON entry.id = outbox.entry_id JOIN inbound ON inbound.id = entry.inbound_id"
            " WHERE outbox.state = 'sent' ORDER BY outbox.id"
        )
        return [Sent(*row) for row in rows]

    def _unfinished(self) -> int:
        pending, queued = (
            self._read()
            .execute(
                "SELECT (SELECT count(*) FROM inbound WHERE state = 'pending'),"
                " (SELECT count(*) FROM outbox WHERE state = 'queued')"
            )
            .fetchone()
        )
        return int(pending) + int(queued)

    def _read(self) -> sqlite3.Connection:
        if self._database is None:
            path = self.folder / "var" / "mailticket.db"
            self._database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
        return self._database

    def _listens(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
