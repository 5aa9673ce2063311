"""What rules may ask about a mail: plain values, taken from its reading and from what the desk knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailticket.domain.sender import NO_HISTORY, SenderHistory
from mailticket.domain.types import Arrival, Facts, TicketFacts, Trust
from mailticket.mail.types import Reading

_FILES = frozenset({"file", "message", "calendar", "tnef"})
"""Kinds of attachments that a person would call one: no logos, signatures or images within the text."""


@dataclass(frozen=True, slots=True)
class MailFacts:
    """A mail as rules see it; "" for what it does not have.

    sender, recipient, reply_to   addresses without names
    addressees                    addresses in To and Cc
    headers                       (lower-case name, decoded value), in order
    trust                         how well the sender is known: a level of domain/types.py
    department_by_address         key of the department the arrival address belongs to
    files                         (name, content type) of each attached file
    size                          of the whole mail, in bytes
    language                      of its new text, as a code; "" where the words do not make that sure
    at                            when it is worked on (aware UTC); None counts as outside every schedule
    known_sender                  the sender's address is on file
    released                      a person let it in, so no rule holds it
    ticket                        the ticket it replies to; None for a mail that opens one
    """

    sender: str
    sender_name: str
    recipient: str
    reply_to: str
    subject: str
    body: str
    headers: tuple[tuple[str, str], ...] = ()
    department_by_address: str | None = None
    trust: str = "unknown"
    reply_to_name: str = ""
    reply_to_count: int = 1
    addressees: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    size: int = 0
    kind: str = "human"
    language: str = ""
    at: datetime | None = None
    known_sender: bool = False
    released: bool = False
    history: SenderHistory = NO_HISTORY
    ticket: TicketFacts | None = None

    def header(self, name: str) -> str | None:
        """The first value of a header, by lower-case name."""
        return next((value for key, value in self.headers if key == name), None)


def rule_facts(
    reading: Reading,
    arrival: Arrival,
    facts: Facts,
    level: Trust,
    now: datetime,
    ticket: TicketFacts | None = None,
) -> MailFacts:
    """A mail as rules see it. now: aware UTC; ticket: the one it replies to."""
    mail = reading.mail
    return MailFacts(
        sender=facts.sender or "",
        sender_name=mail.sender.shown.name,
        recipient=arrival.recipient,
        reply_to=mail.reply_to[0].address if mail.reply_to else "",
        reply_to_name=mail.reply_to[0].name if mail.reply_to else "",
        reply_to_count=len(mail.reply_to),
        addressees=tuple(item.address for item in (*mail.to, *mail.cc)),
        subject=mail.subject,
        body=mail.text,
        headers=mail.headers,
        department_by_address=facts.department,
        trust=str(level),
        files=tuple((item.filename, item.content_type) for item in mail.attachments if item.kind in _FILES),
        size=mail.size,
        kind=str(reading.classification.kind),
        language=reading.writer.spoken or "",
        at=now,
        known_sender=facts.known_sender,
        released=arrival.released,
        history=facts.history,
        ticket=ticket,
    )
