"""`#due`, `#sla` and `#ack` in an agent's answer to an alert, from the mail's bytes to the event log."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, select

from mailticket.config.desk import SLAPlan
from mailticket.store.engine import reading
from mailticket.store.models import TicketEvent
from tests.store.small_desk import SAM, SmallDesk, small_desk

ANN = "ann@customer.example"


def test_an_agent_sets_a_due_date_and_a_plan_and_stops_the_ladder_by_answering_the_alert(
    engine: Engine,
) -> None:
    plan = SLAPlan(key="gold", name="Gold", resolution=timedelta(hours=4))
    desk = SmallDesk(engine, small_desk(sla_plans={"gold": plan}))
    desk.receive(
        f"From: {ANN}\r\nTo: support@desk.example\r\nSubject: Help\r\nMessage-ID: <1@customer.example>\r\n"
        "\r\nIt burns.\r\n".encode(),
        sender=ANN,
    )
    alert = desk.to(SAM)[0]
    answer = str(alert["Reply-To"].addresses[0].addr_spec)
    decision = desk.receive(
        f"From: {SAM}\r\nTo: {answer}\r\nSubject: Re: Help\r\nMessage-ID: <2@agents.example>\r\n"
        f"In-Reply-To: {alert['Message-ID']}\r\n\r\n#due +4h\r\n#sla gold\r\n#ack\r\n".encode(),
        recipient=answer,
        sender=SAM,
    )
    assert str(decision.outcome) == "agent-acted"
    (ticket,) = desk.tickets()
    assert ticket.sla_plan == "gold"
    with reading(engine) as session:
        events = session.execute(
            select(TicketEvent.kind, TicketEvent.data, TicketEvent.actor).order_by(TicketEvent.id)
        ).all()
    assert (
        "edited",
        {"field": "due", "due": None, "after_seconds": 14400.0, "mail": 2},
        "agent:sam",
    ) in events
    assert ("acknowledged", {"mail": 2}, "agent:sam") in events
    assert desk.to(ANN)[1:] == []  # nothing of it reaches the customer
