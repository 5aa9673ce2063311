"""The mails of follow-ups: to whom, in which template. Customers are only ever told of themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from mailticket.config.desk import Desk, FollowUp
from mailticket.domain.absence import NOTHING_RECORDED, Presence, stand_in
from mailticket.domain.agent_notice import agent_notice, agent_notices
from mailticket.domain.alert_switches import hearers
from mailticket.domain.assignment import alerted
from mailticket.domain.customer_notices import Told, notice
from mailticket.domain.followup import Outlook, Step
from mailticket.domain.notice import Notice
from mailticket.domain.types import TicketFacts

_TEMPLATES = {
    Step.NUDGE1: "ticket.nudge",
    Step.NUDGE2: "ticket.nudge",
    Step.RESOLVE: "ticket.autoresolved",
    Step.CLOSE: "ticket.autoclosed",
    Step.LOOP: "ticket.update",
}


def customer_notice(
    step: Step,
    plan: FollowUp,
    ticket: TicketFacts,
    cause: str,
    entry: int | None,
    since: datetime | None,
    next_at: datetime | None,
) -> Notice | None:
    """What the requester is told of a step; None where the follow-up says that they are not.

    cause: unique name of this step; entry: the last answer, which a reminder repeats; since: when the
    customer was last answered; next_at: when the ticket is resolved if they do not write.
    """
    if step is Step.ARCHIVE or (step is Step.CLOSE and not plan.tell_close):
        return None
    answer = entry if step in (Step.NUDGE1, Step.NUDGE2) else None
    told = Told(_TEMPLATES[step], ticket.requester, answer, extra=_moments(since, next_at))
    return replace(notice(told, ticket, cause, f"follow-up {plan.key}: {step}", None), decided=True)


def reminders(
    ticket: TicketFacts,
    desk: Desk,
    cause: str,
    seen: Outlook,
    now: datetime,
    presence: Presence = NOTHING_RECORDED,
) -> Iterator[Notice]:
    """The mails that remind whoever has the ticket, or stands in for them, of a customer left waiting."""
    department = desk.departments.get(ticket.department)
    manager = department.manager if department else None
    concerned = alerted(desk, ticket.department, ticket.assignee, ticket.team).agents
    keys = (stand_in(desk, agent, manager, now, presence) for agent in concerned)
    why = "the customer has heard nothing for a while, and you have this ticket"
    extra = _moments(seen.since, None) | {"updated": seen.update}
    yield from agent_notices("loop.reminder", keys, ticket, desk, cause, why, extra)


def given_back_notices(
    ticket: TicketFacts, desk: Desk, cause: str, former: str, why: str
) -> Iterator[Notice]:
    """A ticket was taken back from the agent `former`, and why: they and the department are told.

    ticket: as it is now, with whoever was chosen instead, who is told of that and not of this.
    """
    department = alerted(desk, ticket.department, None, ticket.team).agents
    concerned = (former, *hearers("assignment", department, ticket, desk))
    name = desk.agents[former].name if former in desk.agents else former
    news = f"{why[:1].upper()}{why[1:]}."
    for key in dict.fromkeys(concerned):
        reason = "you had this ticket" if key == former else "it is your department's ticket"
        extra = {"notice": news, "about": "you" if key == former else name}
        told = agent_notice("released.alert", key, ticket, desk, cause, reason, extra)
        if told is not None and key != ticket.assignee:
            yield told


def _moments(since: datetime | None, next_at: datetime | None) -> dict[str, Any]:
    return {
        "since_date": since.isoformat() if since else None,
        "next_date": next_at.isoformat() if next_at else None,
    }
