"""What limits count, and the ban list, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from mailticket.config.desk import Brakes, Desk
from mailticket.domain.brakes import Counts, Planned
from mailticket.domain.sender import SenderLoad
from mailticket.domain.storms import content_key, subject_key
from mailticket.domain.types import Arrival
from mailticket.errors import Permanent
from mailticket.mail.read import read
from mailticket.mail.types import Reading
from mailticket.store.autocounts import count_automatic, note_automatic, prune
from mailticket.store.bans import add_ban, ban_of, list_bans, remove_ban
from mailticket.store.engine import reading, transaction
from mailticket.store.load import sender_load
from mailticket.store.models import AutoMail, SenderMail, Ticket
from mailticket.store.people import find_or_add_person
from tests.store.conftest import NOW

ANN = "ann@customer.example"
DESK = Desk.model_validate(
    {
        "name": "Desk",
        "instance": "desk",
        "default_department": "support",
        "departments": {"support": {"name": "Support", "addresses": ["support@desk.example"]}},
        "priorities": {"normal": {"name": "Normal", "urgency": 3}},
        "brakes": Brakes(same_subject_tickets_hour=2),
    }
)


def mail(subject: str = "Printer", body: str = "It burns since this morning.") -> Reading:
    return read(f"From: {ANN}\r\nSubject: {subject}\r\n\r\n{body}\r\n".encode(), ANN)


def arrival(envelope_from: str = ANN) -> Arrival:
    return Arrival(1, "support@desk.example", envelope_from, "smtp", NOW, "d" * 64)


def had(session: Session, ago: timedelta, kind: str = "opened", **values: object) -> None:
    row = {
        "at": NOW - ago, "sender": ANN, "subject_key": subject_key(mail(), DESK),
        "content_key": content_key(mail()), "ticket_id": 1, "kind": kind,
    }  # fmt: skip
    session.add(SenderMail(**row | values))


def load(session: Session, reading: Reading | None = None) -> SenderLoad:
    return sender_load(session, reading or mail(), arrival(), ANN, {1: None}, DESK, lock=True)  # type: ignore[dict-item] # only the keys are used


def make_ticket(session: Session, number: str) -> Ticket:
    person = find_or_add_person(session, ANN, "", NOW)
    ticket = Ticket(
        number=number, subject="s", status="open", department="support", priority="normal",
        requester_id=person, requester_address=ANN, requester_name="", source="smtp",
        created_at=NOW, updated_at=NOW, version=1,
    )  # fmt: skip
    session.add(ticket)
    session.flush()
    return ticket


def test_a_sender_nobody_knows_has_sent_nothing(engine: Engine) -> None:
    with reading(engine) as session:
        assert load(session) == SenderLoad()


def test_mails_are_counted_within_their_windows_and_by_what_they_have_in_common(engine: Engine) -> None:
    with transaction(engine) as session:
        had(session, timedelta(minutes=59))
        had(session, timedelta(minutes=61))
        had(session, timedelta(minutes=5), "joined", subject_key="x" * 64)
        had(session, timedelta(minutes=5), "joined", content_key=None)
        had(session, timedelta(hours=23), "reopened")
        had(session, timedelta(hours=23), "reopened", ticket_id=2)
        had(session, timedelta(hours=25), "reopened")
        had(session, timedelta(minutes=1), sender="bob@customer.example")
        session.flush()
        assert load(session) == SenderLoad(
            mails=3, tickets=1, same_subject=2, same_subject_tickets=1, same_text=2, reopened=1
        )
        other = load(session, mail("Something else", "Quite another matter."))
        assert (other.mails, other.same_subject, other.same_text) == (3, 0, 0)


def test_a_storm_goes_to_its_newest_ticket_wherever_that_was_merged(engine: Engine) -> None:
    with transaction(engine) as session:
        first, second, third = (make_ticket(session, number) for number in ("1", "2", "3"))
        had(session, timedelta(minutes=9), ticket_id=first.id)
        session.flush()
        assert load(session).storm_ticket is None
        had(session, timedelta(minutes=8), ticket_id=second.id)
        had(session, timedelta(minutes=7), "joined", ticket_id=third.id)
        session.flush()
        assert load(session).storm_ticket == second.id
        second.status, second.merged_into_id = "merged", third.id
        session.flush()
        assert load(session).storm_ticket == third.id


def test_automatic_mails_are_counted_for_each_limit(engine: Engine) -> None:
    planned = Planned(ANN, 1, "Printer", "ticket.autoresp")
    with transaction(engine) as session:
        for ago in (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=5), timedelta(hours=12)):
            note_automatic(session, planned, NOW - ago)
        note_automatic(session, Planned("bob@customer.example", 2, "Ink", "held.ask"), NOW)
        assert count_automatic(session, planned, NOW) == Counts(
            address_hour=2, address_day=4, domain_hour=3, template_hour=2, total_hour=3,
            ticket_10_minutes=1, ticket_hour=2, ticket_10_hours=3, same_subject_hour=2,
        )  # fmt: skip
        gmail = count_automatic(session, Planned("a@gmail.com", None, "", "ticket.autoresp"), NOW)
        assert (gmail.domain_hour, gmail.ticket_hour, gmail.total_hour) == (None, 0, 3)


def test_what_the_desk_decided_is_neither_stopped_nor_counted_by_the_limit_on_one_subject(
    engine: Engine,
) -> None:
    answers = Planned(ANN, 1, "Printer", "ticket.autoresp")
    ended = Planned(ANN, 1, "Printer", "ticket.resolved", decided=True)
    with transaction(engine) as session:
        for _ in range(3):
            note_automatic(session, answers, NOW)
            note_automatic(session, ended, NOW)
        assert count_automatic(session, answers, NOW).same_subject_hour == 3
        found = count_automatic(session, ended, NOW)
        assert (found.same_subject_hour, found.ticket_10_minutes, found.address_hour) == (0, 6, 6)


def test_old_counts_are_forgotten_in_batches(engine: Engine) -> None:
    with transaction(engine) as session:
        for ago in (24, 25, 26, 23):
            note_automatic(session, Planned(ANN, 1, "x", "t"), NOW - timedelta(hours=ago))
            had(session, timedelta(hours=ago))
        session.flush()
        assert prune(session, NOW, 2) == 4
        assert prune(session, NOW, 2) == 2
        assert prune(session, NOW, 2) == 0
        assert len(session.execute(select(AutoMail.id)).all()) == 1


def test_a_ban_is_found_by_header_or_envelope_until_it_ends(engine: Engine) -> None:
    with transaction(engine) as session:
        add_ban(session, "Customer.example", "hold", "a\nreason", NOW - timedelta(days=1), None)
        add_ban(session, "ann@customer.example", "discard", "", NOW, NOW + timedelta(seconds=1))
        add_ban(session, "*@bulk.example", "reject", "", NOW, None)
        found = ban_of(session, mail(), arrival())
        assert found is not None
        assert (found.kind, found.action) == ("address", "discard")
        add_ban(session, "ann@customer.example", "discard", "", NOW, NOW)
        found = ban_of(session, mail(), arrival())
        assert found is not None
        assert (found.kind, found.reason) == ("domain", "a reason")
        remove_ban(session, "@customer.example")
        assert ban_of(session, mail(), arrival()) is None
        assert ban_of(session, mail(), arrival("x@bulk.example")) is not None
        assert [ban.pattern for ban in list_bans(session)] == ["*@bulk.example", "ann@customer.example"]
        with pytest.raises(Permanent, match="not banned"):
            remove_ban(session, "customer.example")
