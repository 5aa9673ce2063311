"""Accounts of a listener: passwords checked, and guessing made slow.

A password stands in the configuration as it is, or hashed as "scrypt:SALT:HASH" (both in base64;
`mailticket hash-password` makes one; N=2**14, r=8, p=1, RFC 7914). Everything here runs in the
listener's event loop: a check costs 40 ms of it, and so the wrong ones of a minute are bounded.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Callable, Mapping

from mailticket.intake.limits import client_key

MAX_FAILURES = 5
"""Wrong passwords of one client within `WINDOW` seconds; then none of its passwords is looked at."""
MAX_FAILURES_IN_ALL = 60
"""The same of all clients together."""
WINDOW = 600.0

_PREFIX = "scrypt:"
_N, _R, _P = 2**14, 8, 1


def hash_password(password: str) -> str:
    """A password as it may stand in a configuration that others can read."""
    salt = os.urandom(16)
    return f"{_PREFIX}{_text(salt)}:{_text(_scrypt(password.encode(), salt))}"


def fits(stored: str, given: bytes) -> bool:
    """Whether `given` is the password that is stored, hashed or as it is, in constant time."""
    if not stored.startswith(_PREFIX):
        return hmac.compare_digest(stored.encode(), given)
    salt, _, expected = stored.removeprefix(_PREFIX).partition(":")
    try:
        raw_salt, raw_hash = (base64.b64decode(part, validate=True) for part in (salt, expected))
    except (binascii.Error, ValueError):
        return False
    return bool(raw_hash) and hmac.compare_digest(_scrypt(given, raw_salt), raw_hash)


class Accounts:
    """The accounts of one listener: name -> password as configured. `clock` gives monotonic seconds."""

    def __init__(self, passwords: Mapping[str, str], clock: Callable[[], float]) -> None:
        self._passwords = passwords
        self._clock = clock
        self._failures: list[tuple[float, str]] = []

    def __bool__(self) -> bool:
        return bool(self._passwords)

    def may_try(self, client: str) -> bool:
        """Whether a password of this client is looked at now."""
        oldest = self._clock() - WINDOW
        self._failures = [item for item in self._failures if item[0] > oldest]
        own = sum(1 for _, who in self._failures if who == client_key(client))
        return own < MAX_FAILURES and len(self._failures) < MAX_FAILURES_IN_ALL

    def check(self, client: str, login: bytes, password: bytes) -> str | None:
        """The account that these belong to, or None, which counts as a failure of the client."""
        name = login.decode("utf-8", "replace").strip().lower()
        stored = self._passwords.get(name)
        if stored is not None and fits(stored, password):
            return name
        self._failures.append((self._clock(), client_key(client)))
        return None


def _scrypt(password: bytes, salt: bytes) -> bytes:
    return hashlib.scrypt(password, salt=salt, n=_N, r=_R, p=_P)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
