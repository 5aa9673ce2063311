"""Tickets are given out by the real store: nobody twice, nobody's turn skipped, whoever works at once."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, event, select

from mailticket.config.desk import Agent, Department, Desk, Priority, Team
from mailticket.domain.absence import Presence
from mailticket.domain.distribution import choose, pool_of
from mailticket.domain.schedule import WorkingTimes
from mailticket.store.engine import reading, transaction
from mailticket.store.models import Person, Ticket, TicketEvent
from mailticket.store.workload import open_counts, take_turn, workload
from tests.scenario.daemon import answer, new_mail
from tests.store.small_desk import SUPPORT, SmallDesk

NAMES = ("ann", "bob", "carl")
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def desk_of(assign: tuple[str, ...], **agents: dict[str, Any]) -> Desk:
    return Desk(
        name="Example Bank",
        instance="test",
        default_department="support",
        departments={
            "support": Department(
                key="support", name="Support", addresses=(SUPPORT,), members=NAMES, assign=assign
            ),
            "sales": Department(
                key="sales", name="Sales", addresses=("sales@desk.example",), members=("dora",),
                assign=("round_robin",),
            ),
        },
        teams={"night": Team(key="night", name="Night", members=("carl",), assign=("least_loaded",))},
        agents={
            key: Agent(
                key=key, name=key.capitalize(), addresses=(f"{key}@staff.example",), **agents.get(key, {})
            )
            for key in (*NAMES, "dora")
        },
        priorities={"normal": Priority(key="normal", name="Normal", urgency=3)},
    )  # fmt: skip


def opened(desk: SmallDesk, serial: int, sender: str = "kim@customer.example") -> Ticket:
    raw = new_mail(f"Matter {serial}", "Help.", sender=sender, message_id=f"m{serial}@c.example")
    desk.receive(raw, sender=sender)
    return desk.tickets()[-1]


def alert_to(desk: SmallDesk, agent: str) -> Any:
    return desk.to(f"{agent}@staff.example")[-1]


def test_round_robin_tells_only_the_one_whose_turn_it_is_and_says_why(engine: Engine) -> None:
    desk = SmallDesk(engine, desk_of(("round_robin",)))
    assert [opened(desk, serial).assignee for serial in range(5)] == ["ann", "bob", "carl", "ann", "bob"]
    assert [len(desk.to(f"{name}@staff.example")) for name in NAMES] == [2, 2, 1]
    with reading(engine) as session:
        reasons = list(
            session.execute(select(TicketEvent.reason).where(TicketEvent.kind == "created")).scalars()
        )
    assert "round robin: after Ann comes Bob" in reasons[1]


def test_least_loaded_counts_what_there_is_to_do_and_stops_at_the_cap(engine: Engine) -> None:
    desk = SmallDesk(engine, desk_of(("least_loaded",), **{name: {"most_open": 1} for name in NAMES}))
    assert [opened(desk, serial).assignee for serial in range(4)] == ["ann", "bob", "carl", None]
    alert = desk.to("bob@staff.example")[0]
    where = str(alert["Reply-To"].addresses[0].addr_spec)
    desk.receive(answer(alert, "#close", sender="bob@staff.example"), where, "bob@staff.example")
    assert opened(desk, 9).assignee == "bob"


def test_sticky_finds_the_customers_last_agent(engine: Engine) -> None:
    desk = SmallDesk(engine, desk_of(("sticky", "round_robin")))
    assert opened(desk, 1, "kim@customer.example").assignee == "ann"
    assert opened(desk, 2, "lee@customer.example").assignee == "bob"
    assert opened(desk, 3, "kim@customer.example").assignee == "ann"
    assert opened(desk, 4, "lee@customer.example").assignee == "bob"


def test_a_transfer_and_a_team_give_out_again_but_not_what_somebody_was_named_for(engine: Engine) -> None:
    desk = SmallDesk(engine, desk_of(("round_robin",)))
    opened(desk, 1)
    alert = alert_to(desk, "ann")
    where = str(alert["Reply-To"].addresses[0].addr_spec)

    def say(text: str, serial: str) -> str | None:
        raw = answer(alert, text, sender="ann@staff.example", message_id=f"{serial}@staff.example")
        desk.receive(raw, where, "ann@staff.example")
        return desk.tickets()[0].assignee

    assert say("#transfer sales", "r1") == "dora"
    assert say("#unassign\n#team night", "r2") == "carl"
    assert say("#transfer support\n#assign bob", "r3") == "bob"


def test_without_a_strategy_nothing_is_asked_of_the_database(engine: Engine) -> None:
    desk = SmallDesk(engine, desk_of(()))
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    assert opened(desk, 1).assignee is None
    assert not [one for one in asked if "assignment_turn" in one or "GROUP BY ticket.assignee" in one]


def test_ten_daemons_at_once_give_everybody_their_share_and_nobody_more_than_fits(engine: Engine) -> None:
    """Thirty tickets by ten workers, each in a transaction of its own, as daemons do."""
    desk = desk_of(("least_loaded",), **{name: {"most_open": 8} for name in NAMES})
    with transaction(engine) as session:
        session.add(Person(id=1, name="Kim", created_at=NOW))
    start = threading.Barrier(10)
    failures: list[BaseException] = []

    def daemon(worker: int) -> None:
        try:
            start.wait(20)
            for turn in range(3):
                give_one_out(engine, desk, worker * 3 + turn)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=daemon, args=(worker,)) for worker in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    with reading(engine) as session:
        got = Counter(session.execute(select(Ticket.assignee)).scalars())
        assert open_counts(session, NAMES) == dict.fromkeys(NAMES, 8)
    assert got == {"ann": 8, "bob": 8, "carl": 8, None: 6}


def test_ten_daemons_at_once_skip_nobodys_turn(engine: Engine) -> None:
    desk = desk_of(("round_robin",))
    with transaction(engine) as session:
        session.add(Person(id=1, name="Kim", created_at=NOW))
    threads = [threading.Thread(target=give_one_out, args=(engine, desk, worker)) for worker in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with reading(engine) as session:
        in_order = list(session.execute(select(Ticket.assignee).order_by(Ticket.due_at)).scalars())
        assert Counter(in_order) == {"ann": 4, "bob": 4, "carl": 4}


def give_one_out(engine: Engine, desk: Desk, serial: int) -> None:
    with transaction(engine) as session:
        pool = pool_of(desk, "support", None)
        assert pool is not None
        load = workload(session, pool, "kim@customer.example", desk)
        choice = choose(pool, load, (), desk, Presence(), WorkingTimes(desk), NOW)
        if choice.agent is not None:
            take_turn(session, pool.key, choice.agent, NOW)
        session.add(
            Ticket(
                number=f"{serial:06d}",
                subject="s",
                status="open",
                department="support",
                priority="normal",
                assignee=choice.agent,
                requester_id=1,
                requester_address="kim@customer.example",
                requester_name="Kim",
                source="smtp",
                tags=[],
                created_at=NOW,
                updated_at=NOW,
                due_at=NOW + timedelta(minutes=serial),
                version=1,
            )
        )
        session.flush()
