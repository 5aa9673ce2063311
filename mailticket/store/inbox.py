"""Incoming mails: stored, claimed, finished, and looked after by an operator.

A mail is claimed with a lease: it is not due again until the lease ends. Whoever dies holding one
loses nothing: the mail comes back, its `attempts` one higher. Whatever is done for a mail is
committed in the transaction that calls `finish`, and `finish` succeeds once: a worker that was
believed dead loses the race and rolls back.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Engine, Row, bindparam, func, literal_column, select, update
from sqlalchemy.orm import Session

from mailticket.errors import Permanent, Temporary
from mailticket.mail.charset import clean_text
from mailticket.mail.trace import content_digest
from mailticket.mail.types import RawMail
from mailticket.store import blobs
from mailticket.store.dialect import claimable, table_of
from mailticket.store.engine import reading, transaction
from mailticket.store.imap_ledger import ImapLedger
from mailticket.store.models import Inbound
from mailticket.store.ports import FolderPosition, Receipt
from mailticket.store.spool import GroupCommit, SpoolRow

CLAIM_BYTES: Final = 32_000_000
"""A claim takes no further mail beyond this many bytes, so that a batch of large ones fits in memory."""

_INBOUND: Final = table_of(Inbound)
_C: Final = _INBOUND.c


class InboundState(enum.StrEnum):
    """Where an incoming mail stands."""

    PENDING = "pending"
    DONE = "done"
    IGNORED = "ignored"
    HELD = "held"
    REJECTED = "rejected"
    FAILED = "failed"


RETRIABLE: Final = (InboundState.FAILED, InboundState.HELD, InboundState.REJECTED, InboundState.IGNORED)

_PENDING: Final = _C.state == literal_column("'pending'")
"""A literal, so that the plans PostgreSQL prepares know how rare it is."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A mail a worker holds until its lease ends. `attempts` counts this try."""

    id: int
    raw: bytes
    envelope_from: str | None
    recipient: str
    source: str
    client: str | None
    auth_user: str | None
    received_at: datetime
    attempts: int
    parse_kills: int
    content_digest: str
    released: bool = False


@dataclass(frozen=True, slots=True)
class StoredMail:
    """What an operator is shown of a mail. `decision` is None in lists and before it was worked on."""

    id: int
    state: InboundState
    source: str
    envelope_from: str | None
    recipient: str
    client: str | None
    auth_user: str | None
    received_at: datetime
    size: int
    attempts: int
    parse_kills: int
    next_try_at: datetime
    lease_until: datetime | None
    error: str | None
    message_id: str | None
    sender: str | None
    subject: str | None
    ticket_id: int | None
    finished_at: datetime | None
    content_digest: str
    decision: dict[str, Any] | None = None


class LostClaim(Temporary):
    """Somebody else finished the mail meanwhile; what was done for it here must be rolled back."""


# Statements of the hot path are built once: building one costs more than running it.
_DUE: Final = claimable(
    select(_C.blob, _C.size, *(_C[name] for name in Claimed.__dataclass_fields__ if name != "raw"))
    .where(_PENDING, _C.next_try_at <= bindparam("now"))
    .order_by(_C.next_try_at, _C.id)
    .limit(bindparam("most")),
    _INBOUND,
)
_HOLD: Final = (
    update(_INBOUND)
    .where(_C.id.in_(bindparam("ids", expanding=True)))
    .values(lease_until=bindparam("until"), next_try_at=bindparam("until"), attempts=_C.attempts + 1)
)
_FINISH: Final = (
    update(_INBOUND)
    .where(_C.id == bindparam("which"), _PENDING)
    .values(lease_until=None, error=None, parse_kills=_C.parse_kills + bindparam("kills"))
    .values(
        {
            name: bindparam(name)
            for name in (
                "state", "decision", "ticket_id", "message_id", "sender", "subject", "finished_at",
            )
        }
    )
    .returning(_C.id)
)  # fmt: skip

_SHOWN: Final = tuple(_C[name] for name in StoredMail.__dataclass_fields__)
_LISTED: Final = _SHOWN[:-1]
"""Without the decision, which is large."""


class Inbox(ImapLedger):
    """The spool of incoming mails on one database; safe to call from any thread.

    `clock` gives aware UTC; `canonical_recipient` turns a RCPT address into the one it is the same
    as (case, + extension), so that a mail arriving twice is known whichever form was used.
    Every method raises `Temporary` when the database cannot do it now.
    """

    def __init__(
        self, engine: Engine, clock: Callable[[], datetime], canonical_recipient: Callable[[str], str]
    ) -> None:
        super().__init__(engine, clock)
        self._canonical = canonical_recipient
        self._commits = GroupCommit(engine)

    # -- Spool (store/ports.py), and of Ledger what stores a mail --

    def store(self, mails: Sequence[RawMail]) -> list[Receipt]:
        """Store every mail or none; returns, in order, once the commit is on disk."""
        now = self._clock()
        return self._commits.store([self._row(mail, now, None) for mail in mails])

    def store_fetched(self, position: FolderPosition, mail: RawMail) -> Receipt:
        """Store the mail and its position on the IMAP server in one commit."""
        return self._commits.store([self._row(mail, self._clock(), position)])[0]

    # -- the workers --

    def claim(self, now: datetime, limit: int, lease: timedelta) -> list[Claimed]:
        """Up to `limit` mails that are due, oldest first, each held until `now + lease`."""
        with transaction(self._engine) as session:
            chosen = _within_bytes(session.execute(_DUE, {"now": now, "most": limit}).all())
            if not chosen:
                return []
            session.execute(_HOLD, {"ids": [row.id for row in chosen], "until": now + lease})
            data = blobs.get_all(session, [row.blob for row in chosen])
            lost = [row.id for row in chosen if row.blob not in data]
            if lost:
                _mark_failed(session, lost, "the stored bytes of this mail are damaged", now)
        return [_claimed(row, data[row.blob]) for row in chosen if row.blob in data]

    def failed_try(
        self, inbound_id: int, error: str, retry_at: datetime | None, parse_killed: bool = False
    ) -> None:
        """A try went wrong: again at `retry_at`, or never (state failed) when it is None."""
        values: dict[str, Any] = {"lease_until": None, "error": clean_text(error, limit=4000)}
        if retry_at is None:
            values |= {"state": InboundState.FAILED.value, "finished_at": self._clock()}
        else:
            values["next_try_at"] = retry_at
        if parse_killed:
            values["parse_kills"] = _C.parse_kills + 1
        with transaction(self._engine) as session:
            session.execute(update(_INBOUND).where(_C.id == inbound_id, _PENDING).values(values))

    def release(self, inbound_ids: Iterable[int]) -> None:
        """Give claims back that were not worked on, so that the try does not count."""
        wanted = list(inbound_ids)
        if wanted:
            with transaction(self._engine) as session:
                session.execute(
                    update(_INBOUND)
                    .where(_C.id.in_(wanted), _PENDING, _C.lease_until.is_not(None))
                    .values(lease_until=None, next_try_at=self._clock(), attempts=_C.attempts - 1)
                )

    # -- the operator --

    def list_mails(self, states: Sequence[InboundState] = (), limit: int = 100) -> list[StoredMail]:
        """Mails in any of `states` (none given: in all), newest first."""
        query = select(*_LISTED).order_by(_C.received_at.desc(), _C.id.desc()).limit(limit)
        if states:
            query = query.where(_C.state.in_([str(state) for state in states]))
        with reading(self._engine) as session:
            return [_stored(row) for row in session.execute(query)]

    def show(self, inbound_id: int) -> StoredMail:
        """One mail with its decision. Raises `Permanent` when there is none with this number."""
        with reading(self._engine) as session:
            row = session.execute(select(*_SHOWN).where(_C.id == inbound_id)).one_or_none()
        if row is None:
            raise _no_such_mail(inbound_id)
        return _stored(row)

    def raw(self, inbound_id: int) -> bytes:
        """The mail as it was received. Raises `Permanent` when there is none with this number."""
        with reading(self._engine) as session:
            key = session.execute(select(_C.blob).where(_C.id == inbound_id)).scalar_one_or_none()
            if key is None:
                raise _no_such_mail(inbound_id)
            return blobs.get(session, key)

    def retry(self, inbound_id: int, *, release: bool = False) -> None:
        """Work on a failed, held, rejected or ignored mail again. Raises `Permanent` for any other.

        release: let it past bans and policies this time; what the mail may do stays what it proves.
        """
        fresh: dict[str, Any] = {"state": "pending", "attempts": 0, "parse_kills": 0, "lease_until": None}
        fresh["released"] = release
        with transaction(self._engine) as session:
            changed = session.execute(
                update(_INBOUND)
                .where(_C.id == inbound_id, _C.state.in_([state.value for state in RETRIABLE]))
                .values(**fresh, finished_at=None, next_try_at=self._clock())
                .returning(_C.id)
            ).all()
            if changed:
                return
            state = session.execute(select(_C.state).where(_C.id == inbound_id)).scalar_one_or_none()
        if state is None:
            raise _no_such_mail(inbound_id)
        raise Permanent(
            f"mail {inbound_id} is {state}: only failed, held, rejected and ignored mails are retried"
        )

    def counts(self) -> dict[InboundState, int]:
        """How many mails are in each state; states without any count 0."""
        with reading(self._engine) as session:
            found = session.execute(select(_C.state, func.count()).group_by(_C.state)).all()
        numbers: dict[str, int] = dict(map(tuple, found))
        return {state: numbers.get(state.value, 0) for state in InboundState}

    def oldest_pending(self) -> datetime | None:
        """When the mail that waits longest was received; None when none waits."""
        with reading(self._engine) as session:
            oldest: datetime | None = session.execute(
                select(func.min(_C.received_at)).where(_PENDING)
            ).scalar_one()
        return oldest

    def _row(self, mail: RawMail, now: datetime, position: FolderPosition | None) -> SpoolRow:
        content = content_digest(mail.raw)
        recipient = clean_text(mail.recipient, limit=1000, one_line=True)
        return SpoolRow(
            digest=sha256(content + self._canonical(recipient).encode()).hexdigest(),
            content_digest=content.hex(),
            raw=mail.raw,
            source=clean_text(mail.source, limit=80, one_line=True),
            envelope_from=_clean(mail.envelope_from),
            recipient=recipient,
            client=_clean(mail.client, 64),
            auth_user=_clean(mail.auth_user),
            received_at=now,
            position=position,
        )


def finish(
    session: Session,
    inbound_id: int,
    *,
    state: InboundState,
    decision: dict[str, Any],
    ticket_id: int | None,
    message_id: str | None,
    sender: str | None,
    subject: str | None,
    now: datetime,
    parse_killed: bool = False,
) -> None:
    """Record what became of a claimed mail, inside the transaction that did it.

    parse_killed: the process that read it had to be ended.

    Raises `LostClaim` when the mail is no longer pending: the caller's transaction (or savepoint)
    must then be rolled back, because somebody else has done the work.
    """
    changed = session.execute(
        _FINISH,
        {
            "which": inbound_id,
            "state": state.value,
            "decision": decision,
            "ticket_id": ticket_id,
            "message_id": message_id,
            "sender": sender,
            "subject": subject,
            "finished_at": now,
            "kills": int(parse_killed),
        },
    ).all()
    if not changed:
        raise LostClaim(f"mail {inbound_id} was finished by somebody else")


def _within_bytes(rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """The first rows that fit into `CLAIM_BYTES`, at least one."""
    chosen: list[Row[Any]] = []
    total = 0
    for row in rows:
        total += row.size
        if chosen and total > CLAIM_BYTES:
            break
        chosen.append(row)
    return chosen


def _claimed(row: Row[Any], raw: bytes) -> Claimed:
    values = {name: getattr(row, name) for name in Claimed.__dataclass_fields__ if name != "raw"}
    values["attempts"] += 1
    return Claimed(raw=raw, **values)


def _mark_failed(session: Session, ids: Sequence[int], error: str, now: datetime) -> None:
    session.execute(
        update(_INBOUND)
        .where(_C.id.in_(ids))
        .values(state=InboundState.FAILED.value, error=error, lease_until=None, finished_at=now)
    )


def _stored(row: Row[Any]) -> StoredMail:
    values = dict(row._mapping)
    values["state"] = InboundState(values["state"])
    return StoredMail(**values)


def _no_such_mail(inbound_id: int) -> Permanent:
    return Permanent(f"there is no mail with the number {inbound_id}")


def _clean(text: str | None, limit: int = 1000) -> str | None:
    return None if text is None else clean_text(text, limit=limit, one_line=True)
