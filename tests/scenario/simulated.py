"""A desk in this process, on a database of its own and a clock that stands still until it is moved."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Select, event, func, select
from sqlalchemy.orm import DeclarativeBase

from mailticket.delivery.outcome import Delivered
from mailticket.delivery.render import Renderer
from mailticket.mail.read import read
from mailticket.mail.types import RawMail, Reading
from mailticket.store.engine import open_engine, reading
from mailticket.store.inbox import Inbox
from mailticket.store.migrate import migrate
from mailticket.work.dispatch import Dispatcher
from mailticket.work.receive import Receiver
from mailticket.work.served import base_recipient
from mailticket.work.ticks import Ticks
from tests.unit.config_samples import loaded

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

CONFIGURATION = """
[service]
name = "Desk {name}"
instance = "desk-{name}"

[desk]
undo_hold = "{hold}"
acknowledge_after = "{hold}"
receipts = "errors"
{options}

[departments.support]
name = "Support"
addresses = ["support@{name}.example"]
members = ["sam", "sue"]
acknowledge_replies = {replies}
{support}

[agents.sam]
name = "Sam"
addresses = ["sam@staff-{name}.example"]

[agents.sue]
name = "Sue"
addresses = ["sue@staff-{name}.example"]

[listeners.smtp]
port = 2525
"""


@dataclass
class SimulatedClock:
    """Tells the time it was last set to."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **how_far: float) -> None:
        """Move on by timedelta(**how_far)."""
        self.now += timedelta(**how_far)


@dataclass(frozen=True)
class Sent:
    """A mail as it left a desk."""

    envelope_from: str
    recipient: str
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        """Parsed."""
        return message_from_bytes(self.raw, policy=policy.default)


class _Parsers:
    """Reads in this process: nothing here is hostile.

    Of thousands of mails that differ in digits only, the first is read for all but the Message-ID.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, str | None], Reading] = {}

    def read_all(self, mails: Sequence[tuple[bytes, str | None]]) -> list[tuple[Reading, None]]:
        return [(self._read(raw, envelope_from), None) for raw, envelope_from in mails]

    def _read(self, raw: bytes, envelope_from: str | None) -> Reading:
        found = re.search(rb"Message-ID: <(storm[0-9]+@[a-z.]+)>", raw)
        if found is None:
            return read(raw, envelope_from)
        key = (re.sub(rb"[0-9]+", b"0", raw), envelope_from)
        if key not in self._known:
            self._known[key] = read(raw, envelope_from)
        known = self._known[key]
        return replace(known, mail=replace(known.mail, message_id=found[1].decode("ascii")))


@dataclass
class _Collecting:
    """A transport that keeps what it is given."""

    sent: list[Sent] = field(default_factory=list)

    def send(self, envelope_from: str, recipient: str, raw: bytes) -> Delivered:
        self.sent.append(Sent(envelope_from, recipient, raw))
        return Delivered("kept")

    def close(self) -> None:
        """Nothing is open."""


class SimulatedDesk:
    """The real receiver, dispatcher and ticks, called in turn instead of running."""

    def __init__(
        self,
        folder: Path,
        name: str,
        clock: SimulatedClock,
        extra: str = "",
        *,
        acknowledge_replies: bool = False,
        hold: str = "0s",
        options: str = "",
        support: str = "",
    ) -> None:
        folder = folder / name
        folder.mkdir()
        text = CONFIGURATION.format(
            name=name, replies=str(acknowledge_replies).lower(), hold=hold, options=options, support=support
        )
        self.settings = loaded(folder, text + extra)
        self.clock = clock
        self.address = f"support@{name}.example"
        self.engine = open_engine(f"sqlite:///{folder}/desk.db")
        event.listen(self.engine, "connect", _in_a_hurry)
        migrate(self.engine)
        self.inbox = Inbox(self.engine, clock, base_recipient)
        self.transport = _Collecting()
        self._open()

    def _open(self) -> None:
        settings, secret = self.settings, b"k" * 40
        self.receiver = Receiver(
            self.engine,
            self.inbox,
            _Parsers(),  # type: ignore[arg-type]  # the one method of the pool that is called
            lambda: settings.desk,
            secret,
            self.clock,
            settings.receive,
            lambda: None,
        )
        self.dispatcher = Dispatcher(
            self.engine, Renderer([]), lambda: self.transport, lambda: settings, self.clock
        )
        self.ticks = Ticks(self.engine, lambda: settings.desk, secret, self.clock, lambda: None)

    def restart(self) -> None:
        """What a daemon remembers in memory is gone."""
        self.receiver.close()
        self.dispatcher.close()
        self._open()

    def close(self) -> None:
        """End its threads."""
        self.receiver.close()
        self.dispatcher.close()
        self.engine.dispose()

    def take(
        self,
        raws: Iterable[bytes],
        sender: str = "ann@customer.example",
        recipient: str | None = None,
        source: str = "smtp",
    ) -> None:
        """Store mails and work on them."""
        to = recipient or self.address
        self.inbox.store([RawMail(raw, sender, to, source, "192.0.2.7") for raw in raws])
        self.receiver.work_off(threading.Event())

    def send(self) -> list[Sent]:
        """Send what is queued; returns it."""
        self.transport.sent.clear()
        self.dispatcher.work_off(threading.Event())
        return list(self.transport.sent)

    def count(self, model: type[DeclarativeBase], *rules: Any) -> int:
        """How many rows of a table fulfil the rules."""
        return int(self.rows(select(func.count()).select_from(model).where(*rules))[0])

    def rows(self, query: Select[Any]) -> list[Any]:
        """The first column of a query."""
        with reading(self.engine) as session:
            return list(session.execute(query).scalars())


def _in_a_hurry(connection: sqlite3.Connection, _record: object) -> None:
    """What a power cut does is tested elsewhere; here thousands of mails have to pass."""
    connection.execute("PRAGMA synchronous=OFF").close()


def written(
    subject: str = "I cannot log in",
    body: str = "Please help me, I cannot log in.",
    *,
    sender: str = "ann@customer.example",
    to: str = "support@a.example",
    message_id: str = "",
    **headers: str,
) -> bytes:
    """A mail as bytes with CRLF; another subject or text makes another Message-ID."""
    own = message_id or f"{sha256((subject + body).encode()).hexdigest()[:16]}@mua.example"
    fields = {
        "From": sender,
        "To": to,
        "Subject": subject,
        "Message-ID": f"<{own}>",
        "Content-Type": "text/plain; charset=utf-8",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{head}\r\n{body}\r\n".encode()
