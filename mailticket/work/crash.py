"""Named points at which a test may have the process killed, to prove that nothing is lost there.

Set MAILTICKET_CRASH_AT=POINT[:N] and the process ends by SIGKILL the Nth time (default 1) it comes
by. Without the variable a point costs one dictionary look-up.
"""

from __future__ import annotations

import os
import signal
import threading

_lock = threading.Lock()
_passed: dict[str, int] = {}


def crash_point(name: str) -> None:
    """Die here if the environment says so."""
    wanted = os.environ.get("MAILTICKET_CRASH_AT")
    if wanted is None:
        return
    point, _, count = wanted.partition(":")
    if point != name:
        return
    with _lock:
        _passed[name] = _passed.get(name, 0) + 1
        if _passed[name] >= int(count or 1):
            os.kill(os.getpid(), signal.SIGKILL)
