"""Parts that are kept as attachments: their names, kinds, sizes and hashes. Nothing is unpacked but TNEF."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from mailticket.mail.charset import clean_text
from mailticket.mail.encoded_word import header_text
from mailticket.mail.header import read_headers
from mailticket.mail.limits import Limits
from mailticket.mail.structure import Part, part_filename
from mailticket.mail.types import Attachment

_EXTENSIONS: Final = {
    "application/ics": "ics", "application/json": "json", "application/msword": "doc",
    "application/ms-tnef": "dat", "application/octet-stream": "bin", "application/pdf": "pdf",
    "application/pgp-encrypted": "pgp", "application/pgp-keys": "asc", "application/pgp-signature": "asc",
    "application/pkcs7-mime": "p7m", "application/pkcs7-signature": "p7s", "application/rtf": "rtf",
    "application/vnd.ms-excel": "xls", "application/vnd.ms-outlook": "msg", "application/x-gzip": "gz",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/x-pkcs7-mime": "p7m", "application/x-pkcs7-signature": "p7s",
    "application/xml": "xml", "application/zip": "zip", "audio/mpeg": "mp3", "audio/wav": "wav",
    "image/bmp": "bmp", "image/gif": "gif", "image/heic": "heic", "image/jpeg": "jpg", "image/jpg": "jpg",
    "image/png": "png", "image/svg+xml": "svg", "image/tiff": "tif", "image/webp": "webp",
    "message/delivery-status": "txt", "message/disposition-notification": "txt",
    "message/external-body": "txt", "message/feedback-report": "txt", "message/partial": "eml",
    "message/rfc822": "eml", "message/global": "eml", "text/calendar": "ics", "text/csv": "csv",
    "text/directory": "vcf", "text/html": "html", "text/plain": "txt", "text/rfc822-headers": "txt",
    "text/rtf": "rtf", "text/vcard": "vcf", "text/x-vcard": "vcf", "text/xml": "xml", "video/mp4": "mp4",
}  # fmt: skip
_STEMS: Final = {
    "text/calendar": "invite", "application/ics": "invite", "application/pgp-signature": "signature",
    "application/pkcs7-signature": "smime", "application/x-pkcs7-signature": "smime",
    "application/pkcs7-mime": "smime", "application/x-pkcs7-mime": "smime",
    "message/delivery-status": "delivery-status", "message/feedback-report": "feedback-report",
    "message/disposition-notification": "disposition-notification", "text/rfc822-headers": "headers",
}  # fmt: skip
_SIGNATURES: Final = frozenset(
    {"application/pgp-signature", "application/pgp-keys", "application/pgp-encrypted"}
    | {"application/pkcs7-signature", "application/x-pkcs7-signature"}
    | {"application/pkcs7-mime", "application/x-pkcs7-mime"}
)
_MESSAGES: Final = frozenset({"message/rfc822", "message/global"})
_DEVICE: Final = re.compile(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)")
_FORBIDDEN_IN_NAMES: Final = re.compile("[\ufffd\u200b-\u200f\u2060\u2028-\u202e\u2066-\u2069\ufeff/\\\\]")


def clean_filename(name: str, limit: int) -> str:
    """A file name fit to be shown and saved: no folder, controls or direction marks; "" when none is left.

    A name too long keeps its extension.
    """
    name = clean_text(name[: limit * 10], one_line=True)
    name = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    name = _FORBIDDEN_IN_NAMES.sub("", name).strip().lstrip(".").strip().rstrip(". ")
    if _DEVICE.match(name):
        name = "_" + name
    if len(name) > limit:
        stem, dot, extension = name.rpartition(".")
        if dot and len(extension) <= 10:
            name = stem[: limit - len(extension) - 1].rstrip() + "." + extension
        else:
            name = name[:limit].rstrip()
    return name


def default_filename(content_type: str, data: bytes, limits: Limits) -> str:
    """The name of a part that has none: by its type, a message by its subject."""
    extension = type_extension(content_type)
    if content_type in _MESSAGES:
        subject = read_headers(data, 0, len(data), limits, top=True).first("subject")
        stem = clean_filename(header_text(subject, 100), 100) if subject else ""
        return f"{stem or 'message'}.{extension}"
    return f"{_STEMS.get(content_type, 'noname')}.{extension}"


_SECONDARY: Final = ("message/", "application/x-", "text/rfc822", "text/x-", "text/directory", "image/jpg")
_TYPES: Final = {
    extension: content_type
    for content_type, extension in _EXTENSIONS.items()
    if not content_type.startswith(_SECONDARY)
} | {"eml": "message/rfc822"}
_TYPE: Final = re.compile(r"[a-z]{1,30}/[a-z0-9!#$&^_.+-]{1,90}")


def is_content_type(value: str) -> bool:
    """True for a well-formed lower-case media type."""
    return _TYPE.fullmatch(value) is not None


def type_extension(content_type: str) -> str:
    """The usual file extension of a media type, without the dot; "bin" when there is none."""
    return _EXTENSIONS.get(content_type, "bin")


def type_for_name(name: str) -> str:
    """The media type a file's name suggests; application/octet-stream when it suggests none."""
    return _TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")


def content_id(part: Part) -> str:
    """The Content-ID without its angle brackets; "" when there is none."""
    value = part.block.first("content-id")
    return header_text(value, 998).strip("<> ") if value else ""


def make(
    name: str, content_type: str, data: bytes, kind: str, *, inline: bool = False, cid: str = ""
) -> Attachment:
    """An attachment with its size and SHA-256 (of the decoded data)."""
    digest = hashlib.sha256(data, usedforsecurity=False).hexdigest()
    return Attachment(name, content_type, len(data), digest, inline, cid, data, kind)


def from_part(part: Part, data: bytes, limits: Limits, *, shown_ids: frozenset[str]) -> Attachment:
    """The attachment a leaf part is; `shown_ids` are the Content-IDs the HTML body refers to."""
    cid = content_id(part)
    given = part.disposition.value
    in_related = part.parent is not None and part.parent.content_type == "multipart/related"
    inline = (
        given == "inline"
        or (bool(cid) and cid in shown_ids)
        or (bool(cid) and given != "attachment" and (in_related or part.content_type.startswith("image/")))
    )
    name = clean_filename(part_filename(part, limits.filename), limits.filename)
    content_type = part.content_type
    kind = _kind(content_type, inline)
    return make(
        name or default_filename(content_type, data, limits), content_type, data, kind, inline=inline, cid=cid
    )


def _kind(content_type: str, inline: bool) -> str:
    if content_type in _MESSAGES:
        return "message"
    if content_type in ("text/calendar", "application/ics"):
        return "calendar"
    if content_type in _SIGNATURES:
        return "signature"
    if inline and content_type.startswith("image/"):
        return "inline"
    return "file"
