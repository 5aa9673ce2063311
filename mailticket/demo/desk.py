"""The demo's desk: a generated configuration, and the real daemon started on it.

The daemon is `python -m mailticket --config ... run` in a process of its own; mail goes to it over
SMTP. Its database is only looked into, for what each mail is called and how the tickets stand.
"""

from __future__ import annotations

import os
import re
import smtplib
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import Engine

from mailticket.demo.clock import DemoClock
from mailticket.demo.configuration import configuration
from mailticket.demo.mailclient import Written
from mailticket.domain.ticket_query import TicketQuery
from mailticket.store import outbox_admin
from mailticket.store.engine import open_engine, reading
from mailticket.store.inbox import InboundState, Inbox
from mailticket.store.outbox import OutboxState
from mailticket.store.ticket_search import find_tickets
from mailticket.store.views import WholeTicket, show_ticket
from mailticket.work.served import base_recipient

_START_BOUND = 60.0
_STOP_BOUND = 30.0
_NO_ERROR = "no error so far"
_LISTENS = re.compile(r"^ *SMTP listens on \S+:([0-9]+) *$", re.MULTILINE)
_LOOKS_OF_A_TERMINAL = ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "NOTIFY_SOCKET")


class DeskTrouble(Exception):
    """The daemon did not do what a daemon must; the text says what."""


class DemoDesk:
    """A desk below `folder`, whose outgoing mail goes to a smarthost on loopback."""

    def __init__(self, folder: Path, smarthost_port: int) -> None:
        self.folder = folder
        self.config = folder / "config"
        self.log = folder / "daemon.log"
        self.config.mkdir(parents=True)
        self.clock = DemoClock(folder / "clock")
        (self.config / "mailticket.toml").write_text(configuration(folder, smarthost_port), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._engine: Engine | None = None

    def start(self) -> None:
        """Start the daemon and wait until it listens. Raises `DeskTrouble` when it does not."""
        command = [sys.executable, "-m", "mailticket", "--config", str(self.config), "run"]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 -- our own interpreter and program
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(self.clock),
                cwd=self.folder,
            )
        end = time.monotonic() + _START_BOUND
        while (found := _LISTENS.search(self._log_text())) is None:
            if self._process.poll() is not None:
                raise DeskTrouble(f"the daemon ended with exit code {self._process.returncode}")
            if time.monotonic() > end:
                raise DeskTrouble(f"the daemon did not listen within {_START_BOUND:g} s")
            time.sleep(0.02)
        self._port = int(found[1])
        self._engine = open_engine(f"sqlite:///{self.folder / 'var' / 'mailticket.db'}")

    def stop(self) -> None:
        """End the daemon, politely first. Raises `DeskTrouble` where it had to be killed or failed."""
        if self._engine is not None:
            self._engine.dispose()
        if self._process is None:
            return
        process, self._process = self._process, None
        process.terminate()
        try:
            code = process.wait(_STOP_BOUND)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise DeskTrouble(f"the daemon did not stop within {_STOP_BOUND:g} s of SIGTERM") from None
        if code != 0:
            raise DeskTrouble(f"the daemon ended with exit code {code}")

    def running(self) -> bool:
        """The daemon is alive."""
        return self._process is not None and self._process.poll() is None

    def take(self, mail: Written) -> None:
        """Hand a mail in over SMTP, as its writer's mail server would. Raises `DeskTrouble` if refused."""
        try:
            with smtplib.SMTP("127.0.0.1", self._port, timeout=20) as server:
                server.sendmail(mail.role.address, [mail.recipient], mail.raw)
        except (OSError, smtplib.SMTPException) as error:
            raise DeskTrouble(f"the desk did not take the mail to {mail.recipient}: {error}") from error

    def idle(self) -> bool:
        """No mail waits to be worked on and none to be sent."""
        pending = self._inbox.counts()[InboundState.PENDING]
        return pending == 0 and outbox_admin.counts(self._store)[OutboxState.QUEUED] == 0

    def kind_of(self, message_id: str) -> str:
        """The template a mail of the desk was written with, "" for a mail the desk knows nothing of."""
        with reading(self._store) as session:
            found = outbox_admin.find_by_message_id(session, message_id)
        return "" if found is None else found.template

    def stuck(self) -> list[str]:
        """Mails that wait or failed, and why, in words."""
        coming = self._inbox.list_mails(
            (InboundState.PENDING, InboundState.FAILED, InboundState.HELD, InboundState.REJECTED), 20
        )
        going = outbox_admin.list_mails(
            self._store, (OutboxState.QUEUED, OutboxState.FAILED, OutboxState.PARKED), 20
        )
        said = [f"in the inbox: {item.subject} is {item.state}: {item.error or _NO_ERROR}" for item in coming]
        return said + [
            f"in the outbox: {item.template} to {item.recipient} is {item.state}: {item.error or _NO_ERROR}"
            for item in going
        ]

    def tickets(self) -> list[WholeTicket]:
        """All tickets with all that happened to them, in the order they came."""
        with reading(self._store) as session:
            rows = [found.ticket for found in find_tickets(session, TicketQuery(every=True), 1000)]
            shown = [show_ticket(session, row.number) for row in sorted(rows, key=lambda row: row.id)]
        return [item for item in shown if item is not None]

    def log_end(self, lines: int = 20) -> str:
        """The end of the daemon's log."""
        return "\n".join(self._log_text().splitlines()[-lines:])

    @property
    def _inbox(self) -> Inbox:
        return Inbox(self._store, self.clock.now, base_recipient)

    @property
    def _store(self) -> Engine:
        if self._engine is None:
            raise DeskTrouble("the daemon has not been started")
        return self._engine

    def _log_text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


def _environment(clock: DemoClock) -> dict[str, str]:
    """Ours, without what would set up another desk, or would color or wrap the lines that are read here."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.upper().startswith("MAILTICKET_") and key not in _LOOKS_OF_A_TERMINAL
    }
    return {**kept, "COLUMNS": "200", "MAILTICKET_CLOCK_OFFSET": str(clock.file)}
