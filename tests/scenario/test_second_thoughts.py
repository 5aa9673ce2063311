"""Hold, undo and the stale-reply guard through the real receiver, dispatcher and ticks, in moved time."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import select

from mailticket.store.models import Entry, Inbound, Ticket, TicketEvent
from tests.scenario.simulated import Sent, SimulatedClock, SimulatedDesk, written

ANN, SAM = "ann@customer.example", "sam@staff-a.example"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[SimulatedDesk]:
    made = SimulatedDesk(tmp_path, "a", SimulatedClock(), hold="30s")
    yield made
    made.close()


def reply(desk: SimulatedDesk, to: EmailMessage, text: str, sender: str) -> None:
    address = to["Reply-To"].addresses[0].addr_spec
    stamp = f"{desk.clock().timestamp()}.{len(text)}.{sender}"
    raw = written(
        f"Re: {to['Subject']}", text, sender=sender, to=address, message_id=stamp,
        In_Reply_To=to["Message-ID"], References=to["Message-ID"],
    )  # fmt: skip
    desk.take([raw], sender, address)


def mails(sent: list[Sent], reader: str) -> list[EmailMessage]:
    return [item.mail for item in sent if item.recipient == reader]


def opened(desk: SimulatedDesk) -> EmailMessage:
    """A ticket of Ann's; the alert to Sam."""
    desk.take([written(message_id="first@customer.example")])
    (alert,) = mails(desk.send(), SAM)
    desk.clock.forward(minutes=5)
    desk.send()
    return alert


def ann_writes(desk: SimulatedDesk, text: str) -> None:
    """A further message of the customer."""
    first = "<first@customer.example>"
    desk.take([written("Re: I cannot log in", text, In_Reply_To=first, References=first)])


def test_an_answer_is_sent_when_the_hold_is_over_even_across_a_restart(desk: SimulatedDesk) -> None:
    alert = opened(desk)
    reply(desk, alert, "Try once more.", SAM)
    assert mails(desk.send(), ANN) == []
    desk.clock.forward(seconds=29)
    assert mails(desk.send(), ANN) == []
    desk.restart()
    desk.clock.forward(seconds=1)
    assert len(mails(desk.send(), ANN)) == 1
    assert mails(desk.send(), ANN) == []


def test_what_is_taken_back_in_time_is_never_sent(desk: SimulatedDesk) -> None:
    alert = opened(desk)
    reply(desk, alert, "Try once more.", SAM)
    desk.clock.forward(seconds=29)
    reply(desk, alert, "#undo", SAM)
    desk.clock.forward(days=1)
    assert mails(desk.send(), ANN) == []


def test_a_held_answer_is_worked_on_when_its_author_says_send(desk: SimulatedDesk) -> None:
    alert = opened(desk)
    ann_writes(desk, "It works again.")
    reply(desk, alert, "Try once more.\n\n#resolve", SAM)
    (stale,) = [mail for mail in mails(desk.send(), SAM) if "Your answer waits" in mail.as_string()]
    assert desk.count(Entry, Entry.kind == "response") == 0
    assert desk.count(Inbound, Inbound.state == "held") == 1
    reply(desk, stale, "#send", SAM)
    desk.clock.forward(minutes=1)
    (answer,) = mails(desk.send(), ANN)
    assert "Try once more." in answer.as_string()
    assert desk.count(Inbound, Inbound.state == "held") == 0


def test_a_held_answer_expires_after_a_day_and_its_author_is_told(desk: SimulatedDesk) -> None:
    alert = opened(desk)
    ann_writes(desk, "It works again.")
    reply(desk, alert, "Try once more.", SAM)
    desk.send()
    desk.clock.forward(hours=23, minutes=59)
    assert desk.ticks.challenges() == 0
    desk.clock.forward(minutes=1)
    assert (desk.ticks.challenges(), desk.ticks.challenges()) == (1, 0)
    (told,) = mails(desk.send(), SAM)
    assert "nobody has released it" in told.as_string().replace("=\n", "").replace("\n", " ")
    assert desk.count(Inbound, Inbound.state == "held") == 0


def test_a_dry_run_tells_what_would_happen_and_does_nothing(desk: SimulatedDesk) -> None:
    alert = opened(desk)
    (before,) = desk.rows(select(Ticket))
    events = desk.count(TicketEvent)
    reply(desk, alert, "#?\n#resolve\n#tag login\n\nTry once more.", SAM)
    desk.clock.forward(minutes=1)
    sent = desk.send()
    assert mails(sent, ANN) == []
    (told,) = mails(sent, SAM)
    said = str(told.get_body(("plain",)).get_content()).replace("\r", "")  # type: ignore[union-attr]
    assert "Nothing was done, and nothing sent." in said
    assert f"- Your answer would go to {ANN}" in said
    assert "- Status: would be open -> resolved" in said
    assert "- Tag: would be none -> login" in said
    (after,) = desk.rows(select(Ticket))
    assert (after.status, after.tags, after.version) == (before.status, before.tags, before.version)
    assert (desk.count(TicketEvent), desk.count(Entry)) == (events, 1)
