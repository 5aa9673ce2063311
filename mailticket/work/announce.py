"""Notices become rows of the outbox, in the transaction that caused them, as far as the brakes allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, func, insert, literal_column, select
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.answer_notices import brake_alerts
from mailticket.domain.brakes import Braked, Planned, check, what_is_braked
from mailticket.domain.notice import Notice
from mailticket.domain.standing_in import handed_on, is_work
from mailticket.domain.types import Audience, Quiet, TicketFacts
from mailticket.mail.header_out import mailable
from mailticket.mail.threading import Conversation
from mailticket.store.absences import presence
from mailticket.store.autocounts import count_automatic, note_automatic
from mailticket.store.dialect import table_of
from mailticket.store.models import MessageRef, Outbox
from mailticket.store.newcomers import newcomers
from mailticket.store.outbox import OutboxState, OutgoingMail, enqueue_all, message_key, planned_keys
from mailticket.store.people import Contact, contacts
from mailticket.work.mail_draft import MailDraft

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
        MailDraft(
            notice,
            about,
            ticket,
            desk,
            secret,
            talks.get((notice.ticket_id, notice.identity), nothing),
            known.get(notice.recipient),
            now,
        ).mail()
        for notice, about in zip(allowed, shown, strict=True)
    ]
    queued = enqueue_all(session, mails, now)
    fresh = [one for one, new in zip(zip(mails, allowed, shown, strict=True), queued, strict=True) if new]
    _refer(session, fresh)
    return Announced(sum(queued), braked)


def _refer(session: Session, queued: Iterable[tuple[OutgoingMail, Notice, TicketFacts | None]]) -> None:
    """The Message-IDs of these mails stand for the tickets they tell of."""
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
        for mail, notice, about in queued
        if about is not None
    ]
    if refs:
        session.connection().execute(_REFER, refs)


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
        words = f"no {notice.template} to {notice.recipient}: "
        never = _never(session, notice, desk, now, known.get(notice.recipient))
        if never is not None:
            braked.append(words + never)
            continue
        if not _is_limited(notice):
            allowed.append(notice)
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


def _is_limited(notice: Notice) -> bool:
    return notice.automatic is not None and notice.audience is Audience.CUSTOMER


def _never(
    session: Session, notice: Notice, desk: Desk, now: datetime, contact: Contact | None
) -> str | None:
    """Why a mail does not go out however few there were, in words; None where it can."""
    if notice.template in RETURNED_TO_AGENTS and _returned_often(session, notice, desk, now):
        return f"{desk.trust.returns_per_hour} within an hour is the limit"
    if notice.audience is Audience.CUSTOMER and not mailable(notice.recipient):
        return "no mail can be written to this address"
    dead_since = contact.unreachable_since if contact is not None and _is_limited(notice) else None
    if dead_since is not None:
        return f"nothing has reached this address since {dead_since.date().isoformat()}"
    return None


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
