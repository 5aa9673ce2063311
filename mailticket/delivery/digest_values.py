"""Two shapes that digests are made of: numbered items, and bars that every mail client can show.

Both are plain tables and text. A bar is table cells with a background colour, because clients drop
images, style sheets and the width of a div, and none drops the width and colour of a cell; in text it is
`###====`: what is late, then the rest. Every bar stands beside its number, so that none is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import escape

from mailticket.delivery.values import QUIET, WIDTH, columns, pad, shorten, wrap

_BAR_COLUMNS = 28
_LABEL_COLUMNS = 24
_LATE, _REST = "#", "="
_LATE_COLOUR, _REST_COLOUR = "#c0392b", "#7d9cc0"
_LISTED_STYLE = "border-collapse:collapse;margin:0 0 16px;width:100%"
_NUMBER_STYLE = "padding:5px 12px 5px 0;text-align:right;vertical-align:top;white-space:nowrap;width:1%"
_ITEM_STYLE = "padding:5px 0;text-align:left;vertical-align:top;overflow-wrap:anywhere"
_SMALL = f"font-size:13px;line-height:1.45;{QUIET}"
_BARS_STYLE = "border-collapse:collapse;margin:0 0 16px;width:100%"
_LABEL_STYLE = "padding:2px 12px 2px 0;text-align:left;vertical-align:middle;width:34%;overflow-wrap:anywhere"
_COUNT_STYLE = "padding:2px 0 2px 12px;text-align:left;vertical-align:middle;white-space:nowrap;width:1%"
_FILL = "height:12px;line-height:12px;font-size:1px;padding:0"


@dataclass(frozen=True, slots=True)
class Item:
    """number  what its reader calls it by; title, facts and notes  one line each, any length"""

    number: str
    title: str
    facts: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """Numbered items below each other: a title, its facts, and notes."""

    items: tuple[Item, ...]

    @property
    def is_block(self) -> bool:
        return True

    @property
    def size(self) -> int:
        return sum(200 + len(item.title) + len(item.facts) + sum(map(len, item.notes)) for item in self.items)

    def line(self) -> str:
        return "; ".join(f"{item.number} {item.title}" for item in self.items)

    def lines(self) -> list[str]:
        margin = max((columns(item.number) for item in self.items), default=0) + 2
        found: list[str] = []
        for item in self.items:
            if found:
                found.append("")
            rows = [item.title, item.facts, *item.notes]
            wrapped = [line for row in rows if row for line in wrap(row, WIDTH - margin)]
            first, *rest = wrapped or [""]
            found.append(pad(item.number, margin) + first)
            found += [" " * margin + line for line in rest]
        return [line.rstrip() for line in found]

    def html(self, *, block: bool) -> str:
        if not block:
            return str(escape(self.line()))
        rows = "".join(
            f'<tr><td class="mt-quiet" style="{_NUMBER_STYLE};{QUIET}">{escape(item.number)}</td>'
            f'<td class="mt-line" style="{_ITEM_STYLE}">{_item_html(item)}</td></tr>'
            for item in self.items
        )
        return f'<table role="presentation" cellspacing="0" style="{_LISTED_STYLE}">{rows}</table>'


@dataclass(frozen=True, slots=True)
class BarRow:
    """One bar: how many, how many of them are late, and the words beside it."""

    label: str
    count: int
    late: int
    words: str


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars below each other, all to one scale."""

    rows: tuple[BarRow, ...]

    @property
    def is_block(self) -> bool:
        return True

    @property
    def size(self) -> int:
        return 900 * len(self.rows)

    def line(self) -> str:
        return "; ".join(f"{row.label}: {row.words}" for row in self.rows)

    def lines(self) -> list[str]:
        label = min(max((columns(row.label) for row in self.rows), default=0), _LABEL_COLUMNS)
        found = []
        for row in self.rows:
            late, rest = self._shares(row, _BAR_COLUMNS)
            bar = pad(_LATE * late + _REST * rest, _BAR_COLUMNS)
            found.append(f"{pad(shorten(row.label, label), label)}  {bar}  {row.words}".rstrip())
        return found

    def html(self, *, block: bool) -> str:
        if not block:
            return str(escape(self.line()))
        rows = "".join(
            f'<tr><td style="{_LABEL_STYLE}">{escape(row.label)}</td>'
            f'<td style="padding:2px 0;vertical-align:middle">{self._bar_html(row)}</td>'
            f'<td class="mt-quiet" style="{_COUNT_STYLE};{QUIET}">{escape(row.words)}</td></tr>'
            for row in self.rows
        )
        return f'<table role="presentation" cellspacing="0" style="{_BARS_STYLE}">{rows}</table>'

    def _bar_html(self, row: BarRow) -> str:
        late, rest = self._shares(row, 100)
        cells = ((late, _LATE_COLOUR), (rest, _REST_COLOUR), (100 - late - rest, ""))
        return (
            '<table role="presentation" cellspacing="0" cellpadding="0" width="100%" '
            'style="border-collapse:collapse;width:100%"><tr>'
            + "".join(_cell_html(share, colour) for share, colour in cells if share)
            + "</tr></table>"
        )

    def _shares(self, row: BarRow, width: int) -> tuple[int, int]:
        """How much of `width` is late, and how much is not; what there is never shows as nothing."""
        most = max(max(other.count for other in self.rows), 1)
        late = _share(row.late, most, width)
        whole = max(_share(row.count, most, width), late + (row.count > row.late))
        return (late, whole - late) if whole <= width else (width - 1, 1)


def _share(count: int, most: int, width: int) -> int:
    return max(round(count * width / most), 1) if count else 0


def _cell_html(share: int, colour: str) -> str:
    painted = f' bgcolor="{colour}"' if colour else ""
    style = f"{_FILL};width:{share}%" + (f";background-color:{colour}" if colour else "")
    return f'<td width="{share}%"{painted} style="{style}">&nbsp;</td>'


def _item_html(item: Item) -> str:
    lines = [f'<div style="font-weight:600">{escape(item.title)}</div>']
    lines += [
        f'<div class="mt-quiet" style="{_SMALL}">{escape(text)}</div>'
        for text in (item.facts, *item.notes)
        if text
    ]
    return "".join(lines)
