"""`agent`: who works here, who is away, and who stands in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from mailticket.cli.desk_commands import Json, open_desk
from mailticket.cli.session import out, print_json
from mailticket.config.desk import Desk
from mailticket.domain.absence import Presence, Source, absence_of, stand_in, until_words
from mailticket.domain.absence_commands import end_absence, read_absence
from mailticket.domain.naming import Unknown, resolve
from mailticket.domain.people_changes import SetAbsence
from mailticket.errors import Permanent
from mailticket.store import absences
from mailticket.store.engine import reading, transaction
from mailticket.store.workload import open_counts

agent_app = typer.Typer(help="Who works here, who is away, and who stands in.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(help="The agent: key or name.")]
_BY = "operator"


@agent_app.command("list")
def agent_list(ctx: typer.Context, as_json: Json = False) -> None:
    """List the agents: where they work, how many tickets they have open, whether they are there."""
    with open_desk(ctx) as opened, reading(opened.engine) as session:
        desk, now = opened.settings.desk, opened.now()
        known, counts = absences.presence(session), open_counts(session, tuple(desk.agents))
        rows = [_row(desk, known, key, counts.get(key, 0), now) for key in desk.agents]
    if as_json:
        print_json(rows)
        return
    table = Table(box=None, header_style="bold dim", pad_edge=False)
    for column in ("Agent", "Name", "Departments", "Role", "Open", "There", "Alerts go to"):
        table.add_column(column, overflow="fold")
    for row in rows:
        cap = f"/{row['most_open']}" if row["most_open"] is not None else ""
        there = Text("yes") if row["away"] is None else Text(_away_words(row["away"]), style="yellow")
        table.add_row(
            row["agent"], Text(row["name"]), ", ".join(row["departments"]), row["role"] or "-",
            f"{row['open']}{cap}", there, row["alerts_to"],
        )  # fmt: skip
    out.print(table if rows else "No agent.")


def _row(desk: Desk, known: Presence, key: str, count: int, now: datetime) -> dict[str, Any]:
    agent, absence = desk.agents[key], absence_of(desk, known, key, now)
    departments = [one for one in desk.departments if key in desk.members_of(one)]
    manager = desk.departments[departments[0]].manager if departments else None
    away: dict[str, Any] | None = None
    if absence is not None:
        away = {
            "since": absence.since, "until": absence.until, "source": str(absence.source),
            "words": until_words(desk, absence), "reason": absence.reason,
        }  # fmt: skip
    return {
        "agent": key,
        "name": agent.name,
        "departments": departments,
        "role": agent.role or desk.default_role,
        "open": count,
        "most_open": agent.most_open,
        "away": away,
        "alerts_to": stand_in(desk, key, manager, now, known),
    }


def _away_words(away: dict[str, Any]) -> str:
    how = {"auto-reply": "learnt from an out-of-office", "configuration": "configured"}
    return f"away {away['words']} ({how.get(away['source'], 'said so')})"


@agent_app.command("away")
def agent_away(
    ctx: typer.Context,
    agent: Who,
    when: Annotated[
        str,
        typer.Argument(
            help='"3d", "until 2026-12-01" (that day included), "2026-11-23..2026-12-01"; '
            "left out: until they are back."
        ),
    ] = "",
    deputy: Annotated[str, typer.Option(help="Who stands in, other than the usual deputy.")] = "",
    reason: Annotated[str, typer.Option(help="Kept with it; mailed to nobody.")] = "",
) -> None:
    """Say that an agent is away: alerts go to the deputy, and no new tickets are given to them."""
    with open_desk(ctx) as opened:
        desk, now = opened.settings.desk, opened.now()
        key = _agent(desk, agent)
        read = read_absence(f"{when} deputy {deputy}" if deputy else when, key, desk, now)
        if isinstance(read, str):
            raise Permanent(read)
        words = until_words(desk, read)
        change = SetAbsence(
            key, read.since, read.until, read.deputy, str(Source.OPERATOR), reason, _BY, f"away {words}"
        )
        with transaction(opened.engine) as session:
            absences.begin(session, change, now)
            to = stand_in(desk, key, None, max(now, read.since), absences.presence(session))
        start = "" if read.since <= now else f" from {read.since:%Y-%m-%d}"
        alerts = f"alerts go to {to}" if to != key else "there is no deputy: alerts go to the manager, if any"
        out.print(Text(f"{desk.agents[key].name} is away{start} {words}; {alerts}."))


@agent_app.command("back")
def agent_back(ctx: typer.Context, agent: Who) -> None:
    """Say that an agent is there again, whatever was said or configured for today."""
    with open_desk(ctx) as opened:
        desk, now = opened.settings.desk, opened.now()
        key = _agent(desk, agent)
        with transaction(opened.engine) as session:
            known = absences.presence(session)
            if absence_of(desk, known, key, now) is None and not _planned(known, key):
                raise Permanent(f"nothing is known of {key} being away")
            absences.finish(session, end_absence(key, desk, now, _BY, "is back"), now)
        out.print(Text(f"{desk.agents[key].name} is back."))


def _planned(known: Presence, agent: str) -> bool:
    return any(one.agent == agent and not one.here for one in known.recorded)


def _agent(desk: Desk, typed: str) -> str:
    found = resolve(typed, desk.agents, "agent")
    if isinstance(found, Unknown):
        raise Permanent(found.reason)
    return found
