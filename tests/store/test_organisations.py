"""An organisation's people and each other's tickets: with the real store."""

from __future__ import annotations

from sqlalchemy import Engine

from mailticket.config.desk import Organisation
from mailticket.domain.change import OpenTicket
from mailticket.domain.types import Outcome
from tests.scenario.daemon import new_mail
from tests.store.small_desk import SmallDesk, small_desk

ANN, BOB = "ann@bakery.example", "bob@bakery.example"
EVE = "eve@elsewhere.example"


def mail(subject: str, serial: str, sender: str, **headers: str) -> bytes:
    return new_mail(subject, "Words.", sender=sender, message_id=f"{serial}@mua.example", **headers)


def shared(engine: Engine, *, share: bool) -> tuple[SmallDesk, str]:
    """Ann's ticket; Bob and Eve have written before. Returns the address that answers Ann's mail."""
    bakery = Organisation(key="bakery", name="Crust", domains=("bakery.example",), share=share)
    desk = SmallDesk(engine, small_desk(organisations={"bakery": bakery}))
    for position, sender in enumerate((ANN, BOB, EVE)):
        desk.receive(mail(f"Matter of {sender}", f"m{position}", sender), sender=sender)
    return desk, str(desk.to(ANN)[0]["Reply-To"].addresses[0].addr_spec)


def test_a_colleague_who_answers_a_forwarded_mail_joins_and_gets_the_answers(engine: Engine) -> None:
    desk, address = shared(engine, share=True)
    decision = desk.receive(mail("Re: Matter", "m9", BOB), address, BOB)
    assert decision.outcome is Outcome.THREADED
    assert decision.ticket == desk.tickets()[0].id
    assert any("a colleague of the customer" in reason for reason in decision.reasons)
    assert any("whose people share their tickets" in reason for reason in decision.reasons)
    again = desk.receive(mail("Re: Matter", "m10", BOB), address, BOB)
    assert again.outcome is Outcome.THREADED
    assert not any("colleague" in reason for reason in again.reasons)  # he takes part now


def test_without_sharing_a_colleague_is_a_stranger(engine: Engine) -> None:
    desk, address = shared(engine, share=False)
    decision = desk.receive(mail("Re: Matter", "m9", BOB), address, BOB)
    opening = decision.changes[0]
    assert isinstance(opening, OpenTicket)
    assert opening.held


def test_sharing_lets_nobody_from_elsewhere_in_and_nobody_by_a_number(engine: Engine) -> None:
    desk, address = shared(engine, share=True)
    assert desk.receive(mail("Re: Matter", "m9", EVE), address, EVE).outcome is Outcome.NEW_TICKET
    number = desk.tickets()[0].number
    guessed = desk.receive(mail(f"Re: Matter [#{number}]", "m10", BOB), sender=BOB)
    assert guessed.outcome is Outcome.NEW_TICKET
