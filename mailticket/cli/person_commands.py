"""`person`: those who write to the desk; found, shown, merged, exported, erased."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from mailticket.cli.desk_commands import Json, Limit, OpenDesk, open_desk
from mailticket.cli.session import counted, fail, out, print_json
from mailticket.config.desk import Desk
from mailticket.errors import Temporary
from mailticket.store.engine import reading, transaction
from mailticket.store.erasure import Erased, erase, scrub
from mailticket.store.person_export import export_person
from mailticket.store.persons import (
    PersonRow,
    find_person,
    list_persons,
    merge_persons,
    person_row,
    tickets_of,
)

person_app = typer.Typer(
    help="Those who write to the desk: find, show, merge, export and erase them.", no_args_is_help=True
)

Who = Annotated[str, typer.Argument(help="An address, or the id that `person list` shows.")]


class _DryRun(Exception):
    """Takes the transaction back."""


@person_app.command("list")
def person_list(
    ctx: typer.Context,
    words: Annotated[str, typer.Argument(help="Part of a name or of an address.")] = "",
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List persons, the newest first."""
    with open_desk(ctx) as desk, reading(desk.engine) as session:
        rows = list_persons(session, words, limit)
        known = desk.settings.desk
    found = [asdict(row) | {"organisation": _organisation(known, row.addresses)} for row in rows]
    if as_json:
        print_json(found)
        return
    table = Table(box=None, header_style="bold dim", pad_edge=False)
    for column in ("Id", "Name", "Addresses", "Organisation", "Tickets"):
        table.add_column(column, overflow="fold", no_wrap=column == "Id")
    for one in found:
        addresses = Text(", ".join(one["addresses"]) or "(erased)")
        table.add_row(
            str(one["id"]), Text(one["name"]), addresses, one["organisation"] or "-", str(one["tickets"])
        )
    out.print(table if found else "Nobody.")


@person_app.command("show")
def person_show(ctx: typer.Context, who: Who, as_json: Json = False) -> None:
    """Show a person: addresses, organisation, language, and every ticket they take part in."""
    with open_desk(ctx) as desk, reading(desk.engine) as session:
        person = find_person(session, who)
        row, tickets = person_row(session, person), tickets_of(session, person)
        organisation = _organisation(desk.settings.desk, row.addresses)
    if as_json:
        print_json(asdict(row) | {"organisation": organisation, "tickets": [asdict(one) for one in tickets]})
        return
    out.print(Text(f"{row.name or '(no name)'}, person {row.id}, since {row.created_at:%Y-%m-%d}"))
    out.print(Text(f"Addresses: {', '.join(row.addresses) or 'none, erased'}"))
    out.print(Text(f"Organisation: {organisation or '-'}   Language: {row.language or '-'}"))
    table = Table(box=None, header_style="bold dim", pad_edge=False)
    for column in ("Number", "Status", "As", "Since", "Subject"):
        table.add_column(column, overflow="fold", no_wrap=column == "Number")
    for one in tickets:
        table.add_row(one.number, one.status, one.role, f"{one.created_at:%Y-%m-%d}", Text(one.subject))
    out.print(table if tickets else "No tickets.")


@person_app.command("merge")
def person_merge(
    ctx: typer.Context,
    who: Who,
    into: Annotated[str, typer.Argument(help="Whom they are: an address, or an id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Make two persons one: addresses and tickets of the first belong to the second. Cannot be undone."""
    with open_desk(ctx) as desk:
        with reading(desk.engine) as session:
            source, target = find_person(session, who), find_person(session, into)
            told = [_named(person_row(session, one)) for one in (source, target)]
        if source != target and not yes:
            out.print(Text(f"{told[0]}\nbecomes {told[1]}"))
            typer.confirm("Make them one? It cannot be undone", abort=True)
        with transaction(desk.engine) as session:
            merge_persons(session, source, target)
            row = person_row(session, target)
    out.print(Text(f"Person {source} is person {target} now: {', '.join(row.addresses)}"))


@person_app.command("export")
def person_export(
    ctx: typer.Context,
    who: Who,
    folder: Annotated[Path, typer.Argument(help="Where to write; must be empty or not there yet.")],
    internal: Annotated[
        bool, typer.Option("--internal", help="Agents' notes and the event log too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write all that is kept of a person: person.json, their mails as mbox files, and attachments."""
    if folder.exists() and any(folder.iterdir()):
        fail(f"{folder} is not empty")
    with open_desk(ctx) as desk, reading(desk.engine) as session:
        counts = export_person(session, find_person(session, who), folder, internal=internal)
    if as_json:
        print_json(counts)
        return
    out.print(Text(f"{folder}: " + ", ".join(f"{count} {what}" for what, count in counts.items())))


@person_app.command("erase")
def person_erase(
    ctx: typer.Context,
    who: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much would be erased.")] = False,
    keep_file: Annotated[
        bool, typer.Option("--no-vacuum", help="Do not write SQLite's file anew; do it later with VACUUM.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Erase a person: addresses, names, words, files and mails. Their tickets keep number, dates and status.

    The event log goes on proving that nothing else was changed. A backup still holds what it holds.
    """
    with open_desk(ctx) as desk:
        with reading(desk.engine) as session:
            person = find_person(session, who)
            row = person_row(session, person)
        if not (yes or dry_run):
            out.print(Text(_named(row)))
            typer.confirm("Erase for good? Nothing brings it back", abort=True)
        done = Erased()
        try:
            with transaction(desk.engine) as session:
                done = erase(session, person, "operator", desk.now())
                if dry_run:
                    raise _DryRun
        except _DryRun:
            pass
        scrubbed = not dry_run and not keep_file and _scrubbed(desk)
    if as_json:
        print_json({"person": person, "dry_run": dry_run, "rewritten": scrubbed, **done.as_dict()})
        return
    what = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in done.as_dict().items())
    out.print(Text(f"{'Would erase' if dry_run else 'Erased'} person {person}: {what}."))


def _named(row: PersonRow) -> str:
    known = ", ".join(row.addresses) or "no address"
    return f"{row.name or '(no name)'}, person {row.id}: {known}, {counted(row.tickets, 'ticket')}"


def _scrubbed(desk: OpenDesk) -> bool:
    try:
        return scrub(desk.engine)
    except sqlite3.OperationalError as error:
        raise Temporary(
            "the person is erased, but the database is too busy to write its file anew, and what was deleted"
            " may still lie in it: stop the daemon, and run VACUUM on it"
        ) from error


def _organisation(desk: Desk, addresses: tuple[str, ...]) -> str | None:
    found = (desk.organisation_of(address) for address in addresses)
    return next((one for one in found if one is not None), None)
