"""The original of a forwarded mail: who wrote it, when, about what.

Two forms: an attached message/rfc822, and a copy in the text below a rule (`Forwarded message`, in the
languages of quoting_words.py; mutt's `Forwarded message from NAME`) or, where the Subject says that the
mail is a forward, below a bare block of copied headers (Outlook).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from mailticket.mail.address import read_addresses
from mailticket.mail.body import read_body
from mailticket.mail.charset import clean_text
from mailticket.mail.encoded_word import header_text
from mailticket.mail.limits import Limits
from mailticket.mail.quoting_headers import field_of, header_block, is_forward_subject, is_rule, separator
from mailticket.mail.signature import signature_start
from mailticket.mail.structure import Part, split
from mailticket.mail.transfer import decoded_body
from mailticket.mail.types import Address, Forwarded

_MAX_LINES: Final = 3_000
_MARKS: Final = "\u200e\u200f\u202a\u202b\u202c\u2068\u2069\ufeff"
_STRAY_MARKS: Final = str.maketrans(dict.fromkeys(_MARKS, ""))
_MAILTO: Final = re.compile(r"[\[<(]\s?mailto:([^\s\[\]<>()]{3,320})\s?[\])>]", re.IGNORECASE)
_ATTACHED: Final = frozenset({"message/rfc822", "message/global"})
_MAX_ATTACHED: Final = 2_000_000
_END: Final = re.compile(r"-{3,10} ?End (?:of )?forwarded message ?-{3,10}", re.IGNORECASE)
_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,40}: |[ \t]+\S")
_MOST_MORE: Final = 40
_MESSAGE_ID: Final = re.compile(r"<([^<>\s]{1,998})>")


def find_forwarded(root: Part, text: str, subject: str, limits: Limits) -> Forwarded | None:
    """The forwarded original of a mail, or None.

    root     the mail's tree; a single attached message counts, but not that of a delivery report
    text     the body text; subject  the decoded Subject
    """
    return _inline(text, is_forward_subject(subject)) or _attached(root, text, limits)


def forwarded_within(body: str) -> Forwarded | None:
    """The original within the text of an original: what somebody forwarded before."""
    return _inline(body, subject_says_so=True)


def words_above(above: str) -> str:
    """What somebody wrote above an original, without a signature; "" where there is only that."""
    lines = above.split("\n")[:_MAX_LINES]
    plain = [line.translate(_STRAY_MARKS).strip() for line in lines]
    return "\n".join(lines[: signature_start(plain, 0, len(plain))]).strip()


def _attached(root: Part, text: str, limits: Limits) -> Forwarded | None:
    if root.content_type == "multipart/report":
        return None
    messages = [part for part in root.leaves() if part.content_type in _ATTACHED]
    if len(messages) != 1 or messages[0].end - messages[0].start > _MAX_ATTACHED:
        return None
    inner, _ = split(decoded_body(messages[0])[0], limits)
    addresses = read_addresses(inner.block.first("from") or b"", limit=1, name_limit=limits.name)
    if not addresses:
        return None
    body = read_body(inner, limits)
    named = _MESSAGE_ID.search(header_text(inner.block.first("message-id") or b"", 1_000))
    return Forwarded(
        sender=addresses[0],
        subject=header_text(inner.block.first("subject") or b"", limits.subject),
        date_text=header_text(inner.block.first("date") or b"", 100),
        body=body.text,
        above=text.strip(),
        attached=True,
        message_id=named.group(1) if named else "",
        html=body.html,
        files=body.attachments,
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
        found = _read_block(text, lines, plain, index, first) if first is not None else None
        if found is not None:
            return found
    return None


def _starts_headers(line: str) -> bool:
    field = field_of(line)
    return field is not None and field[0] in ("from", "sent", "date", "subject")


def _next_text(lines: Sequence[str], start: int) -> int | None:
    return next((index for index in range(start, min(start + 4, len(lines))) if lines[index]), None)


def _read_block(
    text: str, lines: Sequence[str], plain: Sequence[str], start: int, first: int
) -> Forwarded | None:
    """The original whose announcement is line `start` and whose headers begin in line `first`."""
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
    end = _more_headers(lines, block.end)
    offset = sum(len(line) + 1 for line in lines[:end])
    named = _MESSAGE_ID.search(_own_id(plain[block.end : end]))
    return Forwarded(
        sender=sender,
        subject=clean_text(fields.get("subject", ""), limit=998, one_line=True),
        date_text=clean_text(fields.get("date") or fields.get("sent") or "", limit=100, one_line=True),
        body=_without_end(_unquoted(text[offset:].strip("\n"))),
        above=_above(lines[:start], plain),
        message_id=named.group(1) if named else "",
    )


def _more_headers(lines: Sequence[str], end: int) -> int:
    """The end of the headers, where ones that no client shows (`Message-ID:`) follow up to a blank line."""
    last = end
    while last < len(lines) and last - end < _MOST_MORE and _HEADER.match(lines[last]):
        last += 1
    return last if last < len(lines) and not lines[last].strip() else end


def _own_id(headers: Sequence[str]) -> str:
    return next((line for line in headers if line.lower().startswith("message-id:")), "")


def _above(lines: Sequence[str], plain: Sequence[str]) -> str:
    """The text above an original, without a rule that was drawn between them."""
    end = len(lines)
    while end and (not plain[end - 1] or is_rule(plain[end - 1])):
        end -= 1
    return "\n".join(lines[:end]).strip()


def _unquoted(body: str) -> str:
    """Without the `>` that Apple Mail sets before every line of an original."""
    lines = body.split("\n")
    if not all(line.startswith(">") for line in lines if line.strip()):
        return body
    return "\n".join(line[1:].removeprefix(" ") for line in lines).strip("\n")


def _without_end(body: str) -> str:
    """Without the line in which mutt says that the original ends."""
    found = list(_END.finditer(body[-2_000:]))
    if not found or body[-2_000:][found[-1].end() :].strip():
        return body
    return body[: len(body) - len(body[-2_000:]) + found[-1].start()].rstrip()


def _sender(value: str) -> Address | None:
    value = _MAILTO.sub(r"<\1>", value[:1_000])
    addresses = read_addresses(value.encode("utf-8", "replace"), limit=1)
    if addresses:
        return addresses[0]
    name = clean_text(value, limit=320, one_line=True).strip("\"'* ")
    return Address(name, "") if name else None
