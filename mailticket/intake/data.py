"""The message after DATA: where it ends, what is stuffed, and when it is too much.

aiosmtpd reads it line by line, which makes a Python object of every line, refuses lines of more
than 1000 bytes with a permanent error, and counts nothing across connections. Here it is read in
blocks. It ends at CRLF.CRLF and at nothing else (SMTP smuggling, CVE-2023-51764 to 51766); bare CR
and LF stay in the message as they came.
"""

from __future__ import annotations

import asyncio
import enum

from mailticket.intake.limits import Reservation

END = b"\r\n.\r\n"


class Verdict(enum.Enum):
    """How receiving a message went."""

    COMPLETE = "complete"
    TOO_LARGE = "too large"
    NO_ROOM = "no room"


class Collector:
    """The blocks of one message. Past a limit everything is dropped, and counted on."""

    def __init__(self, max_size: int, reservation: Reservation) -> None:
        self._max_size = max_size
        # Stuffing makes of every 3 bytes (a line ".") at most 4.
        self._most = max_size + max_size // 3 + 2 + len(END)
        self._reservation = reservation
        self._blocks: list[bytes] = []
        self.received = 0
        self.verdict = Verdict.COMPLETE

    def feed(self, block: bytes) -> None:
        """Take a block in, or drop it when a limit has been passed."""
        self.received += len(block)
        if self.verdict is not Verdict.COMPLETE:
            return
        if self.received > self._most:
            self._give_up(Verdict.TOO_LARGE)
        elif not self._reservation.grow(len(block)):
            self._give_up(Verdict.NO_ROOM)
        else:
            self._blocks.append(block)

    @property
    def hopeless(self) -> bool:
        """True when a message is so far over the limit that its end need not be waited for."""
        return self.received > 3 * self._max_size

    def content(self) -> bytes | None:
        """The whole message without its end mark and without dot-stuffing (RFC 5321, 4.5.2).

        None when a limit was passed; `verdict` then says which.
        """
        # It starts with the line break before its first line, so a leading dot there is like any
        # other, and so is the lone dot at the end.
        unstuffed = b"".join(self._blocks).replace(b"\r\n.", b"\r\n")
        self._blocks.clear()
        if self.verdict is Verdict.COMPLETE and len(unstuffed) - 4 > self._max_size:
            self._give_up(Verdict.TOO_LARGE)
        return unstuffed[2:-2] if self.verdict is Verdict.COMPLETE else None

    def _give_up(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self._blocks.clear()
        self._reservation.release()


async def receive(reader: asyncio.StreamReader, collector: Collector) -> bool:
    """Read up to and including the end mark into `collector`.

    False when the message is so far over the limit that its end is not waited for. Raises
    `asyncio.IncompleteReadError` when the client closes before the end.
    """
    # The line break that ended the DATA command is put back, so that the end mark is found on the
    # first line too. aiosmtpd clears this very buffer at STARTTLS; asyncio offers no public way.
    reader._buffer[:0] = b"\r\n"  # type: ignore[attr-defined]
    while True:
        try:
            block, complete = await reader.readuntil(END), True
        except asyncio.LimitOverrunError as error:
            block, complete = await reader.read(error.consumed), False
        collector.feed(block)
        if complete:
            return True
        if collector.hopeless:
            return False
