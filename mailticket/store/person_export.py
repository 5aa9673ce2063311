"""All that is kept of a person, as files: one JSON document, and their mails as an mbox (RFC 4155)."""

from __future__ import annotations

import json
import mailbox
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from mailticket.store import blobs
from mailticket.store.models import (
    Entry,
    EntryAttachment,
    Inbound,
    Outbox,
    Participant,
    Person,
    PersonAddress,
    Ticket,
    TicketEvent,
)


def export_person(session: Session, person: int, folder: Path, *, internal: bool = False) -> dict[str, int]:
    """Write what is kept of a person into `folder` (made where it is missing); returns how much of what.

    person.json     who they are, their tickets with all entries they may see and what happened
    received.mbox   their mails as they came; sent.mbox  what the desk mailed them
    files/          the attachments of those entries, by entry
    internal: notes, tags and answers taken back too, which are about them and not for them, and what they
    were mailed as an agent.
    """
    folder.mkdir(parents=True, exist_ok=True)
    addresses = list(
        session.execute(
            select(PersonAddress.address)
            .where(PersonAddress.person_id == person)
            .order_by(PersonAddress.address)
        ).scalars()
    )
    tickets = _tickets(session, person, folder, internal=internal)
    document = {**_person(session, person), "addresses": addresses, "tickets": tickets}
    text = json.dumps(document, ensure_ascii=False, indent=2, default=_plain)
    (folder / "person.json").write_text(text + "\n", encoding="utf-8")
    return {
        "tickets": len(tickets),
        "entries": sum(len(ticket["entries"]) for ticket in tickets),
        "received": _received(session, addresses, folder / "received.mbox"),
        "sent": _sent(session, addresses, folder / "sent.mbox", internal=internal),
    }


def _person(session: Session, person: int) -> dict[str, Any]:
    row = session.get_one(Person, person)
    return {column.name: getattr(row, column.name) for column in Person.__table__.columns}


def _tickets(session: Session, person: int, folder: Path, *, internal: bool) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Ticket, Participant.role)
        .join(Participant, Participant.ticket_id == Ticket.id)
        .where(Participant.person_id == person)
        .order_by(Ticket.id)
    )
    return [
        {
            "number": ticket.number,
            "subject": ticket.subject,
            "status": ticket.status,
            "role": role,
            "created_at": ticket.created_at,
            "closed_at": ticket.closed_at,
            "tags": ticket.tags if internal else [],
            "entries": _entries(session, ticket, folder, internal=internal),
            "events": _events(session, ticket) if internal else [],
        }
        for ticket, role in rows.all()
    ]


def _entries(session: Session, ticket: Ticket, folder: Path, *, internal: bool) -> list[dict[str, Any]]:
    query = select(Entry).where(Entry.ticket_id == ticket.id).order_by(Entry.id)
    if not internal:
        query = query.where(Entry.audience == "customer", Entry.withdrawn_at.is_(None))
    return [
        {
            "kind": entry.kind,
            "author": entry.author_name if entry.author.startswith("agent:") else entry.author,
            "at": entry.created_at,
            "text": entry.text,
            "files": _files(session, entry, folder),
        }
        for entry in session.execute(query).scalars()
    ]


def _files(session: Session, entry: Entry, folder: Path) -> list[str]:
    """Write the files of an entry under names of our own: a foreign name may mean anything to a disk."""
    written: list[str] = []
    rows = session.execute(
        select(EntryAttachment).where(EntryAttachment.entry_id == entry.id).order_by(EntryAttachment.id)
    ).scalars()
    for row in rows:
        safe = "".join(one if one.isalnum() or one in "-_." else "_" for one in row.filename)[-60:].lstrip(
            "."
        )
        path = folder / "files" / f"{entry.id}-{row.id}-{safe or 'file'}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(blobs.get(session, row.blob))
        written.append(f"files/{path.name}")
    return written


def _safe(name: str) -> str:
    plain = "".join(one if one.isalnum() or one in "-_." else "_" for one in name)
    return plain[-60:].lstrip(".") or "file"


def _events(session: Session, ticket: Ticket) -> list[dict[str, Any]]:
    rows = session.execute(
        select(TicketEvent.kind, TicketEvent.at, TicketEvent.actor, TicketEvent.reason)
        .where(TicketEvent.ticket_id == ticket.id)
        .order_by(TicketEvent.id)
    )
    return [dict(row._mapping) for row in rows]


def _received(session: Session, addresses: list[str], path: Path) -> int:
    theirs = or_(Inbound.sender.in_(addresses), Inbound.envelope_from.in_(addresses))
    rows = session.execute(select(Inbound.blob, Inbound.received_at).where(theirs).order_by(Inbound.id))
    return _mbox(session, [(key, at) for key, at in rows.all()], path)


def _sent(session: Session, addresses: list[str], path: Path, *, internal: bool) -> int:
    """What was mailed to them. An agent can be a customer too: alerts are no mails to a customer."""
    query = select(Outbox.rendered, Outbox.created_at).where(
        Outbox.recipient.in_(addresses), Outbox.rendered.is_not(None), Outbox.state != "cancelled"
    )
    if not internal:
        query = query.where(Outbox.audience == "customer")
    rows = session.execute(query.order_by(Outbox.id))
    return _mbox(session, [(key, at) for key, at in rows.all() if key is not None], path)


def _mbox(session: Session, mails: list[tuple[str, datetime]], path: Path) -> int:
    path.unlink(missing_ok=True)
    box = mailbox.mbox(path)
    try:
        for key, at in mails:
            message = mailbox.mboxMessage(blobs.get(session, key))
            message.set_from("mailticket", at.timetuple())
            box.add(message)
    finally:
        box.close()
    return len(mails)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
