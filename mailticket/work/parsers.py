"""Parser processes with hard bounds on time and memory (docs/decisions/0004-parser-processes.md).

A hostile mail can cost no more than its time limit and its own process. What could not be read
comes back as a plain reading with the raw mail attached, so that it becomes a ticket all the same.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Self

import structlog

from mailticket.mail.read import read
from mailticket.mail.types import Attachment, Content, Defect, Reading, Span, SpanKind
from mailticket.work.frames import Closed, TimedOut, read_frame, write_frame

log = structlog.get_logger()

_HEADERS_KEPT = 16_384
_RECYCLE_AFTER = 5_000
"""Mails per process, so that whatever a library leaks stays bounded."""
_ENDS_WITHIN = 5.0
"""Seconds; a process that waits for a dead disk ignores even SIGKILL."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a mail could not be read. `killed`: its parser process had to be ended."""

    reason: str
    killed: bool


class ParserProcess:
    """One child process, started when needed and replaced when it dies. Used by one thread at a time."""

    def __init__(self, timeout: float, memory: int) -> None:
        self._timeout = timeout
        self._memory = memory
        self._child: subprocess.Popen[bytes] | None = None
        self._served = 0

    def read(self, raw: bytes, envelope_from: str | None) -> Reading | Unread:
        """Read one mail in the child; never raises for anything the mail does."""
        frame = pickle.dumps((raw, envelope_from), protocol=5)
        child = self._running()
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            write_frame(child.stdin.fileno(), frame)
            answer: Reading | str = pickle.loads(  # noqa: S301 -- our own child
                read_frame(child.stdout.fileno(), self._timeout)
            )
        except TimedOut:
            self.close()
            return Unread(f"reading it took longer than {self._timeout:g} seconds", killed=True)
        except Closed:
            self.close()
            return Unread("its parser process died", killed=True)
        self._served += 1
        if isinstance(answer, str):
            self.close()
            return Unread(answer, killed=False)
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is not None and (self._served >= _RECYCLE_AFTER or self._child.poll() is not None):
            self.close()
        if self._child is None:
            self._served = 0
            self._child = subprocess.Popen(  # noqa: S603 -- our own interpreter and module, no input in it
                [sys.executable, "-m", "mailticket.work.parser_child", str(self._memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
                bufsize=0,
                env={**os.environ, "PYTHONHASHSEED": "random"},
            )
        return self._child

    def close(self) -> None:
        """End the child now; one that does not even end when killed is left to the system."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        try:
            child.wait(_ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            log.warning("parser.does_not_end", pid=child.pid)


class ParserPool:
    """Some parser processes, shared by the receiver. Thread-safe."""

    def __init__(self, processes: int, timeout: float, memory: int) -> None:
        self._processes = [ParserProcess(timeout, memory) for _ in range(processes)]
        self._free = list(self._processes)
        self._lock = threading.Condition()
        self._threads = ThreadPoolExecutor(processes, thread_name_prefix="parser")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def read_all(self, mails: Sequence[tuple[bytes, str | None]]) -> list[tuple[Reading, Unread | None]]:
        """Read mails in order. What cannot be read comes back as `unreadable` makes it, with the cause."""
        return list(self._threads.map(lambda item: self._read(*item), mails))

    def give_up(self, raw: bytes, envelope_from: str | None, reason: str) -> tuple[Reading, Unread]:
        """Read nothing but the headers of a mail that cost too many processes, see `unreadable`."""
        with self._process() as process:
            return _headers_only(process, raw, envelope_from, Unread(reason, killed=False))

    def _read(self, raw: bytes, envelope_from: str | None) -> tuple[Reading, Unread | None]:
        with self._process() as process:
            result = process.read(raw, envelope_from)
            if isinstance(result, Reading):
                return result, None
            return _headers_only(process, raw, envelope_from, result)

    @contextmanager
    def _process(self) -> Iterator[ParserProcess]:
        with self._lock:
            while not self._free:
                self._lock.wait()
            process = self._free.pop()
        try:
            yield process
        finally:
            with self._lock:
                self._free.append(process)
                self._lock.notify()

    def close(self) -> None:
        """End all children; work under way is abandoned and its mails stay pending."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.close()


def _headers_only(
    process: ParserProcess, raw: bytes, envelope_from: str | None, why: Unread
) -> tuple[Reading, Unread]:
    log.warning("mail.unreadable", reason=why.reason, size=len(raw))
    headers = process.read(_header_block(raw), envelope_from)
    known = headers if isinstance(headers, Reading) else read(b"")
    return unreadable(raw, known, why.reason), why


def unreadable(raw: bytes, headers: Reading, reason: str) -> Reading:
    """A plain reading of a mail whose body could not be read: its header facts, and itself attached."""
    text = f"This mail could not be read: {reason}. The original is attached, unchanged."
    original = Attachment(
        filename="original.eml",
        content_type="message/rfc822",
        size=len(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
        inline=False,
        content_id="",
        data=raw,
        kind="message",
    )
    mail = replace(
        headers.mail,
        text=text,
        html=None,
        attachments=(original,),
        forwarded=None,
        defects=(*headers.mail.defects, Defect("unreadable", reason)),
        size=len(raw),
    )
    content = Content((Span(SpanKind.NEW, 0, len(text)),), text, 0.0, (), "unreadable")
    return replace(headers, mail=mail, content=content)


def _header_block(raw: bytes) -> bytes:
    """The start of the header block, cut at a line end, as a mail without a body."""
    head = raw[:_HEADERS_KEPT]
    end = min((found for found in (head.find(b"\r\n\r\n"), head.find(b"\n\n")) if found >= 0), default=-1)
    if end < 0:
        end = max(head.rfind(b"\n"), 0)
    return head[:end] + b"\r\n\r\n"
