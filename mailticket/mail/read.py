"""One call from bytes to everything we know about a mail: stages 3 to 5 of docs/architecture.md."""

from __future__ import annotations

from mailticket.mail.automated import classify
from mailticket.mail.content import extract
from mailticket.mail.parse import parse
from mailticket.mail.types import Reading
from mailticket.mail.writer import writer_of


def read(raw: bytes, envelope_from: str | None = None) -> Reading:
    """Parse, classify and take apart one mail.

    raw            the message bytes
    envelope_from  MAIL FROM, "" for the null sender, None when unknown

    Never raises on any input; what is wrong with the mail is in `Reading.mail.defects`.
    """
    parsed = parse(raw)
    content = extract(parsed)
    return Reading(parsed.mail, classify(parsed, envelope_from), content, writer_of(parsed.mail, content))
