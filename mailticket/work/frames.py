"""Length-prefixed frames over a pipe: how the daemon and its parser processes talk."""

from __future__ import annotations

import os
import select
import struct
import time

_HEADER = struct.Struct(">Q")
_CHUNK = 1 << 20


class Closed(Exception):
    """The other side is gone."""


class TimedOut(Exception):
    """The other side did not answer in time."""


def write_frame(fd: int, payload: bytes) -> None:
    """Write one frame whole. Raises `Closed` when nobody reads any more."""
    view = memoryview(_HEADER.pack(len(payload)) + payload)
    try:
        while view:
            view = view[os.write(fd, view) :]
    except BrokenPipeError as error:
        raise Closed from error


def read_frame(fd: int, timeout: float | None = None) -> bytes:
    """Read one frame whole, waiting at most `timeout` seconds for all of it (None: for ever).

    Raises `Closed` at end of file and `TimedOut`.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    (size,) = _HEADER.unpack(_read_exactly(fd, _HEADER.size, deadline))
    return _read_exactly(fd, size, deadline)


def _read_exactly(fd: int, size: int, deadline: float | None) -> bytes:
    chunks: list[bytes] = []
    missing = size
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    while missing:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise TimedOut
        chunk = os.read(fd, min(missing, _CHUNK))
        if not chunk:
            raise Closed
        chunks.append(chunk)
        missing -= len(chunk)
    return b"".join(chunks)
