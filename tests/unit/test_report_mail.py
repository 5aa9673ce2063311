"""The report by mail: which period it is about, and what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

import pytest

from mailticket.delivery.context import context_of
from mailticket.delivery.render import Renderer
from mailticket.delivery.samples import SAMPLES
from mailticket.domain.report import ReportBuilder
from mailticket.domain.report_mail import ReportMail, from_json, last_period, report_mail, to_json
from mailticket.domain.schedule import WorkingTimes
from tests.unit.test_report import DESK, HOUR, START, K, report, story

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("period", "moment", "since", "until"),
    [
        ("month", "2026-03-01T07:00", "2026-01-31T23:00", "2026-02-28T23:00"),
        ("month", "2026-04-01T06:00", "2026-02-28T23:00", "2026-03-31T22:00"),
        ("month", "2026-01-20T07:00", "2025-11-30T23:00", "2025-12-31T23:00"),
        ("month", "2026-02-28T23:30", "2026-01-31T23:00", "2026-02-28T23:00"),
        ("week", "2026-03-30T06:00", "2026-03-22T23:00", "2026-03-29T22:00"),
        ("week", "2026-04-02T06:00", "2026-03-22T23:00", "2026-03-29T22:00"),
        ("quarter", "2026-04-01T06:00", "2025-12-31T23:00", "2026-03-31T22:00"),
        ("quarter", "2026-01-01T07:00", "2025-09-30T22:00", "2025-12-31T23:00"),
    ],
)
def test_a_report_is_about_the_whole_local_period_that_was_over_last(
    period: Literal["week", "month", "quarter"], moment: str, since: str, until: str
) -> None:
    found = last_period(period, datetime.fromisoformat(moment).replace(tzinfo=UTC), BERLIN)
    assert found == tuple(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (since, until))


def test_what_happens_after_the_period_changes_nothing_in_its_report() -> None:
    before = [(2.0, K.RESPONSE)]
    after = [*before, (50.0, K.RESOLVED), (60.0, K.REOPENED)]
    until = START + 24 * HOUR
    then = report(story(*before), now=until)
    moved = story(*after, changes=((55.0, "department", "support", "sales"),), department="sales")
    told = report(moved, now=until)
    assert told == then
    assert told.total.open == 1


def test_a_ticket_made_after_the_period_is_not_in_its_report() -> None:
    builder = ReportBuilder(DESK, WorkingTimes(DESK), "department", START, START + HOUR)
    builder.add(story(created=START + 2 * HOUR))
    assert builder.result().groups == ()


def test_a_report_survives_the_outbox() -> None:
    mail = report_mail(report(story((2, K.RESPONSE))), "Levels", BERLIN)
    assert from_json(to_json(mail)) == mail
    assert (mail.met, mail.missed, mail.first, mail.last) == (1, 1, "2026-03-02", "2026-03-16")


def test_only_so_many_lines_are_mailed_and_the_total_always() -> None:
    stories = [story(department=f"d{number}") for number in range(60)]
    mail = report_mail(report(*stories), "Levels", BERLIN)
    assert (len(mail.lines), mail.more, mail.lines[-1].name, mail.lines[-1].created) == (41, 20, "all", "60")


def test_a_report_about_nothing_says_so() -> None:
    letter = SAMPLES["report.monthly"]()
    context = context_of(replace(letter, report=ReportMail(title="Levels")))
    rendered = Renderer().render("report.monthly", "en", context)
    assert "nothing was promised" in rendered.subject
    assert "No ticket was open" in rendered.text
