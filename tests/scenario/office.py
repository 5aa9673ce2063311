"""An office around a running daemon: people with mail programs of their own, and tickets they write about."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from email.message import EmailMessage
from itertools import count
from typing import Any

from tests.scenario.clients import CLIENTS, Answer
from tests.scenario.composed import Draft, Link, tapped
from tests.scenario.daemon import Daemon, new_mail, parse, text_of

PEOPLE = {
    "sam": "Sam Support <sam.private@agents.example>",
    "sue": "Sue Support <sue.private@agents.example>",
    "ida": "Ida Admin <ida.private@agents.example>",
    "mona": "Mona Manager <mona.private@agents.example>",
    "max": "Max Boss <max.private@agents.example>",
}
"""The agents as the configuration has them, and as their programs sign."""
PROVEN = {"Authentication-Results": "mx.desk.example; dmarc=pass header.from=agents.example"}
"""What the desk's own mail server writes on mails that it has found to be the agents'."""
BELIEVED = "\n[trust]\nauthserv_ids = ['mx.desk.example']\n"


def address(person: str) -> str:
    """The address of an agent by key, or of anybody by name and address."""
    return PEOPLE.get(person, person).rpartition("<")[2].rstrip(">")


@dataclass
class Office:
    """Sends mails to the daemon; each is worked on, and what follows from it sent, before the next."""

    daemon: Daemon
    passed: float = 0
    sent: dict[str, list[EmailMessage]] = field(default_factory=dict)
    _serials: Any = field(default_factory=lambda: count(1))

    def serial(self) -> str:
        """A word that no other mail of this office has."""
        return f"o{next(self._serials)}"

    def hand_in(self, mail: EmailMessage | bytes, sender: str, recipient: str) -> EmailMessage:
        """Send a mail, and wait until all that follows from it has happened; it, as it was sent."""
        raw = mail if isinstance(mail, bytes) else mail.as_bytes()
        self.daemon.send(raw, recipient, address(sender))
        self.daemon.idle()
        parsed = parse(raw)
        self.sent.setdefault(address(sender), []).append(parsed)
        return parsed

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and whatever is due happen."""
        self.passed += seconds
        self.daemon.later(self.passed)
        self.daemon.idle()

    def opened(self, name: str, body: str = "", **headers: str) -> Matter:
        """A customer of that name opens a ticket."""
        matter = Matter(self, name)
        raw = new_mail(
            matter.subject, body or f"The {name} does not start.", sender=matter.customer,
            message_id=f"{self.serial()}@customer.example", **headers,
        )  # fmt: skip
        self.hand_in(raw, matter.customer, "support@desk.example")
        return matter


@dataclass
class Matter:
    """A ticket, by the one word that its subject and its customer share."""

    office: Office
    name: str

    @property
    def subject(self) -> str:
        """As the customer wrote it."""
        return f"Trouble with {self.name}."

    @property
    def customer(self) -> str:
        """Name and address."""
        return f"Ann {self.name.capitalize()} <{address_of(self.name)}>"

    @property
    def row(self) -> Any:
        """The ticket as the database has it."""
        (row,) = self.office.daemon.books.rows(
            "SELECT * FROM ticket WHERE subject = :subject ORDER BY id LIMIT 1", subject=self.subject
        )
        return row

    @property
    def tags(self) -> list[str]:
        """Its tags."""
        kept = self.row.tags
        return list(json.loads(kept) if isinstance(kept, str) else kept)

    @property
    def state(self) -> tuple[str, str, str | None, str, list[str]]:
        """Status, department, assignee, priority and tags."""
        row = self.row
        return row.status, row.department, row.assignee, row.priority, self.tags

    @property
    def entries(self) -> list[tuple[str, str, str]]:
        """Kind, author and text of each entry."""
        rows = self.office.daemon.books.rows(
            "SELECT kind, author, text FROM entry WHERE ticket_id = :ticket ORDER BY id", ticket=self.row.id
        )
        return [(row.kind, row.author, row.text.strip()) for row in rows]

    def mails(self, person: str) -> list[EmailMessage]:
        """What somebody got about it, oldest first."""
        got = self.office.daemon.to(address(person))
        return [mail for mail in got if self.subject in re.sub(r"\s+", " ", str(mail["Subject"]))]

    def newest(self, person: str) -> EmailMessage:
        """The last of them."""
        return self.mails(person)[-1]

    def answers(self) -> list[str]:
        """The texts of what people, not machines, wrote to the customer."""
        mails = self.mails(address_of(self.name))
        return [text_of(mail) for mail in mails if mail["Auto-Submitted"] is None]

    def says(
        self, person: str, program: str, *lines: str, to: EmailMessage | None = None, **fields: str
    ) -> EmailMessage:
        """Somebody answers a mail, by default the newest they have; what their program made of it.

        fields: header fields as they wish them, `To` for instance.
        """
        sender = self.customer if person == "customer" else PEOPLE.get(person, person)
        mail = to or self.newest(address(sender))
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        answer = Answer(mail, list(lines), sender, self.office.serial(), named)
        recipient = str(mail["Reply-To"].addresses[0].addr_spec)
        return self.office.hand_in(CLIENTS[program](answer), sender, recipient)

    def taps(self, person: str, program: str, link: Link, beside: str = "", **fields: str) -> None:
        """Somebody taps a link and sends what it opens."""
        sender = self.customer if person == "customer" else PEOPLE.get(person, person)
        mail = tapped(program, link, sender, self.office.serial(), beside)
        for name, value in fields.items():
            mail[name.replace("_", "-")] = value
        self.office.hand_in(mail, sender, link.address)

    def draft(self, person: str, to: str, subject: str, *lines: str) -> Draft:
        """A new mail of an agent."""
        return Draft(PEOPLE[person], to, subject, "\n".join(lines), self.office.serial())


def address_of(name: str) -> str:
    """The customer's address."""
    return f"{name}@customer.example"


def said(mail: EmailMessage) -> str:
    """The text of a mail without line breaks, to look for sentences in."""
    return " ".join(text_of(mail).split())
