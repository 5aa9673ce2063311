"""Agents come and go by mail: what they say, what their mailbox says, and who gets their alerts meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import Engine

from mailticket.config.desk import Agent, Department, Desk, Priority
from mailticket.config.people import Absences
from mailticket.domain.absence import Source
from mailticket.domain.types import Outcome
from mailticket.store.absences import history, presence
from mailticket.store.engine import reading, transaction
from mailticket.store.models import AgentAbsence
from mailticket.work.absences import end_absences
from tests.scenario.daemon import answer, new_mail
from tests.store.small_desk import SECRET, SUPPORT, SmallDesk

KIM = "kim@customer.example"
ANN, BOB, CARL = (f"{name}@staff.example" for name in ("ann", "bob", "carl"))


def desk_of(engine: Engine, *, ann: dict[str, Any] | None = None, **more: Any) -> SmallDesk:
    """Ann works in support, bob is her deputy, carl is anybody."""
    agents = {
        "ann": Agent(key="ann", name="Ann", addresses=(ANN,), **({"deputy": "bob"} | (ann or {}))),
        "bob": Agent(key="bob", name="Bob", addresses=(BOB,)),
        "carl": Agent(key="carl", name="Carl", addresses=(CARL,)),
    }
    support = Department(key="support", name="Support", addresses=(SUPPORT,), members=("ann",))
    return SmallDesk(
        engine,
        Desk(
            name="Example Bank", instance="test", default_department="support",
            departments={"support": support}, agents=agents,
            priorities={"normal": Priority(key="normal", name="Normal", urgency=3)},
            **({"undo_hold": timedelta(0), "receipts": "errors"} | more),
        ),
    )  # fmt: skip


def opened(desk: SmallDesk, serial: str = "m1") -> EmailMessage | None:
    """A customer's new ticket; returns the newest alert to Ann, if she got any."""
    before = len(desk.to(ANN))
    desk.receive(
        new_mail(f"Printer {serial}", "It burns.", sender=KIM, message_id=f"{serial}@c.example"), sender=KIM
    )
    mails = desk.to(ANN)
    return mails[-1] if len(mails) > before else None


def say(desk: SmallDesk, alert: EmailMessage, text: str, sender: str = ANN) -> Any:
    return desk.receive(
        answer(alert, text, sender=sender), str(alert["Reply-To"].addresses[0].addr_spec), sender
    )


def out_of_office(alert: EmailMessage, text: str, sender: str = ANN, **more: str) -> bytes:
    return new_mail(
        f"Automatic reply: {alert['Subject']}", text, sender=sender,
        message_id=f"ooo-{len(text)}@staff.example",
        In_Reply_To=str(alert["Message-ID"]), Auto_Submitted="auto-replied",
        **more,
    )  # fmt: skip


def absences(desk: SmallDesk) -> list[AgentAbsence]:
    with reading(desk.engine) as session:
        found = list(history(session))
        session.expunge_all()
        return found


def test_who_writes_away_is_stood_in_for_until_that_day_has_passed(engine: Engine) -> None:
    desk = desk_of(engine)
    alert = opened(desk)
    assert alert is not None
    assert say(desk, alert, "#away until 2026-12-01").outcome is Outcome.AGENT_ACTED
    confirmed = desk.to(ANN)[-1]
    assert "the end of Tue 1 Dec 2026" in confirmed.get_body().get_content()  # type: ignore[union-attr]
    assert "go to Bob meanwhile" in confirmed.get_body().get_content()  # type: ignore[union-attr]
    assert opened(desk, "m2") is None
    assert "Ann is away until the end of Tue 1 Dec 2026" in desk.to(BOB)[-1].as_string().replace("=\n", "")
    desk.now += timedelta(days=11)
    assert opened(desk, "m3") is not None


def test_the_deputy_can_answer_what_was_meant_for_another(engine: Engine) -> None:
    desk = desk_of(engine, access="departments")
    alert = opened(desk)
    assert alert is not None
    say(desk, alert, "#take")
    say(desk, alert, "#away 3d")
    opened(desk, "m2")
    desk.receive(
        new_mail("Re: Printer", "Still burning", sender=KIM, message_id="m9@c.example",
                 In_Reply_To=str(desk.to(KIM)[0]["Message-ID"])),
        str(desk.to(KIM)[0]["Reply-To"].addresses[0].addr_spec), KIM,
    )  # fmt: skip
    decision = say(desk, desk.to(BOB)[-1], "Pour water on it.", BOB)
    assert decision.outcome is Outcome.AGENT_ACTED, decision.reasons
    assert "Pour water" in desk.to(KIM)[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_back_ends_it_also_where_the_configuration_says_away(engine: Engine) -> None:
    desk = desk_of(engine, ann={"away": ("2026-11-20..2026-11-25",)})
    assert opened(desk) is None
    bobs = desk.to(BOB)[-1]
    assert say(desk, bobs, "#back", BOB).outcome is Outcome.RETURNED  # bob was never away
    raw = new_mail("I am here", "#back", sender=ANN, message_id="b1@staff.example")
    assert desk.receive(raw, sender=ANN).outcome is Outcome.NEW_TICKET  # nothing proves it is Ann
    proven = desk_of(
        engine, ann={"away": ("2026-11-20..2026-11-25",)}, trust={"authserv_ids": ("mx.example",)}
    )
    proven.now = desk.now
    raw = new_mail(
        "I am here", "#back", sender=ANN, message_id="b2@staff.example",
        Authentication_Results="mx.example; dmarc=pass header.from=staff.example",
    )  # fmt: skip
    decision = proven.receive(raw, sender=ANN)
    assert decision.outcome is Outcome.AGENT_ACTED, decision.reasons
    assert len(proven.tickets()) == 2  # no ticket is made of it
    assert opened(proven, "m5") is not None


@pytest.mark.parametrize(
    "text", ["#away until whenever", "#away 3d\n#close", "#away 3d deputy zoe", "#away 3d\n#back"]
)
def test_what_is_not_understood_sends_nobody_away(engine: Engine, text: str) -> None:
    desk = desk_of(engine)
    alert = opened(desk)
    assert alert is not None
    assert say(desk, alert, text).outcome is Outcome.RETURNED
    assert absences(desk) == []
    assert "was not carried out" in desk.to(ANN)[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_the_words_beside_away_reach_no_customer(engine: Engine) -> None:
    desk = desk_of(engine)
    alert = opened(desk)
    assert alert is not None
    say(desk, alert, "#away 3d\n\nKnee surgery, keep it to yourself")
    assert all("surgery" not in mail.as_string() for mail in desk.sent)
    assert absences(desk)[0].reason == "Knee surgery, keep it to yourself"


def test_an_out_of_office_to_an_alert_is_learnt_and_kept_off_the_ticket(engine: Engine) -> None:
    desk = desk_of(engine)
    alert = opened(desk)
    assert alert is not None
    sent = len(desk.to(ANN))
    decision = desk.receive(
        out_of_office(alert, "I am out of the office and back on 30 November 2026."), sender=""
    )
    assert decision.outcome is Outcome.RECORDED, decision.reasons
    assert len(desk.to(ANN)) == sent  # nothing goes to a mailbox that answers by itself
    (row,) = absences(desk)
    assert (row.agent, row.source) == ("ann", "auto-reply")
    assert row.until == datetime(2026, 11, 30, tzinfo=UTC)
    assert opened(desk, "m2") is None
    again = desk.receive(
        out_of_office(alert, "Still out of the office, back on 30 November 2026!"), sender=""
    )
    assert again.outcome is Outcome.RECORDED
    assert len(absences(desk)) == 1
    assert len(desk.tickets()) == 2


@pytest.mark.parametrize(
    ("text", "days"),
    [("I am out of the office and back on 30 May 2027.", 30), ("I am out of the office.", 7)],
    ids=["far", "undated"],
)
def test_what_is_learnt_is_bounded(engine: Engine, text: str, days: int) -> None:
    desk = desk_of(engine)
    alert = opened(desk)
    assert alert is not None
    desk.receive(out_of_office(alert, text), sender="")
    assert absences(desk)[0].until == desk.now + timedelta(days=days)


def test_a_real_answer_ends_what_was_learnt_and_the_agent_hears_of_it(engine: Engine) -> None:
    desk = desk_of(engine)
    alert = opened(desk)
    assert alert is not None
    desk.receive(out_of_office(alert, "I am out of the office and back on 30 November 2026."), sender="")
    assert say(desk, alert, "Pour water on it.").outcome is Outcome.AGENT_ACTED
    told = desk.to(ANN)[-1]
    assert "until the end of Sun 29 Nov 2026" in told.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert opened(desk, "m2") is not None
    with reading(desk.engine) as session:
        assert presence(session).recorded == ()


def test_a_date_set_by_hand_holds_whoever_answers_a_mail_meanwhile(engine: Engine) -> None:
    desk = desk_of(engine)
    alert = opened(desk)
    assert alert is not None
    say(desk, alert, "#away 3d")
    say(desk, alert, "Pour water on it.")
    assert opened(desk, "m2") is None
    say(desk, alert, "#away")  # until further notice: an answer ends that
    say(desk, alert, "And stand back.")
    assert opened(desk, "m3") is not None


@pytest.mark.parametrize("forged", ["another sender", "no token", "not learning"])
def test_nobody_else_can_send_an_agent_away(engine: Engine, forged: str) -> None:
    more: dict[str, Any] = {"absence": Absences(learn=False)} if forged == "not learning" else {}
    desk = desk_of(engine, **more)
    alert = opened(desk)
    assert alert is not None
    sender = "eve@elsewhere.example" if forged == "another sender" else ANN
    raw = out_of_office(alert, "I am out of the office and back on 30 November 2026.", sender=sender)
    if forged == "no token":
        raw = raw.replace(str(alert["Message-ID"]).encode(), b"<other@staff.example>")
    desk.receive(raw, sender="")
    assert absences(desk) == []
    assert opened(desk, "m2") is not None


def test_what_was_learnt_runs_out_by_itself_and_is_told_once(engine: Engine) -> None:
    desk = desk_of(engine)
    alert = opened(desk)
    assert alert is not None
    desk.receive(out_of_office(alert, "I am out of the office and back on 30 November 2026."), sender="")
    assert end_absences(engine, desk.desk, SECRET, desk.now) == 0
    desk.now += timedelta(days=9)
    assert end_absences(engine, desk.desk, SECRET, desk.now) == 1
    assert end_absences(engine, desk.desk, SECRET, desk.now) == 0
    assert absences(desk)[0].ended_by == "system"
    assert opened(desk, "m2") is not None
    assert desk.to(ANN)[-2]["Subject"] == "You count as back"


def test_one_transaction_reads_the_absences_once(engine: Engine) -> None:
    desk = desk_of(engine)
    alert = opened(desk)
    assert alert is not None
    say(desk, alert, "#away 3d")
    with transaction(engine) as session:
        known = presence(session)
        assert presence(session) is known
        assert [one.source for one in known.recorded] == [Source.COMMAND]
