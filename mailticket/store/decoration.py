"""How often a sender's image came before."""

from __future__ import annotations

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from mailticket.domain.decoration import may_be_logo
from mailticket.mail.types import Attachment
from mailticket.store.models import Entry, EntryAttachment


def times_seen(session: Session, author: str, attachment: Attachment) -> int:
    """In how many entries of `author` these bytes are already; 0, unasked, for what is no small image."""
    if not may_be_logo(attachment):
        return 0
    query = (
        select(func.count(distinct(EntryAttachment.entry_id)))
        .join(Entry, Entry.id == EntryAttachment.entry_id)
        .where(EntryAttachment.blob == attachment.sha256, Entry.author == author)
    )
    return session.execute(query).scalar_one()
