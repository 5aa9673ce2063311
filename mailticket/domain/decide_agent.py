"""What an agent's mail does: an answer to the customer, a note, changes; or nothing, and back it goes.

Fails closed. Whatever is not understood stops the whole mail before anything reaches the customer:
a line that looks like a command and is none, a name nobody has, quoted text of ours that could not
be told from the agent's own words, a mail without words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mailticket.config.desk import Desk
from mailticket.domain.access import collaborator, from_cc, may_add_by_cc
from mailticket.domain.assignment import after_transfer, assign, claim_on_reply
from mailticket.domain.holding import approve, bare_word, deny, note_beside
from mailticket.domain.naming import Named, Unknown, resolve
from mailticket.domain.promise_commands import promise_change
from mailticket.domain.routing import plan_after_transfer
from mailticket.domain.status import (
    NewLinkedTicket,
    Refused,
    Status,
    StatusEvent,
    Transition,
    next_status,
    requested_event,
)
from mailticket.domain.types import (
    AddEntry,
    AddParticipant,
    Audience,
    Change,
    Decision,
    EntryKind,
    Facts,
    MoveEntry,
    Outcome,
    RemoveParticipant,
    ReturnToAgent,
    SetField,
    Tag,
    TicketFacts,
    Trust,
)
from mailticket.mail.commands import Command, CommandName, Commands, Problem, Problems, parse_commands
from mailticket.mail.marker import find_tokens, is_marker_line
from mailticket.mail.quoting import THRESHOLD
from mailticket.mail.types import Content, Reading


@dataclass(frozen=True, slots=True)
class _Actor:
    """The agent at work on a ticket, and all that a single command may have to know."""

    key: str
    name: str
    trust: Trust
    ticket: TicketFacts
    desk: Desk
    now: datetime

    @property
    def identity(self) -> str:
        return f"agent:{self.key}"

    def field(self, name: str, value: str | None, why: str) -> SetField:
        return SetField(self.ticket.id, name, value, self.identity, why)

    def moved(self, event: StatusEvent) -> Transition | Refused:
        """What an event of this agent makes of the ticket's status; an agent may reopen at any time."""
        found = next_status(
            self.ticket.status,
            event,
        )
        assert not isinstance(found, NewLinkedTicket)  # only for customers
        return found


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
    actor = _Actor(agent, desk.agents[agent].name, trust, ticket, desk, now)
    parsed = parse_commands(_spelled_out(reading.content.reply, actor), desk.command_prefix)
    if isinstance(parsed, Problems):
        return _returned(reading, actor, parsed.problems, reasons)
    if any(command.name is CommandName.HELP for command in parsed.commands):
        return _help(reading, actor, reasons)
    problems = _leaks(parsed.body, reading.content)
    changes: list[Change] = []
    alone = next((one for one in parsed.commands if one.name in _ALONE), None)
    if alone is not None:
        _collect(_done_alone(alone, reading, parsed, actor, facts, entry, now), changes, problems)
    else:
        _collect_all(reading, parsed, actor, facts, changes, problems)
    if problems:
        return _returned(reading, actor, tuple(problems), reasons)
    whys = tuple(change.why for change in changes)
    return Decision(Outcome.AGENT_ACTED, tuple(changes), (*reasons, *whys), trust, ticket.id)


def _collect_all(
    reading: Reading,
    parsed: Commands,
    actor: _Actor,
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


_ALONE = (CommandName.APPROVE, CommandName.DENY, CommandName.MOVE)
"""Commands that change which ticket a mail is about: nothing else may depend on which one was meant."""


def _spelled_out(text: str, actor: _Actor) -> str:
    """On a held ticket the bare words `approve` and `deny` are commands."""
    if actor.ticket.held_for is None:
        return text
    wanted, rest = bare_word(text)
    if wanted is None:
        return text
    name = CommandName.APPROVE if wanted else CommandName.DENY
    return f"{actor.desk.command_prefix}{name}\n\n{rest}"


def _done_alone(
    command: Command,
    reading: Reading,
    parsed: Commands,
    actor: _Actor,
    facts: Facts,
    entry: int,
    now: datetime,
) -> list[Change] | Problem:
    others = [one.line for one in parsed.commands if one is not command]
    if others:
        return Problem(others[0], f"{command.line.strip()} stands alone; send the other commands afterwards")
    if command.name is CommandName.MOVE:
        return _move(command, parsed, actor, facts, entry)
    who = (actor.identity, actor.name)
    done = (
        approve(actor.ticket, *who, actor.desk, now)
        if command.name is CommandName.APPROVE
        else deny(actor.ticket, *who)
    )
    if isinstance(done, str):
        return Problem(command.line, done)
    if not parsed.body:
        return list(done)
    return [*done, note_beside(parsed.body, reading, *who, actor.trust, actor.ticket.id)]


def _move(
    command: Command, parsed: Commands, actor: _Actor, facts: Facts, entry: int
) -> list[Change] | Problem:
    ticket, number = actor.ticket, command.argument
    if parsed.body:
        return Problem(command.line, "moves a message and takes no text; write to the ticket afterwards")
    if number.casefold() == "new":
        why = f"{actor.name} moves a message of #{ticket.number} to a new ticket"
        return [MoveEntry(ticket.id, entry, None, actor.identity, why)]
    target = facts.named.get(number)
    if target is None:
        return Problem(command.line, f"there is no ticket #{number}")
    if target.id == ticket.id:
        return Problem(command.line, f"this is ticket #{target.number} already")
    if target.status in (Status.ARCHIVED, Status.MERGED):
        return Problem(command.line, f"#{target.number} is {target.status} and takes no more messages")
    why = f"{actor.name} moves a message of #{ticket.number} to #{target.number}"
    return [MoveEntry(ticket.id, entry, target.id, actor.identity, why)]


def _collect(found: list[Change] | Problem, changes: list[Change], problems: list[Problem]) -> None:
    if isinstance(found, Problem):
        problems.append(found)
    else:
        changes.extend(found)


def _spoken(
    reading: Reading, parsed: Commands, actor: _Actor, changes: list[Change]
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
        return Problem("", _undecided(actor))
    return _answered(entry, actor, {change.name for change in changes if isinstance(change, SetField)})


def _undecided(actor: _Actor) -> str:
    """Words on a held ticket: for its author, or for the ticket it points at? Nobody can tell."""
    prefix, ticket = actor.desk.command_prefix, actor.ticket
    assert ticket.held_for is not None
    return (
        f"#{ticket.number} is held: write approve as the first line to let {ticket.requester} take part in "
        f"#{ticket.held_for.number}, or deny to keep it apart; {prefix}note keeps your words inside"
    )


def _answered(entry: AddEntry, actor: _Actor, named: set[str]) -> list[Change] | Problem:
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


def _change(command: Command, actor: _Actor) -> list[Change] | Problem:
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
            return _participant(command, actor)
        case CommandName.DUE | CommandName.ACK | CommandName.SLA:
            return promise_change(command, actor.ticket, actor.key, desk, actor.now)
        case _:
            return _status(command, actor)


def _participant(command: Command, actor: _Actor) -> list[Change] | Problem:
    """Collaborators get every answer from now on, and may write; nobody is sent what was said before."""
    ticket = actor.ticket
    address, problem = collaborator(actor.desk, command.argument)
    if address is None:
        return Problem(command.line, problem)
    if command.name is CommandName.CC:
        why = f"{actor.name} lets {address} take part"
        return [AddParticipant(ticket.id, address, "", actor.identity, why)]
    if address not in ticket.participants:
        return Problem(command.line, f"{address} takes no part in #{ticket.number}")
    if address == ticket.requester:
        return Problem(command.line, f"{address} opened #{ticket.number} and stays its requester")
    why = f"{actor.name} ends the part of {address}"
    return [RemoveParticipant(ticket.id, address, actor.identity, why)]


def _assigned(agent: str | None, actor: _Actor) -> list[Change]:
    ticket = actor.ticket
    given = assign(actor.desk, actor.key, assignee=ticket.assignee, team=ticket.team, agent=agent)
    return [] if given is None else [actor.field("assignee", given.agent, given.reason)]


def _unknown(command: Command, found: Unknown, actor: _Actor) -> Problem:
    nearest = f"{actor.desk.command_prefix}{command.name} {found.nearest}" if found.nearest else None
    return Problem(command.line, found.reason, nearest)


def _named(
    command: Command, things: Mapping[str, Named], what: str, field: str, actor: _Actor
) -> list[Change] | Problem:
    found = resolve(command.argument, things, what)
    if isinstance(found, Unknown):
        return _unknown(command, found, actor)
    return [actor.field(field, found, f"{actor.name} sets the {what} to {things[found].name}")]


def _transfer(found: list[Change] | Problem, actor: _Actor) -> list[Change] | Problem:
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


def _status(command: Command, actor: _Actor) -> list[Change] | Problem:
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
    reading: Reading, actor: _Actor, problems: tuple[Problem, ...], reasons: tuple[str, ...]
) -> Decision:
    why = "not understood, so nothing was done and nothing sent: " + "; ".join(
        f"{problem.line}: {problem.reason}" if problem.line else problem.reason for problem in problems
    )
    rows = tuple((problem.line, problem.reason, problem.nearest or "") for problem in problems)
    return _back(reading, actor, "command.error", rows, why, reasons)


def _help(reading: Reading, actor: _Actor, reasons: tuple[str, ...]) -> Decision:
    return _back(reading, actor, "command.help", (), f"{actor.name} asked for help", reasons)


def _back(
    reading: Reading,
    actor: _Actor,
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
