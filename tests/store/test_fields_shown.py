"""Custom fields in mails: customers read the visible ones, agents all, and nothing in them is a live link."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import Engine

from mailticket.config.lifecycle import CustomField
from tests.scenario.daemon import answer, new_mail
from tests.store.small_desk import SAM, SmallDesk, small_desk

ANN = "ann@customer.example"
FIELDS = {
    "serial": CustomField(
        key="serial", name="Serial number", visible=True, pattern=r"SN:(\S+)", pattern_in="both"
    ),
    "risk": CustomField(key="risk", name="Risk", pattern=r"RISK:(\S+)", pattern_in="both"),
}


def text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


@pytest.fixture
def desk(engine: Engine) -> SmallDesk:
    """Two fields, one for customers' eyes, both found in the mail; every mail to customers is sent."""
    mails: dict[Any, bool] = {"ticket.closed": True, "ticket.resolved": True}
    found = SmallDesk(engine, small_desk(fields=FIELDS, mails=mails))
    found.receive(
        new_mail(
            "Broken SN:QX-4711", "RISK:insolvent it does not start", sender=ANN, message_id="m1@c.example"
        ),
        sender=ANN,
    )
    return found


def say(desk: SmallDesk, words: str, serial: int) -> None:
    alert = desk.to(SAM)[0]
    raw = answer(alert, words, sender=SAM, message_id=f"s{serial}@agents.example")
    desk.receive(raw, str(alert["Reply-To"].addresses[0].addr_spec), SAM)


def test_the_acknowledgement_has_what_customers_may_see_and_the_alert_has_all(desk: SmallDesk) -> None:
    (acknowledgement,) = desk.to(ANN)
    assert "Serial number  QX-4711" in text(acknowledgement)
    (alert,) = desk.to(SAM)
    assert "Serial number  QX-4711" in text(alert)
    assert "Risk           insolvent" in text(alert)


@pytest.mark.parametrize("command", ["#resolve", "#close"])
def test_the_mail_about_the_end_has_them_too(desk: SmallDesk, command: str) -> None:
    say(desk, "#field serial see http://evil.example/login", 1)
    say(desk, command, 2)
    told = text(desk.to(ANN)[-1])
    assert "Serial number  see hxxp[:]//evil[.]example/login" in told


def test_a_field_that_is_not_visible_is_in_no_mail_to_a_customer(desk: SmallDesk) -> None:
    say(desk, "Have you tried another socket?", 1)
    say(desk, "#field risk bankrupt\n#resolve", 2)
    sent = desk.to(ANN)
    assert len(sent) == 3  # an acknowledgement, an answer, the end
    for mail in sent:
        whole = mail.as_string()
        assert "Risk" not in whole
        assert "insolvent" not in whole
        assert "bankrupt" not in whole
