"""What an agent's mail does: an answer to the customer, a note, changes; or nothing, and back it goes.

Fails closed. Whatever is not understood stops the whole mail before anything reaches the customer:
a line that looks like a command and is none, a name nobody has, quoted text of ours that could not
be told from the agent's own words, a mail without words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from mailticket.config.desk import Desk
from mailticket.domain.absence import represented
from mailticket.domain.access import invited, may_add_by_cc
from mailticket.domain.actor import Actor
from mailticket.domain.assignment import claim_on_reply
from mailticket.domain.canned import joined
from mailticket.domain.change import AddEntry, AddParticipant, Change, Decision, SetField
from mailticket.domain.effects import ALONE, EFFECTS
from mailticket.domain.leak_guard import attached, for_customer, leaks
from mailticket.domain.lifecycle_commands import not_ended
from mailticket.domain.permissions import Permission, refused, rights_of
from mailticket.domain.rehearsal import rehearsal, rehearsed
from mailticket.domain.requests import Tapped
from mailticket.domain.returned import returned
from mailticket.domain.stale import guard, replaced
from mailticket.domain.status import Refused, StatusEvent
from mailticket.domain.taps import spelled
from mailticket.domain.thread_commands import spelled_out, undecided
from mailticket.domain.types import Audience, EntryKind, Facts, Outcome, TicketFacts, Trust
from mailticket.mail.commands import Command, Problem, Problems, parse_commands
from mailticket.mail.header_out import mailable
from mailticket.mail.types import Reading, SpanKind
from mailticket.mail.vocabulary import CommandName


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
    dry, rest = rehearsal(reading.content.reply, desk.command_prefix)
    if dry:
        meant = replace(reading, content=replace(reading.content, reply=rest))
        done = decide_agent(meant, ticket, agent, trust, desk, reasons, facts=facts, entry=entry, now=now)
        return rehearsed(done, agent, entry)
    text = spelled_out(reading.content.reply, ticket, desk)
    parsed = parse_commands(text, desk.command_prefix, signature_of(reading))
    if isinstance(parsed, Problems):
        actor = Actor(
            agent, desk.agents[agent].name, trust, ticket, desk, facts, reading, parsed.understood, entry, now
        )
        return _returned(reading, agent, ticket, trust, (*parsed.problems, *_also_wrong(actor)), reasons)
    if any(command.name is CommandName.HELP for command in parsed.commands):
        why = f"{desk.agents[agent].name} asked for help"
        return returned(reading, agent, "command.help", (), why, reasons, trust, ticket.id)
    name = desk.agents[agent].name
    actor, problems = _checked(Actor(agent, name, trust, ticket, desk, facts, reading, parsed, entry, now))
    changes, ignored = _effects(actor, problems)
    if problems:
        return _returned(reading, agent, ticket, trust, tuple(problems), reasons)
    held = guard(actor, changes)
    if held is not None:
        return replace(held, reasons=(*reasons, *held.reasons))
    changes += replaced(actor, changes)
    whys = tuple(change.why for change in changes)
    return Decision(
        Outcome.AGENT_ACTED, tuple(changes), (*reasons, *whys), trust, ticket.id,
        agent=agent, seen=entry, ignored=tuple(ignored),
    )  # fmt: skip


def _checked(actor: Actor) -> tuple[Actor, list[Problem]]:
    """The actor with the words that are for the customer, and what stands against doing what is asked."""
    desk, parsed, reading = actor.desk, actor.asked, actor.reading
    also = represented(desk, actor.key, actor.now, actor.facts.presence)
    problems = list(refused(desk, actor.key, actor.ticket, parsed, also))
    if not parsed.note:
        told = for_customer(parsed, signature_of(reading), actor)
        actor = replace(actor, asked=replace(parsed, body=told))
        problems += leaks(told, reading.content, actor)
    return joined(actor), problems


def _effects(actor: Actor, problems: list[Problem]) -> tuple[list[Change], list[str]]:
    """(changes, what of the mail does nothing); what went wrong is added to `problems`."""
    changes: list[Change] = []
    ignored: list[str] = []
    alone = next((one for one in actor.asked.commands if one.name in ALONE), None)
    if alone is not None:
        _collect(_done_alone(alone, actor), changes, problems)
    else:
        ignored += _collect_all(actor, changes, problems)
    if any(isinstance(one, AddEntry) and one.audience is Audience.CUSTOMER for one in changes):
        problems += attached(actor.reading.mail.attachments, actor.desk)
    return changes, ignored


def signature_of(reading: Reading) -> str:
    """What was taken off the mail's new text as signature."""
    spans = reading.content.spans
    return "".join(
        reading.mail.text[span.start : span.end] for span in spans if span.kind is SpanKind.SIGNATURE
    )


def decide_tapped(
    reading: Reading,
    tapped: Tapped,
    ticket: TicketFacts,
    agent: str,
    trust: Trust,
    desk: Desk,
    reasons: tuple[str, ...],
    *,
    facts: Facts,
    now: datetime,
) -> Decision:
    """The decision for an agent's one-tap mail: as if they had typed what its address stands for."""
    done = spelled(tapped, f"agent:{agent}", reading.content.reply, desk, now)
    if isinstance(done, str):
        return _returned(reading, agent, ticket, trust, (Problem("", done),), reasons)
    typed = replace(reading, content=replace(reading.content, reply=done.text, spans=()))
    told = (*reasons, "one tap: its address says what is asked")
    decision = decide_agent(typed, ticket, agent, trust, desk, told, facts=facts, entry=0, now=now)
    if not done.unused:
        return decision
    why = "the words in your mail were not used: a one-tap mail does what its address says, and no more"
    return replace(decision, ignored=(*decision.ignored, why))


def _also_wrong(actor: Actor) -> Iterator[Problem]:
    """What the understood commands of a mail ask for in vain, so that it is mended in one go."""
    for command in actor.asked.commands:
        found = EFFECTS[command.name](command, actor) if command.name in EFFECTS else ()
        if isinstance(found, Problem):
            yield found


def _done_alone(command: Command, actor: Actor) -> list[Change] | Problem:
    others = [one.line for one in actor.asked.commands if one is not command]
    if others:
        return Problem(others[0], f"{command.line.strip()} stands alone; send the other commands afterwards")
    return ALONE[command.name](command, actor)


def _collect_all(actor: Actor, changes: list[Change], problems: list[Problem]) -> list[str]:
    """What an answer or a note does, together with any number of commands; returns what does nothing."""
    asked: list[Change] = []
    ignored: list[str] = []
    for command in actor.asked.commands:
        found = EFFECTS[command.name](command, actor)
        _collect(found, asked, problems)
        if found == []:
            ignored.append(f"{command.line.strip()}: it was so already")
    if not actor.asked.body and not actor.asked.commands:
        empty = "the note has no text" if actor.asked.note else "the mail holds no new text and no command"
        problems.append(Problem("", empty))
    _collect(_spoken(actor, asked), changes, problems)
    changes += asked
    added, unheard = copied_in(actor, answering=any(isinstance(one, AddEntry) for one in changes))
    changes += added
    ignored += unheard
    problems += not_ended(actor, changes)
    return ignored


def copied_in(actor: Actor, *, answering: bool = True) -> tuple[list[AddParticipant], list[str]]:
    """Those outside whom an agent put into To or Cc: who takes part from now on, or why they do not.

    answering: False for a mail without words. Only what the customer gets is for others outside as well.
    """
    mail, present = actor.reading.mail, actor.ticket.participants
    people = invited((*mail.to, *mail.cc), actor.facts, actor.desk, present)
    if not people:
        return [], []
    names = ", ".join(address for address, _ in people)
    if not answering or actor.asked.note:
        return [], [f"{names} got a copy from you only: who gets no answer to the customer takes no part"]
    if not may_add_by_cc(actor.desk, actor.identity, actor.ticket.requester, actor.trust):
        return [], [f"{names} got a copy from you only: a copy lets nobody take part here"]
    if Permission.EDIT not in rights_of(actor.desk, actor.key, actor.ticket.department):
        return [], [f"{names} got a copy from you only: your role does not let you say who takes part"]
    return [
        AddParticipant(actor.ticket.id, address, name, actor.identity, f"{actor.name} sent {address} a copy")
        for address, name in people
    ], []


def _collect(found: list[Change] | Problem, changes: list[Change], problems: list[Problem]) -> None:
    if isinstance(found, Problem):
        problems.append(found)
    else:
        changes.extend(found)


def _spoken(actor: Actor, changes: list[Change]) -> list[Change] | Problem:
    """The entry the agent's words make, and what answering changes by itself."""
    parsed = actor.asked
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
        full_text=actor.reading.mail.text,
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
    return answered(entry, actor, {change.name for change in changes if isinstance(change, SetField)})


def answered(entry: AddEntry, actor: Actor, named: set[str]) -> list[Change] | Problem:
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


def _returned(
    reading: Reading,
    agent: str,
    ticket: TicketFacts,
    trust: Trust,
    problems: tuple[Problem, ...],
    reasons: tuple[str, ...],
) -> Decision:
    why = "not carried out, so nothing was done and nothing sent: " + "; ".join(
        f"{problem.line}: {problem.reason}" if problem.line else problem.reason for problem in problems
    )
    return returned(reading, agent, "command.error", problems, why, reasons, trust, ticket.id)
