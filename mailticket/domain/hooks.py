"""What web services are told: events and a ticket become the JSON body of a call, by audience.

The body is made once, in the transaction that causes the call, so a repeat carries the same bytes. What
an audience may see is decided here, before anything is written down: "customer" gets no note, no reason,
no custom tag and no name of anybody who works here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailticket.config.desk import Desk, Webhook
from mailticket.domain.types import Event, EventKind, TicketFacts
from mailticket.domain.undo import hold_of

_INSIDE = frozenset({"assignee", "team", "tags", "sla_plan", "due_at", "overdue_since"})
"""Facts of a ticket that concern nobody outside."""


@dataclass(frozen=True, slots=True)
class Said:
    """An entry as a web service may be told of it."""

    id: int
    kind: str
    audience: str
    author: str
    author_name: str
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Call:
    """One call to one web service.

    key   unique among all calls: the same one is never queued twice; sent as Idempotency-Key
    body  JSON, as it goes out
    hold_until  what it tells of can be taken back until then, so it waits; None is at once
    waits_for   the answer it tells of: customers have to be sent it first, or no server has taken it
    """

    key: str
    webhook: str
    event: str
    ticket_id: int | None
    body: str
    hold_until: datetime | None = None
    waits_for: int | None = None


def concerned(events: Sequence[Event], desk: Desk) -> Iterator[tuple[int, Event, Webhook]]:
    """Which event is told to which web service, with the event's place among its like.

    Of what was taken back before anybody outside had it, customers' services never hear, nor that it was.
    """
    unheard = any(event.kind is EventKind.UNDONE and event.data.get("clean") for event in events)
    for place, event in enumerate(events):
        if event.ticket_id is None:
            continue
        if event.kind is EventKind.HOOKED:
            named = desk.webhooks.get(str(event.data.get("webhook")))
            if named is not None:
                yield place, event, named
            continue
        for webhook in desk.webhooks.values():
            if str(event.kind) in webhook.events and not (unheard and webhook.audience == "customer"):
                yield place, event, webhook


def calls(
    events: Sequence[Event], ticket: TicketFacts | None, entries: Mapping[int, Said], desk: Desk, cause: str
) -> Iterator[Call]:
    """The calls that events ask for.

    ticket: as it is after them; cause: unique name of what they belong to ("inbound:17").
    """
    for place, event, webhook in concerned(events, desk):
        entry = entries.get(event.entry_id or 0) or _newest(events, entries)
        inside = webhook.audience == "internal"
        if entry is not None and entry.audience != "customer" and not inside:
            if event.entry_id is not None:
                continue  # there is nothing in it for them
            entry = None
        key = f"{cause}:{place}:{webhook.key}"
        about = ticket if ticket is not None and ticket.id == event.ticket_id else None
        held = not inside and event.data.get("mail") is not None
        if held and event.kind is EventKind.CREATED and entry is not None and entry.kind == "response":
            entry = None  # it can be taken back, and the ticket stays: `response` tells of it
        answer = held and entry is not None and entry.kind == "response"
        yield Call(
            key, webhook.key, _name(event), event.ticket_id, _body(key, event, about, entry, desk, inside),
            hold_until=_hold_until(event, ticket, desk) if held else None,
            waits_for=entry.id if answer and entry is not None else None,
        )  # fmt: skip


def trial_call(webhook: Webhook, desk: Desk, now: datetime) -> Call:
    """A call that means nothing, to try a web service out."""
    key = f"test:{now.isoformat()}:{webhook.key}"
    event = Event(EventKind.HOOKED, None, None, "system", now, "a test", {"event": "test"})
    return Call(key, webhook.key, "test", None, _body(key, event, None, None, desk, inside=True))


def _hold_until(event: Event, ticket: TicketFacts | None, desk: Desk) -> datetime | None:
    """The end of the hold on what an agent's mail did; None where there is none."""
    hold = hold_of(desk, ticket) if ticket is not None else desk.undo_hold
    return event.at + hold if hold else None


def _newest(events: Sequence[Event], entries: Mapping[int, Said]) -> Said | None:
    """The last entry that came with these events, for those that are about the whole ticket."""
    ids = [event.entry_id for event in events if event.entry_id in entries]
    return entries[ids[-1] or 0] if ids else None


def _name(event: Event) -> str:
    """What happened, in one word: a call that a rule asks for is told as such."""
    return "rule" if event.kind is EventKind.HOOKED else str(event.kind)


def _body(
    key: str, event: Event, ticket: TicketFacts | None, entry: Said | None, desk: Desk, inside: bool
) -> str:
    body: dict[str, Any] = {
        "id": key,
        "event": event.data.get("event") or _name(event),
        "at": event.at.isoformat(),
        "desk": desk.instance,
        "ticket": _ticket(ticket, inside) if ticket is not None else None,
        "entry": _entry(entry, inside) if entry is not None else None,
    }
    if inside:
        data = {name: value for name, value in event.data.items() if name != "event"}
        body |= {"actor": event.actor, "reason": event.reason, "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=str)


def _ticket(ticket: TicketFacts, inside: bool) -> dict[str, Any]:
    told = {
        "number": ticket.number,
        "subject": ticket.subject,
        "status": ticket.status,
        "department": ticket.department,
        "topic": ticket.topic,
        "priority": ticket.priority,
        "sla_plan": ticket.sla_plan,
        "assignee": ticket.assignee,
        "team": ticket.team,
        "tags": list(ticket.tags),
        "requester": {"address": ticket.requester, "name": ticket.requester_name},
        "created_at": ticket.created_at.isoformat(),
        "closed_at": ticket.closed_at.isoformat() if ticket.closed_at else None,
        "due_at": ticket.due_at.isoformat() if ticket.due_at else None,
        "overdue_since": ticket.overdue_since.isoformat() if ticket.overdue_since else None,
    }
    return told if inside else {name: value for name, value in told.items() if name not in _INSIDE}


def _entry(entry: Said, inside: bool) -> dict[str, Any]:
    """Of an agent's answer customers know the text, not who wrote it."""
    agent = entry.author.startswith("agent:") or entry.author == "system"
    told: dict[str, Any] = {
        "kind": entry.kind,
        "text": entry.text,
        "created_at": entry.created_at.isoformat(),
    }
    if inside:
        return told | {"audience": entry.audience, "author": entry.author, "author_name": entry.author_name}
    return told if agent else told | {"author": entry.author, "author_name": entry.author_name}
