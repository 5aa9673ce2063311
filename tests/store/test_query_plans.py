"""Every query that is asked all the time finds its rows by an index, on both databases.

The statements are taken from the real functions while they run, and explained. SQLite's planner
decides by the schema alone while nobody ran ANALYZE, so a small table shows what happens in a big one.
PostgreSQL reads small tables whole because that is cheaper, so it is forbidden to: what it then
still reads whole has no index.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from bench.generate import NOW, Amount, big_desk, generate, message_id
from mailticket.config.desk import Rule
from mailticket.domain.terms import question
from mailticket.domain.ticket_query import Span, TicketQuery
from mailticket.domain.types import Arrival
from mailticket.mail.read import read
from mailticket.mail.types import RawMail
from mailticket.store import outbox, webhooks
from mailticket.store.engine import reading, transaction
from mailticket.store.history import sender_history
from mailticket.store.inbox import Inbox
from mailticket.store.models import TicketReferral
from mailticket.store.people import find_or_add_person
from mailticket.store.queries import gather
from mailticket.store.queue import QueueFilter, queue_rows
from mailticket.store.reports import stories
from mailticket.store.ticket_search import find_tickets
from mailticket.store.views import show_ticket
from mailticket.work.ticks import Ticks

_SECRET = b"secret"
_TICKETS = 500
Statement = tuple[str, Any]


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """A desk with tickets, of which none is late."""
    generate(engine, Amount(_TICKETS))
    if engine.dialect.name == "postgresql":
        # ids were given, so the sequences know nothing of them
        with engine.begin() as connection:
            connection.exec_driver_sql("SELECT setval('person_id_seq', 100000)")
            connection.exec_driver_sql("ANALYZE")
    return engine


_MATCHED = re.compile(r"VIRTUAL TABLE INDEX \d+:.*M")
"""FTS5 calls it a scan too when it goes through what matches a question."""


@contextmanager
def statements(engine: Engine) -> Iterator[list[Statement]]:
    """Collects what is asked of the database meanwhile."""
    found: list[Statement] = []

    def keep(_connection: Any, _cursor: Any, sql: str, values: Any, _context: Any, many: bool) -> None:
        if not many and sql.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            found.append((sql, values))

    event.listen(engine, "before_cursor_execute", keep)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", keep)


def plan_of(engine: Engine, statement: Statement) -> str:
    """How the database would do it, a line for each step."""
    sql, values = statement
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
            return "\n".join(row[3] for row in rows)
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        connection.exec_driver_sql("SET LOCAL enable_bitmapscan = on")
        return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {sql}", values))


def whole_tables(plan: str) -> list[str]:
    """The steps of a plan that read a whole table or index.

    What SQLite calls a scan of a subquery only goes through the rows that the subquery's own steps found.
    """
    lines = [line.strip() for line in plan.splitlines()]
    made = {line.split()[1] for line in lines if line.startswith(("CO-ROUTINE ", "MATERIALIZE "))}
    made.add("CONSTANT")
    return [
        line
        for line in lines
        if "Seq Scan on" in line
        or (line.startswith("SCAN ") and line.split()[1] not in made and not _MATCHED.search(line))
    ]


def assert_indexed(engine: Engine, work: Callable[[], object], least: int = 1) -> None:
    """No statement of `work` reads a whole table, and there are at least so many."""
    with statements(engine) as asked:
        work()
    assert len(asked) >= least
    for statement in asked:
        plan = plan_of(engine, statement)
        assert whole_tables(plan) == [], f"{statement[0]}\n{plan}"


def _arrival(number: int) -> Arrival:
    return Arrival(number, "dept0@desk.example", None, "smtp", NOW, f"{number:064x}")


@pytest.mark.parametrize(
    ("headers", "tickets"),
    [
        (f"In-Reply-To: <{message_id(7)}>\r\nReferences: <x@y.example> <{message_id(7)}>\r\n", 1),
        ("Subject: Re: [#1000007] calendar\r\n", 1),
        ("Subject: Re: Case 7 about the calendar\r\nIn-Reply-To: <never@seen.example>\r\n", 1),
        ("Subject: hello\r\n", 0),
    ],
    ids=["by reference", "by number", "by subject", "new"],
)
def test_what_a_mail_is_about_is_found_by_index(filled: Engine, headers: str, tickets: int) -> None:
    raw = f"From: person8@mail.customer.example\r\n{headers}\r\nhello\r\n".encode()

    def work() -> None:
        with reading(filled) as session:
            facts = gather(session, read(raw), _arrival(1), big_desk(), _SECRET, lock=False)
            assert len(facts.tickets) == tickets

    assert_indexed(filled, work)


def test_what_rules_ask_about_a_sender_is_found_by_index(filled: Engine) -> None:
    fields = (("open_tickets", "over", "2"), ("bounced", "equal", "yes"))
    when = [{"field": field, "how": how, "value": value} for field, how, value in fields]
    rule = Rule.model_validate({"name": "r", "when": when, "then": {"tags": ["t"]}})
    desk = big_desk().model_copy(update={"rules": (rule,)})

    def work() -> None:
        with reading(filled) as session:
            sender_history(session, read(b"\r\n").mail, "person8@mail.customer.example", desk)

    assert_indexed(filled, work, least=2)


def test_the_calls_that_are_due_are_found_by_index(filled: Engine) -> None:
    assert_indexed(filled, lambda: webhooks.claim(filled, NOW, 10, timedelta(minutes=5)))


def test_a_tick_looks_at_what_is_due_only(filled: Engine) -> None:
    ticks = Ticks(filled, big_desk, _SECRET, lambda: NOW, lambda: None)
    assert_indexed(filled, ticks.deadlines, least=2)
    ticks.close()


def test_a_deadline_that_is_due_costs_no_look_at_other_tickets(engine: Engine) -> None:
    generate(engine, Amount(50, late=5))
    ticks = Ticks(engine, big_desk, _SECRET, lambda: NOW, lambda: None)

    def work() -> None:
        assert ticks.deadlines() == 5

    assert_indexed(engine, work, least=5)
    ticks.close()


def test_mails_are_claimed_both_ways_by_index(filled: Engine, inbox: Inbox) -> None:
    inbox.store([RawMail(b"From: a@b.example\r\n\r\nx\r\n", "a@b.example", "d@e.example", "smtp", None)])

    def work() -> None:
        inbox.claim(NOW + timedelta(days=1), 20, timedelta(minutes=1))
        inbox.oldest_pending()
        outbox.claim(filled, NOW, 20, timedelta(minutes=1))

    assert_indexed(filled, work, least=3)


def test_people_are_found_by_address(filled: Engine) -> None:
    def work() -> None:
        with transaction(filled) as session:
            find_or_add_person(session, "person8@mail.customer.example", "Person 8", NOW)

    assert_indexed(filled, work)


def test_a_ticket_is_shown_by_index(filled: Engine) -> None:
    def work() -> None:
        with reading(filled) as session:
            assert show_ticket(session, "1000007")

    assert_indexed(filled, work, least=3)


_SPAN = Span(NOW - timedelta(days=1), NOW)


@pytest.mark.parametrize(
    "wanted",
    [
        TicketQuery(),
        TicketQuery(department=("dept3",)),
        TicketQuery(assignee=("agent3",)),
        TicketQuery(assignee=(None,)),
        TicketQuery(status=("open",)),
        TicketQuery(due=_SPAN),
        TicketQuery(every=True, created=_SPAN, sort="created"),
        TicketQuery(every=True, updated=_SPAN, sort="updated"),
        TicketQuery(status=("resolved", "closed"), closed=_SPAN, sort="closed"),
        TicketQuery(overdue=True),
        TicketQuery(held=True),
        TicketQuery(requester=("person7@mail.customer.example",), every=True),
        TicketQuery(participant=("person7@mail.customer.example",), every=True),
        TicketQuery(own_status=(("waiting", "parts"),)),
        TicketQuery(sla_plan=("gold",)),
        TicketQuery(language=("de",)),
        TicketQuery(trust=("failed",)),
        TicketQuery(source=("imap",)),
        TicketQuery(field=(("room", "5"),)),
        TicketQuery(wrote=_SPAN),
        TicketQuery(asked=question("calendar")),
        TicketQuery(asked=question("case 7"), department=("dept3",)),
        TicketQuery(asked=question('"about the cal"*')),
    ],
    ids=str,
)
def test_tickets_are_listed_by_index(filled: Engine, wanted: TicketQuery) -> None:
    def work() -> None:
        with reading(filled) as session:
            find_tickets(session, wanted, 10)

    assert_indexed(filled, work)


def test_what_is_referred_to_a_department_is_listed_by_index(filled: Engine) -> None:
    with transaction(filled) as session:
        session.add(TicketReferral(ticket_id=7, department="dept3", made_by="agent:x", made_at=NOW))

    def work() -> None:
        with reading(filled) as session:
            find_tickets(session, TicketQuery(department=("dept3",)), 10)

    assert_indexed(filled, work, least=2)


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (TicketQuery(department=("dept3",)), "ix_ticket_department_due"),
        (TicketQuery(assignee=("agent3",)), "ix_ticket_assignee_due"),
        (TicketQuery(assignee=(None,)), "ix_ticket_assignee_due"),
        (TicketQuery(every=True, sort="updated"), "ix_ticket_updated_at"),
        (TicketQuery(overdue=True), "ix_ticket_overdue"),
    ],
    ids=str,
)
def test_a_page_of_a_list_is_read_in_order_and_not_sorted(
    filled: Engine, wanted: TicketQuery, index: str
) -> None:
    if filled.dialect.name == "postgresql":
        pytest.skip("sorts a handful of rows rather than following an index, and knows that it is a handful")
    with statements(filled) as asked, reading(filled) as session:
        find_tickets(session, wanted, 5)
    plan = plan_of(filled, next(one for one in asked if "FROM ticket_referral" not in one[0]))
    assert index in plan, plan
    assert "TEMP B-TREE" not in plan, plan
    assert "Sort" not in plan, plan


@pytest.mark.parametrize("listed", ["list", "top"])
def test_the_tickets_due_first_are_read_in_order_and_not_sorted(filled: Engine, listed: str) -> None:
    with statements(filled) as asked, reading(filled) as session:
        if listed == "list":
            assert len(find_tickets(session, TicketQuery(), 10)) == 10
        else:
            assert len(queue_rows(session, QueueFilter(), "due", {}, NOW, 10)) == 10
    for statement in asked:
        plan = plan_of(filled, statement)
        assert "ix_ticket_unfinished_due" in plan, plan
        assert "USE TEMP B-TREE" not in plan, plan
        assert "Sort" not in plan, plan


def test_a_batch_of_stories_is_read_by_index(filled: Engine) -> None:
    assert_indexed(filled, lambda: next(iter(stories(filled, NOW - timedelta(days=30), NOW))), least=2)


def test_a_query_without_an_index_is_noticed(filled: Engine) -> None:
    for sql in (
        "SELECT * FROM ticket WHERE subject = 'x'",
        "SELECT id FROM entry WHERE text = 'x'",
        "SELECT count(*) FROM (SELECT id FROM ticket WHERE subject = 'x' LIMIT 5) AS found",
    ):
        assert whole_tables(plan_of(filled, (sql, ()))) != []
