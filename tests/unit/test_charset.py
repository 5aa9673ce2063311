"""Charsets by label, by bytes, and what clean_text leaves."""

from __future__ import annotations

import pytest

from mailticket.mail.charset import clean_text, codecs_for, decode, is_refused


@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        (b"plain", None, "plain"),
        ("Größe".encode(), "UTF-8", "Größe"),
        ("Größe".encode(), "utf8", "Größe"),
        ("Größe".encode(), "iso-8859-1", "Größe"),
        (b"Gr\xf6\xdfe", "iso-8859-1", "Größe"),
        (b"Gr\xf6\xdfe", "us-ascii", "Größe"),
        (b"Gr\xf6\xdfe", None, "Größe"),
        (b"\x93quoted\x94 \x80", "ISO-8859-1", "“quoted” €"),
        (b"\x81undefined", "iso-8859-1", "\x81undefined"),
        ("žluťoučký kůň".encode("cp1250"), "windows-1250", "žluťoučký kůň"),
        ("žluťoučký kůň".encode("iso8859-2"), "ISO_8859-2:1987", "žluťoučký kůň"),
        ("Привет, мир".encode("koi8-r"), "KOI8-R", "Привет, мир"),
        ("Привет, мир".encode("cp1251"), "cp-1251", "Привет, мир"),
        ("朱镕基".encode("gb18030"), "gb2312", "朱镕基"),
        ("朱镕基".encode("gbk"), "x-gbk", "朱镕基"),
        ("繁體中文".encode("big5"), "Big5", "繁體中文"),
        ("똠방각하".encode("cp949"), "ks_c_5601-1987", "똠방각하"),
        ("한국어".encode("cp949"), "EUC-KR", "한국어"),
        ("①日本髙".encode("cp932"), "Shift_JIS", "①日本髙"),
        ("日本".encode("euc_jp"), "euc-jp", "日本"),
        ("日本語".encode("iso2022_jp"), "iso-2022-jp", "日本語"),
        (b"\x1b$B\x2d\x21\x1b(B1", "iso-2022-jp", "①1"),
        (b"\x1b(I1\x1b(B", "ISO-2022-JP", "ｱ"),
        ("日本".encode("cp932"), "iso-2022-jp", "日本"),
        ("ภาษาไทย".encode("cp874"), "tis-620", "ภาษาไทย"),
        ("Ä".encode("mac_roman"), "x-mac-roman", "Ä"),
        ("hé".encode("utf-16"), "utf-16", "hé"),
        (b"not wide at all", "utf-16", "not wide at all"),
        (b"caf+AOk-", "unicode-1-1-utf-7", "café"),
        (b"+2AA-", "utf-7", "\ufffd"),
        ("Größe".encode(), "x-unknown", "Größe"),
        (b"\xff\xfeh\0i\0", None, "hi"),
        (b"a-b", "punycode", "a-b"),
        (b"616263", "hex", "616263"),
        (b"\\ud800", "unicode_escape", "\\ud800"),
        (b"x", "../../etc/passwd", "x"),
        (b"x", "utf-8\0", "x"),
        (b"x", "a" * 5000, "x"),
    ],
)
def test_bytes_become_text(data: bytes, label: str | None, text: str) -> None:
    assert decode(data, label)[0] == text


RUSSIAN = "Это письмо написано по-русски и достаточно длинное, чтобы угадать кодировку."
JAPANESE = "プリンターが動きません。早めの対応をよろしくお願いいたします。"


@pytest.mark.parametrize(
    ("text", "codec"), [(RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"), (JAPANESE, "cp932"), (JAPANESE, "euc_jp")]
)
def test_undeclared_text_is_detected(text: str, codec: str) -> None:
    assert decode(text.encode(codec))[0] == text


def test_a_few_wrong_bytes_do_not_turn_utf8_into_another_charset() -> None:
    text, problem = decode("Größe und Maße – schön".encode() + b" \xff", "utf-8")
    assert text == "Größe und Maße – schön \ufffd"
    assert problem


@pytest.mark.parametrize(
    "label", ["hex", "zip", "rot13", "idna", "punycode", "raw_unicode_escape", "mbcs", "undefined"]
)
def test_codecs_that_are_no_charsets_are_never_used(label: str) -> None:
    assert codecs_for(label) is None
    assert is_refused(label)


@pytest.mark.parametrize("label", ["x-unknown", "unknown-8bit", "8bit", "default"])
def test_words_for_unknown_are_not_refused(label: str) -> None:
    assert codecs_for(label) is None
    assert not is_refused(label)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("a\r\nb\rc\u2028d\x85e\x0cf", "a\nb\nc\nd\ne\nf"),
        ("nul\0gone", "nulgone"),
        ("esc\x1b[2J bell\x07", "esc\ufffd[2J bell\ufffd"),
        ("c1\x9b", "c1\ufffd"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("pair \ud83d\ude00", "pair 😀"),
        ("👩‍🚀 Ü", "👩‍🚀 Ü"),
    ],
)
def test_text_is_cleaned(text: str, cleaned: str) -> None:
    assert clean_text(text) == cleaned


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  two\r\n  lines\t here ", "two lines here"),
        ("invoice \u202egpj.exe\u202c", "invoice gpj.exe"),
        ("\ufeffbom", "bom"),
        ("a\u00a0b\u3000c", "a b c"),
    ],
)
def test_one_line_text_is_collapsed_and_loses_direction_marks(text: str, cleaned: str) -> None:
    assert clean_text(text, one_line=True) == cleaned


def test_the_limit_is_in_characters() -> None:
    assert clean_text("äöü" * 10, limit=4) == "äöüä"
    assert clean_text(" " * 10_000 + "x", limit=5, one_line=True) == ""
