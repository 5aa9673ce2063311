"""A line over time as braille dots, for terminals: two columns and four rows of dots to a character."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from rich.console import Group
from rich.text import Text

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BLANK = 0x2800


def area(values: Sequence[int], width: int, height: int) -> list[str]:
    """The area under a line, `width` by `height` characters, zero at the bottom.

    Values are spread over the width; a column of dots shows the greatest of those that share it. Any
    value above zero shows at least one dot.
    """
    columns, rows = 2 * width, 4 * height
    top = max(values, default=0)
    cells = [[_BLANK] * width for _ in range(height)]
    for column in range(columns if top > 0 else 0):
        first = column * len(values) // columns
        last = max((column + 1) * len(values) // columns, first + 1)
        value = max(values[first:last])
        filled = -(-value * rows // top)
        for dot in range(filled):
            row = rows - 1 - dot
            cells[row // 4][column // 2] |= _DOTS[column % 2][row % 4]
    return ["".join(map(chr, line)) for line in cells]


def plot(points: Sequence[tuple[datetime, int]], width: int, height: int, zone: tzinfo, title: str) -> Group:
    """The plot with its axes: the greatest value above, dates below in `zone`."""
    top = max((value for _, value in points), default=0)
    label = max(len(str(top)), 1)
    width = max(width - label - 2, 10)
    lines = [Text(title, style="bold")]
    drawn = area([value for _, value in points], width, height)
    for number, line in enumerate(drawn):
        mark = str(top) if number == 0 else "0" if number == height - 1 else ""
        lines.append(Text.assemble((f"{mark:>{label}} ", "dim"), (line, "cyan")))
    if points:
        first, last = (f"{moment.astimezone(zone):%Y-%m-%d}" for moment in (points[0][0], points[-1][0]))
        gap = max(width - len(first) - len(last), 1)
        lines.append(Text(" " * (label + 1) + first + " " * gap + last, style="dim"))
    return Group(*lines)
