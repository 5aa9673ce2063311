"""The MIME tree of a mail, in one pass over its lines that begin with "--".

Own code, because the standard parser recurses once per nesting level, looks at every line in Python
and grows with nesting times lines: 10,000 nested multiparts end it, and a 200 kB attachment costs it
2,700 lines. Here the cost is one search for "\\n--" whatever the depth, and depth and count are capped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from mailticket.mail.encoded_word import decode_words, header_text
from mailticket.mail.header import HeaderBlock, read_headers
from mailticket.mail.limits import Limits
from mailticket.mail.parameters import Parameterised, parse_parameters
from mailticket.mail.types import Defect


@dataclass(slots=True)
class Part:
    """One entity. `raw[start:end]` is its encoded body; a multipart's children hold the rest."""

    raw: bytes = field(repr=False)
    block: HeaderBlock
    content_type: str
    params: dict[str, str]
    disposition: Parameterised
    start: int
    end: int
    depth: int
    declared_type: bool
    parent: Part | None = field(default=None, repr=False)
    children: list[Part] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        """The body as it stands in the mail, not decoded."""
        return self.raw[self.start : self.end]

    @property
    def encoding(self) -> str:
        """The Content-Transfer-Encoding, lower-case, without comments."""
        value = self.block.first("content-transfer-encoding") or b"7bit"
        return value.partition(b";")[0].partition(b"(")[0].strip(b" \t\"'").lower().decode("ascii", "replace")

    @property
    def is_multipart(self) -> bool:
        """True when the tree goes on below this part."""
        return bool(self.children)

    def leaves(self) -> list[Part]:
        """The parts that hold content, in order of appearance."""
        found: list[Part] = []
        stack = [self]
        while stack:
            part = stack.pop()
            if part.children:
                stack.extend(reversed(part.children))
            else:
                found.append(part)
        return found


_TYPE_ALIASES: Final = {
    "text": "text/plain",
    "html": "text/html",
    "text/html5": "text/html",
    "text/text": "text/plain",
}
_TYPE_CHARS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789!#$&-^_.+/")


def _content_type(block: HeaderBlock, default: str) -> tuple[str, dict[str, str], bool]:
    declared = block.first("content-type")
    if not declared:
        return default, {}, False
    parsed = parse_parameters(declared)
    value = _TYPE_ALIASES.get(parsed.value, parsed.value)
    if value.count("/") != 1 or not _TYPE_CHARS.issuperset(value) or value[:1] == "/" or value[-1:] == "/":
        return default, parsed.params, False  # RFC 2045 section 5.2: unreadable is text/plain
    return value[:120], parsed.params, True


class _Splitter:
    def __init__(self, raw: bytes, limits: Limits) -> None:
        self.raw, self.limits = raw, limits
        self.defects: list[Defect] = []
        self.open: list[tuple[Part, bytes]] = []
        self.levels: dict[bytes, list[int]] = {}
        self.current: Part | None = None
        self.count = 0

    def split(self, start: int, end: int, *, top: bool) -> Part:
        root = self._read_part(start, end, "text/plain", top=top)
        raw, levels = self.raw, self.levels
        position, at_line_start = root.start, True
        while self.open:
            if at_line_start and raw.startswith(b"--", position, end):
                found = position
            else:
                found = raw.find(b"\n--", position, end) + 1
                if found == 0:
                    break
            line_end = raw.find(b"\n", found, end)
            line_end = end if line_end < 0 else line_end
            position, at_line_start = line_end, False
            key = raw[found + 2 : line_end].rstrip()
            if key not in levels and key[:-2] not in levels:  # this loop sees every "--" line: keep it short
                continue
            started = self._delimiter(key, found, min(line_end + 1, end), end)
            if started is None:
                break
            if started >= 0:
                position, at_line_start = started, True
        if self.open:
            self.defects.append(Defect("missing-end-boundary"))
        self._finish(end)
        return root

    def _delimiter(self, key: bytes, found: int, after: int, end: int) -> int | None:
        """Handle a line that begins with "--": the new part's body start, -1 for none, None to stop."""
        levels, final = self.levels.get(key), False
        if not levels and key[-2:] == b"--":
            levels, final = self.levels.get(key[:-2]), True
        if not levels:
            return -1
        level = levels[-1]
        self._close_current(found)
        while len(self.open) > level + 1:
            self.defects.append(Defect("missing-end-boundary"))
            self._pop(found)
        if final:
            self._pop(found)
            return -1
        if self.count >= self.limits.parts:
            self.defects.append(Defect("too-many-parts", str(self.limits.parts)))
            self.open.clear()
            return None
        parent = self.open[-1][0]
        default = "message/rfc822" if parent.content_type == "multipart/digest" else "text/plain"
        part = self._read_part(after, end, default, parent=parent)
        return part.start

    def _read_part(
        self, start: int, end: int, default: str, *, parent: Part | None = None, top: bool = False
    ) -> Part:
        block = read_headers(self.raw, start, end, self.limits, top=top, delimiters=self.levels)
        content_type, params, declared = _content_type(block, default)
        depth = parent.depth + 1 if parent else 0
        disposition = parse_parameters(block.first("content-disposition"))
        part = Part(
            self.raw, block, content_type, params, disposition, block.body_start, end, depth, declared, parent
        )
        self.count += 1
        if parent is not None:
            parent.children.append(part)
        if len(self.defects) < self.limits.defects:
            self.defects.extend(block.defects)
        if content_type.startswith("multipart/") and self._open(part):
            self.current = None
        else:
            self.current = part
        return part

    def _open(self, part: Part) -> bool:
        if part.depth >= self.limits.nesting:
            self.defects.append(Defect("nested-too-deeply", str(self.limits.nesting)))
            return False
        boundary = part.params.get("boundary", "").rstrip().encode("utf-8", "surrogateescape")
        if not boundary:
            boundary = self._sniff_boundary(part)
            self.defects.append(Defect("no-boundary"))
            if not boundary:
                part.content_type = "text/plain"
                return False
        self.levels.setdefault(boundary, []).append(len(self.open))
        self.open.append((part, boundary))
        return True

    def _sniff_boundary(self, part: Part) -> bytes:
        """The delimiter in use where none is declared: a "--" line followed by a Content- field."""
        found = part.start if self.raw.startswith(b"--", part.start, part.end) else -1
        if found < 0:
            newline = self.raw.find(b"\n--", part.start, min(part.end, part.start + 65_536))
            if newline < 0:
                return b""
            found = newline + 1
        line_end = self.raw.find(b"\n", found, min(part.end, found + 300))
        if line_end < 0 or self.raw[line_end + 1 : line_end + 9].lower() != b"content-":
            return b""
        return self.raw[found + 2 : line_end].rstrip()

    def _close_current(self, found: int) -> None:
        if self.current is not None:
            self.current.end = _before_line_end(self.raw, self.current.start, found)
            self.current = None

    def _pop(self, found: int) -> None:
        part, boundary = self.open.pop()
        levels = self.levels[boundary]
        levels.pop()
        if not levels:
            del self.levels[boundary]
        part.end = _before_line_end(self.raw, part.start, found)
        if not part.children:  # nothing but a preamble: the text is there
            part.content_type = "text/plain"
            self.defects.append(Defect("multipart-without-parts"))

    def _finish(self, end: int) -> None:
        if self.current is not None:
            self.current.end = max(end, self.current.start)
        while self.open:
            self._pop(end)
        del self.defects[self.limits.defects :]


def _before_line_end(raw: bytes, start: int, position: int) -> int:
    """The delimiter owns the line end before it (RFC 2046 section 5.1.1)."""
    if position > start and raw[position - 1 : position] == b"\n":
        position -= 1
        if position > start and raw[position - 1 : position] == b"\r":
            position -= 1
    return max(position, start)


def split(raw: bytes, limits: Limits, *, top: bool = True) -> tuple[Part, list[Defect]]:
    """The tree of a mail (or of the mail inside a message/rfc822 part) and what was wrong with it."""
    splitter = _Splitter(raw, limits)
    root = splitter.split(0, len(raw), top=top)
    return root, splitter.defects


def part_filename(part: Part, limit: int) -> str:
    """The name a part gives itself, not yet cleaned of paths; "" when it has none."""
    for source, name in ((part.disposition.params, "filename"), (part.params, "name")):
        value = source.get(name, "").strip()
        if value:
            return decode_words(value).text
    description = part.block.first("content-description")
    if description and b"." in description:
        return header_text(description, limit)
    return ""
