"""`ticket` and `queue`: lists, full text, and a ticket with its story."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from rich.text import Text

from mailticket.cli.desk_commands import Json, Limit, OpenDesk, due_words, open_desk, plain, table_of_words
from mailticket.cli.session import out, print_json
from mailticket.config.desk import Desk
from mailticket.domain.statuses import status_name
from mailticket.domain.terms import Piece
from mailticket.domain.ticket_query import LISTS, MOMENTS, TicketQuery, given_of, queues_of, ticket_query
from mailticket.domain.timeline import Moment, actor_name
from mailticket.errors import Permanent
from mailticket.mail.nearest import nearest
from mailticket.store.engine import reading
from mailticket.store.ticket_search import Found, find_tickets
from mailticket.store.ticket_story import story
from mailticket.store.views import WholeTicket, show_ticket

ticket_app = typer.Typer(help="Find tickets and look at them.", no_args_is_help=True)
queue_app = typer.Typer(help="Saved queues: lists of tickets by name.", no_args_is_help=True)

Many = list[str] | None
_FILTERS = "Filters"
Queue = Annotated[str | None, typer.Option("--queue", "-q", help="A saved queue (see `queue list`).")]
Agent = Annotated[str | None, typer.Option("--as", help='The agent (key) whom "me" stands for.')]
Status = Annotated[
    Many,
    typer.Option(
        help="A state, or a status of your own (key or name). May be repeated, as most filters.",
        rich_help_panel=_FILTERS,
    ),
]
Department = Annotated[
    Many, typer.Option(help="Of this department (key), or referred to it.", rich_help_panel=_FILTERS)
]
Topic = Annotated[Many, typer.Option(help="Of this help topic (key).", rich_help_panel=_FILTERS)]
Priority = Annotated[Many, typer.Option(help="Of this priority (key).", rich_help_panel=_FILTERS)]
SLAPlan = Annotated[
    Many, typer.Option("--sla-plan", help="Under this SLA plan (key).", rich_help_panel=_FILTERS)
]
Assignee = Annotated[
    Many, typer.Option(help='Of this agent (key); "me" with --as; - for nobody.', rich_help_panel=_FILTERS)
]
Team = Annotated[Many, typer.Option(help="Of this team (key).", rich_help_panel=_FILTERS)]
Requester = Annotated[
    Many, typer.Option(help="An address, @domain, or part of a name.", rich_help_panel=_FILTERS)
]
Participant = Annotated[
    Many, typer.Option(help="An address that takes part in it.", rich_help_panel=_FILTERS)
]
Language = Annotated[Many, typer.Option(help="The customer's, such as de.", rich_help_panel=_FILTERS)]
Known = Annotated[
    Many,
    typer.Option(
        "--trust",
        help="A message came from somebody known so well: token, authenticated, known, unknown, failed.",
        rich_help_panel=_FILTERS,
    ),
]
Source = Annotated[
    Many, typer.Option(help="How it came in: smtp, lmtp, pipe, imap, imap:KEY.", rich_help_panel=_FILTERS)
]
Organisation = Annotated[Many, typer.Option(help="Of this organisation (key).", rich_help_panel=_FILTERS)]
Tag = Annotated[Many, typer.Option(help="With this tag.", rich_help_panel=_FILTERS)]
CustomField = Annotated[
    Many,
    typer.Option(
        "--field", help="With a custom field KEY=VALUE; KEY=none without one.", rich_help_panel=_FILTERS
    ),
]
Since = Annotated[
    str | None, typer.Option(help="Changed since: 7d, 12h, today, 2026-11-01.", rich_help_panel=_FILTERS)
]
Until = Annotated[str | None, typer.Option(help="Changed until then.", rich_help_panel=_FILTERS)]
Moments = Annotated[
    Many,
    typer.Option(
        "--when",
        help="Another date as NAME_since=MOMENT or NAME_until=MOMENT: created, due, closed, wrote (the "
        "customer, last), answered (last).",
        rich_help_panel=_FILTERS,
    ),
]
Spent = Annotated[
    str | None, typer.Option(help="At least so much time was spent on it: 2h.", rich_help_panel=_FILTERS)
]
Overdue = Annotated[bool, typer.Option("--overdue", help="A promise is broken.", rich_help_panel=_FILTERS)]
Unassigned = Annotated[bool, typer.Option("--unassigned", help="Nobody's.", rich_help_panel=_FILTERS)]
Held = Annotated[bool, typer.Option("--held", help="Replies to decide about.", rich_help_panel=_FILTERS)]
Unanswered = Annotated[
    bool, typer.Option("--unanswered", help="The customer wrote last.", rich_help_panel=_FILTERS)
]
Every = Annotated[bool, typer.Option("--all", help="Finished ones too.")]
Sort = Annotated[str | None, typer.Option(help="By due, created, updated, closed or priority.")]
Reverse = Annotated[bool, typer.Option("--reverse", help="The other way round.")]
Page = Annotated[int, typer.Option(min=1, max=100_000, help="Which page of --limit tickets.")]


@ticket_app.command("list")
def ticket_list(
    ctx: typer.Context,
    queue: Queue = None,
    agent: Agent = None,
    status: Status = None,
    department: Department = None,
    topic: Topic = None,
    priority: Priority = None,
    sla_plan: SLAPlan = None,
    assignee: Assignee = None,
    team: Team = None,
    requester: Requester = None,
    participant: Participant = None,
    organisation: Organisation = None,
    language: Language = None,
    trust: Known = None,
    source: Source = None,
    tag: Tag = None,
    field: CustomField = None,
    since: Since = None,
    until: Until = None,
    when: Moments = None,
    spent: Spent = None,
    overdue: Overdue = False,
    unassigned: Unassigned = False,
    held: Held = False,
    unanswered: Unanswered = False,
    every: Every = False,
    sort: Sort = None,
    reverse: Reverse = False,
    limit: Limit = 50,
    page: Page = 1,
    as_json: Json = False,
) -> None:
    """List tickets, the most urgent due first; without options all that are not finished.

    Options narrow a queue further: `ticket list --queue overdue --department it`.
    """
    _find(ctx, None, locals())


@ticket_app.command("search")
def ticket_search(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(help='Words, "a phrase", begin*, -without.')],
    queue: Queue = None,
    agent: Agent = None,
    status: Status = None,
    department: Department = None,
    topic: Topic = None,
    priority: Priority = None,
    sla_plan: SLAPlan = None,
    assignee: Assignee = None,
    team: Team = None,
    requester: Requester = None,
    participant: Participant = None,
    organisation: Organisation = None,
    language: Language = None,
    trust: Known = None,
    source: Source = None,
    tag: Tag = None,
    field: CustomField = None,
    since: Since = None,
    until: Until = None,
    when: Moments = None,
    spent: Spent = None,
    overdue: Overdue = False,
    unassigned: Unassigned = False,
    held: Held = False,
    unanswered: Unanswered = False,
    unfinished: Annotated[bool, typer.Option("--open", help="Only what is not finished.")] = False,
    limit: Limit = 20,
    page: Page = 1,
    as_json: Json = False,
) -> None:
    """Search subjects, texts, authors and names of files; finished tickets too, the newest hit first.

    All words must be in one entry, in any order; case, accents and umlauts do not count. "a phrase" is
    words side by side, `print*` anything that begins so, `-word` (after `--`) what must not be there.
    """
    given = locals()
    given["every"] = not unfinished and queue is None
    _find(ctx, " ".join(f'"{word}"' if " " in word else word for word in words), given)


@ticket_app.command("show")
def ticket_show(
    ctx: typer.Context,
    number: Annotated[str, typer.Argument(help="The ticket's number.")],
    as_json: Json = False,
) -> None:
    """Show a ticket: its facts, and its story in order: who, how known, what, why."""
    with open_desk(ctx) as desk, reading(desk.engine) as session:
        found = show_ticket(session, number.lstrip("#"))
        if found is None:
            raise Permanent(f"there is no ticket #{number.lstrip('#')}")
        if as_json:
            print_json({**asdict(found), "timeline": [asdict(one) for one in story(found)]})
            return
        ticket = found.ticket
        out.rule(Text(f"#{ticket.number}  {ticket.subject}", style="bold"))
        facts = Table.grid(padding=(0, 2))
        for name, value in asdict(ticket).items():
            if name == "custom_status" and value is not None:
                value = status_name(desk.settings.desk, ticket.status, str(value))
            if value not in (None, "", [], {}) and name not in ("number", "subject", "id"):
                facts.add_row(Text(name.replace("_", " "), style="dim"), Text(plain(value)))
        for name, words in _around(found):
            facts.add_row(Text(name, style="dim"), Text(words))
        out.print(facts)
        names = {key: one.name for key, one in desk.settings.desk.agents.items()}
        for moment in story(found, lambda actor: actor_name(actor, names)):
            _tell(moment)


@queue_app.command("list")
def queue_list(ctx: typer.Context, agent: Agent = None, as_json: Json = False) -> None:
    """List the saved queues, the desk's own and the built-in ones, with how many tickets are in each."""
    with open_desk(ctx) as desk, reading(desk.engine) as session:
        rows = []
        for key, queue in queues_of(desk.settings.desk).items():
            query = ticket_query(given_of(queue), desk.settings.desk, desk.now(), _zone(desk), agent)
            count = len(find_tickets(session, query, _MOST)) if isinstance(query, TicketQuery) else None
            own = key in desk.settings.desk.queues
            rows.append((key, queue.name, queue.description, count, own))
        if as_json:
            names = ("key", "name", "description", "tickets", "configured")
            print_json([dict(zip(names, row, strict=True)) for row in rows])
            return
        table = table_of_words("Queue", "Tickets", "Name", "What is in it")
        for key, name, description, count, own in rows:
            shown = "needs --as" if count is None else f"{_MOST}+" if count == _MOST else str(count)
            table.add_row(Text(key, style="bold" if own else ""), shown, Text(name), Text(description))
        out.print(table)


_MOST = 1000
"""Counted up to here."""


def _find(ctx: typer.Context, words: str | None, options: Mapping[str, Any]) -> None:
    with open_desk(ctx) as desk, reading(desk.engine) as session:
        query = _query(desk, words, options)
        limit, offset = options["limit"], options["limit"] * (options["page"] - 1)
        urgency = {key: one.urgency for key, one in desk.settings.desk.priorities.items()}
        found = find_tickets(session, query, limit, offset, urgency=urgency)
        if options["as_json"]:
            print_json([_as_json(one, searched=words is not None) for one in found])
            return
        shown = _listed(found, desk.settings.desk, desk.now(), searched=words is not None)
        out.print(shown if found else "No ticket.")
        if len(found) == limit:
            out.print(Text(f"There may be more: --page {options['page'] + 1}", style="dim"))


def _query(desk: OpenDesk, words: str | None, options: Mapping[str, Any]) -> TicketQuery:
    given = _queue(desk, options["queue"]) if options["queue"] is not None else {}
    given |= {name: options[name] for name in LISTS if options[name]}
    for option, name in (
        ("since", "updated_since"),
        ("until", "updated_until"),
        ("spent", "spent"),
        ("sort", "sort"),
    ):
        given |= {name: [options[option]]} if options.get(option) else {}
    for flag in ("overdue", "unassigned", "held", "unanswered", "reverse"):
        given |= {flag: ["yes"]} if options.get(flag) else {}
    given |= {"all": ["yes"]} if options["every"] else {}
    for pair in options["when"] or ():
        name, _, moment = pair.partition("=")
        if name not in _WHEN:
            hint = nearest(name, _WHEN)
            raise typer.BadParameter(
                f"{pair!r} is not NAME=MOMENT with a name of {', '.join(_WHEN)}"
                + (f"; did you mean {hint}?" if hint else ""),
                param_hint="--when",
            )
        given |= {name: [moment]}
    given |= {"words": [words]} if words is not None else {}
    query = ticket_query(given, desk.settings.desk, desk.now(), _zone(desk), options["agent"])
    if not isinstance(query, TicketQuery):
        raise Permanent("; ".join(query))
    return query


_WHEN = tuple(name for name in MOMENTS if not name.startswith("updated"))


def _queue(desk: OpenDesk, name: str) -> dict[str, list[str]]:
    queues = queues_of(desk.settings.desk)
    if name not in queues:
        near = nearest(name, queues)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(queues)}"
        raise Permanent(f"there is no queue {name!r}; {hint}")
    return given_of(queues[name])


def _zone(desk: OpenDesk) -> ZoneInfo:
    return ZoneInfo(desk.settings.desk.time_zone)


def _as_json(one: Found, *, searched: bool) -> dict[str, Any]:
    values = asdict(one.ticket) | {"referred_to": list(one.referred)}
    if searched:
        values |= {"entry": one.entry, "snippet": _marked(one.pieces)}
    return values


def _marked(pieces: Sequence[Piece]) -> str:
    return "".join(f"**{piece.text}**" if piece.hit else piece.text for piece in pieces)


def _listed(found: Sequence[Found], desk: Desk, now: datetime, *, searched: bool) -> Table:
    if searched:
        table = table_of_words("Number", "Status", "Department", "Assignee", "Subject, and what was found")
        for one in found:
            number, status, _, department, assignee = _cells(one, desk)
            words = ((piece.text, "bold yellow" if piece.hit else "dim") for piece in one.pieces)
            shown = Text.assemble(f"{one.ticket.subject}\n", *words)
            table.add_row(number, status, department, assignee, shown)
        return table
    table = table_of_words("Number", "Status", "Priority", "Department", "Assignee", "Due", "Subject")
    for one in found:
        ticket = one.ticket
        due = Text(
            due_words(ticket.due_at, ticket.overdue_since, now), style="red" if ticket.overdue_since else ""
        )
        table.add_row(*_cells(one, desk), due, Text(ticket.subject))
    return table


def _cells(one: Found, desk: Desk) -> tuple[str, str, str, str, str]:
    """Number, status, priority, department and assignee of a ticket in a list."""
    ticket = one.ticket
    referred = f" (referred to {', '.join(one.referred)})" if one.referred else ""
    status = status_name(desk, ticket.status, ticket.custom_status)
    return ticket.number, status, ticket.priority, ticket.department + referred, ticket.assignee or "-"


def _around(found: WholeTicket) -> Iterator[tuple[str, str]]:
    """Who takes part in a ticket, and how it hangs together with others."""
    for person in found.participants:
        by = "" if person.added_by == person.address else f", added by {person.added_by}"
        yield person.role, f"{person.address}{by}"
    if found.merged_into is not None:
        yield "merged into", f"#{found.merged_into}"
    if found.held_for is not None:
        yield "held for", f"#{found.held_for}: approve or deny it (mailticket held)"
    for link in found.links:
        yield link.how, f"#{link.number} ({link.status}): {link.subject}"
    for department in found.referred:
        yield "referred to", department
    for row in found.held:
        yield "holds", f"#{row.number} of {row.requester}: {row.subject}"


def _tell(moment: Moment) -> None:
    at = moment.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    known = f" ({moment.known})" if moment.known else ""
    if not moment.audience:
        why = f": {moment.why}" if moment.why else ""
        out.print(Text.assemble((f"{at}  {moment.who}{known}  ", "dim"), moment.what, (why, "dim")))
        return
    style = "yellow" if moment.audience == "internal" else "green" if moment.kind == "response" else "cyan"
    out.print()
    out.print(Text(f"{at}  {moment.kind} of {moment.who}{known}", style=f"bold {style}"))
    out.print(Text(f"  {moment.why}", style="dim"))
    out.print(Text(moment.text))
    for name in moment.files:
        out.print(Text(f"  attached: {name}", style="dim"))
    out.print()
