"""Promises kept by the scheduler, on both databases and by a clock that the test moves: a desk's week in
seconds, clocks that jump, daemons that were down, and ticks that run twice, late and at once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from mailticket.config.desk import Desk
from mailticket.delivery.render import Renderer
from mailticket.domain.change import Acknowledge, Change, SetDue, SetField
from mailticket.domain.schedule import WorkingTimes
from mailticket.store import deadlines, outbox
from mailticket.store.changes import apply_changes, record
from mailticket.store.due import replan
from mailticket.store.engine import open_engine, reading, transaction
from mailticket.store.models import Alert, AlertReader, Deadline, Outbox, Ticket, TicketEvent
from mailticket.work.escalations import Escalations
from mailticket.work.letters import write
from mailticket.work.material import load_material
from mailticket.work.ticks import Ticks
from tests.store.conftest import Clock
from tests.store.stories import log, make_ticket
from tests.store.threads import at_once

MONDAY = datetime(2026, 6, 1, 7, tzinfo=UTC)  # 09:00 in Berlin
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OFFICE = {"hours": {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}}
PLAN: dict[str, Any] = {
    "name": "Usual", "schedule": "office", "first_response": "4h", "resolution": "16h",
    "steps": [{"at": "50%", "tell": ["assignee"]}],
}  # fmt: skip


def desk(plan: dict[str, Any] | None = None, **agents: dict[str, Any]) -> Desk:
    staff = {
        key: {"key": key, "name": key.title(), "addresses": [f"{key}@staff.example"], **agents.get(key, {})}
        for key in ("ann", "bob", "mia")
    }
    return Desk.model_validate(
        {
            "name": "Desk", "instance": "desk1", "time_zone": "Europe/Berlin",
            "default_department": "support",
            "departments": {
                "support": {
                    "name": "Support", "addresses": ["support@desk.example"], "manager": "mia",
                    "members": ["ann", "bob"],
                },
                "it": {"name": "IT", "addresses": ["it@desk.example"], "members": ["bob"]},
            },
            "agents": staff,
            "priorities": {key: {"name": key, "urgency": n} for n, key in enumerate(("high", "normal"), 1)},
            "sla_plans": {"usual": plan or PLAN},
            "schedules": {"office": OFFICE},
        }
    )  # fmt: skip


@pytest.fixture
def clock() -> Clock:
    return Clock(MONDAY)


class Floor:
    """A desk at work: tickets come and change, ticks run, the outbox fills."""

    def __init__(self, engine: Engine, clock: Clock, value: Desk | None = None) -> None:
        self.engine, self.clock = engine, clock
        self.desk = value or desk()
        self.times = WorkingTimes(self.desk)
        self.numbers = 1000
        self.ticks = self.another()

    def another(self) -> Ticks:
        """One more daemon's scheduler."""
        return Ticks(self.engine, lambda: self.desk, b"secret", self.clock, lambda: None)

    def opens(self, **fields: Any) -> int:
        """A ticket comes in now."""
        self.numbers += 1
        with transaction(self.engine) as session:
            values = {"sla_plan": "usual", "assignee": "ann", "updated_at": self.clock()} | fields
            ticket = make_ticket(session, str(self.numbers), self.clock(), **values)
            replan(session, ticket, self.desk, self.times, self.clock())
            return ticket.id

    def happens(self, ticket: int, *changes: Change, kind: str | None = None) -> None:
        """Something is done to a ticket now, as a mail would do it."""
        with transaction(self.engine) as session:
            row = session.get_one(Ticket, ticket)
            if kind is not None:
                log(session, row, kind, self.clock())
            record(session, apply_changes(session, row, changes, self.clock()).events)
            session.flush()
            replan(session, row, self.desk, self.times, self.clock())

    def status(self, ticket: int, value: str) -> None:
        self.happens(ticket, SetField(ticket, "status", value, "agent:ann", "a test"))

    def tick(self, *, by: Ticks | None = None) -> int:
        """One tick now; returns how many mails it queued."""
        before = len(self.mails())
        (by or self.ticks).deadlines()
        return len(self.mails()) - before

    def until(self, end: datetime) -> None:
        """Let time pass from one due moment to the next."""
        while True:
            with reading(self.engine) as session:
                moments = [deadlines.next_due(session)]
                moments += session.execute(select(AlertReader.due_at)).scalars()
            ahead = [moment for moment in moments if moment is not None]
            following = max(min(ahead, default=end), self.clock() + MINUTE)
            if following >= end:
                self.clock.now = end
                self.tick()
                return
            self.clock.now = following
            self.tick()

    def mails(self) -> list[Outbox]:
        with reading(self.engine) as session:
            rows = list(session.execute(select(Outbox).order_by(Outbox.id)).scalars())
            session.expunge_all()
            return rows

    def alerts(self) -> list[tuple[int, str, str, str]]:
        """(ticket, kind, target, points) of the alerts logged, in order."""
        with reading(self.engine) as session:
            rows = session.execute(
                select(TicketEvent.ticket_id, TicketEvent.kind, TicketEvent.data)
                .where(TicketEvent.kind.in_(["overdue", "warned"]))
                .order_by(TicketEvent.id)
            )
            return [
                (row.ticket_id, row.kind, row.data["target"], " ".join(row.data["points"])) for row in rows
            ]

    def told(self) -> list[tuple[str, str]]:
        return [(mail.template, mail.recipient.partition("@")[0]) for mail in self.mails()]


@pytest.fixture
def floor(engine: Engine, clock: Clock) -> Floor:
    return Floor(engine, clock)


def test_a_ticket_nobody_touches_is_warned_of_and_then_overdue_once_for_each_target(floor: Floor) -> None:
    ticket = floor.opens()
    floor.until(MONDAY + 7 * DAY)
    assert floor.alerts() == [
        (ticket, "warned", "first_response", "50%"),
        (ticket, "overdue", "first_response", "100%"),
        (ticket, "warned", "resolution", "50%"),
        (ticket, "overdue", "resolution", "100%"),
    ]
    assert floor.told() == [
        ("ticket.warning", "ann"),
        ("ticket.overdue", "ann"),
        ("ticket.overdue", "mia"),
        ("ticket.warning", "ann"),
        ("ticket.overdue", "ann"),
        ("ticket.overdue", "mia"),
    ]


def test_the_alert_says_where_the_promise_stands_and_where_the_time_went(floor: Floor) -> None:
    ticket = floor.opens(assignee=None)
    floor.clock.forward(hours=1)
    floor.happens(ticket, SetField(ticket, "assignee", "ann", "agent:ann", "a test"))
    floor.clock.forward(hours=3)
    floor.tick()
    alert = floor.mails()[-1].context["extra"]["alert"]
    assert (alert["what"], alert["standing"]) == ("first response", "due now")
    assert alert["ledger"] == "unassigned 1 h, with Ann 3 h"
    assert alert["others"] == [["resolution", "due in 12 h"]]


def written(floor: Floor) -> list[str]:
    """The text of every mail that is queued, as it goes out."""
    claimed = outbox.claim(floor.engine, floor.clock(), 100, 99 * DAY)
    with reading(floor.engine) as session:
        material = load_material(session, claimed)
        renderer = Renderer()
        raw = [write(renderer, mail, material[mail.id], floor.desk, floor.clock()).data for mail in claimed]
    mails = [message_from_bytes(data, policy=policy.default) for data in raw]
    bodies = [(mail["To"], mail.get_body(("plain",))) for mail in mails]
    return [f"{to} {body.get_content()}" for to, body in bodies if body is not None]


def test_warnings_breaches_and_summaries_are_written_from_what_the_tick_left(floor: Floor) -> None:
    floor.opens()
    floor.clock.forward(hours=2)
    floor.tick()
    (warning,) = written(floor)
    assert "The first response is due in 2 h (Usual)." in warning
    assert "Where the time went  unassigned 2 h" in warning
    for _ in range(6):
        floor.opens()
    floor.clock.forward(days=1)
    floor.tick()
    ann, mia = sorted(written(floor))
    assert "#1001, first response, overdue by 6 h, Ann" in ann
    assert "many promised times have come at once" in mia
    assert "Why you get this: you manage Support" in mia


def test_a_week_of_a_desk_passes_in_seconds_and_every_promise_is_told_once(floor: Floor) -> None:
    rng = random.Random(7)
    tickets: list[int] = []
    for _ in range(5 * 8):
        tickets += [floor.opens(assignee=rng.choice([None, "ann", "bob"])) for _ in range(rng.randint(0, 2))]
        if tickets:
            one = rng.choice(tickets)
            floor.happens(one, kind=rng.choice(["response", "message", "note"]))
            floor.status(one, rng.choice(["waiting", "in-progress", "on-hold", "resolved"]))
        floor.until(floor.clock() + 4 * HOUR)
    counted = Counter(floor.alerts())
    assert counted
    assert max(counted.values()) == 1
    assert not any(floor.tick() for _ in range(3))
    with reading(floor.engine) as session:
        late = {
            row.ticket_id
            for row in session.execute(select(TicketEvent).where(TicketEvent.kind == "overdue")).scalars()
        }
        marked = set(session.execute(select(Ticket.id).where(Ticket.overdue_since.is_not(None))).scalars())
        assert marked <= late
        assert session.execute(select(Alert)).first() is None


def test_after_a_weekend_without_a_daemon_each_reader_gets_one_summary(floor: Floor) -> None:
    for _ in range(60):
        floor.opens()
    floor.clock.forward(days=4)  # nothing ran since Monday
    assert floor.tick() == 2
    assert floor.told() == [("ticket.alerts", "ann"), ("ticket.alerts", "mia")]
    shown = floor.mails()[0].context["extra"]["alerts"]
    assert (shown["overdue_count"], len(shown["rows"]), shown["more"]) == (60, 50, 10)
    assert len(floor.alerts()) == 120
    for _ in range(3):
        floor.clock.forward(minutes=5)
        assert floor.tick() == 0


def test_a_few_alerts_at_once_are_mails_of_their_own(floor: Floor) -> None:
    for _ in range(5):
        floor.opens()
    floor.clock.forward(hours=2)
    assert floor.tick() == 5


@pytest.mark.parametrize("step", [HOUR, -HOUR, 3653 * DAY])
def test_a_clock_that_jumps_and_comes_back_makes_no_storm_and_no_double(
    floor: Floor, step: timedelta
) -> None:
    tickets = [floor.opens() for _ in range(12)]
    floor.until(MONDAY + HOUR)
    floor.clock.now += step
    jumped = sum(floor.tick() for _ in range(3))
    assert jumped <= 2  # at most a summary for each reader
    floor.clock.now -= step
    floor.tick()
    floor.until(MONDAY + 4 * DAY)
    real = [one for one in floor.alerts() if one[0] == tickets[0]]
    expected = [
        ("warned", "first_response", "50%"),
        ("overdue", "first_response", "100%"),
        ("warned", "resolution", "50%"),
        ("overdue", "resolution", "100%"),
    ]
    # what a clock ten years ahead raised was one round of false alarms, and hides no true one
    assert [one[1:] for one in real[len(real) - 4 :]] == expected
    assert len(real) == (4 if abs(step) < DAY else 6)
    assert len(floor.told()) == 2 * (step > DAY) + 6
    assert not any(floor.tick() for _ in range(3))


def test_a_leap_day_counts_as_a_day(engine: Engine) -> None:
    floor = Floor(engine, Clock(datetime(2028, 2, 28, 8, tzinfo=UTC)))  # a Monday, 09:00 in Berlin
    ticket = floor.opens()
    floor.until(datetime(2028, 3, 2, 8, tzinfo=UTC))
    with reading(engine) as session:
        due = session.get_one(Ticket, ticket).overdue_since
        rows = session.execute(select(TicketEvent.at).where(TicketEvent.kind == "overdue")).scalars().all()
    assert due == datetime(2028, 2, 28, 12, tzinfo=UTC)
    assert rows == [datetime(2028, 2, 28, 12, tzinfo=UTC), datetime(2028, 2, 29, 16, tzinfo=UTC)]


def test_ticks_of_three_daemons_at_once_twice_and_late_change_nothing(
    floor: Floor, migrated_url: str
) -> None:
    for _ in range(30):
        floor.opens()
    floor.clock.forward(hours=5)
    engines = [open_engine(migrated_url) for _ in range(3)]
    daemons = [Ticks(engine, lambda: floor.desk, b"secret", floor.clock, lambda: None) for engine in engines]
    for _ in range(2):
        at_once(lambda number: daemons[number].deadlines(), 3)
        floor.clock.forward(seconds=1)
    floor.clock.forward(minutes=2)
    floor.tick()
    for engine in engines:
        engine.dispose()
    assert Counter(floor.alerts()).most_common(1)[0][1] == 1
    assert len(floor.alerts()) == 30
    told = floor.told()
    assert {reader for _, reader in told} == {"ann", "mia"}
    assert len(told) <= 12  # rounds, never a mail for each ticket and daemon
    listed = [_tickets_of(mail) for mail in floor.mails() if mail.recipient.startswith("mia")]
    assert sum(listed) == 30
    assert floor.tick() == 0


def _tickets_of(mail: Outbox) -> int:
    summary = mail.context["extra"].get("alerts")
    return 1 if summary is None else summary["overdue_count"] + summary["soon_count"]


def test_alerts_wait_for_the_readers_morning_and_tell_nothing_that_was_done_meanwhile(
    engine: Engine, clock: Clock
) -> None:
    always = {"name": "Always", "first_response": "2h"}
    floor = Floor(engine, clock, desk(always, ann={"schedule": "office"}))
    clock.now = MONDAY + 12 * HOUR
    kept, done = floor.opens(), floor.opens()
    clock.forward(hours=2)
    floor.tick()
    assert floor.told() == [("ticket.overdue", "mia")] * 2  # Mia minds no hours
    floor.happens(done, kind="response")
    floor.until(MONDAY + DAY + HOUR)
    assert floor.told()[2:] == [("ticket.overdue", "ann")]
    assert floor.mails()[-1].ticket_id == kept
    assert floor.mails()[-1].created_at == MONDAY + DAY


def test_steps_change_the_ticket_tell_whom_that_concerns_and_do_not_repeat(
    engine: Engine, clock: Clock
) -> None:
    plan = {
        **PLAN, "steps": [{"at": "+1h", "targets": ["first_response"], "tell": ["manager"],
                           "priority": "high", "department": "it", "agent": "bob", "tags": ["late"]}],
    }  # fmt: skip
    floor = Floor(engine, clock, desk(plan))
    ticket = floor.opens()
    floor.until(MONDAY + DAY)
    with reading(engine) as session:
        row = session.get_one(Ticket, ticket)
        assert (row.priority, row.department, row.assignee, row.tags) == ("high", "it", "bob", ["late"])
    assert ("transfer.alert", "bob") in floor.told() or ("assigned.alert", "bob") in floor.told()
    assert Counter(floor.alerts()).most_common(1)[0][1] == 1


def test_a_ladder_climbs_to_a_pager_without_a_token_until_it_is_acknowledged(
    engine: Engine, clock: Clock
) -> None:
    ladder = {
        "name": "Emergency", "first_response": "30m",
        "steps": [
            {"at": "+10m", "tell": ["manager"], "until_ack": True},
            {"at": "+20m", "tell": ["duty@pager.example"], "until_ack": True, "repeat": "10m"},
        ],
    }  # fmt: skip
    floor = Floor(engine, clock, desk(ladder))
    ticket = floor.opens()
    floor.until(MONDAY + 65 * MINUTE)
    assert [reader for _, reader in floor.told()] == ["ann", "mia", "mia", "duty", "duty"]
    pager = floor.mails()[-1]
    assert pager.context["token"] is None
    assert pager.audience == "internal"
    floor.happens(ticket, Acknowledge(ticket, "agent:ann", "a test"))
    floor.until(MONDAY + DAY)
    assert len(floor.told()) == 5


def test_a_due_date_set_by_hand_wins_over_the_plan_until_it_is_taken_back(floor: Floor) -> None:
    ticket = floor.opens()
    floor.happens(ticket, kind="response")
    floor.happens(ticket, SetDue(ticket, MONDAY + 3 * HOUR, None, "agent:ann", "a test"))
    assert _due(floor, ticket) == MONDAY + 3 * HOUR
    floor.happens(ticket, SetDue(ticket, None, 10 * HOUR, "agent:ann", "a test"))
    assert _due(floor, ticket) == MONDAY + DAY + 2 * HOUR
    floor.happens(ticket, SetDue(ticket, None, None, "agent:ann", "a test"))
    assert _due(floor, ticket) == MONDAY + DAY + 8 * HOUR


def test_another_plan_or_priority_is_counted_from_the_beginning_and_the_log_keeps_what_was(
    engine: Engine, clock: Clock
) -> None:
    plan = {**PLAN, "priorities": {"high": {"factor": 0.5}}}
    floor = Floor(engine, clock, desk(plan))
    ticket = floor.opens()
    floor.until(MONDAY + 5 * HOUR)
    assert ("overdue", "first_response") in [one[1:3] for one in floor.alerts()]
    floor.happens(ticket, kind="response")
    floor.happens(ticket, SetField(ticket, "priority", "high", "agent:ann", "a test"))
    assert _due(floor, ticket) == MONDAY + 8 * HOUR
    assert ("overdue", "first_response") in [one[1:3] for one in floor.alerts()]


def _due(floor: Floor, ticket: int) -> datetime | None:
    with reading(floor.engine) as session:
        return session.get_one(Ticket, ticket).due_at


def test_a_ticket_that_fails_delays_only_itself(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, sound = floor.opens(), floor.opens()
    handle = Escalations.handle

    def failing(self: Escalations, session: Any, ticket: Ticket, *rest: Any) -> Any:
        if ticket.id == broken:
            raise ZeroDivisionError
        return handle(self, session, ticket, *rest)

    monkeypatch.setattr(Escalations, "handle", failing)
    floor.ticks = floor.another()
    floor.clock.forward(hours=2)
    assert floor.tick() == 1
    assert [one[0] for one in floor.alerts()] == [sound]
    monkeypatch.undo()
    floor.ticks = floor.another()
    floor.clock.forward(minutes=10)
    assert floor.tick() == 1
    assert [one[0] for one in floor.alerts()] == [sound, broken]


@pytest.mark.parametrize("tickets", [5, 200])
def test_a_tick_with_nothing_due_asks_the_same_few_questions_however_many_tickets_are_open(
    floor: Floor, tickets: int
) -> None:
    for _ in range(tickets):
        floor.opens()
    asked: list[str] = []
    note: Callable[..., None] = lambda *args: asked.append(args[2])  # noqa: E731 -- an event's listener
    event.listen(floor.engine, "before_cursor_execute", note)
    floor.ticks.deadlines()
    event.remove(floor.engine, "before_cursor_execute", note)
    questions = [statement for statement in asked if statement.startswith("SELECT")]
    assert len(questions) == 3
    assert not any("FROM ticket" in statement for statement in questions)


def test_what_a_wrong_clock_planned_is_found_by_an_index(engine: Engine, floor: Floor) -> None:
    floor.opens()
    with transaction(engine) as session:
        row = session.execute(select(Deadline)).scalars().one()
        assert row.planned_at == MONDAY
        assert deadlines.claim_misplanned(session, MONDAY, 10) == []
        assert [one.ticket_id for one in deadlines.claim_misplanned(session, MONDAY - HOUR, 10)] == [
            row.ticket_id
        ]
