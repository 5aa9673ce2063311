"""Mails on which a customer's state depends get through, and a storm is braked as ever. On both databases."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from mailticket.domain.followup import Step
from mailticket.domain.types import EventKind
from mailticket.store.engine import reading
from mailticket.store.models import Outbox
from tests.scenario.simulated import written
from tests.store.conftest import Clock
from tests.store.small_desk import SAM, SUPPORT, SmallDesk
from tests.store.test_follow_ups import Room
from tests.store.test_follow_ups import desk as follow_up_desk
from tests.store.test_undo import ANN, reply, two_departments


@pytest.fixture
def desk(engine: Engine) -> SmallDesk:
    mails = {"ticket.satisfaction": True}
    none = timedelta(0)
    made = SmallDesk(engine, two_departments(mails=mails, undo_hold=none, satisfaction_after=none))
    made.receive(written("Printer", "It is on fire.", sender=ANN, to=SUPPORT), sender=ANN)
    return made


def planned(desk: SmallDesk) -> Counter[str]:
    with reading(desk.engine) as session:
        return Counter(session.execute(select(Outbox.template).where(Outbox.recipient == ANN)).scalars())


def test_the_end_of_a_ticket_and_the_question_get_through_however_much_was_said(desk: SmallDesk) -> None:
    for round_ in range(2):
        reply(desk, "#resolve", desk.to(SAM)[0])
        reply(desk, "#reopen", desk.to(SAM)[0])
        assert planned(desk)["ticket.resolved"] == round_ + 1
    assert planned(desk)["ticket.satisfaction"] >= 1


def test_acknowledgements_of_one_subject_are_braked_as_ever(desk: SmallDesk) -> None:
    for number in range(6):
        desk.receive(written("Printer", f"It is on fire {number}.", sender=ANN, to=SUPPORT), sender=ANN)
    assert planned(desk)["ticket.autoresp"] == desk.desk.brakes.same_subject_hour


def test_an_agent_who_flaps_is_braked_by_the_other_limits(desk: SmallDesk) -> None:
    for _ in range(8):
        reply(desk, "#resolve", desk.to(SAM)[0])
        reply(desk, "#reopen", desk.to(SAM)[0])
    assert sum(planned(desk).values()) <= desk.desk.brakes.per_address_hour


def test_no_reminder_goes_out_before_the_moment_an_agent_lets_a_ticket_wait_until(
    engine: Engine, clock: Clock
) -> None:
    room = Room(engine, clock, follow_up_desk())
    room.waits()
    until = clock() + timedelta(days=14)
    room.happens(EventKind.EDITED, field="wake", before=None, after=until.isoformat())
    assert room.planned() == {}
    clock.forward(days=13)
    room.tick()
    assert room.mails() == []
    room.happens(EventKind.EDITED, field="wake", before=until.isoformat(), after=None)
    assert set(room.planned()) == {Step.NUDGE1}
