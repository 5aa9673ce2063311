"""What the desk itself tells an agent about a ticket."""

from __future__ import annotations

from typing import Any

from mailticket.config.desk import Desk
from mailticket.domain.notice import Notice
from mailticket.domain.types import Audience, TicketFacts


def agent_notice(
    template: str, key: str, ticket: TicketFacts, desk: Desk, cause: str, reason: str, extra: dict[str, Any]
) -> Notice | None:
    """The mail to agent `key`, once for each cause and ticket; None when they have left the desk."""
    agent = desk.agents.get(key)
    if agent is None:
        return None
    return Notice(
        template=template,
        audience=Audience.INTERNAL,
        recipient=agent.address,
        recipient_name=agent.name,
        identity=f"agent:{key}",
        ticket_id=ticket.id,
        entry_id=None,
        automatic="auto-generated",
        key=f"{template}:{cause}:{ticket.id}:agent:{key}",
        reason=reason,
        extra=extra,
    )
