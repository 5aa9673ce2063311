"""What every command needs first: the configuration, the database, a console, a clean way out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import typer
from rich.console import Console

from mailticket.config.loader import load
from mailticket.config.problems import ConfigurationError
from mailticket.config.settings import Settings
from mailticket.errors import MailticketError, Temporary

EXIT_FAILED = 1
"""What was asked for could not be done."""
EXIT_USAGE = 2
"""The command line is wrong (typer's own code for it)."""
EXIT_TEMPORARY = 75
"""It may work later (EX_TEMPFAIL of sysexits.h)."""
EXIT_CONFIG = 78
"""The configuration is wrong (EX_CONFIG)."""

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def counted(number: int, one: str, many: str = "") -> str:
    """A number of things in words: "1 agent", "2 agents"; `many` where that takes more than an s."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def configuration_directory(ctx: typer.Context) -> Path:
    """The directory named by --config, else MAILTICKET_CONFIG, else ./config, else /etc/mailticket."""
    chosen: Path | None = (ctx.find_root().obj or {}).get("config")
    if chosen is not None:
        return chosen
    here = Path("config")
    return here if here.is_dir() else Path("/etc/mailticket")


def settings_of(ctx: typer.Context, *, create_secret: bool = False) -> Settings:
    """Load the configuration, or end the program with every mistake in it."""
    directory = configuration_directory(ctx)
    try:
        return load(directory, os.environ, create_secret=create_secret)
    except ConfigurationError as error:
        err.print(f"[bold red]The configuration in {directory} cannot be used:[/]", soft_wrap=True)
        for problem in error.problems:
            err.print(f"  {problem}", markup=False, soft_wrap=True)
        raise typer.Exit(EXIT_CONFIG) from None


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn errors raised on purpose into one sentence and an exit code that means something."""
    try:
        yield
    except MailticketError as error:
        fail(str(error), EXIT_TEMPORARY if isinstance(error, Temporary) else EXIT_FAILED)


def fail(message: str, code: int = EXIT_FAILED) -> NoReturn:
    """Say what is wrong and end the program."""
    err.print(f"mailticket: {message}", style="red", markup=False, soft_wrap=True)
    raise typer.Exit(code)


def print_json(value: Any) -> None:
    """One JSON document on one line, for scripts."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")


def _plain(value: Any) -> Any:
    isoformat: Callable[[], str] | None = getattr(value, "isoformat", None)
    return isoformat() if isoformat is not None else str(value)
