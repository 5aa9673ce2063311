"""Header blocks, encoded-words and parameters as mailers really write them."""

from __future__ import annotations

import pytest

from mailticket.mail.encoded_word import base64_bytes, decode_words, header_text
from mailticket.mail.header import read_headers
from mailticket.mail.limits import DEFAULT_LIMITS
from mailticket.mail.parameters import parse_parameters


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?caf=C3=A9?=", "café"),
        ("=?UTF-8?Q?a_b?=", "a b"),
        ("=?utf-8?b?Y2Fmw6k=?=", "café"),
        ("=?utf-8?b?Y2Fmw6k?=", "café"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a?= and =?utf-8?q?b?=", "a and b"),
        ("=?utf-8?q?gr=C3?= =?utf-8?q?=B6=C3=9Fer?=", "größer"),
        ("=?utf-8?b?4pyT?==?utf-8?b?4pyT?=", "✓✓"),
        ("=?iso-8859-1?q?=E9?= =?utf-8?q?=C3=A9?=", "éé"),
        ("=?utf-8*en?q?caf=C3=A9?=", "café"),
        ("text=?utf-8?q?=C3=A9?=glued", "texténglued".replace("én", "é")),
        ("=?utf-8?q?what?_really?=", "what? really"),
        ("=?utf-8?q??=", ""),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("=?utf-8?q?open", "=?utf-8?q?open"),
        ("=?x-nobody?q?caf=C3=A9?=", "café"),
        ("=?utf-8?b?!!!?=", "=?utf-8?b?!!!?="),
        ("a =? b ?= c", "a =? b ?= c"),
    ],
)
def test_encoded_words_are_decoded(value: str, text: str) -> None:
    assert decode_words(value).text == text


@pytest.mark.parametrize(
    "value", ["=?utf-8?q?a=0D=0Ab?=", "=?utf-7?q?+2AA-?=", "=?unicode_escape?q?a?=", "=?utf-8?q?=00?="]
)
def test_words_that_hide_something_are_suspicious(value: str) -> None:
    assert decode_words(value).suspicious


def test_ordinary_words_are_not_suspicious() -> None:
    assert not decode_words("=?utf-8?q?J=C3=BCrgen?= =?iso-2022-jp?b?GyRCRnxLXBsoQg==?=").suspicious


def test_a_header_has_no_line_ends_left() -> None:
    assert header_text(b"=?utf-8?q?x=0D=0ABcc:_y?=\r\n  z", 998) == "x Bcc: y z"


@pytest.mark.parametrize(
    ("value", "expected", "params"),
    [
        (b"text/plain", "text/plain", {}),
        (b"TEXT/Plain; Charset=UTF-8", "text/plain", {"charset": "UTF-8"}),
        (b'a/b; name="x; y.pdf"', "a/b", {"name": "x; y.pdf"}),
        (b'a/b; name="x \\"q\\".pdf"', "a/b", {"name": 'x "q".pdf'}),
        (b"a/b; name=x y.pdf", "a/b", {"name": "x y.pdf"}),
        (b"a/b; name*=utf-8''%C3%A9.pdf", "a/b", {"name": "é.pdf"}),
        (b"a/b; name*=iso-8859-1'fr'%E9.pdf", "a/b", {"name": "é.pdf"}),
        (b"a/b; name*0*=utf-8''%C3; name*1*=%A9; name*2=.pdf", "a/b", {"name": "é.pdf"}),
        (b'a/b; name*1="b"; name*0="a"', "a/b", {"name": "ab"}),
        (b'a/b; name="=?utf-8?b?w6kucGRm?="', "a/b", {"name": "é.pdf"}),
        (b"a/b; name*=x-nope''%zz%41", "a/b", {"name": "%zzA"}),
        (b"a/b; name=one; name=two", "a/b", {"name": "one"}),
        (b"a/b; name=\"plain\"; name*=utf-8''better", "a/b", {"name": "better"}),
        (b"a/b; name*", "a/b", {}),
        (b"a/b; x*0*=; y", "a/b", {"x": ""}),
        (b'a/b; name="open', "a/b", {"name": "open"}),
        (b"a/b (comment); charset=utf-8 (really)", "a/b", {"charset": "utf-8"}),
        (b";;;=", "", {}),
        (b"", "", {}),
    ],
)
def test_parameters_are_taken_apart(value: bytes, expected: str, params: dict[str, str]) -> None:
    found = parse_parameters(value)
    assert (found.value, found.params) == (expected, params)


@pytest.mark.parametrize(
    ("raw", "data"),
    [
        (b"SGVsbG8=", b"Hello"),
        (b"SGVsbG8", b"Hello"),
        (b"SGVs\r\nbG8=\r\n", b"Hello"),
        (b"SG Vs!bG8=", b"Hello"),
        (b"SGVsbG8=SGVsbG8=", b"HelloHello"),
        (b"SGVsbG8=\r\n-- \r\n", b"Hello"),
        (b"", b""),
        (b"%%%", None),
        (b"Q", None),
    ],
)
def test_base64_is_read_however_broken(raw: bytes, data: bytes | None) -> None:
    assert base64_bytes(raw) == data


@pytest.mark.parametrize(
    ("raw", "fields", "body"),
    [
        (b"A: b\r\n\r\nbody", [("A", b"b")], b"body"),
        (b"A: b\nC: d\n\nbody", [("A", b"b"), ("C", b"d")], b"body"),
        (b"A: b\r\n c\r\n\td\r\n\r\n", [("A", b"b c\td")], b""),
        (b"A : b\r\n\r\n", [("A", b"b")], b""),
        (b"A:\r\n\r\nx", [("A", b"")], b"x"),
        (b"A: b", [("A", b"b")], b""),
        (b"\r\n\r\nA: b\r\n\r\nx", [("A", b"b")], b"x"),
        (b"From x@y.example Mon Jan  5 10:00:00 2026\nA: b\n\nx", [("A", b"b")], b"x"),
        (b"A: b\r\njunk\r\nSubject: d\r\n\r\nx", [("A", b"b"), ("Subject", b"d")], b"x"),
        (b"A: b\r\nthe body begins\r\n\r\nhere", [("A", b"b")], b"the body begins\r\n\r\nhere"),
        (b"no header\r\n\r\nhere", [], b"no header\r\n\r\nhere"),
        (b"", [], b""),
    ],
)
def test_header_blocks_are_read(raw: bytes, fields: list[tuple[str, bytes]], body: bytes) -> None:
    block = read_headers(raw, 0, len(raw), DEFAULT_LIMITS, top=True)
    assert block.fields == fields
    assert raw[block.body_start :] == body
