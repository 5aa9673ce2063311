"""`explain`: what the desk would make of a mail, and why, without doing it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from mailticket.cli.session import configuration_directory, err, fail, out, print_json
from mailticket.config.settings import Settings
from mailticket.mail.explain import explain_dict
from mailticket.mail.read import read
from mailticket.mail.types import Reading, SpanKind

_STYLES = {SpanKind.NEW: "bold", SpanKind.QUOTED: "dim", SpanKind.SIGNATURE: "italic dim cyan"}

Decider = Callable[[bytes, Reading, str | None], dict[str, Any]]
"""(raw, reading, recipient) -> the decision as JSON."""


def explain(
    ctx: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(help="Mails as files (.eml); - reads one from standard input.")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per file and line, in order.")
    ] = False,
    recipient: Annotated[
        str | None, typer.Option("--to", help="As if it had come to this address. Default: from its headers.")
    ] = None,
    sender: Annotated[
        str | None,
        typer.Option("--envelope-from", help='As if it had this envelope sender; "" is the null one.'),
    ] = None,
    no_config: Annotated[bool, typer.Option("--no-config", help="Tell only what the mail says.")] = False,
) -> None:
    """Tell how a mail is read, who it counts as being from, and what would be done with it, and why.

    Nothing is stored and nothing is sent. With a configuration at hand the decision is part of it.
    """
    decide = None if no_config else _decider(ctx)
    missing = False
    for file in files:
        raw = bytes_of(file)
        if raw is None:
            missing = True
            continue
        reading = read(raw, sender)
        told = explain_dict(reading)
        if decide is not None:
            told["decision"] = decide(raw, reading, recipient)
        if as_json:
            print_json(told)
        else:
            _show(file, reading, told)
    if missing:
        raise typer.Exit(1)


def bytes_of(file: Path) -> bytes | None:
    """A mail from a file, or from standard input for -; None, after a message, where it cannot be read."""
    try:
        return typer.get_binary_stream("stdin").read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        err.print(f"mailticket: {file}: {error.strerror}", style="red", markup=False, soft_wrap=True)
        return None


def _decider(ctx: typer.Context) -> Decider | None:
    """How to decide, where there is a configuration; None where there is none."""
    directory = configuration_directory(ctx)
    if not directory.is_dir():
        return None
    from mailticket.config.loader import load
    from mailticket.config.problems import ConfigurationError

    try:
        settings = load(directory, os.environ, warn=lambda _problem: None)
    except ConfigurationError as error:
        fail(
            f"the configuration in {directory} has {len(error.problems)} mistakes: run `mailticket check`, "
            "or use --no-config",
            78,
        )
    return lambda raw, reading, recipient: _decide(settings, raw, reading, recipient)


def _decide(settings: Settings, raw: bytes, reading: Reading, recipient: str | None) -> dict[str, Any]:
    from mailticket.domain.decide import decide
    from mailticket.domain.types import Arrival
    from mailticket.mail.trace import content_digest
    from mailticket.work.receive import decision_record
    from mailticket.work.verify import Verifier

    now = datetime.now(UTC)
    arrival = Arrival(
        inbound_id=0,
        recipient=recipient or recipient_of(settings, reading),
        envelope_from=None,
        source="explain",
        received_at=now,
        content_digest=content_digest(raw).hex(),
    )
    verifier = Verifier()
    verified = verifier.verify(raw, reading.mail, settings.desk, verifier.budget())
    facts = replace(facts_for(settings, reading, arrival), verified=verified)
    return decision_record(decide(reading, arrival, facts, settings.desk, now), reading)


def recipient_of(settings: Settings, reading: Reading) -> str:
    """The first served address the mail names, else the default department's."""
    from mailticket.work.served import base_recipient

    desk = settings.desk
    for address in (*reading.mail.to, *reading.mail.cc):
        if base_recipient(address.address) in desk.department_by_address:
            return address.address
    return desk.departments[desk.default_department].address


def facts_for(settings: Settings, reading: Reading, arrival: Any) -> Any:
    """Facts from the database where there is one, else those of an empty desk."""
    from mailticket.domain.types import Facts
    from mailticket.errors import MailticketError
    from mailticket.mail.address import canonical
    from mailticket.store.engine import open_engine
    from mailticket.store.engine import reading as reading_session
    from mailticket.store.queries import gather
    from mailticket.store.revision import is_current
    from mailticket.work.served import base_recipient

    desk, url = settings.desk, settings.service.database
    secret = settings.service.secret_key.get_secret_value().encode()
    if not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).exists():
        try:
            engine = open_engine(url)
            if is_current(engine):
                with reading_session(engine) as session:
                    return gather(session, reading, arrival, desk, secret, lock=False)
        except MailticketError as error:
            told = f"mailticket: without the database ({error})"
            err.print(told, style="yellow", markup=False, soft_wrap=True)
    address = reading.mail.sender.address
    sender = canonical(address) if address else None
    return Facts(
        department=desk.department_by_address.get(base_recipient(arrival.recipient)),
        sender=sender,
        sender_agent=desk.agent_by_address.get(sender) if sender else None,
        known_sender=False,
    )


def _show(file: Path, reading: Reading, told: dict[str, Any]) -> None:
    mail = reading.mail
    out.rule(Text(str(file), style="bold"))
    table = Table.grid(padding=(0, 2))
    sender = mail.sender
    shown = f"{sender.shown.name} <{sender.shown.address}>" if sender.shown.name else sender.shown.address
    rows = [
        ("From", shown if sender.address else f"{shown}   (proves nobody: {sender.problem})"),
        ("To", ", ".join(item.address for item in mail.to)),
        ("Cc", ", ".join(item.address for item in mail.cc)),
        ("Subject", mail.subject),
        ("Message-ID", mail.message_id),
        ("Kind", str(reading.classification.kind)),
    ]
    for name, value in rows:
        if value:
            table.add_row(Text(name, style="dim"), Text(value))
    out.print(table)
    _show_list("Evidence", [f"{item.name}: {item.detail}" for item in reading.classification.evidence])
    _show_bounce(told["bounce"])
    _show_body(reading)
    _show_list(
        "Attachments",
        [f"{item.filename}  {item.content_type}  {item.size} bytes" for item in mail.attachments],
    )
    _show_list("Defects", [f"{item.code}: {item.detail}" for item in mail.defects])
    if "decision" in told:
        decision = told["decision"]
        title = f"Decision: {decision['outcome']} (trust: {decision['trust']})"
        _show_list(title, decision["reasons"], numbered=True)


def _show_bounce(bounce: dict[str, Any] | None) -> None:
    if bounce is not None:
        _show_list(
            "Delivery report",
            [
                f"{item['address']}  {item['action']}  {item['status'] or ''}  "
                f"{'permanent' if item['permanent'] else 'temporary'}"
                for item in bounce["recipients"]
            ],
        )


def _show_body(reading: Reading) -> None:
    content = reading.content
    out.print()
    legend = Text.assemble(
        ("Text  ", "bold underline"),
        (" new ", _STYLES[SpanKind.NEW]),
        (" quoted ", _STYLES[SpanKind.QUOTED]),
        (" signature ", _STYLES[SpanKind.SIGNATURE]),
        f"  taken apart by {content.method or 'nothing'}, confidence {content.confidence:.2f}",
    )
    out.print(legend)
    body = Text()
    for span in content.spans:
        body.append(reading.mail.text[span.start : span.end], style=_STYLES[span.kind])
    out.print(body)


def _show_list(title: str, items: list[str], *, numbered: bool = False) -> None:
    if items:
        out.print()
        out.print(Text(title, style="bold underline"))
        for number, item in enumerate(items, 1):
            out.print(Text(f"  {number}. {item}" if numbered else f"  - {item}"))
