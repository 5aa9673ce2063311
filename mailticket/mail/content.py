"""The body of a read mail, taken apart: stage 5 of docs/architecture.md."""

from __future__ import annotations

from mailticket.mail.parse import Parsed
from mailticket.mail.quoting import split
from mailticket.mail.types import Content


def extract(parsed: Parsed) -> Content:
    """New text, quoted text and signature of a mail, as spans over `ParsedMail.text`.

    parsed: what `parse` returned. Never raises; nothing of the text is lost, see mail/quoting.py.
    """
    return split(parsed.mail.text, parsed.html_source, subject=parsed.mail.subject)
