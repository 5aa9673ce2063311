"""domain/followup.py: which reminder, resolution or closing is due next, and what stops or moves it."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.config.desk import Desk, FollowUp, Schedule
from mailticket.domain.followup import FollowEvent, Happened, Outlook, Step, follow_up_of, outlook
from mailticket.domain.followup_notices import customer_notice, reminders
from mailticket.domain.schedule import WorkingTime
from mailticket.domain.types import Audience
from tests.facts import a_ticket

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)  # Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ALWAYS = WorkingTime(None, "Europe/Berlin")
WEEK = ("mon", "tue", "wed", "thu", "fri")
OFFICE = WorkingTime(Schedule(hours=dict.fromkeys(WEEK, ("09:00-17:00",))), "UTC")
PLAN = FollowUp(
    key="gentle", nudge=2 * DAY, second_nudge=3 * DAY, resolve=4 * DAY, close=10 * DAY, keep_in_loop=DAY
)
CREATED = FollowEvent(NOON, Happened.CREATED)


def customer(hours: float) -> FollowEvent:
    return FollowEvent(NOON + hours * HOUR, Happened.CUSTOMER)


def answer(hours: float) -> FollowEvent:
    return FollowEvent(NOON + hours * HOUR, Happened.ANSWER)


def status(hours: float, new: str) -> FollowEvent:
    return FollowEvent(NOON + hours * HOUR, Happened.STATUS, status=new)


def taken(hours: float, step: Step, told: bool = False) -> FollowEvent:
    return FollowEvent(NOON + hours * HOUR, Happened.TAKEN, step=step, told=told)


def away(hours: float, until: str) -> FollowEvent:
    return FollowEvent(NOON + hours * HOUR, Happened.ABSENT, returns_on=date.fromisoformat(until))


def wake(hours: float, until: float | None) -> FollowEvent:
    moment = NOON + until * HOUR if until is not None else None
    return FollowEvent(NOON + hours * HOUR, Happened.WAKE, until=moment)


def waits_from(hours: float) -> tuple[FollowEvent, ...]:
    return answer(hours), status(hours, "waiting")


def due(*events: FollowEvent, plan: FollowUp = PLAN, working: WorkingTime = ALWAYS) -> dict[str, float]:
    """Step -> hours after NOON."""
    found = outlook(plan, (CREATED, *events), working, NOON + 90 * DAY).due
    return {str(step): (at - NOON) / HOUR for step, at in found.items()}


WAITS = (answer(1), status(1, "waiting"))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (WAITS, {"nudge1": 1 + 48}),
        ((*WAITS, taken(50, Step.NUDGE1)), {"nudge2": 50 + 72}),  # from when it was really sent
        ((*WAITS, taken(50, Step.NUDGE1), taken(130, Step.NUDGE2)), {"auto-resolve": 130 + 96}),
        ((*WAITS, status(5, "resolved")), {"auto-close": 5 + 240}),
        ((*WAITS, status(5, "resolved"), answer(9)), {"auto-close": 9 + 240}),
        ((*WAITS, status(5, "closed")), {}),
        ((*WAITS, wake(2, 24 * 7)), {}),  # it comes back by itself: until then nobody is reminded
        ((*WAITS, taken(50, Step.NUDGE1), wake(51, 24 * 7)), {}),
        ((*WAITS, wake(2, 24 * 7), wake(3, None)), {"nudge1": 1 + 48}),
        ((*WAITS, wake(2, 24), status(24, "in-progress"), *waits_from(30)), {"nudge1": 30 + 48}),
        # a human reply stops each of them
        ((*WAITS, customer(20), status(20, "in-progress")), {"keep-in-loop": 20 + 24}),
        ((*WAITS, taken(50, Step.NUDGE1), answer(60)), {"nudge1": 60 + 48}),
        ((*WAITS, taken(50, Step.NUDGE1), taken(130, Step.NUDGE2), answer(131)), {"nudge1": 131 + 48}),
        (
            (*WAITS, taken(50, Step.NUDGE1), customer(60), status(60, "in-progress"), status(70, "waiting")),
            {"nudge1": 70 + 48},
        ),
        ((*WAITS, status(5, "resolved"), customer(9), status(9, "open")), {"keep-in-loop": 9 + 24}),
        # nobody is reminded on hold but the agent
        ((status(2, "on-hold"),), {"keep-in-loop": 24}),
        ((answer(1), status(2, "on-hold")), {"keep-in-loop": 1 + 24}),
        # an absence puts off what would follow
        ((*WAITS, away(2, "2026-06-20")), {"nudge1": 18.5 * 24 - 2 + 48}),  # midnight in Berlin
        ((*WAITS, away(2, "2026-05-20")), {"nudge1": 49}),  # back already
        ((*WAITS, away(2, "2027-06-01")), {"nudge1": 2 + 60 * 24 + 48}),  # no longer than that
        ((*WAITS, away(2, "2026-06-20"), customer(9), answer(10)), {"nudge1": 10 + 48}),
        ((*WAITS, taken(50, Step.NUDGE1), away(50, "2026-06-20")), {"nudge2": 18.5 * 24 - 2 + 72}),
        ((*WAITS, status(5, "resolved"), away(6, "2026-06-20")), {"auto-close": 18.5 * 24 - 2 + 240}),
    ],
)  # fmt: skip
def test_what_is_due_next(events: tuple[FollowEvent, ...], expected: dict[str, float]) -> None:
    assert due(*events) == expected


@pytest.mark.parametrize(
    ("events", "hours"),
    [
        ((), 24),
        ((customer(5),), 24),  # a second message does not make the first one younger
        ((customer(5), answer(7)), 7 + 24),
        ((customer(5), answer(7), customer(30)), 30 + 24),
        ((customer(5), answer(7), customer(30), customer(40)), 30 + 24),
        ((taken(24, Step.LOOP),), 24 + 24),  # again after as long
        ((taken(24, Step.LOOP), answer(30)), 30 + 24),
        ((taken(24, Step.LOOP), customer(30)), 24 + 24),
    ],
)
def test_how_long_the_customer_has_heard_nothing(events: tuple[FollowEvent, ...], hours: float) -> None:
    assert due(*events) == {"keep-in-loop": hours}


LYING = FollowUp(unassign=8 * HOUR)


def passed(hours: float) -> FollowEvent:
    return FollowEvent(NOON + hours * HOUR, Happened.ASSIGNED)


def act(hours: float, by: str = "tom", kind: Happened = Happened.ACT, status: str = "") -> FollowEvent:
    return FollowEvent(NOON + hours * HOUR, kind, by=by, status=status)


def wrote_back(hours: float, by: str = "tom") -> FollowEvent:
    return act(hours, by, Happened.ANSWER)


@pytest.mark.parametrize(
    ("events", "hours"),
    [
        ((), 8),  # it was opened for somebody, who does nothing
        ((passed(3),), 3 + 8),  # what was before they got it is not laid to their charge
        ((passed(3), act(5)), 5 + 8),  # a note, or any command
        ((passed(3), act(5, by="sue")), 3 + 8),  # a colleague's does not count
        ((passed(3), act(2), customer(5)), 3 + 8),
        ((passed(3), customer(5), customer(9)), 3 + 8),  # a customer who asks again does not give more time
        ((wrote_back(5),), None),  # answered: nobody waits for them
        ((wrote_back(5), customer(20)), 20 + 8),
        ((wrote_back(5), customer(20), customer(26)), 20 + 8),
        ((wrote_back(5), customer(20), act(21)), 21 + 8),
        ((wrote_back(5, "sue"),), None),
        # not while it waits for somebody else, or is finished
        ((status(2, "waiting"),), None),
        ((status(2, "on-hold"),), None),
        ((status(2, "resolved"),), None),
        ((status(2, "closed"),), None),
        ((status(2, "on-hold"), customer(3)), None),
        # the time begins when it comes back
        ((status(2, "waiting"), customer(30), status(30, "in-progress")), 30 + 8),
        ((status(2, "on-hold"), customer(3), status(30, "in-progress")), 30 + 8),
        ((wrote_back(1), status(2, "resolved"), customer(30), status(30, "open")), 30 + 8),
        ((act(5, kind=Happened.STATUS, status="in-progress"),), 5 + 8),
        ((status(5, "in-progress"),), 8),  # nobody's doing: the desk itself
    ],
)
def test_how_long_a_ticket_is_left_lying(events: tuple[FollowEvent, ...], hours: float | None) -> None:
    found = outlook(LYING, (CREATED, *events), ALWAYS, NOON + 90 * DAY, assignee="tom").due
    assert found == ({} if hours is None else {Step.UNASSIGN: NOON + hours * HOUR})


def test_a_promise_of_the_plan_waits_for_the_agent_where_the_customer_does_not() -> None:
    story = (CREATED, wrote_back(5))
    assert outlook(LYING, story, ALWAYS, NOON, assignee="tom").due == {}
    found = outlook(LYING, story, ALWAYS, NOON, assignee="tom", promised=True).due
    assert found == {Step.UNASSIGN: NOON + 13 * HOUR}
    waiting = (*story, status(6, "waiting"))
    assert outlook(LYING, waiting, ALWAYS, NOON, assignee="tom", promised=True).due == {}


def test_nobody_has_nothing_taken_away_and_the_time_counts_in_working_hours() -> None:
    assert outlook(LYING, (CREATED,), OFFICE, NOON).due == {}
    found = outlook(LYING, (CREATED,), OFFICE, NOON, assignee="tom").due
    assert found == {Step.UNASSIGN: datetime(2026, 6, 2, 12, tzinfo=UTC)}  # five hours today, three tomorrow


@pytest.mark.parametrize(
    ("left_out", "events", "expected"),
    [
        ({"second_nudge": None}, (*WAITS, taken(50, Step.NUDGE1)), {"auto-resolve": 50 + 96}),
        ({"nudge": None, "second_nudge": None}, WAITS, {"auto-resolve": 1 + 96}),
        ({"resolve": None}, (*WAITS, taken(50, Step.NUDGE1), taken(130, Step.NUDGE2)), {}),
        ({"close": None}, (status(5, "resolved"),), {}),
        ({"keep_in_loop": None}, (), {}),
    ],
)
def test_a_step_without_a_duration_is_left_out(
    left_out: dict[str, Any], events: tuple[FollowEvent, ...], expected: dict[str, float]
) -> None:
    assert due(*events, plan=PLAN.model_copy(update=left_out)) == expected


def test_durations_count_in_the_hours_of_the_schedule() -> None:
    plan = FollowUp(nudge=16 * HOUR)
    friday = NOON + 4 * DAY
    events = (CREATED, FollowEvent(friday, Happened.STATUS, status="waiting"))
    found = outlook(plan, events, OFFICE, friday)
    assert found.due == {Step.NUDGE1: datetime(2026, 6, 9, 12, 0, tzinfo=UTC)}  # Tuesday noon


@pytest.mark.parametrize(
    ("policy", "events", "expected"),
    [
        ("never", (), False),
        ("once", (), True),
        ("once", (taken(24, Step.LOOP, told=True),), False),
        ("once", (taken(24, Step.LOOP, told=False),), True),  # the brakes had stopped it
        ("once", (taken(24, Step.LOOP, told=True), answer(30)), True),
        ("always", (taken(24, Step.LOOP, told=True),), True),
    ],
)
def test_when_the_customer_gets_an_honest_update(
    policy: str, events: tuple[FollowEvent, ...], expected: bool
) -> None:
    plan = PLAN.model_copy(update={"update_customer": policy})
    assert outlook(plan, (CREATED, *events), ALWAYS, NOON).update is expected


def test_what_a_wrong_clock_wrote_counts_as_of_now() -> None:
    events = (CREATED, FollowEvent(NOON.replace(year=2036), Happened.STATUS, status="waiting"))
    assert outlook(PLAN, events, ALWAYS, NOON).due == {Step.NUDGE1: NOON + 2 * DAY}


EVENT = st.builds(
    FollowEvent,
    st.integers(0, 2000).map(lambda hours: NOON + hours * HOUR),
    st.sampled_from(Happened),
    st.sampled_from(
        ["open", "in-progress", "waiting", "on-hold", "resolved", "closed", "archived", "merged"]
    ),
    st.sampled_from([None, *Step]),
    st.booleans(),
    st.one_of(st.none(), st.dates(date(2026, 1, 1), date(2030, 1, 1))),
)


@given(st.lists(EVENT, max_size=25))
def test_at_most_one_step_is_due_and_taking_it_plans_a_later_one(events: list[FollowEvent]) -> None:
    story = [CREATED, *sorted(events, key=lambda event: event.at)]
    now = NOON + 3000 * HOUR
    found = outlook(PLAN, story, OFFICE, now)
    assert len(found.due) <= 1
    for step, at in found.due.items():
        assert at >= NOON
        if step in (Step.NUDGE1, Step.NUDGE2, Step.LOOP):
            then = max(at, now)
            after = outlook(PLAN, [*story, FollowEvent(then, Happened.TAKEN, step=step)], OFFICE, then).due
            assert all(later > then for later in after.values())  # so a tick that runs twice does nothing


def _desk(**more: Any) -> Desk:
    value: dict[str, Any] = {
        "name": "Desk", "instance": "desk1", "default_department": "support",
        "departments": {
            "support": {"name": "Support", "addresses": ["support@desk.example"], "manager": "mia"},
            "it": {"name": "IT", "addresses": ["it@desk.example"], "follow_up": "quick"},
        },
        "agents": {
            "mia": {"name": "Mia", "addresses": ["mia@staff.example"]},
            "tom": {"name": "Tom", "addresses": ["tom@staff.example"], "deputy": "mia",
                    "away": ["2026-06-08..2026-06-12"]},
        },
        "priorities": {"normal": {"name": "Normal", "urgency": 3}},
        "follow_ups": {"gentle": {"nudge": "2d"}, "quick": {"nudge": "1d"}},
    }  # fmt: skip
    return Desk.model_validate(value | more)


def test_which_follow_up_a_department_has() -> None:
    desk = _desk()
    assert follow_up_of(desk, "it") == desk.follow_ups["quick"]
    assert follow_up_of(desk, "support") is None
    assert follow_up_of(_desk(default_follow_up="gentle"), "support") == desk.follow_ups["gentle"]


@pytest.mark.parametrize("wrong", [{"second_nudge": "1d"}, {"update_customer": "once"}])
def test_a_follow_up_that_makes_no_sense_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="and no"):
        FollowUp.model_validate(wrong)


TICKET = a_ticket(
    id=4,
    number="17",
    subject="s",
    status="waiting",
    assignee="tom",
    participants=frozenset({"ann@customer.example", "bob@customer.example"}),
    created_at=NOON,
)


def test_only_the_requester_is_told_and_only_of_what_is_meant_for_them() -> None:
    for step, template in (
        (Step.NUDGE1, "ticket.nudge"),
        (Step.RESOLVE, "ticket.autoresolved"),
        (Step.LOOP, "ticket.update"),
    ):
        notice = customer_notice(step, PLAN, TICKET, "c", 9, NOON, None)
        assert notice is not None
        assert (notice.template, notice.audience, notice.recipient) == (
            template, Audience.CUSTOMER, "ann@customer.example",
        )  # fmt: skip
        assert notice.automatic == "auto-generated"
        assert notice.entry_id == (9 if step is Step.NUDGE1 else None)
    assert customer_notice(Step.CLOSE, PLAN, TICKET, "c", None, None, None) is None
    told = PLAN.model_copy(update={"tell_close": True})
    assert customer_notice(Step.CLOSE, told, TICKET, "c", None, None, None) is not None


def test_the_deputy_of_an_absent_agent_is_reminded() -> None:
    seen = Outlook({}, NOON, update=False)
    (here,) = reminders(TICKET, _desk(), "c", seen, NOON)
    (deputy,) = reminders(TICKET, _desk(), "c", seen, NOON + 8 * DAY)
    assert (here.recipient, deputy.recipient) == ("tom@staff.example", "mia@staff.example")
    assert here.audience is Audience.INTERNAL


# -- docs/clocks.md ------------------------------------------------------------------------------------

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "clocks.md").read_text(encoding="utf-8")
BLOCKS = [tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", DOCS, flags=re.DOTALL)]
(WRITTEN,) = (block["follow_ups"]["patient"] for block in BLOCKS if "follow_ups" in block)
(HOURS,) = (block["schedules"]["office"] for block in BLOCKS if "schedules" in block)
LINE = re.compile(r"(\w{3}) (\d{4}-\d\d-\d\d \d\d:\d\d)  (.+)")


def moment(weekday: str, when: str) -> datetime:
    at = datetime.fromisoformat(when).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert at.strftime("%a") == weekday
    return at.astimezone(UTC)


def story_event(at: datetime, what: str) -> FollowEvent:
    kind, _, rest = what.partition(" ")
    return FollowEvent(
        at,
        Happened(kind),
        status=rest if kind == "status" else "",
        step=Step(rest) if kind == "taken" else None,
        returns_on=date.fromisoformat(rest) if kind == "absent" else None,
        by="tom" if kind in ("act", "answer") else "",
    )


@pytest.mark.parametrize("example", re.findall(r"```follow\n(.*?)```", DOCS, flags=re.DOTALL))
def test_the_examples_of_the_documentation_are_true(example: str) -> None:
    plan, working = FollowUp.model_validate(WRITTEN), WorkingTime(Schedule.model_validate(HOURS))
    story: list[FollowEvent] = []
    asked = 0
    for line in example.splitlines():
        match = LINE.fullmatch(line)
        assert match is not None, line
        at = moment(match[1], match[2])
        if match[3].startswith("? "):
            step, _, when = match[3][2:].partition(" ")
            expected = {} if when == "never" else {Step(step): moment(*when.split(" ", 1))}
            found = outlook(plan, story, working, at, assignee="tom").due
            unassigning = step == Step.UNASSIGN
            assert {one: due for one, due in found.items() if (one is Step.UNASSIGN) is unassigning} == (
                expected
            ), line
            asked += 1
        else:
            story.append(story_event(at, match[3]))
    assert asked
