"""`#move` is no way around what `#merge` asks, nor into departments an agent does not work in."""

from __future__ import annotations

from typing import Literal

import pytest
from sqlalchemy import Engine

from mailticket.config.desk import Agent, Department
from mailticket.domain.change import Decision
from mailticket.domain.types import Outcome
from tests.scenario.simulated import written
from tests.store.small_desk import SAM, SUPPORT, SmallDesk, small_desk

ANN, BOB = "ann@customer.example", "bob@customer.example"
BILLING, SUE = "billing@desk.example", "sue.private@agents.example"


def two_tickets(
    engine: Engine, access: Literal["all", "departments"] = "all", second: str = BOB
) -> SmallDesk:
    """Ann's ticket in support, and one of hers or Bob's in billing, where only Sue works."""
    one = small_desk(access=access)
    billing = Department(key="billing", name="Billing", addresses=(BILLING,), members=("sue",))
    sue = Agent(key="sue", name="Sue Support", addresses=(SUE,))
    changed = {
        "departments": one.departments | {"billing": billing},
        "agents": one.agents | {"sue": sue},
    }
    desk = SmallDesk(engine, one.model_copy(update=changed))
    desk.receive(written("Printer", "It is on fire.", sender=ANN, to=SUPPORT), sender=ANN)
    desk.receive(written("Invoice", "It is too high.", sender=second, to=BILLING), BILLING, second)
    return desk


def sams(desk: SmallDesk, text: str) -> Decision:
    to = desk.to(SAM)[-1]["Reply-To"].addresses[0].addr_spec
    return desk.receive(written("Re: Printer", text, sender=SAM, to=to), to, SAM)


def test_the_only_message_of_a_ticket_goes_to_no_other_customers_ticket(engine: Engine) -> None:
    desk = two_tickets(engine)
    target = desk.tickets()[1]
    decision = sams(desk, f"#move {target.number}")
    assert decision.outcome is Outcome.RETURNED
    assert f"{ANN} takes part in only one of the two" in decision.reasons[-1]
    assert [one.status for one in desk.tickets()] == ["open", "open"]
    assert f"#merge {target.number} anyway" in desk.to(SAM)[-1].as_string()


def test_one_of_several_messages_can_be_moved_and_lets_nobody_in(engine: Engine) -> None:
    desk = two_tickets(engine)
    to = desk.to(ANN)[-1]["Reply-To"].addresses[0].addr_spec
    desk.receive(written("Re: Printer", "Bob's invoice is wrong.", sender=ANN, to=to), to, ANN)
    assert sams(desk, f"#move {desk.tickets()[1].number}").outcome is Outcome.AGENT_ACTED
    before = len(desk.to(ANN))
    alert = desk.to(SUE)[-1]
    to_sue = alert["Reply-To"].addresses[0].addr_spec
    desk.receive(written("Re: Invoice", "It is lower now.", sender=SUE, to=to_sue), to_sue, SUE)
    assert "It is lower now." in desk.to(BOB)[-1].as_string()
    assert len(desk.to(ANN)) == before


@pytest.mark.parametrize("access", ["all", "departments"])
def test_a_message_moves_only_where_the_agent_may_work(
    engine: Engine, access: Literal["all", "departments"]
) -> None:
    desk = two_tickets(engine, access, second=ANN)
    decision = sams(desk, f"#move {desk.tickets()[1].number}")
    fine = access == "all"
    assert decision.outcome is (Outcome.AGENT_ACTED if fine else Outcome.RETURNED)
    if not fine:
        assert "where you do not work" in decision.reasons[-1]
