"""`held`: replies of strangers that wait for somebody to decide whether they join a ticket."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from mailticket.cli.desk_commands import Json, Limit, OpenDesk, open_desk
from mailticket.cli.session import out, print_json
from mailticket.domain.schedule import WorkingTimes
from mailticket.mail.numbering import as_kept
from mailticket.store.engine import reading, transaction
from mailticket.store.views import list_held
from mailticket.work.holding import settle

held_app = typer.Typer(
    help="Replies of people who take no part in the ticket they point at.", no_args_is_help=True
)

Number = Annotated[str, typer.Argument(help="The number of the held ticket.")]


@held_app.command("list")
def held_list(ctx: typer.Context, limit: Limit = 50, as_json: Json = False) -> None:
    """List what waits for a decision, the oldest first."""
    with open_desk(ctx) as desk, reading(desk.engine) as session:
        rows = list_held(session, limit)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table(box=None, header_style="bold dim", pad_edge=False)
    for column in ("Number", "Held for", "From", "Since", "Subject"):
        table.add_column(column, overflow="fold", no_wrap=column == "Number")
    for row in rows:
        since = row.created_at.strftime("%Y-%m-%d %H:%M:%SZ")
        table.add_row(row.number, f"#{row.held_for}", Text(row.requester), since, Text(row.subject))
    out.print(table if rows else "Nothing is held.")


@held_app.command("approve")
def held_approve(ctx: typer.Context, number: Number) -> None:
    """Let it join: its text goes to the ticket, and its author takes part from then on."""
    with open_desk(ctx) as desk:
        joined = _settle(desk, as_kept(number), join=True)
        out.print(f"#{number.lstrip('#')} has joined #{joined}.")


@held_app.command("deny")
def held_deny(ctx: typer.Context, number: Number) -> None:
    """Keep it apart: it becomes an ordinary ticket, and its department hears of it."""
    with open_desk(ctx) as desk:
        _settle(desk, as_kept(number), join=False)
        out.print(f"#{number.lstrip('#')} is a ticket of its own.")


def _settle(desk: OpenDesk, number: str, *, join: bool) -> str:
    settings = desk.settings
    with transaction(desk.engine) as session:
        return settle(
            session,
            number,
            join=join,
            desk=settings.desk,
            secret=settings.service.secret_key.get_secret_value().encode(),
            times=WorkingTimes(settings.desk),
            now=desk.now(),
        )
