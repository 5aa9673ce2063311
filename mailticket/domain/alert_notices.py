"""Alerts about promised times as notices: one ticket, or many tickets in one mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mailticket.config.desk import Desk
from mailticket.domain.notice import GENERATED, Notice
from mailticket.domain.types import Audience, TicketFacts


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told, and why in words. `key` makes the mail unique."""

    identity: str
    address: str
    name: str
    why: str
    key: str


def alert_notice(told: Told, ticket: TicketFacts, alert: dict[str, Any]) -> Notice:
    """The mail about one ticket; `alert` is what its template shows of the promise (JSON-able)."""
    template = "ticket.overdue" if alert["overdue"] else "ticket.warning"
    return _notice(template, told, ticket.id, {"alert": alert})


def summary_notice(told: Told, summary: dict[str, Any], issue: int) -> Notice:
    """The one mail about many tickets. issue: what its numbers stand for (store/digests.py); 0 for none."""
    return _notice("ticket.alerts", told, None, {"alerts": summary, "issue": issue})


def current_address(told: Told, desk: Desk) -> Told | None:
    """The reader as configured now; None for an agent who is no agent any more."""
    kind, _, key = told.identity.partition(":")
    if kind != "agent":
        return told
    agent = desk.agents.get(key)
    return None if agent is None else Told(told.identity, agent.address, agent.name, told.why, told.key)


def _notice(template: str, told: Told, ticket: int | None, extra: dict[str, Any]) -> Notice:
    return Notice(
        template=template,
        audience=Audience.INTERNAL,
        recipient=told.address,
        recipient_name=told.name,
        identity=told.identity,
        ticket_id=ticket,
        entry_id=None,
        automatic=GENERATED,
        key=f"{template}:{told.key}",
        reason=told.why,
        extra=extra,
    )
