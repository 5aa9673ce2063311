"""Where the daemon's CPU time goes, by function, over all its threads.

    python -m bench.profiler FILE --config DIR run

runs `mailticket` with these arguments and writes FILE when it ends. Every few milliseconds the CPU
time each thread has used since the last look is booked to the functions it is in: `self` to the
innermost, `all` to every one on its stack. Unlike cProfile it does not make small functions look
expensive, and it sees all threads. SQL statements are counted too. The parser processes are not in
it: `make bench` has a line for reading a mail.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from sqlalchemy import Engine, event

_INTERVAL = 0.002
_SWITCH_INTERVAL = 0.00005
"""Seconds the sampler waits for the interpreter lock. With Python's 5 ms it would mostly see threads
where they let go of the lock by themselves, and book everything before to that place."""
_SHOWN = 80
_LONGEST_STATEMENT = 240


class Sampler:
    """Samples all threads of this process until stopped."""

    def __init__(self) -> None:
        self.inside: Counter[CodeType] = Counter()
        self.during: Counter[CodeType] = Counter()
        self.threads: Counter[str] = Counter()
        self.statements: Counter[str] = Counter()
        self._used: dict[int, int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="profiler", daemon=True)

    def start(self) -> None:
        """Begin."""
        sys.setswitchinterval(_SWITCH_INTERVAL)
        event.listen(Engine, "before_cursor_execute", self._count)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join()

    def report(self, root: Path) -> str:
        """Two tables, most expensive first; files below `root` are shown relative to it."""
        total = max(sum(self.inside.values()), 1)
        lines = [f"{total / 1e9:.2f} s CPU in {len(self.threads)} threads"]
        lines += [f"  {used / 1e6:10.0f} ms  {name}" for name, used in self.threads.most_common(12)]
        ours = Counter({code: used for code, used in self.during.items() if _ours(code, root)})
        for title, booked in (
            ("in the function itself", self.inside),
            ("with all it called, of mailticket's functions", ours),
        ):
            lines += ["", f"CPU ms {title}"]
            lines += [
                f"  {used / 1e6:10.0f}  {100 * used / total:5.1f} %  {_place(code, root)}"
                for code, used in booked.most_common(_SHOWN)
            ]
        lines += ["", f"{sum(self.statements.values())} SQL statements"]
        lines += [f"  {count:10}  {text}" for text, count in self.statements.most_common(_SHOWN)]
        return "\n".join(lines) + "\n"

    def _count(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self.statements[" ".join(statement.split())[:_LONGEST_STATEMENT]] += 1

    def _run(self) -> None:
        own = threading.get_ident()
        while not self._stopping.wait(_INTERVAL):
            frames = sys._current_frames()
            for thread in threading.enumerate():
                ident = thread.ident
                if ident is None or ident == own or ident not in frames or not thread.is_alive():
                    continue
                used = time.clock_gettime_ns(time.pthread_getcpuclockid(ident))
                spent = used - self._used.get(ident, used)
                self._used[ident] = used
                if spent > 0:
                    self._book(frames[ident], spent, thread.name.rstrip("0123456789_-"))

    def _book(self, frame: FrameType, spent: int, thread: str) -> None:
        self.threads[thread] += spent
        self.inside[frame.f_code] += spent
        seen: set[CodeType] = set()
        above: FrameType | None = frame
        while above is not None:
            seen.add(above.f_code)
            above = above.f_back
        for code in seen:
            self.during[code] += spent


def _ours(code: CodeType, root: Path) -> bool:
    return Path(code.co_filename).is_relative_to(root / "mailticket")


def _place(code: CodeType, root: Path) -> str:
    path = Path(code.co_filename)
    shown = str(path.relative_to(root)) if _ours(code, root) else "/".join(path.parts[-3:])
    return f"{shown}:{code.co_firstlineno} {code.co_qualname}"


def main() -> None:
    """Run `mailticket` with the arguments after the file's name, profiled."""
    from mailticket.cli import main as mailticket

    target = Path(sys.argv[1])
    sys.argv = ["mailticket", *sys.argv[2:]]
    sampler = Sampler()
    sampler.start()
    try:
        mailticket()
    finally:
        sampler.stop()
        target.write_text(sampler.report(Path(__file__).resolve().parents[1]), encoding="utf-8")


if __name__ == "__main__":
    main()
