"""What an agent's mail does: an answer to the customer, a note, changes; or nothing, and back it goes.

Fails closed. Whatever is not understood stops the whole mail before anything reaches the customer:
a line that looks like a command and is none, a name nobody has, quoted text of ours that could not
be told from the agent's own words, a mail without words.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from mailticket.config.desk import Desk
from mailticket.domain.access import from_cc, may_add_by_cc
from mailticket.domain.assignment import after_transfer, assign, claim_on_reply
from mailticket.domain.change import AddEntry, AddParticipant, Change, Decision, ReturnToAgent, SetField, Tag
from mailticket.domain.naming import Named, Unknown, resolve
from mailticket.domain.promise_commands import promise_change
from mailticket.domain.routing import plan_after_transfer
from mailticket.domain.status import (
    Refused,
    StatusEvent,
    requested_event,
)
from mailticket.domain.thread_commands import ALONE, Actor, done_alone, participant, spelled_out, undecided
from mailticket.domain.types import Audience, EntryKind, Facts, Outcome, TicketFacts, Trust
from mailticket.mail.commands import Command, CommandName, Commands, Problem, Problems, parse_commands
from mailticket.mail.header_out import mailable
from mailticket.mail.marker import find_tokens, is_marker_line
from mailticket.mail.quoting import THRESHOLD
from mailticket.mail.types import Content, Reading


def decide_agent(
    reading: Reading,
    ticket: TicketFacts,
    agent: str,
    trust: Trust,
    desk: Desk,
    reasons: tuple[str, ...],
    *,
    facts: Facts,
    entry: int,
    now: datetime,
) -> Decision:
    """The decision for a mail an agent wrote about `ticket`, the agent's identity being proven.

    reasons: what was found out so far; they come first in the decision's own. entry: the one the mail
    answers, as far as its token says, else 0. now: aware UTC.
    """
    actor = Actor(agent, desk.agents[agent].name, trust, ticket, desk, now)
    parsed = parse_commands(spelled_out(reading.content.reply, actor), desk.command_prefix)
    if isinstance(parsed, Problems):
        return _returned(reading, actor, parsed.problems, reasons)
    if any(command.name is CommandName.HELP for command in parsed.commands):
        return _help(reading, actor, reasons)
    problems = _leaks(parsed.body, reading.content)
    changes: list[Change] = []
    alone = next((one for one in parsed.commands if one.name in ALONE), None)
    if alone is not None:
        _collect(done_alone(alone, reading, parsed, actor, facts, entry), changes, problems)
    else:
        _collect_all(reading, parsed, actor, facts, changes, problems)
    if problems:
        return _returned(reading, actor, tuple(problems), reasons)
    whys = tuple(change.why for change in changes)
    return Decision(Outcome.AGENT_ACTED, tuple(changes), (*reasons, *whys), trust, ticket.id)


def _collect_all(
    reading: Reading,
    parsed: Commands,
    actor: Actor,
    facts: Facts,
    changes: list[Change],
    problems: list[Problem],
) -> None:
    """What an answer or a note does, together with any number of commands."""
    asked: list[Change] = []
    for command in parsed.commands:
        _collect(_change(command, actor), asked, problems)
    if not parsed.body and not parsed.commands:
        problems.append(Problem("", "the mail holds no new text and no command"))
    _collect(_spoken(reading, parsed, actor, asked), changes, problems)
    changes += asked
    if may_add_by_cc(actor.desk, actor.identity, actor.ticket.requester, actor.trust):
        changes += [
            AddParticipant(
                actor.ticket.id, address, name, actor.identity, f"{actor.name} sent {address} a copy"
            )
            for address, name in from_cc(reading.mail, facts, actor.desk, actor.ticket.participants)
        ]


def _collect(found: list[Change] | Problem, changes: list[Change], problems: list[Problem]) -> None:
    if isinstance(found, Problem):
        problems.append(found)
    else:
        changes.extend(found)


def _spoken(
    reading: Reading, parsed: Commands, actor: Actor, changes: list[Change]
) -> list[Change] | Problem:
    """The entry the agent's words make, and what answering changes by itself."""
    if not parsed.body:
        return []
    who = f"{actor.name} wrote a note: it stays inside" if parsed.note else f"{actor.name} answered"
    entry = AddEntry(
        ticket=actor.ticket.id,
        kind=EntryKind.NOTE if parsed.note else EntryKind.RESPONSE,
        audience=Audience.INTERNAL if parsed.note else Audience.CUSTOMER,
        author=actor.identity,
        author_name=actor.name,
        trust=actor.trust,
        text=parsed.body,
        full_text=reading.mail.text,
        html=None,
        why=who,
    )
    if parsed.note:
        return [entry]
    if actor.ticket.held_for is not None:
        return Problem("", undecided(actor))
    unreachable = sorted(one for one in actor.ticket.participants if not mailable(one))
    if unreachable:
        told = f"no mail can be written to {', '.join(unreachable)}: answer by other means"
        return Problem("", f"{told}, and tell of it with {actor.desk.command_prefix}note")
    return _answered(entry, actor, {change.name for change in changes if isinstance(change, SetField)})


def _answered(entry: AddEntry, actor: Actor, named: set[str]) -> list[Change] | Problem:
    """An answer makes its author the assignee of an unassigned ticket, and moves the ticket on,
    unless the mail's own commands say otherwise."""
    made: list[Change] = [entry]
    ticket = actor.ticket
    claimed = claim_on_reply(actor.desk, ticket.department, ticket.assignee, ticket.team, actor.key)
    if claimed is not None and "assignee" not in named:
        made.append(actor.field("assignee", claimed.agent, claimed.reason))
    moved = actor.moved(StatusEvent.AGENT_REPLIED)
    if isinstance(moved, Refused):
        return Problem("", moved.reason)
    if "status" not in named and moved.new != ticket.status:
        made.append(actor.field("status", moved.new, moved.reason))
    return made


def _change(command: Command, actor: Actor) -> list[Change] | Problem:
    """What one command changes, or why it cannot."""
    desk = actor.desk
    match command.name:
        case CommandName.TAKE:
            return _assigned(actor.key, actor)
        case CommandName.UNASSIGN:
            return _assigned(None, actor)
        case CommandName.ASSIGN if command.argument.casefold() in ("me", "myself"):
            return _assigned(actor.key, actor)
        case CommandName.ASSIGN:
            found = resolve(command.argument, desk.agents, "agent")
            return _unknown(command, found, actor) if isinstance(found, Unknown) else _assigned(found, actor)
        case CommandName.TEAM:
            return _named(command, desk.teams, "team", "team", actor)
        case CommandName.PRIORITY:
            return _named(command, desk.priorities, "priority", "priority", actor)
        case CommandName.TRANSFER:
            return _transfer(_named(command, desk.departments, "department", "department", actor), actor)
        case CommandName.TAG | CommandName.UNTAG:
            add = command.name is CommandName.TAG
            why = f"{actor.name} {'adds' if add else 'removes'} the tag {command.argument}"
            return [Tag(actor.ticket.id, command.argument, add, actor.identity, why)]
        case CommandName.CC | CommandName.UNCC:
            return participant(command, actor)
        case CommandName.DUE | CommandName.ACK | CommandName.SLA:
            return promise_change(command, actor.ticket, actor.key, desk, actor.now)
        case _:
            return _status(command, actor)


def _assigned(agent: str | None, actor: Actor) -> list[Change]:
    ticket = actor.ticket
    given = assign(actor.desk, actor.key, assignee=ticket.assignee, team=ticket.team, agent=agent)
    return [] if given is None else [actor.field("assignee", given.agent, given.reason)]


def _unknown(command: Command, found: Unknown, actor: Actor) -> Problem:
    nearest = f"{actor.desk.command_prefix}{command.name} {found.nearest}" if found.nearest else None
    return Problem(command.line, found.reason, nearest)


def _named(
    command: Command, things: Mapping[str, Named], what: str, field: str, actor: Actor
) -> list[Change] | Problem:
    found = resolve(command.argument, things, what)
    if isinstance(found, Unknown):
        return _unknown(command, found, actor)
    return [actor.field(field, found, f"{actor.name} sets the {what} to {things[found].name}")]


def _transfer(found: list[Change] | Problem, actor: Actor) -> list[Change] | Problem:
    """A transfer also releases an assignee who does not work there, and brings the new department's plan."""
    if isinstance(found, Problem):
        return found
    target, ticket = found[0], actor.ticket
    assert isinstance(target, SetField)
    assert target.value is not None
    changes: list[Change] = [target]
    released = after_transfer(actor.desk, target.value, ticket.assignee, ticket.team)
    if released is not None:
        changes.append(actor.field("assignee", released.agent, released.reason))
    plan = plan_after_transfer(actor.desk, ticket, target.value)
    if plan != ticket.sla_plan:
        where = actor.desk.departments[target.value].name
        changes.append(actor.field("sla_plan", plan, f"the ticket is now in {where}"))
    return changes


def _status(command: Command, actor: Actor) -> list[Change] | Problem:
    event = requested_event(command.name, command.argument)
    if isinstance(event, Refused):
        return Problem(command.line, event.reason)
    moved = actor.moved(event)
    if isinstance(moved, Refused):
        return Problem(command.line, moved.reason)
    solution = f": {command.argument}" if command.name is CommandName.CLOSE and command.argument else ""
    return [actor.field("status", moved.new, f"{actor.name}: {moved.reason}{solution}")]


def _leaks(body: str, content: Content) -> list[Problem]:
    """Signs that quoted text was taken for new: it may hold what the customer must never see."""
    ours = find_tokens(body) or any(is_marker_line(line) for line in body.splitlines())
    unsure = content.confidence < THRESHOLD or content.method.endswith(":nothing-new")
    if body and (ours or unsure):
        reason = "your words could not be told from the quoted alert; delete the quoted text and send again"
        return [Problem("", reason)]
    return []


def _returned(
    reading: Reading, actor: Actor, problems: tuple[Problem, ...], reasons: tuple[str, ...]
) -> Decision:
    why = "not understood, so nothing was done and nothing sent: " + "; ".join(
        f"{problem.line}: {problem.reason}" if problem.line else problem.reason for problem in problems
    )
    rows = tuple((problem.line, problem.reason, problem.nearest or "") for problem in problems)
    return _back(reading, actor, "command.error", rows, why, reasons)


def _help(reading: Reading, actor: Actor, reasons: tuple[str, ...]) -> Decision:
    return _back(reading, actor, "command.help", (), f"{actor.name} asked for help", reasons)


def _back(
    reading: Reading,
    actor: Actor,
    template: str,
    problems: tuple[tuple[str, str, str], ...],
    why: str,
    reasons: tuple[str, ...],
) -> Decision:
    change = ReturnToAgent(
        agent=actor.key,
        ticket=actor.ticket.id,
        template=template,
        problems=problems,
        text=reading.content.reply,
        subject=reading.mail.subject,
        why=why,
    )
    return Decision(Outcome.RETURNED, (change,), (*reasons, why), actor.trust, actor.ticket.id)
