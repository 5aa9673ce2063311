"""The mails to agents about what the desk did, or did not do, to a ticket by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mailticket.config.desk import Desk
from mailticket.domain.agent_notice import agent_notices
from mailticket.domain.assignment import alerted
from mailticket.domain.finished import NOTHING_NEW
from mailticket.domain.guards import Missing
from mailticket.domain.notice import Notice
from mailticket.domain.statuses import status_name
from mailticket.domain.types import Event, TicketFacts


def wait_over(ticket: TicketFacts, done: Iterable[str], desk: Desk, cause: str) -> Iterator[Notice]:
    """What a ticket waited for is finished: whoever has it goes on. done: the other tickets' numbers."""
    named = " and ".join(f"#{number}" for number in done)
    told = f"It waited for {named}, which is done." if named else "It waits for no other ticket any more."
    yield from _to_agents("waited.alert", ticket, desk, cause, told, told)


def not_ended(
    ticket: TicketFacts, lacking: Iterable[Missing], desk: Desk, cause: str, doing: str
) -> Iterator[Notice]:
    """A follow-up would have ended a ticket of which something is not known. doing: "resolve" or "close"."""
    told = f"It is time to {doing} this ticket, but something has to be known first."
    rows = [("", one.reason, f"{desk.command_prefix}{one.command}") for one in lacking]
    yield from _to_agents("guard.alert", ticket, desk, cause, told, told, {"problems": rows})


def thanked(event: Event, ticket: TicketFacts, desk: Desk) -> dict[str, Any]:
    """What an alert says beside a message that is taken for a mere thanks, or for nothing; else nothing."""
    evidence = event.data.get("thanks")
    if not evidence:
        return {}
    status = status_name(desk, ticket.status, ticket.custom_status)
    again = f"{desk.command_prefix}reopen"
    what = "An empty reply" if evidence == NOTHING_NEW else "A mere thanks"
    return {"notice": f"{what}: {evidence}. The ticket stays {status}; {again} if more is meant."}


def follow_up(event: Event, desk: Desk) -> dict[str, Any]:
    """What the alert about a new ticket says of the one it follows; nothing where it follows none."""
    old = event.data.get("follows")
    if not old:
        return {}
    agent = desk.agents.get(old["assignee"] or "")
    told = f'It follows ticket {old["number"]}, "{old["subject"][:120]}"'
    told += f", which {agent.name} had" if agent is not None else ""
    told += f" and which ended on {old['ended']}." if old["ended"] else "."
    return {"notice": told} | ({"beside": old["answer"]} if old["answer"] else {})


def _to_agents(
    template: str,
    ticket: TicketFacts,
    desk: Desk,
    cause: str,
    reason: str,
    notice: str,
    extra: dict[str, Any] | None = None,
) -> Iterator[Notice]:
    keys = alerted(desk, ticket.department, ticket.assignee, ticket.team).agents
    yield from agent_notices(template, keys, ticket, desk, cause, reason, {"notice": notice, **(extra or {})})
