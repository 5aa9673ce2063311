"""A web service on loopback that answers what a test scripts, and keeps what it was sent."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


@dataclass
class HookServer:
    """`script` holds what is answered, one item per request; when it is used up, 200.

    A number is a status; (status, headers, body) is all of it; "slow" sends a byte now and then for ever,
    "silent" says nothing, "drop" hangs up.
    """

    port: int = 0
    script: list[Any] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"


@contextmanager
def hook_server() -> Iterator[HookServer]:
    """Runs while the block does."""
    state = HookServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            answer = state.script.pop(0) if state.script else 200
            state.received.append(Received(self.path, dict(self.headers.items()), body))
            if answer == "drop":
                self.connection.close()
            elif answer == "silent":
                state.ending.wait(20)
            elif answer == "slow":
                self.slowly()
            else:
                status, headers, said = answer if isinstance(answer, tuple) else (answer, {}, b"said")
                self.send_response(status)
                for name, value in {"Content-Length": str(len(said)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said)

        def slowly(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            until = time.monotonic() + 20
            while time.monotonic() < until and not state.ending.wait(0.1):
                try:
                    self.wfile.write(b"x")
                except OSError:
                    return

        def log_message(self, *_args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.ending.set()
        server.shutdown()
        server.server_close()
