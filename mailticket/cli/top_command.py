"""`top`: the queue with countdowns, live in the terminal.

The terminal is read key by key (cbreak) and drawn on its alternate screen; both are undone however
the command ends, by a key, Ctrl-C, a signal or an error. Ctrl-Z does nothing, because a stopped
program could not undo them. The frame is drawn every second, and the database read every second
unless reading takes long: then as seldom as keeps it to a tenth of the time.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any

import typer
from rich.live import Live

from mailticket.cli.desk_commands import OpenDesk, open_desk
from mailticket.cli.session import fail, out
from mailticket.cli.top_view import HEAD_LINES, View, frame, pressed
from mailticket.store.engine import reading
from mailticket.store.queue import Order, QueueCounts, QueueFilter, QueueRow, queue_counts, queue_rows

_EVERY = 1.0
_SHARE = 10
"""Reading may take one part in so many of the time."""
_SEQUENCES = {
    "\x1b[A": "up",
    "\x1b[B": "down",
    "\x1bOA": "up",
    "\x1bOB": "down",
    "\x1b[5~": "page-up",
    "\x1b[6~": "page-down",
    "\x1b[H": "home",
    "\x1bOH": "home",
    "\x1b[1~": "home",
}
_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def top(
    ctx: typer.Context,
    sort: Annotated[Order, typer.Option("--sort", help="What comes first.")] = "due",
    department: Annotated[str | None, typer.Option(help="Only of this department (key).")] = None,
    assignee: Annotated[str | None, typer.Option(help="Only of this agent (key); - for nobody.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Print one frame and end.")] = False,
    rows: Annotated[int, typer.Option("--rows", min=1, max=10_000, help="With --once: so many.")] = 50,
) -> None:
    """Watch the queue: unfinished tickets with their countdowns, refreshed every second; ? shows the keys."""
    with open_desk(ctx) as desk:
        view = View(order=sort, wanted=QueueFilter(department, assignee))
        if once:
            screen = _Screen(desk)
            screen.read(view, rows)
            out.print(frame(desk.settings.desk, view, screen.rows, screen.counts, desk.now()))
        elif not (sys.stdin.isatty() and out.is_terminal):
            fail("top needs a terminal; --once prints one frame without")
        else:
            _watch(desk, view)


class _Screen:
    """The rows shown, and when they are to be read again."""

    def __init__(self, desk: OpenDesk) -> None:
        self._desk = desk
        self._urgency = {key: item.urgency for key, item in desk.settings.desk.priorities.items()}
        self.rows: list[QueueRow] = []
        self.counts = QueueCounts(0, 0, 0, 0)
        self.next_read = 0.0

    def read(self, view: View, limit: int) -> None:
        """Read what the view wants. Raises `Temporary` when the database cannot be read now."""
        begun, now = time.monotonic(), self._desk.now()
        with reading(self._desk.engine) as session:
            self.counts = queue_counts(session, view.wanted, now)
            self.rows = queue_rows(session, view.wanted, view.order, self._urgency, now, limit, view.offset)
        took = time.monotonic() - begun
        self.next_read = begun + max(_EVERY, _SHARE * took)


def _watch(opened: OpenDesk, view: View) -> None:
    desk, screen = opened.settings.desk, _Screen(opened)
    fresh = False
    with _keys() as file, Live(console=out, screen=True, auto_refresh=False) as live:
        while True:
            page = max(out.size.height - HEAD_LINES, 1)
            if not fresh or time.monotonic() >= screen.next_read:
                screen.read(view, page)
            live.update(frame(desk, view, screen.rows, screen.counts, opened.now()), refresh=True)
            fresh = True
            for key in keys_of(_typed(file, _EVERY)):
                changed = None if key == "end-of-file" else pressed(view, key, desk, page)
                if changed is None:
                    return
                fresh = fresh and changed == view and key != "r"
                view = changed


def keys_of(text: str) -> Iterator[str]:
    """Keys by name: a character for itself, "up", "page-down" ... for escape sequences.

    A sequence nobody knows is passed over whole, so that it does not act as its letters.
    """
    while text:
        known = next((item for item in _SEQUENCES if text.startswith(item)), None)
        if known is not None:
            yield _SEQUENCES[known]
            text = text[len(known) :]
        elif text[0] == "\x1b":
            text = _after_sequence(text)
        else:
            yield "end-of-file" if text[0] == "\x04" else text[0]
            text = text[1:]


def _after_sequence(text: str) -> str:
    """What follows the escape sequence at the start: ESC [ parameters letter, or ESC and one character."""
    if text[1:2] != "[":
        return text[2:]
    end = 2
    while end < len(text) and not "@" <= text[end] <= "~":
        end += 1
    return text[end + 1 :]


def _typed(file: int, patience: float) -> str:
    """What was typed, waiting at most so many seconds for it; "\\x04" when the terminal is gone."""
    ready, _, _ = select.select([file], [], [], patience)
    if not ready:
        return ""
    try:
        return os.read(file, 256).decode("utf-8", "replace") or "\x04"
    except OSError:
        return "\x04"


@contextmanager
def _keys() -> Iterator[int]:
    """The terminal as keys, put back as it was whatever happens."""
    file = sys.stdin.fileno()
    before = termios.tcgetattr(file)
    handlers = {number: signal.signal(number, _leave) for number in _SIGNALS}
    try:
        tty.setcbreak(file)
        mode = termios.tcgetattr(file)
        mode[6][termios.VSUSP] = b"\x00"
        termios.tcsetattr(file, termios.TCSANOW, mode)
        yield file
    except KeyboardInterrupt:
        return
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        with suppress(termios.error):  # the terminal may be gone, and then nothing is left to put back
            termios.tcsetattr(file, termios.TCSADRAIN, before)


def _leave(number: int, _frame: Any) -> None:
    raise SystemExit(128 + number)
