"""What the desk mails by itself: digests and reports to those who work here, and follow-ups."""

from __future__ import annotations

from datetime import time
from typing import Literal, Self

from pydantic import Field, model_validator

from mailticket.config.cron import CronLine
from mailticket.config.section import Section
from mailticket.config.values import ClockTime, Line, NotThis, PositiveDuration, Weekday

Scope = Literal["managed", "own", "all"]


class Digest(Section):
    """The managers' daily mail: what is open and overdue. Sent at a local time of each reader."""

    enabled: bool = True
    at: ClockTime = time(8, 0)
    weekdays: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    schedule: str | None = None
    """Skipped on dates on which this schedule never opens: holidays, closures."""
    when_empty: bool = False


class NamedDigest(Section):
    """A digest of the operator's own making.

    scope  "managed": the departments a reader manages; "own": what a reader has to do; "all". The
           lists below narrow it: together they describe a queue.
    """

    key: str = ""
    name: Line
    enabled: bool = True
    readers: tuple[str, ...] = ()
    scope: Scope = "all"
    departments: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    unassigned: bool = False
    at: ClockTime = time(8, 0)
    weekdays: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    cron: CronLine | None = None
    schedule: str | None = None
    when_empty: bool = False
    health: bool = True

    @model_validator(mode="after")
    def _has_readers(self) -> Self:
        if self.scope == "all" and not self.readers:
            raise NotThis('needs readers: only "managed" and "own" name them by themselves')
        return self


class NamedReport(Section):
    """The SLA report by mail, about the whole month, week or quarter before the day it is due."""

    key: str = ""
    name: Line
    enabled: bool = True
    readers: tuple[str, ...] = Field(min_length=1)
    by: Literal["department", "agent", "topic", "priority"] = "department"
    period: Literal["week", "month", "quarter"] = "month"
    cron: CronLine = "0 8 1 * *"


class FollowUp(Section):
    """What happens while nobody writes. Durations count in the hours of `schedule`; without one, always.

    A step that has no duration is not taken, and so neither is what comes after it in time only:
    `resolve` counts from the last reminder there is, or from when the waiting began.
    """

    key: str = ""
    schedule: str | None = None
    nudge: PositiveDuration | None = None
    second_nudge: PositiveDuration | None = None
    resolve: PositiveDuration | None = None
    close: PositiveDuration | None = None
    tell_close: bool = False
    archive: PositiveDuration | None = None
    """After this much time without a word a closed ticket is archived."""
    keep_in_loop: PositiveDuration | None = None
    update_customer: Literal["never", "once", "always"] = "never"
    unassign: PositiveDuration | None = None
    """A ticket that its assignee leaves lying for so long goes back to the department."""
    longest_absence: int = Field(default=60, ge=0, le=366)
    """Days that an out-of-office may put a step off, counted from its mail."""

    @model_validator(mode="after")
    def _second_follows_first(self) -> Self:
        if self.second_nudge is not None and self.nudge is None:
            raise NotThis("has a second_nudge and no nudge")
        if self.update_customer != "never" and self.keep_in_loop is None:
            raise NotThis("has update_customer and no keep_in_loop")
        return self
