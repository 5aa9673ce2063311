"""An agent's mail goes back with what was wrong, and nothing of it is done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mailticket.domain.change import Decision, ReturnToAgent
from mailticket.domain.types import Outcome, Trust
from mailticket.mail.commands import Problem
from mailticket.mail.types import Reading


def returned(
    reading: Reading,
    agent: str,
    template: str,
    problems: Sequence[Problem],
    why: str,
    reasons: tuple[str, ...],
    trust: Trust,
    ticket: int | None = None,
) -> Decision:
    """The decision to send the mail back. reasons: those found before `why`."""
    change = ReturnToAgent(
        agent=agent,
        ticket=ticket,
        template=template,
        problems=as_rows(problems),
        text=reading.content.reply,
        subject=reading.mail.subject,
        why=why,
    )
    return Decision(Outcome.RETURNED, (change,), (*reasons, why), trust, ticket)


def as_rows(problems: Iterable[Problem]) -> tuple[tuple[str, str, str], ...]:
    """(line, reason, what would do or "") of each, as mails to agents show them."""
    return tuple((one.line, one.reason, one.nearest or "") for one in problems)


def refused(reading: Reading, agent: str, why: str, reasons: tuple[str, ...], trust: Trust) -> Decision:
    """The same for a mail that cannot be taken as the agent's word, whatever it says."""
    return returned(reading, agent, "agent.refused", (Problem("", why),), why, reasons, trust)
