"""Reading stories of tickets in batches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from mailticket.domain.clocks import ClockEventKind
from mailticket.domain.history import FieldChange
from mailticket.mail.types import RawMail
from mailticket.store.engine import reading, transaction
from mailticket.store.inbox import Inbox
from mailticket.store.models import Entry
from mailticket.store.reports import count_stories, opening_mails, stories
from tests.store.stories import change, log, make_ticket

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SINCE, UNTIL = START + 10 * DAY, START + 20 * DAY


def test_only_tickets_open_in_the_period_are_told_in_batches_and_in_order(engine: Engine) -> None:
    with transaction(engine) as session:
        for number in range(7):
            make_ticket(session, f"open{number}", START)
        change(session, make_ticket(session, "before", START), "status", "closed", START + DAY)
        change(session, make_ticket(session, "inside", START), "status", "closed", SINCE + DAY)
        make_ticket(session, "after", UNTIL)
    found = list(stories(engine, SINCE, UNTIL, batch=3))
    assert [len(batch) for batch in found] == [3, 3, 2]
    numbers = [story.number for batch in found for story in batch]
    assert numbers == [*(f"open{number}" for number in range(7)), "inside"]
    assert count_stories(engine, SINCE, UNTIL) == 8


def test_a_story_has_the_changes_and_the_events_in_the_order_of_time(engine: Engine) -> None:
    with transaction(engine) as session:
        ticket = make_ticket(session, "1", START)
        change(session, ticket, "department", "sales", START + 2 * DAY)
        log(session, ticket, "message", START + DAY)  # came later, with a merged ticket
        log(session, ticket, "message", START + 3 * DAY, automatic=True)
        change(session, ticket, "status", "resolved", START + 4 * DAY)
    (batch,) = stories(engine, START, UNTIL)
    (story,) = batch
    assert story.changes == (FieldChange(START + 2 * DAY, "department", "support", "sales"),)
    assert [event.kind for event in story.events] == [
        ClockEventKind.CREATED,
        ClockEventKind.CUSTOMER_MESSAGE,
        ClockEventKind.RESOLVED,
    ]
    assert story.first("department") == "support"
    assert story.value("department", START + DAY) == "support"
    assert story.value("department", UNTIL) == "sales"


def test_the_mail_that_opened_a_ticket_is_found_and_no_other(engine: Engine, inbox: Inbox) -> None:
    raws = [f"From: ann@customer.example\r\nSubject: {n}\r\n\r\nhello {n}\r\n".encode() for n in range(2)]
    ids = [
        receipt.inbound_id
        for receipt in inbox.store(
            [RawMail(raw, "ann@customer.example", "support@desk.example", "smtp", None) for raw in raws]
        )
    ]
    with transaction(engine) as session:
        first, made_by_hand = (make_ticket(session, str(n), START) for n in range(2))
        for number, (ticket, at) in enumerate(((first, START), (first, START + DAY))):
            session.add(
                Entry(
                    ticket_id=ticket.id, kind="message", audience="customer", author="ann@customer.example",
                    author_name="Ann", trust="known", text="hello", inbound_id=ids[number], reason="a test",
                    created_at=at,
                )
            )  # fmt: skip
        wanted = [first.id, made_by_hand.id]
    with reading(engine) as session:
        found = opening_mails(session, wanted)
    assert list(found) == [first.id]
    assert found[first.id].raw == raws[0]
    assert (found[first.id].recipient, found[first.id].trust) == ("support@desk.example", "known")
