"""Hold, receipts and undo: an agent's answer waits, and can be taken back with all that came with it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from mailticket.config.desk import Agent, Department, Desk, HelpTopic, Priority, Schedule, SLAPlan
from mailticket.domain.change import Decision
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.types import Outcome
from mailticket.mail.token import token_of_address, verify, who_of
from mailticket.store import outbox
from mailticket.store.due import standing
from mailticket.store.engine import reading, transaction
from mailticket.store.models import Entry, Outbox, Participant, Ticket, TicketEvent
from tests.scenario.simulated import written
from tests.store.small_desk import SAM, SECRET, SUPPORT, SmallDesk, small_desk
from tests.store.test_one_tap import links, tap
from tests.store.threads import at_once

SUE, ANN = "sue.private@agents.example", "ann@customer.example"
HOLD = timedelta(minutes=5)
ALWAYS = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), ("00:00-24:00",))


def two_departments(**options: Any) -> Desk:
    one = small_desk(**{"undo_hold": HOLD, "receipts": "all"} | options)
    support = one.departments["support"].model_copy(update={"members": ("sam", "sue")})
    billing = Department(key="billing", name="Billing", addresses=("billing@desk.example",))
    more = {
        "departments": {"support": support, "billing": billing},
        "agents": one.agents | {"sue": Agent(key="sue", name="Sue Support", addresses=(SUE,))},
        "priorities": {
            key: Priority(key=key, name=key.capitalize(), urgency=urgency)
            for urgency, key in enumerate(("emergency", "high", "normal", "low"), 1)
        },
        "sla_plans": {
            key: SLAPlan(key=key, name=key, schedule="always", first_response=timedelta(hours=hours))
            for hours, key in enumerate(("gold", "silver"), 1)
        },
        "schedules": {"always": Schedule(key="always", hours=ALWAYS)},
        "default_sla_plan": "silver",
        "topics": {"outage": HelpTopic(key="outage", name="Outage")},
    }
    return one.model_copy(update=more)


@pytest.fixture
def desk(engine: Engine) -> SmallDesk:
    made = SmallDesk(engine, two_departments())
    made.receive(written("Printer", "It is on fire.", sender=ANN, to=SUPPORT), sender=ANN)
    return made


def reply(desk: SmallDesk, text: str, to: EmailMessage | None = None, sender: str = SAM) -> Decision:
    """An agent answers a mail of the desk, the newest one by default."""
    answered = to if to is not None else desk.to(sender)[-1]
    address = answered["Reply-To"].addresses[0].addr_spec
    stamp = f"{desk.now.timestamp():.0f}.{sender}"
    raw = written(
        f"Re: {answered['Subject']}", text, sender=sender, to=address, message_id=stamp,
        In_Reply_To=answered["Message-ID"], References=answered["Message-ID"],
    )  # fmt: skip
    return desk.receive(raw, address, sender)


def text_of(mail: EmailMessage) -> str:
    return str(mail.get_body(("plain",)).get_content()).replace("\r", "")  # type: ignore[union-attr]


def answers(desk: SmallDesk) -> list[str]:
    """What agents have written to the customer."""
    return [text_of(mail) for mail in desk.to(ANN) if mail["Auto-Submitted"] is None]


def later(desk: SmallDesk, how_long: timedelta) -> None:
    desk.now += how_long
    desk._send()


def fields(desk: SmallDesk) -> dict[str, Any]:
    """All of the ticket that a mail can change."""
    with reading(desk.engine) as session:
        ticket = session.execute(select(Ticket)).scalar_one()
        people = sorted(session.execute(select(Participant.address)).scalars())
        names = (
            "status", "assignee", "team", "department", "priority", "topic", "sla_plan", "subject", "tags",
            "last_response_at", "requester_address", "minutes_spent",
        )  # fmt: skip
        return {name: getattr(ticket, name) for name in names} | {
            "tags": sorted(ticket.tags),
            "minutes_spent": ticket.minutes_spent or 0,
            "finished": ticket.closed_at is not None,
            "people": people,
        }


def test_an_answer_waits_for_the_hold_and_is_then_sent(desk: SmallDesk) -> None:
    reply(desk, "Use the extinguisher.")
    assert answers(desk) == []
    later(desk, HOLD)
    assert ["Use the extinguisher." in text for text in answers(desk)] == [True]


def test_the_receipt_tells_who_gets_the_answer_when_and_what_changed(desk: SmallDesk) -> None:
    reply(desk, "Use the extinguisher.\n\n#priority high\n#tag fire")
    receipt = desk.to(SAM)[-1]
    said = text_of(receipt)
    assert f"Your answer goes at {desk.now + HOLD:%H:%M:%S} UTC to {ANN}" in said
    for line in ("Status: open -> in progress", "Assigned to: nobody -> Sam Support"):
        assert f"- {line}" in said
    assert "- Priority: Normal -> High" in said
    assert "- Tag: none -> fire" in said
    assert receipt["Auto-Submitted"] == "auto-replied"
    assert receipt["Subject"] == desk.to(SAM)[0]["Subject"], "one conversation in the agent's client"
    assert desk.to(SAM)[0]["Message-ID"] in receipt["References"]
    with reading(desk.engine) as session:
        row = session.execute(select(Outbox).where(Outbox.template == "agent.receipt")).scalar_one()
        assert row.envelope_from == ""


@pytest.mark.parametrize("way", ["receipt", "alert", "tap"])
def test_undo_within_the_hold_leaves_nothing_of_the_answer(desk: SmallDesk, way: str) -> None:
    before, alert = fields(desk), desk.to(SAM)[-1]
    reply(desk, "Use water.\n\n#resolve\n#tag fire\n#cc bob@customer.example", alert)
    assert fields(desk) != before
    if way == "tap":
        assert tap(desk, links(desk.to(SAM)[-1])["Undo it"]).outcome is Outcome.AGENT_ACTED
    else:
        assert reply(desk, "#undo", alert if way == "alert" else None).outcome is Outcome.AGENT_ACTED
    assert fields(desk) == before
    said = text_of(desk.to(SAM)[-1])
    assert "Taken back:" in said
    assert f"- Your answer was not sent to {ANN}" in said
    later(desk, timedelta(days=1))
    assert answers(desk) == []
    assert desk.to("bob@customer.example") == []
    with reading(desk.engine) as session:
        entry = session.execute(select(Entry).where(Entry.kind == "response")).scalar_one()
        assert (entry.text, entry.withdrawn_at is None) == ("Use water.", False)
        kinds = list(session.execute(select(TicketEvent.kind).order_by(TicketEvent.id)).scalars())
        assert "response" in kinds, "the log forgets nothing"
        assert "undone" in kinds


def test_what_was_taken_back_is_no_response_to_the_clocks(desk: SmallDesk) -> None:
    def clocks() -> list[tuple[str, str]]:
        with transaction(desk.engine) as session:
            ticket = session.execute(select(Ticket)).scalar_one()
            found = standing(session, ticket, desk.desk, WorkingTimes(desk.desk), desk.now).clocks
            return [(clock.target, clock.state) for clock in found]

    assert clocks() == [("first_response", "running")]
    reply(desk, "Use water.\n\n#resolve")
    assert clocks() == [("first_response", "met")]
    reply(desk, "#undo")
    assert clocks() == [("first_response", "running")]


def test_after_the_hold_fields_go_back_and_the_receipt_says_that_the_answer_was_sent(desk: SmallDesk) -> None:
    before = fields(desk)
    reply(desk, "Use water.\n\n#resolve")
    receipt = desk.to(SAM)[-1]
    later(desk, HOLD)
    reply(desk, "#undo", receipt)
    after = fields(desk)
    assert after.pop("last_response_at") is not None
    assert after == {name: value for name, value in before.items() if name != "last_response_at"}
    said = text_of(desk.to(SAM)[-1])
    assert "as far as that was possible" in said
    assert f"Your answer was sent to {ANN} already; that cannot be undone" in " ".join(said.split())


def test_what_somebody_has_changed_since_stays(desk: SmallDesk) -> None:
    reply(desk, "#priority high\n#tag fire")
    receipt = desk.to(SAM)[-1]
    reply(desk, "#priority low", desk.to(SUE)[-1], SUE)
    reply(desk, "#undo", receipt)
    found = fields(desk)
    assert (found["priority"], found["tags"]) == ("low", [])
    assert "the priority stays: it has been changed again since" in text_of(desk.to(SAM)[-1])


def test_undo_twice_is_told_and_takes_nothing_more_back(desk: SmallDesk) -> None:
    reply(desk, "#priority high")
    reply(desk, "#tag fire")
    link = links(desk.to(SAM)[-1])["Undo it"]
    reply(desk, "#undo")
    assert reply(desk, "#undo").outcome is Outcome.RETURNED
    assert "taken back already" in text_of(desk.to(SAM)[-1])
    assert tap(desk, link).outcome is Outcome.RETURNED
    assert "taken back already" in text_of(desk.to(SAM)[-1])
    assert (fields(desk)["priority"], fields(desk)["tags"]) == ("high", [])


def test_nobody_takes_back_what_a_colleague_did(desk: SmallDesk) -> None:
    reply(desk, "#priority high")
    link = links(desk.to(SAM)[-1])["Undo it"]
    assert reply(desk, "#undo", desk.to(SUE)[-1], SUE).outcome is Outcome.RETURNED
    tap(desk, link, sender=SUE)
    assert fields(desk)["priority"] == "high"


def test_an_emergency_waits_for_nothing(desk: SmallDesk) -> None:
    reply(desk, "Run.\n\n#priority emergency")
    assert ["Run." in text for text in answers(desk)] == [True]
    assert "Your answer was sent to" in text_of(desk.to(SAM)[-1])


def test_a_department_has_a_hold_of_its_own(engine: Engine) -> None:
    one = two_departments()
    at_once = one.departments["support"].model_copy(update={"undo_hold": timedelta(0)})
    made = SmallDesk(engine, one.model_copy(update={"departments": one.departments | {"support": at_once}}))
    made.receive(written("Printer", "It is on fire.", sender=ANN, to=SUPPORT), sender=ANN)
    reply(made, "Use the extinguisher.")
    assert len(answers(made)) == 1


def test_who_wants_to_hear_of_errors_only_gets_no_receipt_but_an_answer_to_undo(engine: Engine) -> None:
    made = SmallDesk(engine, two_departments(receipts="errors"))
    made.receive(written("Printer", "It is on fire.", sender=ANN, to=SUPPORT), sender=ANN)
    alert = desk_alert = made.to(SAM)[-1]
    reply(made, "#tag fire")
    assert made.to(SAM)[-1] is desk_alert
    reply(made, "#undo", alert)
    assert "Taken back:" in text_of(made.to(SAM)[-1])


def test_what_was_so_already_is_told_as_ignored(desk: SmallDesk) -> None:
    link = links(desk.to(SAM)[-1])["Take it"]
    tap(desk, link)
    tap(desk, link)
    said = text_of(desk.to(SAM)[-1])
    assert "Nothing has changed." in said
    assert "- #take: it was so already" in said


def test_a_receipt_shows_no_customer_and_no_colleague_a_token_of_another(desk: SmallDesk) -> None:
    reply(desk, "Use the extinguisher.")
    later(desk, HOLD)
    for mail in desk.to(ANN):
        assert not re.search(r"#undo|agents\.example", mail.as_string())
        own = [split.path for link in re.findall(r"mailto:\S+", text_of(mail)) if (split := urlsplit(link))]
        tokens = [token_of_address(unquote(address)) for address in own]
        claims = [verify(SECRET, token) for token in tokens if token]
        assert {claim.who if claim else b"" for claim in claims} <= {who_of(ANN)}, "links of her own only"


def test_of_sent_and_cancelled_exactly_one_wins_whoever_is_first(desk: SmallDesk) -> None:
    """A sender claims the answers that are due while their author takes them back."""
    rounds = 6
    for number in range(rounds):
        reply(desk, f"Answer {number}.", desk.to(SAM)[0])
        desk.now += HOLD
        moment = desk.now + timedelta(minutes=1)

        def send_or_undo(which: int, moment: datetime = moment) -> int:
            if which == 0:
                reply(desk, "#undo", desk.to(SAM)[0])
                return 0
            claimed = outbox.claim(desk.engine, moment, 100, timedelta(minutes=15))
            outbox.record_sent(desk.engine, [mail.id for mail in claimed], moment)
            return sum(mail.template == "ticket.reply" for mail in claimed)

        sent = sum(at_once(send_or_undo, threads=2))
        with reading(desk.engine) as session:
            row = session.execute(
                select(Outbox).where(Outbox.template == "ticket.reply").order_by(Outbox.id.desc()).limit(1)
            ).scalar_one()
            entry = session.get_one(Entry, row.entry_id)
            assert row.state in ("sent", "cancelled")
            assert (row.state == "cancelled") == (entry.withdrawn_at is not None) == (sent == 0)


COMMANDS = st.lists(
    st.sampled_from(
        [
            "#take", "#assign sue", "#unassign", "#priority high", "#priority low", "#transfer billing",
            "#tag fire", "#untag old", "#tag old", "#sla gold", "#resolve", "#close", "#status waiting",
            "#status on hold", "#reopen", "#cc bob@customer.example", "#uncc eve@customer.example",
            "#due +4h", "#ack", "#subject Another subject", "#time 15m", "#owner zoe@customer.example",
        ]
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda line: line.split()[0],
)  # fmt: skip


@given(commands=COMMANDS, said=st.sampled_from(["", "An answer.", "#note\n\nInside."]))
@settings(
    max_examples=40, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
def test_undo_right_after_any_mail_restores_every_field(
    desk: SmallDesk, commands: list[str], said: str
) -> None:
    before = fields(desk)
    first = said.splitlines()[0] if said.startswith("#") else ""
    body = said.removeprefix(first).strip()
    text = "\n".join([first, *commands, "", body]).strip()
    done = reply(desk, text, desk.to(SAM)[0])
    changed = fields(desk) != before
    undone = reply(desk, "#undo", desk.to(SAM)[0])
    assert fields(desk) == before
    assert undone.outcome is Outcome.AGENT_ACTED or not changed, (text, done.outcome)


def test_the_question_whether_it_went_well_waits_longer_than_the_hold(engine: Engine) -> None:
    hours = timedelta(hours=5)
    mails = {"ticket.satisfaction": True, "ticket.resolved": False}
    desk = SmallDesk(engine, two_departments(satisfaction_after=hours, mails=mails))
    desk.receive(written("Printer", "It is on fire.", sender=ANN, to=SUPPORT), sender=ANN)
    reply(desk, "#resolve")
    with reading(engine) as session:
        asked = session.execute(select(Outbox).where(Outbox.template == "ticket.satisfaction")).scalar_one()
    assert asked.next_try_at - asked.created_at == hours
