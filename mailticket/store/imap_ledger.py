"""What came from IMAP mailboxes, and how it stands with them; flags and folders are never the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from mailticket.mail.charset import clean_text
from mailticket.store.dialect import table_of, upsert
from mailticket.store.engine import reading, transaction
from mailticket.store.models import (
    ImapMessage,
    MailboxContact,
)
from mailticket.store.ports import FolderPosition

_IMAP: Final = table_of(ImapMessage)
_CONTACT: Final = table_of(MailboxContact)


class ImapLedger:
    """Positions of messages, and the contact with each mailbox; safe to call from any thread.

    `clock` gives aware UTC. Every method raises `Temporary` when the database cannot do it now.
    """

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock

    def unknown(self, mailbox: str, folder: str, uidvalidity: int, uids: Sequence[int]) -> list[int]:
        """Those of `uids` not stored yet, ascending."""
        wanted = set(uids)
        if not wanted:
            return []
        query = select(_IMAP.c.uid).where(
            _IMAP.c.mailbox == mailbox,
            _IMAP.c.folder == folder,
            _IMAP.c.uidvalidity == uidvalidity,
            _IMAP.c.uid.between(min(wanted), max(wanted)),
        )
        with reading(self._engine) as session:
            return sorted(wanted.difference(session.execute(query).scalars()))

    def note_moved(self, position: FolderPosition) -> None:
        """Remember that the message has left its folder."""
        statement = update(_IMAP).where(
            _IMAP.c.mailbox == position.mailbox,
            _IMAP.c.folder == position.folder,
            _IMAP.c.uidvalidity == position.uidvalidity,
            _IMAP.c.uid == position.uid,
        )
        with transaction(self._engine) as session:
            session.execute(statement, {"moved_at": self._clock()})

    def note_contact(self, mailbox: str, error: str | None) -> None:
        """Remember when a mailbox was last reached, or why it was not."""
        now = self._clock()
        if error is None:
            values: dict[str, Any] = {"reached_at": now, "error": None}
        else:
            values = {"failed_at": now, "error": clean_text(error, limit=1000)}
        self._note_mailbox(mailbox, values)

    def note_counts(self, mailbox: str, left: int, untaken: int) -> None:
        """Remember how many messages were left in the folder, and how many of them are not stored here."""
        self._note_mailbox(mailbox, {"counted_at": self._clock(), "in_folder": left, "untaken": untaken})

    def _note_mailbox(self, mailbox: str, values: dict[str, Any]) -> None:
        with transaction(self._engine) as session:
            statement = upsert(session, _CONTACT).values(mailbox=mailbox, **values)
            session.execute(statement.on_conflict_do_update(index_elements=["mailbox"], set_=values))


@dataclass(frozen=True, slots=True)
class ContactRow:
    """When an IMAP mailbox was last reached."""

    mailbox: str
    reached_at: datetime | None
    failed_at: datetime | None
    error: str | None


def mailbox_contacts(session: Session) -> list[ContactRow]:
    """Every IMAP mailbox ever polled, by name."""
    rows = session.execute(
        select(
            MailboxContact.mailbox, MailboxContact.reached_at, MailboxContact.failed_at, MailboxContact.error
        ).order_by(MailboxContact.mailbox)
    )
    return [ContactRow(*row) for row in rows]
