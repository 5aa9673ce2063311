"""The command line: what `mailticket --help` shows, and where each command lives."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mailticket import __version__
from mailticket.cli import change_commands as _change_commands  # noqa: F401 -- adds to `ticket`
from mailticket.cli.account_commands import hash_password_command
from mailticket.cli.agent_commands import agent_app
from mailticket.cli.alias_commands import alias_app
from mailticket.cli.ban_commands import address_app, ban_app
from mailticket.cli.canned_commands import canned_app
from mailticket.cli.check_command import check
from mailticket.cli.config_commands import init
from mailticket.cli.daemon_commands import run, send_sample
from mailticket.cli.deliver_command import deliver
from mailticket.cli.demo_command import demo
from mailticket.cli.desk_commands import inbox_app, outbox_app, status
from mailticket.cli.explain_command import explain
from mailticket.cli.held_commands import held_app
from mailticket.cli.person_commands import person_app
from mailticket.cli.report_commands import report_app
from mailticket.cli.rules_commands import rules_app
from mailticket.cli.satisfaction_report import report_satisfaction
from mailticket.cli.simulate_command import simulate
from mailticket.cli.templates_commands import templates_app
from mailticket.cli.ticket_commands import queue_app, ticket_app
from mailticket.cli.top_command import top
from mailticket.cli.verify_command import verify
from mailticket.cli.webhook_commands import webhook_app

app = typer.Typer(
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


app.command()(run)
app.command("send-sample")(send_sample)
app.command()(demo)
app.command()(init)
app.command()(check)
app.command()(deliver)
app.command()(explain)
app.command("hash-password")(hash_password_command)
app.command()(status)
app.command()(top)
app.command()(simulate)
app.command()(verify)
app.add_typer(ticket_app, name="ticket")
app.add_typer(agent_app, name="agent")
app.add_typer(queue_app, name="queue")
app.add_typer(alias_app, name="alias")
app.add_typer(held_app, name="held")
app.add_typer(inbox_app, name="inbox")
app.add_typer(outbox_app, name="outbox")
app.add_typer(ban_app, name="ban")
app.add_typer(address_app, name="address")
app.add_typer(person_app, name="person")
report_app.command("satisfaction")(report_satisfaction)
app.add_typer(report_app, name="report")
app.add_typer(templates_app, name="templates")
app.add_typer(rules_app, name="rules")
app.add_typer(webhook_app, name="webhook")
app.add_typer(canned_app, name="canned")


def main() -> None:
    """Entry point of the console script."""
    app()
