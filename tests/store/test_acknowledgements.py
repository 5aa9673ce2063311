"""Acknowledgements that wait: an answer makes them needless, a burst gets one. On both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from mailticket.store import acknowledgements, outbox
from mailticket.store.engine import reading, transaction
from mailticket.store.models import MessageRef, Outbox
from tests.scenario.simulated import written
from tests.store.small_desk import SAM, SUPPORT, SmallDesk, small_desk

ANN = "ann@customer.example"
HOLD = timedelta(minutes=10)


@pytest.fixture
def desk(engine: Engine) -> SmallDesk:
    return SmallDesk(engine, small_desk(acknowledge_after=HOLD))


def ask(desk: SmallDesk, subject: str = "Portal", sender: str = ANN) -> None:
    desk.receive(written(subject, f"{subject}: please help me", sender=sender, to=SUPPORT), sender=sender)


def answer(desk: SmallDesk, text: str = "It works again.") -> None:
    alert = desk.to(SAM)[-1]
    reply = written("Re: Portal", text, sender=SAM, In_Reply_To=str(alert["Message-ID"]))
    desk.receive(reply, recipient=alert["Reply-To"].addresses[0].addr_spec, sender=SAM)


def after_the_hold(desk: SmallDesk) -> None:
    desk.now += HOLD
    desk.send()


def states(engine: Engine, template: str = "ticket.autoresp") -> list[tuple[str, str | None]]:
    with reading(engine) as session:
        rows = session.execute(
            select(Outbox.state, Outbox.error).where(Outbox.template == template).order_by(Outbox.id)
        )
        return [(row.state, row.error) for row in rows]


def test_an_acknowledgement_goes_out_after_its_wait(desk: SmallDesk) -> None:
    ask(desk)
    assert desk.to(ANN) == []
    after_the_hold(desk)
    assert len(desk.to(ANN)) == 1


def test_only_the_answer_goes_out_when_it_comes_first(desk: SmallDesk, engine: Engine) -> None:
    ask(desk)
    answer(desk)
    after_the_hold(desk)
    (only,) = desk.to(ANN)
    body = only.get_body(("plain",))
    assert body is not None
    assert "It works again." in body.get_content()
    assert states(engine) == [("cancelled", acknowledgements.ANSWERED)]


def test_an_answer_does_not_claim_to_answer_the_mail_that_never_went(desk: SmallDesk, engine: Engine) -> None:
    ask(desk)
    with reading(engine) as session:
        planned = session.execute(
            select(Outbox.message_id).where(Outbox.template == "ticket.autoresp")
        ).scalar_one()
    answer(desk)
    (only,) = desk.to(ANN)
    assert planned not in str(only["References"]) + str(only["In-Reply-To"])
    with reading(engine) as session:
        known = session.execute(select(MessageRef.id).where(MessageRef.message_id == planned)).all()
    assert known == []


def test_a_note_leaves_the_acknowledgement_alone(desk: SmallDesk) -> None:
    ask(desk)
    answer(desk, "#note\n\nI look into it.")
    after_the_hold(desk)
    assert len(desk.to(ANN)) == 1


def test_a_claimed_acknowledgement_is_sent_and_so_is_the_answer(desk: SmallDesk, engine: Engine) -> None:
    """The sender that has claimed it wins: cancelling it then would leave it to chance what went out."""
    ask(desk)
    held = outbox.claim(engine, desk.now + HOLD, 100, timedelta(hours=1))
    assert [mail.template for mail in held] == ["ticket.autoresp"]
    with transaction(engine) as session:
        assert held[0].ticket_id is not None
        cancelled = acknowledgements.cancel(
            session, held[0].ticket_id, ("ticket.autoresp",), acknowledgements.ANSWERED, desk.now + HOLD
        )
    assert cancelled == 0
    assert [state for state, _ in states(engine)] == ["queued"]


def test_a_cancelled_acknowledgement_is_never_claimed(desk: SmallDesk, engine: Engine) -> None:
    ask(desk)
    answer(desk)
    assert outbox.claim(engine, desk.now + 2 * HOLD, 100, timedelta(hours=1)) == []


def test_an_answer_taken_back_brings_its_acknowledgement_back(desk: SmallDesk, engine: Engine) -> None:
    ask(desk)
    answer(desk)
    with transaction(engine) as session:
        assert acknowledgements.restore(session, desk.tickets()[0].id, None) == 1
    assert [state for state, _ in states(engine)] == ["queued"]
    with reading(engine) as session:
        again = session.execute(select(Outbox.message_id).where(Outbox.template == "ticket.autoresp"))
        wanted = again.scalar_one()
        known = session.execute(select(MessageRef.party).where(MessageRef.message_id == wanted)).scalars()
        assert list(known) == [ANN]


def test_a_burst_of_one_sender_gets_one_mail_that_lists_the_numbers(desk: SmallDesk, engine: Engine) -> None:
    for subject in ("Portal", "Printer", "Telephone"):
        ask(desk, subject)
    ask(desk, "Coffee", "bob@customer.example")
    after_the_hold(desk)
    (only,) = desk.to(ANN)
    body = only.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    mine = [ticket for ticket in desk.tickets() if ticket.requester_address == ANN]
    assert all(ticket.number in text for ticket in mine)
    assert all(subject in text for subject in ("Portal", "Printer", "Telephone"))
    assert "Coffee" not in text
    told = f"told of in the acknowledgement of #{mine[0].number}"
    assert sorted(states(engine), key=str)[:2] == [("cancelled", told)] * 2
    assert len(desk.to("bob@customer.example")) == 1


def test_one_answered_ticket_of_a_burst_is_left_out_of_its_acknowledgement(desk: SmallDesk) -> None:
    ask(desk, "Portal")
    answer(desk)
    ask(desk, "Printer")
    ask(desk, "Telephone")
    after_the_hold(desk)
    first, second, third = desk.tickets()
    body = desk.to(ANN)[-1].get_body(("plain",))
    assert body is not None
    assert len(desk.to(ANN)) == 2
    assert first.number not in body.get_content()
    assert second.number in body.get_content()
    assert third.number in body.get_content()


def test_without_a_wait_every_ticket_has_its_own_mail(engine: Engine) -> None:
    desk = SmallDesk(engine)
    ask(desk, "Portal")
    ask(desk, "Printer")
    assert len(desk.to(ANN)) == 2
