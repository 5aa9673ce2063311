"""The real daemon holds acknowledgements back, in the customer's language. On both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenario.daemon import Daemon, answer, new_mail, text_of
from tests.unit.test_language import LONG

ANN, SAM = "ann@customer.example", "sam.private@agents.example"
FROM_SAM = f"Sam Support <{SAM}>"
HOLD = 600


@pytest.fixture
def holding(tmp_path: Path, database_url: str) -> Iterator[Daemon]:
    """A running daemon whose acknowledgements wait ten minutes: nothing goes until the clock is moved."""
    hold = {"MAILTICKET_DESK__ACKNOWLEDGE_AFTER": f"{HOLD}s"}
    with Daemon(tmp_path, database_url, environment=hold) as running:
        yield running


def test_a_german_customer_gets_a_german_acknowledgement_when_the_wait_is_over(holding: Daemon) -> None:
    holding.send(new_mail("Anmeldung", LONG["de"]))
    holding.wait_to(SAM)
    assert holding.to(ANN) == []
    holding.later(HOLD + 1)
    (acknowledgement,) = holding.wait_to(ANN)
    text = text_of(acknowledgement)
    assert "vielen Dank für Ihre Nachricht" in text
    assert "Unsere Antwort bekommen Sie spätestens am" in text
    assert "Anmeldung" in text
    assert "portal" not in text.lower()


def test_an_agent_who_answers_first_makes_it_the_only_mail(holding: Daemon) -> None:
    holding.send(new_mail("Login", "I cannot log in, please help me."))
    (alert,) = holding.wait_to(SAM)
    reply_to = str(alert["Reply-To"].addresses[0].addr_spec)
    holding.send(answer(alert, "Please try again now.", sender=FROM_SAM), recipient=reply_to, sender=SAM)
    holding.wait_to(ANN)
    holding.later(HOLD + 60)
    holding.settle()
    (only,) = holding.to(ANN)
    assert "Please try again now." in text_of(only)
    assert only["In-Reply-To"] == "<m1@customer.example>"


def test_a_burst_gets_one_mail_with_all_the_numbers(holding: Daemon) -> None:
    for number, subject in enumerate(("Printer", "Telephone", "Coffee"), 1):
        holding.send(new_mail(subject, f"The {subject} is broken.", message_id=f"b{number}@customer.example"))
    holding.wait_to(SAM, 3)
    holding.later(HOLD + 60)
    holding.settle()
    (only,) = holding.to(ANN)
    tickets = holding.json("ticket", "list", "--all")
    assert len(tickets) == 3
    assert all(ticket["number"] in text_of(only) for ticket in tickets)
