"""`ban` and `address`: whose mail is not wanted, and whom nothing reaches."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from rich.table import Table
from rich.text import Text

from mailticket.cli.desk_commands import Json, open_desk
from mailticket.cli.session import out, print_json
from mailticket.config.values import PositiveDuration
from mailticket.errors import Permanent
from mailticket.mail.address import canonical
from mailticket.store.bans import add_ban, list_bans, remove_ban
from mailticket.store.engine import reading, transaction
from mailticket.store.people import reachable_again, unreachable

ban_app = typer.Typer(help="The ban list: whose mail is refused, discarded or held.", no_args_is_help=True)
address_app = typer.Typer(help="Addresses that mail of the desk does not reach.", no_args_is_help=True)

_DURATION: TypeAdapter[timedelta] = TypeAdapter(PositiveDuration)

Pattern = Annotated[
    str,
    typer.Argument(
        help="An address, a domain (its subdomains too), or an address with * such as *@bulk.example."
    ),
]


class BanAction(StrEnum):
    """What a ban does."""

    REJECT = "reject"
    DISCARD = "discard"
    HOLD = "hold"


@ban_app.command("list")
def ban_list(ctx: typer.Context, as_json: Json = False) -> None:
    """List all bans, newest first, with what they have stopped."""
    with open_desk(ctx) as desk, reading(desk.engine) as session:
        bans = list_bans(session)
        if as_json:
            print_json([asdict(ban) for ban in bans])
            return
        now = desk.now()
        table = Table(box=None, header_style="bold dim", pad_edge=False)
        for column in ("Who", "Kind", "Action", "Until", "Hits", "Last hit", "Reason"):
            table.add_column(column, overflow="fold")
        for ban in bans:
            expired = ban.expires_at is not None and ban.expires_at <= now
            until = "for ever" if ban.expires_at is None else f"{ban.expires_at:%Y-%m-%d %H:%M}Z"
            last = f"{ban.last_hit_at:%Y-%m-%d %H:%M}Z" if ban.last_hit_at else "-"
            table.add_row(
                Text(ban.pattern),
                ban.kind,
                ban.action,
                until + (" (over)" if expired else ""),
                str(ban.hits),
                last,
                Text(ban.reason),
                style="dim" if expired else "",
            )
        out.print(table if bans else "Nobody is banned.")


@ban_app.command("add")
def ban_add(
    ctx: typer.Context,
    pattern: Pattern,
    action: Annotated[
        BanAction,
        typer.Option(
            help="reject: refused at the wire where possible; discard: kept in the inbox, nothing done; "
            "hold: waits for `inbox release`."
        ),
    ] = BanAction.REJECT,
    reason: Annotated[str, typer.Option(help="Why; shown wherever the ban acts.")] = "",
    length: Annotated[
        str | None, typer.Option("--for", help='How long, such as "30d" or "12h". Default: for ever.')
    ] = None,
    as_json: Json = False,
) -> None:
    """Ban a sender, or change a ban; the daemon knows within seconds. Agents cannot be banned."""
    with open_desk(ctx) as desk, transaction(desk.engine) as session:
        now = desk.now()
        until = now + _length(length) if length is not None else None
        ban = add_ban(session, pattern, action.value, reason, now, until)
        if as_json:
            print_json(asdict(ban))
            return
        end = "for ever" if until is None else f"until {until:%Y-%m-%d %H:%M}Z"
        out.print(Text(f"The {ban.kind} {ban.pattern} is banned ({ban.action}) {end}."))


@ban_app.command("remove")
def ban_remove(ctx: typer.Context, pattern: Pattern) -> None:
    """Take a sender off the list. What was stopped stays in the inbox: `inbox retry` works on it again."""
    with open_desk(ctx) as desk, transaction(desk.engine) as session:
        remove_ban(session, pattern)
        out.print(Text(f"{pattern} is not banned any more."))


@address_app.command("list")
def address_list(ctx: typer.Context, as_json: Json = False) -> None:
    """List addresses that are gone for good: no automatic mail goes there until they write."""
    with open_desk(ctx) as desk, reading(desk.engine) as session:
        found = unreachable(session)
        if as_json:
            print_json([{"address": address, "undeliverable_since": since} for address, since in found])
            return
        for address, since in found:
            out.print(Text(f"{address}  since {since:%Y-%m-%d %H:%M}Z"))
        if not found:
            out.print("Every address is believed to work.")


@address_app.command("clear")
def address_clear(
    ctx: typer.Context, address: Annotated[list[str], typer.Argument(help="The addresses.")]
) -> None:
    """Say that addresses work again."""
    with open_desk(ctx) as desk, transaction(desk.engine) as session:
        for one in address:
            if not reachable_again(session, canonical(one)):
                raise Permanent(f"nothing is known against {one}: mailticket address list")
            out.print(Text(f"{one} gets automatic mail again."))


def _length(text: str) -> timedelta:
    try:
        return _DURATION.validate_python(text)
    except ValidationError as error:
        raise Permanent(f"--for {text}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
