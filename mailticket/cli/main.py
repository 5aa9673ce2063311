"""The command line: what `mailticket --help` shows, and where each command lives."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from mailticket import __version__
from mailticket.cli.lazy import LazyGroup

PLACES: Final = {
    "run": ("mailticket.cli.daemon_commands", "run"),
    "send-sample": ("mailticket.cli.daemon_commands", "send_sample"),
    "demo": ("mailticket.cli.demo_command", "demo"),
    "init": ("mailticket.cli.config_commands", "init"),
    "check": ("mailticket.cli.check_command", "check"),
    "deliver": ("mailticket.cli.deliver_command", "deliver"),
    "explain": ("mailticket.cli.explain_command", "explain"),
    "hash-password": ("mailticket.cli.account_commands", "hash_password_command"),
    "status": ("mailticket.cli.desk_commands", "status"),
    "top": ("mailticket.cli.top_command", "top"),
    "simulate": ("mailticket.cli.simulate_command", "simulate"),
    "verify": ("mailticket.cli.verify_command", "verify"),
    "ticket": ("mailticket.cli.change_commands", "ticket_app"),
    "agent": ("mailticket.cli.agent_commands", "agent_app"),
    "queue": ("mailticket.cli.ticket_commands", "queue_app"),
    "alias": ("mailticket.cli.alias_commands", "alias_app"),
    "held": ("mailticket.cli.held_commands", "held_app"),
    "inbox": ("mailticket.cli.desk_commands", "inbox_app"),
    "outbox": ("mailticket.cli.desk_commands", "outbox_app"),
    "ban": ("mailticket.cli.ban_commands", "ban_app"),
    "address": ("mailticket.cli.ban_commands", "address_app"),
    "person": ("mailticket.cli.person_commands", "person_app"),
    "report": ("mailticket.cli.satisfaction_report", "report_app"),
    "templates": ("mailticket.cli.templates_commands", "templates_app"),
    "rules": ("mailticket.cli.rules_commands", "rules_app"),
    "webhook": ("mailticket.cli.webhook_commands", "webhook_app"),
    "canned": ("mailticket.cli.canned_commands", "canned_app"),
}
"""Each command: its module, and what it is called there. A module behind another adds to its group."""


class _Mailticket(LazyGroup):
    places = PLACES


app = typer.Typer(
    cls=_Mailticket,
    name="mailticket",
    help="A help desk that lives in the mail client: mail in, tickets, answers, SLA clocks, mail out.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Begin with: mailticket init DIR, mailticket --config DIR check, mailticket --config DIR run",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mailticket {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            envvar="MAILTICKET_CONFIG",
            help="The configuration directory. Default: ./config, else /etc/mailticket.",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    ctx.obj = {"config": config}


def main() -> None:
    """Entry point of the console script."""
    app()
