"""domain/storms.py: what a sender's load takes back from a decision that is right for one mail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mailticket.config.desk import Desk
from mailticket.domain.change import AddEntry, Decision, OpenTicket, SetField
from mailticket.domain.sender import SenderLoad
from mailticket.domain.storms import content_key, govern, subject_key
from mailticket.domain.types import Audience, EntryKind, Facts, Outcome, Trust
from mailticket.mail.read import read
from tests.facts import a_ticket

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ANN = "ann@customer.example"
DESK = Desk.model_validate(
    {
        "name": "Desk",
        "instance": "desk",
        "default_department": "support",
        "departments": {"support": {"name": "Support", "addresses": ["support@desk.example"]}},
        "priorities": {"normal": {"name": "Normal", "urgency": 3}},
    }
)
TICKET = a_ticket(number="100007", status="closed", created_at=NOW)
ENTRY = AddEntry(
    ticket=None, kind=EntryKind.MESSAGE, audience=Audience.CUSTOMER, author=ANN, author_name="Ann",
    trust=Trust.KNOWN, text="It burns", full_text=None, html=None, why="a mail",
)  # fmt: skip
OPENING = OpenTicket(
    subject="Printer", requester=ANN, requester_name="Ann", department="support", topic=None,
    priority="normal", sla_plan=None, assignee=None, team=None, tags=(), suspected=None,
    suspected_number=None, predecessor=None, why="a new ticket",
)  # fmt: skip
NEW = Decision(Outcome.NEW_TICKET, (OPENING, ENTRY), ("new",), Trust.KNOWN, acknowledge=True)
REOPENING = Decision(
    Outcome.THREADED, (ENTRY, SetField(7, "status", "open", ANN, "again")), ("reply",), Trust.KNOWN, 7,
    acknowledge=True,
)  # fmt: skip


def governed(decision: Decision, **load: Any) -> Decision:
    facts = Facts("support", ANN, None, True, tickets={7: TICKET}, load=SenderLoad(**load))
    return govern(decision, facts, DESK, NOW)


def mail(subject: str, body: str, extra: str = "") -> Any:
    raw = f"From: {ANN}\r\nTo: support@desk.example\r\nSubject: {subject}\r\n{extra}\r\n{body}\r\n"
    return read(raw.encode(), ANN)


@pytest.mark.parametrize("decision", [NEW, REOPENING])
def test_a_sender_below_every_limit_is_left_alone(decision: Decision) -> None:
    load = {"mails": 99, "tickets": 29, "same_subject": 1, "same_subject_tickets": 18, "same_text": 1}
    assert governed(decision, **load, reopened=4) == decision


def test_the_third_mail_with_one_subject_is_not_acknowledged() -> None:
    found = governed(NEW, same_subject=2)
    assert (found.acknowledge, found.quiet, found.changes) == (False, None, NEW.changes)
    assert "2 mails with this subject" in found.reasons[-1]


def test_the_twentieth_goes_into_the_newest_ticket_without_an_alert() -> None:
    found = governed(NEW, same_subject=19, same_subject_tickets=19, storm_ticket=7)
    assert (found.outcome, found.ticket, found.acknowledge) == (Outcome.RECORDED, 7, False)
    assert [
        (change.ticket, change.automatic) for change in found.changes if isinstance(change, AddEntry)
    ] == [(7, True)]
    assert len(found.changes) == 1
    assert found.quiet is not None
    assert found.quiet.about == ANN


def test_a_storm_mail_its_ticket_holds_already_is_no_second_entry() -> None:
    found = governed(NEW, same_subject_tickets=19, storm_ticket=7, in_storm=True)
    assert (found.outcome, found.changes) == (Outcome.IGNORED, ())


@pytest.mark.parametrize("load", [{"tickets": 30}, {"mails": 100}, {"same_text": 2}])
def test_over_a_limit_the_ticket_is_still_made_silently(load: dict[str, int]) -> None:
    found = governed(NEW, **load)
    assert (found.outcome, found.changes, found.acknowledge) == (Outcome.NEW_TICKET, NEW.changes, False)
    assert found.quiet is not None
    assert found.quiet.day == "2026-11-21"
    assert found.reasons[-1] == found.quiet.why


def test_the_same_text_a_third_time_is_a_machines_and_moves_no_status() -> None:
    found = governed(REOPENING, same_text=2)
    (entry,) = found.changes
    assert isinstance(entry, AddEntry)
    assert entry.automatic
    assert "the same text, digits aside, twice within the last hour" in entry.why
    assert found.quiet is not None


def test_a_ticket_is_reopened_only_so_often_but_the_mail_is_told() -> None:
    found = governed(REOPENING, reopened=5)
    (entry,) = found.changes
    assert isinstance(entry, AddEntry)
    assert (entry.automatic, found.quiet) == (False, None)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Your ticket 4711 was received at 10:05.", "your  ticket 12 was received\r\nat 9:7.", True),
        ("Your ticket 4711 was received.", "Your ticket 4711 was closed, sorry.", False),
    ],
)
def test_digits_and_blanks_do_not_make_a_text_another_one(one: str, other: str, same: bool) -> None:
    assert (content_key(mail("a", one)) == content_key(mail("b", other))) is same


def test_a_few_words_prove_nothing() -> None:
    assert content_key(mail("Re: Printer", "Thanks, ok!")) is None


def test_reply_marks_and_numbers_do_not_make_a_subject_another_one() -> None:
    keys = {
        subject_key(mail(subject, "x"), DESK)
        for subject in ("Printer", "Re: printer", "AW: [#100007] Printer")
    }
    assert len(keys) == 1
