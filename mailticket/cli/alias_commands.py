"""`alias`: further addresses of agents, and the questions about them."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from mailticket.cli.desk_commands import Json, open_desk
from mailticket.cli.session import fail, out, print_json
from mailticket.config.values import NotThis, canonical_address
from mailticket.errors import Permanent
from mailticket.mail.address import canonical
from mailticket.store import aliases
from mailticket.store.engine import reading, transaction

alias_app = typer.Typer(
    help="Further addresses of agents, and the questions about them.", no_args_is_help=True
)

Address = Annotated[str, typer.Argument(help="The further mail address.")]
_BY_OPERATOR = "operator"
_SHOWN = ("address", "agent", "state", "inbound_id", "created_at", "settled_at", "settled_by")


@alias_app.command("list")
def alias_list(ctx: typer.Context, as_json: Json = False) -> None:
    """List the addresses: pending, confirmed, denied and expired ones, with the mail that raised each."""
    with open_desk(ctx) as desk, reading(desk.engine) as session:
        rows = [{name: getattr(row, name) for name in _SHOWN} for row in aliases.list_aliases(session)]
    if as_json:
        print_json(rows)
        return
    table = Table("Address", "Agent", "State", "Mail", "By", box=None, header_style="bold")
    for row in rows:
        table.add_row(
            Text(row["address"]),
            row["agent"],
            row["state"],
            str(row["inbound_id"] or "-"),
            Text(row["settled_by"] or "-"),
        )
    out.print(table if rows else "No alias.")


@alias_app.command("confirm")
def alias_confirm(
    ctx: typer.Context,
    address: Address,
    agent: Annotated[str, typer.Argument(help="The agent's key.")],
) -> None:
    """Say that an address is an agent's. Mail that waited for that is worked on."""
    key = _canonical(address)
    with open_desk(ctx) as desk:
        configured = desk.settings.desk
        if agent not in configured.agents:
            raise Permanent(f"there is no agent {agent!r}; known are: {', '.join(sorted(configured.agents))}")
        if key in configured.agent_by_address or key in configured.department_by_address:
            raise Permanent(f"{key} stands in the configuration already")
        with transaction(desk.engine) as session:
            waiting = aliases.add_confirmed(session, key, agent, _BY_OPERATOR, desk.now())
    waited = f"; {waiting} mails waited for that" if waiting else ""
    out.print(Text(f"{key} counts as an address of {agent}{waited}."))


@alias_app.command("remove")
def alias_remove(ctx: typer.Context, address: Address) -> None:
    """Forget an address, whatever was said about it; the next mail with a token from it asks again."""
    key = _canonical(address)
    with open_desk(ctx) as desk, transaction(desk.engine) as session:
        if not aliases.remove(session, key):
            raise Permanent(f"nothing is known of {key} as an alias")
    out.print(Text(f"{key} is forgotten."))


def _canonical(address: str) -> str:
    try:
        return canonical(canonical_address(address.strip()))
    except NotThis as problem:
        fail(f"{address} {problem}")
