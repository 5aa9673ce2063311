"""The event log as a chain of digests: each event of a ticket vouches for the one before it.

An event's digest covers the digest before it, where the event stands, and a digest of its words
(who, why, before and after, and the text of the entry it tells of). The words are salted, so that
they can be erased on request: the salt goes with them, their digest stays, and nobody can find out
by guessing what they were. What cannot be erased is that something happened, when, and its kind.

A seal signs all digests recorded since the one before it, with a key that is not in the database.
So whoever can write to the database can make up events from now on, but not change what is sealed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

START: Final = bytes(32)
"""What stands before the first event of a ticket."""
SALT_BYTES: Final = 16
_SEALED: Final = struct.Struct("<QQI16s")
_DIGEST_BYTES: Final = 16
"""So much of each digest a seal holds: finding another event with these costs 2**128 tries."""


@dataclass(frozen=True, slots=True)
class EntryWords:
    """What the event about a new thread entry vouches for, besides its own words."""

    kind: str
    audience: str
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands: the ticket it was recorded on, its position there from 1, kind and time."""

    chain: int
    seq: int
    entry_id: int | None
    kind: str
    at: datetime
    trust: str | None


@dataclass(frozen=True, slots=True)
class SealedEvent:
    """An event as a seal holds it. `digest`: the first 16 bytes."""

    id: int
    chain: int
    seq: int
    digest: bytes


def words_digest(
    salt: bytes, actor: str, reason: str, data: dict[str, Any], entry: EntryWords | None
) -> bytes:
    """The digest of an event's words. `data` is JSON-able and keeps the order of its keys."""
    told = [actor, reason, data]
    if entry is not None:
        told.append([entry.kind, entry.audience, entry.author, entry.text])
    return hashlib.sha256(salt + _json(told)).digest()


def link(before: bytes, place: Place, words: bytes) -> bytes:
    """The digest of an event. before: the digest of the event before it, or START."""
    at = place.at.astimezone(UTC).isoformat(timespec="microseconds")
    fixed = [place.chain, place.seq, place.entry_id, place.kind, at, place.trust]
    return hashlib.sha256(before + words + _json(fixed)).digest()


def seal_key(secret: bytes) -> bytes:
    """The key that seals are signed with, from the desk's secret."""
    return hmac.digest(secret, b"mailticket event log seal v1", "sha256")


def key_name(key: bytes) -> str:
    """Tells keys apart without telling them: 16 hexadecimal digits."""
    return hashlib.sha256(b"name of " + key).hexdigest()[:16]


def pack(events: Iterable[SealedEvent]) -> bytes:
    """The events of a seal as bytes."""
    return zlib.compress(b"".join(_SEALED.pack(one.id, one.chain, one.seq, one.digest) for one in events))


def unpack(packed: bytes) -> list[SealedEvent] | None:
    """The events of a seal; None for bytes that `pack` did not make."""
    try:
        raw = zlib.decompress(packed)
        return [SealedEvent(*fields) for fields in _SEALED.iter_unpack(raw)]
    except (zlib.error, struct.error):
        return None


def short(digest: bytes) -> bytes:
    """The part of an event's digest that a seal holds."""
    return digest[:_DIGEST_BYTES]


def seal_digest(key: bytes, before: str, number: int, made_at: datetime, packed: bytes) -> str:
    """The signature of a seal, in hexadecimal. before: that of the seal before it, "" for the first."""
    at = made_at.astimezone(UTC).isoformat(timespec="microseconds")
    head = _json([before, number, at])
    return hmac.new(key, head + hashlib.sha256(packed).digest(), "sha256").hexdigest()


def ranges(numbers: Sequence[int]) -> str:
    """Sorted numbers in words: "3-5, 9"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in parts)


def _json(value: Any) -> bytes:
    """Byte for byte the same before and after the database (keys stay in their order)."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")
