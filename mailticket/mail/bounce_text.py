"""The readable part of a delivery report, apart from the message it returns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message

from mailticket.mail.charset import decode

ADDRESS = re.compile(r"(?<![\w.+@-])([\w!#$%&'*+/=?^`{|}~.-]{1,64}@[\w.-]{1,255}\w)")
"""An address as reports name it; bounded, so that a search is linear in the length of the text."""
STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]\d)")
"""An enhanced status code (RFC 3463)."""

_MOST_TEXT = 64_000
_LONGEST_LINE = 800
_MOST_LINES = 1_500
_TEXT_TYPES = frozenset({"text/plain", "text/rfc822-headers", "text/html"})
_SEPARATOR = re.compile(
    r"(?:[-=*_#> ]{0,80})(?:original message(?: follows)?|(?:below|after) this line is a copy|"
    r"below the next line|this is a copy of|included is a copy|enclosed is a copy|below is a copy|"
    r"a copy of the (?:original )?message|"
    r"returned mail|returned message|message headers? follows?|"
    r"headers? of (?:the|your) (?:original )?message|"
    r"unsent message|message text follows|the header of the original|start of returned|"
    r"message header|original mail|the original message|full headers|content of the message|"
    r"текст (?:вашего )?письма|ursprüngliche nachricht|message d'origine|mensaje original)",
    re.IGNORECASE,
)
_TRACE_LINE = re.compile(r"(?:received: (?:from|by|\()|return-path: ?<|dkim-signature: )", re.IGNORECASE)


def children(part: Message) -> list[Message]:
    """The parts of a multipart, the blocks of a delivery status, the message in a message; else none.

    `get_payload()` of a leaf would decode it by whatever codec its charset names.
    """
    payload = part.get_payload() if part.is_multipart() else []
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def parameter(part: Message, name: str) -> str:
    """A parameter of Content-Type in lower case; "" where there is none that can be read."""
    try:
        return str(part.get_param(name, "")).lower()
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""


def _decoded(part: Message, most: int) -> str:
    """The text of a leaf by its charset, at most `most` bytes of it; "" where it cannot be decoded at all."""
    try:
        data, label = part.get_payload(decode=True), part.get_content_charset()
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
    return decode(data[:most], label)[0] if isinstance(data, bytes) else ""


@dataclass(frozen=True, slots=True)
class ReportText:
    """Lines of a report, and the lines after the point where it starts to repeat the returned mail."""

    lines: tuple[str, ...]
    returned: tuple[str, ...]


def read_report_text(parts: Sequence[Message]) -> ReportText:
    """The text of a report's own text parts, bounded; HTML only where there is no plain text."""
    plain: list[str] = []
    html: list[str] = []
    room = _MOST_TEXT
    for part in parts:
        kind = part.get_content_type()
        if kind not in _TEXT_TYPES or room <= 0 or part.is_multipart():
            continue
        text = _decoded(part, room)
        room -= len(text)
        (html if kind == "text/html" else plain).append(text)
    lines = [line[:_LONGEST_LINE] for line in "\n\n".join(plain or map(_bare, html)).splitlines()]
    return _divided(lines[:_MOST_LINES])


def _divided(lines: Sequence[str]) -> ReportText:
    """A separator counts only behind the first three lines of text: "Returned mail" may be the title."""
    said = 0
    for number, line in enumerate(lines):
        stripped = line.strip()
        if _TRACE_LINE.match(stripped) or (said >= 1 and _separates(stripped)):
            return ReportText(tuple(lines[:number]), tuple(lines[number:]))
        said += bool(stripped)
    return ReportText(tuple(lines), ())


def _separates(line: str) -> bool:
    decorated = line[:2] in ("--", "==", "**", "__", "##") or line.endswith((":", ".", "--"))
    return decorated and len(line) < 120 and " received at " not in line and bool(_SEPARATOR.match(line))


_TAG = re.compile(r"<[^<>]{0,2000}>")


def _bare(html: str) -> str:
    """HTML without its tags, good enough to find addresses and codes in."""
    return _TAG.sub(" ", html.replace("&lt;", "<").replace("&gt;", ">").replace("<br", "\n<br"))
