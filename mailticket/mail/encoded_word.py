"""RFC 2047 encoded-words and the characters of undecoded header fields, as found in the wild."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mailticket.mail.charset import clean_text, decode


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A header value decoded. `suspicious` when an encoded-word hid controls or an unlisted charset."""

    text: str
    suspicious: bool = False


def decode_raw(value: bytes, hint: str | None = None) -> str:
    """The characters of an undecoded field: ASCII, else UTF-8, else the body's charset `hint`."""
    if value.isascii():
        return value.decode("ascii")
    return decode(value, hint)[0]


def decode_words(value: str) -> DecodedText:
    """Decode RFC 2047 encoded-words wherever they stand, as readers expect and RFC 2047 forbids.

    Words next to each other are joined before their charset is decoded, because mailers split
    multi-byte characters between them. What cannot be decoded stays as written.
    """
    if "=?" not in value:
        return DecodedText(value)
    out: list[str] = []
    pending: list[tuple[str, bytes]] = []
    suspicious = False

    def flush() -> None:
        nonlocal suspicious
        for label, data in _joined(pending):
            text, problem = decode(data, label)
            suspicious = suspicious or problem is not None or _has_controls(text)
            out.append(text)
        pending.clear()

    for literal, word in _split_words(value):
        if word is None:
            if pending and not literal.strip():
                out_literal = ""
            else:
                flush()
                out_literal = literal
            out.append(out_literal)
            continue
        pending.append(word)
    flush()
    return DecodedText("".join(out), suspicious)


def _has_controls(text: str) -> bool:
    return any(char < " " or "\x7f" <= char <= "\x9f" or char in "\u2028\u2029" for char in text)


def _joined(words: list[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    index = 0
    while index < len(words):
        label, parts = words[index][0], [words[index][1]]
        index += 1
        while index < len(words) and words[index][0].lower() == label.lower():
            parts.append(words[index][1])
            index += 1
        if label.lower().startswith("iso-2022"):  # each word carries its own escapes and resets
            yield from ((label, part) for part in parts)
        else:
            yield label, b"".join(parts)


def _split_words(value: str) -> Iterator[tuple[str, tuple[str, bytes] | None]]:
    """(literal text, None) and ("", (charset, bytes)) in order; one pass, nothing is searched twice."""
    position = literal_start = 0
    while True:
        start = value.find("=?", position)
        if start < 0:
            break
        question = value.find("?", start + 2, start + 80)
        encoding = value[question + 1 : question + 2].lower() if question > start + 2 else ""
        if encoding not in ("b", "q") or value[question + 2 : question + 3] != "?":
            position = start + 2
            continue
        close = value.find("?=", question + 3)
        if close < 0:
            break
        data = _word_bytes(encoding, value[question + 3 : close])
        if data is None:
            position = start + 2
            continue
        yield value[literal_start:start], None
        yield "", (value[start + 2 : question].partition("*")[0], data)
        position = literal_start = close + 2
    yield value[literal_start:], None


def _word_bytes(encoding: str, text: str) -> bytes | None:
    raw = text.encode("utf-8", "surrogateescape")
    if encoding == "q":
        return binascii.a2b_qp(raw.replace(b"\n", b""), header=True)
    return base64_bytes(raw)


_BASE64_RUNS: Final = 1_000
_NOT_BASE64: Final = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
)


def base64_bytes(raw: bytes) -> bytes | None:
    """Decode base64 whatever stands between, whatever the padding; None when nothing is left of it.

    Padding in the middle ends a run and the next begins (concatenated encodings are common).
    """
    padding = raw.find(b"=")
    if padding < 0 or not raw[padding:].strip(b"=\r\n \t"):
        try:
            return binascii.a2b_base64(raw) or (None if raw.strip() else b"")
        except binascii.Error:
            pass
    # Beyond a few runs the padding signs are noise, and each run costs a call.
    runs = raw.split(b"=") if raw.count(b"=") <= _BASE64_RUNS else [raw]
    pieces: list[bytes] = []
    for run in runs:
        digits = run.translate(None, _NOT_BASE64)
        if len(digits) % 4 == 1:
            digits = digits[:-1]
        if digits:
            pieces.append(binascii.a2b_base64(digits + b"=" * (-len(digits) % 4)))
    return b"".join(pieces) if pieces or not raw.strip() else None


def header_text(value: bytes, limit: int, hint: str | None = None) -> str:
    """One unstructured field decoded, on one line, at most `limit` characters."""
    return clean_text(decode_words(decode_raw(value, hint)).text, limit=limit, one_line=True)
