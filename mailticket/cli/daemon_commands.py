"""`run`: the daemon in the foreground. `send-sample`: a first mail to a running one."""

from __future__ import annotations

import os
import secrets
import shlex
import signal
import smtplib
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailticket.cli.session import (
    configuration_directory,
    fail,
    out,
    plain_errors,
    settings_of,
)
from mailticket.config.settings import Settings

if TYPE_CHECKING:
    from mailticket.app import Application


def run(ctx: typer.Context) -> None:
    """Run the daemon in the foreground until SIGTERM or Ctrl-C; SIGHUP reloads the configuration.

    Makes or migrates the database by itself. Under systemd it reports READY=1 (Type=notify).
    """
    from mailticket.app import Application
    from mailticket.logs import set_up
    from mailticket.work.clock import clock_from_environment

    with plain_errors():
        settings = settings_of(ctx, create_secret=True)
        set_up(settings.service.log_level, settings.service.log_format)
        stop = threading.Event()
        daemon = Application(settings, configuration_directory(ctx), clock_from_environment())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        reload = threading.Event()
        signal.signal(signal.SIGHUP, lambda *_: reload.set())
        daemon.start()
        _tell(daemon, settings)
        _notify("READY=1")
        _wait(daemon, stop, reload)
        _notify("STOPPING=1")
        daemon.stop()


def _wait(daemon: Application, stop: threading.Event, reload: threading.Event) -> None:
    """Sleep until told to stop; signal handlers only set events, because they may interrupt anything."""
    while not stop.wait(0.5):
        if reload.is_set():
            reload.clear()
            daemon.reload()


def _tell(daemon: Application, settings: Settings) -> None:
    """Say where the daemon listens and what to do next, on standard output."""
    desk = settings.desk
    address = desk.departments[desk.default_department].address
    out.print(f"[bold]{desk.name}[/] is running (mailticket, pid {os.getpid()}).")
    for place in daemon.listening:
        out.print(f"  {place.protocol.upper()} listens on [bold]{place.host}:{place.port}[/]")
    for mailbox in settings.mailboxes.values():
        out.print(f"  IMAP mailbox {mailbox.user} on {mailbox.host}:{mailbox.port}, for {mailbox.address}")
    out.print(f"  it serves [bold]{address}[/] and {len(desk.department_by_address) - 1} more addresses")
    smarthost = settings.delivery.smarthost
    if smarthost is not None:
        out.print(f"  outgoing mail goes to the smarthost {smarthost.host}:{smarthost.port}")
    else:
        out.print(f"  outgoing mail goes into the Maildir [bold]{_near(settings.delivery.maildir)}[/]")
        if any(place.protocol == "smtp" for place in daemon.listening):
            out.print(f"  send it a first mail:  [bold]{_ourselves()} send-sample[/]")
    out.print("  stop it with Ctrl-C\n")


def _ourselves() -> str:
    """How to call this program again from here, with the same configuration."""
    words = [str(_near(Path(sys.argv[0]).absolute()))]
    options = iter(sys.argv[1:])
    for option in options:
        if option in ("--config", "-c"):
            chosen = next(options, "config")
            words += [] if chosen == "config" else ["--config", shlex.quote(chosen)]
    return " ".join(words)


def _near(path: Path) -> str:
    """A path relative to here where that is shorter."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _notify(state: str) -> None:
    """Tell systemd (sd_notify(3)); nothing happens where it did not start us."""
    import socket

    place = os.environ.get("NOTIFY_SOCKET")
    if not place:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(state.encode(), "\0" + place[1:] if place.startswith("@") else place)


def send_sample(
    ctx: typer.Context,
    sender: Annotated[str, typer.Option("--from", help="Who writes.")] = "customer@customer.example",
    to: Annotated[
        str | None, typer.Option(help="A served address. Default: the default department's.")
    ] = None,
    subject: Annotated[str, typer.Option(help="What about.")] = "I cannot log in to online banking",
    text: Annotated[str, typer.Option(help="The message.")] = (
        "Hello,\n\nsince this morning online banking answers every login with an error.\n"
        "Could you have a look, please?\n\nKind regards\nA Customer\n"
    ),
) -> None:
    """Send a first mail to the running daemon, over SMTP, as a customer would."""
    from mailticket.mail.compose import OutgoingParts, compose
    from mailticket.mail.types import Address

    settings = settings_of(ctx)
    listener = next((item for item in settings.listeners.values() if item.protocol == "smtp"), None)
    if listener is None or listener.port == 0:
        fail("the configuration has no SMTP listener with a fixed port")
    desk = settings.desk
    recipient = to or desk.departments[desk.default_department].address
    mail = compose(
        OutgoingParts(
            sender=Address("", sender),
            to=(Address("", recipient),),
            subject=subject,
            message_id=f"sample.{secrets.token_hex(8)}@{sender.rpartition('@')[2]}",
            date=datetime.now().astimezone(),
            text=text,
        )
    )
    try:
        with smtplib.SMTP(listener.host, listener.port, timeout=20) as server:
            server.sendmail(sender, [recipient], mail)
    except (OSError, smtplib.SMTPException) as error:
        fail(
            f"the daemon on {listener.host}:{listener.port} did not take it ({error}); is `make run` running?"
        )
    out.print(f"Sent from {sender} to {recipient}.")
    if settings.delivery.smarthost is None:
        out.print(f"The acknowledgement is in {_near(settings.delivery.maildir)}/new in a moment.")
