"""The stored texts and files that outgoing mails show, fetched for many mails at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailticket.store import blobs
from mailticket.store.models import Entry, EntryAttachment, Inbound
from mailticket.store.outbox import ClaimedOut
from mailticket.store.subjects import first_subjects

MAX_ATTACHED = 10_000_000
"""Bytes of attachments passed on in one mail; the rest is named only."""
SHOWS_LAST_MESSAGE = (
    "loop.reminder",
    "ticket.wakeup",
    "ticket.reminder",
    "assigned.alert",
    "released.alert",
    "transfer.alert",
    "ticket.overdue",
    "ticket.warning",
    "waited.alert",
    "referral.alert",
)
PASSED_ON = ("file", "inline", "message", "calendar", "rest", "tnef")


@dataclass(frozen=True, slots=True)
class Material:
    """The stored texts and files one mail shows."""

    entry: Entry | None
    last_message: Entry | None
    beside: Entry | None
    files: tuple[EntryAttachment, ...]
    data: dict[str, bytes]
    missed: tuple[Entry, ...] = ()
    """What its reader had not seen, oldest first."""
    original: bytes | None = None
    """A mail that goes along whole."""
    subject: str | None = None
    """Of the first mail that this reader got about the ticket."""


def load_material(session: Session, mails: Sequence[ClaimedOut]) -> dict[int, Material]:
    """What each of `mails` shows, by outbox id, in a handful of queries."""
    shown = {mail.entry_id for mail in mails if mail.entry_id}
    last = _last_messages(session, {mail.ticket_id for mail in mails if _wants_last(mail)})
    wanted = shown | set(last.values()) | {one for mail in mails if (one := _beside(mail))}
    wanted |= {one for mail in mails for one in _missed(mail)}
    entries = {
        entry.id: entry for entry in session.execute(select(Entry).where(Entry.id.in_(wanted))).scalars()
    }
    files = _files(session, shown)
    carrying = {mail.entry_id for mail in mails if carries_files(mail)}
    keys = {file.blob for entry, group in files.items() if entry in carrying for file in fitting(group)}
    keys |= {made["blob"] for mail in mails for made in made_files(mail)}
    data = blobs.get_all(session, keys) if keys else {}
    originals = _originals(session, mails)
    subjects = first_subjects(session, {(mail.ticket_id, mail.recipient) for mail in mails if mail.ticket_id})
    return {
        mail.id: Material(
            entry=entries.get(mail.entry_id or 0),
            last_message=entries.get(last.get(mail.ticket_id or 0, 0)) if _wants_last(mail) else None,
            beside=entries.get(_beside(mail)),
            files=files.get(mail.entry_id or 0, ()),
            data=data,
            missed=tuple(entries[one] for one in _missed(mail) if one in entries),
            original=originals.get(mail.context["extra"].get("inbound") or 0),
            subject=subjects.get((mail.ticket_id or 0, mail.recipient)),
        )
        for mail in mails
    }


def _originals(session: Session, mails: Sequence[ClaimedOut]) -> dict[int, bytes]:
    """The mails that came in and go along whole, by their number in the inbox."""
    wanted = {number for mail in mails if (number := mail.context["extra"].get("inbound"))}
    if not wanted:
        return {}
    rows = session.execute(select(Inbound.id, Inbound.blob).where(Inbound.id.in_(wanted))).all()
    data = blobs.get_all(session, {row.blob for row in rows})
    return {row.id: data[row.blob] for row in rows if row.blob in data}


def _missed(mail: ClaimedOut) -> list[int]:
    """The entries that an agent had not seen."""
    found: list[int] = mail.context["extra"].get("missed", [])
    return found


def carries_files(mail: ClaimedOut) -> bool:
    """Nothing foreign goes out again but to agents: an acknowledgement's reader may be a forged one."""
    return mail.audience == "internal" or mail.template == "ticket.reply"


def _beside(mail: ClaimedOut) -> int:
    """The entry of an agent's words that stand beside the one the mail is about; 0 for none."""
    found = mail.context["extra"].get("beside")
    return found if isinstance(found, int) and mail.audience == "internal" else 0


def _wants_last(mail: ClaimedOut) -> bool:
    return mail.template in SHOWS_LAST_MESSAGE and mail.ticket_id is not None


def _last_messages(session: Session, tickets: set[int | None]) -> dict[int, int]:
    if not tickets:
        return {}
    rows = session.execute(
        select(Entry.ticket_id, func.max(Entry.id))
        .where(Entry.ticket_id.in_(tickets), Entry.kind == "message")
        .group_by(Entry.ticket_id)
    )
    return {ticket: newest for ticket, newest in rows}  # noqa: C416 -- rows are not tuples to mypy


def _files(session: Session, entries: set[int]) -> dict[int, tuple[EntryAttachment, ...]]:
    if not entries:
        return {}
    rows = session.execute(
        select(EntryAttachment).where(EntryAttachment.entry_id.in_(entries)).order_by(EntryAttachment.id)
    ).scalars()
    grouped: dict[int, list[EntryAttachment]] = {}
    for row in rows:
        grouped.setdefault(row.entry_id, []).append(row)
    return {entry: tuple(files) for entry, files in grouped.items()}


def fitting(files: Sequence[EntryAttachment]) -> list[EntryAttachment]:
    """The files that are passed on, in order, while they fit."""
    chosen, room = [], MAX_ATTACHED
    for file in files:
        if file.kind in PASSED_ON and file.size <= room:
            chosen.append(file)
            room -= file.size
    return chosen


def made_files(mail: ClaimedOut) -> list[dict[str, str]]:
    """The files made for this mail itself."""
    made: list[dict[str, str]] = mail.context.get("files", [])
    return made
