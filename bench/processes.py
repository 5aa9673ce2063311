"""What a process and all its children have used: CPU and memory, read from /proc (Linux only)."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path

PROC = Path("/proc")
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cpu:
    """User plus system seconds since the process started, in steps of a clock tick (10 ms)."""

    parent: float
    children: float

    @property
    def total(self) -> float:
        """Of the whole family."""
        return self.parent + self.children

    def since(self, before: Cpu) -> Cpu:
        """What was used from `before` to now."""
        return Cpu(self.parent - before.parent, self.children - before.children)


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes resident: RSS counts shared pages in every process, PSS shares them out, so sums are fair."""

    parent_rss: int = 0
    parent_pss: int = 0
    children_rss: int = 0
    children_pss: int = 0
    processes: int = 0

    @property
    def pss(self) -> int:
        """Of the whole family."""
        return self.parent_pss + self.children_pss


@dataclass(slots=True)
class Family:
    """A process and its descendants. Raises `ProcessLookupError` once the parent is gone."""

    pid: int
    peak: Memory = field(default_factory=Memory)

    def cpu(self) -> Cpu:
        """CPU of the parent, and of all children, the ended and waited-for ones included."""
        fields = _stat(self.pid)
        parent = int(fields[11]) + int(fields[12])
        children = int(fields[13]) + int(fields[14])
        for pid in _descendants(self.pid):
            with contextlib.suppress(ProcessLookupError):
                children += sum(int(value) for value in _stat(pid)[11:15])
        return Cpu(parent / _TICK, children / _TICK)

    def memory(self) -> Memory:
        """Memory now; the largest seen stays in `peak`."""
        parent_rss, parent_pss = _resident(self.pid)
        rss = pss = count = 0
        for pid in _descendants(self.pid):
            with contextlib.suppress(ProcessLookupError):
                more_rss, more_pss = _resident(pid)
                rss, pss, count = rss + more_rss, pss + more_pss, count + 1
        now = Memory(parent_rss, parent_pss, rss, pss, 1 + count)
        if now.pss > self.peak.pss:
            self.peak = now
        return now


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third on (proc(5)): utime is [11], cstime is [14]."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        raise ProcessLookupError(f"process {pid} has ended") from None
    return text[text.rindex(")") + 2 :].split()


def _descendants(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(ProcessLookupError):
                parents.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
    found: list[int] = []
    waiting = list(parents.get(pid, ()))
    while waiting:
        child = waiting.pop()
        found.append(child)
        waiting += parents.get(child, ())
    return found


def _resident(pid: int) -> tuple[int, int]:
    """RSS and PSS in bytes; a process that is just ending counts as nothing."""
    try:
        text = (PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        raise ProcessLookupError(f"process {pid} has ended") from None
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in text.splitlines()[1:]}
    return sizes.get("Rss", 0), sizes.get("Pss", 0)
