"""Where the structure of an HTML mail says that quotes and signatures are, as lines of the text.

Clients mark what they quote (`blockquote type=cite`, `gmail_quote`, `#divRplyFwdMsg`, Outlook's grey
rule above copied headers, ...) in every language alike. The marked elements are found by CSS in C
(resiliparse), their texts looked up, blanks removed, in the mail's plain text: so it does not
matter whether that text was made from the HTML or came beside it.
"""

from __future__ import annotations

import enum
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from mailticket.mail.quoting_intro import invisible_removed

if TYPE_CHECKING:
    from resiliparse.parse.html import ElementNode, Node


class Mark(enum.Enum):
    """What an element's place in the HTML says about its text."""

    CONTAINER = "container"
    """Holds quoted text and nothing else."""
    WRAPPER = "wrapper"
    """Holds an intro and a quote, or, with no quote marked inside it, nothing but quoted text."""
    START = "start"
    """From here to the end of the mail all is quoted."""
    INTRO = "intro"
    """Introduces the quote that follows."""
    SIGNATURE = "signature"


_SELECTORS: tuple[tuple[Mark, tuple[str, ...]], ...] = (
    (
        Mark.SIGNATURE,
        (
            ".gmail_signature", ".moz-signature", ".protonmail_signature_block",
            "#ms-outlook-mobile-signature",
            "#AppleMailSignature", '[name="messageSignatureSection"]', "#ymail_android_signature",
            '[id^="ymail_"][id$="signature"]', ".gmail_signature_prefix", "#Signature", ".x_gmail_signature",
            ".tutanota_signature", '[id^="Zm-_Id_-Sgn"]', ".zm_signature", ".fm-signature",
        ),
    ),
    (
        Mark.INTRO,
        (".gmail_attr", ".moz-cite-prefix", "#reply-intro", ".moz-email-headers-table", ".x_gmail_attr"),
    ),
    (
        Mark.START,
        (
            "#appendonsend", "#x_appendonsend", "#divRplyFwdMsg", "#OLK_SRC_BODY_SECTION", "#stopSpelling",
            "#mail-editor-reference-message-container", ".ms-outlook-mobile-reference-message",
            'div[style*="border-top:solid #E1E1E1" i]', 'div[style*="border-top:solid #B5C4DF" i]',
            'div[style*="border-top: solid #E1E1E1" i]', 'div[style*="border-top:solid rgb(225" i]',
            'div[style*="border-top: 1pt solid rgb(225" i]', 'div[style*="border-top: 1pt solid rgb(181" i]',
            'div[style*="border-top: 1px solid rgb(225" i]', 'div[style*="border-top:1pt solid #E1E1E1" i]',
            'div[style*="border-top:solid windowtext 1.0pt;padding:3.0pt" i]', "hr[id=zwchr]", "#zwchr",
            ".zmail_extra_hr", ".hmmessage hr", 'hr[tabindex="-1"]',
        ),
    ),
    (
        Mark.WRAPPER,
        (".gmail_quote", ".gmail_quote_container", ".protonmail_quote", ".x_gmail_quote"),
    ),
    (
        Mark.CONTAINER,
        (
            'blockquote[type="cite" i]', 'blockquote[cite^="mid:" i]', ".clean_bq",
            'blockquote[class*="quote" i]',
            'blockquote[style*="border-left" i]', ".yahoo_quoted", '[id^="yahoo_quoted"]', ".tutanota_quote",
            ".zmail_extra", "#zmail_extra", '[name="quote"]', "#isReplyContent", "#isForwardContent",
            "includetail",
            ".history_container", '[name="messageReplySection"]', ".front-blockquote", ".mail-quote",
            ".moz-forward-container", '[fairemail="reference"]', '[fairemail="quote"]', ".freshdesk_quote",
            ".replyQuote", ".mailruQuote", ".mail-quote-collapse", ".quoted-reply", ".original-message",
            'blockquote[id="iosymail"]', 'blockquote[style*="padding-left:1ex" i]',
        ),
    ),
)  # fmt: skip
_BARE = "blockquote"
_HINTS = (
    "blockquote", "quote", "border-top", "appendonsend", "divrplyfwdmsg", "cite", "signature", "stopspelling",
    "zmail",
    "olk_src", "reference", "isreplycontent", "includetail", "messagereply", "history_container", "zwchr",
    "clean_bq",
    "isforwardcontent", "original-message", "reply-intro", "tabindex",
)  # fmt: skip
_ALL = ",".join([selector for _, selectors in _SELECTORS for selector in selectors] + [_BARE])
_BY_MARK = tuple((mark, ",".join(selectors)) for mark, selectors in _SELECTORS)

_MAX_HTML = 600_000
"""Characters of HTML looked at; the quote of a longer one is left to the text's own signs."""
_MAX_ELEMENTS = 40
_MAX_PARENTS = 60
_MAX_FIND = 12
_ANCHORS = (72, 36, 18)
"""Lengths, blanks not counted, of the start of an element's text that are looked for."""
_SURE_ANCHOR = 12
"""A shorter text must fill its lines exactly: "Hi" is found anywhere."""


@dataclass(frozen=True, slots=True)
class Region:
    """lines[first:end] are what `mark` says. `method` is the client's sign that said so."""

    mark: Mark
    first: int
    end: int
    method: str


class _Alignment(NamedTuple):
    """The text without blanks, and where in it every line begins."""

    text: str
    starts: Sequence[int]

    def line_at(self, offset: int) -> int:
        return bisect_right(self.starts, offset) - 1


def regions(html: str, lines: Sequence[str]) -> list[Region]:
    """The quoted and signature regions of a mail's text by its HTML, first line first.

    html   the HTML source, decoded
    lines  the lines of the text, stripped of blanks and quote prefixes; "" for a blank one

    Regions nested in an earlier quoted region are left out. Empty when the HTML marks nothing or
    what it marks is not found in the text. Never raises; linear in both.
    """
    if not html or len(html) > _MAX_HTML:
        return []
    lowered = html.lower()
    if not any(hint in lowered for hint in _HINTS):
        return []
    elements = _marked_elements(html)
    if not elements:
        return []
    alignment = _align(lines)
    found: list[Region] = []
    position = 0
    for mark, node in elements:
        region = _locate(mark, node, alignment, position)
        if region is None or region.first < (found[-1].end if found else 0):
            continue
        found.append(region)
        position = alignment.starts[min(region.end, len(alignment.starts) - 1)]
        if region.end >= len(lines):
            break
    return found


def _marked_elements(html: str) -> list[tuple[Mark, ElementNode]]:
    from resiliparse.parse.html import HTMLTree  # 20 ms to import; not every mail has marked HTML

    tree = HTMLTree.parse(html.encode("utf-8", "replace").decode("utf-8"))
    if tree.body is None:
        return []
    elements = []
    for node in tree.body.query_selector_all(_ALL)[:_MAX_ELEMENTS]:
        mark = next((mark for mark, selector in _BY_MARK if node.matches(selector)), None)
        if mark is Mark.WRAPPER and _holds_its_quote(node):
            continue
        if mark is not None:
            elements.append((mark, node))
        elif _follows_intro(node):
            elements.append((Mark.CONTAINER, node))
    return elements


def _follows_intro(blockquote: ElementNode) -> bool:
    """Whether a bare blockquote stands directly below a line that ends in a colon: a quote by its place."""
    before = blockquote.prev
    for _ in range(6):
        if before is None:
            return False
        text = invisible_removed(before.text or "").strip()
        if text:
            return (
                len(text) < 400 and text[-1] in ":：" and any(char.isdigit() or char == "@" for char in text)
            )
        before = before.prev
    return False


def _align(lines: Sequence[str]) -> _Alignment:
    pieces = _squeeze("\n".join(lines)).split("\n")
    return _Alignment("".join(pieces), [0, *accumulate(map(len, pieces))])


_DIFFERENT = dict.fromkeys(map(ord, " \t\r\f\v*<>\u00a0\u1680\u202f\u205f\u3000\x85\u2028\u2029"))
_DIFFERENT |= dict.fromkeys(range(0x2000, 0x200B))


def _squeeze(text: str) -> str:
    """Text without blanks, quote marks and what HTML and plain renderings differ in; LF stays."""
    if not text.isascii():
        return invisible_removed(text.translate(_DIFFERENT))
    for char in " \t\r\f\v*<>":
        text = text.replace(char, "")
    return text


def _text_of(node: Node) -> str:
    return _squeeze(node.text or "").replace("\n", "")


def _locate(mark: Mark, node: ElementNode, alignment: _Alignment, position: int) -> Region | None:
    content = _text_of(node)
    if mark is Mark.START and len(content) < _SURE_ANCHOR:
        content = _text_after(node)
    if not content:
        return None
    start = _find_start(content, alignment, position)
    if start is None:
        return None
    first = alignment.line_at(start)
    while first + 1 < len(alignment.starts) - 1 and alignment.starts[first + 1] == start:
        first += 1
    last_line = len(alignment.starts) - 1
    method = _name_of(node)
    if mark is Mark.START:
        return Region(mark, first, last_line, method)
    end = _find_end(content, alignment, start)
    if end is None:
        return Region(mark, first, last_line, method) if mark is not Mark.SIGNATURE else None
    return Region(mark, first, end, method)


def _holds_its_quote(wrapper: ElementNode) -> bool:
    """Whether a wrapper directly holds the quote: then that says more, for people answer inside wrappers."""
    quote = wrapper.query_selector("blockquote")
    return quote is not None and _is_child(quote, wrapper)


def _is_child(node: ElementNode, parent: ElementNode) -> bool:
    above: Node | None = node.parent
    for _ in range(2):
        if above is None:
            return False
        if above == parent:
            return True
        above = above.parent
    return False


def _text_after(node: ElementNode) -> str:
    """The text that follows an element without text of its own (a rule, Outlook's empty marker)."""
    current: Node | None = node
    for _ in range(_MAX_PARENTS):
        if current is None:
            break
        sibling: Node | None = current.next
        for _ in range(_MAX_PARENTS):
            if sibling is None:
                break
            text = _text_of(sibling)
            if text:
                return text
            sibling = sibling.next
        current = current.parent
    return ""


def _find_start(content: str, alignment: _Alignment, position: int) -> int | None:
    """Where in the aligned text, at the start of a line, an element's text begins."""
    if len(content) < _SURE_ANCHOR:
        return _find_exact(content, alignment, position)
    tried = 0
    for length in _ANCHORS:
        if len(content) < length and length != _ANCHORS[-1]:
            continue
        anchor = content[:length]
        at = alignment.text.find(anchor, position)
        while at >= 0 and tried < _MAX_FIND:
            if _begins_line(alignment, at):
                return at
            tried += 1
            at = alignment.text.find(anchor, at + 1)
    return None


def _begins_line(alignment: _Alignment, offset: int) -> bool:
    """Whether at most two characters (a bullet, a bar) stand before `offset` in its line."""
    return offset - alignment.starts[alignment.line_at(offset)] <= 2


def _find_exact(content: str, alignment: _Alignment, position: int) -> int | None:
    at = alignment.text.find(content, position)
    for _ in range(_MAX_FIND):
        if at < 0:
            return None
        end = at + len(content)
        if alignment.starts[alignment.line_at(at)] == at and _is_line_start(alignment, end):
            return at
        at = alignment.text.find(content, at + 1)
    return None


def _is_line_start(alignment: _Alignment, offset: int) -> bool:
    at = bisect_left(alignment.starts, offset)
    return at < len(alignment.starts) and alignment.starts[at] == offset


def _find_end(content: str, alignment: _Alignment, start: int) -> int | None:
    """The line after an element's text that begins at offset `start`; None when its end is not found."""
    expected = start + len(content)
    if alignment.text.startswith(content, start):
        return bisect_left(alignment.starts, expected)
    slack = max(200, len(content) // 10)
    for length in _ANCHORS:
        tail = content[-length:]
        at = alignment.text.find(tail, max(start, expected - len(tail) - slack))
        if at >= 0:
            return bisect_left(alignment.starts, at + len(tail))
    return None


def _name_of(node: ElementNode) -> str:
    """A short name of the sign for `explain`: its class, id, or tag."""
    label = (node.getattr("class") or node.id or node.tag or "").split()
    return label[0][:40] if label else "html"
