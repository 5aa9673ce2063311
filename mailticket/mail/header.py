"""The header block of a mail or a part, as found in the wild.

Everything here is linear in its input and never raises: the standard library's policies do not hold
either (email.policy.default needs minutes for 120 kB of hostile address header).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mailticket.mail.charset import clean_text
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
        self.stop = start + (limits.header_block if top else limits.part_header_block)
        self.most = limits.header_count if top else limits.part_header_count
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
        if len(self.block.fields) >= self.most:
            self._defect("too-many-headers", b"")
            self.stop = 0  # the lines up to the blank one are stepped over at once
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
