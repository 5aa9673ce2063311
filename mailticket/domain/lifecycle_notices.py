"""The mails to agents about what the desk did, or did not do, to a ticket by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mailticket.config.desk import Desk
from mailticket.domain.assignment import alerted
from mailticket.domain.guards import Missing
from mailticket.domain.types import Audience, Notice, TicketFacts


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


def referred(ticket: TicketFacts, department: str, by: str, entry: int | None, desk: Desk, cause: str,
             why: str) -> Iterator[Notice]:  # fmt: skip
    """A department gets to see a ticket of another one. by: the identity of who did it, who is not told."""
    keys = alerted(desk, department).agents
    yield from _to_agents("referral.alert", ticket, desk, cause, why, why, {"to_department": department},
                          [key for key in keys if f"agent:{key}" != by], entry)  # fmt: skip


def _to_agents(
    template: str,
    ticket: TicketFacts,
    desk: Desk,
    cause: str,
    reason: str,
    notice: str,
    extra: dict[str, Any] | None = None,
    keys: Iterable[str] | None = None,
    entry: int | None = None,
) -> Iterator[Notice]:
    concerned = alerted(desk, ticket.department, ticket.assignee, ticket.team).agents
    for key in concerned if keys is None else keys:
        agent = desk.agents.get(key)
        if agent is None:
            continue
        yield Notice(
            template=template,
            audience=Audience.INTERNAL,
            recipient=agent.address,
            recipient_name=agent.name,
            identity=f"agent:{key}",
            ticket_id=ticket.id,
            entry_id=entry,
            automatic="auto-generated",
            key=f"{template}:{cause}:{ticket.id}:agent:{key}",
            reason=reason,
            extra={"notice": notice, **(extra or {})},
        )
