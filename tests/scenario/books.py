"""What the database of a daemon says, read past the product, and what must hold in it after any fault.

I1  each accepted mail is in exactly one thread entry
I2  each has at most one acknowledgement planned (here: exactly one, nothing brakes it)
I3  what the smarthost got is what is planned, plus at most one repeat per crash and connection,
    with the same Message-ID and bytes
I4  the database is sound
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email import message_from_bytes
from typing import Any

from sqlalchemy import NullPool, Row, create_engine, text
from sqlalchemy.engine import make_url


class Books:
    """The rows behind a database URL; a new connection for every question, so that nothing is held."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        driver = "postgresql+psycopg" if parsed.get_backend_name() == "postgresql" else "sqlite+pysqlite"
        self.engine = create_engine(parsed.set(drivername=driver), poolclass=NullPool)

    def rows(self, statement: str, **values: Any) -> Sequence[Row[Any]]:
        """The rows of a SELECT."""
        with self.engine.connect() as connection:
            return connection.execute(text(statement), values).all()

    def number(self, statement: str, **values: Any) -> int:
        """The one number a SELECT gives."""
        return int(self.rows(statement, **values)[0][0])

    def unfinished(self) -> tuple[int, int]:
        """Pending mails and queued ones."""
        pending = self.number("SELECT count(*) FROM inbound WHERE state = 'pending'")
        return pending, self.number("SELECT count(*) FROM outbox WHERE state = 'queued'")

    def due(self, now: datetime) -> tuple[int, int]:
        """Pending mails, and queued ones that are being sent or could be; in this order, as mails go."""
        pending = self.unfinished()[0]
        rows = self.rows("SELECT next_try_at, lease_until FROM outbox WHERE state = 'queued'")
        going = sum(row.lease_until is not None or moment(row.next_try_at) <= now for row in rows)
        return pending, going

    def assert_sound(self) -> None:
        """I4."""
        if self.engine.dialect.name == "sqlite":
            assert self.rows("PRAGMA integrity_check") == [("ok",)]
            assert self.rows("PRAGMA foreign_key_check") == []

    def assert_each_once(self, serials: Iterable[str]) -> None:
        """I1 and I2: one ticket, one entry, one acknowledgement for each serial, and nothing else."""
        expected = Counter(serials)
        assert max(expected.values()) == 1
        entries = [str(row[0]).strip() for row in self.rows("SELECT text FROM entry")]
        assert Counter(entries) == expected
        assert self.number("SELECT count(*) FROM ticket") == len(expected)
        answered = self.rows("SELECT ticket_id FROM outbox WHERE template = 'ticket.autoresp'")
        assert len(answered) == len({row[0] for row in answered}) == len(expected)
        states = {tuple(row) for row in self.rows("SELECT DISTINCT state FROM inbound")}
        assert states == {("done",)}

    def assert_delivered(self, sent: Sequence[tuple[str, bytes]], repeats: int) -> None:
        """I3, for the (recipient, bytes) that arrived."""
        rows = self.rows("SELECT message_id, recipient, state FROM outbox")
        assert {row.state for row in rows} <= {"sent"}
        arrived: dict[tuple[str, str], list[bytes]] = defaultdict(list)
        for recipient, raw in sent:
            message_id = str(message_from_bytes(raw)["Message-ID"]).strip("<>")
            arrived[message_id, recipient].append(raw)
        assert set(arrived) == {(row.message_id, row.recipient) for row in rows}
        assert all(len(set(copies)) == 1 for copies in arrived.values()), "a repeat differs"
        assert len(sent) <= len(rows) + repeats


def moment(value: Any) -> datetime:
    """A time as either database gives it."""
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
