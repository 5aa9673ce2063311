"""Threads that do their work, wait to be woken, and never die silently."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger()

_FIRST_PAUSE = 1.0
_LAST_PAUSE = 60.0


class Worker:
    """Runs `step` again and again in a thread: at once when woken, else every `interval` seconds.

    An error is logged and the step repeated after a pause that grows to a minute; nothing but
    `stop` ends the thread.
    """

    def __init__(self, name: str, step: Callable[[threading.Event], object], interval: float) -> None:
        self.name = name
        self._step = step
        self._interval = interval
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """There may be work: look now. Called from any thread."""
        self._wake.set()

    def stop(self) -> None:
        """Ask the step to end; returns at once."""
        self._stopping.set()
        self._wake.set()

    def join(self, timeout: float) -> bool:
        """Wait for the thread to end; False when it has not within `timeout` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self._step(self._stopping)
                pause = _FIRST_PAUSE
            except Exception:
                log.exception("worker.failed", worker=self.name, again_in=pause)
                self._stopping.wait(pause)
                pause = min(pause * 2, _LAST_PAUSE)
                continue
            self._wake.wait(self._interval)
