"""Customers' mails with serial numbers, each from a sender and domain of its own, so that nothing brakes."""

from __future__ import annotations

import threading
import time

from tests.scenario.daemon import Daemon, new_mail


def serials(first: int, count: int) -> list[str]:
    """The serial numbers, as they stand in the mails."""
    return [f"serial-{number:05d}" for number in range(first, first + count)]


def numbered(names: list[str]) -> list[bytes]:
    """One mail for each serial number, its text nothing but that."""
    return [
        new_mail(
            f"About {name}",
            name,
            sender=f"Customer <somebody@{name}.example>",
            message_id=f"{name}@mua.example",
        )
        for name in names
    ]


class Feeder(threading.Thread):
    """Sends numbered mails one after the other, each again until it is accepted, as an MTA does."""

    def __init__(
        self, daemon: Daemon, names: list[str], *, pause: float = 0.0, patience: float = 200.0
    ) -> None:
        super().__init__(daemon=True)
        self.desk = daemon
        self.names = names
        self.accepted: list[str] = []
        self.refusals = 0
        self._pause = pause
        self._ends = time.monotonic() + patience

    def run(self) -> None:
        for name in self.names:
            while self.desk.offer(numbered([name])):
                self.refusals += 1
                if time.monotonic() > self._ends:
                    return
                time.sleep(0.1)
            self.accepted.append(name)
            time.sleep(self._pause)

    def wait(self) -> None:
        """Until all are accepted."""
        self.join(max(0.0, self._ends - time.monotonic()) + 10)
        assert self.accepted == self.names
