"""Notices become rows of the outbox, in the transaction that caused them.

Here a planned mail gets all that must never change again: its Message-ID, its reply token, its
envelope sender, and what it answers in its recipient's own conversation.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, func, insert, literal_column, select
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.answer_notices import brake_alerts
from mailticket.domain.brakes import Braked, Planned, check, what_is_braked
from mailticket.domain.customer_notices import HELD_BACK
from mailticket.domain.customer_taps import customer_taps
from mailticket.domain.notice import Notice
from mailticket.domain.person import language_for
from mailticket.domain.standing_in import handed_on, is_work
from mailticket.domain.taps import taps_of
from mailticket.domain.types import Audience, Quiet, TicketFacts
from mailticket.mail.header_out import mailable
from mailticket.mail.threading import Conversation
from mailticket.mail.token import Role, message_id, mint, reply_address
from mailticket.store.absences import presence
from mailticket.store.autocounts import count_automatic, note_automatic
from mailticket.store.dialect import table_of
from mailticket.store.models import MessageRef, Outbox
from mailticket.store.newcomers import newcomers
from mailticket.store.outbox import OutboxState, OutgoingMail, enqueue_all, message_key, planned_keys
from mailticket.store.people import Contact, contacts
from mailticket.work.links import action_links

RETURNED_TO_AGENTS = ("agent.refused", "agent.challenge")
"""What mail of unproven senders makes us send to agents."""

# Statements of the hot path are built once: building one costs more than running it.
_REF: Final = table_of(MessageRef).c
_REFER: Final = insert(table_of(MessageRef))
_TALKS: Final = (
    select(_REF.ticket_id, _REF.party, _REF.message_id, _REF.thread_index, _REF.thread_topic)
    .where(
        _REF.ticket_id.in_(bindparam("tickets", expanding=True)),
        _REF.party.in_(bindparam("parties", expanding=True)),
        _REF.direction != literal_column("'ref'"),
    )
    .order_by(_REF.id)
)
_RETURNS_WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Announced:
    """What was queued, and what the brakes on automatic mail stopped, in words."""

    queued: int
    braked: tuple[str, ...]


def announce(
    session: Session,
    notices: Sequence[Notice],
    ticket: TicketFacts | None,
    desk: Desk,
    secret: bytes,
    now: datetime,
) -> Announced:
    """Queue notices about `ticket` (or about none). The same notice is never queued twice."""
    if any(is_work(notice) for notice in notices):
        notices = handed_on(notices, ticket, desk, presence(session), now)
    outside = {notice.recipient for notice in notices if notice.audience is Audience.CUSTOMER}
    known = contacts(session, outside)
    allowed, braked = _brake(session, notices, ticket, desk, now, known)
    allowed = _not_told_yet(session, allowed)
    if not allowed:
        return Announced(0, braked)
    allowed = _explained(session, allowed, now)
    shown = [_shown(notice, ticket) for notice in allowed]
    talks = _conversations(session, allowed)
    nothing = Conversation()
    mails = [
        _written(
            notice,
            about,
            ticket,
            desk,
            secret,
            talks.get((notice.ticket_id, notice.identity), nothing),
            known.get(notice.recipient),
            now,
        )
        for notice, about in zip(allowed, shown, strict=True)
    ]
    queued = enqueue_all(session, mails, now)
    refs = [
        {
            "key": message_key(mail.message_id),
            "message_id": mail.message_id,
            "ticket_id": about.id,
            "entry_id": notice.entry_id,
            "direction": "out",
            "party": notice.identity,
            "thread_index": mail.context["thread"][0],
        }
        for mail, notice, about, fresh in zip(mails, allowed, shown, queued, strict=True)
        if fresh and about is not None
    ]
    if refs:
        session.connection().execute(_REFER, refs)
    return Announced(sum(queued), braked)


def _explained(session: Session, notices: list[Notice], now: datetime) -> list[Notice]:
    """The notices, those marked that are among an agent's first about any ticket: they explain more."""
    alerts = {
        one.identity: one.identity.removeprefix("agent:")
        for one in notices
        if one.audience is Audience.INTERNAL
        and one.ticket_id is not None
        and one.identity.startswith("agent:")
    }
    new = newcomers(session, alerts.values(), now) if alerts else frozenset()
    if not new:
        return notices
    return [
        replace(one, extra=one.extra | {"newcomer": True}) if alerts.get(one.identity) in new else one
        for one in notices
    ]


def _shown(notice: Notice, ticket: TicketFacts | None) -> TicketFacts | None:
    """The ticket a mail tells of: whoever is asked about a held reply knows only their own."""
    if notice.asked is not None and ticket is not None:
        return ticket.held_for
    return ticket


def _brake(
    session: Session,
    notices: Sequence[Notice],
    ticket: TicketFacts | None,
    desk: Desk,
    now: datetime,
    known: Mapping[str, Contact],
) -> tuple[list[Notice], tuple[str, ...]]:
    """Automatic mail to outsiders passes only below every limit; the rest always passes.

    The agents of the ticket are told of a limit that is reached, once a day.
    """
    allowed: list[Notice] = []
    braked: list[str] = []
    for notice in notices:
        if notice.template in RETURNED_TO_AGENTS and _returned_often(session, notice, desk, now):
            limit = desk.trust.returns_per_hour
            braked.append(f"no {notice.template} to {notice.recipient}: {limit} within an hour is the limit")
            continue
        words = f"no {notice.template} to {notice.recipient}: "
        if notice.audience is Audience.CUSTOMER and not mailable(notice.recipient):
            braked.append(f"{words}no mail can be written to this address")
            continue
        if notice.automatic is None or notice.audience is Audience.INTERNAL:
            allowed.append(notice)
            continue
        contact = known.get(notice.recipient)
        dead_since = contact.unreachable_since if contact is not None else None
        if dead_since is not None:
            braked.append(f"{words}nothing has reached this address since {dead_since.date().isoformat()}")
            continue
        planned = _planned(notice, ticket)
        verdict = check(count_automatic(session, planned, now), desk.brakes)
        if isinstance(verdict, Braked):
            braked.append(words + verdict.reason)
            if ticket is not None:
                about = what_is_braked(verdict.which, planned)
                allowed += brake_alerts(Quiet(about, verdict.reason, now.date().isoformat()), ticket, desk)
        else:
            note_automatic(session, planned, now)
            allowed.append(notice)
    return allowed, tuple(braked)


def _returned_often(session: Session, notice: Notice, desk: Desk, now: datetime) -> bool:
    """Anybody can make us write these mails by forging an agent's address, so they are rationed."""
    count = session.execute(
        select(func.count())
        .select_from(Outbox)
        .where(
            Outbox.state.in_([str(state) for state in OutboxState]),
            Outbox.created_at > now - _RETURNS_WINDOW,
            Outbox.template.in_(RETURNED_TO_AGENTS),
            Outbox.recipient == notice.recipient,
        )
    ).scalar_one()
    return count >= desk.trust.returns_per_hour


def _not_told_yet(session: Session, notices: list[Notice]) -> list[Notice]:
    """Without the daily alerts that went out already: in a storm, that is what each of its mails plans."""
    daily = {notice.key for notice in notices if notice.template == "brake.alert"}
    if not daily:
        return notices
    told = planned_keys(session, daily)
    return [notice for notice in notices if notice.key not in told]


def _planned(notice: Notice, ticket: TicketFacts | None) -> Planned:
    subject = ticket.subject if ticket else ""
    about = ticket.id if ticket else None
    return Planned(notice.recipient, about, subject, notice.template, decided=notice.decided)


def _conversations(session: Session, notices: Sequence[Notice]) -> dict[tuple[int | None, str], Conversation]:
    """What each recipient has seen and written about a ticket so far, by ticket and party."""
    tickets = {notice.ticket_id for notice in notices if notice.ticket_id is not None}
    if not tickets:
        return {}
    parties = {notice.identity for notice in notices}
    rows = session.connection().execute(_TALKS, {"tickets": list(tickets), "parties": list(parties)})
    talks: dict[tuple[int | None, str], Conversation] = {}
    for ticket, party, known, index, topic in rows:
        talks.setdefault((ticket, party), Conversation()).add(known, index, topic)
    return talks


def _written(
    notice: Notice,
    shown: TicketFacts | None,
    ticket: TicketFacts | None,
    desk: Desk,
    secret: bytes,
    talk: Conversation,
    contact: Contact | None,
    now: datetime,
) -> OutgoingMail:
    department = desk.home_of(shown.department if shown else desk.default_department)
    ticket_id, entry_id = ticket.id if ticket else 0, notice.seen or notice.entry_id or 0
    role = _role(notice)
    alias, issue = notice.extra.get("alias"), notice.extra.get("issue")
    if issue:
        token = mint(secret, Role.LISTING, issue, 0, notice.identity)
    elif alias is not None:
        token = mint(secret, Role.CHALLENGE, alias, 0, notice.identity)
    else:
        token = mint(secret, role, ticket_id, entry_id, notice.identity)
    own_id = message_id(token, _serial(notice.key), department.address.rpartition("@")[2])
    context: dict[str, Any] = {
        "sender_name": desk.name if notice.audience is Audience.INTERNAL else department.name,
        "sender_address": department.address,
        "references": _references(talk, notice),
        "thread": talk.outlook(own_id, now) if shown else None,
        # a mere address that an SLA plan names cannot act on the ticket
        "token": token if (ticket or alias is not None or issue) and not _is_bare(notice) else None,
        "automatic": notice.automatic,
        "extra": notice.extra,
        "reason": notice.reason,
        "ticket": _snapshot(shown) if shown else None,
        "language": _language(notice, department.key, desk, contact),
        "held_back": notice.not_before is not None and notice.template in HELD_BACK,
        "utc_offset": contact.person.utc_offset if contact is not None else None,
    }
    if notice.files:
        context["files"] = [asdict(file) for file in notice.files]
    taps = taps_of(notice, ticket, desk)
    if not taps and ticket is not None and notice.audience is Audience.CUSTOMER:
        taps = customer_taps(notice.template, ticket, context["language"])
    if taps and ticket is not None:
        context["actions"] = action_links(taps, notice.identity, ticket, department.address, secret, now)
    if notice.automatic is None:
        verp = mint(secret, Role.BOUNCE, ticket_id, entry_id, notice.recipient)
        envelope_from = reply_address(department.address, verp)
    else:
        envelope_from = ""
    return OutgoingMail(
        key=notice.key,
        template=notice.template,
        audience=str(notice.audience),
        recipient=notice.recipient,
        recipient_name=notice.recipient_name,
        envelope_from=envelope_from,
        message_id=own_id,
        context=context,
        reason=notice.reason,
        ticket_id=shown.id if shown else None,
        entry_id=notice.entry_id,
        not_before=notice.not_before,
    )


def _references(talk: Conversation, notice: Notice) -> list[str]:
    """What a mail answers: its reader's conversation, and the mail of theirs that it is about."""
    answered = notice.extra.get("answers")
    known = talk.references()
    return [*known, answered] if answered and answered not in known else known


def _language(notice: Notice, department: str, desk: Desk, contact: Contact | None) -> str:
    if notice.audience is Audience.CUSTOMER:
        return language_for(contact.person if contact is not None else None, department, desk)
    agent = desk.agents.get(notice.identity.removeprefix("agent:"))
    return (agent.language if agent is not None else None) or desk.language


def _role(notice: Notice) -> Role:
    """What an answer to a notice may do: act as an agent, write as a customer, or only answer a question."""
    if notice.asked is not None:
        return Role.QUESTION
    return Role.AGENT if notice.identity.startswith("agent:") else Role.CUSTOMER


def _is_bare(notice: Notice) -> bool:
    return notice.identity.startswith("address:")


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
