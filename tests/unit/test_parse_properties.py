"""What holds for reading any bytes at all."""

from __future__ import annotations

import dataclasses
import hashlib
import sqlite3
from collections.abc import Iterator
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailticket.mail.address import canonical, identity, read_addresses, split_extension
from mailticket.mail.charset import clean_text, decode
from mailticket.mail.encoded_word import base64_bytes, decode_words
from mailticket.mail.flowed import undouble, unflow
from mailticket.mail.html import html_to_text, sanitize
from mailticket.mail.limits import DEFAULT_LIMITS, Limits
from mailticket.mail.parameters import parse_parameters
from mailticket.mail.parse import Parsed, parse
from mailticket.mail.tnef import SIGNATURE, unpack

_HEADER_NAMES = (
    b"From|To|Cc|Subject|Date|Message-ID|References|Content-Type|Content-Transfer-Encoding|"
    b"Content-Disposition|Content-ID|Reply-To|X-Any|MIME-Version|Received"
).split(b"|")
FRAGMENTS = (
    b"text/plain|text/html|multipart/mixed|multipart/alternative|message/rfc822|application/ms-tnef|"
    b'message/delivery-status|multipart/digest|boundary=B|boundary="B"|charset=utf-8|charset=iso-2022-jp|'
    b"charset=gb2312|charset=punycode|charset=utf-16|format=flowed|delsp=yes|name*0*=utf-8''%41|name*1=b|"
    b'filename="a/b\\"c"|attachment|inline|base64|quoted-printable|x-uuencode|begin 644 x|end|'
    b'=?utf-8?q?=41?=|=?utf-8?b?4pi6?=|=?x?q??=|a@b.example|<a@b.example>|"|(|)|<|>|,|;|:|@|\\|'
    b"--B|--B--|=3D|=|>|> |-- |\xff\xfe|\xc3\xa9|\x00|\x1b$B|<p>|<!--|&amp;|From: x@y.example"
).split(b"|")
_PIECES = st.one_of(
    st.sampled_from([*FRAGMENTS, b"\r\n", b"\n", b"\r\n\r\n", b" ", b"\t", b"; "]),
    st.sampled_from(_HEADER_NAMES).map(lambda name: b"\r\n" + name + b": "),
    st.binary(max_size=12),
)
MAIL_LIKE = st.lists(_PIECES, max_size=60).map(b"".join)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)  # lone surrogates too
TINY = Limits(
    header_block=200,
    header_value=40,
    mime_header_value=60,
    header_count=4,
    part_header_block=100,
    part_header_count=3,
    messages=1,
    received_count=1,
    address_bytes=60,
    address_count=2,
    nesting=2,
    message_nesting=1,
    parts=3,
    attachments=2,
    text=50,
    html=80,
    html_tags=4,
    message_part=30,
    subject=20,
    name=10,
    filename=16,
    message_id=20,
    references=2,
    defects=5,
)
_LABELS = st.sampled_from(
    ["utf-8", "us-ascii", "iso-8859-1", "iso-2022-jp", "gb2312", "utf-16", "utf-7", "punycode", "hex", "hz"]
)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from _strings(one)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _strings(getattr(value, field.name))


def _is_clean(text: str) -> bool:
    text.encode("utf-8")
    return not any(
        (char < " " and char not in "\t\n") or "\x7f" <= char <= "\x9f" or char in "\u2028\u2029"
        for char in text
    )


def _check(parsed: Parsed, raw: bytes) -> None:
    assert parsed.mail.size == len(raw)
    dirty = [text for text in _strings(parsed.mail) if not _is_clean(text)]
    assert not dirty
    for one in parsed.mail.attachments:
        assert one.size == len(one.data)
        assert one.sha256 == hashlib.sha256(one.data).hexdigest()
        assert one.filename
        assert "/" not in one.filename
        assert "\n" not in one.filename
    assert len(list(parsed.message.walk())) >= 1


@given(st.one_of(st.binary(max_size=400), MAIL_LIKE))
@example(b"")
@example(b"\r\n" * 3)
@example(b"Content-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: message/rfc822\n\n--B--")
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_without_exception_into_clean_values(raw: bytes) -> None:
    _check(parse(raw), raw)


@given(MAIL_LIKE)
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read_within_tiny_limits(raw: bytes) -> None:
    parsed = parse(raw, TINY)
    _check(parsed, raw)
    assert len(parsed.mail.subject) <= TINY.subject
    assert len(parsed.mail.attachments) <= TINY.attachments
    assert len(parsed.mail.defects) <= TINY.defects
    assert len(parsed.mail.to) + len(parsed.mail.cc) <= TINY.address_count
    assert len(parsed.mail.headers) <= TINY.header_count


@given(ANY_TEXT, st.booleans(), st.one_of(st.none(), st.integers(0, 50)))
@settings(max_examples=300, deadline=None)
def test_cleaned_text_is_taken_by_sqlite_and_stays_clean(
    text: str, one_line: bool, limit: int | None
) -> None:
    cleaned = clean_text(text, limit=limit, one_line=one_line)
    assert _is_clean(cleaned)
    assert clean_text(cleaned, limit=limit, one_line=one_line) == cleaned
    assert cleaned.splitlines() == (cleaned.removesuffix("\n").split("\n") if cleaned else [])
    if limit is not None:
        assert len(cleaned) <= limit
    if one_line:
        assert cleaned == " ".join(cleaned.split())
    with sqlite3.connect(":memory:") as database:
        stored, length = database.execute("SELECT ?1, length(?1)", (cleaned,)).fetchone()
    database.close()
    assert stored == cleaned
    assert length == len(cleaned)


@given(st.binary(max_size=200), st.one_of(st.none(), st.text(max_size=20), _LABELS))
@settings(max_examples=300, deadline=None)
def test_any_bytes_under_any_label_decode(data: bytes, label: str | None) -> None:
    text, problem = decode(data, label)
    assert isinstance(text, str)
    assert problem is None or problem


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_address_readers_take_any_bytes(value: bytes) -> None:
    found = identity([value])
    assert (found.address is None) is (found.problem is not None)
    for one in read_addresses(value):
        assert "@" in one.address


@given(
    st.lists(st.sampled_from([*'<>@,;:()"\\ ab.', "agent@corp.example", "mallory@evil.example"]), max_size=12)
)
@settings(max_examples=500, deadline=None)
def test_identity_is_never_granted_to_one_of_two_different_addresses(pieces: list[str]) -> None:
    value = "".join(pieces)
    found = identity([value.encode()])
    if found.address is not None and found.address != canonical(found.shown.address):
        raise AssertionError(value)
    if found.address == "agent@corp.example":
        outside = value.replace('"', "")
        assert "mallory@evil.example" not in outside or '"' in value or "(" in value


@given(ANY_TEXT)
@settings(deadline=None)
def test_text_readers_take_any_text(text: str) -> None:
    decode_words(text)
    parse_parameters(text.encode("utf-8", "surrogatepass"))
    canonical(text)
    base, extension = split_extension(text)
    assert extension is not None or base == text
    cleaned = clean_text(text)
    unflow(cleaned, delsp=True)
    assert undouble(cleaned).split() == cleaned.split()
    html_to_text(cleaned, DEFAULT_LIMITS)
    sanitize(cleaned, DEFAULT_LIMITS)


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_base64_of_anything_comes_back(data: bytes) -> None:
    import base64

    assert base64_bytes(base64.encodebytes(data).replace(b"\n", b" x!\r\n".replace(b"x", b""))) == data
    assert base64_bytes(data) is None or isinstance(base64_bytes(data), bytes)


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_behind_the_tnef_signature_are_unpacked_or_refused(data: bytes) -> None:
    found = unpack(SIGNATURE + data)
    assert found is None or found.files or found.text or found.html
