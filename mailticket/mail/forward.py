"""The original of a forwarded mail: who wrote it, when, about what.

Two forms: an attached message/rfc822, and a copy in the text below a rule (`Forwarded message`, in the
languages of quoting_words.py) or, where the Subject says that the mail is a forward, below a bare block
of copied headers (Outlook).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from mailticket.mail.address import read_addresses
from mailticket.mail.body import body_text
from mailticket.mail.charset import clean_text
from mailticket.mail.encoded_word import header_text
from mailticket.mail.limits import Limits
from mailticket.mail.quoting_headers import field_of, header_block, is_forward_subject, separator
from mailticket.mail.structure import Part, split
from mailticket.mail.transfer import decoded_body
from mailticket.mail.types import Address, Forwarded

_MAX_LINES: Final = 3_000
_MARKS: Final = "\u200e\u200f\u202a\u202b\u202c\u2068\u2069\ufeff"
_STRAY_MARKS: Final = str.maketrans(dict.fromkeys(_MARKS, ""))
_MAILTO: Final = re.compile(r"[\[<(]\s?mailto:([^\s\[\]<>()]{3,320})\s?[\])>]", re.IGNORECASE)
_ATTACHED: Final = frozenset({"message/rfc822", "message/global"})
_MAX_ATTACHED: Final = 2_000_000


def find_forwarded(root: Part, text: str, subject: str, limits: Limits) -> Forwarded | None:
    """The forwarded original of a mail, or None.

    root     the mail's tree; a single attached message counts, but not that of a delivery report
    text     the body text; subject  the decoded Subject
    """
    return _inline(text, is_forward_subject(subject)) or _attached(root, limits)


def _attached(root: Part, limits: Limits) -> Forwarded | None:
    if root.content_type == "multipart/report":
        return None
    messages = [part for part in root.leaves() if part.content_type in _ATTACHED]
    if len(messages) != 1 or messages[0].end - messages[0].start > _MAX_ATTACHED:
        return None
    inner, _ = split(decoded_body(messages[0])[0], limits)
    addresses = read_addresses(inner.block.first("from") or b"", limit=1, name_limit=limits.name)
    if not addresses:
        return None
    return Forwarded(
        sender=addresses[0],
        subject=header_text(inner.block.first("subject") or b"", limits.subject),
        date_text=header_text(inner.block.first("date") or b"", 100),
        body=body_text(inner, limits),
    )


def _inline(text: str, subject_says_so: bool) -> Forwarded | None:
    lines = text.split("\n", _MAX_LINES)[:_MAX_LINES]
    plain = [line.translate(_STRAY_MARKS).lstrip("> ").strip() for line in lines]
    for index, line in enumerate(plain):
        if not line:
            continue
        mark = separator(line)
        if mark is None and not (subject_says_so and _starts_headers(line)):
            continue
        if mark is not None and not mark.forward and not subject_says_so:
            return None  # a reply with its original below
        first = _next_text(plain, index + 1 if mark else index)
        found = _read_block(text, lines, plain, first) if first is not None else None
        if found is not None:
            return found
    return None


def _starts_headers(line: str) -> bool:
    field = field_of(line)
    return field is not None and field[0] in ("from", "sent", "date", "subject")


def _next_text(lines: Sequence[str], start: int) -> int | None:
    return next((index for index in range(start, min(start + 4, len(lines))) if lines[index]), None)


def _read_block(text: str, lines: Sequence[str], plain: Sequence[str], first: int) -> Forwarded | None:
    block = header_block(plain, first)
    if block is None:
        return None
    fields: dict[str, str] = {}
    for line in plain[block.first : block.end]:
        found = field_of(line) if line else None
        if found is not None:
            fields.setdefault(found[0], found[1])
    sender = _sender(fields.get("from", ""))
    if sender is None:
        return None
    offset = sum(len(line) + 1 for line in lines[: block.end])
    return Forwarded(
        sender=sender,
        subject=clean_text(fields.get("subject", ""), limit=998, one_line=True),
        date_text=clean_text(fields.get("date") or fields.get("sent") or "", limit=100, one_line=True),
        body=text[offset:].strip("\n"),
    )


def _sender(value: str) -> Address | None:
    value = _MAILTO.sub(r"<\1>", value[:1_000])
    addresses = read_addresses(value.encode("utf-8", "replace"), limit=1)
    if addresses:
        return addresses[0]
    name = clean_text(value, limit=320, one_line=True).strip("\"'* ")
    return Address(name, "") if name else None
