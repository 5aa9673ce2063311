"""What the desk itself tells an agent by mail: always internal, always automatic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mailticket.config.desk import Desk
from mailticket.domain.notice import GENERATED, Notice
from mailticket.domain.requests import Tap
from mailticket.domain.types import Audience, TicketFacts


def to_agent(
    desk: Desk,
    key: str,
    template: str,
    cause: str,
    *,
    reason: str = "",
    extra: dict[str, Any],
    ticket: int | None = None,
    entry: int | None = None,
    automatic: str = GENERATED,
    by: str = "",
    taps: tuple[Tap, ...] = (),
    seen: int = 0,
) -> Notice:
    """The mail to the agent `key`, once for each template and cause; the rest is as in `Notice`."""
    agent, identity = desk.agents[key], f"agent:{key}"
    return Notice(
        template=template,
        audience=Audience.INTERNAL,
        recipient=agent.address,
        recipient_name=agent.name,
        identity=identity,
        ticket_id=ticket,
        entry_id=entry,
        automatic=automatic,
        key=f"{template}:{cause}:{identity}",
        reason=reason,
        extra=extra,
        by=by,
        taps=taps,
        seen=seen,
    )


def agent_notice(
    template: str, key: str, ticket: TicketFacts, desk: Desk, cause: str, reason: str, extra: dict[str, Any]
) -> Notice | None:
    """The mail about a ticket, once for each cause and ticket; None when agent `key` has left the desk."""
    if key not in desk.agents:
        return None
    return to_agent(desk, key, template, f"{cause}:{ticket.id}", reason=reason, extra=extra, ticket=ticket.id)


def agent_notices(
    template: str,
    keys: Iterable[str],
    ticket: TicketFacts,
    desk: Desk,
    cause: str,
    reason: str,
    extra: dict[str, Any],
) -> Iterator[Notice]:
    """The same mail about a ticket to each of these agents who is still at the desk, and once to each."""
    for key in dict.fromkeys(keys):
        told = agent_notice(template, key, ticket, desk, cause, reason, extra)
        if told is not None:
            yield told
