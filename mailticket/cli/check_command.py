"""`check`: validate the configuration, then try everything it names."""

from __future__ import annotations

from collections.abc import Callable, Sized
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from mailticket.cli.session import EXIT_FAILED, EXIT_TEMPORARY, counted, out, print_json, settings_of
from mailticket.config.desk import Desk
from mailticket.config.settings import Settings
from mailticket.domain.schedule import schedule_problems
from mailticket.errors import MailticketError, Temporary


@dataclass(frozen=True, slots=True)
class Finding:
    """What trying one thing showed. state: "ok", "warning", "failed" or "later"."""

    what: str
    state: str
    detail: str


def check(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts: one JSON document.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Only the files; contact no server.")] = False,
) -> None:
    """Check the configuration, then try what it names: database, IMAP logins, smarthost, templates.

    Exit codes: 0 all well, 1 something has to be mended, 75 something may work later,
    78 the configuration itself is wrong.
    """
    settings = settings_of(ctx)
    findings = [Finding("configuration", "ok", _summary(settings)), *_schedules(settings.desk)]
    findings += _templates(settings)
    if not offline:
        findings += _servers(settings)
    if as_json:
        print_json([asdict(item) for item in findings])
    else:
        show_findings(findings)
    states = {item.state for item in findings}
    if "failed" in states:
        raise typer.Exit(EXIT_FAILED)
    if "later" in states:
        raise typer.Exit(EXIT_TEMPORARY)


def _summary(settings: Settings) -> str:
    desk = settings.desk
    counts: dict[str, Sized] = {
        "department": desk.departments,
        "agent": desk.agents,
        "topic": desk.topics,
        "rule": desk.rules,
        "SLA plan": desk.sla_plans,
        "listener": settings.listeners,
        "mailbox": settings.mailboxes,
    }
    plurals = {"mailbox": "mailboxes"}
    return ", ".join(counted(len(things), name, plurals.get(name, "")) for name, things in counts.items())


def _schedules(desk: Desk) -> list[Finding]:
    """Schedules that make no sense or never open again: what is promised in them is never due."""
    if not desk.schedules:
        return []
    problems = schedule_problems(desk, datetime.now(UTC))
    if not problems:
        return [Finding("schedules", "ok", "every schedule opens again")]
    return [Finding("schedules", "warning", problem) for problem in problems]


def _templates(settings: Settings) -> list[Finding]:
    from mailticket.delivery.render import Renderer
    from mailticket.delivery.samples import check_templates

    folders = [settings.service.templates] if settings.service.templates else []
    broken = list(check_templates(Renderer(folders)))
    if not broken:
        return [Finding("templates", "ok", "every template renders on sample data")]
    return [Finding("templates", "failed", str(problem)) for problem in broken]


def _servers(settings: Settings) -> list[Finding]:
    from mailticket.delivery.maildir import check_maildir
    from mailticket.delivery.smarthost import check_smarthost
    from mailticket.intake.imap import check_mailbox

    findings = _database(settings)
    for mailbox in settings.mailboxes.values():
        findings.append(_tried(f"mailbox {mailbox.key}", partial(check_mailbox, mailbox)))
    smarthost = settings.delivery.smarthost
    if smarthost is not None:
        findings.append(_tried("smarthost", lambda: check_smarthost(smarthost)))
    else:
        findings.append(_tried("delivery", lambda: check_maildir(settings.delivery.maildir)))
    return findings


def _database(settings: Settings) -> list[Finding]:
    from mailticket.store.engine import durability_warnings, open_engine
    from mailticket.store.revision import current, head_revision

    def look() -> str:
        engine = open_engine(settings.service.database)
        try:
            revision = current(engine)
            warnings.extend(durability_warnings(engine))
        finally:
            engine.dispose()
        if revision == head_revision():
            return f"{engine.dialect.name}, reachable and migrated ({revision})"
        return f"{engine.dialect.name}, reachable; `mailticket run` migrates it"

    warnings: list[str] = []
    found = _tried("database", look)
    return [found, *(Finding("database", "warning", warning) for warning in warnings)]


def _tried(what: str, attempt: Callable[[], str]) -> Finding:
    try:
        return Finding(what, "ok", attempt())
    except MailticketError as error:
        return Finding(what, "later" if isinstance(error, Temporary) else "failed", str(error))


def show_findings(findings: list[Finding]) -> None:
    """A table on a terminal; else one line each, whatever its length, so that paths stay whole."""
    marks = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "failed": ("FAILED", "bold red")}
    table = Table.grid(padding=(0, 2))
    for item in findings:
        word, style = marks.get(item.state, ("not now", "bold red"))
        table.add_row(Text(word, style=style), Text(item.what, style="bold"), Text(item.detail))
        if not out.is_terminal:
            out.print(f"{word:8} {item.what}: {item.detail}", markup=False, soft_wrap=True)
    if out.is_terminal:
        out.print(table)
