"""Departments and agents that a new configuration no longer has, and rows that still name them."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from mailticket.config.desk import Agent, Department, Desk
from mailticket.domain.types import Outcome
from tests.scenario.simulated import written
from tests.store.small_desk import SAM, SUPPORT, SmallDesk, small_desk

ANN, SUE = "ann@customer.example", "sue.private@agents.example"
BILLING = "billing@desk.example"


@pytest.fixture
def desk(engine: Engine) -> SmallDesk:
    """Its department of billing had a ticket of Ann's, and is gone."""
    one = small_desk()
    billing = Department(key="billing", name="Billing", addresses=(BILLING,), members=("sue",))
    sue = Agent(key="sue", name="Sue Support", addresses=(SUE,))
    with_billing = {
        "departments": one.departments | {"billing": billing},
        "agents": one.agents | {"sue": sue},
    }
    made = SmallDesk(engine, one.model_copy(update=with_billing))
    made.receive(written("Invoice", "It is too high.", sender=ANN, to=BILLING), BILLING, sender=ANN)
    made.desk = without(made.desk, departments=one.departments)
    return made


def without(desk: Desk, **changed: object) -> Desk:
    """The desk after a reload."""
    return Desk.model_validate(desk.model_dump() | changed)


def answered(desk: SmallDesk, reader: str, text: str) -> Outcome:
    mail = desk.to(reader)[-1]
    to = mail["Reply-To"].addresses[0].addr_spec.replace("billing", "support")
    return desk.receive(written(f"Re: {mail['Subject']}", text, sender=reader, to=to), to, reader).outcome


def test_a_ticket_of_a_department_that_is_gone_is_answered_by_the_default_one(desk: SmallDesk) -> None:
    assert answered(desk, ANN, "And it is late.") is Outcome.THREADED
    assert "And it is late." in desk.sent[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    reader = desk.sent[-1]["To"].addresses[0].addr_spec
    assert answered(desk, reader, "We look into it.") is Outcome.AGENT_ACTED
    reply = desk.to(ANN)[-1]
    assert "We look into it." in reply.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert reply["From"].addresses[0].addr_spec == SUPPORT


def test_such_a_ticket_can_be_given_to_a_department_that_is_there(desk: SmallDesk) -> None:
    assert answered(desk, SUE, "#transfer support") is Outcome.AGENT_ACTED
    assert desk.tickets()[0].department == "support"


def test_who_is_no_agent_any_more_acts_on_nothing(desk: SmallDesk) -> None:
    desk.desk = without(desk.desk, agents={"sam": desk.desk.agents["sam"]})
    before = len(desk.to(ANN))
    assert answered(desk, SUE, "#resolve") is Outcome.NEW_TICKET
    assert answered(desk, SUE, "Dear Ann, you get nothing.") is not Outcome.AGENT_ACTED
    assert desk.tickets()[0].status == "open"
    assert len(desk.to(ANN)) == before
    assert desk.to(SAM), "somebody hears of it"
