"""The demo's time: it goes on as real time does, and leaps from scene to scene."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

_MONDAY_MORNING = timedelta(hours=9)


class DemoClock:
    """Keeps the file that MAILTICKET_CLOCK_OFFSET names. The story begins on the next Monday at 09:00 UTC."""

    def __init__(self, file: Path) -> None:
        self.file = file
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self.beginning = today + timedelta(days=7 - today.weekday()) + _MONDAY_MORNING
        self.go(self.beginning)

    def go(self, moment: datetime) -> None:
        """Make it `moment` (aware UTC) now; an earlier moment than now changes nothing."""
        real = datetime.now(UTC)
        if self.file.exists() and moment <= self.now():
            return
        self._offset = moment - real
        passing = self.file.with_suffix(".new")
        passing.write_text(str(self._offset.total_seconds()), encoding="ascii")
        # renamed, because a reader that saw a half-written file would be years away
        passing.replace(self.file)

    def now(self) -> datetime:
        """The demo's time, aware UTC."""
        return datetime.now(UTC) + self._offset
