"""Parameters of Content-Type and Content-Disposition: RFC 2231, and what is sent instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from mailticket.mail.charset import decode
from mailticket.mail.encoded_word import decode_raw, decode_words


@dataclass(frozen=True, slots=True)
class Parameterised:
    """A Content-Type or Content-Disposition: the lower-case value and its decoded parameters."""

    value: str
    params: dict[str, str]


def parse_parameters(field_value: bytes | None, hint: str | None = None) -> Parameterised:
    """Take `value; name=x; name*=charset''x; name*0=..` apart; first mention of a name wins."""
    if not field_value:
        return Parameterised("", {})
    pieces = list(_split_parameters(decode_raw(field_value, hint)))
    value = pieces[0].partition("(")[0].strip().lower() if pieces else ""
    plain: dict[str, str] = {}
    extended: dict[str, dict[int, tuple[str, bool]]] = {}
    for piece in pieces[1:]:
        name, equals, text = piece.partition("=")
        name = name.strip().lower()
        if not equals or not name:
            continue
        text = _unquote(text.strip())
        if "*" in name:
            _keep_section(extended, name, text)
        else:
            plain.setdefault(name, decode_words(text).text)
    for name, sections in extended.items():
        plain[name] = _join_sections(sections)
    return Parameterised(value, plain)


def _keep_section(extended: dict[str, dict[int, tuple[str, bool]]], name: str, text: str) -> None:
    base, _, rest = name.partition("*")
    encoded = rest.endswith("*") or rest == ""
    number = rest.rstrip("*")
    if base and (number == "" or (number.isascii() and number.isdigit() and len(number) < 6)):
        extended.setdefault(base, {}).setdefault(int(number or 0), (text, encoded))


def _join_sections(sections: dict[int, tuple[str, bool]]) -> str:
    charset: str | None = None
    out: list[bytes] = []
    for index, (_, (text, encoded)) in enumerate(sorted(sections.items())):
        if encoded and index == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        raw = text.encode("utf-8", "surrogateescape")
        out.append(unquote_to_bytes(raw) if encoded else raw)
    joined, _ = decode(b"".join(out), charset or None)
    return decode_words(joined).text


def _split_parameters(text: str) -> Iterator[str]:
    """Split at semicolons outside quoted strings; an unclosed quote ends at the end."""
    start = position = 0
    quoted = False
    for match in _PARAMETER_MARK.finditer(text):
        mark = match.group()
        if mark == '"':
            before = text[position : match.start()]
            if quoted or before.rstrip().endswith("="):
                quoted = not quoted
            position = match.end()
        elif mark == ";" and not quoted:
            yield text[start : match.start()]
            start = position = match.end()
    yield text[start:]


_PARAMETER_MARK: Final = re.compile(r'\\["\\]|[";]')


def _unquote(text: str) -> str:
    if text[:1] != '"':
        return text.partition(" (")[0].strip()
    inner = text[1:]
    close = _closing_quote(inner)
    return inner[:close].replace('\\"', '"').replace("\\\\", "\\")


def _closing_quote(inner: str) -> int:
    for match in _PARAMETER_MARK.finditer(inner):
        if match.group() == '"':
            return match.start()
    return len(inner)
