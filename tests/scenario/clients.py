"""Answers as mail programs write them: the words, and the mail answered quoted in each program's own way."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from html import escape

from tests.scenario.daemon import text_of

DATE = "Sat, 21 Nov 2026 10:05:00 +0000"


@dataclass(frozen=True)
class Answer:
    """What an agent writes to one of our mails, and who and how.

    lines   the words, one string for each line; "" for a blank one
    fields  header fields that are other than the program fills them in: whoever it goes to, for instance
    """

    mail: EmailMessage
    lines: list[str]
    sender: str
    serial: str
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def quoted(self) -> list[str]:
        """The lines of the mail answered."""
        return text_of(self.mail).replace("\r\n", "\n").rstrip("\n").split("\n")

    @property
    def quoted_html(self) -> str:
        """The HTML of the mail answered, without its frame of html and body."""
        part = self.mail.get_body(("html",))
        assert part is not None
        page = str(part.get_content())
        return page[page.index("<body") :].partition(">")[2].partition("</body>")[0]

    @property
    def whom(self) -> str:
        """The From header of the mail answered, as programs show it."""
        return str(self.mail["From"])


def raw(
    answer: Answer, plain: str | None, html: str | None = None, *, flowed: bool = False, **more: str
) -> bytes:
    """The bytes of an answer, with CRLF; text, HTML or both."""
    fields = {
        "From": answer.sender,
        "To": str(answer.mail["Reply-To"]),
        "Subject": f"Re: {answer.mail['Subject']}",
        "Date": DATE,
        "Message-ID": f"<{answer.serial}@mua.example>",
        "In-Reply-To": str(answer.mail["Message-ID"]),
        "References": " ".join(
            [*str(answer.mail["References"] or "").split(), str(answer.mail["Message-ID"])]
        ),
        "MIME-Version": "1.0",
        **{name.replace("_", "-"): value for name, value in more.items()},
        **answer.fields,
    }
    head = "".join(f"{name}: {value}\n" for name, value in fields.items())
    kind = "text/plain; charset=utf-8" + ("; format=flowed" if flowed else "")
    if html is None:
        body = f"Content-Type: {kind}\nContent-Transfer-Encoding: 8bit\n\n{plain}\n"
    elif plain is None:
        body = f"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{html}\n"
    else:
        body = (
            'Content-Type: multipart/alternative; boundary="b-1"\n\n'
            f"--b-1\nContent-Type: {kind}\nContent-Transfer-Encoding: 8bit\n\n{plain}\n"
            "--b-1\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
            f"{html}\n--b-1--\n"
        )
    return (head + body).replace("\n", "\r\n").encode()


def _marked(answer: Answer) -> str:
    return "\n".join(f"> {line}".rstrip() for line in answer.quoted)


def _text(answer: Answer) -> str:
    return "\n".join(answer.lines)


def _divs(answer: Answer, attributes: str = "") -> str:
    return "".join(f"<div{attributes}>{escape(line) or '<br>'}</div>" for line in answer.lines)


def gmail(answer: Answer) -> bytes:
    """Gmail in a browser; its intro is wrapped."""
    intro = (
        f"On Sat, Nov 21, 2026 at 10:05 AM {answer.whom.split('<')[0].strip()} <\n{_address(answer)}> wrote:"
    )
    html = (
        f'<div dir="ltr">{_divs(answer)}</div><br><div class="gmail_quote gmail_quote_container">'
        f'<div dir="ltr" class="gmail_attr">{escape(intro)}<br></div><blockquote class="gmail_quote" '
        f'style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">'
        f"{answer.quoted_html}</blockquote></div>"
    )
    return raw(answer, f"{_text(answer)}\n\n{intro}\n\n{_marked(answer)}", html)


def gmail_german(answer: Answer) -> bytes:
    """Gmail in German, text only."""
    intro = f"Am Sa., 21. Nov. 2026 um 10:05 Uhr schrieb {answer.whom}:"
    return raw(answer, f"{_text(answer)}\n\n{intro}\n\n{_marked(answer)}")


def gmail_app(answer: Answer) -> bytes:
    """Gmail's app: HTML with the answer in front of the quote, no class on the words."""
    html = (
        f'<p dir="ltr">{"<br>".join(map(escape, answer.lines))}</p>\n<br><div class="gmail_quote">'
        f'<div dir="ltr" class="gmail_attr">On Sat, Nov 21, 2026, 10:05 '
        f"{escape(answer.whom)} wrote:<br></div>"
        f'<blockquote class="gmail_quote" style="margin:0 0 0 .8ex">{answer.quoted_html}</blockquote></div>'
    )
    return raw(answer, None, html)


def _outlook_head(answer: Answer) -> list[tuple[str, str]]:
    return [
        ("From", answer.whom),
        ("Sent", "Saturday, November 21, 2026 10:05 AM"),
        ("To", str(answer.mail["To"])),
        ("Subject", str(answer.mail["Subject"])),
    ]


def _in_conversation(answer: Answer) -> Answer:
    """With what Outlook carries on in headers of its own: the topic, and the index with five bytes more."""
    topic = answer.mail["Thread-Topic"] or str(answer.mail["Subject"])
    index = b64decode(str(answer.mail["Thread-Index"] or "")) or bytes(22)
    own = {"Thread-Topic": str(topic), "Thread-Index": b64encode(index + bytes(5)).decode()}
    return replace(answer, fields=own | dict(answer.fields))


def outlook_desktop(answer: Answer) -> bytes:
    """Outlook on Windows: Word's HTML, the quote unmarked in the text."""
    head = _outlook_head(answer)
    plain = "\n".join([_text(answer), "", *(f"{name}: {value}" for name, value in head), "", *answer.quoted])
    words = "".join(
        f'<p class="MsoNormal">{escape(line) or "<o:p>&nbsp;</o:p>"}<o:p></o:p></p>' for line in answer.lines
    )
    heads = "<br>".join(f"<b>{name}:</b> {escape(value)}" for name, value in head)
    html = (
        '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head></head><body lang="EN-US">'
        f'<div class="WordSection1">{words}<p class="MsoNormal"><o:p>&nbsp;</o:p></p><div><div '
        'style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in">'
        f'<p class="MsoNormal">{heads}<o:p></o:p></p></div></div>{answer.quoted_html}</div></body></html>'
    )
    return raw(_in_conversation(answer), plain, html, X_Mailer="Microsoft Outlook 16.0")


def outlook_text_only(answer: Answer) -> bytes:
    """Outlook set to plain text: nothing but a rule of dashes tells where the quote begins."""
    head = "\n".join(f"{name}: {value}" for name, value in _outlook_head(answer))
    quoted = "\n".join(answer.quoted)
    return raw(answer, f"{_text(answer)}\n\n-----Original Message-----\n{head}\n\n{quoted}")


def outlook_german(answer: Answer) -> bytes:
    """Outlook in German, the quote unmarked."""
    names = {"From": "Von", "Sent": "Gesendet", "To": "An", "Subject": "Betreff"}
    head = "\n".join(f"{names[name]}: {value}" for name, value in _outlook_head(answer))
    return raw(answer, "\n".join([_text(answer), "", head, "", *answer.quoted]))


def outlook_web(answer: Answer) -> bytes:
    """Outlook in a browser: HTML alone."""
    heads = "<br>".join(f"<b>{name}:</b> {escape(value)}" for name, value in _outlook_head(answer))
    style = ' class="elementToProof" style="font-family:Aptos,sans-serif;font-size:12pt;color:rgb(0,0,0)"'
    html = (
        f'<html><body dir="ltr">{_divs(answer, style)}<div id="appendonsend"></div>'
        '<hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr">'
        f'<font face="Calibri, sans-serif" style="font-size:11pt" color="#000000">{heads}</font>'
        f"<div>&nbsp;</div></div><div>{answer.quoted_html}</div></body></html>"
    )
    return raw(_in_conversation(answer), None, html)


def outlook_ios(answer: Answer) -> bytes:
    """Outlook on a phone: its own footer, a rule, and copied headers."""
    head = _outlook_head(answer)
    heads = "<br>".join(f"<b>{name}:</b> {escape(value)}" for name, value in head)
    html = (
        f'<html><body><div dir="ltr">{_divs(answer)}</div><div id="ms-outlook-mobile-signature">'
        '<div><br></div>Get <a href="https://aka.ms/o0ukef">Outlook for iOS</a></div>'
        '<hr style="display:inline-block;width:98%"><div id="divRplyFwdMsg" dir="ltr">'
        f'<font face="Calibri, sans-serif">{heads}</font></div>{answer.quoted_html}</body></html>'
    )
    plain = "\n".join(
        [_text(answer), "", "Get Outlook for iOS<https://aka.ms/o0ukef>", "_" * 32,
         *(f"{name}: {value}" for name, value in head), "", *answer.quoted]
    )  # fmt: skip
    return raw(answer, plain, html)


def apple_mail(answer: Answer) -> bytes:
    """Apple Mail on a Mac: flowed text, the intro itself quoted."""
    intro = f"On 21 Nov 2026, at 10:05, {answer.whom} wrote:"
    html = (
        f'<html><body>{_divs(answer)}<div><br><blockquote type="cite"><div>{escape(intro)}</div><br '
        f'class="Apple-interchange-newline"><div>{answer.quoted_html}</div></blockquote></div></body></html>'
    )
    return raw(answer, f"{_text(answer)}\n\n> {intro}\n> \n{_marked(answer)}", html, flowed=True)


def iphone(answer: Answer) -> bytes:
    """Mail on an iPhone, whose footer stands between the words and the quote."""
    intro = f"On 21 Nov 2026, at 10:05, {answer.whom} wrote:"
    html = (
        f'<html><body dir="auto">{_divs(answer)}<br id="lineBreakAtBeginningOfSignature"><div dir="ltr">'
        f'Sent from my iPhone</div><div dir="ltr"><br><blockquote type="cite">{escape(intro)}<br><br>'
        f'</blockquote></div><blockquote type="cite"><div dir="ltr">{answer.quoted_html}</div></blockquote>'
        "</body></html>"
    )
    plain = f"{_text(answer)}\n\nSent from my iPhone\n\n> {intro}\n> \n{_marked(answer)}"
    return raw(answer, plain, html)


def thunderbird(answer: Answer) -> bytes:
    """Thunderbird, plain and flowed, the words below the quote as it comes set up."""
    intro = f"On 21/11/2026 10:05, {answer.whom.split('<')[0].strip()} wrote:"
    return raw(answer, f"{intro}\n{_marked(answer)}\n\n{_text(answer)}", flowed=True)


def thunderbird_html(answer: Answer) -> bytes:
    """Thunderbird writing HTML alone, the words above the quote."""
    html = (
        "<!DOCTYPE html><html><head></head><body><p>"
        f'{"<br>".join(map(escape, answer.lines))}</p><div class="moz-cite-prefix">On 21/11/2026 10:05, '
        f'{escape(answer.whom)} wrote:<br></div><blockquote type="cite" cite="mid:1@desk.example">'
        f"{answer.quoted_html}</blockquote></body></html>"
    )
    return raw(answer, None, html)


def mutt(answer: Answer) -> bytes:
    """mutt, the words below a quote cut short by hand."""
    intro = f"On Sat, Nov 21, 2026 at 10:05:00AM +0000, {answer.whom.split('<')[0].strip()} wrote:"
    short = "\n".join(f"> {line}" for line in answer.quoted[4:12])
    return raw(answer, f"{intro}\n{short}\n\n{_text(answer)}\n\n-- \nSam\n")


def mutt_between(answer: Answer) -> bytes:
    """mutt, the words between the lines of the quote."""
    intro = f"On Sat, Nov 21, 2026 at 10:05:00AM +0000, {answer.whom.split('<')[0].strip()} wrote:"
    half = len(answer.quoted) // 2
    above = "\n".join(f"> {line}" for line in answer.quoted[:half])
    below = "\n".join(f"> {line}" for line in answer.quoted[half:])
    return raw(answer, f"{intro}\n{above}\n\n{_text(answer)}\n\n{below}\n")


def no_intro(answer: Answer) -> bytes:
    """A phone's program that quotes without a word of introduction and without marks."""
    return raw(answer, "\n".join([_text(answer), "", *answer.quoted]))


def unknown_intro(answer: Answer) -> bytes:
    """An intro in a language nobody foresaw, and no marks."""
    return raw(
        answer, "\n".join([_text(answer), "", f"Sabato la 21-a skribis {answer.whom}:", *answer.quoted])
    )


def _address(answer: Answer) -> str:
    return str(answer.mail["From"].addresses[0].addr_spec)


CLIENTS: dict[str, Callable[[Answer], bytes]] = {
    one.__name__: one
    for one in (
        gmail, gmail_german, gmail_app, outlook_desktop, outlook_text_only, outlook_german, outlook_web,
        outlook_ios, apple_mail, iphone, thunderbird, thunderbird_html, mutt, mutt_between, no_intro,
        unknown_intro,
    )
}  # fmt: skip
"""Every program, by name."""
