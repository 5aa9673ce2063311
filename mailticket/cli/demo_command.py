"""`demo`: watch a whole ticket life go by, over real SMTP, and know that it was as promised."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from mailticket.cli.session import EXIT_FAILED, EXIT_USAGE, fail

if TYPE_CHECKING:
    from mailticket.demo.desk import DemoDesk
    from mailticket.demo.narrator import Narrator
    from mailticket.demo.play import Report


def demo(
    directory: Annotated[
        Path,
        typer.Option(
            "--dir", file_okay=False, help="Where the demo lives; made, or emptied if it is a demo's."
        ),
    ] = Path("demo"),
    no_color: Annotated[bool, typer.Option("--no-color", help="Print plain text.")] = False,
    pause: Annotated[
        float,
        typer.Option(min=0.0, max=600.0, metavar="SECONDS", help="Wait after each mail, to read along."),
    ] = 0.0,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Play on after something went wrong; it still counts.")
    ] = False,
) -> None:
    """Watch a ticket's whole life: the real daemon, real SMTP on loopback, a mailbox for everybody.

    Every mail is checked as it passes. Exits 0 when all was as it must be, 1 when not.
    """
    from mailticket.demo.folder import FolderRefused, demo_folder
    from mailticket.demo.narrator import Narrator

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)  # or the daemon would outlive a demo that is told to end
    try:
        with demo_folder(directory) as folder:
            report = _play(folder, Narrator(color=not no_color), pause=pause, keep_going=keep_going)
    except FolderRefused as refused:
        fail(str(refused), EXIT_USAGE)
    if report.problems:
        raise typer.Exit(EXIT_FAILED)


def _play(folder: Path, narrator: Narrator, *, pause: float, keep_going: bool) -> Report:
    """Set the stage, play, and clear it again whatever happens."""
    from mailticket.demo.cast import CAST
    from mailticket.demo.desk import DemoDesk, DeskTrouble
    from mailticket.demo.mailroom import Mailroom
    from mailticket.demo.play import Play, Report
    from mailticket.demo.story import SCENES

    begun = time.monotonic()
    mailroom = Mailroom(folder / "mail", CAST)
    mailroom.start()
    desk = DemoDesk(folder / "desk", mailroom.port)
    narrator.opening(mailroom.port, folder)
    report = Report()
    try:
        desk.start()
        report = Play(desk, mailroom, narrator, pause).perform(SCENES, keep_going=keep_going)
        narrator.summary(desk.tickets(), report.kinds)
    except DeskTrouble as trouble:
        report.problems.append(str(trouble))
    finally:
        report.problems += _stop(desk.stop)
        mailroom.stop()
    _close(narrator, folder, desk, report, time.monotonic() - begun)
    return report


def _stop(stop: Callable[[], None]) -> list[str]:
    from mailticket.demo.desk import DeskTrouble

    try:
        stop()
    except DeskTrouble as trouble:
        return [str(trouble)]
    return []


def _close(narrator: Narrator, folder: Path, desk: DemoDesk, report: Report, seconds: float) -> None:
    """The last words: where to look, and whether it was as promised."""
    narrator.places(folder / "mail", desk.config, report.mailboxes)
    if report.problems:
        narrator.daemon_log(desk.log_end(), desk.log)
        narrator.failed(report.problems)
    else:
        narrator.succeeded(report.checks, seconds)


def _leave(number: int, _frame: Any) -> NoReturn:
    raise SystemExit(128 + number)
