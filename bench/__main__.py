"""`python -m bench`: measure, print, write JSON. Exit 1 when the run went wrong, never for being slow."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from bench import load
from bench.big import QUICK_BIG, BigSizes, measure_big
from bench.desk import QUICK, Sizes, measure_desk
from bench.floor import measure_floor
from bench.parts import measure_store, measure_tick, measure_writing
from bench.reading import measure_reading
from bench.report import Results, as_json, show, write_json
from bench.wire import RunWrong

_DEFAULT_JSON = Path(__file__).parent / "results" / "latest.json"


class Section(StrEnum):
    """What can be measured on its own."""

    DAEMON = "daemon"
    FLOOR = "floor"
    READING = "reading"
    PARTS = "parts"
    BIG = "big"
    """Takes minutes and a gigabyte of disk, so only when it is asked for."""


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="100 mails instead of 500.")] = False,
    json_file: Annotated[
        Path, typer.Option("--json", metavar="FILE", help="Where to write the figures.")
    ] = _DEFAULT_JSON,
    mails: Annotated[
        Path | None,
        typer.Option("--mails", metavar="DIR", help="Send the .eml files of a folder as the new mails."),
    ] = None,
    profile: Annotated[
        Path | None,
        typer.Option(
            "--profile", metavar="FILE", help="Write where the daemon's CPU time went (costs some)."
        ),
    ] = None,
    only: Annotated[
        list[Section] | None, typer.Option("--only", help="Measure this only; may be repeated; big only so.")
    ] = None,
) -> None:
    """Measure what a mail costs, beside the least it could cost in the same run."""
    if sys.platform != "linux":
        typer.echo("The benchmark reads /proc and needs Linux.", err=True)
        raise typer.Exit(2)
    sizes = QUICK if quick else Sizes()
    try:
        requests = load.from_directory(mails, sizes.new) if mails else load.new_requests(sizes.new, "new")
    except (OSError, ValueError) as error:
        typer.echo(f"--mails: {error}", err=True)
        raise typer.Exit(2) from None
    console = Console(highlight=False)
    results = Results()
    try:
        _measure(results, requests, sizes, profile, set(only or set(Section) - {Section.BIG}), console)
    except RunWrong as error:
        console.print(f"[bold red]The run went wrong:[/] {escape(str(error))}")
        raise typer.Exit(1) from None
    show(results, console)
    write_json(as_json(results, "files" if mails else "generated", quick), json_file)


def _measure(
    results: Results,
    requests: list[load.Mail],
    sizes: Sizes,
    profile: Path | None,
    sections: set[Section],
    console: Console,
) -> None:
    raws = [mail.raw for mail in requests]
    with tempfile.TemporaryDirectory(prefix="mailticket-bench-") as name, console.status("") as status:
        folder = Path(name)
        replies: list[bytes] = []
        if Section.DAEMON in sections:
            profile = profile.absolute() if profile else None
            results.desk = asyncio.run(measure_desk(requests, sizes, folder, status.update, profile))
            replies = results.desk.replies
        if Section.FLOOR in sections:
            status.update("the floor")
            results.floor_new = measure_floor(raws, folder)
            if replies:
                results.floor_replies = measure_floor(replies, folder)
        if Section.READING in sections:
            status.update("reading mails by kind")
            results.reading = measure_reading()
        if Section.PARTS in sections:
            status.update("single parts: writing, store, tick")
            results.parts = [
                *measure_writing(),
                *measure_store(raws[:200], folder),
                measure_tick(folder),
            ]
    if Section.BIG in sections:
        with tempfile.TemporaryDirectory(prefix="mailticket-bench-") as name:
            quick = sizes == QUICK
            results.big = measure_big(Path(name), QUICK_BIG if quick else BigSizes(), console)


if __name__ == "__main__":
    typer.run(bench)
