"""Rendered parts -> the bytes of one RFC 5322 message, ready for the wire.

What comes out is 7-bit clean, has CRLF line ends only, no NUL, no line over 998 octets, and exactly
the header fields named here, whatever the values hold: header injection ends in `header_out`. The
same parts always give the same bytes, so that a repeated delivery repeats the mail exactly.

Written by hand because `email.policy.SMTP` encodes long References as RFC 2047 words, which breaks
threading in other clients, and takes four times as long.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Literal

from mailticket.mail import header_out
from mailticket.mail.downgrade import seven_bit
from mailticket.mail.types import Address

LOOP_HEADER = "X-Mailticket-Loop"
"""Stands in every automatic mail of ours, with the instance id as its value."""

_LONGEST_LINE = 990
_WRITTEN = frozenset(
    {
        "date",
        "from",
        "to",
        "cc",
        "bcc",
        "sender",
        "reply-to",
        "subject",
        "message-id",
        "in-reply-to",
        "references",
        "auto-submitted",
        "precedence",
        "x-auto-response-suppress",
        "mime-version",
        "return-path",
        "received",
    }
) | {LOOP_HEADER.lower()}
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}", re.ASCII)
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_BOUNDARY_MARK = "=_mt-"
"""Starts every boundary of ours. `=_` stands in no encoded body (RFC 2045 section 6.7)."""


@dataclass(frozen=True, slots=True)
class OutgoingAttachment:
    """A file to send along; with a `content_id` (no angle brackets) an image the HTML shows as cid:."""

    filename: str
    content_type: str
    data: bytes = field(repr=False)
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class OutgoingParts:
    """Everything that goes into one outgoing mail. Message-IDs are without angle brackets.

    date        an aware datetime, written with its own offset
    automatic   the Auto-Submitted value (RFC 3834 section 5) of a mail no person wrote; such a mail
                also carries X-Auto-Response-Suppress: All and the loop header with `instance`
    bulk        adds Precedence: bulk, for alerts and digests
    headers     further (name, value) pairs; none of the fields that are written from the others
    """

    sender: Address
    to: tuple[Address, ...]
    subject: str
    message_id: str
    date: datetime
    text: str
    html: str | None = None
    cc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    attachments: tuple[OutgoingAttachment, ...] = ()
    automatic: Literal["auto-replied", "auto-generated"] | None = None
    instance: str = ""
    bulk: bool = False
    headers: tuple[tuple[str, str], ...] = ()


def compose(parts: OutgoingParts) -> bytes:
    """The message as bytes.

    Raises ValueError, and writes nothing, for an address or Message-ID of our own that is not plain
    (see `header_out`), no recipient in `to`, a naive date, or a further header that is not
    a name or is one of those written here. Foreign In-Reply-To and References that are not
    well-formed are left out; controls in free text are replaced, never written.
    """
    entity = _body(parts)
    lines = [*_fields(parts), "MIME-Version: 1.0", *entity.fields, "", ""]
    return "\r\n".join(lines).encode("ascii") + entity.body


@dataclass(frozen=True, slots=True)
class _Entity:
    """One MIME entity: its Content-* fields (maybe folded) and its body with CRLF line ends."""

    fields: tuple[str, ...]
    body: bytes


def _fields(parts: OutgoingParts) -> Iterator[str]:
    if parts.date.tzinfo is None:
        raise ValueError("the date of a mail needs a time zone")
    yield f"Date: {format_datetime(parts.date)}"
    yield header_out.addresses("From", (parts.sender,))
    yield header_out.addresses("To", parts.to)
    if parts.cc:
        yield header_out.addresses("Cc", parts.cc)
    if parts.reply_to:
        yield header_out.addresses("Reply-To", parts.reply_to)
    yield header_out.unstructured("Subject", parts.subject)
    yield f"Message-ID: {header_out.checked_message_id(parts.message_id)}"
    yield from _threading_fields(parts)
    if parts.automatic:
        yield f"Auto-Submitted: {parts.automatic}"
        yield "X-Auto-Response-Suppress: All"
        if parts.instance:
            yield header_out.unstructured(LOOP_HEADER, parts.instance)
    if parts.bulk:
        yield "Precedence: bulk"
    for name, value in parts.headers:
        if name.lower() in _WRITTEN or name.lower().startswith("content-"):
            raise ValueError(f"{name} is not a further header")
        yield header_out.unstructured(name, value)


def _threading_fields(parts: OutgoingParts) -> Iterator[str]:
    for name, ids in (("In-Reply-To", (parts.in_reply_to or "",)), ("References", parts.references)):
        written = header_out.message_ids(name, ids)
        if written is not None:
            yield written


def _body(parts: OutgoingParts) -> _Entity:
    seed = hashlib.sha256(parts.message_id.encode("utf-8", "backslashreplace")).hexdigest()[:24]
    inline = [one for one in parts.attachments if one.content_id and parts.html is not None]
    files = [one for one in parts.attachments if one not in inline]
    body = _text("plain", parts.text)
    if parts.html is not None:
        html = _text("html", parts.html)
        if inline:
            html = _multipart("related", f"r{seed}", [html, *map(_inline, inline)], '; type="text/html"')
        body = _multipart("alternative", f"a{seed}", [body, html])
    if files:
        body = _multipart("mixed", f"m{seed}", [body, *map(_file, files)])
    return body


def _multipart(subtype: str, seed: str, entities: Sequence[_Entity], parameters: str = "") -> _Entity:
    boundary = f"{_BOUNDARY_MARK}{seed}"
    chunks: list[bytes] = []
    for entity in entities:
        head = "\r\n".join((f"--{boundary}", *entity.fields, "", ""))
        chunks += (head.encode("ascii"), entity.body, b"\r\n")
    chunks.append(f"--{boundary}--\r\n".encode("ascii"))
    return _Entity(
        (f'Content-Type: multipart/{subtype}{parameters};\r\n boundary="{boundary}"',), b"".join(chunks)
    )


def _text(subtype: str, text: str) -> _Entity:
    """A text part ending in a line break, in the most readable encoding that brings it through."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", text)
    if not text.endswith("\n"):
        text += "\n"
    raw = text.encode("utf-8")
    encoding, body = _transfer_encoded(text, raw)
    fields = (
        f'Content-Type: text/{subtype}; charset="utf-8"',
        f"Content-Transfer-Encoding: {encoding}",
    )
    return _Entity(fields, body)


def _transfer_encoded(text: str, raw: bytes) -> tuple[str, bytes]:
    """A line that starts with "From " goes into base64: mail stores change it otherwise."""
    if text.startswith("From ") or "\nFrom " in text:
        return "base64", _base64(raw)
    if text.isascii():
        if _BOUNDARY_MARK not in text and max(map(len, text.split("\n"))) <= _LONGEST_LINE:
            return "7bit", raw.replace(b"\n", b"\r\n")
    elif (len(raw) - len(text)) * 4 > len(raw):
        return "base64", _base64(raw)
    return "quoted-printable", binascii.b2a_qp(raw).replace(b"\n", b"\r\n")


def _base64(raw: bytes) -> bytes:
    return base64.encodebytes(raw).replace(b"\n", b"\r\n")


def _inline(attachment: OutgoingAttachment) -> _Entity:
    content_id = header_out.checked_message_id(attachment.content_id)
    return _enclosed(attachment, "inline", (f"Content-ID: {content_id}",))


def _file(attachment: OutgoingAttachment) -> _Entity:
    return _enclosed(attachment, "attachment", ())


def _enclosed(attachment: OutgoingAttachment, disposition: str, more: tuple[str, ...]) -> _Entity:
    content_type = attachment.content_type.strip().lower()
    encoding, body = "base64", None
    if content_type == "message/rfc822":
        encoding, body = "7bit", _as_message(attachment.data)
    if body is None:
        encoding, body = "base64", _base64(attachment.data)
        if not _TYPE.fullmatch(content_type) or content_type.startswith(("multipart/", "message/")):
            content_type = "application/octet-stream"
    filename = ";\r\n ".join(header_out.filename_parameters(attachment.filename))
    fields = (
        f"Content-Type: {content_type}",
        f"Content-Transfer-Encoding: {encoding}",
        f"Content-Disposition: {disposition};\r\n {filename}",
    )
    return _Entity(fields + more, body)


def _as_message(data: bytes) -> bytes | None:
    """A mail as the body of a message/rfc822 part, which may not be encoded (RFC 2046 section 5.2.1).

    What is not 7-bit with lines of a fair length is written again so; None where that fails: it then
    goes as a file of octets.
    """
    return _plain_message(data) or _plain_message(seven_bit(data) or b"\x80")


def _plain_message(data: bytes) -> bytes | None:
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    clean = data.isascii() and b"\0" not in data and _BOUNDARY_MARK.encode() not in data
    return b"\r\n".join(lines) if clean and max(map(len, lines)) <= _LONGEST_LINE else None
