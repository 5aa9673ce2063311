"""An agent's mail goes back with what was wrong, and nothing of it is done."""

from __future__ import annotations

from collections.abc import Sequence

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
        problems=tuple((one.line, one.reason, one.nearest or "") for one in problems),
        text=reading.content.reply,
        subject=reading.mail.subject,
        why=why,
    )
    return Decision(Outcome.RETURNED, (change,), (*reasons, why), trust, ticket)


def refused(reading: Reading, agent: str, why: str, reasons: tuple[str, ...], trust: Trust) -> Decision:
    """The same for a mail that cannot be taken as the agent's word, whatever it says."""
    return returned(reading, agent, "agent.refused", (Problem("", why),), why, reasons, trust)
