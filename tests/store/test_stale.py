"""The stale-reply guard: what its author had not seen comes first, whoever answers."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import Engine, select

from mailticket.domain.types import Outcome
from mailticket.store.engine import reading, transaction
from mailticket.store.models import Entry, Inbound, PendingAnswer
from mailticket.work.stale import expire_answers
from tests.scenario.simulated import written
from tests.store.small_desk import SAM, SECRET, SUPPORT, SmallDesk
from tests.store.test_one_tap import links, tap
from tests.store.test_undo import ANN, SUE, answers, reply, text_of, two_departments
from tests.store.threads import at_once


def made(engine: Engine, **options: object) -> SmallDesk:
    desk = SmallDesk(engine, two_departments(undo_hold=timedelta(0), **options))
    desk.receive(written("Printer", "It is on fire.", sender=ANN, to=SUPPORT), sender=ANN)
    return desk


@pytest.fixture
def desk(engine: Engine) -> SmallDesk:
    return made(engine)


def customer_writes(desk: SmallDesk, text: str) -> None:
    mail = desk.to(ANN)[-1]
    address = mail["Reply-To"].addresses[0].addr_spec
    desk.receive(written(f"Re: {mail['Subject']}", text, sender=ANN, to=address), address, ANN)


def waiting(desk: SmallDesk) -> int:
    with reading(desk.engine) as session:
        return len(session.execute(select(PendingAnswer)).all())


def test_an_answer_waits_when_the_customer_has_written_since(desk: SmallDesk) -> None:
    alert = desk.to(SAM)[-1]
    customer_writes(desk, "It is out now, thank you.")
    decision = reply(desk, "Use the extinguisher.\n\n#resolve", alert)
    assert decision.outcome is Outcome.STALE
    assert answers(desk) == []
    assert desk.tickets()[0].status == "open", "nothing of the mail is done"
    shown = text_of(desk.to(SAM)[-1])
    assert "> It is out now, thank you." in shown
    assert "> Use the extinguisher." in shown
    assert "It is on fire." not in shown, "what they had seen is not shown again"


def test_the_second_of_two_agents_learns_of_the_first_before_the_customer_does(desk: SmallDesk) -> None:
    for_sam, for_sue = desk.to(SAM)[-1], desk.to(SUE)[-1]
    assert reply(desk, "I send somebody.", for_sam).outcome is Outcome.AGENT_ACTED
    assert reply(desk, "Please wait.", for_sue, SUE).outcome is Outcome.STALE
    assert len(answers(desk)) == 1
    assert "> I send somebody." in text_of(desk.to(SUE)[-1])
    assert "Sam Support wrote" in text_of(desk.to(SUE)[-1])


@pytest.mark.parametrize("way", ["command", "tap"])
def test_the_author_sends_it_as_it_is(desk: SmallDesk, way: str) -> None:
    alert = desk.to(SAM)[-1]
    customer_writes(desk, "It is out now.")
    reply(desk, "Use the extinguisher.\n\n#resolve", alert)
    if way == "tap":
        tap(desk, links(desk.to(SAM)[-1])["Send it as it is"])
    else:
        reply(desk, "#send")
    assert waiting(desk) == 0
    with reading(desk.engine) as session:
        released = select(Inbound.state).where(Inbound.released)
        assert session.execute(released).scalars().all() == ["pending"], "the receiver works on it again"


def test_send_waits_again_when_more_has_come(desk: SmallDesk) -> None:
    alert = desk.to(SAM)[-1]
    customer_writes(desk, "It is out now.")
    reply(desk, "Use the extinguisher.", alert)
    told = desk.to(SAM)[-1]
    customer_writes(desk, "It burns again!")
    reply(desk, "#send", told)
    assert waiting(desk) == 1
    assert "> It burns again!" in text_of(desk.to(SAM)[-1])
    assert "> Use the extinguisher." in text_of(desk.to(SAM)[-1])


def test_a_fresh_answer_takes_its_place(desk: SmallDesk) -> None:
    alert = desk.to(SAM)[-1]
    customer_writes(desk, "It is out now.")
    reply(desk, "Use the extinguisher.", alert)
    assert reply(desk, "Glad to hear it.").outcome is Outcome.AGENT_ACTED
    assert waiting(desk) == 0
    assert ["Glad to hear it." in text for text in answers(desk)] == [True]
    assert reply(desk, "#send").outcome is Outcome.RETURNED


def test_notes_and_commands_are_not_held(desk: SmallDesk) -> None:
    alert = desk.to(SAM)[-1]
    customer_writes(desk, "It is out now.")
    assert reply(desk, "#note\n\nShe is fine.", alert).outcome is Outcome.AGENT_ACTED
    assert reply(desk, "#priority high", alert).outcome is Outcome.AGENT_ACTED


def test_own_answers_and_notes_are_no_reason_to_wait(desk: SmallDesk) -> None:
    alert = desk.to(SAM)[-1]
    assert reply(desk, "I am coming.", alert).outcome is Outcome.AGENT_ACTED
    reply(desk, "#note\n\nI take the bike.", desk.to(SUE)[0], SUE)
    assert reply(desk, "I am there.", alert).outcome is Outcome.AGENT_ACTED


def test_the_guard_can_be_switched_off(engine: Engine) -> None:
    desk = made(engine, stale_guard=False)
    alert = desk.to(SAM)[-1]
    customer_writes(desk, "It is out now.")
    assert reply(desk, "Use the extinguisher.", alert).outcome is Outcome.AGENT_ACTED


def test_an_answer_that_nobody_releases_expires_and_its_author_is_told(desk: SmallDesk) -> None:
    alert = desk.to(SAM)[-1]
    customer_writes(desk, "It is out now.")
    reply(desk, "Use the extinguisher.", alert)

    def expire() -> int:
        with transaction(desk.engine) as session:
            return expire_answers(session, desk.desk, SECRET, desk.now)

    assert expire() == 0
    desk.now += timedelta(days=1)
    assert (expire(), expire()) == (1, 0)
    desk._send()
    told = text_of(desk.to(SAM)[-1])
    assert "nobody has released it" in told
    assert "> Use the extinguisher." in told
    assert answers(desk) == []
    with reading(desk.engine) as session:
        assert session.execute(select(Entry).where(Entry.kind == "response")).all() == []


def test_of_two_answers_at_the_same_moment_only_one_goes_out(desk: SmallDesk) -> None:
    """Two daemons on PostgreSQL, two connections to SQLite: the lock puts one behind the other."""
    alerts = {SAM: desk.to(SAM)[-1], SUE: desk.to(SUE)[-1]}
    for number in range(3):
        customer_writes(desk, f"Hello? {number}")
        alerts = {who: desk.to(who)[-1] for who in alerts}
        before = len(answers(desk))

        def answer(which: int, alerts: dict[str, EmailMessage] = alerts) -> Outcome:
            who = (SAM, SUE)[which]
            return reply(desk, f"I look after it, {which}.", alerts[who], who).outcome

        outcomes = at_once(answer, threads=2)
        assert sorted(outcomes) == [Outcome.AGENT_ACTED, Outcome.STALE]
        desk._send()
        assert len(answers(desk)) == before + 1
