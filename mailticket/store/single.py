"""One daemon on one SQLite database: a second one is told so and goes."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from mailticket.errors import Permanent

LOCK_NAME: Final = "mailticket.lock"


class SingleDaemon:
    """A lock held until `close`, the end of the `with` block or the end of the process, however it ends.

    A POSIX record lock rather than flock(2): a parser process forked from a daemon that was killed
    would keep an flock alive and refuse the restart.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def close(self) -> None:
        """Let the next daemon in. May be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def lock_single_daemon(state_dir: Path) -> SingleDaemon:
    """Take the lock of `state_dir`. Raises `Permanent`, naming the process, when another one holds it."""
    path = state_dir / LOCK_NAME
    try:
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Permanent(f"the lock file {path} cannot be opened: {error.strerror}") from error
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise Permanent(
            f"mailticket is already running on {state_dir} (process {holder}); stop it first, "
            "or use PostgreSQL to run several"
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
    return SingleDaemon(descriptor)
