"""What customers are told of by themselves: acknowledgements, and what became of their ticket.

One function per occasion, each from the events of one mail to the template, whom it is for, and what
it needs to say. Nobody is told of what they did themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mailticket.config.desk import Desk
from mailticket.domain.canned import for_rule
from mailticket.domain.notice import GENERATED, REPLIED, Notice
from mailticket.domain.status import FINISHED
from mailticket.domain.types import Audience, Event, EventKind, Quiet, TicketFacts
from mailticket.mail.address import canonical
from mailticket.mail.types import ParsedMail

HELD_BACK = ("ticket.autoresp", "ticket.autoreply", "message.autoresp")
"""Mails that wait `acknowledge_after`: an answer that comes first makes them needless."""
SATISFACTION = "ticket.satisfaction"


@dataclass(frozen=True, slots=True)
class Told:
    """One thing to tell one address. `automatic` as in `Notice`; `wait` before it is sent."""

    template: str
    address: str
    entry: int | None = None
    automatic: str | None = GENERATED
    extra: dict[str, Any] = field(default_factory=dict)
    wait: timedelta = timedelta(0)


def of_new_ticket(
    event: Event, entry: int | None, ticket: TicketFacts, desk: Desk, promise: datetime | None
) -> Told:
    """The acknowledgement of a new ticket; which one, what the event says about how it came to be."""
    extra = _promise(promise)
    if event.data.get("on_behalf"):
        return Told("ticket.notice", ticket.requester, entry, GENERATED, extra)
    wait = desk.acknowledge_after
    if event.data.get("canned") and desk.sends(ticket.department, "ticket.autoreply"):
        text = for_rule(event.data["canned"], ticket, desk)
        if text is not None:
            extra |= {"canned_text": text}
            return Told("ticket.autoreply", ticket.requester, entry, REPLIED, extra, wait)
    if ticket.held_for is not None and desk.sends(ticket.department, "ticket.held"):
        return Told("ticket.held", ticket.requester, entry, REPLIED, {}, wait)
    return Told("ticket.autoresp", ticket.requester, entry, REPLIED, extra, wait)


def of_message(event: Event, desk: Desk, promise: datetime | None) -> Told:
    """The acknowledgement of a further message."""
    wait = desk.acknowledge_after
    return Told("message.autoresp", event.actor, event.entry_id, REPLIED, _promise(promise), wait)


def of_activity(event: Event, ticket: TicketFacts, copied: frozenset[str]) -> Iterator[Told]:
    """The others who take part get to read a message, but for those it went to directly."""
    for address in sorted(ticket.participants - copied - {event.actor}):
        yield Told("ticket.activity.notice", address, event.entry_id)


def of_status(event: Event, events: Sequence[Event], ticket: TicketFacts, desk: Desk) -> Iterator[Told]:
    """The requester hears of the end of a ticket or of its being open again, unless an answer says so."""
    if event.actor == ticket.requester or event.data.get("silent"):
        return
    answered = any(one.kind is EventKind.RESPONSE for one in events)
    if not answered and event.kind in _OF_STATUS:
        yield Told(_OF_STATUS[event.kind], ticket.requester)
    if event.kind in (EventKind.RESOLVED, EventKind.CLOSED) and event.data.get("before") not in FINISHED:
        yield Told(SATISFACTION, ticket.requester, wait=desk.satisfaction_after)


_OF_STATUS = {
    EventKind.RESOLVED: "ticket.resolved",
    EventKind.CLOSED: "ticket.closed",
    EventKind.REOPENED: "ticket.reopened",
}


def of_merge(event: Event) -> Iterator[Told]:
    """Whoever opened the ticket that was merged into this one, and took part in this one before.

    For anybody else the number and the subject of this one are news of somebody else's affairs.
    """
    opened_by, number = event.data.get("requester", ""), event.data.get("from")
    if number and opened_by in event.data.get("tell", ()) and opened_by != event.actor:
        yield Told("ticket.merged", opened_by, extra={"merged_from": number})


def of_waiting(event: Event) -> Iterator[Told]:
    """The mails on hold that somebody gets who has come to the ticket meanwhile, each at its own time.

    waiting: made by store/waiting_mails.py.
    """
    address = event.data.get("added") or event.data["after"]
    for one in event.data["waiting"]:
        wait = datetime.fromisoformat(one["until"]) - event.at
        yield Told(one["template"], address, one["entry"], one["automatic"], one["extra"], wait)


def of_overload(quiet: Quiet, ticket: TicketFacts, desk: Desk) -> Iterator[Notice]:
    """One mail a day to a sender whose mails are kept without acknowledgements."""
    if quiet.about == ticket.requester and desk.sends(ticket.department, "ticket.overlimit"):
        yield notice(
            Told("ticket.overlimit", ticket.requester, automatic=REPLIED),
            ticket, f"{quiet.about}:{quiet.day}", quiet.why, None,
        )  # fmt: skip


def notice(told: Told, ticket: TicketFacts, cause: str, reason: str, at: datetime | None) -> Notice:
    """What is told, as a mail. cause: part of its key; at: when what it tells of happened."""
    return Notice(
        template=told.template,
        audience=Audience.CUSTOMER,
        recipient=told.address,
        recipient_name=ticket.requester_name if told.address == ticket.requester else "",
        identity=told.address,
        ticket_id=ticket.id,
        entry_id=told.entry,
        automatic=told.automatic,
        key=f"{told.template}:{cause}:{ticket.id}:{told.address}",
        reason=reason,
        extra=told.extra,
        not_before=at + told.wait if at is not None and told.wait else None,
    )


def _promise(moment: datetime | None) -> dict[str, Any]:
    return {"promise_date": moment.isoformat()} if moment is not None else {}


def copied_to(mail: ParsedMail) -> frozenset[str]:
    """The canonical addresses a mail itself went to."""
    return frozenset(canonical(one.address) for one in (*mail.to, *mail.cc) if one.address)
