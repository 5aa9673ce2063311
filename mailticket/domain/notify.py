"""Events to notices: who hears what, in which template. Pure; brakes on automatic mail come after.

Audience is settled here, before anything is rendered: a notice for a customer is planned only from
an event whose entry the customer may see, and nothing internal has a way into it. Each person gets
at most one notice per mail that came in: the most telling one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mailticket.config.desk import Desk
from mailticket.domain import customer_notices
from mailticket.domain.agent_notice import to_agent
from mailticket.domain.alert_switches import Occasion as AlertOf
from mailticket.domain.alert_switches import hearers
from mailticket.domain.answer_notices import answers, brake_alerts
from mailticket.domain.assignment import alerted, listening
from mailticket.domain.lifecycle_notices import follow_up, thanked
from mailticket.domain.notice import GENERATED, Notice
from mailticket.domain.types import Audience, Event, EventKind, Quiet, TicketFacts
from mailticket.domain.undo import hold_of
from mailticket.mail.header_out import mailable

MOST_FORWARDED = 10_000_000
"""Bytes of a mail that is sent along with a copy of it."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What the events of one mail, or one tick, belong to.

    cause        unique name of it ("inbound:17", "sla:4:3"), part of every notice's key
    acknowledge  the decision allows an acknowledgement to the author
    quiet        nobody is told of it but by one alert a day
    promise      when the customer can expect an answer, as far as the plan promises one
    copied       canonical addresses the mail itself went to
    """

    cause: str
    acknowledge: bool
    quiet: Quiet | None = None
    promise: datetime | None = None
    copied: frozenset[str] = frozenset()


def plan(
    events: Sequence[Event], ticket: TicketFacts | None, desk: Desk, occasion: Occasion
) -> tuple[Notice, ...]:
    """The notices these events call for, the most telling one per recipient.

    ticket: as it is after the events; None when the mail belongs to none.
    """
    if occasion.quiet is not None:
        if ticket is None:
            return ()
        overload = customer_notices.of_overload(occasion.quiet, ticket, desk)
        return (*brake_alerts(occasion.quiet, ticket, desk), *overload)
    notices: dict[tuple[str, str], Notice] = {}
    for event in sorted(events, key=_weight):
        for notice in _notices(event, events, ticket, desk, occasion):
            if ticket is None or desk.sends(ticket.department, notice.template):
                notices.setdefault(_about(notice, event), _dated(notice, event, ticket, desk))
    return tuple(notices.values())


def _about(notice: Notice, event: Event) -> tuple[str, str]:
    """What a notice tells whom: of equal ones the first goes. Each answer that waited is news by itself."""
    if notice.template == customer_notices.SATISFACTION:
        return notice.identity, notice.template
    if "waiting" in event.data and notice.audience is Audience.CUSTOMER:
        return notice.identity, f"{notice.template}:{notice.entry_id}"
    return notice.identity, ""


_AGENTS_WORDS = (EventKind.NOTE, EventKind.RESPONSE)
_WEIGHT = {
    EventKind.RETURNED: 0,
    EventKind.TRANSFERRED: 1,
    EventKind.ASSIGNED: 2,
    EventKind.CREATED: 3,
    EventKind.REFERRED: 4,
}


def _dated(notice: Notice, event: Event, ticket: TicketFacts | None, desk: Desk) -> Notice:
    """The notice with when it goes, and whether somebody here decided what it tells."""
    held = _on_hold(notice, event, ticket, desk)
    return replace(held, decided=True) if event.actor.startswith("agent:") else held


def _on_hold(notice: Notice, event: Event, ticket: TicketFacts | None, desk: Desk) -> Notice:
    """What an agent's mail causes for customers waits, so that it can be taken back."""
    if ticket is None or notice.audience is not Audience.CUSTOMER or event.data.get("mail") is None:
        return notice
    hold = hold_of(desk, ticket)
    over = event.at + hold
    if not hold or (notice.not_before is not None and notice.not_before > over):
        return notice
    return replace(notice, not_before=over)


def _weight(event: Event) -> int:
    return _WEIGHT.get(event.kind, 5)


def _notices(
    event: Event, events: Sequence[Event], ticket: TicketFacts | None, desk: Desk, occasion: Occasion
) -> Iterator[Notice]:
    yield from answers(event, ticket, desk, occasion.cause)
    if ticket is None or event.ticket_id != ticket.id or event.data.get("automatic"):
        return
    plan_one = _Planner(event, events, ticket, desk, occasion)
    match event.kind:
        case EventKind.CREATED:
            yield from plan_one.created()
        case EventKind.MESSAGE:
            yield from plan_one.message()
        case EventKind.RESPONSE:
            yield from plan_one.response()
        case EventKind.NOTE:
            yield from plan_one.note()
        case EventKind.ASSIGNED:
            yield from plan_one.assigned()
        case EventKind.TRANSFERRED:
            yield from plan_one.transferred()
        case EventKind.APPROVED | EventKind.MOVED:
            yield from plan_one.joined()
        case EventKind.DENIED:
            yield from plan_one.denied()
        case EventKind.BOUNCED:
            yield from plan_one.bounced()
        case EventKind.REFERRED if "department" in event.data:
            yield from plan_one.referred()
        case EventKind.COPIED:
            yield plan_one.copied()
        case EventKind.RESOLVED | EventKind.CLOSED | EventKind.REOPENED:
            yield from plan_one.status()
        case EventKind.MERGED:
            yield from plan_one.merged()
        case EventKind.COLLAB | EventKind.EDITED if event.data.get("waiting"):
            yield from plan_one.joins()
        case _:
            return


class _Planner:
    """The notices of one event."""

    def __init__(
        self, event: Event, events: Sequence[Event], ticket: TicketFacts, desk: Desk, occasion: Occasion
    ) -> None:
        self.event = event
        self.events = events
        self.ticket = ticket
        self.desk = desk
        self.occasion = occasion

    def created(self) -> Iterator[Notice]:
        entry = self._entry_of(EventKind.MESSAGE) or self._entry_of(EventKind.MOVED) or self._said()
        extra = {"suspected": self.event.data.get("suspected") or ""} | self._beside(entry)
        extra |= follow_up(self.event, self.desk)
        if self.ticket.held_for is not None:
            yield from self._held(entry, self.ticket.held_for)
        else:
            # whoever opens a ticket for somebody else gets it too: it tells its number, and how to answer
            behalf = self.event.data.get("on_behalf")
            concerned = (*self._hearing("new_ticket"), *((behalf,) if behalf else ()))
            yield from self._agents(concerned, "ticket.alert", entry, extra, by_all=behalf is not None)
        if self.occasion.acknowledge:
            promise = self._promise()
            yield self._told(
                customer_notices.of_new_ticket(self.event, entry, self.ticket, self.desk, promise)
            )

    def message(self) -> Iterator[Notice]:
        if self._happened(EventKind.CREATED):
            return
        if self.ticket.held_for is not None:
            yield from self._held(self.event.entry_id, self.ticket.held_for)
        else:
            extra = self._beside(self.event.entry_id) | thanked(self.event, self.ticket, self.desk)
            yield from self._agents(self._hearing("new_message"), "message.alert", self.event.entry_id, extra)
            for told in customer_notices.of_activity(self.event, self.ticket, self.occasion.copied):
                yield self._told(told)
        if self.occasion.acknowledge:
            yield self._told(customer_notices.of_message(self.event, self.desk, self._promise()))

    def status(self) -> Iterator[Notice]:
        for told in customer_notices.of_status(self.event, self.events, self.ticket, self.desk):
            yield self._told(told)

    def merged(self) -> Iterator[Notice]:
        for told in customer_notices.of_merge(self.event):
            yield self._told(told)

    def joins(self) -> Iterator[Notice]:
        """What waits when somebody joins, or becomes the requester, is for them too."""
        for told in customer_notices.of_waiting(self.event):
            planned = self._told(told)
            yield replace(planned, key=f"{planned.key}:{told.entry}")

    def response(self) -> Iterator[Notice]:
        """The answer to everybody who takes part and does not have it already."""
        for address in sorted(self.ticket.participants - set(self.event.data.get("delivered", ()))):
            yield self._told(customer_notices.Told("ticket.reply", address, self.event.entry_id, None))
        others = () if self.ticket.assignee is None else (self.ticket.assignee,)
        yield from self._agents(others, "note.alert", self.event.entry_id)

    def note(self) -> Iterator[Notice]:
        # a customer's words beside a rating are kept inside too, and are no colleague's note
        theirs = {} if self.event.actor.startswith("agent:") else {"notice": self.event.reason}
        yield from self._agents(self._hearing("note"), "note.alert", self.event.entry_id, theirs)

    def joined(self) -> Iterator[Notice]:
        """A message that came from another ticket; who decided it hears of it too, and so of its place."""
        if self.event.entry_id is not None:
            yield from self._agents(self._concerned(), "message.alert", self.event.entry_id, by_all=True)

    def referred(self) -> Iterator[Notice]:
        """A department that gets to see the ticket; of one opened just now the alert about that tells."""
        keys = alerted(self.desk, self.event.data["department"]).agents
        about = self.desk.departments[self.event.data["department"]].name
        extra = {"by": self._by(), "about": about}
        yield from self._agents(keys, "referral.alert", self._said(), extra)

    def denied(self) -> Iterator[Notice]:
        yield from self._agents(self._concerned(), "ticket.alert", self.event.entry_id, by_all=True)

    def _held(self, entry: int | None, target: TicketFacts) -> Iterator[Notice]:
        """One short mail to whoever decides: the requester where that is the policy, else the owner.

        Whoever calls themselves the requester is not asked about themselves.
        """
        stranger = self.ticket.requester != target.requester
        if self.desk.held_asks == "requester" and stranger and mailable(target.requester):
            yield self._asked(target)
            return
        owner = alerted(self.desk, target.department, target.assignee, target.team).agents
        yield from self._agents(owner, "held.alert", entry, {"suspected": target.number}, by_all=True)

    def _asked(self, target: TicketFacts) -> Notice:
        """The question to the customer: no address, no word of the stranger, only their domain."""
        return Notice(
            template="held.ask",
            audience=Audience.CUSTOMER,
            recipient=target.requester,
            recipient_name=target.requester_name,
            identity=target.requester,
            ticket_id=target.id,
            entry_id=None,
            automatic=GENERATED,
            key=f"held.ask:{self.occasion.cause}:{self.ticket.id}",
            reason=f"a reply held as #{self.ticket.number} may belong to your ticket",
            extra={"held_from": self.ticket.requester.rpartition("@")[2]},
            asked=self.ticket.id,
        )

    def assigned(self) -> Iterator[Notice]:
        if self.event.data["field"] == "team":
            team = self.desk.teams.get(self.event.data["after"])
            members: tuple[str, ...] = listening(team) if team else ()
        else:
            members = (self.event.data["after"],)
        told = hearers("assignment", members, self.ticket, self.desk)
        yield from self._agents(told, "assigned.alert", self._said(), {"by": self._by()})

    def transferred(self) -> Iterator[Notice]:
        extra = {"from_department": self.event.data["before"], "by": self._by()}
        yield from self._agents(self._hearing("transfer"), "transfer.alert", self._said(), extra)

    def bounced(self) -> Iterator[Notice]:
        """Whoever wrote what did not arrive is told, and whoever has the ticket now."""
        if not self.event.data["permanent"] or self.event.data["template"] != "ticket.reply":
            return
        author = (self.event.data["author"] or "").removeprefix("agent:")
        entry, reason = self.event.data["entry"], self.event.reason
        extra = {"notice": reason, "about": self.event.data["address"] if self.event.data["dead"] else ""}
        if author not in self.desk.agents:
            yield from self._agents(self._concerned(), "bounce.alert", entry, extra)
            return
        yours = extra | {"notice": f"your {reason.removeprefix('the ')}"}
        yield from self._agents((author,), "bounce.alert", entry, yours)
        if self.ticket.assignee not in (None, author):
            yield from self._agents((self.ticket.assignee or "",), "bounce.alert", entry, extra)

    def _concerned(self) -> tuple[str, ...]:
        """The agents who hear of the ticket: never nobody while the desk has anybody."""
        own = alerted(self.desk, self.ticket.department, self.ticket.assignee, self.ticket.team).agents
        known = [one for one in self.ticket.referred if one in self.desk.departments]
        return (*own, *(agent for one in known for agent in alerted(self.desk, one).agents))

    def _hearing(self, what: AlertOf) -> tuple[str, ...]:
        """The agents who hear of this, as the department says; usually those it concerns."""
        return hearers(what, self._concerned(), self.ticket, self.desk)

    def _promise(self) -> datetime | None:
        told = self.desk.home_of(self.ticket.department).tell_promise
        return self.occasion.promise if told else None

    def _told(self, told: customer_notices.Told) -> Notice:
        return customer_notices.notice(
            told, self.ticket, self.occasion.cause, self.event.reason, self.event.at
        )

    def _by(self) -> str:
        """The name of the agent who did it, "" for the desk itself."""
        agent = self.desk.agents.get(self.event.actor.removeprefix("agent:"))
        return agent.name if agent is not None else ""

    def _beside(self, entry: int | None) -> dict[str, Any]:
        """What an agent wrote beside a customer's mail that they passed on."""
        said = self._said()
        return {"beside": said, "by": self._writer()} if said is not None and said != entry else {}

    def _writer(self) -> str:
        actor = next((one.actor for one in self.events if one.kind in _AGENTS_WORDS), "")
        agent = self.desk.agents.get(actor.removeprefix("agent:"))
        return agent.name if agent is not None else ""

    def _said(self) -> int | None:
        """The entry that came with a change: the note or answer an agent wrote beside it."""
        return self._entry_of(EventKind.NOTE) or self._entry_of(EventKind.RESPONSE)

    def _entry_of(self, kind: EventKind) -> int | None:
        return next((event.entry_id for event in self.events if event.kind is kind), None)

    def _happened(self, kind: EventKind) -> bool:
        return any(event.kind is kind for event in self.events)

    def _agents(
        self,
        keys: Iterable[str],
        template: str,
        entry: int | None,
        extra: dict[str, Any] | None = None,
        *,
        by_all: bool = False,
    ) -> Iterator[Notice]:
        """One alert to each of these agents, `by_all` even to the one who did it."""
        for key in dict.fromkeys(keys):
            if key not in self.desk.agents or (self.event.actor == f"agent:{key}" and not by_all):
                continue
            yield to_agent(
                self.desk,
                key,
                template,
                f"{self.occasion.cause}:{self.ticket.id}",
                reason=self.event.reason,
                extra=extra or {},
                ticket=self.ticket.id,
                entry=entry,
                by="" if by_all else self.event.actor,
            )

    def copied(self) -> Notice:
        """The mail at hand, for somebody a rule names: with no word of the ticket, and no way into it."""
        data, identity = self.event.data, f"address:{self.event.data['to']}"
        fits = data["size"] <= MOST_FORWARDED
        notice = "" if fits else f"It is too large to be sent along: {data['size'] // 1_000_000} MB."
        return Notice(
            template="ticket.forward",
            audience=Audience.INTERNAL,
            recipient=data["to"],
            recipient_name="",
            identity=identity,
            ticket_id=self.ticket.id,
            entry_id=None,
            automatic=GENERATED,
            key=f"ticket.forward:{self.occasion.cause}:{self.ticket.id}:{identity}",
            reason=self.event.reason,
            extra={
                "subject": data["subject"],
                "notice": notice,
                "inbound": data["inbound"] if fits else None,
            },
        )
