"""What an intake edge needs of the store: one way to make mails durable, one to ask who is served.

Values and protocols only, so that the edges do not depend on SQLAlchemy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mailticket.mail.types import RawMail


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a mail is durable: its row, and whether that row was there before."""

    inbound_id: int
    already_had: bool


class Spool(Protocol):
    """Makes mails durable. Called from any thread; concurrent calls share a commit."""

    def store(self, mails: Sequence[RawMail]) -> list[Receipt]:
        """Store every mail or none; returns, in order, once the commit is on disk.

        Raises `mailticket.errors.Temporary` when that is not possible now (database locked, disk
        full, server away): the edge must then not acknowledge.
        """
        ...


class Recipients(Protocol):
    """Who is served here."""

    def accepts(self, address: str) -> bool:
        """True when mail to this RCPT address, + extension included, is ours."""
        ...


class Screening(Protocol):
    """Whose mail is not wanted at all. Called in event loops: it never waits."""

    def refuses(self, envelope_from: str) -> bool:
        """True when mail with this envelope sender is to be refused; "" is the null sender, never refused."""
        ...


@dataclass(frozen=True, slots=True)
class FolderPosition:
    """One message on an IMAP server: UIDs are only unique within a UIDVALIDITY (RFC 9051, 2.3.1.1)."""

    mailbox: str
    folder: str
    uidvalidity: int
    uid: int


class Ledger(Protocol):
    """What has been fetched from IMAP servers, so that flags and folders are never the truth."""

    def store_fetched(self, position: FolderPosition, mail: RawMail) -> Receipt:
        """Store the mail and its position in one commit. Raises `Temporary` like `Spool.store`."""
        ...

    def unknown(self, mailbox: str, folder: str, uidvalidity: int, uids: Sequence[int]) -> list[int]:
        """Those of `uids` not stored yet, ascending."""
        ...

    def note_moved(self, position: FolderPosition) -> None:
        """Remember that the message has left its folder."""
        ...

    def note_contact(self, mailbox: str, error: str | None) -> None:
        """Remember when a mailbox was last reached, or why it was not; shown by `mailticket status`."""
        ...

    def note_counts(self, mailbox: str, left: int, untaken: int) -> None:
        """Remember how many messages were left in the folder, and how many of them are not stored here."""
        ...
