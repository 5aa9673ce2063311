"""The skeleton of a mail, with placeholders for its values, laid out once and kept.

A skeleton is what a template writes; it depends on the template and on which of its branches were
taken, hardly ever on the values. So its Markdown is parsed once per shape, and a mail costs no more
than putting its values in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from mailticket.delivery.values import CLOSE, OPEN, WIDTH, Value, columns, wrap

Pieces = tuple[str | int, ...]
"""Literal text, and the numbers of values."""

_PLACEHOLDER = re.compile(f"{OPEN}([0-9]+){CLOSE}")
_IN_HTML = re.compile(f"<p[^>]*>{OPEN}([0-9]+){CLOSE}</p>|{OPEN}([0-9]+){CLOSE}")
_HEADING = ("# ", "## ", "### ")
_SUBJECT = "Subject:"
_LONGEST_SUBJECT = 200

_MONO = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:14px"
STYLES = {
    "p": "margin:0 0 16px",
    "ul": "margin:0 0 16px;padding-left:22px",
    "ol": "margin:0 0 16px;padding-left:26px",
    "li": "margin:0 0 4px",
    "h1": "margin:0 0 16px;font-size:20px;line-height:1.3;font-weight:600",
    "h2": "margin:28px 0 10px;font-size:17px;line-height:1.3;font-weight:600",
    "h3": "margin:24px 0 8px;font-size:15px;line-height:1.3;font-weight:600",
    "a": "color:#1a66c2",
    "code": _MONO,
    "pre": f"{_MONO};margin:0 0 16px;white-space:pre-wrap",
    "hr": "border:0;border-top:1px solid #c5cad3;margin:24px 0",
    "blockquote": "margin:0 0 16px;padding:0 0 0 14px;border-left:3px solid #c5cad3",
    "table": "border-collapse:collapse;margin:0 0 16px",
    "th": "padding:4px 14px 4px 0;text-align:left;border-bottom:1px solid #c5cad3",
    "td": "padding:4px 14px 4px 0;text-align:left;vertical-align:top",
}
"""Inline styles per element: many mail clients drop style sheets. Colours of text are left to the layout."""

_CLASSES = {"hr": "mt-line", "blockquote": "mt-line", "th": "mt-line", "a": "mt-link"}


class BadSkeleton(ValueError):
    """A template wrote something that is no mail; its text says what."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A skeleton taken apart. `text` is by line; in `html` a negative number -n-1 is value n as a block."""

    subject: Pieces
    text: tuple[Pieces, ...]
    html: Pieces

    def subject_of(self, values: Sequence[Value]) -> str:
        """The subject: one line of at most 200 characters."""
        subject = " ".join(_filled(self.subject, values).split())
        return subject if len(subject) <= _LONGEST_SUBJECT else subject[: _LONGEST_SUBJECT - 1].rstrip() + "…"

    def text_of(self, values: Sequence[Value]) -> str:
        """The text part, without a line end at its end. Headings are underlined instead of marked."""
        lines: list[str] = []
        for pieces in self.text:
            if len(pieces) == 1 and isinstance(pieces[0], int):
                lines += values[pieces[0]].lines()
            elif isinstance(pieces[0], str) and pieces[0].startswith(_HEADING):
                heading = _filled(pieces, values).lstrip("# ").rstrip()
                lines += [heading, "-" * min(columns(heading), WIDTH)]
            else:
                lines += wrap(_filled(pieces, values).rstrip())
        return "\n".join(lines).strip("\n")

    def html_of(self, values: Sequence[Value]) -> str:
        """The body of the HTML part."""
        return "".join(
            piece
            if isinstance(piece, str)
            else values[-piece - 1].html(block=True)
            if piece < 0
            else values[piece].html(block=False)
            for piece in self.html
        )


@lru_cache(maxsize=1024)
def shape_of(skeleton: str) -> Shape:
    """Take a skeleton apart: subject line, lines of text, HTML.

    Raises `BadSkeleton` without a subject, and for values where Markdown cannot carry them.
    """
    head, _, body = skeleton.lstrip().partition("\n")
    if not head.startswith(_SUBJECT) or not head[len(_SUBJECT) :].strip():
        raise BadSkeleton('the first line must be "Subject: ..." with no block value in it')
    lines = _single_blanks(body.strip("\n").split("\n"))
    if not any(lines):
        raise BadSkeleton("the body is empty")
    html = _html_pieces(_MARKDOWN.render("\n".join(lines)))
    text = tuple(_pieces(line) for line in lines)
    named = sorted(piece for pieces in text for piece in pieces if isinstance(piece, int))
    if named != sorted(-piece - 1 if piece < 0 else piece for piece in html if isinstance(piece, int)):
        raise BadSkeleton("a value stands where Markdown cannot carry it, such as the address of a link")
    return Shape(_pieces(head[len(_SUBJECT) :].strip()), text, html)


def _single_blanks(lines: Sequence[str]) -> list[str]:
    """Lines without trailing blanks, and never two empty ones together."""
    kept: list[str] = []
    for line in lines:
        line = line.rstrip()
        if line or (kept and kept[-1]):
            kept.append(line)
    return kept


def _pieces(line: str) -> Pieces:
    """Literal text and values, by turns; empty literals left out."""
    parts = _PLACEHOLDER.split(line)
    split = [int(part) if index % 2 else part for index, part in enumerate(parts)]
    return tuple(piece for piece in split if piece != "") or ("",)


def _html_pieces(html: str) -> Pieces:
    pieces: list[str | int] = []
    position = 0
    for match in _IN_HTML.finditer(html):
        pieces.append(html[position : match.start()])
        alone, within = match.groups()
        pieces.append(-int(alone) - 1 if alone is not None else int(within))
        position = match.end()
    pieces.append(html[position:])
    return tuple(piece for piece in pieces if piece != "")


def _filled(pieces: Pieces, values: Sequence[Value]) -> str:
    return "".join(piece if isinstance(piece, str) else values[piece].line() for piece in pieces)


def _style(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if token.nesting >= 0 and token.tag in STYLES:
            token.attrSet("style", STYLES[token.tag])
            if token.tag in _CLASSES:
                token.attrSet("class", _CLASSES[token.tag])
        if token.children:
            _style(token.children)


def _add_styles(state: StateCore) -> None:
    _style(state.tokens)


def _parser() -> MarkdownIt:
    """CommonMark and tables, without HTML, images, entities and indented code."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.disable(["image", "html_block", "html_inline", "entity", "code"])
    parser.core.ruler.push("mail_styles", _add_styles)
    return parser


_MARKDOWN = _parser()
