"""Mails that answer nothing, as mail programs write them: what a link opened, and what is passed on.

Each program is a function of the words; what is passed on is a mail of a customer that an agent has got.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from html import escape
from urllib.parse import parse_qs, unquote, urlsplit

from tests.scenario.clients import DATE
from tests.scenario.daemon import parse


@dataclass(frozen=True)
class Link:
    """What a `mailto:` link opens: an address, a subject, and a text."""

    address: str
    subject: str
    body: str


def links(mail: EmailMessage, part: str = "html") -> dict[str, Link]:
    """The links of a part of a mail by their words; text has shorter ones to the same addresses."""
    text = str(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    html = str(mail.get_body(("html",)).get_content())  # type: ignore[union-attr]
    written = re.findall(r"^(\S[^\n]*):\s*^  (mailto:\S+)\r?$", text, re.MULTILINE)
    shown = re.findall(r'href="(mailto:[^"]+)"[^>]*>([^<]+)<', html)
    in_text = {label: _opened(link) for label, link in written}
    in_html = {label: _opened(link.replace("&amp;", "&")) for link, label in shown}
    assert {label: link.address for label, link in in_text.items()} == {
        label: link.address for label, link in in_html.items()
    }, text
    return in_html if part == "html" else in_text


def _opened(link: str) -> Link:
    parts = urlsplit(link)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return Link(unquote(parts.path), asked["subject"], asked.get("body", ""))


@dataclass(frozen=True)
class Draft:
    """A mail somebody is about to send."""

    sender: str
    to: str
    subject: str
    body: str
    serial: str


def _mail(draft: Draft, plain: str | None, html: str | None = None, **more: str) -> EmailMessage:
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = draft.sender, draft.to, draft.subject
    mail["Date"], mail["Message-ID"] = DATE, f"<{draft.serial}@mua.example>"
    for name, value in more.items():
        mail[name.replace("_", "-")] = value
    if plain is not None:
        mail.set_content(plain)
        if html is not None:
            mail.add_alternative(html, subtype="html")
    else:
        mail.set_content(html or "", subtype="html")
    return mail


def _lines(body: str, attributes: str = "") -> str:
    return "".join(f"<div{attributes}>{escape(line) or '<br>'}</div>" for line in body.split("\n"))


def gmail(draft: Draft) -> EmailMessage:
    """Gmail, with a signature its user has set up."""
    html = (
        f'<div dir="ltr">{_lines(draft.body)}<br clear="all"><div><br></div>'
        '<span class="gmail_signature_prefix">-- </span><br>'
        '<div dir="ltr" class="gmail_signature">Tel. 555 0100</div></div>'
    )
    return _mail(draft, f"{draft.body}\n\n-- \nTel. 555 0100\n", html)


def outlook_desktop(draft: Draft) -> EmailMessage:
    """Outlook on Windows: Word's HTML."""
    words = "".join(
        f'<p class="MsoNormal">{escape(line) or "&nbsp;"}<o:p></o:p></p>' for line in draft.body.split("\n")
    )
    html = (
        '<html xmlns:o="urn:schemas-microsoft-com:office:office"><body lang="EN-US">'
        f'<div class="WordSection1">{words}</div></body></html>'
    )
    return _mail(draft, f"{draft.body}\n\n", html, Thread_Topic=draft.subject)


def outlook_ios(draft: Draft) -> EmailMessage:
    """Outlook on a phone: HTML alone, with its own footer."""
    footer = 'Get <a href="https://aka.ms/o0ukef">Outlook for iOS</a>'
    return _mail(
        draft, None, f'<html><body><div dir="ltr">{_lines(draft.body)}</div><div><br></div>'
        f'<div id="ms-outlook-mobile-signature">{footer}</div></body></html>',
    )  # fmt: skip


def outlook_web(draft: Draft) -> EmailMessage:
    """Outlook in a browser: HTML alone."""
    return _mail(
        draft, None, f'<html><body dir="ltr">{_lines(draft.body, " class=elementToProof")}</body></html>'
    )


def iphone(draft: Draft) -> EmailMessage:
    """Mail on an iPhone."""
    return _mail(draft, f"{draft.body}\n\nSent from my iPhone\n")


def thunderbird(draft: Draft) -> EmailMessage:
    """Thunderbird, plain."""
    return _mail(draft, f"{draft.body}\n", User_Agent="Mozilla Thunderbird")


def mutt(draft: Draft) -> EmailMessage:
    """mutt, with a signature."""
    return _mail(draft, f"{draft.body}\n\n-- \nSam\n", User_Agent="Mutt/2.2.13")


PROGRAMS: dict[str, Callable[[Draft], EmailMessage]] = {
    one.__name__: one for one in (gmail, outlook_desktop, outlook_ios, outlook_web, iphone, thunderbird, mutt)
}
"""Every program, by name."""


def tapped(program: str, link: Link, sender: str, serial: str, beside: str = "") -> EmailMessage:
    """The mail that a link opens, sent by a program; with words of one's own where there are any."""
    body = f"{link.body}\n\n{beside}" if beside else link.body
    return PROGRAMS[program](Draft(sender, link.address, link.subject, body, serial))


# -- passed on -----------------------------------------------------------------------------------------------

_SHOWN = ("From", "Date", "Subject", "To")


def _text_of(original: EmailMessage) -> str:
    return str(original.get_content()).replace("\r\n", "\n")


def gmail_forward(original: EmailMessage, draft: Draft) -> EmailMessage:
    """Gmail: a line of hyphens, the headers, the text."""
    head = "\n".join(f"{name}: {original[name]}" for name in _SHOWN)
    intro = "---------- Forwarded message ---------"
    text = _text_of(original)
    html = (
        f'<div dir="ltr">{_lines(draft.body)}</div><br><div class="gmail_quote"><div dir="ltr" '
        f'class="gmail_attr">{intro}<br>{escape(head).replace(chr(10), "<br>")}<br></div><br><br>'
        f"{_lines(text)}</div>"
    )
    return _passed(draft, original, f"{draft.body}\n\n{intro}\n{head}\n\n\n{text}", html, "Fwd: ")


def outlook_forward(original: EmailMessage, draft: Draft) -> EmailMessage:
    """Outlook on Windows: a rule, and headers in bold."""
    names = {"From": "From", "Date": "Sent", "To": "To", "Subject": "Subject"}
    head = [(shown, str(original[name])) for name, shown in names.items()]
    plain = "\n".join([draft.body, "", *(f"{name}: {value}" for name, value in head), "", _text_of(original)])
    heads = "<br>".join(f"<b>{name}:</b> {escape(value)}" for name, value in head)
    html = (
        f'<html><body lang="EN-US"><div class="WordSection1">{_lines(draft.body)}<div><div '
        'style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in">'
        f'<p class="MsoNormal">{heads}</p></div></div>'
        f"{_lines(_text_of(original))}</div></body></html>"
    )
    return _passed(draft, original, plain, html, "FW: ")


def apple_forward(original: EmailMessage, draft: Draft) -> EmailMessage:
    """Apple Mail: all of it quoted below an intro."""
    quoted = [*(f"{name}: {original[name]}" for name in _SHOWN), "", *_text_of(original).splitlines()]
    marked = "\n".join(f"> {line}".rstrip() for line in quoted)
    return _passed(draft, original, f"{draft.body}\n\nBegin forwarded message:\n\n{marked}\n", None, "Fwd: ")


def thunderbird_forward(original: EmailMessage, draft: Draft) -> EmailMessage:
    """Thunderbird, inline."""
    head = "\n".join(f"{name}: \t{original[name]}" for name in ("Subject", "Date", "From", "To"))
    text = f"{draft.body}\n\n\n-------- Forwarded Message --------\n{head}\n\n\n\n{_text_of(original)}"
    return _passed(draft, original, text, None, "Fwd: ")


def mutt_forward(original: EmailMessage, draft: Draft) -> EmailMessage:
    """mutt with mime_forward: the mail itself, attached."""
    mail = _mail(draft, f"{draft.body}\n")
    del mail["Subject"]
    mail["Subject"] = f"[{original['From'].addresses[0].addr_spec}: {original['Subject']}]"
    mail.add_attachment(parse(original.as_bytes()))
    return mail


def _passed(draft: Draft, original: EmailMessage, plain: str, html: str | None, mark: str) -> EmailMessage:
    mail = _mail(draft, plain, html, References=str(original["Message-ID"]))
    del mail["Subject"]
    mail["Subject"] = f"{mark}{original['Subject']}"
    return mail


FORWARDS: dict[str, Callable[[EmailMessage, Draft], EmailMessage]] = {
    "gmail": gmail_forward,
    "outlook_desktop": outlook_forward,
    "apple_mail": apple_forward,
    "thunderbird": thunderbird_forward,
    "mutt": mutt_forward,
}
"""How each program passes a mail on, by its name."""
