"""The real daemon in a folder of its own: started, fed over sockets, killed, restarted, looked into."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import smtplib
import socket
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.scenario.books import Books
from tests.servers import forked, wait_until

DESK = """
[service]
name = "Example Bank"
instance = "test-desk"
time_zone = "UTC"
database = "{database}"
state_dir = "{state}"
secret_key = {{ env = "TEST_SECRET_KEY" }}
log_level = "info"

[desk]
default_department = "support"
acknowledge_after = "0s"
default_sla_plan = "standard"
undo_hold = "{undo_hold}"
receipts = "errors"

[listeners.smtp]
protocol = "smtp"
host = "127.0.0.1"
port = {smtp_port}

[listeners.lmtp]
protocol = "lmtp"
host = "127.0.0.1"
port = {lmtp_port}

[departments.support]
name = "Support"
addresses = ["support@desk.example"]
manager = "mona"
members = ["sam", "sue"]
signature = "Support, Example Bank"

[departments.it]
name = "System Administration"
addresses = ["it@desk.example"]
manager = "mona"
members = ["ida"]
signature = "IT, Example Bank"

[agents.sam]
name = "Sam Support"
addresses = ["sam.private@agents.example"]

[agents.sue]
name = "Sue Support"
addresses = ["sue.private@agents.example"]

[agents.ida]
name = "Ida Admin"
addresses = ["ida.private@agents.example"]

[agents.mona]
name = "Mona Manager"
addresses = ["mona.private@agents.example"]

[topics.outage]
name = "Outage"
priority = "high"

[[rules]]
name = "outages"
match = "any"
when = [{{ field = "subject", how = "contains", value = "outage" }}]
then = {{ topic = "outage", tags = ["outage"] }}

[schedules.always]
hours = {{ mon = ["00:00-24:00"], tue = ["00:00-24:00"], wed = ["00:00-24:00"], thu = ["00:00-24:00"], fri = ["00:00-24:00"], sat = ["00:00-24:00"], sun = ["00:00-24:00"] }}

[sla_plans.standard]
name = "Standard"
schedule = "always"
first_response = "4h"
resolution = "18h"

[digest]
at = 08:00:00
weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

[delivery]
maildir = "{maildir}"
retry = ["1s", "1s", "2s"]
"""  # noqa: E501 -- TOML wants an inline table on one line


def steady_port() -> int:
    """A free port that no outgoing connection is given while its daemon is down between two starts."""
    while True:
        port = random.randrange(12_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass
class Daemon:
    """`mailticket run` on a temporary folder. Options go to the configuration before `start`."""

    folder: Path
    database: str = ""
    smarthost_port: int | None = None
    smarthost_options: str = ""
    extra: str = ""
    undo_hold: str = "0s"
    environment: dict[str, str] = field(default_factory=dict)
    smtp_port: int = field(default_factory=steady_port)
    lmtp_port: int = field(default_factory=steady_port)
    process: forked.Forked | None = None
    _read: dict[str, tuple[int, EmailMessage]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.config = self.folder / "config"
        self.state = self.folder / "var"
        self.maildir = self.folder / "outgoing"
        self.clock_file = self.folder / "clock"
        self.database = self.database or f"sqlite:///{self.state}/mailticket.db"
        self.config.mkdir(parents=True, exist_ok=True)

    def write_configuration(self) -> None:
        """Write the configuration as it is described now."""
        text = DESK.format(
            database=self.database,
            state=self.state,
            maildir=self.maildir,
            smtp_port=self.smtp_port,
            lmtp_port=self.lmtp_port,
            undo_hold=self.undo_hold,
        )
        if self.smarthost_port is not None:
            text += (
                f'\n[delivery.smarthost]\nhost = "127.0.0.1"\nport = {self.smarthost_port}\n'
                'security = "none"\n' + self.smarthost_options + "\n"
            )
        (self.config / "mailticket.toml").write_text(text + self.extra, encoding="utf-8")

    def environ(self, **more: str) -> dict[str, str]:
        """The environment commands and daemon run in."""
        return {
            **os.environ,
            "TEST_SECRET_KEY": "0123456789abcdef0123456789abcdef",
            "MAILTICKET_CLOCK_OFFSET": str(self.clock_file),
            **self.environment,
            **more,
        }

    def start(self, **environment: str) -> None:
        """Start, and wait until it accepts mail."""
        self.launch(**environment)
        wait_until(lambda: self._listens() or self.ended(), "the daemon to listen", bound=60)
        assert not self.ended(), self.log()

    def launch(self, **environment: str) -> None:
        """Start, and wait for nothing."""
        self.write_configuration()
        self.process = forked.start(
            ["--config", str(self.config), "run"],
            env=self.environ(**environment),
            cwd=self.folder,
            log=self.folder / "daemon.log",
        )

    def ended(self) -> bool:
        """The process is gone."""
        return self.process is None or self.process.poll() is not None

    def stop(self) -> int:
        """SIGTERM, and wait; the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(60)

    def kill(self) -> None:
        """SIGKILL, and wait."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(60)

    def wait_killed(self, *, bound: float = 30.0) -> None:
        """Wait until the process has ended by SIGKILL, as MAILTICKET_CRASH_AT has it do."""
        wait_until(self.ended, f"the daemon has crashed\n{self.tail()}", bound=bound)
        assert self.process is not None
        assert self.process.returncode == -signal.SIGKILL, self.tail()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def __enter__(self) -> Daemon:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if not self.ended():
            self.kill()

    def log(self) -> str:
        """What the daemon has said so far."""
        file = self.folder / "daemon.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def later(self, seconds: float) -> None:
        """Let time pass for the daemon."""
        self.clock_file.write_text(str(seconds), encoding="ascii")

    def now(self) -> datetime:
        """The time as the daemon sees it."""
        moved = self.clock_file.read_text(encoding="ascii") if self.clock_file.exists() else "0"
        return datetime.now(UTC) + timedelta(seconds=float(moved or 0))

    def command(
        self, *arguments: str, check: bool = True, given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a mailticket command on this configuration."""
        words = ["--config", str(self.config), *arguments]
        done = forked.run(words, env=self.environ(), cwd=self.folder, timeout=60, given=given)
        assert not check or done.returncode == 0, (
            f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done

    def json(self, *arguments: str) -> Any:
        """A command's JSON answer."""
        return json.loads(self.command(*arguments, "--json").stdout)

    @property
    def books(self) -> Books:
        """The rows of its database."""
        return Books(self.database)

    def offer(self, mails: Iterable[bytes], sender: str = "client@relay.example") -> list[bytes]:
        """Hand mails in over SMTP as an MTA does; those that got no 250, to be offered again later."""
        refused: list[bytes] = []
        server: smtplib.SMTP | None = None
        for raw in mails:
            try:
                server = server or smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=30)
                server.sendmail(sender, ["support@desk.example"], raw)
            except (OSError, smtplib.SMTPException):
                refused.append(raw)
                if server is not None:
                    server.close()
                server = None
        if server is not None:
            server.close()
        return refused

    def settle(self, *, bound: float = 30.0) -> None:
        """Wait until no mail is pending and none queued, whatever its next try; `idle` without a command."""
        books = self.books

        def settled() -> bool:
            return not self.ended() and books.unfinished() == (0, 0)

        try:
            wait_until(settled, "the daemon has nothing left to do", bound=bound)
        except AssertionError as error:
            raise AssertionError(f"{error}; left: {books.unfinished()}\n{self.tail()}") from None

    def send(
        self, raw: bytes, recipient: str = "support@desk.example", sender: str = "ann@customer.example"
    ) -> None:
        """Hand a mail in over SMTP."""
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=30) as server:
            server.sendmail(sender, [recipient], raw)

    def outgoing(self) -> list[EmailMessage]:
        """Every mail in the outgoing Maildir, oldest first."""
        folder = self.maildir / "new"
        if not folder.is_dir():
            return []
        for name in os.listdir(folder):
            if name not in self._read:
                item = folder / name
                self._read[name] = (item.stat().st_mtime_ns, parse(item.read_bytes()))
        return [mail for _, (_, mail) in sorted(self._read.items(), key=lambda item: (item[1][0], item[0]))]

    def to(self, address: str) -> list[EmailMessage]:
        """The outgoing mails to an address."""
        return [mail for mail in self.outgoing() if address in str(mail["To"])]

    def wait_to(self, address: str, count: int = 1, *, bound: float = 30.0) -> list[EmailMessage]:
        """Wait for `count` mails to an address; the mails."""
        wait_until(
            lambda: len(self.to(address)) >= count, f"{count} mails to {address}\n{self.tail()}", bound=bound
        )
        return self.to(address)

    def idle(self, *, bound: float = 30.0) -> None:
        """Wait until no mail is pending and no mail is queued that could be sent now."""

        books = self.books

        def nothing_left() -> bool:
            return books.due(self.now() + timedelta(seconds=2)) == (0, 0)

        wait_until(nothing_left, "the daemon to be done", bound=bound)

    def tail(self) -> str:
        """The end of the log, for a failing test's message."""
        return "\n".join(self.log().splitlines()[-15:])

    def _listens(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.lmtp_port), timeout=1):
                return True
        except OSError:
            time.sleep(0.02)
            return False


def parse(raw: bytes) -> EmailMessage:
    """A mail of ours, by the standard library's modern parser."""
    return message_from_bytes(raw, policy=policy.default)


def text_of(mail: EmailMessage) -> str:
    """The text/plain part."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def new_mail(
    subject: str = "I cannot log in",
    body: str = "Please help.",
    *,
    sender: str = "Ann Customer <ann@customer.example>",
    to: str = "support@desk.example",
    message_id: str = "m1@customer.example",
    **headers: str,
) -> bytes:
    """A customer's mail as bytes with CRLF."""
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = subject
    mail["Message-ID"] = f"<{message_id}>"
    mail["Date"] = "Sat, 21 Nov 2026 10:00:00 +0000"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(body)
    return mail.as_bytes()


def answer(
    mail: EmailMessage, body: str, *, sender: str, quote: bool = True, message_id: str = "r1@x.example"
) -> bytes:
    """A reply to one of our mails, written as a mail client would: to its Reply-To, quoting it below."""
    quoted = "\n".join(f"> {line}" for line in text_of(mail).splitlines())
    text = f"{body}\n\nOn Sat, 21 Nov 2026 at 10:05, Example Bank <support@desk.example> wrote:\n{quoted}\n"
    return new_mail(
        f"Re: {mail['Subject']}",
        text if quote else body,
        sender=sender,
        to=str(mail["Reply-To"]),
        message_id=message_id,
        In_Reply_To=str(mail["Message-ID"]),
        References=" ".join(filter(None, (str(mail["References"] or ""), str(mail["Message-ID"])))),
    )
