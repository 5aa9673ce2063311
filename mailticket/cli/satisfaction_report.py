"""`report satisfaction`: how satisfied customers were, by department and agent."""

from __future__ import annotations

from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from mailticket.cli.desk_commands import Json, open_desk
from mailticket.cli.report_commands import Since, length_of, report_app
from mailticket.cli.session import out, print_json
from mailticket.config.desk import Desk
from mailticket.store.engine import reading
from mailticket.store.ratings import averages


@report_app.command("satisfaction")
def report_satisfaction(ctx: typer.Context, since: Since = "30d", as_json: Json = False) -> None:
    """How customers rated the help they got, 1 (bad) to 5 (very good), by department and agent.

    A rating counts for whoever had the ticket when it was given, and on the day it was given last.
    """
    period = length_of(since)
    with open_desk(ctx) as desk:
        now = desk.now()
        with reading(desk.engine) as session:
            rows = averages(session, now - period, now)
        lines = [_line(desk.settings.desk, *row) for row in rows]
    count = sum(line["ratings"] for line in lines)
    total = sum(line["average"] * line["ratings"] for line in lines) / count if count else None
    if as_json:
        print_json({"since": now - period, "until": now, "lines": lines, "ratings": count, "average": total})
        return
    if not lines:
        out.print(f"Nobody has rated anything in the last {since}.", markup=False)
        return
    table = Table("Department", "Agent", "Ratings", "Average")
    for line in lines:
        table.add_row(
            *(Text(str(line[key])) for key in ("department", "agent", "ratings")), _score(line["average"])
        )
    table.add_section()
    table.add_row("all", "", str(count), _score(total or 0.0))
    out.print(table)


def _line(desk: Desk, department: str, agent: str | None, count: int, average: float) -> dict[str, Any]:
    home, who = desk.departments.get(department), desk.agents.get(agent or "")
    return {
        "department": home.name if home else department,
        "agent": who.name if who else agent or "nobody",
        "ratings": count,
        "average": round(average, 2),
    }


def _score(average: float) -> str:
    return f"{average:.1f} of 5"
