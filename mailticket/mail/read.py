"""One call from bytes to everything we know about a mail: stages 3 to 5 of docs/architecture.md."""

from __future__ import annotations

from mailticket.mail.automated import classify
from mailticket.mail.content import extract
from mailticket.mail.parse import parse
from mailticket.mail.types import Reading


def read(raw: bytes, envelope_from: str | None = None) -> Reading:
    """Parse, classify and take apart one mail.

    raw            the message bytes
    envelope_from  MAIL FROM, "" for the null sender, None when unknown

    Never raises on any input; what is wrong with the mail is in `Reading.mail.defects`.
    """
    parsed = parse(raw)
    return Reading(parsed.mail, classify(parsed, envelope_from), extract(parsed))
