"""Writing test mails by hand: exact bytes, whatever the standard library's version."""

from __future__ import annotations

import base64
import quopri
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A MIME part: its header fields, and its body with CRLF line ends."""

    headers: tuple[tuple[str, str], ...]
    body: bytes


def text_part(text: str, charset: str = "UTF-8") -> Part:
    """text/plain: 7-bit where it can be, else quoted-printable, or base64 for Asian charsets."""
    content = f'text/plain; charset="{charset}"'
    if text.isascii():
        return Part((("Content-Type", content), ("Content-Transfer-Encoding", "7bit")), _crlf(text.encode()))
    if charset == "Shift_JIS":
        return Part(
            (("Content-Type", content), ("Content-Transfer-Encoding", "base64")),
            _base64(text.encode(charset)),
        )
    return Part(
        (("Content-Type", content), ("Content-Transfer-Encoding", "quoted-printable")),
        _crlf(quopri.encodestring(text.encode(charset))),
    )


def html_part(html: str) -> Part:
    """text/html in UTF-8, quoted-printable."""
    fields = (
        ("Content-Type", 'text/html; charset="UTF-8"'),
        ("Content-Transfer-Encoding", "quoted-printable"),
    )
    return Part(fields, _crlf(quopri.encodestring(html.encode())))


def attachment(data: bytes, content_type: str, filename: str) -> Part:
    """A file in base64."""
    fields = (
        ("Content-Type", f'{content_type}; name="{filename}"'),
        ("Content-Disposition", f'attachment; filename="{filename}"'),
        ("Content-Transfer-Encoding", "base64"),
    )
    return Part(fields, _base64(data))


def multipart(subtype: str, parts: Sequence[Part], boundary: str, parameters: str = "") -> Part:
    """multipart/SUBTYPE of `parts`; `parameters` is appended to the content type."""
    mark = f"=_{boundary}_{subtype}".encode()
    body = b"".join(b"--" + mark + b"\r\n" + _written(part) + b"\r\n" for part in parts)
    content = f'multipart/{subtype}; boundary="{mark.decode()}"{parameters}'
    return Part((("Content-Type", content),), body + b"--" + mark + b"--\r\n")


def message(headers: Iterable[tuple[str, str]], body: Part) -> bytes:
    """A whole message."""
    return _written(Part((*headers, ("MIME-Version", "1.0"), *body.headers), body.body))


def _written(part: Part) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in part.headers)
    return head.encode("ascii") + b"\r\n" + part.body


def _base64(data: bytes) -> bytes:
    return _crlf(base64.encodebytes(data))


def _crlf(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
