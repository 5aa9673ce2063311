"""IMAP intake: the worker that empties a mailbox, and the check that it could."""

from __future__ import annotations

import ssl

from mailticket.config.settings import Mailbox
from mailticket.errors import Permanent, Temporary
from mailticket.intake.backoff import Backoff
from mailticket.intake.imap_client import ConnectionTrouble, ImapSession, LoginRefused, Refused
from mailticket.intake.imap_worker import ImapWorker

__all__ = ["Backoff", "ImapWorker", "check_mailbox"]


def check_mailbox(mailbox: Mailbox) -> str:
    """Log in and select the folder, change nothing; a sentence saying what was found.

    Raises `Permanent` when the configuration must change (login refused, no such folder, certificate
    not trusted), `Temporary` when the server could not be reached or misbehaved.
    """
    place = f"{mailbox.user} at {mailbox.host}:{mailbox.port}"
    try:
        with ImapSession(mailbox) as session:
            found = session.select(mailbox.folder)
            idle = "IDLE" if mailbox.idle and session.can("IDLE") else "polling"
    except LoginRefused as error:
        raise Permanent(f"{place}: login refused: {error}") from error
    except Refused as error:
        raise Permanent(f"{place}: cannot open the folder {mailbox.folder}: {error}") from error
    except ConnectionTrouble as error:
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            raise Permanent(f"{place}: the server's certificate is not trusted: {error}") from error
        raise Temporary(f"{place}: {error}") from error
    if found.read_only:
        raise Permanent(
            f"{place}: the folder {mailbox.folder} is read-only, nothing could be moved out of it"
        )
    return f"{place}: {mailbox.folder} holds {found.messages} messages, watched by {idle}."
