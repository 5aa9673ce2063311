"""Mails of the desk that agents attach to an answer: an alert holds notes and tokens, and stays inside."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage

import pytest
from sqlalchemy import Engine

from mailticket.config.desk import Agent
from mailticket.domain.change import Decision
from mailticket.domain.types import Outcome
from tests.scenario.simulated import written
from tests.store.small_desk import SAM, SUPPORT, SmallDesk, small_desk

ANN, BOB = "ann@customer.example", "bob@customer.example"
SUE = "sue.private@agents.example"


@pytest.fixture
def desk(engine: Engine) -> SmallDesk:
    one = small_desk()
    support = one.departments["support"].model_copy(update={"members": ("sam", "sue")})
    sue = Agent(key="sue", name="Sue Support", addresses=(SUE,))
    changed = {"departments": {"support": support}, "agents": one.agents | {"sue": sue}}
    made = SmallDesk(engine, one.model_copy(update=changed))
    made.receive(written("Printer", "It is on fire.", sender=ANN, to=SUPPORT), sender=ANN)
    answer(made, "#note\nShe is a fraud.", sender=SUE)
    return made


def answer(
    desk: SmallDesk,
    text: str,
    *,
    sender: str = SAM,
    mark: str = "Re:",
    files: tuple[tuple[str, str, bytes], ...] = (),
    attached: EmailMessage | None = None,
    also: str = "",
) -> Decision:
    """An answer to the newest alert of an agent."""
    alert = desk.to(sender)[-1]
    to = alert["Reply-To"].addresses[0].addr_spec
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, ", ".join(filter(None, (to, also))), f"{mark} Printer"
    mail["Message-ID"] = f"<{desk.now.timestamp():.0f}.{sender}>"
    mail["In-Reply-To"] = alert["Message-ID"]
    mail.set_content(text)
    for name, content_type, data in files:
        maintype, subtype = content_type.split("/")
        mail.add_attachment(data, maintype=maintype, subtype=subtype, filename=name)
    if attached is not None:
        mail.add_attachment(attached)
    return desk.receive(mail.as_bytes(policy=policy.SMTP), to, sender)


@pytest.mark.parametrize(
    ("mark", "text"), [("Re:", "Hello."), ("Re:", "#reply\nHello."), ("FW:", "#reply\nHello.")]
)
def test_an_answer_with_the_alert_attached_comes_back(desk: SmallDesk, mark: str, text: str) -> None:
    before = len(desk.to(ANN))
    decision = answer(desk, text, mark=mark, attached=desk.to(SAM)[-1])
    assert decision.outcome is Outcome.RETURNED
    assert "is a mail of this desk" in decision.reasons[-1]
    assert len(desk.to(ANN)) == before


@pytest.mark.parametrize("coding", ["utf-8", "utf-16-le"])
@pytest.mark.parametrize("kept", ["whole", "token", "address"])
def test_an_alert_saved_as_a_file_comes_back_too(desk: SmallDesk, coding: str, kept: str) -> None:
    alert = desk.to(SAM)[-1]
    address = alert["Reply-To"].addresses[0].addr_spec
    token = address.partition("+")[2].partition("@")[0]
    text = {"whole": alert.as_string(), "token": f"... [mt:{token}]", "address": f"To: {address}"}[kept]
    before = len(desk.to(ANN))
    file = ("alert.bin", "application/octet-stream", text.encode(coding))
    assert answer(desk, "Hello.", files=(file,)).outcome is Outcome.RETURNED
    assert len(desk.to(ANN)) == before


def test_other_files_and_mails_go_out_with_an_answer(desk: SmallDesk) -> None:
    other = EmailMessage()
    other["From"], other["Subject"] = "supplier@parts.example", "Parts"
    other.set_content("They are on their way.")
    file = ("price.txt", "text/plain", b"comt:5 mt:none +49 351 1234567")
    assert answer(desk, "Hello.", files=(file,), attached=other).outcome is Outcome.AGENT_ACTED
    names = [part.get_filename() for part in desk.to(ANN)[-1].iter_attachments()]
    assert "price.txt" in names
    assert len(names) == 2


def test_a_note_may_hold_an_alert(desk: SmallDesk) -> None:
    before = len(desk.to(ANN))
    assert answer(desk, "#note\nLook.", attached=desk.to(SAM)[-1]).outcome is Outcome.AGENT_ACTED
    assert len(desk.to(ANN)) == before


def test_an_alert_attached_to_a_direct_answer_goes_to_nobody_else(desk: SmallDesk) -> None:
    answer(desk, f"#cc {BOB}\n#note\nBob helps.", sender=SUE)
    decision = answer(desk, "Hello.", attached=desk.to(SAM)[-1], also=ANN)
    assert decision.outcome is Outcome.AGENT_ACTED
    assert desk.to(BOB) == []
    assert any("did not: the file" in reason for reason in decision.reasons)
