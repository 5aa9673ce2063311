"""Content-Transfer-Encodings, decoded however broken; nothing is lost, what cannot be decoded stays."""

from __future__ import annotations

import binascii
import re
from typing import Final

from mailticket.mail.encoded_word import base64_bytes
from mailticket.mail.structure import Part

_IDENTITY: Final = frozenset(
    {"7bit", "8bit", "binary", "", "none", "us-ascii", "utf-8", "7-bit", "8-bit", "ascii"}
)
_UU: Final = frozenset({"x-uuencode", "uuencode", "x-uue", "uue"})
_UU_LINES: Final = 500_000
_UU_BEGIN: Final = re.compile(rb"(?m)^begin[ \t]+[0-7]{3,4}[ \t]+([^\r\n]{1,255})\r?$")


def decoded_body(part: Part) -> tuple[bytes, str | None]:
    """The body's bytes, and what was wrong with their encoding (None when nothing was)."""
    body, encoding = part.body, part.encoding
    if encoding in _IDENTITY:
        return body, None
    if encoding in ("base64", "b64"):
        data = base64_bytes(body)
        if data is None or _is_plainly_text(body, data, part):
            return body, "not base64 as declared"
        return data, None
    if encoding in ("quoted-printable", "qp", "quotedprintable"):
        return decode_quoted_printable(body), None
    if encoding in _UU:
        found = find_uuencoded(body)
        return (found[0][2], None) if found else (body, "not uuencoded as declared")
    return body, f"unknown transfer encoding {encoding[:40]!r}"


def _is_plainly_text(body: bytes, data: bytes, part: Part) -> bool:
    """Declared base64, but the lines are words: a text part whose body has spaces inside its lines."""
    if not part.content_type.startswith("text/"):
        return False
    head = body[:400].strip()
    return b" " in head and head.count(b" ") * 20 > len(head)


def decode_quoted_printable(body: bytes) -> bytes:
    """Quoted-printable; broken escapes stay as written, soft line breaks go."""
    if b"=" not in body:
        return body
    return binascii.a2b_qp(body)


def find_uuencoded(body: bytes) -> list[tuple[int, int, bytes, str]]:
    """The uuencoded files in a body: (start, end, data, name) for each complete begin ... end block."""
    found: list[tuple[int, int, bytes, str]] = []
    position = 0
    while len(found) < 20:
        begin = _UU_BEGIN.search(body, position)
        if begin is None:
            break
        data, end = _uu_lines(body, begin.end())
        position = max(end, begin.end())
        if data is not None:
            found.append((begin.start(), end, data, begin.group(1).decode("utf-8", "replace").strip()))
    return found


def _uu_lines(body: bytes, position: int) -> tuple[bytes | None, int]:
    out: list[bytes] = []
    position = body.find(b"\n", position) + 1
    while position > 0:
        newline = body.find(b"\n", position)
        line = body[position : newline if newline >= 0 else len(body)].rstrip(b"\r")
        after = newline + 1 if newline >= 0 else len(body)
        if line == b"end":
            return (b"".join(out) if out else None), after
        if line not in (b"", b"`"):
            if len(line) > 90 or len(out) >= _UU_LINES:
                return None, after
            try:
                out.append(_uu_line(line))
            except binascii.Error:
                return None, after
        if newline < 0:
            return None, after
        position = after
    return None, len(body)


def _uu_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:  # some encoders pad the last group (the repair Python's uu module made)
        length = (((line[0] - 32) & 63) * 4 + 5) // 3
        return binascii.a2b_uu(line[:length])
