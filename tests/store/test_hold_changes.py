"""Within the hold of an answer all may still change: who takes part, whose ticket it is, that it was."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from mailticket.config.webhooks import Webhook
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.types import Outcome
from mailticket.store import outbox, webhooks
from mailticket.store.due import standing
from mailticket.store.engine import reading, transaction
from mailticket.store.erasure import erase
from mailticket.store.models import Outbox, PersonAddress, WebhookCall
from tests.scenario.simulated import written
from tests.store.small_desk import SAM, SUPPORT, SmallDesk
from tests.store.test_undo import ANN, HOLD, answers, later, reply, text_of, two_departments

BOB, ZOE = "bob@customer.example", "zoe@customer.example"
LEASE = timedelta(minutes=5)


def desk_of(engine: Engine, **options: Any) -> SmallDesk:
    made = SmallDesk(engine, two_departments(**options))
    made.receive(written("Printer", "It is on fire.", sender=ANN, to=SUPPORT), sender=ANN)
    return made


@pytest.fixture
def desk(engine: Engine) -> SmallDesk:
    return desk_of(engine)


def got(desk: SmallDesk, address: str) -> list[str]:
    """The answers of agents that went to an address."""
    return [text_of(mail) for mail in desk.to(address) if mail["Auto-Submitted"] is None]


def test_who_joins_within_the_hold_gets_the_answer_that_waits_and_not_those_before(desk: SmallDesk) -> None:
    reply(desk, "The first answer.")
    later(desk, HOLD)
    reply(desk, "The second answer.", desk.to(SAM)[0])
    reply(desk, f"#cc {BOB}", desk.to(SAM)[0])
    said = " ".join(text_of(desk.to(SAM)[-1]).split())
    assert re.search(rf"The answer that waits goes at .+? to {BOB}", said), said
    later(desk, 2 * HOLD)
    assert ["The second answer." in text for text in got(desk, BOB)] == [True]
    assert len(got(desk, ANN)) == 2


def test_who_leaves_within_the_hold_gets_nothing(desk: SmallDesk) -> None:
    reply(desk, f"#cc {BOB}")
    reply(desk, "Use water.", desk.to(SAM)[0])
    reply(desk, f"#uncc {BOB}", desk.to(SAM)[0])
    later(desk, 2 * HOLD)
    assert (len(got(desk, ANN)), desk.to(BOB)) == (1, [])


def test_who_leaves_gets_nothing_from_a_sender_that_died_with_their_mail(desk: SmallDesk) -> None:
    reply(desk, f"#cc {BOB}")
    reply(desk, "Use water.", desk.to(SAM)[0])
    desk.now += HOLD
    outbox.claim(desk.engine, desk.now, 100, timedelta(minutes=1))
    desk.now += timedelta(minutes=2)
    reply(desk, f"#uncc {BOB}", desk.to(SAM)[0])
    later(desk, 2 * HOLD)
    assert (len(got(desk, ANN)), desk.to(BOB)) == (1, [])


def test_who_leaves_and_comes_back_within_the_hold_gets_the_answer_once(desk: SmallDesk) -> None:
    reply(desk, f"#cc {BOB}")
    reply(desk, "Use water.", desk.to(SAM)[0])
    reply(desk, f"#uncc {BOB}", desk.to(SAM)[0])
    reply(desk, "#undo", desk.to(SAM)[0])
    later(desk, 2 * HOLD)
    assert (len(got(desk, ANN)), len(got(desk, BOB))) == (1, 1)


def test_an_answer_taken_back_reaches_nobody_who_joined_meanwhile(desk: SmallDesk) -> None:
    reply(desk, "Use water.")
    receipt = desk.to(SAM)[-1]
    reply(desk, f"#cc {BOB}", desk.to(SAM)[0])
    reply(desk, "#undo", receipt)
    said = text_of(desk.to(SAM)[-1])
    assert f"- Your answer was not sent to {ANN}" in said
    assert f"- Your answer was not sent to {BOB}" in said
    later(desk, 2 * HOLD)
    assert (got(desk, ANN), got(desk, BOB)) == ([], [])


def test_taking_a_cc_back_stops_only_the_mail_to_the_one_who_had_joined(desk: SmallDesk) -> None:
    reply(desk, "Use water.")
    reply(desk, f"#cc {BOB}", desk.to(SAM)[0])
    reply(desk, "#undo", desk.to(SAM)[-1])
    later(desk, 2 * HOLD)
    assert (len(got(desk, ANN)), got(desk, BOB)) == (1, [])


def test_taking_a_new_requester_back_sends_the_answer_to_the_old_one_after_all(desk: SmallDesk) -> None:
    reply(desk, "Use water.")
    reply(desk, f"#owner {ZOE}", desk.to(SAM)[0])
    reply(desk, "#undo", desk.to(SAM)[-1])
    said = text_of(desk.to(SAM)[-1])
    assert f"to {ANN}" in said, "the receipt says who gets it now"
    assert "not sent to" not in said, "the answer itself is not taken back"
    later(desk, 2 * HOLD)
    assert (len(got(desk, ANN)), len(got(desk, ZOE))) == (1, 0)


def test_a_collaborator_who_was_the_requester_for_a_moment_still_takes_part(desk: SmallDesk) -> None:
    reply(desk, f"#cc {BOB}")
    reply(desk, "Use water.", desk.to(SAM)[0])
    reply(desk, f"#owner {BOB}", desk.to(SAM)[0])
    reply(desk, "#undo", desk.to(SAM)[-1])
    later(desk, 2 * HOLD)
    assert (len(got(desk, ANN)), len(got(desk, BOB))) == (1, 1)
    reply(desk, "Or sand.", desk.to(SAM)[0])
    later(desk, 2 * HOLD)
    assert (len(got(desk, ANN)), len(got(desk, BOB))) == (2, 2)


def test_an_answer_on_hold_outlives_the_undo_of_one_that_changed_the_requester(desk: SmallDesk) -> None:
    reply(desk, "First words.")
    reply(desk, f"Second words.\n\n#owner {ZOE}", desk.to(SAM)[0])
    reply(desk, "#undo", desk.to(SAM)[-1])
    later(desk, 2 * HOLD)
    assert ["First words." in text for text in got(desk, ANN)] == [True]
    assert got(desk, ZOE) == []


def test_taking_a_new_requester_back_tells_the_old_one_of_the_end(desk: SmallDesk) -> None:
    reply(desk, "#resolve")
    reply(desk, f"#owner {ZOE}", desk.to(SAM)[0])
    reply(desk, "#undo", desk.to(SAM)[-1])
    before = len(desk.to(ANN))
    later(desk, 2 * HOLD)
    assert (len(desk.to(ANN)) - before, desk.to(ZOE)) == (1, [])


@pytest.mark.parametrize(("more", "old_one_gets_it"), [("", False), (f"\n#cc {ANN}", True)])
def test_a_new_requester_gets_the_answer_and_the_old_one_only_if_they_stay(
    desk: SmallDesk, more: str, old_one_gets_it: bool
) -> None:
    reply(desk, "Use water.")
    reply(desk, f"#owner {ZOE}{more}", desk.to(SAM)[0])
    later(desk, 2 * HOLD)
    assert len(got(desk, ZOE)) == 1
    assert len(got(desk, ANN)) == old_one_gets_it


def test_a_new_requester_gets_an_answer_that_no_server_took_yet(desk: SmallDesk) -> None:
    reply(desk, f"#cc {BOB}")
    reply(desk, "Use water.", desk.to(SAM)[0])
    desk.now += HOLD
    for mail in outbox.claim(desk.engine, desk.now, 100, LEASE):
        if mail.recipient == ANN:
            outbox.record_deferred(desk.engine, mail.id, desk.now + HOLD, "451 greylisted")
        else:
            outbox.record_sent(desk.engine, [mail.id], desk.now)
    reply(desk, f"#owner {ZOE}", desk.to(SAM)[0])
    reply(desk, f"#owner {BOB}", desk.to(SAM)[0])
    later(desk, 3 * HOLD)
    assert (got(desk, ANN), got(desk, ZOE), got(desk, BOB)) == ([], [], []), "Bob has had it"
    reply(desk, "Or sand.", desk.to(SAM)[0])
    desk.now += HOLD
    for mail in outbox.claim(desk.engine, desk.now, 100, LEASE):
        outbox.record_deferred(desk.engine, mail.id, desk.now + HOLD, "451 greylisted")
    reply(desk, f"#owner {ZOE}", desk.to(SAM)[0])
    later(desk, 3 * HOLD)
    assert ["Or sand." in text for text in got(desk, ZOE)] == [True]


def test_a_new_requester_hears_of_the_end_that_was_meant_for_the_old_one(desk: SmallDesk) -> None:
    reply(desk, "#resolve")
    reply(desk, f"#owner {ZOE}", desk.to(SAM)[0])
    before = len(desk.to(ANN))
    later(desk, 2 * HOLD)
    assert len(desk.to(ANN)) == before
    assert ["marked as solved" in text_of(mail) or "solved" in text_of(mail) for mail in desk.to(ZOE)] == [
        True
    ]


def test_an_answer_on_hold_outlives_a_merge_and_can_still_be_taken_back(desk: SmallDesk) -> None:
    desk.receive(written("Copier", "It is cold.", sender=ANN, to=SUPPORT), sender=ANN)
    first, second = (ticket.number for ticket in desk.tickets())
    alerts = {
        number: next(mail for mail in desk.to(SAM) if number in mail["Subject"]) for number in (first, second)
    }
    for number in (first, second):
        reply(desk, f"About {number}.", alerts[number])
    receipt = desk.to(SAM)[-1]
    reply(desk, f"#merge {first}", alerts[second])
    assert reply(desk, "#undo", receipt).outcome is Outcome.AGENT_ACTED
    later(desk, 2 * HOLD)
    assert [f"About {first}." in text for text in got(desk, ANN)] == [True]


def test_erasing_a_bystander_leaves_the_answer_to_the_others(desk: SmallDesk, engine: Engine) -> None:
    reply(desk, f"#cc {BOB}")
    reply(desk, f"Use water, as {BOB} did.", desk.to(SAM)[0])
    with transaction(engine) as session:
        bob = session.execute(
            select(PersonAddress.person_id).where(PersonAddress.address == BOB)
        ).scalar_one()
        erase(session, bob, "operator", desk.now)
    later(desk, 2 * HOLD)
    (answer,) = got(desk, ANN)
    assert "Use water" in answer
    assert BOB not in answer
    assert desk.to(BOB) == []


def test_erasing_the_requester_stops_the_answer(desk: SmallDesk, engine: Engine) -> None:
    reply(desk, "Use water.")
    with transaction(engine) as session:
        ann = session.execute(
            select(PersonAddress.person_id).where(PersonAddress.address == ANN)
        ).scalar_one()
        erase(session, ann, "operator", desk.now)
    later(desk, 2 * HOLD)
    assert got(desk, ANN) == []


def test_undo_brings_back_the_acknowledgement_the_clock_and_the_status(engine: Engine) -> None:
    desk = desk_of(engine, acknowledge_after=timedelta(minutes=30))
    reply(desk, "Use water.\n\n#resolve")
    reply(desk, "#undo")
    (ticket,) = desk.tickets()
    assert (ticket.status, ticket.last_response_at) == ("open", None)
    with transaction(engine) as session:
        clocks = standing(session, session.merge(ticket), desk.desk, WorkingTimes(desk.desk), desk.now).clocks
        assert [(clock.target, clock.state) for clock in clocks] == [("first_response", "running")]
    later(desk, timedelta(minutes=1))
    assert desk.to(ANN) == [], "it waits for its time as before"
    later(desk, timedelta(minutes=30))
    (only,) = desk.to(ANN)
    assert only["Auto-Submitted"] == "auto-replied"


def test_an_acknowledgement_stays_needless_while_another_answer_stands(engine: Engine) -> None:
    desk = desk_of(engine, acknowledge_after=timedelta(minutes=30))
    reply(desk, "Use water.")
    first = desk.to(SAM)[-1]
    reply(desk, "Or sand.", desk.to(SAM)[0])
    reply(desk, "#undo", first)
    later(desk, timedelta(hours=1))
    assert ["Or sand." in text_of(mail) for mail in desk.to(ANN)] == [True]


HOOK = {"url": "https://x.example/", "secret": "0123456789abcdef"}
EVENTS = ("response", "status", "resolved", "collab")


@pytest.fixture
def hooked(engine: Engine) -> SmallDesk:
    """Two web services: one hears what customers may know, the other everything."""
    outside = Webhook.model_validate({"key": "outside", "events": EVENTS, **HOOK})
    inside = Webhook.model_validate(
        {"key": "inside", "events": (*EVENTS, "undone"), "audience": "internal", **HOOK}
    )
    return desk_of(engine, webhooks={"outside": outside, "inside": inside})


def told(desk: SmallDesk, service: str) -> list[str]:
    """The events that a service is told of by now, in order; they count as taken."""
    others = {"outside", "inside"} - {service}
    made = webhooks.claim(desk.engine, desk.now, 100, LEASE, others)
    for call in made:
        webhooks.record_sent(desk.engine, call.id, 204, desk.now)
    return [call.event for call in made]


def sent_out(desk: SmallDesk) -> None:
    """What has been claimed was taken by the server."""
    with reading(desk.engine) as session:
        claimed = session.execute(select(Outbox.id).where(Outbox.lease_until.is_not(None))).scalars().all()
    outbox.record_sent(desk.engine, claimed, desk.now)


def test_a_customers_service_hears_of_an_answer_when_customers_have_it(hooked: SmallDesk) -> None:
    reply(hooked, "Use water.\n\n#resolve")
    assert told(hooked, "outside") == []
    hooked.now += HOLD
    assert told(hooked, "outside") == [], "nobody has sent the mail yet"
    later(hooked, timedelta(seconds=1))
    assert told(hooked, "outside") == [], "a sender has it, and nobody knows yet"
    sent_out(hooked)
    hooked.now += timedelta(minutes=5)
    assert sorted(told(hooked, "outside")) == ["resolved", "response"]


def test_a_customers_service_hears_of_an_answer_that_no_server_takes(hooked: SmallDesk) -> None:
    reply(hooked, "Use water.\n\n#resolve")
    later(hooked, HOLD)
    with transaction(hooked.engine) as session:
        claimed = select(Outbox.id).where(Outbox.template == "ticket.reply")
        assert outbox.fail(session, session.execute(claimed).scalar_one(), "550 no such user", hooked.now)
    hooked.now += timedelta(minutes=5)
    assert sorted(told(hooked, "outside")) == ["resolved", "response"], "the ticket is resolved all the same"


def test_the_time_of_a_call_that_waited_for_its_mail_begins_with_its_first_try(hooked: SmallDesk) -> None:
    reply(hooked, "Use water.")
    later(hooked, HOLD)
    assert told(hooked, "outside") == [], "a sender has the mail"
    sent_out(hooked)
    hooked.now += timedelta(days=30)
    first = webhooks.claim(hooked.engine, hooked.now, 100, LEASE, {"inside"})
    assert {call.created_at for call in first} == {hooked.now}, "or they would be given up as a month old"
    for call in first:
        webhooks.record_deferred(hooked.engine, call.id, hooked.now, "503", 503)
    begun, hooked.now = hooked.now, hooked.now + timedelta(hours=1)
    again = webhooks.claim(hooked.engine, hooked.now, 100, LEASE, {"inside"})
    assert [call.created_at for call in again] == [begun for _ in first]


def test_a_service_of_the_house_hears_at_once_and_of_undo_too(hooked: SmallDesk) -> None:
    reply(hooked, "Use water.")
    assert "response" in told(hooked, "inside")
    reply(hooked, "#undo")
    assert "undone" in told(hooked, "inside")


def test_a_customers_service_never_hears_of_what_was_taken_back(hooked: SmallDesk) -> None:
    reply(hooked, f"Use water.\n\n#resolve\n#cc {BOB}")
    reply(hooked, "#undo")
    for _ in range(3):
        later(hooked, timedelta(hours=1))
        sent_out(hooked)
        assert told(hooked, "outside") == []
    with reading(hooked.engine) as session:
        rows = session.execute(
            select(WebhookCall.body, WebhookCall.state).where(WebhookCall.webhook == "outside")
        )
        assert all(state == "cancelled" for _, state in rows)


def test_an_answer_taken_back_after_the_hold_and_before_its_sending_is_told_to_nobody(
    hooked: SmallDesk,
) -> None:
    """The smarthost is away: the hold is over, and still nobody has the answer."""
    reply(hooked, "Use water.")
    receipt = hooked.to(SAM)[-1]
    hooked.now += 2 * HOLD
    assert told(hooked, "outside") == []
    undo = written(
        "Re: undo", "#undo", sender=SAM, to=SUPPORT, message_id="u@x.example",
        In_Reply_To=receipt["Message-ID"], References=receipt["Message-ID"],
    )  # fmt: skip
    hooked.receive(undo, receipt["Reply-To"].addresses[0].addr_spec, SAM)
    assert answers(hooked) == []
    hooked.now += timedelta(hours=1)
    assert "response" not in told(hooked, "outside")
    with reading(hooked.engine) as session:
        bodies = session.execute(
            select(WebhookCall.body, WebhookCall.error).where(WebhookCall.event == "response")
        )
        found = {json.loads(body)["desk"]: error for body, error in bodies if "actor" not in json.loads(body)}
    assert list(found.values()) == [webhooks.UNSENT]


def test_a_direct_answer_makes_the_acknowledgement_needless_and_meets_the_first_response(
    engine: Engine,
) -> None:
    desk = desk_of(engine, acknowledge_after=timedelta(minutes=30))
    alert = desk.to(SAM)[-1]
    token = alert["Reply-To"].addresses[0].addr_spec
    direct = written(
        "Re: Printer", "Use water.", sender=SAM, to=ANN, Cc=token, message_id="direct@agents.example",
        In_Reply_To=alert["Message-ID"], References=alert["Message-ID"],
    )  # fmt: skip
    assert desk.receive(direct, token, SAM).outcome is Outcome.AGENT_ACTED
    later(desk, timedelta(hours=1))
    assert desk.to(ANN) == [], "she has the answer, and needs no word that her mail arrived"
    (ticket,) = desk.tickets()
    with transaction(engine) as session:
        clocks = standing(session, session.merge(ticket), desk.desk, WorkingTimes(desk.desk), desk.now).clocks
        assert [(clock.target, clock.state) for clock in clocks] == [("first_response", "met")]
