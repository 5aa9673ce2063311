"""Loops and storms, simulated: the real receiver, rules, database and sender, and a clock moved by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mailticket.store.models import Entry, Inbound, Outbox, Ticket
from tests.scenario.simulated import Sent, SimulatedClock, SimulatedDesk, written

_TELL_TALE = (
    "auto-submitted",
    "precedence",
    "x-auto-response-suppress",
    "x-mailticket-loop",
    "x-loop",
    "list-id",
    "feedback-id",
    "return-path",
)
MakeDesk = Callable[..., SimulatedDesk]


def stripped(sent: Sent) -> bytes:
    """The mail without any header that tells a machine wrote it."""
    lines = sent.raw.split(b"\r\n\r\n", 1)
    kept: list[bytes] = []
    dropping = False
    for line in lines[0].split(b"\r\n"):
        if not line.startswith((b" ", b"\t")):
            dropping = line.partition(b":")[0].decode("ascii").lower() in _TELL_TALE
        if not dropping:
            kept.append(line)
    return b"\r\n".join(kept) + b"\r\n\r\n" + lines[1]


def acknowledgements(desk: SimulatedDesk) -> int:
    return desk.count(Outbox, Outbox.template.in_(("ticket.autoresp", "message.autoresp")))


@pytest.mark.parametrize("acknowledge_replies", [False, True])
@pytest.mark.parametrize("minutes", [0.05, 1, 5])
def test_two_desks_facing_each_other_fall_silent(
    make_desk: MakeDesk, clock: SimulatedClock, acknowledge_replies: bool, minutes: float
) -> None:
    desks = [make_desk(name, acknowledge_replies=acknowledge_replies) for name in ("a", "b")]
    by_name = {"a.example": desks[0], "b.example": desks[1]}
    mails = {desk.address: 0 for desk in desks}
    desks[0].take([written("Hello", "Who is there? I hope somebody is.", sender=desks[1].address)])
    ended = clock.now.timestamp() + 3600
    silent_since = clock.now
    while clock.now.timestamp() < ended:
        for desk in desks:
            for sent in desk.send():
                other = by_name.get(sent.recipient.rpartition("@")[2])
                if other is None or other is desk:
                    continue
                mails[desk.address] += 1
                silent_since = clock.now
                other.take([stripped(sent)], sender=desk.address, recipient=sent.recipient)
        clock.forward(minutes=minutes)
    assert all(count <= 5 for count in mails.values()), mails
    assert sum(mails.values()) > 0
    assert (clock.now - silent_since).total_seconds() > 30 * 60


@pytest.mark.timeout(300)
def test_a_vacation_storm_is_kept_whole_and_answered_at_most_five_times(
    make_desk: MakeDesk, clock: SimulatedClock
) -> None:
    desk = make_desk()
    for first in range(0, 10_000, 500):
        desk.take(
            written("I am away", f"I am at the sea, mail {number}.", message_id=f"storm{number}@mua.example")
            for number in range(first, first + 500)
        )
        clock.forward(minutes=2)
    assert desk.count(Inbound, Inbound.state == "done") == 10_000
    assert desk.count(Entry) == 10_000
    assert desk.count(Ticket) == 19
    assert acknowledgements(desk) <= 5
    assert desk.count(Outbox, Outbox.template == "ticket.alert") == 2 * 2
    assert desk.count(Outbox, Outbox.template == "brake.alert") == 2
