"""HTML mail to plain text, and to HTML safe to show.

Text by resiliparse, sanitising by nh3 (ammonia): the only ones measured that neither recurse, nor lose
the text of deep trees, nor turn quadratic on "<!--" * n. Nothing a mail names is ever fetched.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Final

from mailticket.mail.charset import clean_text
from mailticket.mail.limits import Limits

if TYPE_CHECKING:
    import nh3

# word that must be there -> selectors worth trying; each selector costs a walk of the tree
_HIDING: Final = {
    "none": [f'[style*="display{colon}none" i]' for colon in (":", ": ", " :")],
    "hidden": ["[hidden]", *(f'[style*="visibility{colon}hidden" i]' for colon in (":", ": "))],
    "mso-hide": [f'[style*="mso-hide{colon}all" i]' for colon in (":", ": ")],
    "opacity": [f'[style*="opacity{zero}" i]' for zero in (":0;", ": 0;")],
    "max-height": [f'[style*="max-height{zero}" i]' for zero in (":0px", ":0;", ": 0px", ": 0;")],
    "font-size:0": [f'span[style*="font-size{zero}" i]' for zero in (":0px", ":0;")],
    "font-size: 0": [f'span[style*="font-size{zero}" i]' for zero in (": 0px", ": 0;")],
}
_NEVER_TEXT: Final = ("style", "script", "title", "template")
_PARAGRAPH: Final = re.compile(r"<(/?)[pP](?=[\s>])")
_RULE: Final = re.compile(r"<hr(?=[\s/>])[^<>]{0,1000}>", re.IGNORECASE)
_ANCHOR_WITHOUT_TARGET: Final = re.compile(
    r"<a(?=[\s>])(?![^<>]{0,4000}\bhref\s{0,4}=\s{0,4}[\"']?[^\"'#\s>])[^<>]{0,4000}>", re.IGNORECASE
)
_LINK: Final = re.compile(r" \(((?:https?://|mailto:|tel:|cid:)[^\s()]{1,4000})\)")
_DEAD_LINK: Final = re.compile(r" \((?:javascript|vbscript|data|file):\S{0,300}\)")
_WEAK_LINKS: Final = ("cid:", "tel:")
_TAG: Final = re.compile(r"<[a-zA-Z!/][^<>]{0,4000}>")


_ELEMENT: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
_VOID: Final = frozenset({"br", "img", "hr", "input", "meta", "link", "col", "wbr", "area", "base", "embed"})


def too_deep(html: str, limits: Limits) -> bool:
    """True when more elements may be open at once than `limits.html_depth`.

    Closing tags count whatever they close, so unclosed paragraphs and cells count as depth: only
    mails with thousands of them are refused.
    """
    if html.count("<") <= limits.html_depth:
        return False
    depth = 0
    for match in _ELEMENT.finditer(html):
        if match.group(1):
            depth -= 1
        elif match.group(2).lower() not in _VOID:
            depth += 1
            if depth > limits.html_depth:
                return True
    return False


def html_to_text(html: str, limits: Limits) -> str | None:
    """Plain text of an HTML body, with lists, table cells, and link targets kept.

    None when it is too big or too deep to be rendered, or has no readable form. What the sender hid
    (display:none and the like) is left out: a reader would not see it either.
    """
    if len(html) > limits.html or html.count("<") > limits.html_tags:
        return None
    from resiliparse.extract.html2text import extract_plain_text  # 20 ms to import; not every mail has HTML

    source = html
    if "MsoNormal" in html:  # Outlook's paragraphs have no margins: each is a line, an empty one a blank line
        source = _PARAGRAPH.sub(r"<\1div", html)
    if "<hr" in source or "<HR" in source:
        source = _RULE.sub("<div>" + "_" * 32 + "</div>", source)  # as Outlook writes it into plain text
    source = _ANCHOR_WITHOUT_TARGET.sub("<span>", source)  # would be shown as "text ()"
    try:
        text = extract_plain_text(
            source, preserve_formatting=True, main_content=False, list_bullets=True, links=True,
            alt_texts=True, form_fields=False, noscript=True, skip_elements=_hidden(source),
        )  # fmt: skip
    except Exception:  # noqa: BLE001 - a C library on foreign input; the caller shows the tags stripped
        return strip_tags(source)
    return tidy(_shorten_links(text))


def _hidden(html: str) -> list[str]:
    """Selectors of what is not shown, of those that can match at all."""
    lowered = html.lower()
    selectors = [selector for word, group in _HIDING.items() if word in lowered for selector in group]
    return [*_NEVER_TEXT, *selectors]


def strip_tags(html: str) -> str:
    """The crudest reading: tags replaced by spaces. For what no parser takes."""
    return clean_text(_TAG.sub(" ", html))


def _shorten_links(text: str) -> str:
    """Drop a link's target where the text says the same: `http://x (http://x)`."""
    if " (" not in text:
        return text
    if "script:" in text or "data:" in text or "file:" in text:
        text = _DEAD_LINK.sub("", text)
    out: list[str] = []
    position = 0
    for match in _LINK.finditer(text):
        url = match.group(1)
        bare = url.removeprefix("mailto:").removeprefix("http://").removeprefix("https://").rstrip("/")
        before = text[max(position, match.start() - len(bare) - 1) : match.start()].rstrip("/")
        if url.startswith(_WEAK_LINKS) or (bare and before.lower().endswith(bare.lower())):
            out.append(text[position : match.start()])
            position = match.end()
    out.append(text[position:])
    return "".join(out)


def tidy(text: str) -> str:
    """Trailing blanks gone, no-break spaces plain, at most one blank line in a row."""
    out: list[str] = []
    blank = 0
    for line in clean_text(text).replace("\u00a0", " ").split("\n"):
        line = line.rstrip()
        blank = blank + 1 if not line else 0
        if blank <= 1:
            out.append(line)
    return "\n".join(out).strip("\n")


_TAGS: Final = {
    "a", "abbr", "address", "article", "aside", "b", "bdi", "bdo", "big", "blockquote", "br", "caption",
    "center", "cite", "code", "col", "colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em",
    "figcaption", "figure", "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img",
    "ins", "kbd", "li", "main", "mark", "nav", "ol", "p", "pre", "q", "rp", "rt", "ruby", "s", "samp",
    "section", "small", "span", "strike", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot",
    "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr",
}  # fmt: skip
_COMMON: Final = {
    "align",
    "class",
    "dir",
    "id",
    "lang",
    "style",
    "title",
    "valign",
    "bgcolor",
    "width",
    "height",
}
_ATTRIBUTES: Final = {
    "*": _COMMON,
    "a": {"href", "name"},
    "img": {"src", "alt", "border"},
    "font": {"color", "face", "size"},
    "ol": {"start", "type"},
    "ul": {"type"},
    "blockquote": {"type"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_STYLES: Final = {
    "background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left",
    "border-right", "border-spacing", "border-style", "border-top", "border-width", "color", "direction",
    "font", "font-family", "font-size", "font-style", "font-weight", "height", "line-height",
    "list-style-type", "margin", "margin-bottom", "margin-left", "margin-right", "margin-top", "max-width",
    "padding", "padding-bottom", "padding-left", "padding-right", "padding-top", "text-align",
    "text-decoration", "text-indent", "text-transform", "vertical-align", "white-space", "width",
}  # fmt: skip
_UNSAFE_STYLE: Final = re.compile(r"(?i)url\s*\(|expression|@import|\\|/\*|image-set|var\s*\(")


def _filter_attribute(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "src":
        return value if value[:4].lower() == "cid:" and "/" not in value else None
    if attribute == "style":
        suspect = "(" in value or "\\" in value or "@" in value or "/*" in value
        return None if suspect and _UNSAFE_STYLE.search(value) else value
    return value


@lru_cache(maxsize=1)
def _cleaner() -> nh3.Cleaner:
    import nh3  # built once: the allow-lists are compiled into it

    return nh3.Cleaner(
        tags=_TAGS,
        clean_content_tags={"script", "style", "title", "template", "noscript", "svg", "math"},
        attributes=_ATTRIBUTES,
        attribute_filter=_filter_attribute,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel="noopener noreferrer nofollow",
        filter_style_properties=_STYLES,
        strip_comments=True,
    )


def sanitize(html: str, limits: Limits) -> str | None:
    """HTML that is safe to show and loads nothing from anywhere; None when it is too big to be cleaned."""
    if len(html) > limits.html or html.count("<") > limits.html_tags:
        return None
    try:
        return clean_text(_cleaner().clean(html))  # entities may have stood for controls
    except Exception:  # noqa: BLE001 - a native library on foreign input: no HTML is shown then
        return None


def text_to_html(text: str) -> str:
    """Plain text as HTML, for a body made of text and HTML parts."""
    return '<div style="white-space: pre-wrap">' + escape(text) + "</div>"
