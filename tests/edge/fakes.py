"""A store for the tests of the edges: it records, and fails or waits when told to."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence

from mailticket.mail.types import RawMail
from mailticket.store.ports import FolderPosition, Receipt


class RecordingStore:
    """Spool, Ledger and Recipients in memory, for any number of threads.

    errors      raised by the next calls of `store` and `store_fetched`, one each, first first
    fail_for    recipients whose mails always raise `fail_with`
    gate        cleared, it holds every commit until it is set again
    """

    def __init__(self, *served: str) -> None:
        self.served = {address.casefold() for address in served}
        self.mails: list[RawMail] = []
        self.calls: list[list[RawMail]] = []
        self.errors: list[Exception] = []
        self.fail_for: set[str] = set()
        self.fail_with: Exception = RuntimeError("secret internals of the store")
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Semaphore(0)
        self.wakes = 0
        self.positions: dict[FolderPosition, int] = {}
        self.moved: list[FolderPosition] = []
        self.contacts: list[tuple[str, str | None]] = []
        self.counts: list[tuple[str, int, int]] = []
        self._by_content: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def accepts(self, address: str) -> bool:
        """True for a served address with any + extension, whatever its case."""
        local, _, domain = address.casefold().partition("@")
        return f"{local.partition('+')[0]}@{domain}" in self.served

    def store(self, mails: Sequence[RawMail]) -> list[Receipt]:
        """Like the real spool: all or none, and an equal mail for an equal recipient is known."""
        self.waiting.release()
        if not self.gate.wait(20):
            raise AssertionError("nobody opened the gate")
        with self._lock:
            self.calls.append(list(mails))
            if self.errors:
                raise self.errors.pop(0)
            if any(mail.recipient in self.fail_for for mail in mails):
                raise self.fail_with
            return [self._keep(mail) for mail in mails]

    def woken(self) -> None:
        """The `on_stored` of the edges."""
        with self._lock:
            self.wakes += 1

    def store_fetched(self, position: FolderPosition, mail: RawMail) -> Receipt:
        """Like `store`, with the position remembered in the same step."""
        (receipt,) = self.store([mail])
        with self._lock:
            self.positions[position] = receipt.inbound_id
        return receipt

    def unknown(self, mailbox: str, folder: str, uidvalidity: int, uids: Sequence[int]) -> list[int]:
        """Those of `uids` that `store_fetched` has not seen."""
        with self._lock:
            return sorted(
                uid for uid in uids if FolderPosition(mailbox, folder, uidvalidity, uid) not in self.positions
            )

    def note_moved(self, position: FolderPosition) -> None:
        """Record it."""
        with self._lock:
            self.moved.append(position)

    def note_contact(self, mailbox: str, error: str | None) -> None:
        """Record it."""
        with self._lock:
            self.contacts.append((mailbox, error))

    def note_counts(self, mailbox: str, left: int, untaken: int) -> None:
        """Record it."""
        with self._lock:
            self.counts.append((mailbox, left, untaken))

    def troubles(self) -> list[str]:
        """The errors noted so far."""
        with self._lock:
            return [error for _, error in self.contacts if error is not None]

    def _keep(self, mail: RawMail) -> Receipt:
        key = (hashlib.sha256(mail.raw).hexdigest(), mail.recipient)
        if key in self._by_content:
            return Receipt(self._by_content[key], already_had=True)
        self.mails.append(mail)
        self._by_content[key] = len(self.mails)
        return Receipt(len(self.mails), already_had=False)
