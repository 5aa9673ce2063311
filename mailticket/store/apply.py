"""A decision becomes rows. Runs inside the caller's transaction and returns what happened as events.

Nothing is decided here: every change comes with its reason, and each event keeps it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert
from sqlalchemy.orm import Session

from mailticket.domain.change import (
    AddEntry,
    Brings,
    Change,
    Decision,
    ForwardCopy,
    OpenTicket,
    Rate,
    ReturnToAgent,
)
from mailticket.domain.console_changes import SendStatus
from mailticket.domain.customer_notices import HELD_BACK
from mailticket.domain.decoration import is_logo
from mailticket.domain.people_changes import AskAgent, LearnPerson, SettleAlias
from mailticket.domain.types import Arrival, EntryKind, Event, EventKind, Outcome, Trust
from mailticket.mail.threading import thread_index, thread_topic
from mailticket.mail.types import Attachment, ParsedMail, Reading
from mailticket.store import acknowledgements, aliases, blobs
from mailticket.store.changes import Applied, TicketChanges
from mailticket.store.decoration import times_seen
from mailticket.store.dialect import table_of
from mailticket.store.fulltext import Document, about, put_documents
from mailticket.store.lifecycle_facts import follows
from mailticket.store.models import (
    Entry,
    EntryAttachment,
    MessageRef,
    Participant,
    Ticket,
)
from mailticket.store.numbers import free_number
from mailticket.store.outbox import message_key
from mailticket.store.people import find_or_add_person, learn, reachable_again
from mailticket.store.ratings import own_tickets, rate

# Rows nothing here looks at again are no objects: building a statement costs more than running it, and
# a flush more than both.
_JOIN: Final = insert(table_of(Participant))
_REFER: Final = insert(table_of(MessageRef))


def apply(session: Session, decision: Decision, reading: Reading, arrival: Arrival, now: datetime) -> Applied:
    """Write the changes of `decision` and return the ticket touched and the events, in order.

    What it leaves changed on the ticket goes out with the session's next flush, together with what the
    caller changes. Raises whatever the database raises; the caller's savepoint then undoes all of it.
    """
    work = _Application(session, reading, arrival, now)
    if decision.ticket is not None:
        work.done.ticket = session.get_one(Ticket, decision.ticket)
    for change in decision.changes:
        work.perform(change)
    if decision.outcome is Outcome.AGENT_ACTED or _opened_by_agent(decision):
        work.done.events = [_caused_by(event, arrival.inbound_id) for event in work.done.events]
    return work.done


def _opened_by_agent(decision: Decision) -> bool:
    return any(isinstance(one, OpenTicket) and one.on_behalf is not None for one in decision.changes)


def _caused_by(event: Event, inbound: int) -> Event:
    """What an agent's mail did names the mail, so that it can be taken back (domain/undo.py)."""
    return replace(event, data={**event.data, "mail": inbound})


class _Application(TicketChanges):
    """One decision being applied; `done` fills up as changes are performed."""

    def __init__(self, session: Session, reading: Reading, arrival: Arrival, now: datetime) -> None:
        super().__init__(session, now)
        self.reading = reading
        self.arrival = arrival

    def perform(self, change: Change) -> None:
        match change:
            case OpenTicket():
                self._open(change)
            case AddEntry():
                self._add_entry(change)
            case ReturnToAgent():
                self._return(change)
            case AskAgent():
                self._ask(change)
            case LearnPerson():
                learn(self.session, change)
            case ForwardCopy():
                self._forward(change)
            case SettleAlias():
                aliases.settle(self.session, change.alias, change.confirmed, change.actor, self.now)
            case SendStatus():
                data = {"name": change.name, "tickets": own_tickets(self.session, change.address)}
                sent = Event(EventKind.STATUS_SENT, None, None, change.address, self.now, change.why, data)
                self.done.events.append(sent)
            case Rate():
                rate(self.session, self._ticket(), change, self.now)
                given = {"score": change.score, "commented": bool(change.comment)}
                self._happened(EventKind.RATED, change.address, change.why, given)
            case _:
                super().perform(change)

    def _open(self, change: OpenTicket) -> None:
        person = find_or_add_person(self.session, change.requester, change.requester_name, self.now)
        ticket = Ticket(
            number=free_number(self.session, change.numbers),
            subject=change.subject,
            status="open",
            department=change.department,
            topic=change.topic,
            priority=change.priority,
            sla_plan=change.sla_plan,
            assignee=change.assignee,
            team=change.team,
            requester_id=person,
            requester_address=change.requester,
            requester_name=change.requester_name,
            source=self.arrival.source,
            tags=list(change.tags),
            created_at=self.now,
            updated_at=self.now,
            suspected_ticket_id=change.suspected,
            held=change.held,
            predecessor_id=change.predecessor,
            version=1,
        )
        self.session.add(ticket)
        self.session.flush()
        self.session.connection().execute(
            _JOIN,
            {
                "ticket_id": ticket.id,
                "address": change.requester,
                "person_id": person,
                "role": "requester",
                "added_at": self.now,
                "added_by": change.requester,
            },
        )
        self.done.ticket = ticket
        self._opened(change, ticket)

    def _opened(self, change: OpenTicket, ticket: Ticket) -> None:
        """Say how a ticket came to be, and at the one it points at that it is held."""
        data = {
            "suspected": change.suspected_number,
            "predecessor": change.predecessor,
            "assignee": change.assignee,
            **({"follows": follows(self.session, change.predecessor)} if change.predecessor else {}),
        }
        actor = change.requester
        if change.on_behalf is not None:
            actor, data["on_behalf"] = f"agent:{change.on_behalf}", change.on_behalf
        if change.canned is not None:
            data["canned"] = change.canned
        self._happened(EventKind.CREATED, actor, change.why, data)
        if change.held and change.suspected is not None:
            held = {"held": ticket.number}
            self.done.events.append(
                Event(
                    EventKind.HELD, change.suspected, None, change.requester, self.now,
                    f"a mail that points here is held as #{ticket.number}", held,
                )
            )  # fmt: skip

    def _add_entry(self, change: AddEntry) -> None:
        ticket, mail = self._ticket(), self.reading.mail
        words = change.brings is Brings.WORDS
        message_id = change.original if change.brings is Brings.ORIGINAL else mail.message_id
        entry = Entry(
            ticket_id=ticket.id,
            kind=str(change.kind),
            audience=str(change.audience),
            author=change.author,
            author_name=change.author_name,
            trust=str(change.trust),
            text=change.text,
            full_text=change.full_text,
            html=change.html,
            message_id=(message_id or None) if not words else None,
            content_digest=None if words else self.arrival.content_digest,
            inbound_id=self.arrival.inbound_id,
            reason=change.why,
            created_at=self.now,
        )
        self.session.add(entry)
        self.session.flush()
        for attachment in files_of(mail, change):
            seen = times_seen(self.session, change.author, attachment)
            self.session.add(_attached(self.session, entry, attachment, logo=is_logo(attachment, seen)))
        refs = _references(ticket, entry, mail, change)
        if refs:
            self.session.connection().execute(_REFER, refs)
        self._note_times(ticket, change)
        self.done.entry = entry
        self._make_findable(ticket, entry)
        self._happened(EventKind(str(change.kind)), change.author, change.why, _entry_data(change), entry)

    def _note_times(self, ticket: Ticket, change: AddEntry) -> None:
        """What clocks and lists go by: who has written when."""
        ticket.updated_at = self.now
        if change.kind is EntryKind.MESSAGE:
            if not change.thanks:
                ticket.last_message_at = self.now
            if not change.automatic and change.trust is not Trust.FAILED:
                reachable_again(self.session, change.author)
        elif change.kind is EntryKind.RESPONSE:
            ticket.last_response_at = self.now
            # whoever of the ticket gets it, and whether by way of the desk or straight from the agent
            acknowledgements.cancel(self.session, ticket.id, HELD_BACK, acknowledgements.ANSWERED, self.now)
        elif change.author.startswith("agent:") and not change.automatic:
            ticket.last_note_at = self.now

    def _make_findable(self, ticket: Ticket, entry: Entry) -> None:
        names = [attachment.filename for attachment in self.reading.mail.attachments]
        told = about(entry.author_name, entry.author, names)
        put_documents(self.session, [Document(entry.id, ticket.subject, entry.text, told)])

    def _ask(self, change: AskAgent) -> None:
        alias = aliases.ask(self.session, change, self.arrival.inbound_id, self.now)
        data = {
            "agent": change.agent,
            "alias": alias,
            "address": change.address,
            "text": change.text,
            "subject": change.subject,
        }
        self._happened(EventKind.CHALLENGED, change.address, change.why, data)

    def _forward(self, change: ForwardCopy) -> None:
        mail = self.reading.mail
        data = {
            "to": change.address,
            "inbound": self.arrival.inbound_id,
            "subject": mail.subject,
            "size": mail.size,
        }
        self._happened(EventKind.COPIED, change.actor, change.why, data)

    def _return(self, change: ReturnToAgent) -> None:
        data = {
            "agent": change.agent,
            "template": change.template,
            "problems": [list(problem) for problem in change.problems],
            "text": change.text,
            "subject": change.subject,
            "answers": self.reading.mail.message_id,
        }
        self._happened(EventKind.RETURNED, f"agent:{change.agent}", change.why, data)


def _entry_data(change: AddEntry) -> dict[str, Any]:
    """What the event of an entry tells beside the entry itself."""
    data: dict[str, Any] = {"automatic": True} if change.automatic else {}
    if change.returns_on is not None:
        data["returns_on"] = change.returns_on.isoformat()
    if change.thanks:
        data["thanks"] = change.thanks
    if change.conflict:
        data["conflict"] = list(change.conflict)
    if change.delivered:
        data["delivered"] = list(change.delivered)
    if change.passed_by:
        data["passed_by"] = change.passed_by
    return data


def _attached(session: Session, entry: Entry, attachment: Attachment, *, logo: bool) -> EntryAttachment:
    return EntryAttachment(
        entry_id=entry.id,
        blob=blobs.put(session, attachment.data),
        filename=attachment.filename,
        content_type=attachment.content_type,
        size=attachment.size,
        kind="logo" if logo else attachment.kind,
        inline=attachment.inline,
        content_id=attachment.content_id,
    )


def files_of(mail: ParsedMail, change: AddEntry) -> tuple[Attachment, ...]:
    """The files that belong to an entry: where a mail was passed on as an attachment, those within it."""
    if change.brings is Brings.WORDS:
        return ()
    if change.brings is Brings.WHOLE or mail.forwarded is None or not mail.forwarded.attached:
        return mail.attachments
    return (*mail.forwarded.files, *(one for one in mail.attachments if one.kind != "message"))


def _references(ticket: Ticket, entry: Entry, mail: ParsedMail, change: AddEntry) -> list[dict[str, Any]]:
    """The Message-IDs that stand for the ticket from now on, and in whose conversation each belongs."""
    if change.brings is Brings.WORDS:
        return []
    refs: list[dict[str, Any]] = []
    if mail.message_id:
        own = change.passed_by or change.author
        refs += [_reference(ticket, entry, mail, party) for party in (own, *change.delivered)]
    if change.original and change.brings is Brings.ORIGINAL:
        original = _alias(ticket, entry, change.original, change.author)
        refs.append(original | {"direction": "in"})
    return refs + [_alias(ticket, entry, alias, change.author) for alias in change.aliases]


def _reference(ticket: Ticket, entry: Entry, mail: ParsedMail, party: str) -> dict[str, Any]:
    return {
        "key": message_key(mail.message_id),
        "message_id": mail.message_id,
        "ticket_id": ticket.id,
        "entry_id": entry.id,
        "direction": "in",
        "party": party,
        "thread_index": thread_index(mail),
        "thread_topic": thread_topic(mail),
    }


def _alias(ticket: Ticket, entry: Entry, message_id: str, party: str) -> dict[str, Any]:
    return {
        "key": message_key(message_id),
        "message_id": message_id,
        "ticket_id": ticket.id,
        "entry_id": entry.id,
        "direction": "ref",
        "party": party,
        "thread_index": None,
        "thread_topic": None,
    }
