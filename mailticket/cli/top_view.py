"""What `top` shows and how its keys change that; nothing here reads a terminal or a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mailticket.config.desk import Desk
from mailticket.domain.status import PAUSED
from mailticket.store.queue import Order, QueueCounts, QueueFilter, QueueRow

ORDER_KEYS: dict[str, Order] = {
    "d": "due",
    "p": "priority",
    "a": "assignee",
    "c": "created",
    "o": "department",
}
KEYS = (
    ("d p a c o", "sort by due, priority, assignee, created, department"),
    ("n", "the next department only, after the last one all"),
    ("g", "the next agent's tickets only, then nobody's, then all"),
    ("l", "only late ones, or all"),
    ("w", "without waiting and held ones, or all"),
    ("x", "no filter"),
    ("j k", "down and up; also the arrows, Page Up, Page Down, Home"),
    ("r", "read the database now"),
    ("?", "these keys"),
    ("q", "quit; also Ctrl-C"),
)
"""What docs/operating.md tells too; a test compares them."""

HEAD_LINES = 3
"""Lines of the frame that are no tickets: title, counts, table head."""
_SOON = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class View:
    """What the reader asked for."""

    order: Order = "due"
    wanted: QueueFilter = field(default_factory=QueueFilter)
    offset: int = 0
    help: bool = False


def pressed(view: View, key: str, desk: Desk, page: int) -> View | None:
    """What a key makes of the view; None to quit. Unknown keys change nothing.

    page: how many tickets fit the screen.
    """
    if key in ("q", "Q"):
        return None
    if key == "?":
        return replace(view, help=not view.help)
    if key in ORDER_KEYS:
        return replace(view, order=ORDER_KEYS[key], offset=0, help=False)
    steps = {"j": 1, "down": 1, "k": -1, "up": -1, "page-down": page, " ": page, "page-up": -page}
    if key in steps:
        return replace(view, offset=max(view.offset + steps[key], 0), help=False)
    if key == "home":
        return replace(view, offset=0)
    wanted = _filtered(view.wanted, key, desk)
    return view if wanted is None else replace(view, wanted=wanted, offset=0, help=False)


def _filtered(wanted: QueueFilter, key: str, desk: Desk) -> QueueFilter | None:
    match key:
        case "n":
            return replace(wanted, department=_next(list(desk.departments), wanted.department))
        case "g":
            return replace(wanted, assignee=_next([*desk.agents, "-"], wanted.assignee))
        case "l":
            return replace(wanted, overdue=not wanted.overdue)
        case "w":
            return replace(wanted, working=not wanted.working)
        case "x":
            return QueueFilter()
        case _:
            return None


def _next(choices: Sequence[str], current: str | None) -> str | None:
    if current is None or current not in choices:
        return choices[0] if choices else None
    position = choices.index(current) + 1
    return choices[position] if position < len(choices) else None


def frame(
    desk: Desk, view: View, rows: Sequence[QueueRow], counts: QueueCounts, now: datetime
) -> RenderableType:
    """One screenful."""
    title = Text.assemble((desk.name, "bold"), f"   {now:%Y-%m-%d %H:%M:%S}Z", ("   ? keys  q quit", "dim"))
    shown = _title(desk, view)
    figures = Text.assemble(
        f"{counts.open} open  ",
        (f"{counts.overdue} overdue", "bold red" if counts.overdue else ""),
        f"  {counts.unassigned} unassigned  {counts.paused} paused",
        (f"   {shown}", "cyan"),
    )
    for line in (title, figures):
        line.no_wrap, line.overflow = True, "ellipsis"
    return Group(title, figures, _help() if view.help else _table(desk, view, rows, now))


def _title(desk: Desk, view: View) -> str:
    wanted = view.wanted
    parts = [f"by {view.order}"]
    if wanted.department is not None:
        known = desk.departments.get(wanted.department)
        parts.append(f"in {known.name if known else wanted.department}")
    if wanted.assignee is not None:
        parts.append("of nobody" if wanted.assignee == "-" else f"of {_agent(desk, wanted.assignee)}")
    parts += ["late only"] if wanted.overdue else []
    parts += ["without paused"] if wanted.working else []
    parts += [f"from {view.offset + 1}"] if view.offset else []
    return ", ".join(parts)


def _help() -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for keys, meaning in KEYS:
        table.add_row(keys, meaning)
    return table


def _table(desk: Desk, view: View, rows: Sequence[QueueRow], now: datetime) -> Table:
    table = Table(box=None, expand=True, pad_edge=False, header_style="reverse")
    for name, order, ratio in (
        ("Due", "due", None),
        ("Number", "", None),
        ("Priority", "priority", None),
        ("Status", "", None),
        ("Department", "department", 2),
        ("Assignee", "assignee", 2),
        ("Age", "created", None),
        ("Subject", "", 5),
    ):
        label = f"{name} ▾" if order == view.order else name
        table.add_column(label, no_wrap=True, overflow="ellipsis", ratio=ratio)
    for row in rows:
        department = desk.departments.get(row.department)
        table.add_row(
            countdown(row, now),
            row.number,
            Text(row.priority),
            row.status,
            Text(department.name if department else row.department),
            Text(_agent(desk, row.assignee)) if row.assignee else Text("-", style="yellow"),
            age(now - row.created_at),
            Text(row.subject),
        )
    return table


def _agent(desk: Desk, key: str) -> str:
    known = desk.agents.get(key)
    return known.name if known else key


def countdown(row: QueueRow, now: datetime) -> Text:
    """Time left in real time: "2 d 04:00:00", red and with a minus when it is over."""
    # the next promise of an overdue ticket may still be ahead; the broken one counts
    moment = row.overdue_since or row.due_at
    if moment is None:
        return Text("paused" if row.status in PAUSED else "-", style="dim")
    left = moment - now
    seconds = int(abs(left).total_seconds())
    days, rest = divmod(seconds, 86_400)
    clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    words = f"{days} d {clock}" if days else clock
    if left <= timedelta(0):
        return Text(f"-{words}", style="bold red")
    return Text(words, style="yellow" if left < _SOON else "")


def age(length: timedelta) -> str:
    """How old, in the largest unit that is not nothing: "3 d", "5 h", "12 min"."""
    if length >= _DAY:
        return f"{length // _DAY} d"
    hours, minutes = length // timedelta(hours=1), max(length // timedelta(minutes=1), 0)
    return f"{hours} h" if hours else f"{minutes} min"
