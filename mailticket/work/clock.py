"""The one place that asks what time it is. Everything else is told.

MAILTICKET_CLOCK_OFFSET names a file with a number of seconds added to the real time, read anew
whenever it changes: how the demo and the tests let hours pass in a running daemon.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path


class Clock:
    """Callable: the current time, aware UTC, plus the offset if there is one."""

    def __init__(self, offset_file: Path | None = None) -> None:
        self._file = offset_file
        self._changed = -1
        self._offset = timedelta()

    def __call__(self) -> datetime:
        if self._file is not None:
            self._look()
        return datetime.now(UTC) + self._offset

    def _look(self) -> None:
        assert self._file is not None
        try:
            changed = self._file.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if changed != self._changed:
            self._offset = timedelta(seconds=float(self._file.read_text(encoding="ascii").strip() or 0))
            self._changed = changed


def clock_from_environment() -> Clock:
    """The clock the environment asks for."""
    name = os.environ.get("MAILTICKET_CLOCK_OFFSET")
    return Clock(Path(name) if name else None)
