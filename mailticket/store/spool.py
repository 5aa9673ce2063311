"""Making mails durable, many callers to one commit.

A commit costs a disk sync (2 to 3 ms) whatever is in it. The first caller to arrive commits; those
who come while it does so queue up, and the next of them commits for all that wait. No thread of its
own, so nothing to start, stop or lose.

A batch that fails for a reason of its content (not because the database is away) is tried again one
caller at a time: a poisonous mail fails alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final

from sqlalchemy import Engine, bindparam, select
from sqlalchemy.orm import Session

from mailticket.errors import Temporary
from mailticket.store import blobs
from mailticket.store.dialect import insert_new, table_of
from mailticket.store.engine import reading, transaction
from mailticket.store.failures import CommitUnknown
from mailticket.store.models import ImapMessage, Inbound
from mailticket.store.ports import FolderPosition, Receipt

MAX_BATCH_MAILS: Final = 200
MAX_BATCH_BYTES: Final = 64_000_000

_INBOUND: Final = table_of(Inbound)
_IMAP: Final = table_of(ImapMessage)
_IDS: Final = select(_INBOUND.c.digest, _INBOUND.c.id).where(
    _INBOUND.c.digest.in_(bindparam("digests", expanding=True))
)


@dataclass(frozen=True, slots=True)
class SpoolRow:
    """A mail ready to be inserted; `digest` is content and recipient, hex. Text is clean."""

    digest: str
    content_digest: str
    raw: bytes
    source: str
    envelope_from: str | None
    recipient: str
    client: str | None
    auth_user: str | None
    received_at: datetime
    position: FolderPosition | None = None


class _Request:
    """One caller's mails, and how it went."""

    __slots__ = ("error", "receipts", "rows", "size")

    def __init__(self, rows: Sequence[SpoolRow]) -> None:
        self.rows = rows
        self.size = sum(len(row.raw) for row in rows)
        self.receipts: list[Receipt] | None = None
        self.error: BaseException | None = None

    @property
    def settled(self) -> bool:
        return self.receipts is not None or self.error is not None

    def outcome(self) -> list[Receipt]:
        if isinstance(self.error, Temporary):  # one for each thread: a traceback is not shared
            raise Temporary(str(self.error)) from self.error
        if self.error is not None:
            raise self.error
        assert self.receipts is not None
        return self.receipts


class GroupCommit:
    """Stores rows for any number of threads; all that wait at the same time share one commit."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: deque[_Request] = deque()
        self._queue = Lock()
        self._commit = Lock()

    def store(self, rows: Sequence[SpoolRow]) -> list[Receipt]:
        """Store all or none; returns once the commit is on disk. Raises `Temporary`, or what is wrong."""
        if not rows:
            return []
        request = _Request(rows)
        with self._queue:
            self._waiting.append(request)
        with self._commit:
            while not request.settled:
                self._settle(self._take())
        return request.outcome()

    def _take(self) -> list[_Request]:
        """All that wait, up to the bounds of a batch, first come first served."""
        batch: list[_Request] = []
        mails = size = 0
        with self._queue:
            while self._waiting:
                mails += len(self._waiting[0].rows)
                size += self._waiting[0].size
                if batch and (mails > MAX_BATCH_MAILS or size > MAX_BATCH_BYTES):
                    break
                batch.append(self._waiting.popleft())
        return batch

    def _settle(self, batch: list[_Request]) -> None:
        try:
            self._write(batch)
        except Temporary as error:
            for request in batch:
                request.error = error
        except Exception as error:  # noqa: BLE001 -- any fault of the content: given to its own caller
            if len(batch) == 1:
                batch[0].error = error
                return
            for request in batch:
                self._settle([request])
        except BaseException as error:
            for request in batch:
                request.error = error
            raise

    def _write(self, batch: list[_Request]) -> None:
        rows = [row for request in batch for row in request.rows]
        try:
            with transaction(self._engine) as session:
                receipts = insert_mails(session, rows)
        except CommitUnknown:
            receipts = self._look_again(rows)
        found = iter(receipts)
        for request in batch:
            request.receipts = [next(found) for _ in request.rows]

    def _look_again(self, rows: Sequence[SpoolRow]) -> list[Receipt]:
        """After a COMMIT of unknown outcome: the rows themselves tell, on a new connection."""
        with reading(self._engine) as session:
            ids = _known(session, {row.digest for row in rows})
        if any(row.digest not in ids for row in rows):
            raise Temporary("the connection to the database broke while it was saving")
        return [Receipt(ids[row.digest], already_had=False) for row in rows]


def insert_mails(session: Session, rows: Sequence[SpoolRow]) -> list[Receipt]:
    """Insert what is not there yet, inside the caller's transaction; returns in order."""
    first = {row.digest: row for row in reversed(rows)}
    ids = _known(session, first)
    new = set(first) - set(ids)
    if new:
        mine = _insert(session, [first[digest] for digest in sorted(new)])
        ids |= mine
        if len(mine) < len(new):  # another daemon was faster
            ids |= _known(session, new - set(mine))
            new = set(mine)
    receipts: list[Receipt] = []
    for row in rows:
        receipts.append(Receipt(ids[row.digest], already_had=row.digest not in new))
        new.discard(row.digest)
    _insert_positions(session, rows, receipts)
    return receipts


def _known(session: Session, digests: Iterable[str]) -> dict[str, int]:
    rows = session.execute(_IDS, {"digests": list(digests)})
    return dict(map(tuple, rows))


def _insert(session: Session, rows: Sequence[SpoolRow]) -> dict[str, int]:
    keys = blobs.put_all(session, [row.raw for row in rows])
    values = [
        {
            "digest": row.digest,
            "content_digest": row.content_digest,
            "blob": key,
            "size": len(row.raw),
            "source": row.source,
            "envelope_from": row.envelope_from,
            "recipient": row.recipient,
            "client": row.client,
            "auth_user": row.auth_user,
            "received_at": row.received_at,
            "next_try_at": row.received_at,
            "state": "pending",
            "attempts": 0,
            "parse_kills": 0,
        }
        for row, key in zip(rows, keys, strict=True)
    ]
    statement = insert_new(session, _INBOUND, "digest", returning=("digest", "id"))
    inserted = session.execute(statement, values)
    return dict(map(tuple, inserted))


def _insert_positions(session: Session, rows: Sequence[SpoolRow], receipts: Sequence[Receipt]) -> None:
    values = [
        {
            "mailbox": row.position.mailbox,
            "folder": row.position.folder,
            "uidvalidity": row.position.uidvalidity,
            "uid": row.position.uid,
            "inbound_id": receipt.inbound_id,
            "fetched_at": row.received_at,
        }
        for row, receipt in zip(rows, receipts, strict=True)
        if row.position is not None
    ]
    if values:
        statement = insert_new(session, _IMAP, "mailbox", "folder", "uidvalidity", "uid")
        session.execute(statement, values)
