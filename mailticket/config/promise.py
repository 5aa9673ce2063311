"""What is promised, and who hears before and after a promise is broken: SLA plans and their steps."""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, TypeAdapter

from mailticket.config.problems import did_you_mean
from mailticket.config.section import Section
from mailticket.config.values import Duration, Line, NotThis, PositiveDuration, canonical_address

Target = Literal["first_response", "next_response", "update", "resolution"]
TARGETS: tuple[Target, ...] = get_args(Target)

ROLES = ("concerned", "assignee", "team", "lead", "department", "manager")
"""Who may be told by what they are to the ticket; others are "agent:KEY", "team:KEY" or an address.

"concerned" is the assignee, else the team, else the department: whoever hears of new mail on the ticket."""

_PERCENT = re.compile(r"(\d{1,4})\s?%", re.ASCII)
_DURATION: TypeAdapter[timedelta] = TypeAdapter(Duration)


@lru_cache(maxsize=256)
def parse_point(text: str) -> tuple[Fraction, timedelta]:
    """A point of a promise as (share of the promised time, shift): "75%", "-30m", "+2h".

    Raises ValueError (`NotThis`) for anything else.
    """
    percent = _PERCENT.fullmatch(text)
    if percent is not None:
        return Fraction(int(percent.group(1)), 100), timedelta(0)
    if text[:1] in ("+", "-"):
        try:
            shift = _DURATION.validate_python(text[1:])
        except ValueError:
            shift = None
        if shift is not None:
            return Fraction(1), shift if text[0] == "+" else -shift
    raise NotThis('must be a point like "75%" of the promised time, "-30m" before or "+2h" after it is over')


def _point(text: str) -> str:
    parse_point(text)
    return text


def _target(text: str) -> str:
    if text not in TARGETS:
        raise NotThis("is nothing a plan promises", did_you_mean(text, TARGETS))
    return text


def _reader(text: str) -> str:
    kind, colon, key = text.partition(":")
    if text in ROLES or (colon and kind in ("agent", "team") and key):
        return text
    if "@" in text:
        return canonical_address(text)
    known = (*ROLES, "agent:KEY", "team:KEY")
    raise NotThis("is nobody who can be told", did_you_mean(text, known) or f"Known are: {', '.join(known)}")


Point = Annotated[str, AfterValidator(_point)]
"""When a step is taken: "75%" of the promised time, "-30m" before it is over, "+2h" after."""

TargetName = Annotated[str, AfterValidator(_target)]
"""One of `TARGETS`."""

ReaderName = Annotated[str, AfterValidator(_reader)]
"""One of `ROLES`, "agent:KEY", "team:KEY", or a mail address."""


class Step(Section):
    """What happens at one point of a promise: who is told, and what is done to the ticket.

    A step at 100 % takes the place of the plan's own overdue alert. `until_ack` steps are not taken,
    and not repeated, once an agent has answered `#ack`: a ladder is a row of them.
    """

    at: Point
    targets: tuple[TargetName, ...] = ()
    tell: tuple[ReaderName, ...] = ()
    any_hour: bool = False
    until_ack: bool = False
    repeat: PositiveDuration | None = None
    priority: str | None = None
    agent: str | None = None
    team: str | None = None
    department: str | None = None
    tags: tuple[Line, ...] = ()
    webhooks: tuple[str, ...] = ()

    def threshold(self, promised: timedelta) -> timedelta:
        """How much of the promised working time has to be used up for this step; never negative."""
        share, shift = parse_point(self.at)
        seconds = Fraction(promised // timedelta(microseconds=1)) * share
        return max(timedelta(microseconds=int(seconds)) + shift, timedelta(0))


class PriorityTargets(Section):
    """What a priority makes of a plan: `factor` multiplies every target, a duration replaces one."""

    factor: float | None = Field(default=None, gt=0, le=100)
    first_response: PositiveDuration | None = None
    next_response: PositiveDuration | None = None
    update: PositiveDuration | None = None
    resolution: PositiveDuration | None = None


class TargetSchedules(Section):
    """Schedules of single targets, in place of the plan's."""

    first_response: str | None = None
    next_response: str | None = None
    update: str | None = None
    resolution: str | None = None


class SLAPlan(Section):
    """What is promised. Durations count in the hours of `schedule`; without one, around the clock."""

    key: str = ""
    name: Line
    schedule: str | None = None
    first_response: PositiveDuration | None = None
    next_response: PositiveDuration | None = None
    update: PositiveDuration | None = None
    resolution: PositiveDuration | None = None
    repeat_alert: PositiveDuration | None = None
    """While overdue, alert again this often; None alerts once."""
    schedules: TargetSchedules = TargetSchedules()
    priorities: dict[str, PriorityTargets] = {}
    steps: tuple[Step, ...] = ()

    def promised(self, target: Target, priority: str = "") -> timedelta | None:
        """How long `target` may take for a ticket of that priority; None where nothing is promised."""
        own = self.priorities.get(priority)
        replaced: timedelta | None = getattr(own, target) if own is not None else None
        if replaced is not None:
            return replaced
        usual: timedelta | None = getattr(self, target)
        if usual is None or own is None or own.factor is None:
            return usual
        return max(timedelta(seconds=round(usual.total_seconds() * own.factor)), timedelta(seconds=1))

    def schedule_of(self, target: Target) -> str | None:
        """The schedule in which a target counts; None is around the clock."""
        own: str | None = getattr(self.schedules, target)
        return own or self.schedule


class Alerts(Section):
    """How alerts about promised times reach their readers."""

    summary_over: int = Field(default=5, ge=1)
    """More tickets than this for one reader at once make one summary instead."""
