"""`mailticket canned`: the canned replies, and what one reads like with its values in it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from mailticket.cli.session import settings_of

canned_app = typer.Typer(help="Look at the canned replies of the configuration.", no_args_is_help=True)


@canned_app.command("list")
def list_canned(
    context: typer.Context,
    department: Annotated[str | None, typer.Option(help="Only those for this department's tickets.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """Name every canned reply: its key, the values it asks for, and its title.

    An agent puts one into an answer with a line such as: #use password-reset link=https://help.example
    """
    for key, reply in settings_of(context).desk.canned.items():
        if department is not None and reply.departments and department not in reply.departments:
            continue
        if as_json:
            shown = {
                "key": key,
                "title": reply.title,
                "departments": list(reply.departments),
                "asks_for": list(reply.asks_for),
            }
            typer.echo(json.dumps(shown, ensure_ascii=False))
        else:
            typer.echo(f"{key:24}{' '.join(f'{name}=' for name in reply.asks_for):24}{reply.title}")


@canned_app.command()
def show(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="A key, as `canned list` shows it.")],
    values: Annotated[
        list[str] | None, typer.Argument(help="Values to put in, such as link=https://help.example.")
    ] = None,
) -> None:
    """Show a canned reply, with the values given in it. Exits with 2 when there is none with this key."""
    canned = settings_of(context).desk.canned
    if key not in canned:
        there = ", ".join(canned) or "none"
        typer.echo(f"There is no canned reply {key!r}. There are: {there}.", err=True)
        raise typer.Exit(2)
    reply = canned[key]
    given = dict(pair.split("=", 1) for pair in values or () if "=" in pair)
    idle = sorted(set(given) - set(reply.asks_for))
    if idle:
        typer.echo(f"{key} has no place for {', '.join(idle)}.", err=True)
        raise typer.Exit(2)
    typer.echo(f"{reply.title}\n")
    typer.echo(reply.filled({name: given.get(name, f"{{{{ {name} }}}}") for name in reply.names}))
