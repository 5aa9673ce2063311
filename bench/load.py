"""The load: mails like those customers write, always the same bytes for the same arguments.

New requests are 60 % plain text of 1 to 3 kB, 25 % text and HTML, 10 % with one attachment of 50 to
200 kB, 5 % in other charsets. Nobody in them exists; the addresses are reserved ones (RFC 2606).
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.header import Header
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, parseaddr
from pathlib import Path

from bench.mime import Part, attachment, html_part, message, multipart, text_part

DESK_ADDRESS = "help@desk.example"
AGENT_ADDRESS = "alex.agent@staff.example"
SEED = "mailticket"

_START = datetime(2026, 11, 2, 7, 30, tzinfo=UTC)
_WORDS = tuple(
    re.findall(
        "[a-z]+",
        "since monday our scanner sends pages to nowhere while the old one next to it works as always "
        "when i open the calendar a grey window asks for my pass phrase again although nothing was changed "
        "maybe somebody could tell me which form is right before the audit next week because two of them "
        "look alike and only one has room for a second address thanks a lot for looking into this so soon",
    )
)
_GIVEN = (
    "Aino",
    "Bruno",
    "Chloe",
    "Dario",
    "Elif",
    "Fiona",
    "Goran",
    "Hanna",
    "Ivo",
    "Jelena",
    "Kofi",
    "Lena",
)
_FAMILY = ("Aalto", "Berg", "Conti", "Dahl", "Eriksen", "Fontaine", "Gruber", "Horvat", "Ivanov", "Janssen")
_FOREIGN = (
    ("iso-8859-15", "Le télécopieur n'émet plus à l'étage",
     "Bonjour, depuis jeudi le télécopieur du deuxième étage n'émet plus. Pourriez-vous le vérifier ?"),
    ("shift_jis", "ログインできません",
     "今朝から社内の予約画面にログインできません。ご確認をお願いいたします。"),
    ("koi8-r", "Не открывается отчёт", "Добрый день, со вчерашнего дня не открывается отчёт за октябрь."),
    ("utf-8", "Schlüsselkarte für das Büro – verloren",
     "Guten Tag, meine Schlüsselkarte fürs Büro ist weg. Könnten Sie sie bitte sperren? – Grüße"),
)  # fmt: skip
_MIME_NAME = {"shift_jis": "Shift_JIS", "koi8-r": "KOI8-R", "iso-8859-15": "ISO-8859-15", "utf-8": "UTF-8"}


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to send. `raw` has CRLF line ends and ends with one; `sender` is the bare address."""

    kind: str
    sender: str
    name: str
    recipient: str
    message_id: str
    raw: bytes


def new_requests(count: int, tag: str, senders: int = 200) -> list[Mail]:
    """`count` first mails of `senders` customers; `tag` keeps one set's mails apart from another's."""
    return [_request(kind, index, tag, senders) for index, kind in enumerate(_mix(count, tag))]


def reply(answered: bytes, request: Mail, index: int, tag: str, *, by_token: bool) -> Mail:
    """What the customer of `request` answers to the desk's mail `answered`, as a mail client writes it.

    by_token  True: to its Reply-To, referring to it and quoting it. False: to the desk's own address,
              referring to the customer's own request only and quoting nothing of ours, so that the
              References header alone says where it belongs.
    """
    rng = random.Random(f"{SEED}-{tag}-{index}")
    seen = message_from_bytes(answered, policy=policy.default)
    text = paragraphs(rng, rng.randint(200, 900)) + f"\n{request.name}\n"
    if by_token:
        to = parseaddr(str(seen["Reply-To"]))[1]
        parent = str(seen["Message-ID"])
        chain = " ".join([*str(seen["References"] or "").split(), parent])
        text += f"\nOn Mon, 2 Nov 2026 at 08:{index % 60:02d}, Help desk <{to}> wrote:\n"
        text += "".join(f"> {line}\n" for line in _text_of(seen).splitlines())
    else:
        to, parent = DESK_ADDRESS, f"<{request.message_id}>"
        chain = parent
    body: Part = text_part(text)
    if rng.random() < 0.4:
        body = multipart("alternative", [body, html_part(_as_html(text))], f"{tag}{index}")
    message_id = f"{tag}.{index}.reply@mail.customer.example"
    threading = [("In-Reply-To", parent), ("References", "\r\n ".join(chain.split()))]
    subject = f"Re: {seen['Subject']}" if by_token else "Re: one more thing about my question"
    headers = _headers(request.name, request.sender, to, subject, message_id, index)
    raw = message([*headers, *threading], body)
    return Mail("reply", request.sender, request.name, to, message_id, raw)


def from_directory(folder: Path, limit: int) -> list[Mail]:
    """The first `limit` .eml files of a folder, by name, with CRLF line ends; each content once.

    The envelope sender is the From address, or a customer's of ours where there is none. Raises
    ValueError when the folder holds none.
    """
    found: dict[bytes, Mail] = {}
    for path in sorted(folder.glob("*.eml")):
        raw = re.sub(rb"\r?\n", b"\r\n", path.read_bytes()).rstrip(b"\r\n") + b"\r\n"
        parsed = message_from_bytes(raw)
        name, address = parseaddr(str(parsed["From"] or ""))
        sender = address if address.isascii() and "@" in address else "somebody@mail.customer.example"
        message_id = str(parsed["Message-ID"] or "").strip().strip("<>")
        found.setdefault(raw, Mail("file", sender, name, DESK_ADDRESS, message_id, raw))
        if len(found) == limit:
            break
    if not found:
        raise ValueError(f"there is no .eml file in {folder}")
    return list(found.values())


def paragraphs(rng: random.Random, size: int) -> str:
    """Wrapped sentences in paragraphs, at least `size` characters."""
    blocks: list[str] = []
    length = 0
    while length < size:
        lines = [_sentence(rng, rng.randint(8, 12)) for _ in range(rng.randint(2, 5))]
        blocks.append("\n".join(lines) + "\n")
        length += len(blocks[-1]) + 1
    return "\n".join(blocks)


def _request(kind: str, index: int, tag: str, senders: int) -> Mail:
    rng = random.Random(f"{SEED}-{tag}-{index}")
    name, address = _person(index if index < senders else rng.randrange(senders))
    subject = f"{_sentence(rng, rng.randint(3, 6))[:-1]} ({tag} {index})"
    text = paragraphs(rng, rng.randint(1000, 2800)) + f"\n-- \n{name}\n+49 30 5550{index:04d}\n"
    message_id = f"{tag}.{index}.request@mail.customer.example"
    boundary = f"{tag}{index}"
    body: Part = text_part(text)
    if kind == "html":
        body = multipart("alternative", [body, html_part(_as_html(text))], boundary)
    elif kind == "attachment":
        body = multipart("mixed", [body, _file(rng, index)], boundary)
    elif kind == "charset":
        charset, title, line = _FOREIGN[index % len(_FOREIGN)]
        body = text_part("\n".join([line] * rng.randint(4, 12)) + f"\n\n{index}\n", _MIME_NAME[charset])
        subject = _encoded(f"{title} {index}", charset)
    headers = _headers(name, address, DESK_ADDRESS, subject, message_id, index)
    return Mail(kind, address, name, DESK_ADDRESS, message_id, message(headers, body))


def _mix(count: int, tag: str) -> Sequence[str]:
    kinds = ["plain"] * (count * 60 // 100) + ["html"] * (count * 25 // 100)
    kinds += ["attachment"] * (count * 10 // 100)
    kinds += ["charset"] * (count - len(kinds))
    random.Random(f"{SEED}-{tag}-mix").shuffle(kinds)
    return kinds


def _person(number: int) -> tuple[str, str]:
    name = f"{_GIVEN[number % len(_GIVEN)]} {_FAMILY[number % len(_FAMILY)]}"
    return name, f"person{number:03d}@mail.customer.example"


def _sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(_WORDS, k=words)).capitalize() + "."


def _file(rng: random.Random, index: int) -> Part:
    content = rng.randbytes(rng.randint(50_000, 200_000))
    if rng.random() < 0.5:
        return attachment(b"%PDF-1.5\n" + content, "application/pdf", f"form {index}.pdf")
    return attachment(b"\x89PNG\r\n\x1a\n" + content, "image/png", f"window {index}.png")


def _as_html(text: str) -> str:
    blocks = "".join(f"<p>{block.replace(chr(10), '<br>')}</p>\n" for block in text.split("\n\n"))
    style = "<style>p { margin: 0 0 1em } .sig { color: #666 }</style>"
    return f"<html><head>{style}</head><body>\n{blocks}<p class=sig><i>sent from work</i></p></body></html>\n"


def _headers(
    name: str, address: str, to: str, subject: str, message_id: str, index: int
) -> list[tuple[str, str]]:
    return [
        ("From", formataddr((name, address))),
        ("To", to),
        ("Subject", _encoded(subject)),
        ("Date", format_datetime(_START + timedelta(seconds=41 * index))),
        ("Message-ID", f"<{message_id}>"),
        ("User-Agent", "Customer Mail 3.2"),
    ]


def _encoded(subject: str, charset: str = "utf-8") -> str:
    """RFC 2047 words where there is anything but ASCII in it."""
    if subject.isascii():
        return subject
    return Header(subject, charset, maxlinelen=70).encode(linesep="\r\n")


def _text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    return str(part.get_content()) if part is not None else ""
