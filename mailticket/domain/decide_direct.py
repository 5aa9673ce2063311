"""An answer that an agent sent straight to the customer, with the desk in Cc or Bcc.

It is filed as the public reply and not sent again to those who have it. What can go wrong differs from
an answer by way of the desk: the customer has read it, so nothing can be held back or sent back. A line
that is no valid command is then a part of the text, and nothing but filing is done.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from mailticket.config.desk import Desk
from mailticket.domain.access import collaborator
from mailticket.domain.actor import Actor
from mailticket.domain.change import AddEntry, Change, Decision, SetField
from mailticket.domain.decide_agent import answered, copied_in
from mailticket.domain.effects import EFFECTS
from mailticket.domain.leak_guard import attached, leaks
from mailticket.domain.permissions import refused
from mailticket.domain.trust import TrustFinding
from mailticket.domain.types import Audience, EntryKind, Facts, Outcome, TicketFacts
from mailticket.mail.address import canonical
from mailticket.mail.commands import Commands, Problem, parse_commands
from mailticket.mail.types import Address, ParsedMail, Reading

_MOST = 50
"""Recipients of a mail that are looked at."""


def has_it(mail: ParsedMail, participants: frozenset[str]) -> tuple[str, ...]:
    """Those who take part and are in To or Cc of the mail itself, so that they have it already."""
    named = {canonical(item.address) for item in (*mail.to, *mail.cc)}
    return tuple(sorted(participants & named))


def outsiders(addresses: Iterable[Address], desk: Desk) -> tuple[Address, ...]:
    """Of the recipients of a mail those who neither work here nor are the desk, by canonical address."""
    found: dict[str, Address] = {}
    for item in tuple(addresses)[:_MOST]:
        plain, _ = collaborator(desk, item.address)
        if plain is not None:
            found.setdefault(plain, Address(item.name, plain))
    return tuple(found.values())


def asked_directly(reading: Reading, desk: Desk, *, obeyed: bool) -> tuple[Commands, str]:
    """The text of such a mail and its commands, and what was not done with it.

    obeyed: False where the mail only proves whose words these are, not that they were meant for the desk.
    """
    whole = Commands(note=False, commands=(), body=reading.content.reply.strip())
    parsed = parse_commands(reading.content.reply, desk.command_prefix)
    if not isinstance(parsed, Commands):
        line = parsed.problems[0].line.strip()[:80]
        return whole, f"{line!r} is no command here, so it counts as text" if line else ""
    if not obeyed and (parsed.commands or parsed.note):
        return whole, "commands count only in a mail with the desk in To or Cc"
    if parsed.note:
        return replace(parsed, note=False), "it cannot stay inside any more"
    return parsed, ""


def decide_direct(
    reading: Reading,
    ticket: TicketFacts,
    agent: str,
    trust: TrustFinding,
    desk: Desk,
    reasons: tuple[str, ...],
    *,
    facts: Facts,
    now: datetime,
) -> Decision:
    """The decision for a mail of an agent, proven theirs, that participants of `ticket` have already."""
    parsed, ignored = asked_directly(reading, desk, obeyed=not trust.copied)
    name = desk.agents[agent].name
    actor = Actor(agent, name, trust.level, ticket, desk, facts, reading, parsed, 0, now)
    asked, undone = effects_of(actor)
    added, unheard = ([], []) if trust.copied else copied_in(actor)
    have = has_it(reading.mail, ticket.participants | {one.address for one in added})
    changes = [*filed(actor, have, asked), *added]
    left = (*(one for one in (ignored, undone) if one), *unheard)
    whys = (*(change.why for change in changes), *left)
    return Decision(
        Outcome.AGENT_ACTED, tuple(changes), (*reasons, *whys), trust.level, ticket.id,
        agent=agent, ignored=left,
    )  # fmt: skip


def effects_of(actor: Actor) -> tuple[list[Change], str]:
    """What the commands of such a mail change, all or nothing, and why not."""
    commands = replace(actor.asked, body="")
    changes: list[Change] = []
    problem = next(iter(refused(actor.desk, actor.key, actor.ticket, commands)), None)
    for command in actor.asked.commands if problem is None else ():
        effect = EFFECTS.get(command.name)
        made = effect(command, actor) if effect else Problem(command.line, "cannot be done with such a mail")
        if isinstance(made, Problem):
            problem = made
            break
        changes += made
    if problem is not None and commands.commands:
        return [], f"no command was done: {problem.line.strip()[:80]} {problem.reason}".replace("  ", " ")
    return changes, ""


def filed(actor: Actor, delivered: tuple[str, ...], asked: list[Change]) -> list[Change]:
    """The public reply such a mail is, and what answering and its commands change."""
    text = actor.asked.body or ("" if actor.asked.commands else actor.reading.mail.text.strip())
    others = sorted(actor.ticket.participants - set(delivered))
    why = f"{actor.name} answered; {', '.join(delivered)} got it directly"
    files = actor.reading.mail.attachments
    if others and (found := leaks(text, actor.reading.content, actor) or attached(files, actor.desk)):
        why += f", and {', '.join(others)} did not: {found[0].reason}"
        delivered = tuple(sorted({*actor.ticket.participants, *delivered}))
    entry = AddEntry(
        ticket=actor.ticket.id,
        kind=EntryKind.RESPONSE,
        audience=Audience.CUSTOMER,
        author=actor.identity,
        author_name=actor.name,
        trust=actor.trust,
        text=text,
        full_text=actor.reading.mail.text,
        html=None,
        why=why,
        aliases=actor.facts.unseen,
        delivered=delivered,
    )
    if not text and not actor.reading.mail.attachments:
        return asked
    made = answered(entry, actor, {change.name for change in asked if isinstance(change, SetField)})
    return [*([entry] if isinstance(made, Problem) else made), *asked]
