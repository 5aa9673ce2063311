"""mail/trace.py: one digest for one mail, however it came."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailticket.mail.trace import content_digest

MAIL = b"""From: ann@customer.example
To: support@desk.example
Subject: the printer
Received: this one the sender wrote himself

Hello,

it is broken.
"""
TRACE = b"""Return-Path: <ann@customer.example>
Delivered-To: support@desk.example
Received: from mx.customer.example ([192.0.2.1])
\tby mx.desk.example with ESMTPS id 1;
\tThu, 1 Jan 2026 00:00:00 +0000
Authentication-Results: mx.desk.example; dkim=pass
X-Spam-Status: No, score=-1.0
ARC-Seal: i=1; a=rsa-sha256;
    b=abc
"""


@pytest.mark.parametrize(
    "other",
    [
        MAIL.replace(b"\n", b"\r\n"),
        MAIL.replace(b"\n", b"\r"),
        MAIL + b"\n\n",
        MAIL.rstrip(b"\n"),
        MAIL.replace(b"\n", b"\r\n") + b"\r\n\r\n",
        TRACE + MAIL,
        (TRACE + MAIL).replace(b"\n", b"\r\n"),
        TRACE + TRACE + MAIL,
        b"From ann@customer.example Thu Jan  1 00:00:00 2026\n" + TRACE + MAIL,
        b"RETURN-PATH : <>\n" + MAIL,
        b"X-Original-To: support@desk.example\nX-Envelope-From: <ann@customer.example>\nX-Received: by x\n"
        + MAIL,
        b"Received-SPF: pass\nEnvelope-To: a@b.example\nX-MS-Exchange-Organization-SCL: 1\nStatus: RO\n"
        + MAIL,
    ],
)
def test_the_same_mail_by_another_way_has_the_same_digest(other: bytes) -> None:
    assert content_digest(other) == content_digest(MAIL)


@pytest.mark.parametrize(
    "other",
    [
        MAIL.replace(b"broken", b"Broken"),
        MAIL.replace(b"From: ann", b"From: bob"),
        MAIL.replace(b"Received: this", b"Received: that"),
        MAIL.replace(b"\n\nit", b"\nit"),
        MAIL.replace(b"Hello,\n", b"Hello,\n\n"),
        b"X-Custom: 1\n" + MAIL,
        b"Receivedx: 1\n" + MAIL,
        b" " + MAIL,
        b"\n" + MAIL,
        MAIL + b".",
        b"X-Custom: 1\n" + TRACE + MAIL,
        b"",
    ],
)
def test_another_mail_has_another_digest(other: bytes) -> None:
    assert content_digest(other) != content_digest(MAIL)


@given(st.binary())
@example(b"\r")
@example(b"Received: x\r")
@example(b"Received:")
@example(b"From ")
def test_any_bytes_have_a_digest_that_line_ends_do_not_change(raw: bytes) -> None:
    unix = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert len(content_digest(raw)) == 32
    assert content_digest(unix) == content_digest(raw) == content_digest(unix.replace(b"\n", b"\r\n"))


@pytest.mark.parametrize("offset", range(-3, 4))
def test_a_line_end_on_the_border_of_two_chunks_counts_once(offset: int) -> None:
    body = b"a" * ((1 << 20) + offset) + b"\n\n" + b"b" * (1 << 20) + b"\n" * ((1 << 20) + offset) + b"c\n\n"
    assert content_digest(body) == content_digest(body.replace(b"\n", b"\r\n"))
    assert content_digest(body) != content_digest(body.replace(b"\n\nb", b"\nb"))
