"""How often a sender's image came before."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, distinct, func, select
from sqlalchemy.orm import Session

from mailticket.domain.decoration import may_be_logo
from mailticket.mail.types import Attachment
from mailticket.store.dialect import table_of
from mailticket.store.models import Entry, EntryAttachment

_FILE: Final = table_of(EntryAttachment).c
_ENTRY: Final = table_of(Entry).c
_SEEN: Final = (
    select(func.count(distinct(_FILE.entry_id)))
    .join_from(table_of(EntryAttachment), table_of(Entry), _ENTRY.id == _FILE.entry_id)
    .where(_FILE.blob == bindparam("data"), _ENTRY.author == bindparam("by"))
)


def times_seen(session: Session, author: str, attachment: Attachment) -> int:
    """In how many entries of `author` these bytes are already; 0, unasked, for what is no small image."""
    if not may_be_logo(attachment):
        return 0
    return int(session.execute(_SEEN, {"data": attachment.sha256, "by": author}).scalar_one())
