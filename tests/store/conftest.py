"""A migrated database of either kind, an inbox on it, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from mailticket.mail.types import RawMail
from mailticket.store.engine import open_engine
from mailticket.store.inbox import Inbox

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LEASE = timedelta(minutes=1)
MakeMail = Callable[..., RawMail]


@dataclass
class Clock:
    """Tells the time it was last set to."""

    now: datetime = field(default=NOW)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **how_far: float) -> datetime:
        """Move on by timedelta(**how_far); returns the new time."""
        self.now += timedelta(**how_far)
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Stands at NOW until it is moved."""
    return Clock()


@pytest.fixture
def engine(migrated_url: str) -> Iterator[Engine]:
    """A database of this test's own at the newest revision, on SQLite and on PostgreSQL."""
    engine = open_engine(migrated_url)
    yield engine
    engine.dispose()


@pytest.fixture
def inbox(engine: Engine, clock: Clock) -> Inbox:
    """An inbox that takes addresses for equal whose letters differ in case only."""
    return Inbox(engine, clock, str.lower)


@pytest.fixture
def mail() -> MakeMail:
    """Makes a mail; equal text gives equal bytes."""

    def make(text: str = "hello", recipient: str = "support@desk.example", source: str = "smtp") -> RawMail:
        raw = f"From: ann@customer.example\r\nSubject: {text}\r\n\r\n{text}\r\n".encode()
        return RawMail(raw, "ann@customer.example", recipient, source, "192.0.2.7")

    return make
