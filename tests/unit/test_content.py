"""From the bytes of a mail to its new text."""

from __future__ import annotations

from mailticket.mail.content import extract
from mailticket.mail.parse import parse
from mailticket.mail.types import Content

TOKEN = "abcdefghijklmnopqrstuvwxyz234567abcdefgh"
PASTED = "Is this real?\n\nFrom: Bank <a@bank.example>\nDate: 4 Feb 2020 10:05\nSubject: Prize\n\nYou won!\n"


def content_of(body: str, *headers: str, kind: str = "plain") -> Content:
    lines = ["From: Jane <jane@c.example>", f"Content-Type: text/{kind}; charset=utf-8", *headers, "", body]
    return extract(parse("\r\n".join(lines).replace("\n", "\r\n").replace("\r\r", "\r").encode()))


def test_the_subject_tells_a_forward_from_an_answer() -> None:
    assert content_of(PASTED, "Subject: FW: Prize").reply == PASTED.strip()
    assert content_of(PASTED, "Subject: RE: Prize").reply == "Is this real?"


def test_copied_headers_count_as_a_quote_when_the_mail_answers_another() -> None:
    assert content_of(PASTED, "Subject: Prize", "In-Reply-To: <1@desk.example>").reply == "Is this real?"
    assert content_of(PASTED, "Subject: Prize", "References: <1@desk.example>").reply == "Is this real?"
    assert content_of(PASTED, "Subject: Prize").reply == PASTED.strip()


def test_tokens_are_found_in_html_that_the_text_does_not_show() -> None:
    html = f'<p>It works.</p><div style="display:none">[mt:{TOKEN}]</div>'
    content = content_of(html, "Subject: Re: x", kind="html")
    assert (content.reply, content.tokens) == ("It works.", (TOKEN,))


def test_the_structure_of_the_html_part_helps_with_its_text() -> None:
    html = '<p>It works.</p><blockquote type="cite">qwertz uiop asdf jklm</blockquote><p>Really.</p>'
    content = content_of(html, "Subject: Re: x", kind="html")
    assert content.reply.split() == ["It", "works.", "Really."]


def test_a_mail_without_a_body_has_no_spans() -> None:
    content = content_of("")
    assert (content.spans, content.reply) == ((), "")
