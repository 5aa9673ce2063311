"""`rules`: what the rules are, what they make of a mail, and what other rules would change."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from mailticket.cli.desk_commands import Json, open_desk
from mailticket.cli.explain_command import bytes_of, facts_for, recipient_of
from mailticket.cli.report_commands import Since, length_of
from mailticket.cli.session import EXIT_CONFIG, counted, err, out, print_json, settings_of
from mailticket.config.desk import Desk, Rule
from mailticket.config.loader import load
from mailticket.config.problems import ConfigurationError
from mailticket.config.settings import Settings
from mailticket.domain.conditions import rule_in_words
from mailticket.domain.matching import match_customer
from mailticket.domain.routing import react, route
from mailticket.domain.rule_facts import rule_facts
from mailticket.domain.rule_run import Occasion, Trial, try_rules
from mailticket.domain.trust import allowed, trust_of
from mailticket.domain.types import Arrival
from mailticket.mail.read import read
from mailticket.mail.trace import content_digest
from mailticket.work.receive import route_record
from mailticket.work.replay import Replayed, count_mails, replayed

rules_app = typer.Typer(help="The rules: what they are, do, and would do.", no_args_is_help=True)


@rules_app.command("list")
def rules_list(ctx: typer.Context, as_json: Json = False) -> None:
    """List the rules in the order in which they run: what each asks of a mail, and what it does."""
    desk = settings_of(ctx).desk
    if as_json:
        print_json([_rule_dict(rule) for rule in desk.rules])
        return
    table = _table("", "Rule", "On", "When", "Then")
    for number, rule in enumerate(desk.rules, 1):
        last = Text(", and is the last", style="dim") if rule.stops else Text("")
        does = "; ".join(f"{name} {_plain(value)}" for name, value in _actions(rule))
        then = Text(does or "nothing") + last
        table.add_row(str(number), Text(rule.name, style="bold"), rule.on, Text(rule_in_words(rule)), then)
    out.print(table if desk.rules else "No rule.")


@rules_app.command("test")
def rules_test(
    ctx: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(help="Mails as files (.eml); - reads one from standard input.")
    ],
    recipient: Annotated[
        str | None,
        typer.Option(
            "--recipient", metavar="ADDR", help="As if it had come there. Default: from its headers."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per file and line, in order.")
    ] = False,
) -> None:
    """Try the rules on mails: which fire, the condition that decided each, and where the mail would go.

    Nothing is stored and nothing is sent. What rules ask about the sender's past comes from the database,
    where there is one.
    """
    settings = settings_of(ctx)
    missing = False
    for file in files:
        raw = bytes_of(file)
        if raw is None:
            missing = True
            continue
        told = _tried(settings, raw, recipient)
        if as_json:
            print_json({"file": str(file), **told})
        else:
            _show_trial(file, told)
    if missing:
        raise typer.Exit(1)


@rules_app.command("diff")
def rules_diff(
    ctx: typer.Context,
    since: Since = "30d",
    config: Annotated[
        Path | None,
        typer.Option(
            "--config-dir", "--config", metavar="DIR",
            help="Another configuration, compared with the one in use. "
            "Default: the one in use, compared with what was done when each mail came.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, max=100_000, help="Mails to list.")] = 50,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Replay stored mails under changed rules, and list those that would go elsewhere.

    Nothing is changed. Mails are judged as of the moment they came, as far as that is known. The exit code
    is 0 whether or not anything differs.
    """
    period = length_of(since)
    with open_desk(ctx) as desk:
        old = desk.settings.desk if config is not None else None
        new = _other(config) if config is not None else desk.settings.desk
        start = desk.now() - period
        looked_at, differing = 0, 0
        shown: list[Replayed] = []
        columns = (TextColumn("mails"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
            task = progress.add_task("mails", total=count_mails(desk.engine, start))
            for one in replayed(desk.engine, start, new, old):
                progress.advance(task)
                if one is None:
                    continue
                looked_at += 1
                if one.differences:
                    differing += 1
                    if len(shown) < limit:
                        shown.append(one)
    if as_json:
        mails = [asdict(one) | {"differences": one.differences} for one in shown]
        print_json({"looked_at": looked_at, "differing": differing, "mails": mails})
    else:
        _show_differences(looked_at, differing, shown)


def _other(directory: Path) -> Desk:
    """The desk to try out; ends the program with every mistake in it."""
    try:
        return load(directory, os.environ, warn=lambda _problem: None).desk
    except ConfigurationError as error:
        err.print(f"[bold red]The configuration in {directory} cannot be used:[/]", soft_wrap=True)
        for problem in error.problems:
            err.print(f"  {problem}", markup=False, soft_wrap=True)
        raise typer.Exit(EXIT_CONFIG) from None


def _tried(settings: Settings, raw: bytes, recipient: str | None) -> dict[str, Any]:
    """What the rules make of a mail, as JSON."""
    desk, now = settings.desk, datetime.now(UTC)
    mail = read(raw, None)
    to = recipient or recipient_of(settings, mail)
    arrival = Arrival(0, to, None, "explain", now, content_digest(raw).hex())
    facts = facts_for(settings, mail, arrival)
    trust = trust_of(mail.mail, arrival, facts, desk)
    match = match_customer(facts, forged=not allowed(desk.trust, "join", trust.level))
    occasion: Occasion = "reply" if match.ticket is not None else "new"
    asked = rule_facts(mail, arrival, facts, trust.level, now, match.ticket)
    told: dict[str, Any] = {
        "recipient": to,
        "occasion": occasion,
        "ticket": match.ticket.number if match.ticket is not None else None,
        "rules": [_trial_dict(trial) for trial in try_rules(asked, desk, occasion)],
    }
    if occasion == "reply":
        reaction = react(asked, desk)
        return told | {"result": route_record(reaction), "settled": [], "reasons": list(reaction.reasons)}
    way = route(asked, desk)
    settled = [{"name": one.name, "value": one.value, "by": one.by} for one in way.settled]
    return told | {"result": route_record(way), "settled": settled, "reasons": list(way.reasons)}


def _trial_dict(trial: Trial) -> dict[str, Any]:
    return {"name": trial.rule.name, "fired": trial.fired, "why": trial.why}


def _rule_dict(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "on": rule.on,
        "when": rule_in_words(rule),
        "then": dict(_actions(rule)),
        "last": rule.stops,
    }


def _actions(rule: Rule) -> list[tuple[str, Any]]:
    """What a rule does, without what it leaves as it is."""
    written = rule.then.model_dump(mode="json")
    return [(name, value) for name, value in written.items() if value not in (None, [], {})]


# -- for people ----------------------------------------------------------------------------------------


def _show_trial(file: Path, told: dict[str, Any]) -> None:
    out.rule(Text(str(file), style="bold"))
    what = f"a reply to #{told['ticket']}" if told["ticket"] else "a new mail"
    out.print(Text(f"{what} to {told['recipient']}\n"))
    table = Table.grid(padding=(0, 2))
    for one in told["rules"]:
        mark = Text("fired", style="green") if one["fired"] else Text("no", style="dim")
        table.add_row(mark, Text(one["name"], style="bold"), Text(one["why"]))
    out.print(table if told["rules"] else "There is no rule.")
    out.print()
    if told["settled"]:
        route_table = Table.grid(padding=(0, 2))
        for one in told["settled"]:
            route_table.add_row(
                Text(one["name"]), Text(one["value"], style="bold"), Text(one["by"], style="dim")
            )
        out.print(route_table)
    shown = {one["value"] for one in told["settled"]}
    for reason in told["reasons"]:
        if not reason.startswith('rule "') and not any(f'"{value}"' in reason for value in shown):
            out.print(Text(reason))
    extras = ("tags", "collaborators", "fields", "forward", "webhooks")
    for name in extras:
        if told["result"].get(name):
            out.print(Text(f"{name}: {_plain(told['result'][name])}"))


def _show_differences(looked_at: int, differing: int, shown: list[Replayed]) -> None:
    out.print(f"{counted(looked_at, 'mail')} looked at, {differing} would go elsewhere.")
    if not shown:
        return
    table = _table("Mail", "Received", "From", "Subject", "What would differ")
    for one in shown:
        lines = [
            f"{name.replace('_', ' ')}: {_plain(then)} -> {_plain(now)}"
            for name, (then, now) in one.differences.items()
        ]
        ticket = f" (#{one.ticket})" if one.ticket else ""
        if not out.is_terminal:
            told = f"{one.inbound_id}{ticket} {one.sender} {one.subject[:60]!r}: {'; '.join(lines)}"
            out.print(told, markup=False, soft_wrap=True)
        table.add_row(
            f"{one.inbound_id}{ticket}", f"{one.received_at:%Y-%m-%d %H:%M}", Text(one.sender),
            Text(one.subject[:60]), Text("\n".join(lines)),
        )  # fmt: skip
    if out.is_terminal:
        out.print(table)
    if differing > len(shown):
        out.print(f"... and {differing - len(shown)} more (--limit).")


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{key} = {one}" for key, one in value.items()) or "-"
    return "-" if value is None else str(value)


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name)
    return table
