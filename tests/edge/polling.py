"""IMAP workers for the tests, with a store in memory and without patience."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from mailticket.config.settings import Mailbox
from mailticket.intake.imap import Backoff, ImapWorker
from tests.edge.fakes import RecordingStore
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.imap_script import ScriptedImap

FAST = Backoff(first=0.01, last=0.05)


def mail(serial: object) -> bytes:
    """A mail that differs from others in its subject."""
    return f"From: carla@outside.example\r\nSubject: number {serial}\r\n\r\nIt is on fire.\r\n".encode()


def mailbox_of(server: Dovecot | ScriptedImap, user: str = "desk", **options: Any) -> Mailbox:
    """The configuration of a user's mailbox on a server, without TLS unless `options` say so."""
    port = server.imap_port if isinstance(server, Dovecot) else server.port
    settings: dict[str, Any] = {
        "key": "main",
        "host": "localhost",
        "port": port,
        "security": "none",
        "user": user,
        "password": SecretStr(PASSWORD),
        "address": "support@desk.example",
        "read_timeout": timedelta(seconds=10),
    }
    return Mailbox(**(settings | options))


@contextlib.contextmanager
def working(mailbox: Mailbox, store: RecordingStore, **options: Any) -> Iterator[ImapWorker]:
    """A worker at work in its thread, stopped and waited for at the end."""
    settings: dict[str, Any] = {"on_stored": store.woken, "backoff": FAST, "retry": FAST}
    worker = ImapWorker(mailbox, store, **(settings | options))
    thread = threading.Thread(target=worker.run, name="imap-test")
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(30)
        assert not thread.is_alive()


def stored(store: RecordingStore, count: int) -> Callable[[], bool]:
    """The condition that at least `count` mails are stored."""
    return lambda: len(store.mails) >= count


def subjects(mails: list[bytes]) -> list[str]:
    """What the Subject lines of mails by `mail` say."""
    return [raw.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for raw in mails]
