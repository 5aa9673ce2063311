"""Bytes to ParsedMail: stage 3 of the way of a mail. Never raises, on any bytes, in bounded time.

The order is: find the header block and the parts within `Limits`, read identity by the strict grammar
and everything else tolerantly, choose the body, name the attachments. What is wrong or left out becomes
a Defect; the caller keeps the raw bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Final, Literal

from mailticket.mail.address import identity, mixes_scripts, read_addresses
from mailticket.mail.body import Body, read_body
from mailticket.mail.charset import clean_text
from mailticket.mail.encoded_word import decode_raw, decode_words, header_text
from mailticket.mail.forward import find_forwarded
from mailticket.mail.header import HeaderBlock
from mailticket.mail.limits import DEFAULT_LIMITS, Limits
from mailticket.mail.messagetree import build_message
from mailticket.mail.structure import Part, split
from mailticket.mail.types import Address, Defect, ParsedMail

_MESSAGE_ID: Final = re.compile(r"<([^<>]{1,2000})>")
_SINGLE_HEADERS: Final = ("from", "subject", "message-id", "date", "to", "content-type")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A mail read, with what later stages need besides the values.

    message      the compat32 message of the capped mail, for bounce.py and automated.py
    html_source  the HTML of the body as sent (cleaned text, not sanitised), for quoting.py
    text_source  whether ParsedMail.text was plain text, made from HTML, or there was none
    """

    mail: ParsedMail
    message: Message
    html_source: str | None
    text_source: Literal["plain", "html", "none"]


def parse(raw: bytes, limits: Limits = DEFAULT_LIMITS) -> Parsed:
    """Read one mail. Never raises; see `ParsedMail.defects`."""
    source = raw
    if b"\n" not in raw[:65_536] and b"\r" in raw[:65_536]:
        source = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")  # classic Mac line ends
    root, defects = split(source, limits)
    body = read_body(root, limits)
    mail = _mail(root, body, defects, len(raw), limits)
    return Parsed(mail, build_message(root, limits), body.html_source, body.source)


def _mail(root: Part, body: Body, defects: list[Defect], size: int, limits: Limits) -> ParsedMail:
    hint = root.params.get("charset") or _first_charset(root)
    groups = _by_name(root.block)
    to, cc, reply_to = _recipients(groups, limits, hint, defects)
    sender = identity(groups.get("from", ()), hint=hint, name_limit=limits.name)
    defects = [*_header_defects(groups), *defects, *body.defects]
    if sender.problem:
        defects.insert(0, Defect("from", sender.problem))
    elif mixes_scripts(sender.address or ""):
        defects.insert(0, Defect("mixed-scripts", "the sender's address looks like another one"))
    subjects = groups.get("subject")
    subject = header_text(subjects[0], limits.subject, hint) if subjects else ""
    return ParsedMail(
        message_id=next(iter(message_ids(groups.get("message-id", ()), 1, limits)), ""),
        in_reply_to=message_ids(groups.get("in-reply-to", ()), limits.references, limits),
        references=message_ids(groups.get("references", ()), limits.references, limits),
        sender=sender,
        reply_to=reply_to,
        to=to,
        cc=cc,
        subject=subject,
        date=_date(groups.get("date", ())),
        headers=tuple(_headers(root.block, hint, limits)),
        text=body.text,
        html=body.html,
        attachments=body.attachments,
        forwarded=find_forwarded(root, body.text, subject, limits),
        defects=tuple(defects[: limits.defects]),
        size=size,
    )


def _by_name(block: HeaderBlock) -> dict[str, list[bytes]]:
    groups: dict[str, list[bytes]] = {}
    for name, value in block.fields:
        groups.setdefault(name.lower(), []).append(value)
    return groups


def _first_charset(root: Part) -> str | None:
    return next((leaf.params["charset"] for leaf in root.leaves()[:20] if leaf.params.get("charset")), None)


_AS_WRITTEN = ("authentication-results",)
"""No encoded words here (RFC 8601, 2.2): a sender's address of `=?utf-8?q?;_dmarc=3Dpass?=` stays inert."""


def _headers(block: HeaderBlock, hint: str | None, limits: Limits) -> Iterable[tuple[str, str]]:
    for name, value in block.fields:
        if name.lower() in _AS_WRITTEN or (value.isascii() and b"=?" not in value):
            yield name.lower(), clean_text(decode_raw(value), limit=limits.header_value, one_line=True)
        else:
            yield name.lower(), header_text(value, limits.header_value, hint)


def _header_defects(groups: dict[str, list[bytes]]) -> list[Defect]:
    found = [Defect("duplicate-header", name) for name in _SINGLE_HEADERS if len(groups.get(name, ())) > 1]
    if "message-id" not in groups:
        found.append(Defect("no-message-id"))
    return found


def _recipients(
    groups: dict[str, list[bytes]], limits: Limits, hint: str | None, defects: list[Defect]
) -> tuple[tuple[Address, ...], tuple[Address, ...], tuple[Address, ...]]:
    """To, Cc and Reply-To; To and Cc share one allowance of bytes and of addresses."""
    room, count = limits.address_bytes, limits.address_count
    lists: list[tuple[Address, ...]] = []
    for name in ("to", "cc", "reply-to"):
        if name == "reply-to":
            room, count = limits.address_bytes, limits.address_count
        found: list[Address] = []
        for value in groups.get(name, ()):
            if room <= 0 or count <= 0:
                break
            if len(value) > room:
                defects.append(Defect("too-many-addresses", name))
            read = read_addresses(value[:room], limit=count, hint=hint, name_limit=limits.name)
            room -= len(value)
            count -= len(read)
            found.extend(read)
        if count <= 0:
            defects.append(Defect("too-many-addresses", name))
        lists.append(tuple(found))
    return lists[0], lists[1], lists[2]


def message_ids(values: Iterable[bytes], limit: int, limits: Limits) -> tuple[str, ...]:
    """The Message-IDs in identification fields, without angle brackets, in order, each once.

    Read tolerantly: white space inside is dropped, an id may lack its brackets. Of more than `limit`
    ids the last ones count: those are the nearest in the thread.
    """
    found: dict[str, None] = {}
    for value in values:
        text = decode_raw(value)
        inside = _MESSAGE_ID.findall(text)
        if not inside:
            inside = [word.strip("<>") for word in text.split() if "@" in word] or [text.strip("<> \t")]
        for one in inside:
            cleaned = clean_text("".join(one.split()), limit=limits.message_id, one_line=True)
            if cleaned:
                found.setdefault(cleaned)
    return tuple(found)[-limit:]


def _date(values: Iterable[bytes]) -> datetime | None:
    for value in values:
        text = decode_words(decode_raw(value[:100])).text
        try:
            when = parsedate_to_datetime(text)
            return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
            continue
    return None
