"""`ticket` commands that change a ticket: what an agent does by mail, from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from mailticket.cli.desk_commands import Json, open_desk
from mailticket.cli.session import out, print_json
from mailticket.cli.ticket_commands import ticket_app
from mailticket.domain.schedule import WorkingTimes
from mailticket.mail.numbering import as_kept
from mailticket.store.engine import transaction

_PANEL = "Change tickets"
Number = Annotated[str, typer.Argument(help="The ticket's number.")]
Other = Annotated[str, typer.Argument(help="The number of the other ticket.")]
As = Annotated[str, typer.Option("--as", help="The agent (key) who does it, whose rights count.")]


@ticket_app.command("do", rich_help_panel=_PANEL)
def ticket_do(
    ctx: typer.Context,
    number: Number,
    lines: Annotated[list[str], typer.Argument(help='Command lines, as "close the fuse was blown".')],
    agent: As,
    as_json: Json = False,
) -> None:
    """Carry out command lines as an agent's mail would: all of them or none.

    For example: mailticket ticket do 123456 --as sam "topic printing" "close the fuse was blown"
    """
    _do(ctx, number, [line.lstrip("#/") for line in lines], agent, as_json=as_json)


@ticket_app.command("merge", rich_help_panel=_PANEL)
def ticket_merge(
    ctx: typer.Context,
    number: Number,
    into: Other,
    agent: As,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Even where people then get answers they did not get before.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Let a ticket go on in another one, with all who take part and all replies."""
    _do(ctx, number, [f"merge {as_kept(into)}{' anyway' if anyway else ''}"], agent, as_json=as_json)


@ticket_app.command("split", rich_help_panel=_PANEL)
def ticket_split(
    ctx: typer.Context,
    number: Number,
    agent: As,
    entry: Annotated[str, typer.Option(help="The message (see `ticket show --json`), or last.")] = "last",
    subject: Annotated[str, typer.Option(help="Of the new ticket; default: as before.")] = "",
    as_json: Json = False,
) -> None:
    """Make a ticket of its own of a customer's message."""
    _do(ctx, number, [f"split {entry} {subject}".strip()], agent, as_json=as_json)


@ticket_app.command("link", rich_help_panel=_PANEL)
def ticket_link(ctx: typer.Context, number: Number, other: Other, agent: As, as_json: Json = False) -> None:
    """Note that two tickets have to do with each other."""
    _do(ctx, number, [f"link {as_kept(other)}"], agent, as_json=as_json)


@ticket_app.command("unlink", rich_help_panel=_PANEL)
def ticket_unlink(ctx: typer.Context, number: Number, other: Other, agent: As, as_json: Json = False) -> None:
    """End a link, or a wait for the other ticket."""
    _do(ctx, number, [f"unlink {as_kept(other)}"], agent, as_json=as_json)


@ticket_app.command("block", rich_help_panel=_PANEL)
def ticket_block(ctx: typer.Context, number: Number, other: Other, agent: As, as_json: Json = False) -> None:
    """Let a ticket wait on hold until another one is resolved or closed."""
    _do(ctx, number, [f"block {as_kept(other)}"], agent, as_json=as_json)


@ticket_app.command("refer", rich_help_panel=_PANEL)
def ticket_refer(
    ctx: typer.Context,
    number: Number,
    department: Annotated[str, typer.Argument(help="Key or name of the department.")],
    agent: As,
    end: Annotated[bool, typer.Option("--end", help="End the referral.")] = False,
    as_json: Json = False,
) -> None:
    """Let another department see a ticket and hear of it."""
    _do(ctx, number, [f"{'unrefer' if end else 'refer'} {department}"], agent, as_json=as_json)


@ticket_app.command("field", rich_help_panel=_PANEL)
def ticket_field(
    ctx: typer.Context,
    number: Number,
    field: Annotated[str, typer.Argument(help="Key or name of the custom field.")],
    value: Annotated[str, typer.Argument(help="Its value; none takes it away.")],
    agent: As,
    as_json: Json = False,
) -> None:
    """Set a custom field."""
    _do(ctx, number, [f"field {field} {value}"], agent, as_json=as_json)


@ticket_app.command("status", rich_help_panel=_PANEL)
def ticket_status(
    ctx: typer.Context,
    number: Number,
    status: Annotated[str, typer.Argument(help="A state, or a status of your configuration.")],
    agent: As,
    as_json: Json = False,
) -> None:
    """Bring a ticket into another status, where it may go there and what has to be known is."""
    _do(ctx, number, [f"status {status}"], agent, as_json=as_json)


def _do(ctx: typer.Context, number: str, lines: Sequence[str], agent: str, *, as_json: bool) -> None:
    from mailticket.work.by_command import carry_out  # the whole way of a mail: slow to import

    with open_desk(ctx) as desk:
        settings = desk.settings
        with transaction(desk.engine) as session:
            done = carry_out(
                session,
                number,
                lines,
                agent,
                desk=settings.desk,
                secret=settings.service.secret_key.get_secret_value().encode(),
                times=WorkingTimes(settings.desk),
                now=desk.now(),
            )
        if as_json:
            print_json(asdict(done))
            return
        for reason in done.reasons or ("nothing to change",):
            out.print(f"{reason}.")
