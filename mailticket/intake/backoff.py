"""How long to wait before trying a server again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waiting times in seconds, doubling from `first` to `last`, each with up to half taken off.

    The jitter keeps many clients of one server from coming back at the same moment.
    """

    first: float = 5.0
    last: float = 600.0
    random: Callable[[], float] = random.random

    def delay(self, failures: int) -> float:
        """The wait after that many failures in a row, the first being 1."""
        whole = min(self.first * 2.0 ** min(failures - 1, 30), self.last)
        return max(self.first, whole * (1 - self.random() / 2))
