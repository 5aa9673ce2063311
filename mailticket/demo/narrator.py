"""What the demo prints: every mail as it passes, the customers' and the inside's in different colours."""

from __future__ import annotations

import shlex
import sys
import textwrap
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mailticket.demo.cast import BY_ADDRESS, CAST, Role
from mailticket.demo.mailclient import Written, text_of
from mailticket.demo.mailroom import SENT, Received
from mailticket.demo.shorten import shortened
from mailticket.store.views import TicketRow, WholeTicket

_CUSTOMER, _INSIDE = "cyan", "yellow"
_WIDTH = 100
_BAR = "  │ "
_LONGEST_TOKEN = 6


class Narrator:
    """Tells the story on a terminal; without colours the words alone tell the same."""

    def __init__(self, *, color: bool) -> None:
        self._told: dict[str, str] = {}
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
        self._told.clear()
        self.console.print()
        self.console.rule(Text(f"{number}  {when:%a %H:%M}", "bold"), align="left", style="dim")
        self._line(tells, "bold")

    def waits(self) -> None:
        """Nobody writes; the desk's own clock has to strike."""
        self._line("(nobody writes; the desk looks at its clock every few seconds)", "dim")

    def sent(self, mail: Written, when: datetime) -> None:
        """A mail of the cast."""
        style = _INSIDE if mail.role.inside else _CUSTOMER
        self._head(when, _who(mail.role), _reader(mail.recipient), style)
        body = mail.text + ("\n\n(below it, quoted, the mail it answers)" if mail.answers else "")
        self._mail(f"from a {mail.role.part}", mail.subject, body, style)

    def received(self, item: Received, kind: str, when: datetime) -> None:
        """A mail of the desk, as it comes into somebody's mailbox."""
        style = _INSIDE if item.role.inside else _CUSTOMER
        sender = item.mail["From"].addresses[0]
        self._head(when, f"{sender.display_name} <{sender.addr_spec}>", _who(item.role), style)
        text = shortened(text_of(item.mail))
        what = f"{kind or 'a mail the desk knows nothing of'}, to a {item.role.part}"
        if (told := self._told.get(text)) is not None:
            self._mail(what, str(item.mail["Subject"]), f"(the same text as to {told})", style)
        else:
            self._told[text] = item.role.name
            self._mail(what, str(item.mail["Subject"]), text, style)

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
        program = Path(sys.executable).with_name("mailticket")
        command = _quoted(program) if program.exists() else "mailticket"
        self._line(f"Look at the desk:  {command} --config {_quoted(config)} ticket list --all")

    def succeeded(self, checks: int, seconds: float) -> None:
        """The last line of a good demo."""
        self._line(f"\nAll was as it must be: {checks} checks, {seconds:.1f} s.", "bold green")

    def failed(self, problems: Sequence[str]) -> None:
        """The last lines of a bad one."""
        self._line("\nThe demo went wrong:", "bold red")
        for problem in problems:
            self._line(f"  ✗ {problem}", "red")

    def _head(self, when: datetime, sender: str, reader: str, style: str) -> None:
        head = Text.assemble((f"\n{when:%H:%M}  ", "dim"), (sender, "bold"))
        head.append("  →  ", f"bold {style}").append(reader, "bold")
        self.console.print(head, soft_wrap=True)

    def _mail(self, what: str, subject: str, text: str, style: str) -> None:
        self._barred(f"[{what}]", style, style)
        self._barred(subject, "bold", style)
        for line in ("", *text.splitlines()):
            self._barred(line, _line_style(line), style)

    def _barred(self, line: str, style: str, bar: str) -> None:
        room = max(self.console.width - len(_BAR), 30)
        for part in textwrap.wrap(line, room) or [""]:
            self.console.print(Text.assemble((_BAR, bar), (part, style)), soft_wrap=True)

    def _line(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style), soft_wrap=True)


def _who(role: Role) -> str:
    return f"{role.name} <{role.address}>"


def _reader(address: str) -> str:
    """The token in a reply address says nothing to people."""
    local, _, domain = address.partition("@")
    base, plus, token = local.partition("+")
    return f"{base}{plus}{token[:6]}…@{domain}" if len(token) > _LONGEST_TOKEN else address


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
    """For a shell; relative where that is shorter."""
    near = path.is_relative_to(Path.cwd())
    return shlex.quote(str(path.relative_to(Path.cwd()) if near else path))
