"""`mailticket init`: ask a few questions, write a configuration to start from."""

from __future__ import annotations

import os
import re
import secrets
import shlex
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError

from mailticket.config.starter import (
    IMAP_PASSWORD_FILE,
    IMAP_PASSWORD_VARIABLE,
    SMTP_PASSWORD_FILE,
    SMTP_PASSWORD_VARIABLE,
    StarterAnswers,
    starter_files,
)

_REQUIRED = {
    "organisation": "Name of your organisation",
    "support_address": "Address that customers write to",
    "agent_name": "Name of the first agent",
    "agent_address": "Mail address of the first agent",
}
_NOT_IN_AN_ID = re.compile(r"[^a-z0-9]+")


def init(
    directory: Annotated[Path, typer.Argument(help="Where the configuration goes; made when absent.")],
    organisation: Annotated[str | None, typer.Option(help="What customers read below a mail.")] = None,
    support_address: Annotated[str | None, typer.Option(help="The address that customers write to.")] = None,
    agent_name: Annotated[str | None, typer.Option(help="Name of the first agent.")] = None,
    agent_address: Annotated[str | None, typer.Option(help="Where the first agent gets alerts.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Like Europe/Berlin.  [default: UTC]")] = None,
    imap_host: Annotated[str | None, typer.Option(help="Fetch mail here; none: listen for SMTP.")] = None,
    imap_port: Annotated[int, typer.Option(min=1, max=65535, help="993 TLS, 143 STARTTLS.")] = 993,
    imap_user: Annotated[str | None, typer.Option(help="Login; none: the support address.")] = None,
    smtp_host: Annotated[str | None, typer.Option(help="Send mail here; none: into a Maildir.")] = None,
    smtp_port: Annotated[int, typer.Option(min=1, max=65535, help="587 STARTTLS, 465 TLS.")] = 587,
    smtp_user: Annotated[str | None, typer.Option(help="Login at the SMTP host; none: no login.")] = None,
    state_dir: Annotated[str | None, typer.Option(help="Where the daemon keeps its data.")] = None,
    secrets_from: Annotated[
        str, typer.Option("--secrets", help="Passwords come from: file or env.")
    ] = "file",
    non_interactive: Annotated[bool, typer.Option("--non-interactive", help="Ask nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write into a directory that is not empty.")] = False,
) -> None:
    """Write a commented configuration to start from."""
    if directory.exists() and not directory.is_dir():
        _refuse(f"{directory} is not a directory.")
    if directory.is_dir() and any(directory.iterdir()) and not force:
        _refuse(f"{directory} is not empty. --force writes into it all the same.")
    given: dict[str, Any] = {
        "organisation": organisation,
        "support_address": support_address,
        "agent_name": agent_name,
        "agent_address": agent_address,
        "time_zone": time_zone,
        "imap_host": imap_host,
        "imap_port": imap_port,
        "imap_security": "starttls" if imap_port == 143 else "tls",
        "imap_user": imap_user,
        "smtp_host": smtp_host,
        "smtp_port": smtp_port,
        "smtp_security": "tls" if smtp_port == 465 else "starttls",
        "smtp_user": smtp_user,
        "state_dir": state_dir or _usual_state_dir(directory),
        "secrets": secrets_from,
    }
    if not non_interactive:
        _ask(given)
    answers = _validated(given)
    passwords = _passwords(answers, ask=not non_interactive)
    _write(directory, starter_files(answers), passwords)
    _tell_what_is_next(directory, answers, passwords)


def _ask(given: dict[str, Any]) -> None:
    """Ask for what no option gave. An empty answer to an optional question means none."""
    for name, question in _REQUIRED.items():
        if given[name] is None:
            given[name] = typer.prompt(question)
    if given["time_zone"] is None:
        given["time_zone"] = typer.prompt("Time zone", default="UTC")
    if given["imap_host"] is None:
        given["imap_host"] = _optional("IMAP server to fetch mail from (empty: listen for SMTP instead)")
    if given["imap_host"] and given["imap_user"] is None:
        given["imap_user"] = typer.prompt("IMAP user", default=given["support_address"])
    if given["smtp_host"] is None:
        given["smtp_host"] = _optional("SMTP server to send through (empty: a local Maildir)")
    if given["smtp_host"] and given["smtp_user"] is None:
        given["smtp_user"] = _optional("SMTP user (empty: no login)")


def _optional(question: str) -> str | None:
    answer: str = typer.prompt(question, default="", show_default=False)
    return answer.strip() or None


def _validated(given: dict[str, Any]) -> StarterAnswers:
    missing = [f"--{name.replace('_', '-')}" for name in _REQUIRED if not given[name]]
    if missing:
        raise typer.BadParameter(f"{', '.join(missing)} must be given")
    stem = _NOT_IN_AN_ID.sub("-", given["organisation"].lower()).strip("-")[:20].strip("-") or "desk"
    filled = {name: value for name, value in given.items() if value is not None}
    try:
        return StarterAnswers.model_validate({**filled, "instance": f"{stem}-{secrets.token_hex(2)}"})
    except ValidationError as exc:
        lines = []
        for error in exc.errors(include_url=False):
            option = "".join(f"--{str(part).replace('_', '-')} " for part in error["loc"])
            lines.append(option + error["msg"].removeprefix("Value error, "))
        raise typer.BadParameter("; ".join(lines)) from None


def _usual_state_dir(directory: Path) -> str:
    return "/var/lib/mailticket" if directory.absolute().parent == Path("/etc") else "var"


def _passwords(answers: StarterAnswers, *, ask: bool) -> dict[str, str]:
    """Password file -> password, empty when it is still to be filled in."""
    if answers.secrets == "env":
        return {}
    wanted = {}
    if answers.imap_host is not None:
        wanted[IMAP_PASSWORD_FILE] = "IMAP password (empty: write it into the file later)"
    if answers.smtp_host is not None and answers.smtp_user is not None:
        wanted[SMTP_PASSWORD_FILE] = "SMTP password (empty: write it into the file later)"
    return {
        name: typer.prompt(question, default="", show_default=False, hide_input=True) if ask else ""
        for name, question in wanted.items()
    }


def _write(directory: Path, files: dict[str, str], passwords: dict[str, str]) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (directory / name).write_text(text, encoding="utf-8")
        for name, password in passwords.items():
            _write_password(directory / name, password)
    except OSError as exc:
        _refuse(f"{exc.filename or directory}: {exc.strerror}")


def _write_password(file: Path, password: str) -> None:
    """Only the owner may ever read it. A password that is there stays unless a new one was typed."""
    if file.exists() and not password:
        return
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        os.fchmod(opened.fileno(), 0o600)
        opened.write(f"{password}\n" if password else "")


def _tell_what_is_next(directory: Path, answers: StarterAnswers, passwords: dict[str, str]) -> None:
    typer.echo(f"Wrote a configuration to {directory}.")
    for name, password in passwords.items():
        if not password:
            typer.echo(f"Write the password into {directory / name}.")
    if answers.secrets == "env":
        if answers.imap_host is not None:
            typer.echo(f"Set the environment variable {IMAP_PASSWORD_VARIABLE} to the IMAP password.")
        if answers.smtp_user is not None:
            typer.echo(f"Set the environment variable {SMTP_PASSWORD_VARIABLE} to the SMTP password.")
    command = f"mailticket --config {shlex.quote(str(directory))}"
    typer.echo(f"Then `{command} check` tries it, and `{command} run` starts the desk.")


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)
