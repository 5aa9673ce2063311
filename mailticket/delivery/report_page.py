"""The SLA report as one HTML file: tables and a chart as inline SVG, nothing loaded from anywhere.

Made to be attached to a mail or opened from a disk: no script, no font, no image, no link.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from html import escape

from mailticket.config.promise import Target
from mailticket.domain.clocks import target_words
from mailticket.domain.report import GroupFigures, SLAReport, length_words, share_words

_STYLE = """
:root { color-scheme: light dark; --line: #c8ccd2; --ink: #1d2733; --soft: #5c6773; --fill: #2f6fb5;
  --bad: #b3261e; --page: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --line: #414a55; --ink: #e6e9ed; --soft: #a3adb8;
  --fill: #6fa8e6; --bad: #ff8a80; --page: #14181d; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 2em auto;
  max-width: 75em; padding: 0 1em; }
h1 { font-size: 1.4em; margin: 0; }
h2 { font-size: 1.1em; margin: 2em 0 .5em; }
p { color: var(--soft); margin: .3em 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin-bottom: .5em; }
th, td { padding: .35em .7em; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
thead th { color: var(--soft); font-weight: 600; }
tr.total td { font-weight: 600; border-bottom: 0; }
.late { color: var(--bad); font-weight: 600; }
svg { width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 12px; }
"""
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 900, 260, 48, 14, 28


def report_page(report: SLAReport, title: str, zone: tzinfo) -> str:
    """The report as a whole HTML document; times are told in `zone`."""
    period = f"{_moment(report.since, zone)} to {_moment(report.until, zone)}"
    counts = _table(report, ("came in", "resolved", "came back", "open now", "overdue now"), _counts)
    targets = "".join(
        f"<h2>{escape(target_words(target).capitalize())}</h2>\n{_target_table(report, target)}"
        for target in report.targets
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n<p>{escape(period)}, {escape(str(zone))}</p>\n"
        f"<h2>Tickets</h2>\n{counts}{targets}"
        "<p>Promises count in the period in which they were kept or broken. Lengths are working time.</p>\n"
        f"<h2>Unfinished tickets</h2>\n{backlog_chart(report.backlog, zone)}\n</body>\n</html>\n"
    )


def backlog_chart(points: Sequence[tuple[datetime, int]], zone: tzinfo) -> str:
    """Unfinished tickets over time as an inline SVG picture."""
    if not points:
        return "<p>Nothing to draw.</p>"
    top = max(*(value for _, value in points), 1)
    right, bottom = _WIDTH - 8, _HEIGHT - _BOTTOM
    step = (right - _LEFT) / max(len(points) - 1, 1)
    spots = [
        (_LEFT + number * step, bottom - (bottom - _TOP) * value / top)
        for number, (_, value) in enumerate(points)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    ground = f"{_LEFT},{bottom} {line} {spots[-1][0]:.1f},{bottom}"
    told = f"Unfinished tickets from {points[0][1]} to {points[-1][1]}, at most {top}"
    grid = "".join(
        f'<line x1="{_LEFT}" x2="{right}" y1="{y}" y2="{y}" stroke="var(--line)"/>'
        f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{value}</text>'
        for value, y in ((top, _TOP), (0, bottom))
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(told)}">{grid}'
        f'<polygon points="{ground}" fill="var(--fill)" opacity="0.18"/>'
        f'<polyline points="{line}" fill="none" stroke="var(--fill)" stroke-width="2"/>'
        f'<text x="{_LEFT}" y="{_HEIGHT - 8}">{_day(points[0][0], zone)}</text>'
        f'<text x="{right}" y="{_HEIGHT - 8}" text-anchor="end">{_day(points[-1][0], zone)}</text></svg>'
    )


def _counts(group: GroupFigures) -> list[str]:
    numbers = [str(group.created), str(group.resolved), share_words(group.reopen_rate), str(group.open)]
    return [*numbers, _bad(group.overdue)]


def _target_table(report: SLAReport, target: Target) -> str:
    def cells(group: GroupFigures) -> list[str]:
        figures = group.of(target)
        lengths = [length_words(figures.p50), length_words(figures.p90)]
        return [str(figures.met), _bad(figures.missed), share_words(figures.share_met), *map(escape, lengths)]

    return _table(report, ("met", "missed", "in time", "half within", "9 of 10 within"), cells)


def _table(report: SLAReport, names: Sequence[str], cells: Callable[[GroupFigures], list[str]]) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in (report.by, *names))
    body = "".join(_row(group.name, cells(group), "group") for group in report.groups)
    total = _row(report.total.name, cells(report.total), "total")
    return (
        f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}{total}</tbody>\n</table></div>\n"
    )


def _row(name: str, cells: Sequence[str], kind: str) -> str:
    inside = "".join(f"<td>{cell}</td>" for cell in (escape(name), *cells))
    return f'<tr class="{kind}">{inside}</tr>\n'


def _bad(count: int) -> str:
    return f'<span class="late">{count}</span>' if count else "0"


def _moment(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def _day(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d}"
