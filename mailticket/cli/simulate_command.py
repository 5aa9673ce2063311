"""`simulate`: what history would have come to under other plans, schedules or rules."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from mailticket.cli.desk_commands import Json, OpenDesk, open_desk
from mailticket.cli.report_commands import Since, batches_with_progress, length_of
from mailticket.cli.session import EXIT_CONFIG, configuration_directory, counted, err, out, print_json
from mailticket.config.desk import Desk
from mailticket.config.loader import load
from mailticket.config.problems import ConfigurationError
from mailticket.domain.clocks import target_words
from mailticket.domain.history import TicketStory
from mailticket.domain.routing import MailFacts, Route, route
from mailticket.domain.rule_facts import rule_facts
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.simulate import Simulation, SimulationResult, TicketChange, same_routing
from mailticket.domain.types import Arrival, Facts, Trust
from mailticket.mail.address import canonical
from mailticket.mail.read import read
from mailticket.store.engine import reading
from mailticket.store.reports import OpeningMail, opening_mails
from mailticket.work.served import base_recipient

_Routes = tuple[Route, Route]


def simulate(
    ctx: typer.Context,
    config_dir: Annotated[
        Path | None, typer.Option("--config-dir", metavar="DIR", help="A whole other configuration.")
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option("--plan", metavar="FILE", help="A TOML file laid over the configuration in use."),
    ] = None,
    since: Since = "90d",
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, max=100_000, help="Tickets to list.")] = 20,
    as_json: Json = False,
) -> None:
    """Replay what came in under other plans, schedules or rules: breaches then and now, which tickets, load.

    Nothing is changed. A file given with --plan has sections as in the configuration: an entry such as
    \\[sla_plans.standard] takes the place of the one in use, \\[\\[rules]] the place of all rules.
    """
    if (config_dir is None) == (plan is None):
        raise typer.BadParameter("give either --config-dir or --plan")
    period = length_of(since)
    with open_desk(ctx) as desk:
        then = desk.settings.desk
        now = _other_desk(ctx, config_dir, plan)
        until = desk.now()
        simulation = Simulation(
            (then, WorkingTimes(then)), (now, WorkingTimes(now)), until - period, until, limit
        )
        routed = _no_routes if same_routing(then, now) else _router(desk, then, now, until - period)
        for batch in batches_with_progress(desk, period):
            routes = routed(batch)
            for story in batch:
                simulation.add(story, routes.get(story.id))
        result = simulation.result()
        if as_json:
            print_json(asdict(result))
        else:
            _show(result, now)


def _other_desk(ctx: typer.Context, config_dir: Path | None, plan: Path | None) -> Desk:
    """The desk to try out; ends the program with every mistake in it."""
    directory = config_dir if config_dir is not None else configuration_directory(ctx)
    try:
        return load(directory, os.environ, warn=lambda _problem: None, overlay=plan).desk
    except ConfigurationError as error:
        err.print("[bold red]What is to be tried out cannot be used:[/]")
        for problem in error.problems:
            err.print(f"  {problem}", markup=False, soft_wrap=True)
        raise typer.Exit(EXIT_CONFIG) from None


def _no_routes(_batch: list[TicketStory]) -> dict[int, _Routes]:
    return {}


def _router(
    opened: OpenDesk, then: Desk, now: Desk, since: datetime
) -> Callable[[list[TicketStory]], dict[int, _Routes]]:
    """Routes the mails that opened tickets through the rules of both desks."""

    def routes(batch: list[TicketStory]) -> dict[int, _Routes]:
        wanted = [story.id for story in batch if story.created_at >= since]
        with reading(opened.engine) as session:
            mails = opening_mails(session, wanted)
        came = {story.id: story.created_at for story in batch}
        return {ticket: _routes_of(mail, then, now, came[ticket]) for ticket, mail in mails.items()}

    return routes


def _routes_of(mail: OpeningMail, then: Desk, now: Desk, at: datetime) -> _Routes:
    """What both desks' rules make of a mail; of its sender's past nothing is known here."""
    found = read(mail.raw, mail.envelope_from)
    address = found.mail.sender.address
    sender = canonical(address) if address else None
    arrival = Arrival(0, mail.recipient, mail.envelope_from, "simulate", at, "", released=True)
    level = Trust(mail.trust)

    def facts(desk: Desk) -> MailFacts:
        department = desk.department_by_address.get(base_recipient(mail.recipient))
        known = Facts(department=department, sender=sender, sender_agent=None, known_sender=True)
        return rule_facts(found, arrival, known, level, at)

    return route(facts(then), then), route(facts(now), now)


# -- for people ----------------------------------------------------------------------------------------


def _show(result: SimulationResult, desk: Desk) -> None:
    out.print(
        f"{counted(result.tickets, 'ticket')} came in "
        f"from {result.since:%Y-%m-%d} to {result.until:%Y-%m-%d}; "
        f"{result.rerouted} of them were routed again by the mail that opened them."
    )
    out.print(
        Text.assemble(
            "Tickets with a broken promise: then ",
            (str(result.breached_then), "bold"),
            ", now ",
            (str(result.breached_now), "bold"),
            f".  Routed elsewhere: {result.moved}.  Refused: {result.rejected}.",
        )
    )
    out.print(_targets(result))
    out.print(_loads(result, desk))
    if result.changes:
        out.print(_tickets(result))


def _targets(result: SimulationResult) -> Table:
    table = _table("\nPromises", "target")
    for name in ("met then", "met now", "missed then", "missed now", ""):
        table.add_column(name, justify="right")
    for item in result.targets:
        if item.then.met or item.then.missed or item.now.met or item.now.missed:
            table.add_row(
                target_words(item.target),
                str(item.then.met),
                str(item.now.met),
                str(item.then.missed),
                str(item.now.missed),
                _difference(item.then.missed, item.now.missed),
            )
    return table


def _loads(result: SimulationResult, desk: Desk) -> Table:
    names = {
        "department": {key: item.name for key, item in desk.departments.items()},
        "team": {key: item.name for key, item in desk.teams.items()},
        "agent": {key: item.name for key, item in desk.agents.items()},
    }
    table = _table("\nLoad: what came to whom at first, and promises broken there", "")
    table.add_column("")
    for name in ("came then", "came now", "missed then", "missed now", ""):
        table.add_column(name, justify="right")
    for item in result.loads:
        table.add_row(
            item.dimension,
            Text(names[item.dimension].get(item.key, item.key)),
            str(item.tickets_then),
            str(item.tickets_now),
            str(item.missed_then),
            str(item.missed_now),
            _difference(item.missed_then, item.missed_now),
        )
    return table


def _difference(then: int, now: int) -> Text:
    if then == now:
        return Text("")
    return Text(f"{now - then:+d}", style="red" if now > then else "green")


def _tickets(result: SimulationResult) -> Table:
    table = _table(f"\n{len(result.changes)} of {result.changed} tickets that would differ", "number")
    table.add_column("what")
    table.add_column("subject", no_wrap=True, overflow="ellipsis")
    for change in result.changes:
        table.add_row(change.number, _what(change), Text(change.subject))
    return table


def _what(change: TicketChange) -> Text:
    parts = [("would have been refused", "yellow")] if change.rejected else []
    parts += [(f"now misses its {target_words(target)}", "red") for target in change.broken]
    if not change.rejected:
        parts += [(f"now keeps its {target_words(target)}", "green") for target in change.kept]
    parts += [
        (f"{name.replace('_', ' ')} {before or '-'} -> {after or '-'}", "")
        for name, before, after in change.moved
    ]
    return Text("\n").join(Text(*part) for part in parts)


def _table(title: str, first: str) -> Table:
    table = Table(
        title=title, box=None, pad_edge=False, header_style="bold", title_justify="left", title_style="bold"
    )
    table.add_column(first)
    return table
