"""winmail.dat: what is in it, and that junk is refused."""

from __future__ import annotations

import struct

import pytest

from mailticket.mail.tnef import SIGNATURE, unpack

HEAD = SIGNATURE + b"\x01\x00"


def _attribute(level: int, identifier: int, data: bytes) -> bytes:
    return struct.pack("<BII", level, identifier, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def _string(kind: int, identifier: int, data: bytes) -> bytes:
    return struct.pack("<HHII", kind, identifier, 1, len(data)) + data + b"\0" * (-len(data) % 4)


def _properties(level: int, identifier: int, *values: bytes) -> bytes:
    return _attribute(level, identifier, struct.pack("<I", len(values)) + b"".join(values))


CODEPAGE = _attribute(1, 0x00069007, struct.pack("<II", 1252, 0))
START = _attribute(2, 0x00069002, b"\0" * 14)


def test_files_have_their_long_names() -> None:
    long_name = _string(0x1F, 0x3707, "Übersicht 2026.pdf\0".encode("utf-16-le"))
    number = struct.pack("<HHI", 0x03, 0x370B, 7)
    flag = struct.pack("<HHHH", 0x0B, 0x7FFE, 1, 0)
    named = struct.pack("<HH", 0x03, 0x8001) + b"\0" * 16 + struct.pack("<III", 0, 5, 6)
    data = (
        HEAD
        + CODEPAGE
        + START
        + _attribute(2, 0x00018010, b"UBERSI~1.PDF\0")
        + _attribute(2, 0x0006800F, b"%PDF")
    )
    data += _properties(2, 0x00069005, number, flag, named, long_name)
    found = unpack(data)
    assert found is not None
    assert [(file.name, file.data) for file in found.files] == [("Übersicht 2026.pdf", b"%PDF")]


def test_several_files_and_inline_images_are_told_apart() -> None:
    image = _string(0x1E, 0x3712, b"<img1@x.example>\0") + b""
    data = HEAD + CODEPAGE
    data += START + _attribute(2, 0x00018010, b"a.txt\0") + _attribute(2, 0x0006800F, b"aaa")
    data += START + _attribute(2, 0x00018010, b"b.png\0") + _attribute(2, 0x0006800F, b"bbb")
    data += _properties(2, 0x00069005, image, _string(0x1E, 0x370E, b"image/png\0"))
    found = unpack(data)
    assert found is not None
    assert [(file.name, file.content_id, file.content_type) for file in found.files] == [
        ("a.txt", "", ""),
        ("b.png", "img1@x.example", "image/png"),
    ]


def test_the_body_is_found_in_its_codepage() -> None:
    found = unpack(HEAD + CODEPAGE + _attribute(1, 0x0002800C, "Grüße\0".encode("cp1252")))
    assert found is not None
    assert found.text == "Grüße"


def test_html_is_found_in_its_internet_codepage() -> None:
    codepage = struct.pack("<HHI", 0x03, 0x3FDE, 65001)
    html = _string(0x102, 0x1013, "<p>Grüße</p>".encode())
    found = unpack(HEAD + CODEPAGE + _properties(1, 0x00069003, codepage, html))
    assert found is not None
    assert found.html == "<p>Grüße</p>"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not tnef",
        SIGNATURE,
        HEAD,
        HEAD + b"\x01" * 30,
        HEAD + struct.pack("<BII", 1, 0x00069006, 0xFFFFFFFF),
        HEAD + _attribute(1, 0x00069003, struct.pack("<I", 0xFFFFFFFF) + b"\0" * 12),
        HEAD + _attribute(1, 0x00069003, struct.pack("<IHHI", 1, 0x1003, 0x1000, 0xFFFFFFFF)),
        HEAD + START * 100_000,
        HEAD + CODEPAGE,
    ],
)
def test_junk_is_refused(data: bytes) -> None:
    assert unpack(data) is None
