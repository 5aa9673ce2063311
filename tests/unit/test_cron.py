"""config/cron.py: which dates and local times a cron line names."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.config.cron import parse_cron
from mailticket.config.values import NotThis


@pytest.mark.parametrize(
    ("line", "day", "times"),
    [
        ("0 8 * * mon-fri", "2026-06-01", ["08:00"]),
        ("0 8 * * mon-fri", "2026-06-06", []),
        ("0 8 * * 1-5", "2026-06-05", ["08:00"]),
        ("0 8 * * 0", "2026-06-07", ["08:00"]),
        ("0 8 * * 7", "2026-06-07", ["08:00"]),
        ("0 8 * * 5-7", "2026-06-07", ["08:00"]),
        ("30 6,18 * * *", "2026-06-07", ["06:30", "18:30"]),
        ("0 8-16/4 * * *", "2026-06-07", ["08:00", "12:00", "16:00"]),
        ("15 20/2 * * *", "2026-06-07", ["20:15", "22:15"]),
        ("0 9 1 * *", "2026-06-01", ["09:00"]),
        ("0 9 1 * *", "2026-06-02", []),
        ("0 9 1 JAN,jul *", "2026-07-01", ["09:00"]),
        ("0 9 13 * fri", "2026-06-05", ["09:00"]),  # either of the two, as in crontab(5)
        ("0 9 13 * fri", "2026-06-13", ["09:00"]),
        ("0 9 */2 * mon", "2026-06-01", ["09:00"]),  # both, because one begins with a star
        ("0 9 */2 * mon", "2026-06-08", []),
        ("0 9 29 feb *", "2028-02-29", ["09:00"]),
    ],
)
def test_a_line_names_dates_and_times(line: str, day: str, times: list[str]) -> None:
    assert list(parse_cron(line).on(date.fromisoformat(day))) == [time.fromisoformat(text) for text in times]


@pytest.mark.parametrize(
    "line",
    ["", "0 8 * *", "0 8 * * * *", "60 8 * * *", "0 24 * * *", "0 8 0 * *", "0 8 * 13 *", "0 8 * * 8",
     "0 8 * * fry", "x 8 * * *", "0 8 */0 * *", "0 8 5-2 * *", "0 8 *-5 * *", "0 8 30 feb *", "* * * * *",
     "-1 8 * * *", "0 8 ,1 * *", "0 8 * * mon-"],
)  # fmt: skip
def test_what_is_no_cron_line_is_refused(line: str) -> None:
    with pytest.raises(NotThis):
        parse_cron(line)


def test_twice_an_hour_is_the_most() -> None:
    assert len(parse_cron("0,30 * * * *").times) == 48


@given(st.text(alphabet="0123456789*/,- monfrijan", max_size=40))
def test_any_text_is_a_line_or_refused(text: str) -> None:
    try:
        cron = parse_cron(text)
    except NotThis:
        return
    assert list(cron.times) == sorted(set(cron.times))
    assert any(cron.on(date(2000, 1, 1) + timedelta(days=ahead)) for ahead in range(28 * 366))
