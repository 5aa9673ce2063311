"""The SLA report as its template needs it, the period it is about, and the mail that carries it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Literal

from pydantic import TypeAdapter

from mailticket.config.desk import Desk, NamedReport
from mailticket.domain.clocks import target_words
from mailticket.domain.notice import GENERATED, MadeFile, Notice
from mailticket.domain.report import GroupFigures, SLAReport, length_words, share_words
from mailticket.domain.types import Audience

MOST_LINES = 40
"""Lines of a table; a report by agent or topic may have hundreds, and the last line is always the total."""
_BARS = 10
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One line of the counts, in words."""

    name: str
    created: str
    resolved: str
    back: str
    open: str
    overdue: str


@dataclass(frozen=True, slots=True)
class TargetLine:
    """One line of a target, in words."""

    name: str
    met: str
    missed: str
    share: str
    half: str
    most: str


@dataclass(frozen=True, slots=True)
class TargetPart:
    """One target."""

    name: str
    lines: tuple[TargetLine, ...]


@dataclass(frozen=True, slots=True)
class BacklogBar:
    """How many tickets were unfinished at a moment. late: nothing, because the past does not tell it."""

    label: str
    count: int
    late: int = 0


@dataclass(frozen=True, slots=True)
class ReportMail:
    """A whole report. first, last: the dates of the period, both included; more: lines left out."""

    title: str = ""
    by: str = "department"
    first: str = ""
    last: str = ""
    met: int = 0
    missed: int = 0
    lines: tuple[ReportLine, ...] = ()
    targets: tuple[TargetPart, ...] = ()
    backlog: tuple[BacklogBar, ...] = ()
    more: int = 0


_JSON: TypeAdapter[ReportMail] = TypeAdapter(ReportMail)


def to_json(mail: ReportMail) -> dict[str, Any]:
    """The report as an outbox row keeps it."""
    kept: dict[str, Any] = _JSON.dump_python(mail, mode="json")
    return kept


def from_json(kept: Mapping[str, Any]) -> ReportMail:
    """The report that `to_json` made."""
    return _JSON.validate_python(kept)


def last_period(
    period: Literal["week", "month", "quarter"], moment: datetime, zone: tzinfo
) -> tuple[datetime, datetime]:
    """The week (from Monday), month or quarter of `zone` that was over last at `moment`, in UTC.

    It begins with local midnight, and ends before the local midnight that is the second value.
    """
    today = moment.astimezone(zone).date()
    if period == "week":
        end = today - today.weekday() * _DAY
        start = end - 7 * _DAY
    elif period == "month":
        end = today.replace(day=1)
        start = (end - _DAY).replace(day=1)
    else:
        end = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
        start = _months_before(end, 3)
    return _midnight(start, zone), _midnight(end, zone)


def report_mail(report: SLAReport, title: str, zone: tzinfo) -> ReportMail:
    """The report in words; dates are those of `zone`."""
    groups = report.groups[:MOST_LINES]
    several = len(report.groups) != 1
    lines = (*groups, report.total) if several else groups
    return ReportMail(
        title=title,
        by=report.by,
        first=f"{report.since.astimezone(zone).date()}",
        last=f"{(report.until - timedelta(microseconds=1)).astimezone(zone).date()}",
        met=sum(item.met for item in report.total.targets),
        missed=sum(item.missed for item in report.total.targets),
        lines=tuple(_line(group) for group in lines),
        targets=tuple(
            TargetPart(
                target_words(target),
                tuple(
                    TargetLine(
                        group.name,
                        str(group.of(target).met),
                        str(group.of(target).missed),
                        share_words(group.of(target).share_met),
                        length_words(group.of(target).p50),
                        length_words(group.of(target).p90),
                    )
                    for group in lines
                ),
            )
            for target in report.targets
        ),
        backlog=_backlog(report, zone),
        more=len(report.groups) - len(groups),
    )


def report_notice(
    key: str,
    report: NamedReport,
    mail: ReportMail,
    reader: str,
    desk: Desk,
    slot: str,
    files: tuple[MadeFile, ...] = (),
) -> Notice:
    """The mail that carries a report; report, reader and slot are its key, so it goes out once."""
    agent = desk.agents[reader]
    return Notice(
        template="report.monthly",
        audience=Audience.INTERNAL,
        recipient=agent.address,
        recipient_name=agent.name,
        identity=f"agent:{reader}",
        ticket_id=None,
        entry_id=None,
        automatic=GENERATED,
        key=f"report:{key}:{slot}:agent:{reader}",
        reason=f"you are a reader of the report {report.name}",
        extra={"report": to_json(mail)},
        files=files,
    )


def _line(group: GroupFigures) -> ReportLine:
    return ReportLine(
        group.name,
        str(group.created),
        str(group.resolved),
        share_words(group.reopen_rate),
        str(group.open),
        str(group.overdue),
    )


def _backlog(report: SLAReport, zone: tzinfo) -> tuple[BacklogBar, ...]:
    """A few of the moments, evenly spread, the first and the last among them."""
    points = report.backlog
    count = min(_BARS, len(points))
    chosen = {round(number * (len(points) - 1) / max(count - 1, 1)) for number in range(count)}
    return tuple(
        BacklogBar(f"{points[position][0].astimezone(zone).date()}", points[position][1])
        for position in sorted(chosen)
    )


def _months_before(day: date, months: int) -> date:
    for _ in range(months):
        day = (day - _DAY).replace(day=1)
    return day


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(0), zone).astimezone(UTC)
