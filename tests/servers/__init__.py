"""Throw-away servers for the tests: an SMTP sink, a Dovecot, a PostgreSQL, all on loopback.

Each is a context manager that needs no configuration, takes free ports, and leaves nothing behind.
A server whose binaries are absent makes the tests that need it skip with the reason, unless
MAILTICKET_REQUIRE_SERVERS=1, in which case they fail: a machine that promises to run all of the
tests must not quietly run fewer.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable

import pytest


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def missing_server(reason: str) -> None:
    """Skip the running test, or fail it where all servers were promised; never returns."""
    if os.environ.get("MAILTICKET_REQUIRE_SERVERS") == "1":
        pytest.fail(f"MAILTICKET_REQUIRE_SERVERS=1, but {reason}")
    pytest.skip(reason)


def wait_until(condition: Callable[[], object], what: str, *, bound: float = 20.0) -> None:
    """Return as soon as `condition()` is true; AssertionError naming `what` after `bound` seconds."""
    deadline = time.monotonic() + bound
    pause = 0.01
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {bound:g} s in vain until {what}")
        time.sleep(pause)
        pause = min(pause * 1.3, 0.05)  # who waits long must not take the time of whoever is waited for
