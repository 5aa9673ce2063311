"""What templates interpolate: values that never meet the Markdown parser.

While a template runs, each value is kept aside and a placeholder stands in its place. Only when the
text has been laid out, and its Markdown turned into HTML, do the values go in: into text as they
are, into HTML escaped. So nothing in a value is ever markup, whatever it looks like.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from markupsafe import escape

from mailticket.mail.charset import clean_text

WIDTH = 76
"""Columns of a text part: fits 80 with two levels of quoting."""

OPEN, CLOSE = "\ue000", "\ue001"
"""A placeholder is OPEN, the value's number, CLOSE: private-use characters, letters to Markdown."""

_NOT_IN_VALUES = {ord(OPEN): "\ufffd", ord(CLOSE): "\ufffd"}
_RUN_OF_BLANKS = re.compile(r"^ | {2,}")
_PARAGRAPHS = re.compile(r"\n(?:[ \t]*\n)+")
_LIST_ITEM = re.compile(r" *(?:[-*+]|\d{1,9}[.)]) +| *")
_WIDE = r"[\u2e80-\u3000\u3003-\u3007\u3012-\u303f\u3040-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff01-\uff60]"
_ANY_WIDE = re.compile(_WIDE)
_OPENS = r"[「『（(【〈《“]"
_CLOSES = r"[、。，．）)】〉》」』！？：；!?・ーぁぃぅぇぉっゃゅょァィゥェォッャュョ”]"
_WIDE_PIECES = re.compile(rf"{_OPENS}*(?:(?!{_OPENS}){_WIDE}|(?:(?!{_WIDE}|{_OPENS}).)+|{_OPENS}){_CLOSES}*")
"""A wide character, or a stretch of others, with the marks that belong to it."""
_HANGING_KEY = 24
_CELL_MARGIN = 2
_SHORT_CELL = 14
"""A cell up to this long is not broken: on narrow screens cells stand below each other anyway."""

QUIET = "color:#6b7280"
_QUOTE_STYLE = "margin:0 0 16px;padding:2px 0 2px 14px;border-left:3px solid #c5cad3"
_TABLE_STYLE = "border-collapse:collapse;margin:0 0 16px"
_CELL_STYLE = (
    "padding:5px 14px 5px 0;text-align:left;vertical-align:top;word-break:normal;overflow-wrap:break-word"
)
_HEAD_STYLE = f"{_CELL_STYLE};font-weight:600;border-bottom:1px solid #c5cad3"
_KEY_STYLE = f"padding:2px 14px 2px 0;text-align:left;vertical-align:top;white-space:nowrap;{QUIET}"
_VALUE_STYLE = "padding:2px 0;text-align:left;vertical-align:top;overflow-wrap:anywhere"


class Value(Protocol):
    """One interpolated value, ready for both parts of a mail."""

    @property
    def is_block(self) -> bool:
        """True for what always stands in lines of its own."""
        ...

    @property
    def size(self) -> int:
        """Characters it adds, about."""
        ...

    def line(self) -> str:
        """As part of a line of text: one line, blanks collapsed, no bidi controls."""
        ...

    def lines(self) -> list[str]:
        """As lines of text of its own."""
        ...

    def html(self, *, block: bool) -> str:
        """Escaped HTML: a block with paragraphs, or for the middle of a line."""
        ...


@dataclass(frozen=True, slots=True)
class Words:
    """A plain value. Several lines of it stay lines where it stands alone, else they become one."""

    text: str
    is_block: bool = False
    quoted: bool = False

    @property
    def size(self) -> int:
        return len(self.text)

    def line(self) -> str:
        return clean_text(self.text, one_line=True)

    def lines(self) -> list[str]:
        lines = self.text.strip("\n").split("\n")
        if self.quoted:
            return [f"> {line}" if line.strip() else ">" for line in lines]
        return [line.rstrip() for line in lines]

    def html(self, *, block: bool) -> str:
        if not block:
            return str(escape(self.line()))
        style = f' class="mt-line" style="{_QUOTE_STYLE}"' if self.quoted else ' style="margin:0 0 16px"'
        paragraphs = [paragraph.strip("\n") for paragraph in _PARAGRAPHS.split(self.text.strip("\n"))]
        last = len(paragraphs) - 1
        inner = "".join(
            f'<p style="margin:0 0 {0 if number == last else 12}px">{broken(paragraph)}</p>'
            for number, paragraph in enumerate(paragraphs)
        )
        return f"<div{style}>{inner}</div>"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, each one line. With `heads` a table, without them a list of facts."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def is_block(self) -> bool:
        return True

    @property
    def size(self) -> int:
        return sum(len(cell) + 60 for row in self.rows for cell in row)

    def line(self) -> str:
        return "; ".join(" ".join(row) for row in self.rows)

    def lines(self) -> list[str]:
        return self._columns() if self.heads else self._facts()

    def html(self, *, block: bool) -> str:
        if not block:
            return str(escape(self.line()))
        if not self.heads:
            body = "".join(
                f'<tr><td class="mt-quiet" style="{_KEY_STYLE}">{escape(row[0])}</td>'
                f'<td style="{_VALUE_STYLE}">{escape(row[1])}</td></tr>'
                for row in self.rows
            )
            return f'<table role="presentation" cellspacing="0" style="{_TABLE_STYLE}">{body}</table>'
        head = "".join(
            f'<th class="mt-line" style="{_HEAD_STYLE}">{escape(cell)}</th>' for cell in self.heads
        )
        body = "".join(f'<tr class="mt-row mt-line">{self._cells(row)}</tr>' for row in self.rows)
        head = f'<tr class="mt-heads">{head}</tr>'
        return f'<table cellspacing="0" style="{_TABLE_STYLE};width:100%">{head}{body}</table>'

    def _cells(self, row: tuple[str, ...]) -> str:
        """A row's cells; each knows its heading, which narrow screens show beside it."""
        return "".join(
            f'<td class="mt-cell" data-head="{escape(head)}" style="{_CELL_STYLE}'
            f'{";white-space:nowrap" if len(cell) <= _SHORT_CELL else ""}">{escape(cell)}</td>'
            for head, cell in zip(self.heads, row, strict=True)
        )

    def _facts(self) -> list[str]:
        margin = min(max((columns(row[0]) for row in self.rows), default=0), _HANGING_KEY) + 2
        lines: list[str] = []
        for key, value in self.rows:
            wrapped = wrap(value, WIDTH - margin)
            # a key too long for its column still keeps its distance
            lines.append((pad(key, max(margin, columns(key) + 1)) + wrapped[0]).rstrip())
            lines += [" " * margin + line for line in wrapped[1:]]
        return lines

    def _columns(self) -> list[str]:
        grid = [self.heads, *self.rows]
        widths = [max(columns(row[index]) for row in grid) for index in range(len(self.heads))]
        room = WIDTH - _CELL_MARGIN * (len(widths) - 1)
        while sum(widths) > room and max(widths) > 4:
            widest = widths.index(max(widths))
            second = max([width for index, width in enumerate(widths) if index != widest], default=0)
            widths[widest] = max(widths[widest] - (sum(widths) - room), min(second, widths[widest] - 1), 4)
        rule = tuple("-" * width for width in widths)
        margin = " " * _CELL_MARGIN
        fitted = (zip(row, widths, strict=True) for row in (self.heads, rule, *self.rows))
        return [
            margin.join(pad(shorten(cell, width), width) for cell, width in row).rstrip() for row in fitted
        ]


def clean_value(text: str) -> str:
    """A string as values keep it: `clean_text`, and no character that could pass for a placeholder."""
    text = clean_text(text)
    return text.translate(_NOT_IN_VALUES) if OPEN in text or CLOSE in text else text


def broken(text: str) -> str:
    """Escaped HTML of lines of text: line ends as <br>, indentation and runs of blanks kept."""
    escaped = str(escape(text.replace("\t", "    ")))
    if "  " in escaped or "\n " in escaped or escaped.startswith(" "):
        escaped = "\n".join(_RUN_OF_BLANKS.sub(_kept_blanks, line) for line in escaped.split("\n"))
    return escaped.replace("\n", "<br>\n")


def _kept_blanks(run: re.Match[str]) -> str:
    """A run of blanks that HTML does not collapse; its last one may still break the line."""
    length = len(run.group())
    return "&nbsp;" if length == 1 else "&nbsp;" * (length - 1) + " "


def columns(text: str) -> int:
    """How many columns a line takes in a fixed-width font: two for East Asian wide characters."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def pad(text: str, width: int) -> str:
    """`text` filled up with blanks to `width` columns."""
    return text + " " * (width - columns(text))


def shorten(text: str, width: int) -> str:
    """`text` in at most `width` columns, the cut shown by an ellipsis."""
    if columns(text) <= width:
        return text
    kept, used = [], 1
    for char in text:
        used += columns(char)
        if used > width:
            break
        kept.append(char)
    return "".join(kept).rstrip() + "…"


def wrap(line: str, width: int = WIDTH) -> list[str]:
    """A line of text broken at blanks so that it fits, list items with a hanging indent.

    Words longer than the line, such as addresses, stay whole. At least one line comes back.
    """
    if columns(line) <= width:
        return [line]
    prefix = _LIST_ITEM.match(line)
    indent = prefix.end() if prefix else 0
    lines: list[str] = []
    current, used = line[:indent], indent
    for glue, piece in _pieces(line[indent:]):
        size, gap = columns(piece), len(glue) if used > indent else 0
        if used > indent and used + gap + size > width:
            lines.append(current)
            current, used, gap = " " * indent, indent, 0
        current, used = current + " " * gap + piece, used + gap + size
    lines.append(current)
    return lines


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """What a line is broken between: words after a blank, and East Asian characters after nothing.

    No line begins with a closing mark or ends with an opening one (JIS X 4051, simplified).
    """
    for word in text.split():
        glue = " "
        for piece in _WIDE_PIECES.findall(word) if _ANY_WIDE.search(word) else [word]:
            yield glue, piece
            glue = ""
