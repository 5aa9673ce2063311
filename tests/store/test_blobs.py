"""Bytes are kept once under their SHA-256 and never handed out changed."""

from __future__ import annotations

from hashlib import sha256

import pytest
from sqlalchemy import Engine, func, select, update

from mailticket.store import blobs
from mailticket.store.blobs import DamagedBlob
from mailticket.store.dialect import table_of
from mailticket.store.engine import transaction
from mailticket.store.models import Blob
from tests.store.threads import at_once

BLOB = table_of(Blob)


@pytest.mark.parametrize("data", [b"", b"hello", b"\x00\xff" * 1000, bytes(range(256)) * 4000])
def test_bytes_come_back_as_they_were(engine: Engine, data: bytes) -> None:
    with transaction(engine) as session:
        key = blobs.put(session, data)
        assert key == sha256(data).hexdigest()
        assert blobs.get(session, key) == data
        assert session.execute(select(BLOB.c.size)).scalar_one() == len(data)


def test_equal_bytes_are_stored_once_whoever_stores_them(engine: Engine) -> None:
    def put(_: int) -> list[str]:
        with transaction(engine) as session:
            return blobs.put_all(session, [b"a", b"b", b"a"])

    answers = at_once(put)
    assert all(keys == answers[0] and keys[0] == keys[2] != keys[1] for keys in answers)
    with transaction(engine) as session:
        assert session.execute(select(func.count()).select_from(BLOB)).scalar_one() == 2
        assert blobs.put_all(session, []) == []


def test_missing_and_damaged_bytes_are_never_handed_out(engine: Engine) -> None:
    with transaction(engine) as session:
        good, bad = blobs.put_all(session, [b"good", b"bad"])
        session.execute(update(BLOB).where(BLOB.c.sha256 == bad).values(data=b"rot"))
        missing = "0" * 64
        with pytest.raises(DamagedBlob, match="missing"):
            blobs.get(session, missing)
        with pytest.raises(DamagedBlob, match="damaged"):
            blobs.get(session, bad)
        assert blobs.get_all(session, [good, bad, missing]) == {good: b"good"}
