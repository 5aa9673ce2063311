"""A ticket that an agent opens for somebody else: routed like a mail of theirs, with what the agent adds.

Rules, topics and departments look at the customer's mail as if it had come from the customer. The agent's
commands then change what came of that, and the agent's own words stand beside it as a note or an answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from mailticket.config.desk import Desk
from mailticket.domain.actor import Actor
from mailticket.domain.change import (
    AddEntry,
    AddParticipant,
    Brings,
    Change,
    Decision,
    ForwardCopy,
    OpenTicket,
    SetField,
    Tag,
)
from mailticket.domain.decide_agent import answered, copied_in
from mailticket.domain.decide_customer import open_ticket
from mailticket.domain.effects import EFFECTS
from mailticket.domain.leak_guard import attached, leaks
from mailticket.domain.matching import Match
from mailticket.domain.permissions import refused
from mailticket.domain.returned import returned
from mailticket.domain.trust import TrustFinding
from mailticket.domain.types import Arrival, Audience, EntryKind, Facts, Outcome, TicketFacts, Trust
from mailticket.mail.commands import Commands, Problem
from mailticket.mail.types import Address, Reading
from mailticket.mail.vocabulary import CommandName

NEW = 0
"""Stands for the ticket while its changes are collected: it has no id yet."""
_ABOUT_A_NEW_TICKET = frozenset(
    {
        CommandName.TAKE, CommandName.ASSIGN, CommandName.UNASSIGN, CommandName.TEAM, CommandName.TRANSFER,
        CommandName.STATUS, CommandName.RESOLVE, CommandName.CLOSE, CommandName.PRIORITY, CommandName.DUE,
        CommandName.SLA, CommandName.TAG, CommandName.UNTAG, CommandName.CC, CommandName.TIME,
        CommandName.REMIND, CommandName.WAIT, CommandName.HOLD, CommandName.FIELD, CommandName.SUBJECT,
        CommandName.TOPIC, CommandName.REFER, CommandName.LINK, CommandName.BLOCK,
    }
)  # fmt: skip
"""Commands that make sense for a ticket that nobody has a mail about.

The others take something back, put the ticket's number into a text, or are about messages, people and
decisions that were there before.
"""


@dataclass(frozen=True, slots=True)
class Words:
    """What the agent wrote: its text and commands.

    kind       what the text becomes: an answer, or a note
    delivered  who has the mail already, straight from the agent; a mail nobody can take back is never
               sent back, so what cannot be done with it is left
    ignored    what was left already, in words
    """

    asked: Commands
    kind: EntryKind
    delivered: tuple[str, ...] = ()
    ignored: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """All that bears on such a ticket.

    reading     the mail as if `owner` had written it; mail  as it is
    passes_on   there is a mail of the customer's to begin the ticket with
    message_id  of that mail; "" where it is not known
    """

    reading: Reading
    mail: Reading
    arrival: Arrival
    facts: Facts
    owner: Address
    agent: str
    trust: TrustFinding
    desk: Desk
    now: datetime
    words: Words
    why: str
    reasons: tuple[str, ...]
    passes_on: bool = False
    message_id: str = ""

    @property
    def identity(self) -> str:
        """Who the agent is in events and entries."""
        return f"agent:{self.agent}"


def open_for(opening: Opening) -> Decision:
    """The decision that opens the ticket, or sends the mail back with what stands against it."""
    drafted = _drafted(opening)
    opened = next((one for one in drafted.changes if isinstance(one, OpenTicket)), None)
    if opened is None:
        return _back(opening, (Problem("", drafted.rejection or "; ".join(drafted.reasons[-1:])),))
    actor = _actor(opening, opened)
    copied = copied_in(actor)[0] if opening.words.delivered else []
    if copied:
        has_it = (*opening.words.delivered, *(one.address for one in copied))
        opening = replace(opening, words=replace(opening.words, delivered=has_it))
    asked, problems = _asked(actor, opening.words)
    said, problem = _said(opening, actor, asked)
    problems += problem
    if problems and not opening.words.delivered:
        return _back(opening, tuple(problems))
    entries = [_brought(one, opening) for one in drafted.changes if isinstance(one, AddEntry)]
    rest, uncopied = without_copies(
        one for one in drafted.changes if not isinstance(one, OpenTicket | AddEntry)
    )
    begun = replace(opened, on_behalf=opening.agent, why=f"{opened.why}: {opening.why}")
    changes = (
        begun,
        *(entries if opening.passes_on else ()),
        *rest,
        *(_of_new(one) for one in (*said, *asked, *copied)),
    )
    answered_now = any(isinstance(one, AddEntry) and one.kind is EntryKind.RESPONSE for one in said)
    reasons = (*opening.reasons, *drafted.reasons, *(one.why for one in changes if one not in rest))
    undone = (f"not done: {one.line.strip()[:80]!r} {one.reason}" for one in problems)
    return Decision(
        Outcome.NEW_TICKET,
        changes,
        (*dict.fromkeys(reasons), *filter(None, (opening.words.ignored, *uncopied, *undone))),
        opening.trust.level,
        acknowledge=opening.desk.acknowledge_on_behalf and drafted.acknowledge and not answered_now,
    )


def _drafted(opening: Opening) -> Decision:
    """What would become of the mail, had the customer sent it."""
    facts = replace(
        opening.facts, sender=opening.owner.address, sender_agent=None, evidence=(), tickets={}, ban=None
    )
    told = f"{opening.desk.agents[opening.agent].name} vouches for {opening.owner.address}"
    nothing = Match(None, None, None, ())
    vouched = TrustFinding(Trust.KNOWN, (told,))
    # what an agent brings along is not held: a person has let it in
    arrival = replace(opening.arrival, released=True)
    return open_ticket(opening.reading, arrival, facts, nothing, vouched, opening.desk, opening.now)


def without_copies(changes: Iterable[Change]) -> tuple[list[Change], list[str]]:
    """The changes that rules ask for without copies of the mail, and a sentence for each copy not sent.

    The mail as it came is an agent's: it holds their address, and words and tokens that stay inside.
    """
    kept: list[Change] = []
    told: list[str] = []
    for change in changes:
        if isinstance(change, ForwardCopy):
            told.append(f"{change.why}: not sent, as the mail that came is an agent's")
        else:
            kept.append(change)
    return kept, told


def _brought(entry: AddEntry, opening: Opening) -> AddEntry:
    return replace(
        entry,
        brings=Brings.ORIGINAL,
        original=opening.message_id,
        passed_by=opening.identity,
        aliases=tuple(one for one in entry.aliases if one != opening.message_id),
        why=opening.why,
    )


def _actor(opening: Opening, opened: OpenTicket) -> Actor:
    ticket = TicketFacts(
        id=NEW,
        number="",
        subject=opened.subject,
        status="open",
        department=opened.department,
        topic=opened.topic,
        priority=opened.priority,
        sla_plan=opened.sla_plan,
        assignee=opened.assignee,
        team=opened.team,
        requester=opened.requester,
        requester_name=opened.requester_name,
        participants=frozenset([opened.requester]),
        created_at=opening.now,
        tags=opened.tags,
    )
    name = opening.desk.agents[opening.agent].name
    return Actor(
        opening.agent, name, opening.trust.level, ticket, opening.desk, opening.facts, opening.mail,
        opening.words.asked, 0, opening.now,
    )  # fmt: skip


def _asked(actor: Actor, words: Words) -> tuple[list[Change], list[Problem]]:
    """What the commands change; nothing where one of them cannot be done."""
    changes: list[Change] = []
    said = replace(words.asked, note=words.kind is EntryKind.NOTE)
    theirs = replace(actor.ticket, assignee=actor.key)  # whoever opens a ticket has access to it
    problems = [
        one for one in refused(actor.desk, actor.key, theirs, said) if not words.delivered or one.line
    ]
    for command in words.asked.commands:
        if command.name is CommandName.OWNER:
            continue
        if command.name not in _ABOUT_A_NEW_TICKET:
            reason = "needs a ticket that is there already; send it as an answer to the alert you get"
            problems.append(Problem(command.line, reason))
            continue
        found = EFFECTS[command.name](command, actor)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            changes += found
    return ([] if problems else changes), problems


def _said(opening: Opening, actor: Actor, asked: Iterable[Change]) -> tuple[list[Change], list[Problem]]:
    """The entry that the agent's own words make, and what an answer changes by itself."""
    words, parsed = opening.words, opening.words.asked
    files = opening.mail.mail.attachments and not opening.passes_on
    if not parsed.body and not files:
        return [], []
    public = words.kind is EntryKind.RESPONSE
    if public and not words.delivered:
        going = () if opening.passes_on else opening.mail.mail.attachments
        leaking = leaks(parsed.body, opening.mail.content, actor) or attached(going, actor.desk)
        if leaking:
            return [], leaking
    entry = AddEntry(
        ticket=NEW,
        kind=words.kind,
        audience=Audience.CUSTOMER if public else Audience.INTERNAL,
        author=actor.identity,
        author_name=actor.name,
        trust=actor.trust,
        text=parsed.body,
        full_text=opening.mail.mail.text,
        html=None,
        why=_why(actor.name, words),
        aliases=() if opening.passes_on else opening.facts.unseen,
        delivered=words.delivered,
        brings=Brings.WORDS if opening.passes_on else Brings.WHOLE,
    )
    if not public:
        return [entry], []
    made = answered(entry, actor, {one.name for one in asked if isinstance(one, SetField)})
    return ([entry], []) if isinstance(made, Problem) else (made, [])


def _why(name: str, words: Words) -> str:
    if words.kind is EntryKind.NOTE:
        return f"{name} wrote a note: it stays inside"
    direct = f"; {', '.join(words.delivered)} got it directly" if words.delivered else ""
    return f"{name} wrote to the customer{direct}"


def _of_new(change: Change) -> Change:
    """A change of the ticket that is being opened."""
    if isinstance(change, AddEntry | SetField | Tag | AddParticipant) and change.ticket == NEW:
        return replace(change, ticket=None)
    return change


def _back(opening: Opening, problems: tuple[Problem, ...]) -> Decision:
    return unplaced(opening.mail, opening.agent, problems, opening.reasons, opening.trust)


def unplaced(
    reading: Reading, agent: str, problems: tuple[Problem, ...], reasons: tuple[str, ...], trust: TrustFinding
) -> Decision:
    """Back to the agent: nothing was done, and what to write so that it can be."""
    why = "no ticket could be opened from it: " + "; ".join(
        f"{one.line.strip()}: {one.reason}" if one.line else one.reason for one in problems
    )
    return returned(reading, agent, "agent.unplaced", problems, why, reasons, trust.level)
