"""The figures as tables for people and as JSON for comparing runs."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import mailticket
from bench.big import BigCost
from bench.desk import DeskCost, PhaseCost, Spread
from bench.floor import Floor
from bench.parts import PartCost
from bench.processes import Memory
from bench.reading import ReadingCost

AIM_CPU_MS = 10.0
AIM_MEMORY = 150_000_000
_MEGABYTE = 1_000_000


@dataclass(slots=True)
class Results:
    """What one run measured; what was left out is None or empty."""

    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    load_average: float = field(default_factory=lambda: os.getloadavg()[0])
    desk: DeskCost | None = None
    floor_new: Floor | None = None
    floor_replies: Floor | None = None
    reading: list[ReadingCost] = field(default_factory=list)
    parts: list[PartCost] = field(default_factory=list)
    big: list[BigCost] = field(default_factory=list)


def as_json(results: Results, load: str, quick: bool) -> dict[str, Any]:
    """The figures as JSON values, with what is needed to compare them: versions, processor, load."""
    document: dict[str, Any] = {
        "format": 1,
        "at": results.started_at.isoformat(timespec="seconds"),
        "quick": quick,
        "load": load,
        "mailticket": mailticket.__version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_average_at_start": round(results.load_average, 2),
        "reading": [asdict(item) for item in results.reading],
        "parts": [asdict(item) for item in results.parts],
        "big": [asdict(item) for item in results.big],
    }
    if results.desk is not None:
        desk = asdict(results.desk)
        del desk["replies"]
        document["daemon"] = desk
    for name, floor in (("floor_new", results.floor_new), ("floor_replies", results.floor_replies)):
        if floor is not None:
            document[name] = asdict(floor)
    rounded: dict[str, Any] = json.loads(json.dumps(document), parse_float=lambda text: round(float(text), 3))
    return rounded


def write_json(document: dict[str, Any], target: Path) -> None:
    """Write it, readable and with a stable order."""
    target.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def show(results: Results, console: Console) -> None:
    """Print the tables."""
    cores = os.cpu_count() or 1
    console.print(
        f"Python {platform.python_version()}, {_processor()}, {cores} cores,"
        f" load {results.load_average:.1f} at the start"
    )
    if results.load_average > cores / 2:
        console.print(
            "[yellow]The machine is busy with other things: expect worse figures than it can do.[/]"
        )
    if results.desk is not None:
        console.print(_phases(results.desk, results.floor_new, results.floor_replies))
        console.print(_speed(results.desk))
        console.print(_memory(results.desk))
    if results.reading:
        console.print(_reading(results.reading))
    if results.parts:
        console.print(_parts(results.parts))
    if results.big:
        console.print(_big(results.big))


def _phases(desk: DeskCost, new: Floor | None, replies: Floor | None) -> Table:
    table = _table("CPU per mail, from SMTP to the last mail handed to the smarthost (all processes)")
    for name in ("ms CPU", "daemon", "parser", "ms wall", "mails/s", "mails out"):
        table.add_column(name, justify="right")
    for phase in desk.phases:
        table.add_row(
            _named(phase),
            _judged(phase.cpu_ms, AIM_CPU_MS),
            f"{phase.parent_cpu_ms:.1f}",
            f"{phase.parser_cpu_ms:.1f}",
            f"{phase.wall_ms:.1f}",
            f"{phase.per_s:.0f}",
            str(phase.outgoing),
        )
    for name, floor in (("floor, new mails", new), ("floor, replies", replies)):
        if floor is not None:
            table.add_row(
                f"[dim]{name}: parse {floor.parse.cpu_ms:.2f} + insert {floor.insert.cpu_ms:.2f}[/]",
                f"{floor.both.cpu_ms:.2f}",
                "",
                "",
                f"{floor.both.wall_ms:.1f}",
                f"{1000 / floor.both.wall_ms:.0f}",
                "",
            )
    return table


def _speed(desk: DeskCost) -> Table:
    table = _table("Waiting, ms (half of the mails / all but one in a hundred)")
    for name in ("SMTP accept", "accepted/s", "until acknowledged", "until alerted"):
        table.add_column(name, justify="right")
    for phase in desk.phases:
        table.add_row(
            _named(phase),
            _pair(phase.accept),
            f"{phase.accepted_per_s:.0f}",
            _pair(phase.acknowledged),
            _pair(phase.alerted),
        )
    return table


def _memory(desk: DeskCost) -> Table:
    table = _table("Memory, MB (PSS shares out what processes have in common)")
    for name in ("PSS in all", "daemon RSS", "daemon PSS", "parser RSS", "parser PSS", "processes"):
        table.add_column(name, justify="right")
    for name, memory in (("started", desk.started), ("peak", desk.peak), ("at rest again", desk.resting)):
        table.add_row(name, *_megabytes(memory), str(memory.processes))
    table.caption = f"started in {desk.seconds_to_start:.1f} s, {desk.cpu_ms_to_start:.0f} ms CPU"
    if desk.rest is not None:
        table.caption += (
            f"; at rest {desk.rest.cpu_ms_per_s:.1f} ms CPU per second, {desk.rest.tickets} tickets"
        )
    return table


def _reading(costs: list[ReadingCost]) -> Table:
    table = _table("Reading one mail (mailticket.mail.read.read)")
    for name in ("bytes", "ms CPU", "aim"):
        table.add_column(name, justify="right")
    for cost in costs:
        table.add_row(cost.kind, str(cost.mean_bytes), _judged(cost.cpu_ms, cost.aim_ms), f"{cost.aim_ms:g}")
    return table


def _parts(costs: list[PartCost]) -> Table:
    table = _table("Single parts")
    for name in ("per", "ms CPU", "ms wall"):
        table.add_column(name, justify="right")
    for cost in costs:
        table.add_row(cost.part, cost.unit, f"{cost.cpu_ms:.2f}", f"{cost.wall_ms:.2f}")
    return table


def _big(costs: list[BigCost]) -> Table:
    table = _table("Many open tickets (SQLite; wall time of one operation)")
    for name in ("open tickets", "times", "ms p50", "ms p99"):
        table.add_column(name, justify="right")
    table.add_column("")
    for cost in costs:
        table.add_row(
            cost.operation,
            f"{cost.tickets:,}",
            str(cost.times),
            f"{cost.p50_ms:,.2f}",
            f"{cost.p99_ms:,.2f}" if cost.times > 1 else "",
            cost.note,
        )
    return table


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", caption_justify="left")
    table.add_column("")
    return table


def _named(phase: PhaseCost) -> str:
    return f"{phase.mails} {phase.name}" + (f" ({phase.connections} conn.)" if phase.connections > 1 else "")


def _judged(value: float, aim: float) -> str:
    colour = "green" if value <= aim else "red"
    return f"[{colour}]{value:.2f}[/]"


def _pair(spread: Spread | None) -> str:
    return f"{spread.p50:.0f} / {spread.p99:.0f}" if spread is not None else "-"


def _megabytes(memory: Memory) -> tuple[str, ...]:
    colour = "green" if memory.pss <= AIM_MEMORY else "red"
    sizes = (memory.parent_rss, memory.parent_pss, memory.children_rss, memory.children_pss)
    return (
        f"[{colour}]{memory.pss / _MEGABYTE:.0f}[/]",
        *(f"{size / _MEGABYTE:.0f}" for size in sizes),
    )


def _processor() -> str:
    """The processor's name where the system tells it."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()
