"""SMTP and LMTP servers for the tests, on free ports, with a store in memory."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from mailticket.config.settings import Listener
from mailticket.intake.smtp import SmtpServer
from tests.edge.fakes import RecordingStore
from tests.edge.wire import Wire

SUPPORT = "support@desk.example"
SALES = "sales@desk.example"
MAIL = b"From: Carla <carla@outside.example>\r\nSubject: printer\r\n\r\nIt is on fire.\r\n"


class Running(SmtpServer):
    """A started server, and where it listens."""

    address: tuple[str, int]


class Servers:
    """Starts servers for a test and stops them after it."""

    def __init__(self, store: RecordingStore, stack: contextlib.ExitStack) -> None:
        self.store = store
        self.stack = stack

    def __call__(self, crash: Callable[[str], None] | None = None, **listener: Any) -> Running:
        """A server with these settings of its listener."""
        settings = Listener(key="test", port=0, **listener)
        options: dict[str, Any] = {} if crash is None else {"crash": crash}
        server = Running(
            settings,
            self.store,
            self.store,
            hostname="mail.desk.example",
            on_stored=self.store.woken,
            **options,
        )
        self.stack.callback(server.stop, 2.0)
        server.address = server.start()
        return server


def connect(server: Running, *, greet: str | None = "EHLO client.example") -> Wire:
    """A client that has said hello."""
    return Wire(server.address, greet=greet)
