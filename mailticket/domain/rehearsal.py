"""`#?`: an agent asks what a mail would do. It is decided as ever, and then only told."""

from __future__ import annotations

from dataclasses import replace

from mailticket.domain.change import Decision
from mailticket.domain.console_changes import AnswerConsole
from mailticket.domain.types import Outcome

_BLANKS = " \t\u00a0"
_AROUND = _BLANKS + "*_`>"


def rehearsal(text: str, prefix: str) -> tuple[bool, str]:
    """Whether an agent's new text asks for a dry run, and the text it is about.

    `#?` alone as the first line is about all the rest; `#? take` is about that one command.
    """
    first, _, rest = text.lstrip().partition("\n")
    line = first.strip(_AROUND)
    mark = f"{prefix}?"
    if not line.startswith(mark):
        return False, text
    command = line.removeprefix(mark).strip(_BLANKS)
    if not command:
        return True, rest
    return True, f"{prefix}{command.removeprefix(prefix).strip(_BLANKS)}\n{rest}"


def rehearsed(decision: Decision, agent: str, seen: int) -> Decision:
    """A decision of which nothing is done. What is only told anyway is told as ever."""
    console = any(isinstance(change, AnswerConsole) for change in decision.changes)
    if console or decision.outcome not in (Outcome.AGENT_ACTED, Outcome.STALE):
        return decision
    ignored = decision.ignored
    if decision.outcome is Outcome.STALE:
        ignored = (*ignored, "the answer would wait: you have not seen the newest message on the ticket")
        decision = replace(decision, changes=())
    why = "a dry run: nothing is done, the agent is told what would be"
    return replace(
        decision,
        outcome=Outcome.REHEARSED,
        reasons=(*decision.reasons, why),
        ignored=ignored,
        agent=agent,
        seen=seen,
        dry_run=True,
    )
