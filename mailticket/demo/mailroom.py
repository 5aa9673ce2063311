"""The mail servers of everybody in the demo: one SMTP server on loopback, a Maildir for each role.

The desk's smarthost is this server. It takes mail for the cast and for nobody else, files it before
it answers 250, and remembers it for the checks.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

from mailticket.delivery.maildir import MaildirDelivery
from mailticket.delivery.outcome import Delivered
from mailticket.demo.cast import Role

_HOST = "127.0.0.1"
SENT = ".Sent"
"""Maildir++ name of the folder a role's own mails are kept in."""


@dataclass(frozen=True, slots=True)
class Received:
    """One mail as it came off the wire for one role. `envelope_from` is "" for the null sender."""

    role: Role
    envelope_from: str
    raw: bytes
    mail: EmailMessage

    @property
    def message_id(self) -> str:
        """Without angle brackets."""
        return str(self.mail["Message-ID"] or "").strip().strip("<>")


class Mailroom:
    """`start`, then every mail the desk sends is in `received` and in a Maildir; `stop` at the end."""

    def __init__(self, folder: Path, cast: Sequence[Role]) -> None:
        self.folder = folder
        self.port = 0
        self._roles = {role.address.lower(): role for role in cast}
        self._inboxes = {role.key: MaildirDelivery(self.maildir(role)) for role in cast}
        self._sent = {role.key: MaildirDelivery(self.maildir(role) / SENT) for role in cast}
        self._received: list[Received] = []
        self._news = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def maildir(self, role: Role) -> Path:
        """Where a role's mail is."""
        return self.folder / role.key

    def start(self) -> None:
        """Listen on a free loopback port; `port` tells which."""
        for role in self._roles.values():
            for sub in ("tmp", "new", "cur"):
                (self.maildir(role) / sub).mkdir(mode=0o700, parents=True, exist_ok=True)
        listener = socket.create_server((_HOST, 0))
        self.port = listener.getsockname()[1]
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listener, ready)), name="mailroom", daemon=True
        )
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the demo's mail server did not start")

    def stop(self) -> None:
        """Stop listening and cut what is still connected."""
        if self._thread is None or self._loop is None or self._stopping is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    def received(self, skip: int = 0) -> list[Received]:
        """What has come so far, in order, without the first `skip`."""
        with self._news:
            return self._received[skip:]

    def wait_for_more(self, than: int, seconds: float) -> bool:
        """Wait until more than `than` mails have come, at most so long."""
        with self._news:
            return self._news.wait_for(lambda: len(self._received) > than, seconds)

    def keep_sent(self, role: Role, recipient: str, raw: bytes) -> None:
        """File a mail of a role's own, as a mail client does."""
        self._sent[role.key].send(role.address, recipient, raw)

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Take mail for the cast only."""
        if address.lower() not in self._roles:
            return "550 5.1.1 nobody of that name in this demo"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802 -- as above
        """File the mail for each recipient, then answer."""
        sender = (envelope.mail_from or "").strip("<>")  # aiosmtpd writes the null sender as "<>"
        for address in envelope.rcpt_tos:
            role = self._roles[address.lower()]
            outcome = await asyncio.to_thread(
                self._inboxes[role.key].send, sender, role.address, envelope.content
            )
            if not isinstance(outcome, Delivered):
                return f"451 4.3.0 {outcome.response}"
            self._note(role, sender, envelope.content)
        return "250 2.0.0 filed"

    def _note(self, role: Role, envelope_from: str, raw: bytes) -> None:
        mail = message_from_bytes(raw, policy=policy.default)
        with self._news:
            self._received.append(Received(role, envelope_from, raw, mail))
            self._news.notify_all()

    def _conversation(self) -> SMTP:
        return SMTP(self, hostname="mailroom.example", ident="demo mailroom", enable_SMTPUTF8=True)

    async def _serve(self, listener: socket.socket, ready: threading.Event) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(self._conversation, sock=listener)
        ready.set()
        await self._stopping.wait()
        server.close()
