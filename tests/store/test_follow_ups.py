"""Follow-ups on both databases: taken when they come, once, and only if the customer was really told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from mailticket.config.desk import Desk
from mailticket.domain.followup import Step
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.types import EventKind
from mailticket.store import deadlines
from mailticket.store.due import replan
from mailticket.store.engine import open_engine, reading, transaction
from mailticket.store.models import (
    Entry,
    Outbox,
    Participant,
    Person,
    PersonAddress,
    Ticket,
    TicketEvent,
)
from mailticket.work.deadlines import DeadlineWork
from mailticket.work.follow_ups import FollowUps
from tests.store.conftest import Clock
from tests.store.small_desk import SmallDesk
from tests.store.threads import at_once

START = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)  # a Monday
ANN = "ann@customer.example"


def desk(**more: Any) -> Desk:
    return Desk.model_validate(
        {
            "name": "Desk",
            "instance": "desk1",
            "default_department": "support",
            "default_follow_up": "gentle",
            "departments": {
                "support": {"name": "Support", "addresses": ["support@desk.example"], "members": ["tom"]}
            },
            "agents": {"tom": {"key": "tom", "name": "Tom", "addresses": ["tom@staff.example"]}},
            "priorities": {"normal": {"name": "Normal", "urgency": 3}},
            "follow_ups": {
                "gentle": {
                    "key": "gentle", "nudge": "2d", "second_nudge": "2d", "resolve": "3d", "close": "7d",
                    "tell_close": True, "keep_in_loop": "1d", "update_customer": "once",
                }
            },
        }
        | more
    )  # fmt: skip


class Room:
    """A desk with one ticket, and a clock."""

    def __init__(self, engine: Engine, clock: Clock, value: Desk) -> None:
        self.engine, self.clock, self.desk = engine, clock, value
        self.times = WorkingTimes(value)
        with transaction(engine) as session:
            person = Person(name="Ann", created_at=START)
            session.add(person)
            session.flush()
            ticket = Ticket(
                number="17", subject="No login", status="open", department="support", priority="normal",
                assignee="tom", requester_id=person.id, requester_address=ANN, requester_name="Ann",
                source="smtp", created_at=START, updated_at=START,
            )  # fmt: skip
            session.add_all([ticket, PersonAddress(address=ANN, person_id=person.id)])
            session.flush()
            session.add(
                Participant(
                    ticket_id=ticket.id, address=ANN, person_id=person.id, role="requester",
                    added_at=START, added_by=ANN,
                )
            )  # fmt: skip
            self.ticket = ticket.id
        self.happens(EventKind.CREATED)

    def happens(self, kind: EventKind, actor: str = "agent:tom", **data: Any) -> None:
        """Log an event now, as a mail would, and plan anew."""
        with transaction(self.engine) as session:
            ticket = session.get_one(Ticket, self.ticket)
            if data.get("field") == "status":
                ticket.status = data["after"]
            entry = None
            if kind is EventKind.RESPONSE:
                entry = Entry(
                    ticket_id=ticket.id, kind="response", audience="customer", author=actor,
                    author_name="Tom", trust="token", text="Which page?", reason="r", created_at=self.clock(),
                )  # fmt: skip
                session.add(entry)
                session.flush()
            session.add(
                TicketEvent(
                    ticket_id=ticket.id, entry_id=entry.id if entry else None, kind=str(kind), actor=actor,
                    at=self.clock(), reason="r", data=data,
                )
            )  # fmt: skip
            session.flush()
            replan(session, ticket, self.desk, self.times, self.clock())

    def waits(self) -> None:
        self.happens(EventKind.RESPONSE)
        self.happens(EventKind.STATUS, field="status", before="open", after="waiting")

    def tick(self, engine: Engine | None = None) -> int:
        handler = FollowUps(lambda: self.times, b"secret").handle
        handlers = {str(step): handler for step in Step}
        return DeadlineWork(engine or self.engine, lambda: self.desk, self.clock, handlers).work_off()

    def mails(self) -> list[tuple[str, str]]:
        with reading(self.engine) as session:
            rows = session.execute(select(Outbox.template, Outbox.recipient).order_by(Outbox.id))
            return [(row.template, row.recipient) for row in rows]

    def status(self) -> str:
        with reading(self.engine) as session:
            return session.get_one(Ticket, self.ticket).status

    def planned(self) -> dict[str, datetime]:
        with reading(self.engine) as session:
            return {kind: at for kind, at in deadlines.planned(session, self.ticket).items() if kind != "sla"}


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def room(engine: Engine, clock: Clock) -> Room:
    return Room(engine, clock, desk())


def test_a_silent_customer_is_reminded_twice_then_the_ticket_is_resolved_and_closed(room: Room) -> None:
    room.waits()
    seen: list[tuple[int, str, str]] = []
    for hour in range(24 * 20):
        before = len(room.mails())
        room.clock.now = START + timedelta(hours=hour)
        if hour % 24 == 0:
            room.tick()
            seen += [(hour // 24, template, room.status()) for template, _ in room.mails()[before:]]
    assert seen == [
        (2, "ticket.nudge", "waiting"),
        (4, "ticket.nudge", "waiting"),
        (7, "ticket.autoresolved", "resolved"),
        (14, "ticket.autoclosed", "closed"),
    ]
    assert room.planned() == {}
    assert {recipient for _, recipient in room.mails()} == {ANN}


def test_a_reply_stops_the_reminders(room: Room) -> None:
    room.waits()
    room.clock.forward(days=1)
    room.happens(EventKind.MESSAGE, ANN)
    room.happens(EventKind.STATUS, ANN, field="status", before="waiting", after="in-progress")
    assert room.planned() == {"keep-in-loop": room.clock() + timedelta(days=1)}
    room.clock.forward(hours=23)
    assert room.tick() == 0
    assert room.mails() == []


def test_an_out_of_office_puts_a_reminder_off_until_after_the_return(room: Room) -> None:
    room.waits()
    room.happens(EventKind.NOTE, ANN, automatic=True, returns_on="2026-06-15")
    assert room.planned() == {"nudge1": datetime(2026, 6, 17, tzinfo=UTC)}
    room.happens(EventKind.NOTE, "boss@customer.example", automatic=True, returns_on="2026-07-15")
    assert room.planned() == {"nudge1": datetime(2026, 6, 17, tzinfo=UTC)}


def test_ticks_that_run_twice_late_and_on_three_machines_send_one_reminder(
    room: Room, migrated_url: str
) -> None:
    room.waits()
    engines = [open_engine(migrated_url) for _ in range(3)]
    try:
        room.clock.forward(days=9)  # down for a week: one reminder, and the row begins there
        at_once(lambda number: room.tick(engines[number]), 3)
        room.tick()
        assert room.mails() == [("ticket.nudge", ANN)]
        assert room.planned() == {"nudge2": room.clock() + timedelta(days=2)}
        room.clock.forward(hours=-1)
        assert room.tick() == 0
    finally:
        for other in engines:
            other.dispose()


def test_what_the_brakes_stop_is_tried_again_and_nothing_follows_from_it(
    engine: Engine, clock: Clock
) -> None:
    room = Room(engine, clock, desk(brakes={"per_address_hour": 0}))
    room.waits()
    clock.forward(days=30)
    for _ in range(5):
        room.tick()
        clock.forward(hours=1, minutes=1)
    assert [template for template, _ in room.mails() if template == "ticket.nudge"] == []
    assert room.status() == "waiting"
    room.desk = desk()
    room.tick()
    assert ("ticket.nudge", ANN) in room.mails()


def test_the_agent_is_reminded_of_a_customer_who_hears_nothing_and_the_customer_told_once(room: Room) -> None:
    for _ in range(3):
        room.clock.forward(days=1)
        room.tick()
    assert room.mails() == [
        ("ticket.update", ANN),
        ("loop.reminder", "tom@staff.example"),
        ("loop.reminder", "tom@staff.example"),
        ("loop.reminder", "tom@staff.example"),
    ]
    room.happens(EventKind.RESPONSE)
    room.clock.forward(hours=23)
    assert room.tick() == 0


def test_without_a_follow_up_nothing_is_planned_and_what_was_planned_is_let_go(room: Room) -> None:
    room.waits()
    assert list(room.planned()) == ["nudge1"]
    room.desk = desk(default_follow_up=None)
    room.clock.forward(days=3)
    assert room.tick() == 1
    assert (room.planned(), room.mails()) == ({}, [])


def test_a_reminder_repeats_the_last_answer_and_can_be_replied_to(room: Room) -> None:
    room.waits()
    room.clock.forward(days=2)
    room.tick()
    with reading(room.engine) as session:
        mail = session.execute(select(Outbox)).scalar_one()
        assert session.get_one(Entry, mail.entry_id).text == "Which page?"
    assert (mail.audience, mail.envelope_from, mail.context["automatic"]) == (
        "customer",
        "",
        "auto-generated",
    )
    assert mail.context["token"]
    assert mail.context["extra"]["since_date"] == START.isoformat()


LYING: dict[str, Any] = {
    "departments": {
        "support": {
            "name": "Support", "addresses": ["support@desk.example"], "members": ["tom", "una", "vic"],
            "assign": ["round_robin"],
        }
    },
    "agents": {
        key: {"key": key, "name": key.capitalize(), "addresses": [f"{key}@staff.example"]}
        for key in ("tom", "una", "vic")
    },
    "follow_ups": {"gentle": {"key": "gentle", "unassign": "8h"}},
}  # fmt: skip


def released(room: Room) -> list[tuple[str, str | None, str]]:
    """(kind, who has it then, why) of every change of hands."""
    with reading(room.engine) as session:
        rows = session.execute(
            select(TicketEvent.kind, TicketEvent.data, TicketEvent.reason)
            .where(TicketEvent.kind.in_(["assigned", "released"]))
            .order_by(TicketEvent.id)
        )
        return [(kind, data["after"], reason) for kind, data, reason in rows]


def assignee(room: Room) -> str | None:
    with reading(room.engine) as session:
        return session.get_one(Ticket, room.ticket).assignee


def test_a_ticket_left_lying_goes_to_the_next_agent_and_everybody_is_told(
    engine: Engine, clock: Clock
) -> None:
    room = Room(engine, clock, desk(**LYING))
    assert room.planned() == {"auto-unassign": START + timedelta(hours=8)}
    clock.forward(hours=8)
    assert (room.tick(), room.tick()) == (1, 0)
    assert released(room) == [
        ("released", None, "Tom has done nothing on it for 8 h, and it waits for the desk"),
        ("assigned", "una", "round robin: Una is the first"),
    ]
    assert assignee(room) == "una"
    assert sorted(room.mails()) == [
        ("assigned.alert", "una@staff.example"),
        ("released.alert", "tom@staff.example"),
        ("released.alert", "vic@staff.example"),
    ]
    assert room.planned() == {"auto-unassign": START + timedelta(hours=16)}


def test_whatever_the_assignee_does_on_it_starts_the_time_anew(engine: Engine, clock: Clock) -> None:
    room = Room(engine, clock, desk(**LYING))
    clock.forward(hours=7)
    room.happens(EventKind.EDITED, field="priority", before="normal", after="high")
    assert room.planned() == {"auto-unassign": clock() + timedelta(hours=8)}
    clock.forward(hours=7)
    room.happens(EventKind.NOTE)
    room.happens(EventKind.NOTE, automatic=True)  # an out-of-office is nobody's doing
    clock.forward(hours=1)
    room.happens(EventKind.NOTE, "agent:una")
    assert room.planned() == {"auto-unassign": clock() + timedelta(hours=7)}
    room.waits()
    assert room.planned() == {}
    clock.forward(days=3)
    assert (room.tick(), assignee(room)) == (0, "tom")


def test_a_ticket_that_nobody_can_take_stays_with_the_department(engine: Engine, clock: Clock) -> None:
    away = {key: {**LYING["agents"][key], "away": ["2026-06-01..2026-06-30"]} for key in ("una", "vic")}
    room = Room(engine, clock, desk(**LYING | {"agents": LYING["agents"] | away}))
    clock.forward(hours=8)
    room.tick()
    ((kind, now, why),) = released(room)
    assert (kind, now) == ("released", None)
    assert why.startswith("Tom has done nothing on it for 8 h")
    assert "nobody of Support can take it now" in why
    assert assignee(room) is None
    assert room.planned() == {}
    assert ("released.alert", "tom@staff.example") in room.mails()


def test_an_absent_agents_ticket_goes_back_like_any_other_and_without_a_strategy_to_nobody(
    engine: Engine, clock: Clock
) -> None:
    tom = {"tom": {**LYING["agents"]["tom"], "away": ["2026-06-01..2026-06-30"]}}
    support = {"support": {**LYING["departments"]["support"], "assign": []}}
    room = Room(engine, clock, desk(**LYING | {"agents": LYING["agents"] | tom, "departments": support}))
    clock.forward(hours=8)
    room.tick()
    assert released(room) == [
        ("released", None, "Tom has done nothing on it for 8 h, and it waits for the desk")
    ]
    assert {template for template, _ in room.mails()} == {"released.alert"}
    assert {"una@staff.example", "vic@staff.example"} <= {recipient for _, recipient in room.mails()}


def test_three_machines_take_a_ticket_back_once(engine: Engine, clock: Clock, migrated_url: str) -> None:
    room = Room(engine, clock, desk(**LYING))
    clock.forward(hours=9)
    engines = [open_engine(migrated_url) for _ in range(3)]
    try:
        at_once(lambda number: room.tick(engines[number]), 3)
        room.tick()
    finally:
        for other in engines:
            other.dispose()
    assert [kind for kind, _, _ in released(room)] == ["released", "assigned"]


def test_an_absence_that_comes_by_mail_keeps_its_date_on_the_ticket(engine: Engine) -> None:
    small = SmallDesk(engine)
    small.receive(
        b"From: Ann <ann@customer.example>\r\nTo: support@desk.example\r\nSubject: No login\r\n"
        b"Message-ID: <1@customer.example>\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n\r\nHelp!\r\n"
    )
    (ack,) = small.to(ANN)
    token_address = ack["Reply-To"].addresses[0].addr_spec
    small.receive(
        (
            f"From: Ann <ann@customer.example>\r\nTo: {token_address}\r\nSubject: Out of office: No login\r\n"
            "Message-ID: <2@customer.example>\r\nDate: Sat, 21 Nov 2026 10:01:00 +0000\r\n"
            f"Auto-Submitted: auto-replied\r\nIn-Reply-To: {ack['Message-ID']}\r\n\r\n"
            "I am out of the office and will be back on 15 December 2026.\r\n"
        ).encode(),
        recipient=token_address,
    )
    with reading(engine) as session:
        events = session.execute(select(TicketEvent).where(TicketEvent.kind == "note")).scalars().all()
    assert [(event.actor, event.data.get("returns_on")) for event in events] == [(ANN, "2026-12-15")]
