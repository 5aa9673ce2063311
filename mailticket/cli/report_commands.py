"""`report`: what the desk achieved in a period, as a table, for scripts, spreadsheets, and to attach."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from pydantic import TypeAdapter
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text
from sqlalchemy import Engine

from mailticket.cli.desk_commands import Json, OpenDesk, open_desk
from mailticket.cli.plot import plot
from mailticket.cli.session import err, fail, out, print_json
from mailticket.config.promise import Target
from mailticket.config.values import PositiveDuration
from mailticket.delivery.report_page import report_page
from mailticket.domain.clocks import target_words
from mailticket.domain.history import TicketStory
from mailticket.domain.report import By, GroupFigures, ReportBuilder, SLAReport, length_words, share_words
from mailticket.domain.schedule import WorkingTimes
from mailticket.store.reports import count_stories, stories

report_app = typer.Typer(help="What the desk achieved.", no_args_is_help=True)

_PLOT_HEIGHT = 8
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


_LENGTH: TypeAdapter[timedelta] = TypeAdapter(PositiveDuration)

Since = Annotated[str, typer.Option("--since", metavar="LENGTH", help="How far back: 30d, 12h, 8w.")]


def length_of(text: str) -> timedelta:
    """A length of time on the command line. Ends the program with a sentence for anything else."""
    try:
        return _LENGTH.validate_python(text)
    except ValueError:
        raise typer.BadParameter(f'"{text}" is no length of time like 30d, 12h or 8w') from None


@report_app.command("sla")
def report_sla(
    ctx: typer.Context,
    since: Since = "30d",
    by: Annotated[By, typer.Option("--by", help="What makes a line of the report.")] = "department",
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="For spreadsheets; lengths in minutes.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with a chart, to attach.")
    ] = None,
) -> None:
    """Promises met and missed, how long answers took, what came back, and the backlog over time."""
    if as_json and as_csv:
        raise typer.BadParameter("either --json or --csv")
    period = length_of(since)
    with open_desk(ctx) as desk:
        report = make_report(desk, by, period)
        zone = ZoneInfo(desk.settings.desk.time_zone)
        if html is not None:
            title = f"{desk.settings.desk.name}: service levels by {by}"
            try:
                html.write_text(report_page(report, title, zone), encoding="utf-8")
            except OSError as error:
                fail(f"{html}: {error.strerror}")
        if as_json:
            print_json(report_dict(report))
        elif as_csv:
            _write_csv(report)
        else:
            _show(report, zone)
        if html is not None:
            err.print(f"{html} written.", markup=False, soft_wrap=True)


def make_report(desk: OpenDesk, by: By, since: timedelta) -> SLAReport:
    """Read every story that concerns the period, with progress on stderr where that takes long."""
    now = desk.now()
    times = WorkingTimes(desk.settings.desk)
    builder = ReportBuilder(desk.settings.desk, times, by, now - since, now)
    for batch in batches_with_progress(desk, since):
        for story in batch:
            builder.add(story)
    return builder.result()


def batches_with_progress(desk: OpenDesk, since: timedelta) -> Iterator[list[TicketStory]]:
    """The stories of the last `since`, batch by batch, with a bar on stderr when it is a terminal."""
    now = desk.now()
    engine: Engine = desk.engine
    columns = (TextColumn("tickets"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("tickets", total=count_stories(engine, now - since, now))
        for batch in stories(engine, now - since, now):
            yield batch
            progress.advance(task, len(batch))


def report_dict(report: SLAReport) -> dict[str, Any]:
    """The report for scripts; lengths in minutes of working time."""
    return {
        "since": report.since,
        "until": report.until,
        "by": report.by,
        "groups": [_group_dict(group) for group in report.groups],
        "total": _group_dict(report.total),
        "backlog": [{"at": at, "open": count} for at, count in report.backlog],
    }


def _group_dict(group: GroupFigures) -> dict[str, Any]:
    return {
        "key": group.key,
        "name": group.name,
        "created": group.created,
        "resolved": group.resolved,
        "reopened": group.reopened,
        "reopen_rate": _rounded(group.reopen_rate),
        "open": group.open,
        "overdue": group.overdue,
        "targets": {
            item.target: {
                "met": item.met,
                "missed": item.missed,
                "share_met": _rounded(item.share_met),
                "measured": item.measured,
                "p50_minutes": minutes(item.p50),
                "p90_minutes": minutes(item.p90),
            }
            for item in group.targets
        },
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def minutes(value: timedelta | None) -> float | None:
    """A length in minutes, to a tenth."""
    return None if value is None else round(value.total_seconds() / 60, 1)


def safe_cell(value: object) -> str:
    """A CSV cell that no spreadsheet takes for a formula (OWASP: CSV injection). None is empty."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _write_csv(report: SLAReport) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\r\n")
    head = [report.by, "created", "resolved", "reopened", "open", "overdue"]
    for target in report.targets:
        head += [f"{target}_{what}" for what in ("met", "missed", "p50_minutes", "p90_minutes")]
    writer.writerow(head)
    for group in report.groups:
        cells: list[object] = [
            group.name, group.created, group.resolved, group.reopened, group.open, group.overdue,
        ]  # fmt: skip
        for target in report.targets:
            figures = group.of(target)
            cells += [figures.met, figures.missed, minutes(figures.p50), minutes(figures.p90)]
        writer.writerow([safe_cell(cell) for cell in cells])


def _show(report: SLAReport, zone: ZoneInfo) -> None:
    local = [f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" for moment in (report.since, report.until)]
    out.print(Text(f"{local[0]} to {local[1]} ({zone.key})", style="bold"))
    out.print(_counts(report))
    for target in report.targets:
        out.print(_target_table(report, target))
    out.print()
    out.print(plot(report.backlog, min(out.width, 100), _PLOT_HEIGHT, zone, "Unfinished tickets"))


def _counts(report: SLAReport) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(report.by)
    for name in ("came in", "resolved", "came back", "open now", "overdue now"):
        table.add_column(name, justify="right")
    for group in _lines(report):
        table.add_row(
            Text(group.name),
            str(group.created),
            str(group.resolved),
            share_words(group.reopen_rate),
            str(group.open),
            Text(str(group.overdue), style="red" if group.overdue else ""),
        )
    return table


def _target_table(report: SLAReport, target: Target) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left", title_style="bold")
    table.title = f"\n{target_words(target).capitalize()}"
    table.add_column(report.by)
    for name in ("met", "missed", "in time", "half within", "9 of 10 within"):
        table.add_column(name, justify="right")
    for group in _lines(report):
        figures = group.of(target)
        table.add_row(
            Text(group.name),
            str(figures.met),
            Text(str(figures.missed), style="red" if figures.missed else ""),
            share_words(figures.share_met),
            length_words(figures.p50),
            length_words(figures.p90),
        )
    return table


def _lines(report: SLAReport) -> tuple[GroupFigures, ...]:
    return (*report.groups, report.total) if len(report.groups) != 1 else report.groups
