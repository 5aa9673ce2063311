"""Bytes by content: raw mails, attachments, rendered mails, each stored once under its SHA-256."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from mailticket.errors import MailticketError
from mailticket.store.dialect import insert_new, table_of
from mailticket.store.models import Blob

_BLOB: Final = table_of(Blob)
_ALL: Final = select(_BLOB.c.sha256, _BLOB.c.data).where(
    _BLOB.c.sha256.in_(bindparam("keys", expanding=True))
)


class DamagedBlob(MailticketError):
    """The stored bytes are missing or are not those whose SHA-256 names them."""


def put(session: Session, data: bytes) -> str:
    """Store `data` unless it is there already; returns its SHA-256 in hex."""
    return put_all(session, (data,))[0]


def put_all(session: Session, items: Iterable[bytes]) -> list[str]:
    """Store what is not there already, in one statement; returns each item's SHA-256 in hex, in order."""
    keys: list[str] = []
    rows: dict[str, bytes] = {}
    for data in items:
        key = sha256(data).hexdigest()
        keys.append(key)
        rows[key] = data
    if rows:
        # ordered, so that two processes storing the same bytes wait for each other and never in a circle
        values = [{"sha256": key, "size": len(rows[key]), "data": rows[key]} for key in sorted(rows)]
        session.execute(insert_new(session, _BLOB, "sha256"), values)
    return keys


def get(session: Session, key: str) -> bytes:
    """The bytes with this SHA-256. Raises `DamagedBlob` when they are missing or not the same any more."""
    data = session.execute(select(_BLOB.c.data).where(_BLOB.c.sha256 == key)).scalar_one_or_none()
    if data is None:
        raise DamagedBlob(f"the stored bytes {key} are missing")
    return _checked(key, data)


def get_all(session: Session, keys: Iterable[str]) -> dict[str, bytes]:
    """Those of the wanted bytes that are there and undamaged, by key, in one query."""
    rows = session.execute(_ALL, {"keys": list(set(keys))})
    return {key: data for key, data in rows if sha256(data).hexdigest() == key}


def _checked(key: str, data: bytes) -> bytes:
    if sha256(data).hexdigest() != key:
        raise DamagedBlob(f"the stored bytes {key} are damaged")
    return data
