"""What can be changed on a ticket without a mail at hand: fields, tags, people, and where entries are.

Each change comes with its reason and becomes an event that keeps it. Runs in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from mailticket.domain.absence import Source
from mailticket.domain.change import (
    Acknowledge,
    AddParticipant,
    CallWebhook,
    Change,
    Merge,
    MoveEntry,
    NoteBounce,
    Release,
    RemoveParticipant,
    SetDue,
    SetField,
    SetReminder,
    SetRequester,
    SetWake,
    SpendTime,
    Tag,
)
from mailticket.domain.people_changes import AddBan, EndAbsence, SetAbsence, TakeTurn
from mailticket.domain.requests import HoldAnswer, SettleAnswer, Withdraw
from mailticket.domain.status import FINISHED
from mailticket.domain.tie_changes import Link, Refer, SetCustomField, Unlink, Unrefer
from mailticket.domain.types import Event, EventKind
from mailticket.store import absences, links, waiting_mails
from mailticket.store.bans import add_ban
from mailticket.store.event_log import record
from mailticket.store.fulltext import index_ticket
from mailticket.store.later import set_reminder, set_wake
from mailticket.store.merge import final_ticket, merge, move_entry, newest_message
from mailticket.store.models import Entry, Participant, Ticket
from mailticket.store.people import (
    add_participant,
    change_requester,
    find_or_add_person,
    name_of,
    note_unreachable,
    remove_participant,
)
from mailticket.store.stale import hold, settle
from mailticket.store.undo import undone_data, withdraw
from mailticket.store.workload import take_turn

__all__ = ["Applied", "TicketChanges", "apply_changes", "change_field", "record"]


@dataclass(slots=True)
class Applied:
    """What applying a decision did: the ticket it was about, and the events in order."""

    ticket: Ticket | None = None
    entry: Entry | None = None
    events: list[Event] = field(default_factory=list)


def apply_changes(session: Session, ticket: Ticket, changes: Iterable[Change], now: datetime) -> Applied:
    """Apply what was decided otherwise than by mail; returns the ticket it ends at, and the events."""
    work = TicketChanges(session, now)
    work.done.ticket = ticket
    for change in changes:
        work.perform(change)
    session.flush()
    return work.done


def change_field(session: Session, ticket: Ticket, change: SetField, now: datetime) -> Event | None:
    """Give one field of a ticket a new value; None when it already had it."""
    before = getattr(ticket, change.name)
    if change.name == "status":
        custom, ticket.custom_status = ticket.custom_status, change.custom
        if before == change.value and custom != change.custom:
            return _renamed(ticket, change, custom, now)
    if before == change.value:
        return None
    setattr(ticket, change.name, change.value)
    ticket.updated_at = now
    ticket.version += 1
    if change.name == "subject":
        index_ticket(session, ticket.id)
    if change.name == "status":
        ticket.closed_at = now if change.value in FINISHED else None
        if change.value in FINISHED and before not in FINISHED:
            links.wake_those_waiting(session, ticket.id, now)
    data: dict[str, Any] = {"field": change.name, "before": before, "after": change.value}
    if change.silent:
        data["silent"] = True
    if change.custom is not None:
        data["custom"] = change.custom
    if change.name == "status" and custom is not None:
        data["custom_before"] = custom
    return Event(_event_kind(change, before), ticket.id, None, change.actor, now, change.why, data)


def _renamed(ticket: Ticket, change: SetField, before: str | None, now: datetime) -> Event:
    """Another status of the house's own in the same state: nothing to clocks and follow-ups."""
    ticket.updated_at = now
    ticket.version += 1
    data = {"field": "custom_status", "before": before, "after": change.custom}
    return Event(EventKind.STATUS, ticket.id, None, change.actor, now, change.why, data)


def _event_kind(change: SetField, before: str | None) -> EventKind:
    if change.name == "department":
        return EventKind.TRANSFERRED
    if change.name in ("assignee", "team"):
        return EventKind.ASSIGNED if change.value is not None else EventKind.RELEASED
    if change.name != "status":
        return EventKind.EDITED
    if change.value in ("closed", "resolved"):
        return EventKind(change.value)
    return EventKind.REOPENED if before in ("closed", "resolved") else EventKind.STATUS


class TicketChanges:
    """Changes being applied; `done` fills up as they are performed."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.now = now
        self.done = Applied()

    def perform(self, change: Change) -> None:
        """Apply one change to the ticket in `done`. TypeError for one that needs a mail."""
        match change:
            case SetField():
                self._set_field(change)
            case SetCustomField():
                self._set_custom_field(change)
            case Tag():
                self._tag(change)
            case AddParticipant():
                self._add_participant(change)
            case RemoveParticipant():
                self._remove_participant(change)
            case Merge():
                self._merge(change)
            case Release():
                self._release(change)
            case MoveEntry():
                self._move(change)
            case SetDue():
                self._set_due(change)
            case NoteBounce():
                self._note_bounce(change)
            case CallWebhook():
                self._happened(EventKind.HOOKED, change.actor, change.why, {"webhook": change.webhook})
            case Refer() | Unrefer():
                self._refer(change)
            case Link() | Unlink():
                self._link(change)
            case HoldAnswer():
                data = hold(self.session, change, self.now)
                self._happened(EventKind.STALE, f"agent:{change.agent}", change.why, data)
            case SettleAnswer():
                settle(self.session, change, self.now)
                self._happened(EventKind.EDITED, change.actor, change.why, {"answer": change.inbound})
            case Withdraw():
                withdraw(self.session, self._ticket(), change, self.now)
                self._happened(EventKind.UNDONE, change.actor, change.why, undone_data(change))
            case Acknowledge():
                self._happened(EventKind.ACKNOWLEDGED, change.actor, change.why, {})
            case SetWake():
                self._log(set_wake(self.session, self._ticket(), change, self.now))
            case SetReminder():
                self._log(set_reminder(self.session, self._ticket(), change, self.now))
            case SpendTime():
                self._spend(change)
            case SetRequester():
                self._set_requester(change)
            case AddBan():
                add_ban(self.session, change.pattern, "reject", change.reason, self.now, None)
                data = {"pattern": change.pattern, "reason": change.reason}
                self._happened(EventKind.BANNED, change.actor, change.why, data)
            case TakeTurn():
                take_turn(self.session, change.pool, change.agent, self.now)
            case SetAbsence() | EndAbsence():
                self._absence(change)
            case _:
                raise TypeError(f"{type(change).__name__} needs the mail it comes from")

    def _happened(
        self, kind: EventKind, actor: str, reason: str, data: dict[str, Any], entry: Entry | None = None
    ) -> None:
        ticket = self.done.ticket
        self.done.events.append(
            Event(
                kind,
                ticket.id if ticket else None,
                entry.id if entry else None,
                actor,
                self.now,
                reason,
                data,
            )
        )

    def _absence(self, change: SetAbsence | EndAbsence) -> None:
        """An agent goes or comes; belongs to no ticket, whichever alert was answered."""
        kind, data = EventKind.BACK, {"agent": change.agent, "until": None, "deputy": None, "source": None}
        if isinstance(change, SetAbsence):
            absences.begin(self.session, change, self.now)
            until = change.until.isoformat() if change.until is not None else None
            kind = EventKind.AWAY
            data |= {"until": until, "deputy": change.deputy, "source": change.source}
        else:
            ended = absences.finish(self.session, change, self.now)
            if ended is not None and ended.source is Source.AUTO_REPLY and ended.until is not None:
                data["learnt"] = ended.until.isoformat()
        self.done.events.append(Event(kind, None, None, change.actor, self.now, change.why, data))

    def _ticket(self) -> Ticket:
        if self.done.ticket is None:
            raise ValueError("a decision changes a ticket but names none")
        return self.done.ticket

    def _note_bounce(self, change: NoteBounce) -> None:
        if change.dead:
            note_unreachable(self.session, change.address, self.now)
        data = {
            "address": change.address,
            "status": change.status,
            "diagnostic": change.diagnostic,
            "permanent": change.permanent,
            "dead": change.dead,
            "template": change.outgoing.template,
            "entry": change.outgoing.entry_id,
            "author": change.outgoing.author,
        }
        self._happened(EventKind.BOUNCED, "system", change.why, data)

    def _set_field(self, change: SetField) -> None:
        self._log(change_field(self.session, self._ticket(), change, self.now))

    def _log(self, event: Event | None) -> None:
        if event is not None:
            self.done.events.append(event)

    def _spend(self, change: SpendTime) -> None:
        ticket = self._ticket()
        before = ticket.minutes_spent or 0
        ticket.minutes_spent = max(0, before + change.minutes)
        data = {
            "field": "minutes_spent",
            "before": before,
            "after": ticket.minutes_spent,
            "minutes": ticket.minutes_spent - before,
            "text": change.text,
        }
        self._happened(EventKind.TIME, change.actor, change.why, data)

    def _set_requester(self, change: SetRequester) -> None:
        ticket, session, new = self._ticket(), self.session, change.address
        before = ticket.requester_address
        if before == new:
            return
        person = find_or_add_person(session, new, "", self.now)
        present = session.get(Participant, (ticket.id, new)) is not None
        leaves = not change.keep
        waiting = waiting_mails.mails_of(session, ticket.id, before, new, self.now, leaves=leaves)
        change_requester(session, ticket.id, before, new, person, change.actor, self.now, keep=change.keep)
        if leaves:
            waiting_mails.stop(session, ticket.id, before, self.now)
        ticket.requester_id, ticket.requester_address = person, new
        ticket.requester_name = name_of(session, person)
        ticket.version += 1
        data: dict[str, Any] = {"field": "requester", "before": before, "after": new, "kept": change.keep}
        data |= {"present": True} if present else {}
        data |= {"waiting": waiting} if waiting else {}
        self._happened(EventKind.EDITED, change.actor, change.why, data)

    def _set_custom_field(self, change: SetCustomField) -> None:
        ticket = self._ticket()
        before = ticket.fields.get(change.key)
        if before == change.value:
            return
        others = {key: value for key, value in ticket.fields.items() if key != change.key}
        ticket.fields = others if change.value is None else {**others, change.key: change.value}
        ticket.updated_at = self.now
        ticket.version += 1
        data = {"field": f"field:{change.key}", "before": before, "after": change.value}
        self._happened(EventKind.EDITED, change.actor, change.why, data)

    def _set_due(self, change: SetDue) -> None:
        data = {
            "field": "due",
            "due": change.due.isoformat() if change.due is not None else None,
            "after_seconds": change.after.total_seconds() if change.after is not None else None,
        }
        self._happened(EventKind.EDITED, change.actor, change.why, data)

    def _tag(self, change: Tag) -> None:
        ticket = self._ticket()
        if (change.tag in ticket.tags) == change.add:
            return
        tags = [tag for tag in ticket.tags if tag != change.tag]
        ticket.tags = [*tags, change.tag] if change.add else tags
        self._happened(EventKind.EDITED, change.actor, change.why, {"tag": change.tag, "added": change.add})

    def _add_participant(self, change: AddParticipant) -> None:
        person = find_or_add_person(self.session, change.address, change.name, self.now)
        ticket = self._ticket().id
        if add_participant(self.session, ticket, change.address, person, change.actor, self.now):
            data: dict[str, Any] = {"added": change.address}
            waiting = waiting_mails.answers_for(self.session, ticket, change.address, self.now)
            self._happened(
                EventKind.COLLAB, change.actor, change.why, data | ({"waiting": waiting} if waiting else {})
            )

    def _remove_participant(self, change: RemoveParticipant) -> None:
        if remove_participant(self.session, self._ticket().id, change.address):
            waiting_mails.stop(self.session, self._ticket().id, change.address, self.now)
            self._happened(EventKind.COLLAB, change.actor, change.why, {"removed": change.address})

    def _merge(self, change: Merge) -> None:
        source = self.session.get_one(Ticket, change.source)
        target = final_ticket(self.session, self.session.get_one(Ticket, change.ticket))
        assert target is not None  # merges point at tickets that are there
        self.done.events += merge(
            self.session,
            source,
            target,
            actor=change.actor,
            why=change.why,
            now=self.now,
            approved=change.approved,
        )
        self.done.ticket = target

    def _refer(self, change: Refer | Unrefer) -> None:
        ticket = self._ticket()
        if isinstance(change, Refer):
            done = links.refer(self.session, ticket.id, change.department, change.actor, self.now)
            data = {"department": change.department}
        else:
            done = links.unrefer(self.session, ticket.id, change.department)
            data = {"no_more": change.department}
        if done:
            self._happened(EventKind.REFERRED, change.actor, change.why, data)

    def _link(self, change: Link | Unlink) -> None:
        ticket, other = self._ticket(), self.session.get_one(Ticket, change.other)
        blocks = isinstance(change, Link) and change.blocks
        if isinstance(change, Link):
            kind = EventKind.LINKED
            done = links.tie(self.session, ticket.id, other.id, change.actor, self.now, blocks=blocks)
        else:
            kind = EventKind.UNLINKED
            done = links.untie(self.session, ticket.id, other.id, self.now)
        if done:
            self._happened(kind, change.actor, change.why, {"with": other.number, "waits": blocks})
            there = {"with": ticket.number}
            self.done.events.append(Event(kind, other.id, None, change.actor, self.now, change.why, there))

    def _release(self, change: Release) -> None:
        ticket = self._ticket()
        ticket.held = False
        ticket.version += 1
        newest = newest_message(self.session, ticket.id)
        entry = self.session.get(Entry, newest) if newest else None
        self._happened(EventKind.DENIED, change.actor, change.why, {}, entry)

    def _move(self, change: MoveEntry) -> None:
        target = self.session.get_one(Ticket, change.target) if change.target is not None else None
        self.done.ticket, events = move_entry(
            self.session,
            self._ticket(),
            change.entry,
            target,
            actor=change.actor,
            why=change.why,
            now=self.now,
            subject=change.subject,
            numbers=change.numbers,
        )
        self.done.events += events
