"""Working time: when the desk is open, and what "in 8 business hours" comes to.

One definition carries everything here: **the desk is open at a moment if the wall clock of its zone
then shows a date and a time of day inside one of that date's intervals.** What follows for clock
changes, in both directions:

- A wall-clock time that is skipped never happens: "02:30-10:00" on the night from 02:00 to 03:00
  opens at 03:00, and "09:00-17:00" is 8 hours as on any day.
- A wall-clock time that happens twice counts twice: "00:00-24:00" is 25 hours long in autumn, and
  of "00:00-02:30" the part from 02:00 to 02:30 is open both times (fold 0 and fold 1 of PEP 495).

Which intervals a date has, first match wins: `open` (exceptions, which may be empty), `closed`, a
public holiday, the weekday's hours. Times are aware datetimes; results are in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailticket.config.promise import TARGETS, Target
from mailticket.config.values import WEEKDAYS, parse_interval
from mailticket.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holidays import HolidayBase

    from mailticket.config.desk import Desk, Schedule, SLAPlan

HORIZON_DAYS = 731
"""So many days in a row without opening mean that the schedule never opens."""

REACH_DAYS = 20 * 366
"""No sum of working time is followed further than this."""

_CACHED_DAYS = 8192
_DAY = timedelta(days=1)
_NOTHING = timedelta(0)
_SECOND = timedelta(seconds=1)

_Minutes = tuple[int, int]
"""An interval within a day, in minutes since 00:00 of the wall clock; the end is exclusive."""
_Span = tuple[datetime, datetime]
"""An interval in UTC; the end is exclusive."""


class BadSchedule(Permanent):
    """A schedule cannot be understood; the text names the part and its value."""


class NeverOpens(Permanent):
    """The working time asked for does not come within the search horizon."""


def parse_hours(texts: Iterable[str]) -> tuple[_Minutes, ...]:
    """The intervals of one day, sorted; overlapping or touching ones become one. Raises `BadSchedule`."""
    try:
        intervals = sorted(parse_interval(text) for text in texts)
    except ValueError as exc:
        raise BadSchedule(str(exc)) from exc
    merged: list[_Minutes] = []
    for start, end in intervals:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def zone_named(name: str) -> ZoneInfo:
    """The IANA time zone of that name. Raises `BadSchedule` when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise BadSchedule(f'there is no time zone "{name}"') from exc


def _public_holidays(country: str, region: str | None) -> HolidayBase:
    """Public holidays by the `holidays` package's codes; years are filled in when they are asked for.

    Imported here because the package costs 170 ms that a desk without holidays need not pay.
    """
    import holidays

    try:
        return holidays.country_holidays(country, subdiv=region)
    except NotImplementedError as exc:
        place = f"{country}, {region}" if region else country
        raise BadSchedule(f'no public holidays are known for "{place}"') from exc


class WorkingTime:
    """A schedule made ready for arithmetic. Without a schedule, time counts around the clock.

    Immutable to its users and safe to share between threads: the only state is a cache of days,
    which at worst is filled in twice. Build one per schedule and keep it (`WorkingTimes`).
    """

    def __init__(self, schedule: Schedule | None, time_zone: str = "UTC") -> None:
        """`time_zone` is the desk's, for a schedule that names none. Raises `BadSchedule`."""
        self.around_the_clock = schedule is None
        self.name = schedule.key if schedule is not None else ""
        self.zone = zone_named((schedule.time_zone if schedule else None) or time_zone)
        self._week: tuple[tuple[_Minutes, ...], ...] = ((),) * 7
        self._exceptions: dict[date, tuple[_Minutes, ...]] = {}
        self._closed: frozenset[date] = frozenset()
        self._holidays: HolidayBase | None = None
        self._days: dict[int, tuple[tuple[_Span, ...], timedelta]] = {}
        if schedule is not None:
            self._compile(schedule)

    def _compile(self, schedule: Schedule) -> None:
        unknown = [day for day in schedule.hours if day.lower() not in WEEKDAYS]
        if unknown:
            raise BadSchedule(f'"{unknown[0]}" is no weekday; they are {", ".join(WEEKDAYS)}')
        hours = {day.lower(): parse_hours(texts) for day, texts in schedule.hours.items()}
        self._week = tuple(hours.get(day, ()) for day in WEEKDAYS)
        self._exceptions = {day: parse_hours(texts) for day, texts in schedule.open.items()}
        self._closed = frozenset(schedule.closed)
        if schedule.country is not None:
            self._holidays = _public_holidays(schedule.country, schedule.region)

    # -- what people ask --------------------------------------------------------------------------

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """The first moment, not before `start`, at which `duration` of working time has passed.

        So one hour from Friday 16:00 is Friday 17:00 where the desk closes at 17:00, and nothing
        from `start` is `start`. Raises `NeverOpens`; ValueError for a negative duration or a naive
        `start`.
        """
        moment = _utc(start)
        if duration < _NOTHING:
            raise ValueError("working time can only be added forwards")
        if self.around_the_clock:
            return self._plus(moment, duration)
        if not duration:
            return moment
        left = duration
        for spans, total in self._following(moment.toordinal()):
            if left > total:  # the day cannot suffice, and between() need not look inside it
                left -= self._after(spans, moment) if spans and spans[0][0] < moment else total
                continue
            for opens, closes in spans:
                from_here = max(opens, moment)
                if closes <= from_here:
                    continue
                if left <= closes - from_here:
                    return from_here + left
                left -= closes - from_here
        raise self._never(duration)

    def between(self, a: datetime, b: datetime) -> timedelta:
        """Working time from `a` to `b`; negative when `b` is before `a`. ValueError for naive times."""
        first, last = _utc(a), _utc(b)
        if last < first:
            return -self.between(last, first)
        if self.around_the_clock:
            return last - first
        counted = _NOTHING
        first_day, last_day = first.toordinal(), last.toordinal()
        for ordinal in range(first_day, last_day + 1):
            spans, total = self._day(ordinal)
            if first_day < ordinal < last_day:
                counted += total
                continue
            for opens, closes in spans:
                inside = min(closes, last) - max(opens, first)
                if inside > _NOTHING:
                    counted += inside
        return counted

    def is_open(self, moment: datetime) -> bool:
        """Whether the desk works at that moment. ValueError for a naive time."""
        at = _utc(moment)
        if self.around_the_clock:
            return True
        return any(opens <= at < closes for opens, closes in self._day(at.toordinal())[0])

    def next_open(self, moment: datetime) -> datetime:
        """`moment` itself when the desk is open then, else when it opens next. Raises `NeverOpens`."""
        at = _utc(moment)
        if self.around_the_clock:
            return at
        for spans, _ in self._following(at.toordinal()):
            for opens, closes in spans:
                if at < closes:
                    return max(opens, at)
        raise self._never(_NOTHING)

    def intervals(self, start: datetime, end: datetime) -> tuple[tuple[datetime, datetime], ...]:
        """The open stretches from `start` to `end`, in UTC and in order, cut at both; ends are exclusive."""
        first, last = _utc(start), _utc(end)
        if first >= last:
            return ()
        if self.around_the_clock:
            return ((first, last),)
        found: list[_Span] = []
        for ordinal in range(first.toordinal(), last.toordinal() + 1):
            for opens, closes in self._day(ordinal)[0]:
                opens, closes = max(opens, first), min(closes, last)
                if opens < closes:
                    _join(found, (opens, closes))
        return tuple(found)

    # -- how it is known --------------------------------------------------------------------------

    def _hours_of(self, day: date) -> tuple[_Minutes, ...]:
        if day in self._exceptions:
            return self._exceptions[day]
        if day in self._closed:
            return ()
        if self._holidays is not None and day in self._holidays:
            return ()
        return self._week[day.weekday()]

    def _day(self, ordinal: int) -> tuple[tuple[_Span, ...], timedelta]:
        """The open stretches of one day of UTC, and their sum.

        Days of UTC, not of the zone, because they never overlap: local days do where the clock is
        set back over midnight (St. John's until 2011).
        """
        known = self._days.get(ordinal)
        if known is not None:
            return known
        begins = datetime.combine(date.fromordinal(ordinal), time(0), UTC)
        ends = begins + _DAY
        pieces: list[_Span] = []
        for local in (ordinal - 1, ordinal, ordinal + 1):
            for opens, closes in self._local_day(date.fromordinal(local)):
                if opens < ends and closes > begins:
                    pieces.append((max(opens, begins), min(closes, ends)))
        spans: list[_Span] = []
        for piece in sorted(pieces):
            _join(spans, piece)
        result = tuple(spans), sum((closes - opens for opens, closes in spans), _NOTHING)
        if len(self._days) >= _CACHED_DAYS:
            self._days.clear()
        self._days[ordinal] = result
        return result

    def _local_day(self, day: date) -> Iterator[_Span]:
        """The open stretches of one date of the zone, in UTC; in two pieces where the clock is set back."""
        hours = self._hours_of(day)
        if not hours:
            return
        midnight = datetime.combine(day, time(0))
        change, before, after = self._clock_change(midnight)
        for start, end in hours:
            opens = (midnight + timedelta(minutes=start)).replace(tzinfo=UTC)
            closes = (midnight + timedelta(minutes=end)).replace(tzinfo=UTC)
            if change is None:
                yield opens - before, closes - before
                continue
            if opens - before < change:
                yield opens - before, min(closes - before, change)
            if closes - after > change:
                yield max(opens - after, change), closes - after

    def _clock_change(self, midnight: datetime) -> tuple[datetime | None, timedelta, timedelta]:
        """When the clock changes on the local date starting at `midnight`, and the offsets around it."""
        ends = midnight + _DAY
        offsets = {
            _offset(local.replace(tzinfo=self.zone, fold=fold))
            for local in (midnight, ends)
            for fold in (0, 1)
        }
        if len(offsets) == 1:
            (only,) = offsets
            return None, only, only
        low = midnight.replace(tzinfo=UTC) - max(offsets)
        high = ends.replace(tzinfo=UTC) - min(offsets)
        before, after = _offset(low.astimezone(self.zone)), _offset(high.astimezone(self.zone))
        while high - low > _SECOND:
            middle = (low + (high - low) / 2).replace(microsecond=0)
            if _offset(middle.astimezone(self.zone)) == before:
                low = middle
            else:
                high = middle
        return high, before, after

    def _following(self, ordinal: int) -> Iterator[tuple[tuple[_Span, ...], timedelta]]:
        """Day after day, until the desk has been closed for too long or the reach is over."""
        closed_days = 0
        for day in range(ordinal, min(ordinal + REACH_DAYS, date.max.toordinal() - 1)):
            known = self._day(day)
            closed_days = 0 if known[0] else closed_days + 1
            if closed_days > HORIZON_DAYS:
                raise NeverOpens(f"{self._title} has no opening for {HORIZON_DAYS} days in a row")
            yield known

    @staticmethod
    def _after(spans: tuple[_Span, ...], moment: datetime) -> timedelta:
        """Working time of one day's spans from `moment` on."""
        return sum((closes - max(opens, moment) for opens, closes in spans if closes > moment), _NOTHING)

    def _plus(self, moment: datetime, duration: timedelta) -> datetime:
        try:
            return moment + duration
        except OverflowError as exc:
            raise self._never(duration) from exc

    def _never(self, duration: timedelta) -> NeverOpens:
        hours = duration / timedelta(hours=1)
        return NeverOpens(f"{self._title} does not come to {hours:g} working hours within 20 years")

    @property
    def _title(self) -> str:
        return f'schedule "{self.name}"' if self.name else "this schedule"


class WorkingTimes:
    """Every schedule of a desk, compiled once. Build it when the configuration is (re)loaded."""

    def __init__(self, desk: Desk) -> None:
        """Raises `BadSchedule`, naming the schedule."""
        self._always = WorkingTime(None, desk.time_zone)
        self._by_key: dict[str, WorkingTime] = {}
        for key, schedule in desk.schedules.items():
            try:
                self._by_key[key] = WorkingTime(schedule, desk.time_zone)
            except BadSchedule as exc:
                raise BadSchedule(f'schedule "{key}": {exc}') from exc

    def of(self, schedule: str | None) -> WorkingTime:
        """The working time of a schedule key; around the clock for None. KeyError for an unknown key."""
        return self._always if schedule is None else self._by_key[schedule]

    def of_plan(self, plan: SLAPlan | None) -> WorkingTime:
        """The working time in which a plan's durations count; around the clock without a plan."""
        return self.of(plan.schedule if plan is not None else None)

    def of_targets(self, plan: SLAPlan) -> dict[Target, WorkingTime]:
        """The working time of each target that has a schedule of its own in this plan."""
        own = ((target, plan.schedule_of(target)) for target in TARGETS)
        return {target: self.of(schedule) for target, schedule in own if schedule != plan.schedule}


def schedule_problems(desk: Desk, now: datetime) -> tuple[str, ...]:
    """What is wrong with a desk's schedules, a sentence each: not understood, or not opening any more.

    To be asked when a configuration is loaded or checked; what runs later takes such a promise as
    never due rather than let a mail fail.
    """
    found: list[str] = []
    for key, schedule in desk.schedules.items():
        try:
            WorkingTime(schedule, desk.time_zone).next_open(now)
        except BadSchedule as exc:
            found.append(f'schedule "{key}": {exc}')
        except NeverOpens as exc:
            found.append(str(exc) if schedule.key else f'schedule "{key}": {exc}')
    return tuple(found)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is UTC:
        return moment
    if moment.utcoffset() is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(UTC)


def _offset(local: datetime) -> timedelta:
    offset = local.utcoffset()
    assert offset is not None
    return offset


def _join(spans: list[_Span], span: _Span) -> None:
    """Append a span to a list in order, growing the last one where the two touch."""
    if spans and span[0] <= spans[-1][1]:
        spans[-1] = (spans[-1][0], max(span[1], spans[-1][1]))
    else:
        spans.append(span)
