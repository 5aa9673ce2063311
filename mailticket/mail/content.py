"""The body of a read mail, taken apart: stage 5 of docs/architecture.md."""

from __future__ import annotations

from mailticket.mail.parse import Parsed
from mailticket.mail.quoting import split
from mailticket.mail.quoting_headers import is_reply_subject
from mailticket.mail.types import Content


def extract(parsed: Parsed) -> Content:
    """New text, quoted text and signature of a mail, as spans over `ParsedMail.text`.

    parsed: what `parse` returned. Never raises; nothing of the text is lost, see mail/quoting.py.
    """
    mail = parsed.mail
    answers = bool(mail.in_reply_to or mail.references) or is_reply_subject(mail.subject)
    return split(mail.text, parsed.html_source, subject=mail.subject, answers=answers)
