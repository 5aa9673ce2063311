"""Our own hostile mails: what breaks, hangs or blows up mail programs, generated so that it costs no space.

Every mail here must be read without exception within 2 s of CPU and 256 MB; many also say what must be
found in them. No clock, no randomness.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator

HEAD = (
    b"From: Eve <eve@evil.example>\r\nTo: support@desk.example\r\nSubject: hostile\r\n"
    b"Message-ID: <hostile@evil.example>\r\nMIME-Version: 1.0\r\n"
)


def _headers(extra: bytes) -> bytes:
    return HEAD + extra + b"\r\n\r\nbody\r\n"


def _without(name: bytes, extra: bytes) -> bytes:
    kept = b"".join(line for line in HEAD.splitlines(keepends=True) if not line.startswith(name + b":"))
    return kept + extra + b"\r\n\r\nbody\r\n"


def _typed(content_type: bytes, body: bytes, extra: bytes = b"") -> bytes:
    return HEAD + b"Content-Type: " + content_type + b"\r\n" + extra + b"\r\n" + body


def _html(body: bytes) -> bytes:
    return _typed(b"text/html; charset=utf-8", body)


def mixed(*parts: bytes) -> bytes:
    """A mail of these parts, header lines and bodies as given."""
    body = b"".join(b"--B\r\n" + part + b"\r\n" for part in parts)
    return _typed(b"multipart/mixed; boundary=B", body + b"--B--\r\n")


def _file(data: bytes, content_type: bytes, disposition: bytes = b'attachment; filename="x"') -> bytes:
    return (
        b"Content-Type: " + content_type + b"\r\nContent-Disposition: " + disposition
        + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(data)
    )  # fmt: skip


def nested(depth: int, leaf: bytes) -> bytes:
    """A mail of so many multiparts in each other, with a text in the innermost."""
    opening = b"".join(
        b"Content-Type: multipart/mixed; boundary=n%d\r\n\r\n--n%d\r\n" % (i, i) for i in range(depth)
    )
    closing = b"".join(b"\r\n--n%d--" % i for i in reversed(range(depth)))
    return HEAD + opening + b"Content-Type: text/plain\r\n\r\n" + leaf + closing


def _addresses() -> Iterator[tuple[str, bytes]]:
    for name, value in {
        "from-open-comments": b"(" * 30_000 + b"a@b.example",
        "from-quotes": b'"' * 30_001 + b"a@b.example",
        "from-quoted-pairs": b'"' + b'a\\"' * 20_000 + b'" <a@b.example>',
        "from-angles": b"<" * 30_000 + b"a@b.example" + b">" * 30_000,
        "from-brackets": b"a@" + b"[" * 30_000,
        "from-words": b"a " * 50_000 + b"<a@b.example>",
        "from-encoded-openings": b"=?utf-8?q?a" * 10_000,
        "from-question-marks": b"=?" * 40_000,
    }.items():
        yield name, _without(b"From", b"From: " + value)
    for name, value in {
        "to-groups": b"g:" * 40_000,
        "to-at-signs": b"@" * 100_000,
        "to-colons-in-angles": b"<@a,@b:" * 20_000,
        "to-semicolons": b";" * 100_000,
        "to-encoded-starts": b"=?u?q?" * 20_000,
        "to-many": b", ".join(b"v%d@victim.example" % i for i in range(60_000)),
    }.items():
        yield name, _without(b"To", b"To: " + value)


def _header_floods() -> Iterator[tuple[str, bytes]]:
    yield "header-300k-lines", HEAD + b"X-A: b\r\n" * 300_000 + b"\r\nbody\r\n"
    yield "header-one-10-mb", _headers(b"X-Long: " + b"a" * 10_000_000)
    yield "header-folded-200k", _headers(b"X-Fold: a" + b"\r\n b" * 200_000)
    yield "header-junk-lines", HEAD + b"no colon here\r\n" * 200_000 + b"\r\nbody\r\n"
    yield "header-junk-between", HEAD + b"junk\r\nX-A: b\r\n" * 100_000 + b"\r\nbody\r\n"
    yield "header-spaces", _headers(b"X-Space:" + b" " * 2_000_000)
    yield "header-received-5k", HEAD + b"Received: from a by b\r\n" * 5_000 + b"\r\nbody\r\n"
    yield "subject-encoded-words", _without(b"Subject", b"Subject: " + b"=?utf-8?b?4pi6?= " * 50_000)
    yield (
        "subject-mixed-charsets",
        _without(b"Subject", b"Subject: " + b"=?gb2312?q?a?= =?big5?q?b?= " * 5_000),
    )
    yield "references-huge", _headers(b"References: " + b"<a@b.example> " * 200_000)
    yield "references-unclosed", _headers(b"References: " + b"<a " * 200_000)
    yield "message-id-spaces", _without(b"Message-ID", b"Message-ID: <" + b" a" * 100_000 + b">")
    yield "date-digits", _headers(b"Date: " + b"1" * 100_000)
    yield "type-parameters", _typed(b"text/plain" + b"; a*0*=''b" * 50_000, b"x")
    yield "type-quotes", _typed(b"text/plain; name=" + b'\\"' * 50_000, b"x")
    yield "type-sections", _typed(b"text/plain" + b"".join(b"; n*%d=v" % i for i in range(20_000)), b"x")


def _structures() -> Iterator[tuple[str, bytes]]:
    yield "nested-20k", nested(20_000, b"deep")
    yield "nested-60-many-dashes", nested(60, b"--\r\n--x--\r\n" * 300_000)
    yield (
        "messages-in-messages-5k",
        _typed(b"message/rfc822", b"Content-Type: message/rfc822\r\n\r\n" * 5_000),
    )
    yield "messages-in-parts", mixed(*[b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nx"] * 2_000)
    yield "parts-200k", _typed(b"multipart/mixed; boundary=B", b"--B\r\n\r\nx\r\n" * 200_000)
    yield (
        "digest-50k",
        _typed(b"multipart/digest; boundary=B", b"--B\r\n\r\nSubject: x\r\n\r\nx\r\n" * 50_000),
    )
    yield (
        "boundary-4k",
        _typed(b'multipart/mixed; boundary="' + b"b" * 3_900 + b'"', b"--" + b"b" * 3_900 + b"\r\n\r\nx"),
    )
    yield "boundary-lines-almost", _typed(b"multipart/mixed; boundary=BBBB", b"--BBB\r\n" * 500_000)
    yield "boundary-one-long-line", _typed(b"multipart/mixed; boundary=B", b"--" + b"-" * 5_000_000)
    yield "parts-without-blank-line", _typed(b"multipart/mixed; boundary=B", b"--B\r\nX-A: b\r\n" * 100_000)
    yield (
        "delivery-status-blocks",
        mixed(b"Content-Type: message/delivery-status\r\n\r\n" + b"A: b\r\n\r\n" * 50_000),
    )
    headers = b"--B\r\n" + b"X: y\r\n" * 990
    yield "parts-with-many-headers", _typed(b"multipart/mixed; boundary=B", (headers + b"\r\nx\r\n") * 1_100)
    message = b"--B\r\nContent-Type: message/rfc822\r\n\r\n" + b"X: y\r\n" * 990 + b"\r\nx\r\n"
    yield "messages-with-many-headers", _typed(b"multipart/mixed; boundary=B", message * 1_100)
    yield "alternatives-500", _typed(b"multipart/alternative; boundary=B", b"--B\r\n\r\nx\r\n" * 500)


def _bodies() -> Iterator[tuple[str, bytes]]:
    yield "base64-padding", _typed(b"text/plain", b"=" * 3_000_000, b"Content-Transfer-Encoding: base64\r\n")
    yield "base64-runs", _typed(b"image/png", b"QQ==" * 500_000, b"Content-Transfer-Encoding: base64\r\n")
    yield (
        "qp-equals",
        _typed(b"text/plain", b"=" * 3_000_000, b"Content-Transfer-Encoding: quoted-printable\r\n"),
    )
    yield "uu-begins", _typed(b"text/plain", b"begin 644 x\n" * 100_000)
    yield "uu-lines", _typed(b"text/plain", b"begin 644 x\n" + b"#86%A\n" * 100_000)
    yield "flowed-lines", _typed(b"text/plain; format=flowed", b"a \r\n" * 200_000)
    yield "quote-marks", _typed(b"text/plain; format=flowed", (b">" * 5_000 + b" \r\n") * 100)
    yield "newlines-1m", _typed(b"text/plain", b"\n" * 1_000_000)
    yield "line-5-mb", _typed(b"text/plain", b"x" * 5_000_000)
    yield "text-20-mb", _typed(b"text/plain", b"some words in a line\r\n" * 900_000)
    yield "jis-escapes", _typed(b"text/plain; charset=iso-2022-jp", b"\x1b$B\x1b(B" * 150_000)
    yield "guess-noise", _typed(b"text/plain", bytes(range(128, 256)) * 8_000)
    yield "forward-rules", _typed(b"text/plain", b"-------- Forwarded Message --------\r\n" * 30_000)
    yield "forward-from-lines", _without(b"Subject", b"Subject: Fwd: x\r\n\r\n" + b"From: a\r\n" * 100_000)
    props = struct.pack("<I", 0xFFFFFFFF) + struct.pack("<HH", 3, 0x3707) + b"\0\0\0\0"
    count = struct.pack("<BII", 1, 0x00069003, len(props)) + props + b"\0\0"
    yield "tnef-property-count", mixed(_file(b"\x78\x9f\x3e\x22\0\0" + count, b"application/ms-tnef"))
    many = struct.pack("<BII", 2, 0x00069002, 0) + b"\0\0"
    yield "tnef-attributes", mixed(_file(b"\x78\x9f\x3e\x22\0\0" + many * 200_000, b"application/ms-tnef"))


def _htmls() -> Iterator[tuple[str, bytes]]:
    yield "html-open-divs", _html(b"<div>" * 49_000 + b"x")
    yield "html-open-tables", _html(b"<table><tr><td>" * 16_000 + b"x")
    yield "html-formatting", _html(b"<b><i><u>" * 16_000 + b"x")
    yield "html-half-tags", _html(b"<a href=" * 49_000)
    yield "html-comments", _html(b"<!--" * 49_000)
    yield "html-entities", _html(b"&amp;" * 190_000)
    yield "html-attributes", _html(b"<p" + b" a=b" * 200_000 + b">x</p>")
    yield "html-styles", _html(b'<p style="' + b"color:red;" * 90_000 + b'">x</p>')
    yield "html-links", _html(b'<a href="https://x.example/">x</a> ' * 20_000)
    yield "html-hidden", _html(b'<p style="display:none">x' * 25_000)
    yield "html-select", _html(b"<select><option>" * 24_000)
    yield "html-svg", _html(b"<svg><title><style>" * 16_000)
    yield "html-nulls", _html(b"\0" * 900_000)
    yield "html-10-mb", _html(b"<p>words</p>\r\n" * 700_000)


def hostile_mails() -> Iterator[tuple[str, bytes]]:
    """(name, raw mail) of every case, one at a time: together they are 100 MB."""
    yield from _addresses()
    yield from _header_floods()
    yield from _structures()
    yield from _bodies()
    yield from _htmls()
