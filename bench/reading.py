"""What it costs to read one mail, by kind: `mailticket.mail.read.read`, in this process."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench.load import paragraphs
from bench.mime import Part, attachment, html_part, message, multipart, text_part
from mailticket.mail.read import read

_VARIANTS = 10
_SECONDS = 1.0
"""How long each kind is read, over and over."""


@dataclass(frozen=True, slots=True)
class ReadingCost:
    """CPU ms of one mail of a kind: the median over all readings; `aim_ms` is what it should be below."""

    kind: str
    mean_bytes: int
    cpu_ms: float
    aim_ms: float


def measure_reading() -> list[ReadingCost]:
    """Read mails of every kind."""
    return [_measure(kind, aim, make) for kind, (aim, make) in KINDS.items()]


def plain(index: int) -> bytes:
    """A plain mail of 2 kB."""
    return _mail(index, text_part(_text(index, 1600)))


def long_html(index: int) -> bytes:
    """An office mail client's reply, 60 kB of HTML with the history below it, and the same as text."""
    text, html = _conversation(index)
    return _mail(index, multipart("alternative", [text_part(text), html_part(html)], f"h{index}"))


def only_html(index: int) -> bytes:
    """The same without a text part."""
    return _mail(index, html_part(_conversation(index)[1]))


def large_file(index: int) -> bytes:
    """A short text with a file of 200 kB."""
    data = b"%PDF-1.6\n" + random.Random(index).randbytes(200_000)
    parts = [text_part(_text(index, 600)), attachment(data, "application/pdf", f"annex {index}.pdf")]
    return _mail(index, multipart("mixed", parts, f"f{index}"))


def delivery_report(index: int) -> bytes:
    """A delivery status notification (RFC 3464) with the returned header block."""
    recipient = f"nobody{index}@gone.example"
    told = (
        "This is the mail system at host relay.example.\n\nYour message could not be delivered to one "
        f"or more recipients; it is attached below.\n\n<{recipient}>: host mx.gone.example said:\n"
        "    550 5.1.1 User unknown (in reply to RCPT TO command)\n"
    )
    status = (
        "Reporting-MTA: dns; relay.example\r\nArrival-Date: Mon, 2 Nov 2026 08:00:00 +0000\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Remote-MTA: dns; mx.gone.example\r\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\r\n"
    )
    returned = (
        f"From: Help desk <help@desk.example>\r\nTo: {recipient}\r\nSubject: [#4711] Your question\r\n"
        f"Message-ID: <returned.{index}@desk.example>\r\nDate: Mon, 2 Nov 2026 07:59:00 +0000\r\n"
    )
    parts = [
        text_part(told),
        Part((("Content-Type", "message/delivery-status"),), status.encode()),
        Part((("Content-Type", "text/rfc822-headers"),), returned.encode()),
    ]
    body = multipart("report", parts, f"d{index}", "; report-type=delivery-status")
    headers = [
        ("From", "Mail Delivery System <MAILER-DAEMON@relay.example>"),
        ("To", "help@desk.example"),
        ("Subject", "Undelivered Mail Returned to Sender"),
        ("Auto-Submitted", "auto-replied"),
        ("Date", "Mon, 2 Nov 2026 08:00:01 +0000"),
        ("Message-ID", f"<report.{index}@relay.example>"),
    ]
    return message(headers, body)


KINDS: dict[str, tuple[float, Callable[[int], bytes]]] = {
    "plain 2 kB": (1.5, plain),
    "HTML 60 kB, with its text": (8.0, long_html),
    "HTML 60 kB, alone": (8.0, only_html),
    "200 kB attachment": (4.0, large_file),
    "delivery report": (2.0, delivery_report),
}


def _measure(kind: str, aim: float, make: Callable[[int], bytes]) -> ReadingCost:
    envelope_from = "" if make is delivery_report else "person@mail.customer.example"
    mails = [make(index) for index in range(_VARIANTS)]
    for raw in mails:
        read(raw, envelope_from)
    costs: list[float] = []
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        for raw in mails:
            started = time.process_time_ns()
            read(raw, envelope_from)
            costs.append((time.process_time_ns() - started) / 1e6)
    return ReadingCost(kind, sum(map(len, mails)) // len(mails), median(costs), aim)


def _text(index: int, size: int) -> str:
    return paragraphs(random.Random(f"reading {index}"), size)


def _mail(index: int, body: Part) -> bytes:
    headers = [
        ("From", "Chloe Conti <chloe@mail.customer.example>"),
        ("To", "Help desk <help@desk.example>"),
        ("Subject", f"Re: [#10{index}] Calendar window"),
        ("Date", "Mon, 2 Nov 2026 08:00:00 +0000"),
        ("Message-ID", f"<reading.{index}@mail.customer.example>"),
        ("In-Reply-To", f"<before.{index}@mail.customer.example>"),
    ]
    return message(headers, body)


def _conversation(index: int) -> tuple[str, str]:
    """A reply above four earlier mails: text of about 14 kB, and HTML of 60 kB as an office client writes."""
    turns = [_text(10 * index + turn, 2100) for turn in range(5)]
    heads = [
        f"From: Person {turn} <person{turn}@mail.customer.example>\n"
        f"Sent: Friday, October {30 - turn}, 2026 09:1{turn}\n"
        "To: Help desk <help@desk.example>\nSubject: Re: Calendar window\n\n"
        for turn in range(1, 5)
    ]
    text = turns[0] + "".join(f"\n{head}{turn}" for head, turn in zip(heads, turns[1:], strict=True))
    style = 'style="margin:0cm;font-size:11.0pt;font-family:&quot;Calibri&quot;,sans-serif"'
    blocks = [_office(turns[0], style)]
    for head, turn in zip(heads, turns[1:], strict=True):
        shown = "<br>".join(
            f"<b>{name}:</b> {value.replace('<', '&lt;').replace('>', '&gt;')}"
            for name, value in (line.split(": ", 1) for line in head.strip().split("\n"))
        )
        border = "border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"
        blocks.append(f'<div style="{border}"><p class="MsoNormal" {style}>{shown}</p></div>')
        blocks.append(_office(turn, style) + _table(turn, style))
    head = "<head><style>p.MsoNormal{margin:0cm} a:link{color:#0563C1}</style></head>"
    body = "".join(blocks)
    return (
        text,
        f'<html xmlns="http://www.w3.org/TR/REC-html40">{head}<body lang="EN-GB">{body}</body></html>\n',
    )


def _office(text: str, style: str) -> str:
    lines = (f"<span>{line}</span><o:p></o:p>" for line in text.splitlines() if line)
    return "".join(f'<p class="MsoNormal" {style}>{line}</p>\n' for line in lines)


def _table(text: str, style: str) -> str:
    words = text.split()[:60]
    cells = "".join(
        f"<tr>{''.join(f'<td {style}>{word}</td>' for word in words[row : row + 4])}</tr>\n"
        for row in range(0, 60, 4)
    )
    return f'<table border="1" cellspacing="0">{cells}</table>'
