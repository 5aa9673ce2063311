"""Mails that tell whoever wrote what became of it: sent back, waiting, or what was asked for.

And the one mail a day that stands for many that nobody is told of.
"""

from __future__ import annotations

from collections.abc import Iterator

from mailticket.config.desk import Desk
from mailticket.domain.absence_notices import absence_notices
from mailticket.domain.agent_notice import to_agent
from mailticket.domain.assignment import alerted
from mailticket.domain.notice import REPLIED, Notice
from mailticket.domain.requests import HeldAnswer
from mailticket.domain.stale import stale_notice
from mailticket.domain.types import Audience, Event, EventKind, Quiet, TicketFacts


def answers(event: Event, ticket: TicketFacts | None, desk: Desk, cause: str) -> Iterator[Notice]:
    """What the event has to say to its own author. cause: unique name of the mail at hand."""
    match event.kind:
        case EventKind.RETURNED:
            yield _returned(event, ticket, desk, cause)
        case EventKind.STALE if ticket is not None:
            yield _stale(event, ticket, desk, cause)
        case EventKind.STATUS_SENT:
            yield _own_tickets(event, desk, cause)
        case EventKind.CHALLENGED:
            yield _challenged(event, desk, cause)
        case EventKind.AWAY | EventKind.BACK:
            yield from absence_notices(event, desk, cause)


def _stale(event: Event, ticket: TicketFacts, desk: Desk, cause: str) -> Notice:
    data = event.data
    held = HeldAnswer(data["inbound"], data["text"], data["subject"])
    return stale_notice(ticket, data["agent"], desk, cause, data["missed"], held)


def _own_tickets(event: Event, desk: Desk, cause: str) -> Notice:
    """What somebody asked for about their own tickets: to them and nobody else.

    By when they can expect an answer is told as in acknowledgements: where the department wants it.
    """
    tickets = [
        one if desk.home_of(one["department"]).tell_promise else one | {"due": None}
        for one in event.data["tickets"]
    ]
    return Notice(
        template="ticket.status",
        audience=Audience.CUSTOMER,
        recipient=event.actor,
        recipient_name=event.data["name"],
        identity=event.actor,
        ticket_id=None,
        entry_id=None,
        automatic=REPLIED,
        key=f"ticket.status:{cause}:{event.actor}",
        reason=event.reason,
        extra={"tickets": tickets},
    )


def _challenged(event: Event, desk: Desk, cause: str) -> Notice:
    """The question goes to the agent's known address, never to the one it is about."""
    extra = {key: event.data[key] for key in ("alias", "address", "text", "subject")}
    return to_agent(desk, event.data["agent"], "agent.challenge", cause, reason=event.reason, extra=extra)


def _returned(event: Event, ticket: TicketFacts | None, desk: Desk, cause: str) -> Notice:
    return to_agent(
        desk,
        event.data["agent"],
        event.data["template"],
        cause,
        reason=event.reason,
        extra={key: event.data[key] for key in ("problems", "text", "subject", "answers")},
        ticket=ticket.id if ticket else None,
        automatic=REPLIED,
    )


def brake_alerts(quiet: Quiet, ticket: TicketFacts, desk: Desk) -> tuple[Notice, ...]:
    """The mail that tells each agent of the ticket what is braked: by its key, one a day."""
    keys = alerted(desk, ticket.department, ticket.assignee, ticket.team).agents
    extra = {"notice": quiet.why, "about": quiet.about}
    return tuple(
        to_agent(
            desk,
            key,
            "brake.alert",
            f"{quiet.about}:{quiet.day}",
            reason=quiet.why,
            extra=extra,
            ticket=ticket.id,
        )
        for key in keys
        if key in desk.agents
    )
