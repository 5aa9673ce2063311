"""What one listener lets its clients take: connections, messages per minute, bytes under way.

aiosmtpd has none of these limits. Everything here runs in the listener's event loop, so nothing is
locked, and asks no clock but the one it is given.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from mailticket.config.settings import Listener

WINDOW = 60.0
"""Seconds over which messages are counted."""
MAX_WINDOWS = 10_000
"""Clients remembered at once; expired ones are forgotten beyond that."""


def client_key(address: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 network of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))


@dataclass
class _Window:
    started: float
    messages: int = 0


class Limits:
    """The counters of one listener. `clock` gives monotonic seconds."""

    def __init__(self, listener: Listener, clock: Callable[[], float]) -> None:
        self._listener = listener
        self._clock = clock
        self._connections: Counter[str] = Counter()
        self._windows: dict[str, _Window] = {}
        self._in_flight = 0

    @property
    def connections(self) -> int:
        """Connections open now."""
        return self._connections.total()

    @property
    def in_flight(self) -> int:
        """Bytes of mails being received or stored now."""
        return self._in_flight

    def admit(self, client: str) -> bool:
        """Count a connection in; False, and nothing counted, when there are too many."""
        if self.connections >= self._listener.max_connections:
            return False
        if self._connections[client] >= self._listener.max_connections_per_client:
            return False
        self._connections[client] += 1
        return True

    def leave(self, client: str) -> None:
        """Count a connection out that `admit` counted in."""
        self._connections[client] -= 1
        if self._connections[client] <= 0:
            del self._connections[client]

    def take_message(self, client: str) -> bool:
        """Count a message; False when the client has had its share of this minute."""
        now = self._clock()
        window = self._windows.get(client)
        if window is None or now - window.started >= WINDOW:
            self._forget_expired(now)
            window = self._windows[client] = _Window(now)
        if window.messages >= self._listener.max_messages_per_minute:
            return False
        window.messages += 1
        return True

    def has_room(self, size: int) -> bool:
        """True when a message of that size could be received now."""
        return self._in_flight + size <= self._listener.max_in_flight

    def reservation(self) -> Reservation:
        """An empty share of the bytes under way, for one message."""
        return Reservation(self)

    def _forget_expired(self, now: float) -> None:
        if len(self._windows) >= MAX_WINDOWS:
            self._windows = {
                client: window for client, window in self._windows.items() if now - window.started < WINDOW
            }

    def _take_bytes(self, size: int) -> None:
        self._in_flight += size


class Reservation:
    """The bytes one message holds, from its first line until it is stored or dropped."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._size = 0

    def grow(self, size: int) -> bool:
        """Take that many bytes more; False, and nothing taken, when the listener has no room."""
        if not self._limits.has_room(size):
            return False
        self._limits._take_bytes(size)
        self._size += size
        return True

    def release(self) -> None:
        """Give everything back; calling it again does nothing."""
        self._limits._take_bytes(-self._size)
        self._size = 0
