"""`inbox`, `outbox` and `status`: looking into a desk, and mending what is stuck."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text
from sqlalchemy import Engine

from mailticket.cli.session import counted, fail, out, plain_errors, print_json, settings_of
from mailticket.config.settings import Settings
from mailticket.errors import Permanent
from mailticket.store import outbox_admin
from mailticket.store.engine import open_engine, reading
from mailticket.store.imap_ledger import mailbox_contacts
from mailticket.store.inbox import InboundState, Inbox
from mailticket.store.outbox import OutboxState
from mailticket.store.revision import is_current
from mailticket.work.clock import clock_from_environment
from mailticket.work.served import base_recipient

inbox_app = typer.Typer(help="Mails that came in: what became of them, and why.", no_args_is_help=True)
outbox_app = typer.Typer(help="Mails that go out: what is waiting, sent or stuck.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="For scripts: one JSON document.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="At most so many.")]


@dataclass(frozen=True, slots=True)
class OpenDesk:
    """The settings, the database and the clock a command works with."""

    settings: Settings
    engine: Engine

    @property
    def inbox(self) -> Inbox:
        """The stored mails."""
        return Inbox(self.engine, clock_from_environment(), base_recipient)

    def now(self) -> datetime:
        """Now, as the daemon sees it."""
        return clock_from_environment()()


@contextmanager
def open_desk(ctx: typer.Context) -> Iterator[OpenDesk]:
    """Open what the configuration names; ends the program with a sentence where that fails."""
    with plain_errors():
        settings = settings_of(ctx)
        url = settings.service.database
        if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
            raise Permanent("there is no database yet: `mailticket run` makes it")
        engine = open_engine(url)
        try:
            if not is_current(engine):
                raise Permanent("the database is of another version: `mailticket run` migrates an older one")
            yield OpenDesk(settings, engine)
        finally:
            engine.dispose()


@inbox_app.command("list")
def inbox_list(
    ctx: typer.Context,
    state: Annotated[list[InboundState] | None, typer.Option(help="Only these; may be repeated.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List mails that came in, newest first."""
    with open_desk(ctx) as desk:
        mails = desk.inbox.list_mails(tuple(state or ()), limit)
        if as_json:
            print_json([_without_decision(asdict(mail)) for mail in mails])
            return
        table = table_of_words("Id", "State", "Received", "Source", "From", "To", "Subject", "Error")
        for mail in mails:
            table.add_row(
                str(mail.id), mail.state, plain(mail.received_at), mail.source, Text(mail.sender or "?"),
                mail.recipient, Text(mail.subject or ""), Text((mail.error or "")[:80], style="red"),
            )  # fmt: skip
        out.print(table if mails else "No mail.")


@inbox_app.command("show")
def inbox_show(
    ctx: typer.Context, inbound: Annotated[int, typer.Argument(help="Its id.")], as_json: Json = False
) -> None:
    """Show one mail that came in, and the decision made about it."""
    with open_desk(ctx) as desk:
        mail = desk.inbox.show(inbound)
        if as_json:
            print_json(asdict(mail))
        else:
            _facts(asdict(mail))


@inbox_app.command("retry")
def inbox_retry(ctx: typer.Context, inbound: Annotated[list[int], typer.Argument(help="Their ids.")]) -> None:
    """Work on failed, held, rejected or ignored mails again, for instance after an upgrade."""
    with open_desk(ctx) as desk:
        for number in inbound:
            desk.inbox.retry(number)
            out.print(f"Mail {number} is pending again.")


@inbox_app.command("release")
def inbox_release(
    ctx: typer.Context, inbound: Annotated[list[int], typer.Argument(help="Their ids.")]
) -> None:
    """Let held or refused mails in: work on them once, past the ban list and the policies that hold mail."""
    with open_desk(ctx) as desk:
        for number in inbound:
            desk.inbox.retry(number, release=True)
            out.print(f"Mail {number} is let in.")


@inbox_app.command("export")
def inbox_export(
    ctx: typer.Context,
    inbound: Annotated[int, typer.Argument(help="Its id.")],
    file: Annotated[Path | None, typer.Argument(help="Where to; default: standard output.")] = None,
) -> None:
    """Write the mail out, byte for byte as it came."""
    with open_desk(ctx) as desk:
        raw = desk.inbox.raw(inbound)
        if file is None:
            typer.get_binary_stream("stdout").write(raw)
            return
        try:
            file.write_bytes(raw)
        except OSError as error:
            fail(f"{file}: {error.strerror}")
        out.print(f"{len(raw)} bytes written to {file}.")


@outbox_app.command("list")
def outbox_list(
    ctx: typer.Context,
    state: Annotated[list[OutboxState] | None, typer.Option(help="Only these; may be repeated.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List mails that go out, newest first."""
    with open_desk(ctx) as desk:
        mails = outbox_admin.list_mails(desk.engine, tuple(state or ()), limit)
        if as_json:
            print_json([asdict(mail) for mail in mails])
            return
        table = table_of_words("Id", "State", "Template", "To", "Tries", "Next try", "Subject", "Error")
        for mail in mails:
            waits = plain(mail.next_try_at) if mail.state is OutboxState.QUEUED else ""
            table.add_row(
                str(mail.id), mail.state, mail.template, mail.recipient, str(mail.attempts), waits,
                Text(mail.subject or ""), Text((mail.error or "")[:80], style="red"),
            )  # fmt: skip
        out.print(table if mails else "No mail.")


@outbox_app.command("show")
def outbox_show(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(help="Its id.")],
    as_json: Json = False,
    raw: Annotated[bool, typer.Option("--raw", help="The bytes as they go out.")] = False,
) -> None:
    """Show one mail that goes out."""
    with open_desk(ctx) as desk:
        if raw:
            data = outbox_admin.raw(desk.engine, number)
            if data is None:
                raise Permanent(f"mail {number} has not been rendered yet")
            typer.get_binary_stream("stdout").write(data)
            return
        mail = asdict(outbox_admin.show(desk.engine, number))
        if as_json:
            print_json(mail)
        else:
            _facts(mail)


@outbox_app.command("retry")
def outbox_retry(ctx: typer.Context, number: Annotated[list[int], typer.Argument(help="Their ids.")]) -> None:
    """Send waiting, failed, parked or cancelled mails now."""
    with open_desk(ctx) as desk:
        for one in number:
            outbox_admin.retry(desk.engine, one, desk.now())
            out.print(f"Mail {one} is queued.")


@outbox_app.command("cancel")
def outbox_cancel(
    ctx: typer.Context, number: Annotated[list[int], typer.Argument(help="Their ids.")]
) -> None:
    """Never send these mails."""
    with open_desk(ctx) as desk:
        for one in number:
            outbox_admin.cancel(desk.engine, one, desk.now())
            out.print(f"Mail {one} is cancelled.")


def status(ctx: typer.Context, as_json: Json = False) -> None:
    """Tell how the desk is doing: mails in and out, the oldest that wait, mailboxes, trouble."""
    with open_desk(ctx) as desk:
        told = _status(desk)
        if as_json:
            print_json(told)
            return
        for name in ("inbox", "outbox"):
            counts = "  ".join(f"{state} {count}" for state, count in told[name].items() if count)
            out.print(Text.assemble((f"{name:8}", "bold"), counts or "empty"))
        now = desk.now()
        for name in ("oldest_pending", "oldest_queued"):
            if told[name] is not None:
                out.print(f"{name.replace('_', ' ')}: {_span(now - told[name])}")
        for mailbox in told["mailboxes"]:
            good = mailbox["error"] is None
            when = mailbox["reached_at"] if good else mailbox["failed_at"]
            words = f"reached {plain(when)}" if good else f"failing since {plain(when)}: {mailbox['error']}"
            out.print(Text(f"mailbox {mailbox['mailbox']}: {words}", style="" if good else "red"))
        if told["attention"]:
            out.print(Text("Needs attention: " + "; ".join(told["attention"]), style="bold red"))


def _status(desk: OpenDesk) -> dict[str, Any]:
    inbox = desk.inbox
    counts = {str(state): count for state, count in inbox.counts().items()}
    queued = {str(state): count for state, count in outbox_admin.counts(desk.engine).items()}
    with reading(desk.engine) as session:
        mailboxes = [asdict(item) for item in mailbox_contacts(session)]
    attention = [f"{counted(counts[state], f'{state} mail')} (inbox list --state {state})"
                 for state in ("failed", "held") if counts[state]]  # fmt: skip
    attention += [f"{counted(queued[state], f'{state} outgoing mail')} (outbox list --state {state})"
                  for state in ("failed", "parked") if queued[state]]  # fmt: skip
    attention += [f"mailbox {item['mailbox']}: {item['error']}" for item in mailboxes if item["error"]]
    return {
        "inbox": counts,
        "outbox": queued,
        "oldest_pending": inbox.oldest_pending(),
        "oldest_queued": outbox_admin.oldest_queued(desk.engine),
        "mailboxes": mailboxes,
        "attention": attention,
    }


def table_of_words(*columns: str) -> Table:
    """A table for people; numbers and states never wrap."""
    table = Table(box=None, header_style="bold dim", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in ("Id", "Number", "State", "Status"))
    return table


def _facts(values: dict[str, Any]) -> None:
    table = Table.grid(padding=(0, 2))
    for name, value in values.items():
        if isinstance(value, dict):
            for key, inner in value.items():
                _add(table, f"{name}: {key}", inner)
        else:
            _add(table, name.replace("_", " "), value)
    out.print(table)


def _add(table: Table, name: str, value: Any) -> None:
    lines = value if isinstance(value, list) else [value]
    for position, line in enumerate(lines):
        if line not in (None, "", {}):
            table.add_row(Text(name if position == 0 else "", style="dim"), Text(plain(line)))


def _without_decision(mail: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in mail.items() if key != "decision"}


def plain(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)


def due_words(due_at: datetime | None, overdue_since: datetime | None, now: datetime) -> str:
    """How far away a due date is."""
    if overdue_since is not None:
        return f"overdue {_span(now - overdue_since)}"
    return "-" if due_at is None else f"in {_span(due_at - now)}"


def _span(length: Any) -> str:
    minutes = max(int(length.total_seconds() // 60), 0)
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 72 else f"{hours // 24} d"
