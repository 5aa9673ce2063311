"""Mint and verify the signed tokens that tie a mail to a person, a ticket and an entry.

A token travels in the reply address (`support+TOKEN@desk.example`), in the Message-ID
(`mt.TOKEN.SERIAL@desk.example`) and in a body marker (`[mt:TOKEN]`), because hosts drop each of
them somewhere. It is lower-case base32 without padding over

    1 byte     version (high four bits) and role (low four bits)
    varint     ticket id
    varint     entry id, the newest entry its recipient had seen
    2 varints  in a token of a one-tap action only: which action, and the day it was offered
    5 bytes    who: the start of SHA-256 of the recipient's canonical identity
    16 bytes   the start of HMAC-SHA256 over all before it, with a key derived per version and role

so guessing one costs 2**128 tries, and a token says nothing about another ticket, entry, person or
role. Every token has exactly one spelling: changing any character, apart from its case, which
hosts fold, makes it none of ours.
"""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import date, timedelta

_VERSION = 1
_WHO_BYTES = 5
_MAC_BYTES = 16
_MAX_ID = 2**63 - 1
_MIN_LENGTH = 39
"""Base32 length of the shortest token: role, two one-byte ids, who and MAC are 24 bytes."""
_MAX_LENGTH = 77
"""Two ids of 2**63-1 (9 bytes each), an action of 2**32-1 and a day of 2**16-1 make 48 bytes."""
_MAX_ACTION = 2**32 - 1
_MAX_DAY = 2**16 - 1
_FIRST_DAY = date(2026, 1, 1)
_MAX_LOCAL_PART = 64
"""RFC 5321 section 4.5.3.1.1."""

_SHAPE = re.compile(rf"[a-z2-7]{{{_MIN_LENGTH},{_MAX_LENGTH}}}", re.ASCII)
_SERIAL = re.compile(r"[a-z0-9]+", re.ASCII)
_MESSAGE_ID_PREFIX = "mt."


class Role(enum.IntEnum):
    """In which role the holder of a token acts; part of what is signed."""

    CUSTOMER = 1
    AGENT = 2
    QUESTION = 3
    """An outsider's answer to the question about a held reply; its `ticket` is the held one."""
    BOUNCE = 4
    """The VERP address that is the envelope sender of an outgoing mail."""
    CHALLENGE = 5
    """An agent's answer to whether an address is theirs; its `ticket` is the alias, its `entry` 0."""
    ACTION = 6
    """One action by one tap: the address alone says what is asked, and the mail needs no text."""
    LISTING = 7
    """An agent's answer to a numbered mail (a list, a digest); its `ticket` is the issue, its `entry` 0."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. `who` compares with `who_of(identity)` of the presumed sender.

    action  of a one-tap token: its code (domain/taps.py); its `entry` is whatever the action is about
    offered of a one-tap token: the day it was made (UTC)
    """

    role: Role
    ticket: int
    entry: int
    who: bytes
    action: int = 0
    offered: date | None = None


def who_of(identity: str) -> bytes:
    """The 5 bytes a token keeps of a person.

    identity: the canonical address of a customer, or "agent:KEY" of an agent; hashed as given.
    """
    return hashlib.sha256(identity.encode("utf-8", "backslashreplace")).digest()[:_WHO_BYTES]


def mint(secret: bytes, role: Role, ticket: int, entry: int, identity: str) -> str:
    """The token of this person, in this role, for this ticket and entry.

    Raises ValueError for an empty secret and for ids outside 0..2**63-1.
    """
    if not secret:
        raise ValueError("the secret is empty")
    if role is Role.ACTION:
        raise ValueError("a token of an action names it: mint_action")
    return _signed(secret, role, _varint(ticket) + _varint(entry), identity)


def mint_action(secret: bytes, ticket: int, entry: int, identity: str, *, action: int, offered: date) -> str:
    """The token with which this person asks for one action on this ticket, and for nothing else.

    action: its code, 0..2**32-1. offered: today (UTC), from 2026 on, so that it can expire.
    Raises ValueError as `mint` does.
    """
    day = (offered - _FIRST_DAY).days
    if not (secret and 0 <= action <= _MAX_ACTION and 0 <= day <= _MAX_DAY):
        raise ValueError(f"an action that cannot be written into a token: {action}, {offered}")
    return _signed(
        secret, Role.ACTION, _varint(ticket) + _varint(entry) + _varint(action) + _varint(day), identity
    )


def _signed(secret: bytes, role: Role, numbers: bytes, identity: str) -> str:
    payload = bytes([_VERSION << 4 | role]) + numbers + who_of(identity)
    return _encode(payload + _mac(secret, role, payload))


def verify(secret: bytes, token: str) -> Claims | None:
    """What `token` says, or None for anything that we did not mint. Never raises.

    The case of letters does not count. The comparison takes the same time for any wrong MAC.
    """
    raw = _decode(token)
    if not secret or raw is None:
        return None
    payload, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    try:
        role = Role(payload[0] & 0x0F)
    except ValueError:
        return None
    if payload[0] >> 4 != _VERSION or not hmac.compare_digest(_mac(secret, role, payload), mac):
        return None
    ids, who = payload[1:-_WHO_BYTES], payload[-_WHO_BYTES:]
    ticket, used = _read_varint(ids, 0)
    entry, used = _read_varint(ids, used)
    if role is not Role.ACTION:
        return Claims(role, ticket, entry, who)
    action, used = _read_varint(ids, used)
    day, _ = _read_varint(ids, used)
    return Claims(role, ticket, entry, who, action, _FIRST_DAY + timedelta(days=day))


def reply_address(address: str, token: str) -> str:
    """`support@desk.example` -> `support+TOKEN@desk.example`.

    Raises ValueError when `address` has no local part or domain, or when the new local part would
    be longer than the 64 octets of RFC 5321.
    """
    local, at, domain = address.rpartition("@")
    extended = f"{local}+{token}"
    if not (local and at and domain):
        raise ValueError(f"not an address: {address!r}")
    if len(extended.encode("utf-8", "replace")) > _MAX_LOCAL_PART:
        raise ValueError(f"the local part of {address!r} leaves no room for a token within 64 octets")
    return f"{extended}@{domain}"


def token_of_address(address: str) -> str | None:
    """What stands in the place of a token in an address, in lower case, not yet verified.

    The last `+` counts, so that an address wrapped by SRS or BATV on its way still shows its token.
    """
    local, at, _ = address.strip().strip("<>").rpartition("@")
    _, plus, extension = local.rpartition("+")
    return _shaped(extension) if at and plus else None


def message_id(token: str, serial: str, domain: str) -> str:
    """A Message-ID without angle brackets: `mt.TOKEN.SERIAL@DOMAIN`.

    serial: [a-z0-9]+, another one for every outgoing mail; ValueError otherwise.
    """
    if not _SERIAL.fullmatch(serial):
        raise ValueError(f"a serial is made of a-z and 0-9: {serial!r}")
    return f"{_MESSAGE_ID_PREFIX}{token}.{serial}@{domain}"


def token_of_message_id(message_id: str) -> str | None:
    """What stands in the place of a token in a Message-ID of ours, in lower case, not yet verified."""
    left, at, _ = message_id.strip().strip("<>").rpartition("@")
    if not at or not left.lower().startswith(_MESSAGE_ID_PREFIX):
        return None
    token, dot, serial = left[len(_MESSAGE_ID_PREFIX) :].lower().partition(".")
    return _shaped(token) if dot and _SERIAL.fullmatch(serial) else None


def body_marker(token: str) -> str:
    """The marker that carries a token inside a mail's body: `[mt:TOKEN]`; mail/marker.py finds it again."""
    return f"[mt:{token}]"


def _shaped(candidate: str) -> str | None:
    folded = candidate.lower()
    return folded if _SHAPE.fullmatch(folded) else None


def _mac(secret: bytes, role: Role, payload: bytes) -> bytes:
    key = hmac.digest(secret, b"mailticket token v%d role %d" % (_VERSION, role), "sha256")
    return hmac.digest(key, payload, "sha256")[:_MAC_BYTES]


def _encode(raw: bytes) -> str:
    return base64.b32encode(raw).decode("ascii").rstrip("=").lower()


def _decode(token: str) -> bytes | None:
    """The bytes of a token in its one spelling; base32 would else ignore the last character's spare bits."""
    folded = _shaped(token)
    if folded is None:
        return None
    try:
        raw = base64.b32decode(folded.upper() + "=" * (-len(folded) % 8))
    except binascii.Error:
        return None
    return raw if _encode(raw) == folded else None


def _varint(number: int) -> bytes:
    """Unsigned LEB128, the shortest form."""
    if not 0 <= number <= _MAX_ID:
        raise ValueError(f"an id is a number of 0..2**63-1, not {number}")
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _read_varint(raw: bytes, start: int) -> tuple[int, int]:
    """The number at `start` and the index after it; only ever given bytes that `_varint` wrote."""
    number = 0
    for index in range(start, len(raw)):
        number |= (raw[index] & 0x7F) << 7 * (index - start)
        if not raw[index] & 0x80:
            return number, index + 1
    raise AssertionError("a token with a valid MAC holds two whole numbers")
