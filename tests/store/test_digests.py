"""The digest job on both databases: what it says, once for each slot, whoever runs and however often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update

from mailticket.config.desk import Desk
from mailticket.domain.digest_mail import DigestMail, from_json
from mailticket.domain.types import EventKind
from mailticket.store.digests import ticket_of_number
from mailticket.store.engine import open_engine, reading, transaction
from mailticket.store.models import DigestIssue, DigestNumber, Inbound, Outbox, Person, Ticket, TicketEvent
from mailticket.store.outbox import OutgoingMail, enqueue_all
from mailticket.work.digests import Digests
from tests.store.conftest import Clock, MakeMail
from tests.store.threads import at_once

MONDAY = datetime(2026, 6, 1, 6, 5, tzinfo=UTC)  # 08:05 in Berlin
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def desk(**more: Any) -> Desk:
    return Desk.model_validate(
        {
            "name": "Desk",
            "instance": "desk1",
            "time_zone": "Europe/Berlin",
            "default_department": "support",
            "departments": {
                "support": {"name": "Support", "addresses": ["support@desk.example"], "manager": "mia"},
                "it": {"name": "IT", "addresses": ["it@desk.example"]},
            },
            "agents": {
                "mia": {"key": "mia", "name": "Mia", "addresses": ["mia@staff.example"]},
                "tom": {"key": "tom", "name": "Tom", "addresses": ["tom@staff.example"]},
            },
            "priorities": {"normal": {"name": "Normal", "urgency": 3}},
        }
        | more
    )


@pytest.fixture
def clock() -> Clock:
    return Clock(MONDAY)


def add_ticket(engine: Engine, number: str, **more: Any) -> int:
    with transaction(engine) as session:
        person = Person(name="Ann", created_at=MONDAY)
        session.add(person)
        session.flush()
        values: dict[str, Any] = {
            "subject": f"Subject {number}", "status": "open", "department": "support", "priority": "normal",
            "assignee": "tom", "created_at": MONDAY - 2 * DAY, "updated_at": MONDAY,
        }  # fmt: skip
        ticket = Ticket(
            number=number, requester_id=person.id, requester_address="ann@customer.example",
            requester_name="Ann", source="smtp", **values | more,
        )  # fmt: skip
        session.add(ticket)
        session.flush()
        for kind, at, data in (
            (EventKind.CREATED, MONDAY - 2 * DAY, {}),
            (EventKind.ASSIGNED, MONDAY - DAY, {"field": "assignee", "before": None, "after": "tom"}),
        ):
            session.add(
                TicketEvent(ticket_id=ticket.id, kind=str(kind), actor="system", at=at, reason="r", data=data)
            )
        return ticket.id


def digests(engine: Engine, clock: Clock, value: Desk | None = None) -> Digests:
    chosen = value or desk()
    return Digests(engine, lambda: chosen, b"secret", clock)


def mails(engine: Engine) -> list[DigestMail]:
    with reading(engine) as session:
        rows = session.execute(select(Outbox.context).order_by(Outbox.id)).scalars()
        return [from_json(row["extra"]["digest"]) for row in rows]


def test_a_digest_lists_what_is_open_and_its_numbers_stand_for_tickets(engine: Engine, clock: Clock) -> None:
    late = add_ticket(engine, "7", overdue_since=MONDAY - HOUR)
    free = add_ticket(engine, "8", assignee=None)
    add_ticket(engine, "9", department="it")
    assert digests(engine, clock).make_due() == 1
    (mail,) = mails(engine)
    (support,) = mail.departments
    assert [(row.n, row.number) for row in (*support.overdue, *support.unassigned)] == [(1, "7"), (2, "8")]
    assert support.overdue[0].why == "unassigned 1 d, with Tom 1 d"
    with reading(engine) as session:
        assert [ticket_of_number(session, mail.issue, number) for number in (1, 2, 3)] == [late, free, None]


def test_the_second_digest_tells_exactly_what_changed(engine: Engine, clock: Clock) -> None:
    add_ticket(engine, "1")
    add_ticket(engine, "2", overdue_since=MONDAY - HOUR)
    add_ticket(engine, "3")
    work = digests(engine, clock)
    work.make_due()
    with transaction(engine) as session:
        session.execute(update(Ticket).where(Ticket.number == "1").values(overdue_since=MONDAY))
        session.execute(update(Ticket).where(Ticket.number == "2").values(overdue_since=None))
        session.execute(update(Ticket).where(Ticket.number == "3").values(status="closed"))
    add_ticket(engine, "4")
    clock.forward(days=1)
    work.make_due()
    first, second = mails(engine)
    assert (first.since, first.new) == (None, 0)
    assert (second.since, second.new, second.worse, second.better, second.gone) == (MONDAY, 1, 1, 1, 1)
    assert [row.moved for row in second.departments[0].overdue] == ["worse: overdue now"]
    assert [row.moved for row in second.departments[0].changed] == ["better: no longer overdue", "new"]
    with reading(engine) as session:
        kept = session.execute(select(DigestIssue.states).order_by(DigestIssue.id)).scalars().all()
        assert [states is None for states in kept] == [True, False]


def test_a_digest_comes_once_for_a_slot_across_restarts_and_clock_steps(engine: Engine, clock: Clock) -> None:
    add_ticket(engine, "1")
    assert digests(engine, clock).make_due() == 1
    for hours in (1, -2, 1, 0, 5):  # restarted each time, late, the clock set back and forth
        clock.forward(hours=hours)
        assert digests(engine, clock).make_due() == 0
    clock.now = MONDAY.replace(year=2036)  # a Sunday: Friday's slot of that year
    assert digests(engine, clock).make_due() == 1
    clock.now = MONDAY + HOUR
    assert digests(engine, clock).make_due() == 0
    clock.now = MONDAY + DAY
    assert digests(engine, clock).make_due() == 1
    clock.now = MONDAY + 7 * DAY - 3 * HOUR  # down since Tuesday: Friday's, late, and no storm
    work = digests(engine, clock)
    assert [work.make_due() for _ in range(3)] == [1, 0, 0]
    assert len(mails(engine)) == 4


def test_of_several_daemons_one_makes_it(engine: Engine, clock: Clock, migrated_url: str) -> None:
    add_ticket(engine, "1")
    engines = [open_engine(migrated_url) for _ in range(3)]
    try:
        for day in range(3):
            clock.now = MONDAY + day * DAY
            made = at_once(lambda number: digests(engines[number], clock).make_due(), 3)
            assert sum(made) == 1
    finally:
        for other in engines:
            other.dispose()
    assert len(mails(engine)) == 3


def test_an_empty_digest_is_sent_only_where_that_is_wanted(engine: Engine, clock: Clock) -> None:
    assert digests(engine, clock).make_due() == 0
    with reading(engine) as session:
        assert session.execute(select(func.count()).select_from(DigestIssue)).scalar_one() == 0
    clock.forward(days=1)
    assert digests(engine, clock, desk(digest={"when_empty": True})).make_due() == 1


def test_each_reader_of_a_queue_gets_their_own(engine: Engine, clock: Clock) -> None:
    add_ticket(engine, "1", department="it", assignee=None)
    add_ticket(engine, "2", department="it", assignee="tom")
    value = desk(
        digest={"enabled": False},
        digests={
            "free": {
                "name": "Free", "readers": ["mia", "tom"], "departments": ["it"], "unassigned": True,
                "cron": "0 8 * * *",
            },
            "own": {"name": "Own", "scope": "own", "cron": "0 6 * * mon"},
        },
    )  # fmt: skip
    work = digests(engine, clock, value)
    assert [work.make_due(), work.make_due()] == [3, 0]
    with reading(engine) as session:
        to = session.execute(select(Outbox.recipient).order_by(Outbox.id)).scalars().all()
    listed = [
        [row.number for part in mail.departments for row in (*part.unassigned, *part.open)]
        for mail in mails(engine)
    ]
    assert list(zip(to, listed, strict=True)) == [
        ("mia@staff.example", ["1"]), ("tom@staff.example", ["1"]), ("tom@staff.example", ["2"])
    ]  # fmt: skip


def test_held_and_failed_mail_and_what_waits_to_go_out_are_told(
    engine: Engine, clock: Clock, inbox: Any, mail: MakeMail
) -> None:
    clock.now = MONDAY - HOUR
    for text in ("one", "two", "three", "four"):
        inbox.store([mail(text)])
    with transaction(engine) as session:
        ids = session.execute(select(Inbound.id).order_by(Inbound.id)).scalars().all()
        for inbound, state in zip(ids, ("done", "held", "failed", "pending"), strict=True):
            finished = None if state == "pending" else MONDAY
            session.execute(
                update(Inbound)
                .where(Inbound.id == inbound)
                .values(
                    state=state,
                    finished_at=finished,
                    subject=state,
                    sender="ann@customer.example",
                    error="odd",
                )
            )
        out = OutgoingMail(
            key="k", template="ticket.reply", audience="customer", recipient="a@customer.example",
            recipient_name="", envelope_from="", message_id="<1@desk.example>", context={}, reason="",
            ticket_id=None, entry_id=None,
        )  # fmt: skip
        enqueue_all(session, [out], MONDAY - HOUR)
    clock.now = MONDAY
    assert digests(engine, clock).make_due() == 1
    with reading(engine) as session:
        context = session.execute(
            select(Outbox.context).where(Outbox.template == "ticket.digest")
        ).scalar_one()
    told = from_json(context["extra"]["digest"])
    assert told.health.startswith("4 mails came in within 1 d: 1 handled")
    assert told.troubles == (
        "1 waits to be worked on, the oldest for 1 h",
        "1 mail could not be worked on; see mailticket inbox list --state failed",
        "1 mail held for a person; see mailticket inbox list --state held",
        "1 waits to go out, the oldest for 1 h",
    )
    assert [(item.state, item.why) for item in told.stuck] == [("failed", "odd"), ("held", "odd")]


def test_bounces_since_the_last_digest_are_told(engine: Engine, clock: Clock) -> None:
    ticket = add_ticket(engine, "1", status="closed")
    data = {
        "address": "ann@customer.example",
        "permanent": True,
        "status": "5.1.1",
        "diagnostic": "",
        "template": "t",
    }
    with transaction(engine) as session:
        for at in (MONDAY - 2 * DAY, MONDAY - HOUR):
            session.add(
                TicketEvent(ticket_id=ticket, kind="bounced", actor="system", at=at, reason="r", data=data)
            )
    assert digests(engine, clock).make_due() == 1
    (mail,) = mails(engine)
    assert [(item.number, item.at) for item in mail.bounces] == [("1", MONDAY - HOUR)]


def test_old_numbers_are_forgotten_and_recent_ones_kept(engine: Engine, clock: Clock) -> None:
    add_ticket(engine, "1")
    for days in (0, 1, 88, 3):
        clock.forward(days=days)
        assert (
            digests(
                engine, clock, desk(digest={"weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]})
            ).make_due()
            == 1
        )
    with reading(engine) as session:
        assert session.execute(select(func.count()).select_from(DigestIssue)).scalar_one() == 2
        assert session.execute(select(func.count()).select_from(DigestNumber)).scalar_one() == 2


def test_a_desk_without_its_reader_makes_no_digest(engine: Engine, clock: Clock) -> None:
    add_ticket(engine, "1")
    gone = desk()
    support = replace_manager(gone, "nobody-there")
    assert digests(engine, clock, support).make_due() == 0


def replace_manager(value: Desk, manager: str) -> Desk:
    changed = value.departments["support"].model_copy(update={"manager": manager})
    return value.model_copy(update={"departments": value.departments | {"support": changed}})
