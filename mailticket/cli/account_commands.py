"""`hash-password`: a password as it may stand in a configuration file."""

from __future__ import annotations

import sys

import typer

from mailticket.cli.session import fail


def hash_password_command() -> None:
    """Ask for a password (or read one line from standard input) and print it hashed, for an account."""
    from mailticket.intake.accounts import hash_password

    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        fail("the password is empty")
    typer.echo(hash_password(password))
