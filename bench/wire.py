"""Both ends of the daemon's wires, in one event loop and as cheap as can be: customers, and a smarthost.

Neither is measured; they only must not take more of the machine than they need.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bench.load import Mail

_END = b"\r\n.\r\n"


class RunWrong(Exception):
    """The run itself went wrong: a mail refused, lost, or unanswered. The figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Handed:
    """A mail the daemon handed over: when its final dot was answered (monotonic seconds), and its bytes."""

    at: float
    recipient: str
    raw: bytes


@dataclass(slots=True)
class Sink:
    """An SMTP server that takes everything and keeps it."""

    taken: list[Handed] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen on a free port of loopback; the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _SinkSession(self), "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await asyncio.sleep(0)


class _SinkSession(asyncio.Protocol):
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._buffer = bytearray()
        self._recipient = ""
        self._in_data = False
        self._searched = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink.example\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._content() if self._in_data else self._command():
            pass

    def _command(self) -> bool:
        line, found, rest = self._buffer.partition(b"\r\n")
        if not found:
            return False
        self._buffer = rest
        self._transport.write(self._answer(bytes(line)))
        return True

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"EHLO":
            return b"250-sink.example\r\n250-8BITMIME\r\n250 SIZE 50000000\r\n"
        if verb == b"RCPT":
            self._recipient = line[line.index(b"<") + 1 : line.index(b">")].decode("ascii", "replace")
        if verb == b"DATA":
            self._in_data, self._searched = True, 0
            # the line break of the command stands for the one before an end mark on the first line
            self._buffer[:0] = b"\r\n"
            return b"354 go on\r\n"
        return b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n"

    def _content(self) -> bool:
        end = self._buffer.find(_END, max(0, self._searched - len(_END)))
        if end < 0:
            self._searched = len(self._buffer)
            return False
        raw = bytes(self._buffer[2 : end + 2]).replace(b"\r\n.", b"\r\n")
        del self._buffer[: end + len(_END)]
        self._in_data = False
        self._sink.taken.append(Handed(time.monotonic(), self._recipient, raw))
        self._transport.write(b"250 taken\r\n")
        return True


@dataclass(frozen=True, slots=True)
class Accepted:
    """A mail the daemon took: when it said 250 (monotonic seconds), and how long after MAIL."""

    at: float
    seconds: float
    mail: Mail


async def send_all(mails: Sequence[Mail], port: int, connections: int) -> list[Accepted]:
    """Send all mails over so many connections at once; raises `RunWrong` when one is not taken."""
    waiting = iter(mails)
    accepted: list[Accepted] = []
    await asyncio.gather(*(_customer(waiting, accepted, port) for _ in range(connections)))
    return accepted


async def _customer(waiting: Iterator[Mail], accepted: list[Accepted], port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        await _expect(reader, b"220")
        await _say(reader, writer, b"EHLO customer.example", b"250")
        for mail in waiting:
            started = time.monotonic()
            await _say(reader, writer, b"MAIL FROM:<%s>" % mail.sender.encode(), b"250")
            await _say(reader, writer, b"RCPT TO:<%s>" % mail.recipient.encode(), b"250")
            await _say(reader, writer, b"DATA", b"354")
            await _say(reader, writer, mail.raw.replace(b"\r\n.", b"\r\n..") + b".", b"250")
            now = time.monotonic()
            accepted.append(Accepted(now, now - started, mail))
        await _say(reader, writer, b"QUIT", b"221")
    except asyncio.IncompleteReadError:
        raise RunWrong("the daemon closed a customer's connection") from None
    finally:
        writer.close()


async def _say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes, code: bytes) -> None:
    writer.write(line + b"\r\n")
    await writer.drain()
    await _expect(reader, code)


async def _expect(reader: asyncio.StreamReader, code: bytes) -> None:
    while True:
        line = await reader.readuntil(b"\r\n")
        if line[3:4] != b"-":
            break
    if not line.startswith(code):
        raise RunWrong(f"the daemon answered {line.decode('ascii', 'replace').strip()!r}")
