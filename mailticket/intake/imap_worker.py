"""One IMAP mailbox: every message in its folder is stored, then moved to the processed folder.

DESCRIPTION. What is new is decided by the ledger of (folder, UIDVALIDITY, UID), never by flags and
never by "UID greater than the last": a person may read mail in the same folder, or move old mail
into it. For each message: FETCH BODY.PEEK[], store raw mail and position in one commit, move. A
crash at any point repeats a step and loses nothing: a message that is known but still in the folder
is only moved. IDLE tells early that something came; the poll is what is relied on.

DIAGNOSTICS. `imap.trouble` with the time of the next try; `imap.login_refused` once until a login
succeeds (a busy retry locks accounts); `imap.message_delayed` for a message that could not be
fetched or stored and is tried again later, after the others; `imap.message_too_large`, once;
`imap.move_refused`, after which the message stays where it is, stored.

A processed folder equal to the folder leaves the messages where they are.

BUGS. Without MOVE and without UIDPLUS a message is copied and flagged as deleted, but stays: plain
EXPUNGE would remove what other people flagged.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog

from mailticket.config.settings import Mailbox
from mailticket.errors import Temporary
from mailticket.intake.backoff import Backoff
from mailticket.intake.imap_client import ConnectionTrouble, ImapSession, LoginRefused, Refused
from mailticket.intake.reason import reason
from mailticket.mail.types import RawMail
from mailticket.store.ports import FolderPosition, Ledger

log = structlog.get_logger(__name__)

MAX_IDLE = 29 * 60.0
"""Seconds; RFC 2177 has servers drop an IDLE after 30 minutes."""
BATCH = 200
"""Messages asked for their sizes, and moved, at once."""
STOP_GRACE = 5.0
"""Seconds the server gets, after `stop`, to finish what it was asked."""
STORE_FAILURES = 3
"""Messages in a row that could not be stored, after which the store is taken to be the trouble."""


@dataclass
class _Delayed:
    """A message that could not be fetched or stored, and when it is its turn again."""

    failures: int
    not_before: float


def _no_crash(point: str) -> None:
    """The hook that tests replace to die at a named point."""


class ImapWorker:
    """Fetches one mailbox; `run` in a thread of its own, `stop` from any other.

    on_stored       called after every commit
    crash           called with the name of a point worth dying at: "imap.after_fetch",
                    "imap.after_commit" (before the move), "imap.after_copy" (before the expunge)
    clock           monotonic seconds
    backoff         waits between connections; its `last` also after a refused login
    retry           waits before one troublesome message is tried again
    """

    def __init__(
        self,
        mailbox: Mailbox,
        ledger: Ledger,
        *,
        on_stored: Callable[[], None],
        crash: Callable[[str], None] = _no_crash,
        clock: Callable[[], float] = time.monotonic,
        backoff: Backoff | None = None,
        retry: Backoff | None = None,
    ) -> None:
        self._mailbox = mailbox
        self._ledger = ledger
        self._on_stored = on_stored
        self._crash = crash
        self._clock = clock
        self._backoff = backoff or Backoff()
        self._retry = retry or Backoff(first=60.0, last=3600.0)
        self._stopped = threading.Event()
        self._waker: socket.socket | None = None
        self._session: ImapSession | None = None
        self._deadline: threading.Timer | None = None
        self._failures = 0
        self._login_refused = False
        self._delayed: dict[tuple[int, int], _Delayed] = {}
        self._too_large: set[tuple[int, int]] = set()
        self._processed: str | None = None
        self._counted: tuple[int, int] | None = None
        self._batch = BATCH
        self._log = log.bind(mailbox=mailbox.key)

    def run(self) -> None:
        """Work until `stop`; never raises."""
        waker, wake = socket.socketpair()
        with waker, wake:
            self._waker = waker
            self._run(wake)
        if self._deadline is not None:
            self._deadline.cancel()

    def _run(self, wake: socket.socket) -> None:
        while not self._stopped.is_set():
            try:
                with ImapSession(self._mailbox) as session:
                    self._session = session
                    self._login_refused = False
                    self._log.info("imap.connected", host=self._mailbox.host, user=self._mailbox.user)
                    self._processed = None
                    self._work(session, wake)
            except LoginRefused as error:
                self._after_refused_login(error)
            except Exception as error:  # noqa: BLE001  # a mailbox never stops the daemon
                self._failures += 1
                delay = self._backoff.delay(self._failures)
                self._log.warning("imap.trouble", error=reason(error), retry_in=round(delay, 1))
                self._note(reason(error))
                self._sleep(delay)

    def stop(self) -> None:
        """Have `run` return: at once from a wait, else after the message in hand.

        A server that does not answer is left after `STOP_GRACE` seconds.
        """
        self._deadline = threading.Timer(STOP_GRACE, self._interrupt)
        self._deadline.daemon = True
        self._deadline.start()
        self._stopped.set()
        if self._waker is not None:
            with contextlib.suppress(OSError):  # `run` has returned already, and closed the socket
                self._waker.send(b"x")

    def _interrupt(self) -> None:
        if self._session is not None:
            self._session.interrupt()

    # -- a connection ----------------------------------------------------------------------------

    def _work(self, session: ImapSession, wake: socket.socket) -> None:
        # Where the server has no UIDVALIDITY, UIDs mean nothing beyond this connection: a number of
        # our own makes every message new once more, and the store knows by content those it has.
        own_validity = secrets.randbelow(2**31)
        while not self._stopped.is_set():
            stored = self._one_pass(session, own_validity)
            self._failures = 0
            if stored or self._stopped.is_set():
                continue  # more may have come meanwhile, unannounced
            seconds = self._until_next_pass()
            if self._mailbox.idle and session.can("IDLE"):
                session.idle(wake, seconds)
            else:
                self._sleep(seconds)

    def _one_pass(self, session: ImapSession, own_validity: int) -> int:
        """Store and move all that is due in the folder; how many messages were stored."""
        selected = session.select(self._mailbox.folder)
        validity = selected.uidvalidity if selected.uidvalidity is not None else own_validity
        self._note(None)
        uids = session.uids(selected.messages)
        self._forget_absent({(validity, uid) for uid in uids})
        stored = untaken = moved = 0
        for batch in _batches(uids, self._batch):
            unknown = self._ledger.unknown(self._mailbox.key, self._mailbox.folder, validity, batch)
            fetched = self._fetch_batch(session, validity, unknown)
            stored += len(fetched)
            untaken += len(unknown) - len(fetched)
            known = set(batch).difference(unknown).union(fetched)
            moved += self._move(session, validity, sorted(known))
            if self._stopped.is_set():
                return stored
        self._batch = BATCH
        self._count(len(uids) - moved, untaken)
        return stored

    def _fetch_batch(self, session: ImapSession, validity: int, uids: Sequence[int]) -> list[int]:
        """Store those of the unknown messages that are due; the UIDs of those now stored."""
        due = [uid for uid in uids if self._is_due((validity, uid))]
        sizes = self._sizes(session, validity, due)
        stored: list[int] = []
        failed = 0
        for uid in due:
            if self._stopped.is_set():
                break
            if uid not in sizes or self._is_too_large((validity, uid), sizes[uid]):
                continue
            try:
                if self._fetch_one(session, validity, uid, sizes[uid]):
                    stored.append(uid)
                failed = 0
            except ConnectionTrouble as error:
                self._delay((validity, uid), error)
                raise
            except Exception as error:  # one message's trouble is not the next one's
                self._delay((validity, uid), error)
                failed += 1
                if failed >= STORE_FAILURES:
                    raise Temporary(f"nothing can be stored: {reason(error)}") from error
        return stored

    def _sizes(self, session: ImapSession, validity: int, uids: Sequence[int]) -> dict[int, int]:
        """What the messages measure; when asking breaks the connection, next time ask one by one."""
        try:
            return session.sizes(uids) if uids else {}
        except ConnectionTrouble as error:
            self._batch = 1
            if len(uids) == 1:
                self._delay((validity, uids[0]), error)
            raise

    def _fetch_one(self, session: ImapSession, validity: int, uid: int, size: int) -> bool:
        """Store one message; False when it has left the folder meanwhile."""
        raw = session.body(uid)
        if raw is None:
            return False
        if len(raw) != size:
            self._log.info("imap.size_differs", uid=uid, claimed=size, received=len(raw))
        self._crash("imap.after_fetch")
        mail = RawMail(raw, None, self._mailbox.address, f"imap:{self._mailbox.key}")
        receipt = self._ledger.store_fetched(self._position(validity, uid), mail)
        self._log.info(
            "mail.stored",
            inbound=receipt.inbound_id,
            already_had=receipt.already_had,
            source=mail.source,
            uid=uid,
            size=len(raw),
        )
        self._delayed.pop((validity, uid), None)
        self._on_stored()
        self._crash("imap.after_commit")
        return True

    # -- after the commit ------------------------------------------------------------------------

    def _move(self, session: ImapSession, validity: int, uids: Sequence[int]) -> int:
        """Move stored messages out of the folder, and say how many left it.

        A server that refuses does not stop the intake.
        """
        if not uids or self._mailbox.processed_folder == self._mailbox.folder:
            return 0
        try:
            if self._processed is None:
                self._processed = session.ensure_folder(self._mailbox.processed_folder)
            moved = self._move_to(session, self._processed, uids)
        except Refused as error:
            self._processed = None
            self._log.warning("imap.move_refused", count=len(uids), error=reason(error))
            self._note(f"messages cannot be moved to {self._mailbox.processed_folder}: {reason(error)}")
            return 0
        for uid in moved:
            self._ledger.note_moved(self._position(validity, uid))
        return len(uids)

    def _move_to(self, session: ImapSession, folder: str, uids: Sequence[int]) -> Sequence[int]:
        """By the best means the server has; the messages for which something had to be done."""
        if session.can("MOVE"):
            session.move(uids, folder)
            return uids
        done = session.deleted(uids)
        remaining = [uid for uid in uids if uid not in done]
        if remaining:
            session.copy(remaining, folder)
            self._crash("imap.after_copy")
            session.flag_deleted(remaining)
        if session.can("UIDPLUS"):
            session.expunge(uids)
            return uids
        return remaining

    # -- bookkeeping -----------------------------------------------------------------------------

    def _position(self, validity: int, uid: int) -> FolderPosition:
        return FolderPosition(self._mailbox.key, self._mailbox.folder, validity, uid)

    def _is_due(self, message: tuple[int, int]) -> bool:
        delayed = self._delayed.get(message)
        return delayed is None or self._clock() >= delayed.not_before

    def _forget_absent(self, present: set[tuple[int, int]]) -> None:
        self._delayed = {key: delayed for key, delayed in self._delayed.items() if key in present}
        self._too_large &= present

    def _delay(self, message: tuple[int, int], error: Exception) -> None:
        failures = self._delayed[message].failures + 1 if message in self._delayed else 1
        wait = self._retry.delay(failures)
        self._delayed[message] = _Delayed(failures, self._clock() + wait)
        self._log.warning(
            "imap.message_delayed", uid=message[1], error=reason(error), retry_in=round(wait, 1)
        )

    def _is_too_large(self, message: tuple[int, int], size: int) -> bool:
        if size <= self._mailbox.max_message_size:
            return False
        if message not in self._too_large:
            self._too_large.add(message)
            self._log.warning("imap.message_too_large", uid=message[1], size=size)
            limit = self._mailbox.max_message_size
            self._note(f"message UID {message[1]} stays in {self._mailbox.folder}: {size} bytes > {limit}")
        return True

    def _until_next_pass(self) -> float:
        waits = [self._mailbox.poll_interval.total_seconds(), MAX_IDLE]
        retries = [delayed.not_before - self._clock() for delayed in self._delayed.values()]
        return min(waits + [wait for wait in retries if wait > 0])

    def _after_refused_login(self, error: LoginRefused) -> None:
        if not self._login_refused:
            self._log.warning("imap.login_refused", user=self._mailbox.user, error=reason(error))
        self._login_refused = True
        self._note(f"login refused: {reason(error)}")
        self._sleep(self._backoff.last)

    def _note(self, error: str | None) -> None:
        try:
            self._ledger.note_contact(self._mailbox.key, error)
        except Exception as failure:  # noqa: BLE001  # it is only for `mailticket status`
            self._log.warning("imap.note_failed", error=reason(failure))

    def _count(self, left: int, untaken: int) -> None:
        """Tell how the folder compares with the ledger, when that is not what was told last."""
        if self._counted == (left, untaken):
            return
        try:
            self._ledger.note_counts(self._mailbox.key, left, untaken)
            self._counted = (left, untaken)
        except Exception as failure:  # noqa: BLE001  # it is only for digests and `mailticket status`
            self._log.warning("imap.note_failed", error=reason(failure))

    def _sleep(self, seconds: float) -> None:
        self._stopped.wait(seconds)


def _batches(uids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(uids), size):
        yield uids[start : start + size]
