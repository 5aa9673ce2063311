"""What an SMTP client is told where the answer is our own."""

from __future__ import annotations

from mailticket.store.ports import Receipt

TEMPORARY_FAILURE = "451 4.3.0 Temporary failure, please try again later"
SHUTTING_DOWN = "421 4.3.2 Service is shutting down, please try again later"
TOO_MANY_CONNECTIONS = "421 4.7.0 Too many connections, please try again later"
TOO_MANY_ERRORS = "421 4.7.0 Too many errors"
IDLE_TOO_LONG = "421 4.4.2 Nothing heard for too long"
SESSION_TOO_LONG = "421 4.4.2 The session has lasted too long, please connect again"
TOO_SLOW = "421 4.4.2 The message arrives too slowly"
TOO_MANY_MESSAGES = "451 4.7.1 Too many messages in a minute, please try again later"
TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients"
NO_ROOM = "452 4.3.1 Too much mail under way, please try again later"
TOO_LARGE = "552 5.3.4 The message is too large"
BANNED = "550 5.7.1 Mail from this sender is not accepted here"
UNKNOWN_RECIPIENT = "550 5.1.1 There is no such mailbox here"
TOO_MANY_LOGINS = "454 4.7.0 Too many failed logins, please try again later"
TLS_NEEDED = "530 5.7.0 Must issue a STARTTLS command first"


def stored_reply(receipts: list[Receipt]) -> str:
    """The reply that promises durability; it names the rows, so that both logs can be matched."""
    return "250 2.0.0 Stored as " + ",".join(str(receipt.inbound_id) for receipt in receipts)
