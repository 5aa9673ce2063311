"""The desk's schedules, compiled once per configuration: building a year of holidays costs 0.3 s."""

from __future__ import annotations

from collections.abc import Callable

from mailticket.config.desk import Desk
from mailticket.domain.schedule import WorkingTimes


class Schedules:
    """Hands out the working times of the desk as configured now."""

    def __init__(self, desk: Callable[[], Desk]) -> None:
        self._desk = desk
        self._compiled: tuple[Desk, WorkingTimes] | None = None

    def now(self) -> WorkingTimes:
        """The compiled schedules; compiled again only after the configuration changed."""
        desk, compiled = self._desk(), self._compiled
        if compiled is None or compiled[0] is not desk:
            compiled = self._compiled = (desk, WorkingTimes(desk))
        return compiled[1]
