"""The floor: the least that making a mail durable and understood can cost in Python on this machine.

Parse with the standard library (compat32, every part decoded), insert the same bytes with the raw
driver, one commit per mail (WAL, synchronous=FULL). No ticket, no answer, no protocol.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds per mail."""

    cpu_ms: float
    wall_ms: float


@dataclass(frozen=True, slots=True)
class Floor:
    """What the two steps cost, and both together, for `mails` mails of `mean_bytes` on average."""

    mails: int
    mean_bytes: int
    parse: Cost
    insert: Cost

    @property
    def both(self) -> Cost:
        """Parsed and durable."""
        return Cost(self.parse.cpu_ms + self.insert.cpu_ms, self.parse.wall_ms + self.insert.wall_ms)


def measure_floor(raws: Sequence[bytes], folder: Path) -> Floor:
    """Measure over these mails, in a fresh database in `folder`."""
    mean = sum(map(len, raws)) // len(raws)
    with TemporaryDirectory(dir=folder) as fresh:
        return Floor(len(raws), mean, cost(parse, raws), _inserting(raws, Path(fresh)))


def cost(step: Callable[[bytes], object], raws: Sequence[bytes]) -> Cost:
    """What `step` costs per mail."""
    wall, cpu = time.monotonic(), time.process_time()
    for raw in raws:
        step(raw)
    return Cost(1000 * (time.process_time() - cpu) / len(raws), 1000 * (time.monotonic() - wall) / len(raws))


def parse(raw: bytes) -> int:
    """Parse a mail and decode every part; how many bytes they have."""
    size = 0
    for part in message_from_bytes(raw).walk():
        payload = part.get_payload(decode=True)
        size += len(payload) if isinstance(payload, bytes) else 0
    return size


def _inserting(raws: Sequence[bytes], folder: Path) -> Cost:
    database = sqlite3.connect(folder / "floor.db", isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute(
            "CREATE TABLE mail (id INTEGER PRIMARY KEY, digest TEXT UNIQUE, received_at TEXT, raw BLOB)"
        )

        def insert(raw: bytes) -> None:
            database.execute("BEGIN IMMEDIATE")
            database.execute(
                "INSERT INTO mail (digest, received_at, raw) VALUES (?, ?, ?)",
                (sha256(raw).hexdigest(), time.time(), raw),
            )
            database.execute("COMMIT")

        return cost(insert, raws)
    finally:
        database.close()
