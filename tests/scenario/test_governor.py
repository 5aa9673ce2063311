"""Limits, bans, bounces and absences on a whole desk in this process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from mailticket.domain.screening import Action
from mailticket.store.bans import BanCache, add_ban, list_bans, remove_ban
from mailticket.store.engine import reading, transaction
from mailticket.store.inbox import InboundState
from mailticket.store.models import AutoMail, Entry, Inbound, Outbox, SenderMail, Ticket
from mailticket.store.people import reachable_again, unreachable
from tests.scenario.simulated import Sent, SimulatedClock, SimulatedDesk, written

MakeDesk = Callable[..., SimulatedDesk]
ANN = "ann@customer.example"


def ban(desk: SimulatedDesk, pattern: str, action: Action, until: timedelta | None = None) -> None:
    with transaction(desk.engine) as session:
        now = desk.clock()
        add_ban(session, pattern, action, "bulk mail", now, now + until if until else None)


def states(desk: SimulatedDesk) -> list[str]:
    return desk.rows(select(Inbound.state).order_by(Inbound.id))


def sent_to(sent: list[Sent], address: str) -> list[Sent]:
    return [item for item in sent if item.recipient == address]


def reply(to: Sent, body: str, sender: str) -> bytes:
    mail = to.mail
    return written(
        f"Re: {mail['Subject']}",
        body,
        sender=sender,
        to=str(mail["Reply-To"]),
        In_Reply_To=str(mail["Message-ID"]),
    )


def answered(desk: SimulatedDesk, agent: str = "sam@staff-a.example") -> Sent:
    """A ticket of Ann's that an agent has answered: the answer, as it went to Ann."""
    desk.take([written()])
    (alert,) = sent_to(desk.send(), agent)
    desk.take([reply(alert, "Have you tried to turn it off and on again?", agent)], agent, _address(alert))
    (answer,) = sent_to(desk.send(), ANN)
    return answer


def _address(sent: Sent) -> str:
    return str(sent.mail["Reply-To"].addresses[0].addr_spec)


def report(answer: Sent, status: str, action: str = "failed", diagnostic: str = "550 nothing doing") -> bytes:
    """A delivery report (RFC 3464) about a mail."""
    return (
        "From: MAILER-DAEMON@relay.example\r\nTo: x@a.example\r\nSubject: Undelivered\r\n"
        "MIME-Version: 1.0\r\n"
        "Message-ID: <dsn@relay.example>\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relay.example\r\n\r\n"
        f"Final-Recipient: rfc822; {ANN}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {diagnostic}\r\n\r\n--b--\r\n"
    ).encode()


# -- limits --


def test_over_the_limit_of_new_tickets_agents_hear_once_a_day(
    make_desk: MakeDesk, clock: SimulatedClock
) -> None:
    desk = make_desk(extra="[brakes]\nnew_tickets_hour = 3\n")
    desk.take(written(f"Matter {'x' * n}", f"About matter {'x' * n}, please.") for n in range(1, 9))
    assert desk.count(Ticket) == 8
    assert desk.count(Outbox, Outbox.template == "ticket.alert") == 3 * 2
    assert desk.count(Outbox, Outbox.template == "brake.alert") == 2
    desk.restart()
    desk.take([written("One more", "Another matter altogether.")])
    assert desk.count(Outbox, Outbox.template == "ticket.alert") == 3 * 2
    clock.forward(days=1)
    desk.take([written("The next day", "A matter of the next day.")])
    assert desk.count(Outbox, Outbox.template == "ticket.alert") == 4 * 2


def test_withheld_acknowledgements_are_told_once(make_desk: MakeDesk) -> None:
    desk = make_desk(extra="[brakes]\nper_address_hour = 2\n")
    desk.take(written(f"Matter {'x' * n}", f"About matter {'x' * n}, please.") for n in range(1, 6))
    assert desk.count(Outbox, Outbox.template == "ticket.autoresp") == 2
    assert desk.count(Outbox, Outbox.template == "ticket.alert") == 5 * 2
    assert desk.count(Outbox, Outbox.template == "brake.alert") == 2


def test_what_no_limit_counts_any_more_is_forgotten(make_desk: MakeDesk, clock: SimulatedClock) -> None:
    desk = make_desk()
    desk.take([written()])
    assert desk.ticks.prune() == 0
    assert (desk.count(AutoMail), desk.count(SenderMail)) == (1, 1)
    clock.forward(days=1, seconds=1)
    assert desk.ticks.prune() == 2


# -- bounces and absences --


def test_the_author_of_an_answer_is_told_that_it_did_not_arrive(make_desk: MakeDesk) -> None:
    desk = make_desk()
    answer = answered(desk)
    with transaction(desk.engine) as session:
        ticket = session.execute(select(Ticket)).scalar_one()
        ticket.status, ticket.assignee = "waiting", "sue"
    desk.take([report(answer, "5.2.2")], "", answer.envelope_from)
    sent = desk.send()
    (told,) = sent_to(sent, "sam@staff-a.example")
    number = desk.rows(select(Ticket.number))[0]
    text = " ".join(told.mail.get_content().split() if not told.mail.is_multipart() else _text(told).split())
    assert f"your answer to #{number} did not reach {ANN}: mailbox full (5.2.2)" in text
    assert len(sent_to(sent, "sue@staff-a.example")) == 1
    assert desk.rows(select(Ticket.status)) == ["open"]
    assert _unreachable(desk) == []


def test_a_delay_is_only_noted(make_desk: MakeDesk) -> None:
    desk = make_desk()
    answer = answered(desk)
    before = desk.rows(select(Ticket.status))
    desk.take([report(answer, "4.4.7", "delayed")], "", answer.envelope_from)
    assert desk.send() == []
    assert desk.rows(select(Ticket.status)) == before
    assert desk.count(Entry, Entry.author == "system") == 1


def test_a_dead_address_gets_no_automatic_mail_until_it_writes(
    make_desk: MakeDesk, clock: SimulatedClock
) -> None:
    desk = make_desk(acknowledge_replies=True)
    answer = answered(desk)
    desk.take([report(answer, "5.1.1")], "", answer.envelope_from)
    assert _unreachable(desk) == [ANN]
    desk.send()
    away = written(
        "Away", "I am away.", Auto_Submitted="auto-replied", In_Reply_To=str(answer.mail["Message-ID"])
    )
    desk.take([away])
    assert _unreachable(desk) == [ANN]
    clock.forward(hours=2)
    desk.take([reply(answer, "Here I am again, my mailbox was gone.", ANN)], ANN, _address(answer))
    assert _unreachable(desk) == []
    assert len(sent_to(desk.send(), ANN)) == 1


def test_an_operator_can_say_that_an_address_works_again(make_desk: MakeDesk) -> None:
    desk = make_desk()
    answer = answered(desk)
    desk.take([report(answer, "5.1.1")], "", answer.envelope_from)
    with transaction(desk.engine) as session:
        assert reachable_again(session, ANN)
        assert not reachable_again(session, ANN)
    assert _unreachable(desk) == []


def test_a_forged_delivery_report_does_nothing(make_desk: MakeDesk) -> None:
    desk = make_desk()
    answer = answered(desk)
    desk.take([report(answer, "5.1.1")], "", "support+bforgedforgedforgedforgedforgedforged@a.example")
    assert states(desk)[-1] == "ignored"
    assert _unreachable(desk) == []


def test_an_out_of_office_joins_its_ticket_and_nobody_hears_of_it(make_desk: MakeDesk) -> None:
    desk = make_desk(acknowledge_replies=True)
    answer = answered(desk)
    with transaction(desk.engine) as session:
        session.execute(select(Ticket)).scalar_one().status = "resolved"
    away = written(
        "Automatic reply: Re: I cannot log in",
        "I am out of the office until Monday.",
        to=_address(answer),
        Auto_Submitted="auto-replied",
        In_Reply_To=str(answer.mail["Message-ID"]),
    )
    desk.take([away], ANN, _address(answer))
    assert desk.send() == []
    assert desk.rows(select(Ticket.status)) == ["resolved"]
    assert desk.count(Entry, Entry.audience == "internal") == 1


def _text(sent: Sent) -> str:
    part = sent.mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def _unreachable(desk: SimulatedDesk) -> list[str]:
    with reading(desk.engine) as session:
        return [address for address, _ in unreachable(session)]


# -- bans and screening --


@pytest.mark.parametrize(
    ("action", "state"), [("reject", "rejected"), ("discard", "ignored"), ("hold", "held")]
)
@pytest.mark.parametrize("pattern", [ANN, "customer.example", "*@customer.*"])
def test_a_banned_sender_is_stopped_and_can_be_released(
    make_desk: MakeDesk,
    clock: SimulatedClock,
    pattern: str,
    action: Action,
    state: str,
) -> None:
    desk = make_desk()
    ban(desk, pattern, action, timedelta(days=30))
    desk.take([written()])
    assert (states(desk), desk.count(Ticket), desk.send()) == ([state], 0, [])
    shown = desk.inbox.show(1).decision
    assert shown is not None
    assert pattern in shown["reasons"][0]
    with reading(desk.engine) as session:
        (entry,) = list_bans(session)
        assert (entry.hits, entry.last_hit_at) == (1, clock.now)
    desk.inbox.retry(1, release=True)
    desk.take([])
    assert (states(desk), desk.count(Ticket)) == (["done"], 1)
    clock.forward(days=31)
    desk.take([written("Later", "The ban has ended by now.")])
    assert states(desk)[-1] == "done"


def test_a_ban_looks_at_the_envelope_too_and_never_at_agents(make_desk: MakeDesk) -> None:
    desk = make_desk()
    ban(desk, "bulk.example", "discard")
    ban(desk, "staff-a.example", "reject")
    desk.take([written()], "bounces@mail.bulk.example")
    desk.take([written("From an agent", "I have a question too.", sender="sam@staff-a.example")])
    assert states(desk) == ["ignored", "done"]


def test_the_wire_knows_of_a_ban_and_counts_what_it_stopped(
    make_desk: MakeDesk, clock: SimulatedClock
) -> None:
    desk = make_desk()
    ban(desk, "bulk.example", "reject")
    ban(desk, "held.example", "hold")
    cache = BanCache(desk.engine, clock, lambda: ["sam@bulk.example"])
    cache.refresh()
    asked = ("bulk.example", "x.bulk.example", "held.example")
    assert [cache.refuses(f"a@{domain}") for domain in asked] == [True, True, False]
    assert not cache.refuses("")
    assert not cache.refuses("sam@bulk.example")
    cache.close()
    with transaction(desk.engine) as session:
        hits = {entry.pattern: entry.hits for entry in list_bans(session)}
        assert hits == {"bulk.example": 2, "held.example": 0}
        remove_ban(session, "bulk.example")
    cache.refresh()
    assert not cache.refuses("a@bulk.example")


def test_mail_of_unknown_senders_waits_where_policy_says_so(make_desk: MakeDesk) -> None:
    desk = make_desk(options='unknown_senders = "hold"')
    desk.take([written()])
    assert (states(desk), desk.count(Ticket), desk.send()) == (["held"], 0, [])
    desk.inbox.retry(1)
    desk.take([])
    assert states(desk) == ["held"]
    desk.inbox.retry(1, release=True)
    desk.take([])
    assert (states(desk), desk.count(Ticket)) == ([InboundState.DONE.value], 1)
    desk.take([written("Once more", "Now you know me.")])
    assert states(desk) == ["done", "done"]
