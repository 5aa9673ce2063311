"""domain/escalation.py and alerting.py: which steps have come, who hears of them, what they do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailticket.config.desk import Desk, SLAPlan, Step
from mailticket.domain.absence import is_away, stand_in
from mailticket.domain.alerting import changes_of, readers_of, told_at
from mailticket.domain.change import CallWebhook, SetField, Tag
from mailticket.domain.clocks import ClockEvent, ClockEventKind, clocks, moment_of
from mailticket.domain.escalation import Alarm, AlertSent, Look, look, steps_of
from mailticket.domain.schedule import WorkingTime, WorkingTimes
from mailticket.domain.types import TicketFacts
from tests.facts import a_ticket
from tests.unit.test_clocks import CASES, MINUTE, OFFICE, berlin, plan, scene_of, story

K = ClockEventKind
CREATED = ("2026-06-01T09:00", K.CREATED)  # a Monday; the office works from 9 to 17


def seen(
    now: str,
    promised: SLAPlan,
    *sent: tuple[str, ...],
    events: Any = (),
    acks: Sequence[str] = (),
    working: WorkingTime = OFFICE,
) -> Look:
    found = clocks(promised, story(CREATED, *events), working, berlin(now))
    alerts = [AlertSent(target, berlin(at), tuple(points)) for target, at, *points in sent]
    return look(found, alerts, [berlin(at) for at in acks], promised, working, berlin(now), {})


def alarms(found: Look) -> list[tuple[str, tuple[str, ...]]]:
    return [(alarm.clock.target, tuple(step.at for step in alarm.steps)) for alarm in found.alarms]


BOTH = plan(first_response="2h", resolution="8h")
STEPPED = plan(
    resolution="8h",
    steps=[
        {"at": "50%", "tell": ["assignee"]},
        {"at": "-30m", "tell": ["assignee"]},
        {"at": "+2h", "tell": ["manager"], "priority": "high"},
    ],
)
LADDER = plan(
    first_response="1h",
    steps=[
        {"at": "+30m", "tell": ["lead"], "until_ack": True},
        {"at": "+1h", "tell": ["manager"], "until_ack": True, "repeat": "30m"},
    ],
)


@pytest.mark.parametrize(
    ("at", "promised", "threshold"),
    [
        ("75%", "8h", 360),
        ("0%", "8h", 0),
        ("150%", "2h", 180),
        ("-30m", "2h", 90),
        ("-3h", "2h", 0),
        ("+2h", "2h", 240),
        ("+0m", "2h", 120),
    ],
)
def test_a_step_names_a_share_of_the_promise_or_a_time_around_its_end(
    at: str, promised: str, threshold: int
) -> None:
    allowed = plan(resolution=promised).resolution
    assert allowed is not None
    assert Step(at=at).threshold(allowed) == MINUTE * threshold


def test_before_anything_is_due_a_tick_looks_again_when_it_is() -> None:
    assert seen("2026-06-01T10:00", BOTH) == Look((), berlin("2026-06-01T11:00"))


def test_at_the_very_moment_the_alert_goes_out() -> None:
    found = seen("2026-06-01T11:00", BOTH)
    (alarm,) = found.alarms
    assert alarm.overdue
    assert alarm.reason == "the first response is due now"
    assert (alarm.since, alarm.number, alarm.late) == (berlin("2026-06-01T11:00"), 1, timedelta(0))
    assert found.next_at == berlin("2026-06-01T17:00")


def test_an_alert_sent_is_not_sent_again_by_a_late_or_second_tick() -> None:
    found = seen("2026-06-01T11:05", BOTH, ("first_response", "2026-06-01T11:00"))
    assert found == Look((), berlin("2026-06-01T17:00"))


def test_an_overdue_alert_is_repeated_in_working_time() -> None:
    promised = plan(first_response="2h", resolution="8h", repeat_alert="4h")
    sent = ("first_response", "2026-06-01T11:00")
    assert seen("2026-06-01T12:00", promised, sent) == Look((), berlin("2026-06-01T15:00"))
    found = seen("2026-06-01T15:00", promised, sent)
    (alarm,) = found.alarms
    assert (alarm.number, alarm.late) == (2, timedelta(hours=4))
    # 17:00 brings the resolution before 11:00 of the next day brings the next repeat
    assert found.next_at == berlin("2026-06-01T17:00")


def test_after_a_long_outage_one_alert_goes_out_for_each_target_and_the_steps_missed_are_in_it() -> None:
    promised = plan(first_response="2h", resolution="8h", repeat_alert="1h", steps=[{"at": "50%"}])
    now = "2026-06-20T10:00"  # a Saturday
    assert alarms(seen(now, promised)) == [
        ("first_response", ("50%", "100%")),
        ("resolution", ("50%", "100%")),
    ]
    sent = [("first_response", now), ("resolution", now)]
    # the next ones on Monday, when an hour has been worked
    assert seen(now, promised, *sent) == Look((), berlin("2026-06-22T10:00"))


def test_an_overdue_ticket_that_waits_for_the_customer_is_not_nagged_about() -> None:
    promised = plan(first_response="2h", resolution="8h", repeat_alert="1h")
    events = [("2026-06-01T12:00", K.WAITING)]
    sent = ("first_response", "2026-06-01T11:00")
    assert seen("2026-06-03T12:00", promised, sent, events=events) == Look((), None)
    assert seen("2026-06-03T12:00", promised, events=events).alarms


def test_what_is_done_is_not_alerted() -> None:
    for resolved in ("2026-06-01T10:00", "2026-06-01T12:00"):
        assert seen("2026-06-20T10:00", BOTH, events=[(resolved, K.RESOLVED)]) == Look((), None)


def test_an_alert_of_an_earlier_promise_does_not_count_for_a_later_one() -> None:
    sent = [("resolution", "2026-06-01T13:00"), ("first_response", "2026-06-01T11:00")]
    (alarm,) = seen("2026-06-01T17:00", BOTH, *sent).alarms
    assert (alarm.clock.target, alarm.number) == ("resolution", 2)


def test_a_promise_in_a_schedule_that_never_opens_is_never_alerted() -> None:
    never = WorkingTime(OFFICE_CLOSED)
    assert seen("2026-06-09T10:00", BOTH, working=never) == Look((), None)


OFFICE_CLOSED = Desk.model_validate(
    {
        "name": "D", "instance": "d", "default_department": "x", "priorities": {},
        "departments": {"x": {"name": "X", "addresses": ["x@desk.example"]}},
        "schedules": {"never": {"hours": {}}, "once": {"hours": {}, "open": {"2026-06-01": ["00:00-24:00"]}}},
    }
).schedules["never"]  # fmt: skip


def test_steps_come_one_after_the_other() -> None:
    at_half = seen("2026-06-01T13:00", STEPPED)
    assert alarms(at_half) == [("resolution", ("50%",))]
    assert not at_half.alarms[0].overdue
    assert at_half.next_at == berlin("2026-06-01T16:30")
    sent = [("resolution", "2026-06-01T13:00", "50%")]
    assert alarms(seen("2026-06-01T16:30", STEPPED, *sent)) == [("resolution", ("-30m",))]
    sent.append(("resolution", "2026-06-01T16:30", "-30m"))
    assert alarms(seen("2026-06-01T17:00", STEPPED, *sent)) == [("resolution", ("100%",))]
    sent.append(("resolution", "2026-06-01T17:00", "100%"))
    assert seen("2026-06-01T17:00", STEPPED, *sent) == Look((), berlin("2026-06-02T11:00"))
    assert alarms(seen("2026-06-02T11:00", STEPPED, *sent)) == [("resolution", ("+2h",))]


def test_a_pause_moves_the_steps_that_have_not_come() -> None:
    events = [("2026-06-01T12:00", K.WAITING), ("2026-06-02T12:00", K.RESUMED)]
    assert seen("2026-06-01T15:00", STEPPED, events=events[:1]) == Look((), None)
    assert seen("2026-06-02T12:30", STEPPED, events=events) == Look((), berlin("2026-06-02T13:00"))


def test_a_step_that_comes_later_under_a_new_plan_is_taken_again() -> None:
    slower = plan(resolution="16h", steps=[{"at": "50%", "tell": ["assignee"]}])
    sent = ("resolution", "2026-06-01T13:00", "50%")
    assert seen("2026-06-01T14:00", slower, sent) == Look((), berlin("2026-06-01T17:00"))
    assert alarms(seen("2026-06-01T17:00", slower, sent)) == [("resolution", ("50%",))]


def test_a_step_at_the_end_takes_the_place_of_the_plans_own_alert_only_where_it_tells_somebody() -> None:
    own = plan(resolution="8h", steps=[{"at": "+0m", "tell": ["lead"]}], repeat_alert="1h")
    (step,) = steps_of(own, "resolution", timedelta(hours=8))
    assert (step.tell, step.repeat) == (("lead",), timedelta(hours=1))
    silent = plan(resolution="8h", steps=[{"at": "100%", "tags": ["late"]}])
    assert [step.tell for step in steps_of(silent, "resolution", timedelta(hours=8))] == [
        (),
        ("concerned", "manager"),
    ]
    other = plan(resolution="8h", steps=[{"at": "100%", "tell": ["lead"], "targets": ["update"]}])
    assert [step.tell for step in steps_of(other, "resolution", timedelta(hours=8))] == [
        ("concerned", "manager")
    ]


def test_a_ladder_climbs_and_repeats_until_somebody_acknowledges() -> None:
    sent = [("first_response", "2026-06-01T10:00", "100%")]
    assert alarms(seen("2026-06-01T10:30", LADDER, *sent)) == [("first_response", ("+30m",))]
    sent.append(("first_response", "2026-06-01T10:30", "+30m"))
    assert alarms(seen("2026-06-01T11:00", LADDER, *sent)) == [("first_response", ("+1h",))]
    sent.append(("first_response", "2026-06-01T11:00", "+1h"))
    assert alarms(seen("2026-06-01T11:30", LADDER, *sent)) == [("first_response", ("+1h",))]
    assert seen("2026-06-01T11:30", LADDER, *sent, acks=["2026-06-01T11:10"]) == Look((), None)


def test_an_acknowledgement_counts_for_the_promise_it_was_given_for_and_no_later_one() -> None:
    again = plan(next_response="1h", steps=[{"at": "+30m", "tell": ["lead"], "until_ack": True}])
    events = [
        ("2026-06-01T09:10", K.RESPONSE),
        ("2026-06-01T09:30", K.CUSTOMER_MESSAGE),
        ("2026-06-01T12:00", K.RESPONSE),
        ("2026-06-01T13:00", K.CUSTOMER_MESSAGE),
    ]
    sent = ("next_response", "2026-06-01T14:00", "100%")
    found = seen("2026-06-01T14:30", again, sent, events=events, acks=["2026-06-01T10:35"])
    assert alarms(found) == [("next_response", ("+30m",))]
    assert seen("2026-06-01T14:30", again, sent, events=events, acks=["2026-06-01T14:10"]) == Look((), None)


def test_what_a_wrong_clock_wrote_years_ahead_counts_for_nothing() -> None:
    sent = ("first_response", "2036-06-01T11:00", "100%")
    assert alarms(seen("2026-06-01T11:00", BOTH, sent)) == [("first_response", ("100%",))]
    early = ("first_response", "2026-06-01T11:59", "100%")  # an hour fast: that alert did go out
    assert seen("2026-06-01T11:00", BOTH, early).alarms == ()


def test_an_overdue_alert_is_not_repeated_once_the_desk_has_closed_for_good() -> None:
    schedule = Desk.model_validate(DESK).schedules["once"]
    last = WorkingTime(schedule, "Europe/Berlin")
    found = seen("2026-06-02T01:00", plan(first_response="2h", repeat_alert="16h"), working=last)
    assert found.alarms
    assert found.next_at is None


# -- the same against a watchman who looks every minute -------------------------------------------------


@pytest.mark.timeout(1800)  # with many cases
@settings(max_examples=max(CASES // 100, 1), deadline=None, database=None)
@given(st.integers(0, 2**63), st.sampled_from([None, 30, 240]))
def test_ticks_at_planned_moments_send_what_a_look_every_minute_sends(seed: int, repeat: int | None) -> None:
    working, events, now, allowed, _ = scene_of(seed)
    promised = plan(
        first_response=MINUTE * allowed * 2,
        resolution=MINUTE * allowed * 4,
        repeat_alert=MINUTE * repeat if repeat else None,
        steps=[{"at": "50%"}, {"at": "-10m", "until_ack": True}, {"at": "+20m"}],
    )
    end = now + MINUTE * 400
    assert watched(promised, events, working, end, sleepy=True) == watched(
        promised, events, working, end, sleepy=False
    )


def watched(
    promised: SLAPlan, events: list[ClockEvent], working: WorkingTime, end: datetime, *, sleepy: bool
) -> list[tuple[str, datetime, tuple[str, ...]]]:
    """The alerts until `end`: looking every minute, or (sleepy) when told to or something happens."""
    story_ = sorted(events, key=lambda event: event.at)
    sent: list[AlertSent] = []
    moment = story_[0].at
    while moment <= end:
        told = [event for event in story_ if event.at <= moment]
        found = clocks(promised, told, working, moment)
        verdict = look(found, sent, [], promised, working, moment, {})
        sent += [
            AlertSent(alarm.clock.target, moment, tuple(step.at for step in alarm.steps))
            for alarm in verdict.alarms
        ]
        happens = [event.at for event in story_ if event.at > moment]
        planned = [verdict.next_at] if verdict.next_at is not None else []
        following = min([*happens, *planned], default=end + MINUTE)
        assert following > moment
        moment = following if sleepy else moment + MINUTE
    return [(alert.target, alert.at, alert.points) for alert in sent]


@settings(max_examples=CASES // 4, deadline=None, database=None)
@given(st.integers(0, 2**63), st.integers(0, 900))
def test_the_moment_of_a_threshold_is_when_so_much_was_used(seed: int, minutes: int) -> None:
    working, events, now, _, _ = scene_of(seed)
    (clock,) = clocks(plan(resolution="1h"), events, working, now)
    moment = moment_of(clock, MINUTE * minutes, working)
    if moment is not None and moment <= now and minutes:
        (then,) = clocks(plan(resolution="1h"), [e for e in events if e.at < moment], working, moment)
        assert then.used == MINUTE * minutes


# -- who hears of it --------------------------------------------------------------------------------------

DESK: dict[str, Any] = {
    "name": "Desk", "instance": "desk", "default_department": "support", "time_zone": "Europe/Berlin",
    "departments": {
        "support": {
            "name": "Support", "addresses": ["support@desk.example"], "manager": "mara",
            "members": ["ann", "bob"], "sla_plan": "usual",
        },
        "it": {"name": "IT", "addresses": ["it@desk.example"], "members": ["cleo"], "sla_plan": "it"},
    },
    "agents": {
        "ann": {"name": "Ann", "addresses": ["ann@desk.example"], "deputy": "bob"},
        "bob": {"name": "Bob", "addresses": ["bob@desk.example"], "schedule": "office"},
        "cleo": {"name": "Cleo", "addresses": ["cleo@desk.example"]},
        "mara": {"name": "Mara", "addresses": ["mara@desk.example"]},
    },
    "teams": {"net": {"name": "Network", "lead": "cleo", "members": ["bob"]}},
    "priorities": {key: {"name": key, "urgency": n} for n, key in enumerate(("high", "normal", "low"), 1)},
    "sla_plans": {"usual": {"name": "Usual"}, "it": {"name": "IT plan"}, "gold": {"name": "Gold"}},
    "schedules": {
        "office": {"hours": {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}},
        "once": {"hours": {}, "open": {"2026-06-01": ["00:00-24:00"]}},
    },
}  # fmt: skip
NOW = datetime(2026, 6, 3, 8, tzinfo=UTC)


def desk(**agents: dict[str, Any]) -> Desk:
    changed = {key: {**value, **agents.get(key, {})} for key, value in DESK["agents"].items()}
    return Desk.model_validate({**DESK, "agents": changed})


def ticket(**changes: Any) -> TicketFacts:
    own: dict[str, Any] = {
        "number": "1007",
        "sla_plan": "usual",
        "assignee": "ann",
        "participants": frozenset(),
        "created_at": NOW,
    }
    return a_ticket(**own | changes)


@pytest.mark.parametrize(
    ("tell", "changes", "readers"),
    [
        (["assignee"], {}, ["agent:ann"]),
        (["team"], {"team": "net"}, ["agent:bob"]),
        (["lead"], {"team": "net"}, ["agent:cleo"]),
        (["department"], {}, ["agent:ann", "agent:bob"]),
        (["concerned", "manager"], {"assignee": None}, ["agent:ann", "agent:bob", "agent:mara"]),
        (["agent:cleo", "team:net"], {}, ["agent:cleo", "agent:bob"]),
        (["duty@pager.example"], {}, ["address:duty@pager.example"]),
        (["Bob@desk.example"], {}, ["agent:bob"]),
        (["assignee"], {"assignee": None}, ["agent:ann", "agent:bob"]),
        (["lead"], {"assignee": "gone"}, ["agent:ann", "agent:bob"]),
        ([], {}, []),
    ],
)
def test_a_step_tells_whom_it_names_and_never_nobody(
    tell: list[str], changes: dict[str, Any], readers: list[str]
) -> None:
    steps = [Step(at="100%", tell=tuple(tell))]
    assert [one.identity for one in readers_of(steps, ticket(**changes), desk(), NOW)] == readers


def test_alerts_of_an_absent_agent_go_to_the_deputy_and_say_for_whom() -> None:
    away = desk(ann={"away": ["2026-06-01..2026-06-05"]})
    (reader,) = readers_of([Step(at="100%", tell=("assignee",))], ticket(), away, NOW)
    assert (reader.identity, reader.address) == ("agent:bob", "bob@desk.example")
    assert reader.why == "Ann is away (the ticket is yours)"


@pytest.mark.parametrize(
    ("away", "reader"),
    [
        ({}, "ann"),
        ({"ann"}, "bob"),
        ({"ann", "bob"}, "mara"),
        ({"ann", "bob", "mara"}, "ann"),
    ],
)
def test_with_the_deputy_away_too_the_manager_hears_of_it(away: set[str], reader: str) -> None:
    absent = desk(**{key: {"away": ["2026-06-03"]} for key in away})
    assert stand_in(absent, "ann", "mara", NOW) == reader


def test_deputies_of_each_other_do_not_go_round_for_ever() -> None:
    both = desk(ann={"away": ["2026-06-03"]}, bob={"away": ["2026-06-03"], "deputy": "ann"})
    assert stand_in(both, "ann", None, NOW) == "ann"


def test_an_absence_counts_by_the_calendar_of_the_agents_own_zone() -> None:
    there = desk(ann={"away": ["2026-06-03"], "time_zone": "Australia/Lord_Howe"})
    assert is_away(there, "ann", datetime(2026, 6, 2, 14, tzinfo=UTC))
    assert not is_away(there, "ann", datetime(2026, 6, 3, 14, tzinfo=UTC))


@pytest.mark.parametrize(
    ("agent", "any_hour", "at", "told"),
    [
        ("bob", False, "2026-06-05T20:00", "2026-06-08T09:00"),
        ("bob", False, "2026-06-05T10:00", "2026-06-05T10:00"),
        ("bob", True, "2026-06-05T20:00", "2026-06-05T20:00"),
        ("ann", False, "2026-06-05T20:00", "2026-06-05T20:00"),
    ],
)
def test_alerts_wait_for_the_readers_hours_unless_the_step_minds_none(
    agent: str, any_hour: bool, at: str, told: str
) -> None:
    steps = [Step(at="100%", tell=(f"agent:{agent}",), any_hour=any_hour)]
    (reader,) = readers_of(steps, ticket(), desk(), berlin(at))
    assert told_at(reader, steps, desk(), WorkingTimes(desk()), berlin(at)) == berlin(told)


# -- what it does -------------------------------------------------------------------------------------------


def test_a_step_raises_the_priority_and_never_lowers_it() -> None:
    raised = changes_of([Step(at="90%", priority="high")], ticket(), desk(), "because")
    assert raised == (SetField(7, "priority", "high", "system", "step 90%: because"),)
    assert changes_of([Step(at="90%", priority="low")], ticket(), desk(), "because") == ()


def test_a_step_calls_each_web_service_once() -> None:
    steps = [Step(at="75%", webhooks=("pager",)), Step(at="90%", webhooks=("pager", "chat"))]
    made = changes_of(steps, ticket(), desk(), "due soon")
    assert [(one.webhook, one.actor) for one in made if isinstance(one, CallWebhook)] == [
        ("pager", "system"), ("chat", "system"),
    ]  # fmt: skip


def test_a_step_reassigns_and_tags_what_is_not_so_already() -> None:
    step = Step(at="+1h", agent="bob", team="net", tags=("late", "old"))
    found = changes_of([step], ticket(assignee="bob", tags=("old",)), desk(), "because")
    assert found == (
        SetField(7, "team", "net", "system", "step +1h: because"),
        Tag(7, "late", True, "system", "step +1h: because"),
    )


def test_a_transfer_releases_the_assignee_and_takes_the_new_departments_plan() -> None:
    found = changes_of([Step(at="+1h", department="it")], ticket(), desk(), "because")
    assert [(change.name, change.value) for change in found if isinstance(change, SetField)] == [
        ("department", "it"),
        ("assignee", None),
        ("sla_plan", "it"),
    ]


def test_a_plan_that_somebody_chose_for_the_ticket_survives_a_transfer() -> None:
    found = changes_of([Step(at="+1h", department="it")], ticket(sla_plan="gold"), desk(), "because")
    assert "sla_plan" not in [change.name for change in found if isinstance(change, SetField)]


def test_an_alarm_says_in_words_where_the_promise_stands() -> None:
    (alarm,) = seen("2026-06-01T15:00", plan(resolution="8h", steps=[{"at": "75%"}])).alarms
    assert isinstance(alarm, Alarm)
    assert alarm.reason == "the resolution is due in 2 h"
