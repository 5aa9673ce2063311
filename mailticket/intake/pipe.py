"""`mailticket deliver`: one mail on standard input, from an MTA's pipe transport.

The result is an exit status of sysexits.h, which every MTA understands: 75 keeps the mail in its
queue, 65 bounces it, 0 says that it is durable here.
"""

from __future__ import annotations

import os
from typing import BinaryIO

import structlog

from mailticket.intake.path import is_plain_recipient, split_path, without_null
from mailticket.intake.reason import one_line, reason
from mailticket.mail.types import RawMail
from mailticket.store.ports import Recipients, Spool

log = structlog.get_logger(__name__)

EX_OK = os.EX_OK
EX_USAGE = os.EX_USAGE
EX_DATAERR = os.EX_DATAERR
EX_TEMPFAIL = os.EX_TEMPFAIL

MAX_SIZE = 100_000_000
"""Bytes; more than any listener of ours takes by default, and a bound on memory."""


def deliver(
    stdin: BinaryIO,
    recipient: str,
    sender: str | None,
    spool: Spool,
    recipients: Recipients,
    *,
    max_size: int = MAX_SIZE,
) -> int:
    """Store the mail on `stdin` for `recipient`; the exit status.

    sender    the envelope sender the MTA names; "" or "<>" is the null sender, None is unknown

    0 stored; 64 an argument is no address; 65 refused for good: not a recipient served here, empty,
    or larger than `max_size`; 75 anything else, expected or not: the MTA shall try again.
    """
    to, envelope_from = _address(recipient), None if sender is None else _address(sender or "<>")
    if to is None or (sender is not None and envelope_from is None):
        log.error("pipe.usage", recipient=one_line(recipient), sender=one_line(sender or ""))
        return EX_USAGE
    try:
        if not is_plain_recipient(to) or not recipients.accepts(to):
            log.warning("pipe.recipient_refused", recipient=one_line(to))
            return EX_DATAERR
        raw = stdin.read(max_size + 1)
        if not raw or len(raw) > max_size:
            log.warning("pipe.message_refused", size=len(raw))
            return EX_DATAERR
        (receipt,) = spool.store([RawMail(raw, envelope_from, to, "pipe")])
    except Exception as error:  # noqa: BLE001  # whatever happened, the MTA keeps the mail
        log.error("pipe.failed", error=reason(error))
        return EX_TEMPFAIL
    log.info("mail.stored", inbound=receipt.inbound_id, already_had=receipt.already_had, source="pipe")
    return EX_OK


def _address(argument: str) -> str | None:
    """The address of an argument like `a@b` or `<a@b>`; None when there is more or less than that."""
    split = split_path(argument)
    if split is None or split[1]:
        return None
    return without_null(split[0])
