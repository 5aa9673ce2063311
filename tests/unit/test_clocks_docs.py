"""docs/clocks.md tells the truth: its plan is loaded and its examples are played."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailticket.config.desk import Schedule, SLAPlan
from mailticket.domain.clocks import ClockEvent, ClockEventKind, clocks, time_left
from mailticket.domain.ledger import ledger, ledger_words
from mailticket.domain.schedule import WorkingTime

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "clocks.md").read_text(encoding="utf-8")
WRITTEN = tomllib.loads(re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL)[0])
PLAN = SLAPlan.model_validate(WRITTEN["sla_plans"]["usual"])
OFFICE = WorkingTime(Schedule.model_validate(WRITTEN["schedules"]["office"]))
EXAMPLES = re.findall(r"```clock ?(\w*)\n(.*?)```", TEXT, flags=re.DOTALL)
LINE = re.compile(r"(\w{3}) (\d{4}-\d\d-\d\d \d\d:\d\d)  (.+)")
BERLIN = ZoneInfo("Europe/Berlin")


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def event(at: datetime, what: str) -> ClockEvent:
    kind, _, rest = what.partition(" ")
    due = berlin(rest).astimezone(UTC) if kind == "due-set" and rest != "none" else None
    return ClockEvent(at.astimezone(UTC), ClockEventKind(kind), "" if kind == "due-set" else rest, due)


def answer(question: str, events: list[ClockEvent], now: datetime, priority: str) -> str:
    if question == "ledger":
        return ledger_words(ledger(events, OFFICE, now), OFFICE)
    found = {clock.target: clock for clock in clocks(PLAN, events, OFFICE, now, priority=priority)}
    return time_left(next(clock for target, clock in found.items() if target == question), OFFICE)


@pytest.mark.parametrize(("priority", "example"), EXAMPLES)
def test_the_examples_are_what_the_clocks_say(priority: str, example: str) -> None:
    events: list[ClockEvent] = []
    asked = 0
    for line in example.splitlines():
        match = LINE.fullmatch(line)
        assert match is not None, line
        weekday, when, what = match.groups()
        at = berlin(when)
        assert at.strftime("%a") == weekday
        if what.startswith("? "):
            question, _, words = what[2:].partition(": ")
            assert (line, answer(question, events, at.astimezone(UTC), priority)) == (line, words)
            asked += 1
        else:
            events.append(event(at, what))
    assert asked


def test_every_target_has_an_example() -> None:
    asked = {question for _, example in EXAMPLES for question in re.findall(r"\? (\w+):", example)}
    assert asked == {"first_response", "next_response", "update", "resolution", "ledger"}
