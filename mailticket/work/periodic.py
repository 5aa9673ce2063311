"""What is made once for each slot of its reader's time, however many daemons look at it and how often."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy import Engine

from mailticket.config.desk import Desk
from mailticket.domain.slots import Slot
from mailticket.work.schedules import Schedules

log = structlog.get_logger()


class Periodic:
    """Something of the desk as configured now that is made slot by slot. `what` names it in the log."""

    what: str

    def __init__(
        self, engine: Engine, desk: Callable[[], Desk], secret: bytes, clock: Callable[[], datetime]
    ) -> None:
        self._engine = engine
        self._desk = desk
        self._secret = secret
        self._clock = clock
        self._schedules = Schedules(desk)
        self._seen: dict[str, str] = {}

    def _once(self, name: str, slot: Slot | None, make: Callable[[Slot], bool]) -> bool:
        """Make it unless its slot has not begun, or is known to be served; True where it was made.

        What cannot be made is logged and tried again with the next look; it costs nothing else.
        """
        if slot is None or self._seen.get(name) == slot.name:
            return False
        try:
            made = make(slot)
        except Exception:
            log.exception(f"{self.what}.failed", **{self.what: name}, slot=slot.name)
            return False
        self._seen[name] = slot.name  # spares the database a question with every look
        return made
