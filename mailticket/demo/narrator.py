"""What the demo prints: every mail as it passes, the customers' and the inside's in different colours."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mailticket.demo.cast import BY_ADDRESS, CAST, Role
from mailticket.demo.mailclient import Written, text_of
from mailticket.demo.mailroom import SENT, Received
from mailticket.demo.shorten import shortened
from mailticket.store.views import TicketRow, WholeTicket

_CUSTOMER, _INSIDE = "cyan", "yellow"
_WIDTH = 100


class Narrator:
    """Tells the story on a terminal; without colours the words alone tell the same."""

    def __init__(self, *, color: bool) -> None:
        self.console = Console(highlight=False, no_color=not color)
        if self.console.width > _WIDTH or not self.console.is_terminal:
            self.console.width = _WIDTH

    def opening(self, smarthost_port: int, folder: Path) -> None:
        """What is going to be seen."""
        self._line("mailticket demo: a ticket's life by mail", "bold")
        self._line(
            f"The real daemon runs on {folder}, the mail servers of everybody on 127.0.0.1:{smarthost_port}.",
            "dim",
        )
        legend = Text("Mails to and from ")
        legend.append("customers", f"bold {_CUSTOMER}").append(", and ").append(
            "inside the desk", f"bold {_INSIDE}"
        )
        self.console.print(legend.append("."))

    def scene(self, number: int, when: datetime, tells: str) -> None:
        """A new step of the story."""
        self.console.print()
        self.console.rule(Text(f"{number}  {when:%a %H:%M}", "bold"), align="left", style="dim")
        self._line(tells, "bold")

    def sent(self, mail: Written, when: datetime) -> None:
        """A mail of the cast."""
        style = _INSIDE if mail.role.inside else _CUSTOMER
        head = _head(when, _who(mail.role), mail.recipient, mail.role.part, style)
        body = mail.text + ("\n\n(the mail answered is quoted below)" if mail.answers else "")
        self._mail(head, mail.subject, body, style)

    def received(self, item: Received, kind: str, when: datetime) -> None:
        """A mail of the desk, as it comes into somebody's mailbox."""
        style = _INSIDE if item.role.inside else _CUSTOMER
        sender = item.mail["From"].addresses[0]
        desk = f"{sender.display_name} <{sender.addr_spec}>"
        head = _head(when, desk, _who(item.role), f"to a {item.role.part}: {kind or '?'}", style)
        self._mail(head, str(item.mail["Subject"]), shortened(text_of(item.mail)), style)

    def again(self, item: Received, kind: str, when: datetime) -> None:
        """A mail with the same text as the one before, to somebody else."""
        style = _INSIDE if item.role.inside else _CUSTOMER
        head = _head(when, "the same", _who(item.role), f"to a {item.role.part}: {kind or '?'}", style)
        self.console.print(Padding(head, (1, 0, 0, 0), expand=False))

    def standing(self, ticket: TicketRow | None, checked: int) -> None:
        """How the ticket stands after a step in which all was as it must be."""
        line = Text("  ✓ ", "bold green")
        line.append(f"{checked} checks. ", "green")
        if ticket is not None:
            late = ", overdue" if ticket.overdue_since else ""
            line.append(
                f"Ticket #{ticket.number} is {ticket.status}{late}, {ticket.priority}, "
                f"in {ticket.department}, with {_assignee(ticket.assignee)}.",
                "dim",
            )
        self.console.print()
        self.console.print(line)

    def problems(self, problems: Sequence[str]) -> None:
        """What is not as it must be."""
        self.console.print()
        for problem in problems:
            self.console.print(Text(f"  ✗ {problem}", "bold red"))

    def daemon_log(self, end: str, file: Path) -> None:
        """The end of the daemon's log, after a failure."""
        self._line(f"\nThe end of {file}:", "bold")
        self._line(end, "dim")

    def summary(self, tickets: Sequence[WholeTicket], kinds: Mapping[str, int]) -> None:
        """The tables at the end."""
        self.console.print()
        self.console.rule(Text("What was seen", "bold"), align="left", style="dim")
        self.console.print(_tickets(tickets))
        self.console.print()
        self.console.print(_kinds(kinds))

    def places(self, mail: Path, config: Path, counts: Mapping[str, int]) -> None:
        """Where everything can be looked into."""
        self.console.print()
        table = _table("Maildir", "Whose", "Mails")
        for role in CAST:
            table.add_row(_quoted(mail / role.key), f"{role.name}, {role.part}", str(counts.get(role.key, 0)))
        self.console.print(table)
        self.console.print()
        self._line(
            f"Look into one:     mutt -f {_quoted(mail / CAST[0].key)}    (what they sent: {SENT} in it)"
        )
        self._line(f"Look at the desk:  mailticket --config {_quoted(config)} ticket list --all")

    def succeeded(self, checks: int, seconds: float) -> None:
        """The last line of a good demo."""
        self._line(f"\nAll was as it must be: {checks} checks, {seconds:.1f} s.", "bold green")

    def failed(self, problems: Sequence[str]) -> None:
        """The last lines of a bad one."""
        self._line("\nThe demo went wrong:", "bold red")
        for problem in problems:
            self._line(f"  ✗ {problem}", "red")

    def _mail(self, head: Text, subject: str, text: str, style: str) -> None:
        room = max(self.console.width - 8, 30)
        body = Text(f"Subject: {subject}\n\n", "bold")
        for line in text.splitlines():
            wrapped = textwrap.wrap(line, room, replace_whitespace=False, drop_whitespace=False) or [""]
            body.append("\n".join(wrapped) + "\n", _line_style(line))
        body.rstrip()
        bar = Table.grid(padding=(0, 1))
        bar.add_column(width=1)
        bar.add_column()
        height = max(len(body.wrap(self.console, room + 2)), 1)
        bar.add_row(Text("\n".join("│" * height), style), body)
        self.console.print(
            Padding(Group(head, Padding(bar, (0, 0, 0, 2), expand=False)), (1, 0, 0, 0), expand=False)
        )

    def _line(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style), soft_wrap=True)


def _head(when: datetime, sender: str, reader: str, what: str, style: str) -> Text:
    head = Text(f"{when:%H:%M}  ", "dim")
    head.append(sender, "bold").append("  →  ", f"bold {style}").append(reader, "bold")
    return head.append(f"  [{what}]", style)


def _who(role: Role) -> str:
    return f"{role.name} <{role.address}>"


def _assignee(key: str | None) -> str:
    return next((role.name for role in BY_ADDRESS.values() if role.key == key), "nobody")


def _line_style(line: str) -> str:
    if line.startswith("#"):
        return "bold magenta"
    return "dim" if line.startswith((">", "…", "(")) else ""


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold dim", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _tickets(tickets: Sequence[WholeTicket]) -> Table:
    table = _table("Ticket", "Subject", "Customer", "Status", "Who", "Opened", "Answered", "Ended")
    for item in tickets:
        ticket = item.ticket
        answered = next((event.at for event in item.events if event.kind == "response"), None)
        table.add_row(
            f"#{ticket.number}",
            Text(ticket.subject),
            ticket.requester_name,
            Text(f"{ticket.status}, overdue", "bold red") if ticket.overdue_since else Text(ticket.status),
            f"{_assignee(ticket.assignee)}, {ticket.department}, {ticket.priority}",
            f"{ticket.created_at:%a %H:%M}",
            "-" if answered is None else f"{answered:%a %H:%M}",
            "-" if ticket.closed_at is None else f"{ticket.closed_at:%a %H:%M}",
        )
    return table


def _kinds(kinds: Mapping[str, int]) -> Table:
    table = _table("Mails by kind", "Number")
    for kind, count in sorted(kinds.items()):
        table.add_row(kind, str(count))
    return table


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
