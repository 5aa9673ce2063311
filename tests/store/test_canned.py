"""Canned replies: written once, filled in, and never half filled in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import Engine

from mailticket.config.canned import Canned
from mailticket.domain.canned import for_rule
from tests.facts import a_ticket
from tests.scenario.simulated import written
from tests.store.small_desk import SAM, SUPPORT, SmallDesk, small_desk

ANN = "ann@customer.example"
RESET = Canned(
    key="reset",
    title="Password reset",
    text="Dear {{ ticket.name }},\n\nplease open {{ link }} within {{ hours }} hours.\n\n{{ agent.name }}",
)
CLOSED = Canned(
    key="closed", title="We are closed", text="{{ company.name }} is closed. About: {{ ticket.subject }}"
)
SALES = Canned(key="offer", title="Offer", text="Here is our offer.", departments=("sales",))
TICKET = a_ticket(
    id=1, number="1042", subject="See https://evil.example", created_at=datetime(2026, 11, 21, tzinfo=UTC)
)


@pytest.fixture
def desk(engine: Engine) -> SmallDesk:
    canned = {one.key: one for one in (RESET, CLOSED, SALES)}
    return SmallDesk(engine, small_desk(canned=canned))


def answered(desk: SmallDesk, text: str) -> tuple[str, str]:
    """What the customer and the agent get for an agent's mail, "" for nothing."""
    desk.receive(written("Password", "I forgot it", sender=f"Ann Lee <{ANN}>", to=SUPPORT), sender=ANN)
    alert = desk.to(SAM)[-1]
    desk.sent.clear()
    reply = written("Re: Password", text, sender=SAM, In_Reply_To=str(alert["Message-ID"]))
    desk.receive(reply, recipient=alert["Reply-To"].addresses[0].addr_spec, sender=SAM)
    bodies = []
    for address in (ANN, SAM):
        parts = [mail.get_body(("plain",)) for mail in desk.to(address)]
        text = "\n".join(part.get_content() for part in parts if part is not None)
        bodies.append(text.replace("\r\n", "\n"))
    return bodies[0], bodies[1]


def test_a_canned_reply_goes_below_the_agents_own_words(desk: SmallDesk) -> None:
    customer, _ = answered(
        desk, 'Hello Ann!\n\n#use reset link=https://bank.example/r?a=1 hours="two or three"'
    )
    assert (
        "Hello Ann!\n\nDear Ann Lee,\n\nplease open https://bank.example/r?a=1 within two or three hours."
        in customer
    )
    assert "Sam Support" in customer
    assert "#use" not in customer


def test_a_canned_reply_alone_is_an_answer(desk: SmallDesk) -> None:
    customer, _ = answered(desk, "#use closed")
    assert "Example Bank is closed. About: Password" in customer


def test_in_a_note_it_stays_inside(desk: SmallDesk) -> None:
    customer, _ = answered(desk, "#note\n#use closed")
    assert customer == ""


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("#use reset link=https://x.example", "needs hours"),
        ("#use reset", "needs link, hours"),
        ("#use closed colour=red", "has no place for colour"),
        ("#use closed please", "no value"),
        ("#use resett", "#use reset"),
        ("#use offer", "canned reply"),
        ("#use reset link= hours=2", ""),
    ],
)
def test_what_does_not_fit_stops_the_mail(desk: SmallDesk, line: str, reason: str) -> None:
    customer, agent = answered(desk, f"Hello Ann!\n\n{line}")
    assert customer == ""
    assert reason in " ".join(agent.split())


def test_a_value_is_never_read_as_a_place(desk: SmallDesk) -> None:
    customer, _ = answered(desk, '#use reset link="{{ agent.name }}" hours=1')
    assert "please open {{ agent.name }} within" in customer


@given(st.text(max_size=60), st.text(max_size=60))
def test_what_is_filled_in_is_there_word_for_word(link: str, hours: str) -> None:
    values = {"ticket.name": "n", "agent.name": "a", "link": link, "hours": hours}
    assert RESET.filled(values) == f"Dear n,\n\nplease open {link} within {hours} hours.\n\na"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "{{ ticket.secret }}",
        "{{ agent.address }}",
        "{{ }}",
        "a {{ b",
        "}}",
        "{{ 1 + 1 }}",
        "{{ A }}",
    ],
)
def test_a_text_whose_places_cannot_be_filled_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Canned(title="x", text=text)


def test_a_rule_sends_only_what_needs_no_agent_and_no_live_link() -> None:
    desk = small_desk(canned={one.key: one for one in (RESET, CLOSED)})
    assert not RESET.fills_itself_in
    assert for_rule("reset", TICKET, desk) is None
    assert for_rule("nothing", TICKET, desk) is None
    assert for_rule("closed", TICKET, desk) == "Example Bank is closed. About: See hxxps[:]//evil[.]example"
    assert for_rule("closed", replace(TICKET, subject="a"), desk) == "Example Bank is closed. About: a"
