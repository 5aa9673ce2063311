"""The frame around every mail: the line to reply above, the token, and the HTML page.

The HTML page is `layout.html`, which a site may replace by its own. It holds no remote content and
needs no image; its inline styles work without the style sheet, which only adds the dark scheme.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Environment
from markupsafe import Markup

from mailticket.mail.charset import clean_text
from mailticket.mail.token import body_marker

LAYOUT = "layout.html"


@dataclass(frozen=True, slots=True)
class ReplyLines:
    """What makes a mail answerable: the line to reply above, and the `[mt:TOKEN]` line."""

    marker: str
    token_line: str


@dataclass(frozen=True, slots=True)
class LogoShown:
    """An image that goes along with the mail (`cid`, without brackets), and what stands in its place."""

    cid: str
    alt: str


def reply_lines(reply: object) -> ReplyLines | None:
    """The lines of a context's `reply`: a mapping with `marker` and `token`, or None.

    Raises TypeError or KeyError when it is something else.
    """
    if reply is None:
        return None
    if not isinstance(reply, Mapping):
        raise TypeError("reply must be None or have a marker and a token")
    marker, token = (clean_text(str(reply[key]), limit=200, one_line=True) for key in ("marker", "token"))
    return ReplyLines(marker, body_marker(token))


def text_page(body: str, reply: ReplyLines | None) -> str:
    """The text part. Ends in a line end.

    The token line is no signature: below "-- " many clients would cut it off when they quote.
    """
    if reply is None:
        return f"{body}\n"
    return f"{reply.marker}\n\n{body}\n\n{reply.token_line}\n"


def logo_shown(logo: object) -> LogoShown | None:
    """A context's `logo`: a mapping with the `cid` of an image that goes along, and its `alt` text, or None.

    Raises TypeError or KeyError when it is something else.
    """
    if logo is None:
        return None
    if not isinstance(logo, Mapping):
        raise TypeError("logo must be None or have a cid and an alt")
    return LogoShown(*(clean_text(str(logo[key]), limit=200, one_line=True) for key in ("cid", "alt")))


def html_page(
    environment: Environment,
    *,
    subject: str,
    body: str,
    language: str,
    reply: ReplyLines | None,
    logo: LogoShown | None = None,
) -> str:
    """The HTML part. `body` is finished HTML, everything else is escaped. Raises as Jinja2 does."""
    return environment.get_template(LAYOUT).render(
        subject=subject,
        body=Markup(body),  # noqa: S704 -- made by values.py and markdown.py, which escape
        language=language,
        marker=reply.marker if reply else "",
        token_line=reply.token_line if reply else "",
        logo_cid=logo.cid if logo else "",
        logo_alt=logo.alt if logo else "",
    )  # fmt: skip
