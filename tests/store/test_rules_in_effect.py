"""What rules want, from bytes to rows and mails: canned replies, custom fields, own statuses."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Engine, select

from mailticket.config.canned import Canned
from mailticket.config.desk import Rule, Webhook
from mailticket.config.lifecycle import CustomField, Status
from mailticket.domain.schedule import WorkingTimes
from mailticket.store.engine import reading, transaction
from mailticket.store.models import TicketEvent, WebhookCall
from mailticket.work.by_command import carry_out
from tests.scenario.simulated import written
from tests.store.small_desk import SAM, SECRET, SUPPORT, SmallDesk, small_desk

ANN = "ann@customer.example"
ORDERED = Canned(
    key="ordered",
    title="Order received",
    text="Dear {{ ticket.name }}, here it is: #{{ ticket.number }}.",
)
SALES = Canned(key="offer", title="Offer", text="An offer follows.", departments=("sales",))
SEVERITY = CustomField(key="severity", name="Severity", type="choice", choices=("minor", "critical"))
TRIAGE = Status(key="triage", name="Being sorted", state="open")


def ruled(engine: Engine, *rules: dict[str, Any]) -> SmallDesk:
    """A desk with these rules; `name` may be left out."""
    made = tuple(Rule.model_validate({"name": f"r{place}", **one}) for place, one in enumerate(rules))
    return SmallDesk(
        engine,
        small_desk(
            rules=made, canned={"ordered": ORDERED, "offer": SALES},
            fields={"severity": SEVERITY}, statuses={"triage": TRIAGE},
        ),
    )  # fmt: skip


def order(text: str = "Two pens, please.", **headers: str) -> bytes:
    return written("An order", text, sender=f"Ann Lee <{ANN}>", to=SUPPORT, **headers)


def text_of(mail: Any) -> str:
    return str(mail.get_body(("plain",)).get_content()).replace("\r\n", "\n")


def test_a_canned_reply_goes_in_place_of_the_acknowledgement(engine: Engine) -> None:
    desk = ruled(engine, {"then": {"canned": "ordered"}})
    desk.receive(order(), sender=ANN)
    (ticket,) = desk.tickets()
    (only,) = desk.to(ANN)
    assert f"Dear Ann Lee, here it is: #{ticket.number}." in text_of(only)
    assert "pens" not in text_of(only)
    assert only["Auto-Submitted"] == "auto-replied"
    assert str(only["In-Reply-To"]).startswith("<")
    desk.receive(
        written("Re: An order", "And paper.", sender=ANN, In_Reply_To=str(only["Message-ID"])),
        recipient=only["Reply-To"].addresses[0].addr_spec, sender=ANN,
    )  # fmt: skip
    assert [one.id for one in desk.tickets()] == [ticket.id]


def test_a_machine_gets_no_canned_reply(engine: Engine) -> None:
    desk = ruled(engine, {"then": {"canned": "ordered"}})
    desk.receive(order(Auto_Submitted="auto-generated"), sender=ANN)
    assert desk.to(ANN) == []


def test_a_canned_reply_of_another_department_leaves_the_acknowledgement(engine: Engine) -> None:
    desk = ruled(engine, {"then": {"canned": "offer"}})
    desk.receive(order(), sender=ANN)
    (only,) = desk.to(ANN)
    assert "An offer follows" not in text_of(only)
    assert desk.tickets()[0].number in text_of(only)


def test_fields_and_a_status_begin_with_the_ticket_and_change_with_a_reply(engine: Engine) -> None:
    desk = ruled(
        engine,
        {"then": {"status": "triage", "fields": {"severity": "minor"}}},
        {
            "on": "reply",
            "when": [
                {"field": "field:severity", "how": "equal", "value": "minor"},
                {"field": "ticket_status", "how": "equal", "value": "triage"},
            ],
            "then": {"fields": {"severity": "critical"}, "tags": ["worse"]},
        },
    )
    desk.receive(order(), sender=ANN)
    (ticket,) = desk.tickets()
    assert (ticket.status, ticket.custom_status, ticket.fields) == ("open", "triage", {"severity": "minor"})
    last = desk.to(ANN)[-1]
    reply = written("Re: An order", "Where is it?", sender=ANN, In_Reply_To=str(last["Message-ID"]))
    desk.receive(reply, recipient=last["Reply-To"].addresses[0].addr_spec, sender=ANN)
    (ticket,) = desk.tickets()
    assert (ticket.fields, ticket.tags) == ({"severity": "critical"}, ["worse"])
    with reading(engine) as session:
        rows = session.execute(select(TicketEvent).order_by(TicketEvent.id)).scalars().all()
        edits = [(row.reason, row.data["after"]) for row in rows if row.data.get("field") == "field:severity"]
    assert edits == [
        ('rule "r0": Severity is minor', "minor"),
        ('rule "r1": Severity is critical', "critical"),
    ]
    assert all("triage" not in text_of(mail) and "Severity" not in text_of(mail) for mail in desk.to(ANN))
    assert desk.to(SAM)


def test_a_web_service_is_told_of_what_the_command_line_does(engine: Engine) -> None:
    hook = Webhook.model_validate(
        {"key": "chat", "url": "https://chat.example/x", "secret": "0123456789abcdef", "events": ["closed"]}
    )
    desk = SmallDesk(engine, small_desk(webhooks={"chat": hook}))
    desk.receive(order(), sender=ANN)
    (ticket,) = desk.tickets()
    with transaction(engine) as session:
        carry_out(
            session, ticket.number, ["close"], "sam",
            desk=desk.desk, secret=SECRET, times=WorkingTimes(desk.desk), now=desk.now,
        )  # fmt: skip
    with reading(engine) as session:
        (call,) = session.execute(select(WebhookCall)).scalars()
        body = json.loads(call.body)
    assert (body["event"], body["ticket"]["number"]) == ("closed", ticket.number)
    assert "actor" not in body
