"""A notice gets all that must never change again: Message-ID, reply token, envelope sender, snapshot."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from mailticket.config.desk import Department, Desk
from mailticket.domain.customer_notices import HELD_BACK
from mailticket.domain.customer_taps import customer_taps
from mailticket.domain.notice import Notice
from mailticket.domain.person import language_for
from mailticket.domain.taps import taps_of
from mailticket.domain.types import Audience, TicketFacts
from mailticket.mail.threading import Conversation
from mailticket.mail.token import Role, message_id, mint, reply_address
from mailticket.store.outbox import OutgoingMail
from mailticket.store.people import Contact
from mailticket.work.links import action_links


@dataclass(frozen=True, slots=True)
class MailDraft:
    """A notice and all that its mail is made of.

    shown    the ticket it tells of; None where it tells of none
    ticket   the one its answers are for, which whoever is asked about a held reply does not know
    talk     what its reader has seen and written about the ticket so far
    contact  what is remembered of a reader outside
    """

    notice: Notice
    shown: TicketFacts | None
    ticket: TicketFacts | None
    desk: Desk
    secret: bytes
    talk: Conversation
    contact: Contact | None
    now: datetime

    def mail(self) -> OutgoingMail:
        """The mail, as it goes into the outbox."""
        notice = self.notice
        department = self.desk.home_of(self.shown.department if self.shown else self.desk.default_department)
        token = self._token()
        own_id = message_id(token, _serial(notice.key), department.address.rpartition("@")[2])
        return OutgoingMail(
            key=notice.key,
            template=notice.template,
            audience=str(notice.audience),
            recipient=notice.recipient,
            recipient_name=notice.recipient_name,
            envelope_from=self._envelope_from(department),
            message_id=own_id,
            context=self._context(department, token, own_id),
            reason=notice.reason,
            ticket_id=self.shown.id if self.shown else None,
            entry_id=notice.entry_id,
            not_before=notice.not_before,
        )

    def _token(self) -> str:
        """What an answer may do: act as an agent, write as a customer, or only answer a question."""
        notice, extra = self.notice, self.notice.extra
        if extra.get("issue"):
            return mint(self.secret, Role.LISTING, extra["issue"], 0, notice.identity)
        if extra.get("alias") is not None:
            return mint(self.secret, Role.CHALLENGE, extra["alias"], 0, notice.identity)
        role = Role.AGENT if notice.identity.startswith("agent:") else Role.CUSTOMER
        if notice.asked is not None:
            role = Role.QUESTION
        return mint(self.secret, role, self._ticket_id, self._entry_id, notice.identity)

    @property
    def _ticket_id(self) -> int:
        return self.ticket.id if self.ticket else 0

    @property
    def _entry_id(self) -> int:
        return self.notice.seen or self.notice.entry_id or 0

    def _can_be_answered(self) -> bool:
        """Whether an answer has a place; a mere address that an SLA plan names cannot act on the ticket."""
        notice = self.notice
        about = self.ticket or notice.extra.get("alias") is not None or notice.extra.get("issue")
        return bool(about) and not notice.identity.startswith("address:")

    def _envelope_from(self, department: Department) -> str:
        if self.notice.automatic is not None:
            return ""
        verp = mint(self.secret, Role.BOUNCE, self._ticket_id, self._entry_id, self.notice.recipient)
        return reply_address(department.address, verp)

    def _context(self, department: Department, token: str, own_id: str) -> dict[str, Any]:
        """What its template needs; JSON values only."""
        notice, contact = self.notice, self.contact
        context: dict[str, Any] = {
            "sender_name": self.desk.name if notice.audience is Audience.INTERNAL else department.name,
            "sender_address": department.address,
            "references": self._references(),
            "thread": self.talk.outlook(own_id, self.now) if self.shown else None,
            "token": token if self._can_be_answered() else None,
            "automatic": notice.automatic,
            "extra": notice.extra,
            "reason": notice.reason,
            "ticket": _snapshot(self.shown) if self.shown else None,
            "language": _language(notice, department.key, self.desk, contact),
            "held_back": notice.not_before is not None and notice.template in HELD_BACK,
            "utc_offset": contact.person.utc_offset if contact is not None else None,
        }
        if notice.files:
            context["files"] = [asdict(file) for file in notice.files]
        actions = self._actions(department, context["language"])
        if actions:
            context["actions"] = actions
        return context

    def _references(self) -> list[str]:
        """What it answers: its reader's conversation, and the mail of theirs that it is about."""
        answered = self.notice.extra.get("answers")
        known = self.talk.references()
        return [*known, answered] if answered and answered not in known else known

    def _actions(self, department: Department, language: str) -> list[dict[str, str]]:
        """What its reader can ask for by one tap."""
        notice, ticket = self.notice, self.ticket
        taps = taps_of(notice, ticket, self.desk)
        if not taps and ticket is not None and notice.audience is Audience.CUSTOMER:
            taps = customer_taps(notice.template, ticket, language)
        if not taps or ticket is None:
            return []
        return action_links(taps, notice.identity, ticket, department.address, self.secret, self.now)


def _language(notice: Notice, department: str, desk: Desk, contact: Contact | None) -> str:
    if notice.audience is Audience.CUSTOMER:
        return language_for(contact.person if contact is not None else None, department, desk)
    agent = desk.agents.get(notice.identity.removeprefix("agent:"))
    return (agent.language if agent is not None else None) or desk.language


def _snapshot(ticket: TicketFacts) -> dict[str, Any]:
    """The ticket as it is now, so that a mail sent later tells the moment it is about."""
    return {
        "id": ticket.id,
        "number": ticket.number,
        "subject": ticket.subject,
        "status": ticket.status,
        "custom_status": ticket.custom_status,
        "fields": dict(ticket.fields),
        "department": ticket.department,
        "topic": ticket.topic,
        "priority": ticket.priority,
        "sla_plan": ticket.sla_plan,
        "assignee": ticket.assignee,
        "team": ticket.team,
        "requester": ticket.requester,
        "requester_name": ticket.requester_name,
        "created_at": ticket.created_at.isoformat(),
        "due_at": ticket.due_at.isoformat() if ticket.due_at else None,
        "overdue_since": ticket.overdue_since.isoformat() if ticket.overdue_since else None,
        "closed_at": ticket.closed_at.isoformat() if ticket.closed_at else None,
    }


def _serial(key: str) -> str:
    """A short name that follows from the notice, so that planning it again gives the same Message-ID."""
    return base64.b32encode(hashlib.sha256(key.encode()).digest()[:10]).decode("ascii").lower()
