"""domain/duedate.py and promise_commands.py: `#due`, `#sla` and `#ack`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mailticket.domain.change import Acknowledge, SetDue, SetField
from mailticket.domain.duedate import DueGiven, parse_due
from mailticket.domain.promise_commands import promise_change
from mailticket.mail.commands import Command, Commands, Problem, Problems, parse_commands
from mailticket.mail.vocabulary import CommandName
from tests.unit.test_escalation import desk, ticket

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 10, 23, 8, 0, tzinfo=UTC)  # 10:00 in Berlin; on the 25th the clocks go back


def utc(text: str) -> DueGiven:
    return DueGiven(due=datetime.fromisoformat(text).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("+4h", DueGiven(after=timedelta(hours=4))),
        ("+1d 2h", DueGiven(after=timedelta(hours=26))),
        ("14:00", utc("2026-10-23T12:00")),
        ("9:30", utc("2026-10-24T07:30")),
        ("10:00", utc("2026-10-24T08:00")),
        ("today 14:00", utc("2026-10-23T12:00")),
        ("Tomorrow", utc("2026-10-24T21:59")),
        ("2026-10-26", utc("2026-10-26T22:59")),
        ("2026-10-26 14:00", utc("2026-10-26T13:00")),
        ("2026-10-26T14.00", utc("2026-10-26T13:00")),
        ("2026-10-25 02:30", utc("2026-10-25T00:30")),
        ("2027-03-28 02:30", utc("2027-03-28T01:30")),
        ("2028-02-29", utc("2028-02-29T22:59")),
        ("none", DueGiven()),
    ],
)
def test_a_due_date_is_understood_in_the_agents_zone(text: str, meant: DueGiven) -> None:
    assert parse_due(text, NOW, BERLIN) == meant


@pytest.mark.parametrize(
    "text",
    ["soon", "+", "+4", "+0h", "25:00", "2026-13-01", "2026-02-29", "today 9:00", "2026-10-26 soon", "5", "",
     "2099-01-01", "2026-10-26 14:00 sharp"],
)  # fmt: skip
def test_what_is_no_time_to_come_is_refused_in_words(text: str) -> None:
    assert isinstance(parse_due(text, NOW, BERLIN), str)


@pytest.mark.parametrize(
    ("line", "argument"),
    [("#due +4h", "+4h"), ("#due: 2026-11-05 14:00", "2026-11-05 14:00"), ("#due none", "none")],
)
def test_the_time_after_due_reaches_the_rules_as_written(line: str, argument: str) -> None:
    parsed = parse_commands(line)
    assert isinstance(parsed, Commands)
    assert [(one.name, one.argument) for one in parsed.commands] == [(CommandName.DUE, argument)]


@pytest.mark.parametrize("text", ["#due", "#due +", "#ack now", "#sla", "#due +4h\n#due +5h"])
def test_half_a_command_stops_the_mail(text: str) -> None:
    assert isinstance(parse_commands(text), Problems)


def test_due_dates_plans_and_acknowledgements_become_changes_with_reasons() -> None:
    def change(name: CommandName, argument: str) -> object:
        found = promise_change(Command(name, argument, f"#{name} {argument}"), ticket(), "ann", desk(), NOW)
        return found if isinstance(found, Problem) else found[0]

    assert change(CommandName.ACK, "") == Acknowledge(
        7, "agent:ann", "Ann looks after it: alerts climb no further"
    )
    assert change(CommandName.SLA, "gold") == SetField(
        7, "sla_plan", "gold", "agent:ann", "Ann sets the SLA plan to Gold"
    )
    assert change(CommandName.DUE, "2026-10-26 14:00") == SetDue(
        7,
        datetime(2026, 10, 26, 13, tzinfo=UTC),
        None,
        "agent:ann",
        "Ann sets the due date to 2026-10-26 14:00 CET",
    )
    assert change(CommandName.DUE, "+90m") == SetDue(
        7, None, timedelta(minutes=90), "agent:ann", "Ann sets the ticket due in 1 h 30 min of working time"
    )
    assert change(CommandName.DUE, "none") == SetDue(
        7, None, None, "agent:ann", "Ann takes the due date back"
    )
    wrong = change(CommandName.SLA, "gould")
    assert isinstance(wrong, Problem)
    assert wrong.nearest == "#sla gold"
    assert isinstance(change(CommandName.DUE, "yesterday"), Problem)
