"""Who is never acknowledged, and senders whose address nothing can be written to: from bytes to outbox."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from mailticket.domain.notice import Notice
from mailticket.domain.types import Audience, Outcome
from mailticket.store.engine import transaction
from mailticket.work.announce import announce
from tests.store.small_desk import SAM, SECRET, SUPPORT, SmallDesk, small_desk

PLAIN = "ann@customer.example"
QUOTED = '"ann private"@customer.example'


def mail(
    sender: str, *headers: str, subject: str = "Help", to: str = SUPPORT, text: str = "It burns."
) -> bytes:
    head = [f"From: {sender}", f"To: {to}", f"Subject: {subject}", *headers]
    return "\r\n".join([*head, "", text, ""]).encode()


@pytest.mark.parametrize(
    ("sender", "headers", "why"),
    [
        (SUPPORT, (), f"{SUPPORT} is an address of this desk"),
        ("Support+x@DESK.example", (), "support+x@desk.example is an address of this desk"),
        (PLAIN, (f"Reply-To: {PLAIN}, {SUPPORT}",), f"at {SUPPORT}, an address of this desk"),
        (PLAIN, ("Reply-To: Support <support+t1@desk.example>",), "support+t1@desk.example, an address of"),
        (QUOTED, (), "no mail can be written to"),
        ("ann@[192.0.2.7]", (), "no mail can be written to ann@[192.0.2.7]"),
    ],
)
def test_a_mail_whose_answer_would_come_back_or_cannot_go_opens_a_ticket_unanswered(
    engine: Engine, sender: str, headers: tuple[str, ...], why: str
) -> None:
    desk = SmallDesk(engine)
    decision = desk.receive(mail(sender, *headers))
    assert decision.outcome is Outcome.NEW_TICKET
    assert not decision.acknowledge
    assert why in decision.reasons[-1]
    assert [sent["To"].addresses[0].addr_spec for sent in desk.sent] == [SAM]


@pytest.mark.parametrize(("hops", "acknowledged"), [(50, True), (51, False)])
def test_a_mail_that_made_too_many_hops_is_not_acknowledged(
    engine: Engine, hops: int, acknowledged: bool
) -> None:
    desk = SmallDesk(engine)
    received = ("Received: from a by b; Mon, 05 Jan 2026 10:00:00 +0000",) * hops
    decision = desk.receive(mail(PLAIN, *received))
    assert (decision.outcome, decision.acknowledge) == (Outcome.NEW_TICKET, acknowledged)
    assert bool(desk.to(PLAIN)) is acknowledged


def test_a_reply_in_the_ticket_is_not_acknowledged_either(engine: Engine) -> None:
    configured = small_desk()
    support = configured.departments["support"].model_copy(update={"acknowledge_replies": True})
    desk = SmallDesk(engine, configured.model_copy(update={"departments": {"support": support}}))
    desk.receive(mail(PLAIN, "Message-ID: <1@customer.example>"))
    (acknowledgement,) = desk.to(PLAIN)
    answered = f"In-Reply-To: {acknowledgement['Message-ID']}"
    decision = desk.receive(mail(PLAIN, answered, f"Reply-To: {SUPPORT}", text="More."))
    assert decision.outcome is Outcome.THREADED
    assert not decision.acknowledge
    assert desk.to(PLAIN) == [acknowledgement]
    desk.receive(mail(PLAIN, answered, text="Even more."))
    assert len(desk.to(PLAIN)) == 2


def answer(desk: SmallDesk, text: str) -> Outcome:
    """Sam answers the first alert."""
    alert = desk.to(SAM)[0]
    to = str(alert["Reply-To"].addresses[0].addr_spec)
    reply = mail(SAM, f"In-Reply-To: {alert['Message-ID']}", subject="Re: Help", to=to, text=text)
    return desk.receive(reply, recipient=to, sender=SAM).outcome


def test_an_agents_answer_that_cannot_be_sent_comes_back_with_the_reason(engine: Engine) -> None:
    desk = SmallDesk(engine)
    desk.receive(mail(QUOTED, "Message-ID: <1@customer.example>"))
    assert answer(desk, "Pour water on it.") is Outcome.RETURNED
    back = desk.to(SAM)[-1].get_body(("plain",))
    assert back is not None
    said = " ".join(back.get_content().split())
    assert f"no mail can be written to {QUOTED}: answer by other means" in said
    assert "Pour water on it." in said
    assert [ticket.status for ticket in desk.tickets()] == ["open"]


def test_a_note_on_such_a_ticket_is_kept(engine: Engine) -> None:
    desk = SmallDesk(engine)
    desk.receive(mail(QUOTED, "Message-ID: <1@customer.example>"))
    assert answer(desk, "#note\r\nI have called them.") is Outcome.AGENT_ACTED


@pytest.mark.parametrize(("recipient", "queued"), [(PLAIN, 1), (QUOTED, 0)])
def test_no_mail_is_queued_that_could_never_be_written(engine: Engine, recipient: str, queued: int) -> None:
    notice = Notice(
        "nudge",
        Audience.CUSTOMER,
        recipient,
        "",
        recipient,
        None,
        None,
        "auto-generated",
        "nudge:1",
        "a test",
    )
    with transaction(engine) as session:
        announced = announce(
            session, [notice], None, small_desk(), SECRET, datetime(2026, 11, 21, tzinfo=UTC)
        )
    assert announced.queued == queued
    assert len(announced.braked) == 1 - queued
