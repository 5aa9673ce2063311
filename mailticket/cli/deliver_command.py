"""`deliver`: take one mail from an MTA's pipe. Exit codes are sysexits.h's, as every MTA reads them."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mailticket.cli.session import EXIT_TEMPORARY, err, settings_of
from mailticket.errors import MailticketError, Temporary

EX_USAGE = 64
EX_CONFIG_LATER = EXIT_TEMPORARY
"""A mistake of ours must not bounce the mail: the MTA keeps it and tries again."""


def deliver(
    ctx: typer.Context,
    recipient: Annotated[str, typer.Argument(help="The address the mail was sent to, + extension included.")],
    sender: Annotated[
        str | None, typer.Option("--sender", "-f", help='The envelope sender; "" for the null sender.')
    ] = None,
) -> None:
    """Store the mail on standard input; the daemon works on it. For an MTA's pipe transport.

    Exit codes: 0 stored durably, 64 the command line is wrong, 65 the mail is refused for good
    (nobody here has that address, or it is empty or too large), 75 try again later.

    Postfix, in master.cf:

        mailticket unix - n n - - pipe user=mailticket argv=/opt/mailticket/bin/mailticket
          --config /etc/mailticket deliver --sender ${sender} ${recipient}
    """
    from mailticket.intake.pipe import deliver as take
    from mailticket.store.engine import open_engine
    from mailticket.store.inbox import Inbox
    from mailticket.store.migrate import migrate
    from mailticket.work.clock import clock_from_environment
    from mailticket.work.served import Served, base_recipient

    try:
        settings = settings_of(ctx)
    except typer.Exit:
        raise typer.Exit(EX_CONFIG_LATER) from None
    try:
        engine = open_engine(settings.service.database)
        migrate(engine, settings.service.state_dir / "backups")
        inbox = Inbox(engine, clock_from_environment(), base_recipient)
        code = take(sys.stdin.buffer, recipient, sender, inbox, Served(lambda: settings.desk))
    except MailticketError as error:
        err.print(f"mailticket: {error}", style="red", markup=False, soft_wrap=True)
        code = EXIT_TEMPORARY if isinstance(error, Temporary) else EX_CONFIG_LATER
    raise typer.Exit(code)
