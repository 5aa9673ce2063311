"""The mail clients of the cast: a new mail, and a reply as people's clients write it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from html import escape

from mailticket.demo.cast import Role
from mailticket.mail.compose import OutgoingParts, compose
from mailticket.mail.types import Address

_GAP = "<br>\r\n"


@dataclass(frozen=True, slots=True)
class Written:
    """A mail ready to be sent. `recipient` is the envelope's; `text` is what the writer typed."""

    role: Role
    recipient: str
    subject: str
    text: str
    message_id: str
    raw: bytes
    answers: bool


def text_of(mail: EmailMessage) -> str:
    """The text/plain part with LF line ends, "" without one."""
    part = mail.get_body(("plain",))
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")


def first_mail(role: Role, to: str, subject: str, text: str, now: datetime) -> Written:
    """A mail that begins something new. now: aware, for the Date."""
    return _written(role, Address("", to), subject, text, now)


def reply(role: Role, to: EmailMessage, text: str, now: datetime) -> Written:
    """An answer to a mail in the role's mailbox: to its Reply-To, with its references, quoting it below.

    Raises ValueError where the mail names nobody to answer.
    """
    header = to["Reply-To"] or to["From"]
    mailboxes = header.addresses if header is not None else ()
    if not mailboxes:
        raise ValueError("the mail names nobody to answer")
    where = Address(mailboxes[0].display_name, mailboxes[0].addr_spec)
    subject = str(to["Subject"])
    subject = subject if subject.lower().startswith("re:") else f"Re: {subject}"
    return _written(role, where, subject, text, now, to)


def _written(
    role: Role, to: Address, subject: str, text: str, now: datetime, answered: EmailMessage | None = None
) -> Written:
    message_id = f"{secrets.token_hex(8)}@{role.address.rpartition('@')[2]}"
    parent = None if answered is None else str(answered["Message-ID"]).strip().strip("<>")
    known = () if answered is None else tuple(str(answered["References"] or "").replace("<", " ").split())
    plain, html = _bodies(role, text, answered, now)
    raw = compose(
        OutgoingParts(
            sender=role.mailbox,
            to=(to,),
            subject=subject,
            message_id=message_id,
            date=now,
            text=plain,
            html=html,
            in_reply_to=parent,
            references=(*(item.rstrip(">") for item in known), *((parent,) if parent else ())),
            headers=(("User-Agent", "Demo Webmail" if role.webmail else "Demo Mail 1.0"),),
        )
    )
    return Written(role, to.address, subject, text, message_id, raw, answered is not None)


def _bodies(role: Role, text: str, answered: EmailMessage | None, now: datetime) -> tuple[str, str | None]:
    if answered is None:
        return text, _html(text) if role.webmail else None
    writer = answered["From"].addresses[0]
    intro = f"On {now:%a, %d %b %Y at %H:%M}, {writer.display_name} <{writer.addr_spec}> wrote:"
    old = text_of(answered).splitlines()
    plain = "\n".join([text, "", intro, *(f"> {line}".rstrip() for line in old), ""])
    if not role.webmail:
        return plain, None
    quote = (
        '<br><div class="gmail_quote gmail_quote_container">'
        f'<div dir="ltr" class="gmail_attr">{escape(intro)}<br></div>'
        '<blockquote class="gmail_quote" style="margin:0 0 0 0.8ex;border-left:1px solid #ccc;'
        f'padding-left:1ex">{_GAP.join(map(escape, old))}</blockquote></div>'
    )
    return plain, _html(text) + quote


def _html(text: str) -> str:
    return f'<div dir="ltr">{_GAP.join(map(escape, text.splitlines()))}</div>'
