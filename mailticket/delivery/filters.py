"""The filters of the template language; there are no others. docs/templates.md lists them for authors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from jinja2 import Undefined, pass_context
from jinja2.exceptions import TemplateRuntimeError
from jinja2.filters import FILTERS
from jinja2.runtime import Context

from mailticket.delivery import moments
from mailticket.delivery.digest_values import BarRow, Bars, Item, Items
from mailticket.delivery.link_values import Links
from mailticket.delivery.sandbox import RUN, Run
from mailticket.delivery.values import Table, Value, Words
from mailticket.mail.charset import clean_text
from mailticket.mail.defang import defang

_LONGEST_JOIN = 20_000
_REPLY_PREFIX = re.compile(
    r"(?:re|aw|antw|antwort|sv|vs|rif|ref|odp|res|fwd?|wg|tr|rv|enc|doorst|vl)(?:\[\d{1,3}\])?\s?:\s*",
    re.IGNORECASE,
)
_MOST_PREFIXES = 20


def shown(run: Run, value: Any) -> str:
    """A value as text: times in the reader's zone, lengths of time in words. Raises for what has no text."""
    if isinstance(value, str):
        return value
    if isinstance(value, Undefined):
        return str(value)  # raises, and says what is missing
    if isinstance(value, datetime):
        return moments.moment(value, run.zone, run.words)
    if isinstance(value, timedelta):
        return moments.duration(value, run.words)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise TemplateRuntimeError(f"{type(value).__name__} has no text of its own")


@pass_context
def finalize(context: Context, value: Any) -> str:
    """What `{{ value }}` writes: a placeholder, the value itself being put aside."""
    run: Run = context[RUN]
    if isinstance(value, Words | Table | Items | Bars | Links):
        kept: Value = value
    else:
        kept = Words(shown(run, value))
    return run.put_aside(kept)


@pass_context
def _block(context: Context, value: Any) -> Words:
    """Lines of their own, as they are."""
    return Words(shown(context[RUN], value), is_block=True)


@pass_context
def _quote(context: Context, value: Any) -> Words:
    """Lines of their own, marked as somebody else's words."""
    return Words(shown(context[RUN], value), is_block=True, quoted=True)


@pass_context
def _facts(context: Context, pairs: Sequence[Sequence[Any]], more: Sequence[Sequence[Any]] = ()) -> Table:
    """Pairs of name and value, and `more` of them behind; those without a value are left out."""
    run: Run = context[RUN]
    kept = [
        (key, value)
        for key, value in (*pairs, *more)
        if isinstance(value, Undefined) or value not in (None, "")
    ]
    return Table((), tuple((_cell(run, key), _cell(run, value)) for key, value in kept))


@pass_context
def _table(context: Context, rows: Sequence[Any], columns: Sequence[Sequence[str]]) -> Table:
    """Mappings as the rows of a table. columns: heading, key and, if wanted, what an empty cell shows."""
    run: Run = context[RUN]
    specs = [(column[0], column[1], column[2] if len(column) > 2 else "") for column in columns]
    lines = tuple(
        tuple(_cell(run, context.environment.getattr(row, key)) or empty for _, key, empty in specs)
        for row in rows
    )
    return Table(tuple(head for head, _, _ in specs), lines)


@pass_context
def _listed(
    context: Context, rows: Sequence[Any], title: str, facts: Sequence[Sequence[str]], notes: Sequence[str]
) -> Items:
    """Mappings as numbered items. facts: [before, key, behind, and if wanted what an empty one shows]."""
    run: Run = context[RUN]

    def text(row: Any, key: str) -> str:
        return _cell(run, context.environment.getattr(row, key))

    return Items(
        tuple(
            Item(
                number=text(row, "n"),
                title=text(row, title),
                facts=", ".join(filter(None, (_fact(spec, text(row, spec[1])) for spec in facts))),
                notes=tuple(filter(None, (text(row, note) for note in notes))),
            )
            for row in rows
        )
    )


def _fact(spec: Sequence[str], value: str) -> str:
    if value:
        return f"{spec[0]}{value}{spec[2]}"
    return spec[3] if len(spec) > 3 else ""


@pass_context
def _bars(context: Context, rows: Sequence[Any], late: str) -> Bars:
    """Mappings with `label`, `count` and `late` as bars. late: the word for the late ones."""
    run: Run = context[RUN]
    found = []
    for row in rows:
        values = {key: context.environment.getattr(row, key) for key in ("label", "count", "late")}
        words = f"{values['count']}, {values['late']} {late}" if values["late"] else str(values["count"])
        found.append(BarRow(_cell(run, values["label"]), int(values["count"]), int(values["late"]), words))
    return Bars(tuple(found))


@pass_context
def _links(context: Context, actions: Sequence[Any]) -> Links:
    """One-tap actions as links; each has `label`, `link` and, where that one is long, `short` for text."""
    run: Run = context[RUN]
    got = context.environment.getattr
    found = []
    for row in actions:
        label, link, short = (_cell(run, got(row, name)) for name in ("label", "link", "short"))
        found.append((label, link, short or link))
    return Links(tuple(found))


def _cell(run: Run, value: Any) -> str:
    return "" if value is None else clean_text(shown(run, value), limit=_LONGEST_JOIN, one_line=True)


def _cut(text: str, length: int) -> str:
    """At most `length` characters, the cut shown by an ellipsis."""
    return text if len(text) <= length else text[:length].rstrip() + " […]"


def _short(text: str, length: int) -> str:
    """One line of at most `length` characters, the cut shown by an ellipsis."""
    line = clean_text(text, limit=length + 1, one_line=True)
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def _without_re(subject: str) -> str:
    """A subject without the reply and forward marks in front of it, so that ours stands alone."""
    rest = clean_text(subject, limit=2_000, one_line=True)
    for _ in range(_MOST_PREFIXES):
        mark = _REPLY_PREFIX.match(rest)
        if mark is None:
            break
        rest = rest[mark.end() :]
    return rest or "(no subject)"


def _person(pair: Sequence[str]) -> str:
    """(name, address) as `Name <address>`, or the address alone."""
    name, address = pair
    return f"{name} <{address}>" if name and name != address else address


def _join(items: Sequence[Any], separator: str = "") -> str:
    joined = separator.join(str(item) for item in items)
    if len(joined) > _LONGEST_JOIN:
        raise TemplateRuntimeError(f"join makes more than {_LONGEST_JOIN} characters")
    return joined


@pass_context
def _plural(context: Context, count: int, one: str, many: str) -> str:
    """`3 | plural("ticket", "tickets")` -> `3 tickets`; which counts take the first, the language says."""
    run: Run = context[RUN]
    return f"{count} {one if count in run.words.singular else many}"


@pass_context
def _size(context: Context, octets: int) -> str:
    """The size of a file: `12 kB`."""
    run: Run = context[RUN]
    return moments.size(octets, run.words)


@pass_context
def _files(context: Context, files: Sequence[Any]) -> str:
    """Files by name and size, in one line: `a.png (12 kB), b.txt (640 B)`."""
    run: Run = context[RUN]
    shown_files = (f"{_short(one['name'], 60)} ({moments.size(one['size'], run.words)})" for one in files)
    return ", ".join(shown_files)


@pass_context
def _appointment(context: Context, when: datetime) -> str:
    """A time ahead, by its weekday: `Tuesday 3 November, 17:00 your time`."""
    run: Run = context[RUN]
    return moments.appointment(when, run.zone, run.words, theirs=run.zone_is_theirs)


@pass_context
def _command(context: Context, name: str) -> str:
    """A mail command as agents type it here: `note` -> `#note`."""
    run: Run = context[RUN]
    return run.command_prefix + name


@pass_context
def _date(context: Context, when: datetime) -> str:
    """The day alone: `Tue 3 Nov 2026`."""
    run: Run = context[RUN]
    return moments.date_of(when, run.zone, run.words)


@pass_context
def _time(context: Context, when: datetime) -> str:
    """The time of day to the second, for what is only moments away: `14:03:20 CET`."""
    run: Run = context[RUN]
    local = when.astimezone(run.zone)
    return f"{local:%H:%M:%S} {moments.zone_name(local)}"


@pass_context
def _relative(context: Context, when: datetime) -> str:
    """How far off: `in 3 h 20 min`, `2 d 4 h ago`. Needs `now` in the context."""
    run: Run = context[RUN]
    if run.now is None:
        raise TemplateRuntimeError("now is not given")
    return moments.relative(when, run.now, run.words)


@pass_context
def _since(context: Context, when: datetime) -> timedelta:
    """How long ago, as a length of time. Needs `now` in the context."""
    run: Run = context[RUN]
    if run.now is None:
        raise TemplateRuntimeError("now is not given")
    return run.now - when


@pass_context
def _due(context: Context, when: datetime | None) -> str:
    """When, and how far off; nothing for None. `Tue 3 Nov 2026, 17:00 CET (in 3 h 20 min)`."""
    if when is None:
        return ""
    return f"{shown(context[RUN], when)} ({_relative(context, when)})"


_JINJA = (
    "abs", "capitalize", "count", "d", "default", "first", "int", "last", "length", "list", "lower",
    "rejectattr", "round", "selectattr", "trim", "upper",
)  # fmt: skip

TEMPLATE_FILTERS: dict[str, Any] = {name: FILTERS[name] for name in _JINJA} | {
    "appointment": _appointment,
    "bars": _bars,
    "block": _block,
    "command": _command,
    "cut": _cut,
    "date": _date,
    "defang": defang,
    "due": _due,
    "facts": _facts,
    "files": _files,
    "join": _join,
    "links": _links,
    "listed": _listed,
    "person": _person,
    "plural": _plural,
    "quote": _quote,
    "relative": _relative,
    "short": _short,
    "since": _since,
    "size": _size,
    "table": _table,
    "time": _time,
    "without_re": _without_re,
}
