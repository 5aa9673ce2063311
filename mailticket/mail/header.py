"""The header block, RFC 2047 encoded-words and RFC 2231 parameters, as found in the wild.

Everything here is linear in its input and never raises: the standard library's policies do not hold
either (email.policy.default needs minutes for 120 kB of hostile address header).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes

from mailticket.mail.charset import clean_text, decode
from mailticket.mail.limits import Limits
from mailticket.mail.types import Defect

_NAME: Final = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
_KNOWN: Final = re.compile(
    rb"(?i)(?:from|to|cc|subject|date|message-id|mime-version|received|return-path|reply-to|sender|"
    rb"in-reply-to|references|content-[a-z-]+|x-[a-z0-9-]+|dkim-signature|list-[a-z]+|delivered-to)[ \t]*:"
)
_MIME_NAMES: Final = frozenset({"content-type", "content-disposition"})
_RECIPIENT_NAMES: Final = frozenset({"to", "cc", "reply-to"})
_JUNK_LOOKAHEAD: Final = 5


@dataclass(slots=True)
class HeaderBlock:
    """The fields of one entity, unfolded but not decoded, and where its body starts.

    fields  (name as written, value bytes without line ends)
    """

    fields: list[tuple[str, bytes]] = field(default_factory=list)
    body_start: int = 0
    defects: list[Defect] = field(default_factory=list)

    def first(self, name: str) -> bytes | None:
        """The first value of a field, by lower-case name."""
        return next((value for key, value in self.fields if key.lower() == name), None)


class _Reader:
    """Reads one header block line by line, so that its cost is that of the lines it consumes."""

    def __init__(self, data: bytes, start: int, end: int, limits: Limits, *, top: bool) -> None:
        self.data, self.position, self.end, self.limits, self.top = data, start, end, limits, top
        self.stop = start + limits.header_block
        self.block = HeaderBlock()
        self.value: list[bytes] = []
        self.room = 0
        self.name = ""
        self.received = 0

    def read(self, delimiters: Mapping[bytes, object]) -> HeaderBlock:
        """Consume lines up to and with the blank line, or up to a delimiter line or the body."""
        data, end = self.data, self.end
        while self.position < end:
            start = self.position
            newline = data.find(b"\n", start, end)
            after = newline + 1 if newline >= 0 else end
            line = data[start : min(after, start + 66_000)].rstrip(b"\r\n")
            if not line:
                self.position = after
                break
            if start >= self.stop:
                self._skip_to_blank_line()
                break
            if line[:2] == b"--" and _is_delimiter(line, delimiters):
                break
            if not self._take(line, after):
                break
            self.position = after
        self._close()
        self.block.body_start = min(self.position, end)
        return self.block

    def _take(self, line: bytes, after: int) -> bool:
        if line[0] in b" \t":
            if self.name or self.block.fields:
                self._append(line)
            elif line.strip():
                self._defect("junk-before-headers", line)
            return True
        match = _NAME.match(line)
        if match is not None:
            self._close()
            self.name = match.group(1).decode("ascii")
            self.room = self._room(self.name.lower())
            self._append(line[match.end() :])
            return True
        if self.top and self._headers_follow(after):
            self._close()
            self._defect("junk-in-headers", line)
            return True
        if self.block.fields or self.name:
            self._defect("no-blank-line-after-headers", line)
        return False

    def _room(self, name: str) -> int:
        if name in _MIME_NAMES:
            return self.limits.mime_header_value
        return self.limits.address_bytes if name in _RECIPIENT_NAMES else self.limits.header_value

    def _append(self, piece: bytes) -> None:
        if self.room <= 0:
            return
        if len(piece) > self.room:
            piece = piece[: self.room]
            self._defect("header-cut", self.name.encode())
        self.room -= len(piece)
        self.value.append(piece)
        if self.room == 0:
            self.room = -1

    def _close(self) -> None:
        if not self.name:
            return
        name, value = self.name, b"".join(self.value)
        self.name, self.value = "", []
        if name.lower() == "received":
            self.received += 1
            if self.received > self.limits.received_count:
                self._defect("too-many-received", b"")
                return
        if len(self.block.fields) >= self.limits.header_count:
            self._defect("too-many-headers", b"")
            return
        self.block.fields.append((name, value.strip(b" \t\r\n")))

    def _headers_follow(self, position: int) -> bool:
        """True when one of the next lines, before any blank one, is a header field everybody knows."""
        for _ in range(_JUNK_LOOKAHEAD):
            newline = self.data.find(b"\n", position, min(self.end, position + 2_000))
            if newline < 0:
                return _KNOWN.match(self.data, position, self.end) is not None
            if not self.data[position:newline].strip():
                return False
            if _KNOWN.match(self.data, position, newline):
                return True
            position = newline + 1
        return False

    def _skip_to_blank_line(self) -> None:
        self._defect("header-block-cut", b"")
        match = _BLANK_LINE.search(self.data, max(self.position - 2, 0), self.end)
        self.position = match.end() if match else self.end

    def _defect(self, code: str, detail: bytes) -> None:
        if len(self.block.defects) < self.limits.defects and not (
            self.block.defects and self.block.defects[-1].code == code and not detail
        ):
            text = clean_text(detail[:80].decode("ascii", "replace"), limit=80, one_line=True)
            self.block.defects.append(Defect(code, text))


_BLANK_LINE: Final = re.compile(rb"\n\r?\n")


def _is_delimiter(line: bytes, delimiters: Mapping[bytes, object]) -> bool:
    key = line[2:].rstrip()
    return key in delimiters or (key[-2:] == b"--" and key[:-2] in delimiters)


def read_headers(
    data: bytes,
    start: int,
    end: int,
    limits: Limits,
    *,
    top: bool = False,
    delimiters: Mapping[bytes, object] | None = None,
) -> HeaderBlock:
    """The header block of the entity in data[start:end].

    top         the mail's own block: junk before and between its fields is stepped over
    delimiters  boundaries of the multiparts around; a delimiter line ends the block
    """
    if top:
        start = _skip_junk(data, start, end)
    return _Reader(data, start, end, limits, top=top).read(delimiters or {})


_LEADING: Final = re.compile(
    rb"(?:\xef\xbb\xbf|[\r\n\0])*(?:>?From [^\n:]{0,900}\d\d:\d\d[^\n]{0,200}\n|From [^\n:]{1,300}\n)?"
)


def _skip_junk(data: bytes, start: int, end: int) -> int:
    """Step over what mail stores and broken gateways leave before the first field."""
    match = _LEADING.match(data, start, end)
    skipped = match.end() if match else start
    if skipped == start:
        return start
    newline = data.find(b"\n", skipped, min(end, skipped + 2_000))
    line = data[skipped : newline if newline >= 0 else end]
    # Blank lines in front of something that is no header at all are a body without headers.
    return skipped if _NAME.match(line) or line[:1] in b" \t" or data[start:skipped].strip() else start


# ---- RFC 2047 ---------------------------------------------------------------------------------------


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


# ---- parameters (RFC 2045 section 5.1, RFC 2231) ----------------------------------------------------


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
