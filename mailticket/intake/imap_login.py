"""The secret an IMAP account logs in with: a password, or an OAuth2 token from a command."""

from __future__ import annotations

import subprocess

from mailticket.config.settings import Mailbox
from mailticket.errors import Permanent, Temporary

TOKEN_TIMEOUT = 30.0
"""Seconds a token command may take; it usually asks a server."""


def secret_of(mailbox: Mailbox) -> str:
    """The password, or what the token command prints, without surrounding white space.

    Raises `Temporary` when the command fails (its output is never shown: it may hold the token),
    `Permanent` when there is neither or the secret cannot be sent.
    """
    if mailbox.token_command is not None:
        secret = _run(mailbox.token_command)
    elif mailbox.password is not None:
        secret = mailbox.password.get_secret_value()
    else:
        raise Permanent(f"mailbox {mailbox.key}: neither a password nor a token_command is configured")
    if any(char < " " or char == "\x7f" for char in secret):
        raise Permanent(f"mailbox {mailbox.key}: the password or token has control characters in it")
    return secret


def _run(command: tuple[str, ...]) -> str:
    program = command[0] if command else ""
    try:
        done = subprocess.run(  # noqa: S603  # the operator's own command, run without a shell
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TOKEN_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        raise Temporary(f"the token command {program} took longer than {TOKEN_TIMEOUT:g} s") from None
    except (OSError, ValueError, IndexError) as error:
        raise Temporary(f"the token command {program} cannot be run: {type(error).__name__}") from None
    if done.returncode != 0:
        raise Temporary(f"the token command {program} ended with status {done.returncode}")
    try:
        token = done.stdout.decode("ascii").strip()
    except UnicodeDecodeError:
        token = ""
    if not token:
        raise Temporary(f"the token command {program} printed no token")
    return token
