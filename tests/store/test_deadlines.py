"""Deadlines ring until somebody deals with them, and a tick too many changes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from mailticket.store import deadlines, outbox
from mailticket.store.deadlines import DueDeadline
from mailticket.store.dialect import table_of
from mailticket.store.engine import open_engine, reading, transaction
from mailticket.store.models import Outbox, Person, Ticket
from mailticket.store.outbox import OutgoingMail
from tests.store.conftest import NOW
from tests.store.threads import at_once

HOUR = timedelta(hours=1)


@pytest.fixture
def tickets(engine: Engine) -> list[int]:
    """Three tickets."""
    with transaction(engine) as session:
        person = Person(name="Ann", created_at=NOW)
        session.add(person)
        session.flush()
        rows = [
            Ticket(
                number=str(number), subject="s", status="open", department="support", priority="normal",
                requester_id=person.id, requester_address="ann@customer.example", requester_name="Ann",
                source="smtp", created_at=NOW, updated_at=NOW,
            )
            for number in range(3)
        ]  # fmt: skip
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def _due(engine: Engine, limit: int = 10) -> list[DueDeadline]:
    with transaction(engine) as session:
        return deadlines.claim_due(session, NOW, limit)


def test_what_has_come_is_claimed_earliest_first_and_bounded(engine: Engine, tickets: list[int]) -> None:
    with transaction(engine) as session:
        deadlines.plan(session, tickets[0], "overdue", NOW)
        deadlines.plan(session, tickets[1], "overdue", NOW - HOUR)
        deadlines.plan(session, tickets[1], "warning", NOW - 2 * HOUR)
        deadlines.plan(session, tickets[2], "overdue", NOW + HOUR)
    assert _due(engine) == [
        DueDeadline(tickets[1], "warning", NOW - 2 * HOUR, 1),
        DueDeadline(tickets[1], "overdue", NOW - HOUR, 1),
        DueDeadline(tickets[0], "overdue", NOW, 1),
    ]
    assert [due.kind for due in _due(engine, limit=1)] == ["warning"]


def test_a_moment_planned_again_is_the_same_deadline_and_another_moment_a_new_one(
    engine: Engine, tickets: list[int]
) -> None:
    with transaction(engine) as session:
        versions = [deadlines.plan(session, tickets[0], "overdue", at) for at in (NOW, NOW, NOW + HOUR, NOW)]
        assert deadlines.planned(session, tickets[0]) == {"overdue": NOW}
    assert versions == [1, 1, 2, 3]


def test_a_cleared_deadline_does_not_ring_and_its_version_is_never_used_again(
    engine: Engine, tickets: list[int]
) -> None:
    with transaction(engine) as session:
        for kind in ("overdue", "warning", "escalation"):
            deadlines.plan(session, tickets[0], kind, NOW)
        deadlines.clear(session, tickets[0], "overdue")
        assert set(deadlines.planned(session, tickets[0])) == {"warning", "escalation"}
        deadlines.clear(session, tickets[0])
        deadlines.clear(session, tickets[0])
        assert deadlines.planned(session, tickets[0]) == {}
    assert _due(engine) == []
    with transaction(engine) as session:
        assert deadlines.plan(session, tickets[0], "overdue", NOW) == 2


def test_the_next_moment_is_told(engine: Engine, tickets: list[int]) -> None:
    with transaction(engine) as session:
        assert deadlines.next_due(session) is None
        deadlines.plan(session, tickets[0], "overdue", NOW + HOUR)
        deadlines.plan(session, tickets[1], "overdue", NOW + 2 * HOUR)
        assert deadlines.next_due(session) == NOW + HOUR


def _tick(engine: Engine) -> None:
    """What every machine does: an alarm for what is due, the next one a day later, in one transaction."""
    with transaction(engine) as session:
        for due in deadlines.claim_due(session, NOW, 2):
            key = f"overdue:{due.ticket_id}:{due.version}"
            mail = OutgoingMail(
                key, "ticket.overdue", "internal", "agent@staff.example", "Bo", "", key, {}, "overdue"
            )
            outbox.enqueue(session, mail, NOW)
            deadlines.plan(session, due.ticket_id, due.kind, NOW + timedelta(days=1))


def test_ticks_on_three_machines_at_once_late_and_twice_ring_once_for_each_deadline(
    migrated_url: str, engine: Engine, tickets: list[int]
) -> None:
    with transaction(engine) as session:
        for ticket in tickets:
            deadlines.plan(session, ticket, "overdue", NOW - HOUR)
    machines = [open_engine(migrated_url) for _ in range(3)]

    def machine(number: int) -> None:
        for _ in range(4):
            _tick(machines[number])

    at_once(machine, threads=3)
    with reading(engine) as session:
        assert session.execute(select(func.count()).select_from(table_of(Outbox))).scalar_one() == 3
    assert _due(engine) == []
    for other in machines:
        other.dispose()


def test_a_tick_that_fails_leaves_the_deadline_ringing(engine: Engine, tickets: list[int]) -> None:
    with transaction(engine) as session:
        deadlines.plan(session, tickets[0], "overdue", NOW)

    def fail() -> None:
        with transaction(engine) as session:
            deadlines.claim_due(session, NOW, 1)
            deadlines.plan(session, tickets[0], "overdue", NOW + HOUR)
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        fail()
    assert _due(engine) == [DueDeadline(tickets[0], "overdue", NOW, 1)]
