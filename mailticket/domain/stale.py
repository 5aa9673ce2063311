"""The stale-reply guard: an answer to what is no longer the newest word waits until its author has seen it.

The token in an agent's reply names the newest entry they had seen. Where a customer has written since, or
a colleague has answered, the answer is held: nothing of the mail is done, the author is mailed what was
missed, and `#send` lets the mail be worked on as it was written. A fresh answer takes its place, and after
a day it expires, which the author is told. Notes and commands alone are never held.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from mailticket.config.desk import Desk
from mailticket.domain.actor import Actor, Effect
from mailticket.domain.agent_notice import to_agent
from mailticket.domain.change import AddEntry, Change, Decision
from mailticket.domain.notice import REPLIED, Notice
from mailticket.domain.requests import HeldAnswer, HoldAnswer, MissedEntry, SettleAnswer, Tap
from mailticket.domain.taps import send_tap
from mailticket.domain.types import EntryKind, Outcome, TicketFacts
from mailticket.mail.commands import Command, Problem
from mailticket.mail.vocabulary import CommandName

LIFETIME: Final = timedelta(days=1)
"""How long an answer is held."""


def answer_in(changes: Sequence[Change]) -> AddEntry | None:
    """The public answer that is to be sent; one that the customer has already is none."""
    found = (one for one in changes if isinstance(one, AddEntry) and one.kind is EntryKind.RESPONSE)
    return next((one for one in found if not one.delivered), None)


def missed_by(actor: Actor) -> tuple[MissedEntry, ...]:
    """What the agent had not seen when they wrote: customers' messages and colleagues' answers.

    Nothing where it is not known what they had seen: they were never mailed anything about the ticket.
    """
    if not actor.desk.stale_guard:
        return ()
    return tuple(one for one in actor.facts.missed.get(actor.ticket.id, ()) if one.author != actor.identity)


def guard(actor: Actor, changes: list[Change]) -> Decision | None:
    """The decision to hold the agent's answer; None where there is none, or nothing was missed.

    Where `changes` settle an answer that is held, that one goes on waiting if more has come since.
    """
    released = next((one for one in changes if isinstance(one, SettleAnswer)), None)
    missed = missed_by(actor)
    if not missed or (released is None and answer_in(changes) is None):
        return None
    held = actor.facts.held_answers.get(actor.ticket.id) if released is not None else None
    own = HeldAnswer(actor.facts.inbound, actor.asked.body, actor.reading.mail.subject)
    answer = held or own
    why = f"{actor.name} had not seen {_count(missed)} when answering: the answer waits, nothing is done"
    change = HoldAnswer(
        ticket=actor.ticket.id,
        agent=actor.key,
        inbound=answer.inbound,
        missed=tuple(one.id for one in missed),
        text=answer.text,
        subject=answer.subject,
        why=why,
    )
    outcome = Outcome.STALE if held is None else Outcome.AGENT_ACTED
    return Decision(outcome, (change,), (why,), actor.trust, actor.ticket.id)


def replaced(actor: Actor, changes: Sequence[Change]) -> list[Change]:
    """A fresh answer takes the place of one that is held."""
    held = actor.facts.held_answers.get(actor.ticket.id)
    if held is None or held.inbound == actor.facts.inbound or answer_in(changes) is None:
        return []
    why = f"{actor.name} has written another answer instead of the one that was held"
    return [SettleAnswer(actor.ticket.id, held.inbound, False, actor.identity, why)]


def stale_notice(
    ticket: TicketFacts,
    agent: str,
    desk: Desk,
    cause: str,
    missed: Sequence[int],
    held: HeldAnswer,
    *,
    expired: bool = False,
) -> Notice:
    """The mail that shows an agent what they missed, or tells that their answer has expired.

    missed: entries, oldest first; the newest is what its reader will have seen.
    """
    taps: tuple[Tap, ...] = () if expired else (send_tap(ticket),)
    return to_agent(
        desk,
        agent,
        "agent.stale",
        cause,
        extra={"missed": list(missed), "text": held.text, "subject": held.subject, "expired": expired},
        ticket=ticket.id,
        entry=max(missed, default=None),
        automatic=REPLIED,
        taps=taps,
    )


def _count(missed: Sequence[MissedEntry]) -> str:
    return "a newer message" if len(missed) == 1 else f"{len(missed)} newer messages"


def send(command: Command, actor: Actor) -> list[Change] | Problem:
    """Let a held answer be worked on as it was written."""
    held: HeldAnswer | None = actor.facts.held_answers.get(actor.ticket.id)
    if actor.asked.body:
        return Problem(command.line, "sends the held answer as it is; to answer anew, leave this line out")
    if held is None:
        return Problem(command.line, f"no answer of yours on #{actor.ticket.number} is held")
    why = f"{actor.name} sends the answer that was held"
    return [SettleAnswer(actor.ticket.id, held.inbound, True, actor.identity, why)]


ALONE: Final[dict[CommandName, Effect]] = {CommandName.SEND: send}
