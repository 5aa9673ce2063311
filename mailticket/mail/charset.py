"""Bytes to text: an allow-list of charsets, detection, and the one cleaning every foreign string passes.

Python's codec registry is never asked for a name a mail chose: it holds codecs that are no charsets
(hex, zip, idna, unicode_escape), that are quadratic (punycode) or yield lone surrogates (utf-7, which
is read here with those repaired).
The aliases follow the WHATWG Encoding Standard where mail agrees with the web.
"""

from __future__ import annotations

import re
from typing import Final

# label, reduced to its letters and digits -> codecs to try strictly, best first
_FAMILIES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("utf8 utf8mb4 unicode11utf8 xunicode20utf8 utf8bom cp65001 65001", ("utf-8",)),
    ("ascii usascii ansix341968 iso646us 646 us", ("ascii",)),
    (
        "iso88591 latin1 l1 iso885911987 88591 cp819 windows1252 cp1252 xcp1252 xansi ansi",
        ("cp1252", "latin-1"),
    ),
    ("iso88592 latin2 l2 iso885921987 88592", ("iso8859-2",)),
    ("iso88593 latin3 l3", ("iso8859-3",)),
    ("iso88594 latin4 l4", ("iso8859-4",)),
    ("iso88595 cyrillic iso885951988 88595", ("iso8859-5",)),
    ("iso88596 arabic iso88596i iso88596e asmo708", ("iso8859-6", "cp1256")),
    ("iso88597 greek iso885971987 elot928", ("iso8859-7", "cp1253")),
    ("iso88598 iso88598i iso88598e hebrew logical visual", ("iso8859-8", "cp1255")),
    ("iso88599 latin5 l5 iso885991989 windows1254 cp1254", ("cp1254", "iso8859-9")),
    ("iso885910 latin6", ("iso8859-10",)),
    ("iso885911 tis620 tis6202533 windows874 cp874 dos874", ("cp874", "iso8859-11")),
    ("iso885913 latin7", ("iso8859-13",)),
    ("iso885914 latin8", ("iso8859-14",)),
    ("iso885915 latin9 latin0 iso885915euro 885915", ("iso8859-15",)),
    ("iso885916 latin10", ("iso8859-16",)),
    ("windows1250 cp1250 xcp1250", ("cp1250",)),
    ("windows1251 cp1251 xcp1251 win1251", ("cp1251",)),
    ("windows1253 cp1253", ("cp1253",)),
    ("windows1255 cp1255", ("cp1255",)),
    ("windows1256 cp1256", ("cp1256",)),
    ("windows1257 cp1257", ("cp1257",)),
    ("windows1258 cp1258", ("cp1258",)),
    ("koi8r koi8 koi cskoi8r", ("koi8-r",)),
    ("koi8u koi8ru", ("koi8-u",)),
    ("koi8t", ("koi8-t",)),
    ("kz1048", ("kz1048",)),
    ("ibm437 cp437 437", ("cp437",)),
    ("ibm850 cp850 850", ("cp850",)),
    ("ibm852 cp852 852", ("cp852",)),
    ("ibm855 cp855", ("cp855",)),
    ("ibm857 cp857", ("cp857",)),
    ("ibm858 cp858 ibm00858", ("cp858",)),
    ("ibm862 cp862 dos862", ("cp862",)),
    ("ibm864 cp864", ("cp864",)),
    ("ibm866 cp866 866", ("cp866",)),
    ("macintosh mac macroman xmacroman", ("mac_roman",)),
    ("xmaccyrillic maccyrillic xmacukrainian", ("mac_cyrillic",)),
    ("xmacce maccentraleurope xmaccentraleurroman", ("mac_latin2",)),
    ("xmacgreek macgreek", ("mac_greek",)),
    ("xmacturkish macturkish", ("mac_turkish",)),
    ("xmacicelandic", ("mac_iceland",)),
    ("gb2312 gbk xgbk gb18030 cngb cngb2312 euccn gb231280 chinese cp936 ms936 windows936 936", ("gb18030",)),
    ("hzgb2312 hz", ("hz",)),
    ("big5 cnbig5 xxbig5 big5eten cp950 windows950 950 xbig5", ("cp950", "big5hkscs")),
    ("big5hkscs", ("big5hkscs", "cp950")),
    (
        "shiftjis sjis xsjis mskanji windows31j cp932 windows932 ms932 932 xmacjapanese csshiftjis",
        ("cp932", "shift_jisx0213"),
    ),
    ("eucjp xeucjp xeuc ujis cseucpkdfmtjapanese", ("euc_jp", "euc_jis_2004")),
    (
        "iso2022jp iso2022jp1 iso2022jp2 iso2022jp3 iso2022jpms csiso2022jp cp50220 cp50221 jis",
        ("iso2022_jp",),
    ),
    (
        "euckr ksc56011987 ksc5601 ksc56011989 ks cp949 windows949 949 uhc korean xwindows949 cseuckr",
        ("cp949",),
    ),
    ("iso2022kr", ("iso2022_kr",)),
    ("johab cp1361", ("johab",)),
    ("utf7 unicode11utf7 xunicode20utf7 csunicode11utf7", ("utf-7",)),
    ("utf16 unicode ucs2 iso10646ucs2", ("utf-16",)),
    ("utf16le", ("utf-16-le",)),
    ("utf16be", ("utf-16-be",)),
    ("utf32 ucs4", ("utf-32",)),
)
_CODECS: Final[dict[str, tuple[str, ...]]] = {
    label: codecs for labels, codecs in _FAMILIES for label in labels.split()
}
_UNDECLARED: Final = frozenset(
    {"xunknown", "unknown", "unknown8bit", "xuserdefined", "default", "none", "null", "auto", "autodetect"}
    | {"8bit", "7bit", "binary"}
)
_NOT_ASCII_SUPERSETS: Final = frozenset(
    {"hz", "iso2022_jp", "iso2022_kr", "utf-7", "utf-16", "utf-16-le", "utf-16-be", "utf-32"}
)
_WIDE: Final = frozenset({"utf-16", "utf-16-le", "utf-16-be", "utf-32"})
# Short words in these scripts can happen to be valid UTF-8, so their declaration stands.
_TRUSTED_AGAINST_UTF8: Final = _NOT_ASCII_SUPERSETS | {
    "gb18030", "cp950", "big5hkscs", "cp932", "euc_jp", "cp949", "johab", "cp874", "iso8859-6", "cp1256",
}  # fmt: skip
_LABEL_JUNK: Final = re.compile(r"[^a-z0-9]+")
_REPLACEMENT: Final = "\ufffd"
_DETECTION_SAMPLE: Final = 8_192


def codecs_for(label: str) -> tuple[str, ...] | None:
    """The Python codecs for a charset label, best first; None when the label is not on the list."""
    return _CODECS.get(_LABEL_JUNK.sub("", label[:60].lower()))


def is_refused(label: str) -> bool:
    """True for a label that names neither a known charset nor one of the usual words for "unknown"."""
    reduced = _LABEL_JUNK.sub("", label[:60].lower())
    return reduced not in _CODECS and reduced not in _UNDECLARED


def decode(data: bytes, label: str | None = None) -> tuple[str, str | None]:
    """Text of `data`, and what was wrong with its declared charset `label` (None when nothing was).

    Tries the declaration, UTF-8, detection, and last windows-1252 with replacement characters. Never
    raises; the result may hold controls and needs `clean_text`.
    """
    codecs = codecs_for(label) if label else None
    problem = None
    if label and codecs is None and is_refused(label):
        problem = f"unknown charset {clean_text(label, limit=40, one_line=True)!r}"
    if codecs is None or codecs[0] not in _NOT_ASCII_SUPERSETS:
        if data.isascii():
            return data.decode("ascii"), problem
    elif codecs[0] in _WIDE and b"\0" not in data:
        codecs = None  # UTF-16 of any real text has NULs or was mislabelled; CJK without NULs is caught below
        problem = f"declared {label!r} holds no NUL"
        if b"\n" not in data and not data.isascii():
            codecs = codecs_for(label or "")
    if codecs is None:
        text, guess = _guess(data)
        return text, problem or guess
    return _decode_declared(data, codecs)


def _decode_declared(data: bytes, codecs: tuple[str, ...]) -> tuple[str, str | None]:
    if codecs[0] == "iso2022_jp":
        return _decode_iso2022_jp(data), None
    if codecs[0] == "utf-7":
        return _decode_utf_7(data)
    if codecs[0] not in _TRUSTED_AGAINST_UTF8:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:
            mislabelled = codecs[0] != "utf-8" and codecs[0] != "ascii"
            return text, f"declared {codecs[0]}, is utf-8" if mislabelled else None
    for codec in codecs:
        try:
            return data.decode(codec), None
        except UnicodeDecodeError:
            continue
    text = data.decode(codecs[0], "replace")
    foreign = sum(1 for byte in data[:_DETECTION_SAMPLE] if byte > 127)
    if codecs[0] != "ascii" and text[:_DETECTION_SAMPLE].count(_REPLACEMENT) * 5 <= max(foreign, 5):
        return text, f"bytes that are not {codecs[0]}"
    guessed, _ = _guess(data)
    return guessed, f"not {codecs[0]} as declared"


def _decode_utf_7(data: bytes) -> tuple[str, str | None]:
    if not data.isascii():
        return _guess(data)[0], "not utf-7 as declared"
    text = data.decode("utf-7", "replace")
    repaired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return repaired, "broken utf-7" if _REPLACEMENT in repaired else None


def _guess(data: bytes) -> tuple[str, str | None]:
    """Undeclared bytes: UTF-8, UTF-16 by its mark, ISO-2022-JP by its escapes, detection, windows-1252."""
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError:
        pass
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace"), "undeclared charset"
    sample = data[:_DETECTION_SAMPLE]
    nearly = data.decode("utf-8", "replace")
    multibyte = sum(1 for char in nearly[:_DETECTION_SAMPLE] if char > "\x7f" and char != _REPLACEMENT)
    if multibyte >= 10 * nearly[:_DETECTION_SAMPLE].count(_REPLACEMENT):
        return nearly, "bytes that are not utf-8"
    codec = _detect(sample)
    if codec is not None:
        try:
            return data.decode(codec), f"undeclared charset, read as {codec}"
        except UnicodeDecodeError:
            pass
    return data.decode("cp1252", "replace"), "undeclared charset"


def _detect(sample: bytes) -> str | None:
    """The likeliest allow-listed codec by charset-normalizer, for samples long enough to tell."""
    if sum(1 for byte in sample if byte > 127) < 8:
        return None
    import charset_normalizer  # slow to import and rarely needed

    isolation = [
        "cp1252", "cp1250", "cp1251", "koi8-r", "cp932", "euc_jp", "gb18030", "big5", "cp949", "cp1253",
        "cp1255", "cp1256", "cp874", "iso8859-2",
    ]  # fmt: skip
    best = charset_normalizer.from_bytes(sample, steps=3, chunk_size=512, cp_isolation=isolation).best()
    return best.encoding if best is not None else None


_JIS_SEGMENT: Final = re.compile(rb"\x1b(\$[@B]|\$\([@BDOPQ]|\([BJIH]|\.[AF]|\$A)")


def _decode_iso2022_jp(data: bytes) -> str:
    """ISO-2022-JP as mail uses it: with the NEC and IBM rows and half-width katakana (like CP50220).

    Python's iso2022_jp codecs refuse those rows, so each JIS X 0208 pair is moved to Shift_JIS.
    """
    if b"\x1b" not in data and not data.isascii():  # 8-bit Japanese under the 7-bit label
        return _decode_declared(data, ("utf-8", "cp932", "euc_jp"))[0]
    out: list[str] = []
    charset, position = b"(B", 0
    for match in _JIS_SEGMENT.finditer(data):
        out.append(_jis_segment(data[position : match.start()], charset))
        charset, position = match.group(1), match.end()
    out.append(_jis_segment(data[position:], charset))
    return "".join(out)


def _jis_segment(segment: bytes, charset: bytes) -> str:
    if charset in (b"$@", b"$B", b"$(@", b"$(B"):
        return _jis_x_0208(segment)
    if charset == b"(I":
        return bytes(byte | 0x80 for byte in segment).decode("cp932", "replace")
    if charset[:1] == b"(":
        return segment.decode("ascii") if segment.isascii() else segment.decode("cp932", "replace")
    escape = b"\x1b" + charset
    return (escape + segment).decode("iso2022_jp_2", "replace").replace("\x1b", "")


def _jis_x_0208(segment: bytes) -> str:
    sjis = bytearray()
    index, end = 0, len(segment)
    while index < end:
        high = segment[index] & 0x7F
        if high < 0x21 or index + 1 >= end:  # a line end or a cut pair
            sjis.append(high)
            index += 1
            continue
        low = segment[index + 1] & 0x7F
        trail = low + (0x1F if low < 0x60 else 0x20) if high % 2 else low + 0x7E
        lead = (high + 1) // 2 + (0x70 if high < 0x5F else 0xB0)
        sjis += bytes((lead & 0xFF, trail & 0xFF))
        index += 2
    return sjis.decode("cp932", "replace")


_UNCLEAN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ASCII_UNCLEAN: Final = bytes([*range(0x09), *range(0x0B, 0x20), 0x7F])
_LINE_ENDS: Final = {ord(char): "\n" for char in "\x0b\x0c\x85\u2028\u2029"}
_CONTROLS: Final[dict[int, str | None]] = {0: None, **_LINE_ENDS} | dict.fromkeys(
    [*range(1, 0x09), *range(0x0E, 0x20), 0x7F, *range(0x80, 0x85), *range(0x86, 0xA0)], _REPLACEMENT
)
_INVISIBLE: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]")


def clean_text(text: str, *, limit: int | None = None, one_line: bool = False) -> str:
    """`text` fit to be stored in either database, logged and shown.

    Line ends of every kind become LF, TAB stays, NUL goes; other C0 and C1 controls and lone surrogates
    become U+FFFD. With `one_line` all whitespace is collapsed to single spaces, bidi controls are removed
    and the ends are stripped. `limit` is the greatest length in characters.
    """
    if limit is not None and len(text) > 4 * limit + 1024:
        text = text[: 4 * limit + 1024]  # collapsing cannot be allowed to cost more than the limit is worth
    if not (text.isascii() and text.isprintable()):
        text = _without_controls(text)
    if one_line:
        if not text.isascii():
            text = _INVISIBLE.sub("", text)
        text = " ".join(text.split())
    if limit is not None and len(text) > limit:
        text = text[:limit].rstrip() if one_line else text[:limit]
    return text


def _without_controls(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii():
        raw = text.encode("ascii")
        unclean = len(raw.translate(None, _ASCII_UNCLEAN)) != len(raw)
    else:
        unclean = _UNCLEAN.search(text) is not None
    return _scrub(text) if unclean else text


def _scrub(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # lone surrogates; a pair of them is one character
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.translate(_CONTROLS)
