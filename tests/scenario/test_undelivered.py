"""An answer that could not be handed over: its author is told, once, and the ticket waits for the desk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from mailticket.delivery.outcome import Deferred, Delivered, Failed, Outcome, Stage
from mailticket.store import outbox, outbox_admin
from mailticket.store.models import Outbox, PersonAddress, Ticket, TicketEvent
from tests.scenario.simulated import Sent, SimulatedClock, SimulatedDesk, written

ANN, SAM, SUE = "ann@customer.example", "sam@staff-a.example", "sue@staff-a.example"


@dataclass
class WayOut:
    """Takes every mail but those to Ann, which get `answer`."""

    answer: Outcome
    sent: list[Sent] = field(default_factory=list)

    def send(self, envelope_from: str, recipient: str, raw: bytes) -> Outcome:
        """As the transport protocol says."""
        if recipient == ANN:
            return self.answer
        self.sent.append(Sent(envelope_from, recipient, raw))
        return Delivered("250 taken")

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[SimulatedDesk]:
    """A desk with two agents."""
    made = SimulatedDesk(tmp_path, "a", SimulatedClock())
    yield made
    made.close()


def answer(desk: SimulatedDesk, way_out: WayOut) -> list[Sent]:
    """Ann writes, Sam answers; from then on mails to Ann go as `way_out` says. Returns what else went out."""
    desk.take([written(body="Help me.")], sender=ANN)
    alert = next(sent for sent in desk.send() if sent.recipient == SAM).mail
    to = str(alert["Reply-To"].addresses[0].addr_spec)
    reply = written(
        "Re: Help",
        "Press any key.\r\n#status waiting",
        sender=SAM,
        to=to,
        In_Reply_To=str(alert["Message-ID"]),
    )
    desk.take([reply], sender=SAM, recipient=to)
    desk.transport = way_out  # type: ignore[assignment]  # refuses as well
    desk.restart()
    return desk.send()


def status(desk: SimulatedDesk) -> str:
    """The one ticket's."""
    (found,) = desk.rows(select(Ticket.status))
    return str(found)


@pytest.mark.parametrize(
    ("response", "cause", "dead"),
    [
        ("550 5.1.1 no such user", "there is no such mailbox (5.1.1)", True),
        ("554 5.7.1 looks bad", "5.7.1", False),
        ("550 relaying denied", "550 relaying denied", False),
    ],
)
def test_the_author_of_an_answer_that_is_refused_hears_of_it_once(
    desk: SimulatedDesk, response: str, cause: str, dead: bool
) -> None:
    told = answer(desk, WayOut(Failed(response, Stage.RCPT)))
    (alert,) = [sent.mail for sent in told if sent.recipient == SAM]
    body = alert.get_body(("plain",))
    assert body is not None
    text = " ".join(body.get_content().split())
    assert f"did not reach {ANN}" in text
    assert cause in text
    assert "Press any key." in text
    assert not [sent for sent in told if sent.recipient == SUE]
    assert status(desk) == "open"
    (event,) = desk.rows(select(TicketEvent.data).where(TicketEvent.kind == "bounced"))
    assert (event["author"], event["permanent"], event["dead"]) == ("agent:sam", True, dead)
    assert desk.count(PersonAddress, PersonAddress.undeliverable_since.is_not(None)) == int(dead)

    (failed,) = outbox_admin.list_mails(desk.engine, [outbox.OutboxState.FAILED])
    outbox_admin.retry(desk.engine, failed.id, desk.clock())
    assert [sent.recipient for sent in desk.send()] == []
    assert desk.count(Outbox, Outbox.template == "bounce.alert") == 1


def test_the_author_hears_of_an_answer_that_was_given_up(desk: SimulatedDesk) -> None:
    told = answer(desk, WayOut(Deferred("450 4.1.1 try later", "recipient", Stage.RCPT)))
    assert told == []
    assert status(desk) == "waiting"
    later: list[Sent] = []
    for _ in range(40):  # given up after five days, and not before all its waits
        desk.clock.forward(hours=6)
        later += desk.send()
    (alert,) = [sent for sent in later if sent.recipient == SAM]
    assert f"did not reach {ANN}".encode() in alert.raw.replace(b"=\r\n", b"").replace(b"\r\n", b" ")
    assert status(desk) == "open"
    assert desk.count(PersonAddress, PersonAddress.undeliverable_since.is_not(None)) == 0


def test_an_acknowledgement_that_is_refused_is_told_to_nobody(desk: SimulatedDesk) -> None:
    desk.transport = WayOut(Failed("550 5.1.1 no such user", Stage.RCPT))  # type: ignore[assignment]  # refuses
    desk.take([written(body="Help me.")], sender=ANN)
    assert sorted(sent.recipient for sent in desk.send()) == [SAM, SUE]
    assert desk.count(Outbox, Outbox.state == "failed") == 1
    assert desk.count(Outbox) == 3
    assert desk.count(TicketEvent, TicketEvent.kind == "bounced") == 0
    (error,) = desk.rows(select(TicketEvent).where(TicketEvent.kind == "error"))
    assert error.reason == f"the mail to {ANN} did not go out: 550 5.1.1 no such user"
    assert (error.actor, error.data["template"]) == ("system", "ticket.autoresp")


def test_what_an_operator_does_to_a_mail_stands_in_the_log_of_its_ticket(desk: SimulatedDesk) -> None:
    desk.transport = WayOut(Failed("550 5.1.1 no such user", Stage.RCPT))  # type: ignore[assignment]  # refuses
    desk.take([written(body="Help me.")], sender=ANN)
    desk.send()
    (failed,) = outbox_admin.list_mails(desk.engine, [outbox.OutboxState.FAILED])
    outbox_admin.retry(desk.engine, failed.id, desk.clock())
    outbox_admin.retry(desk.engine, failed.id, desk.clock())  # it waits already: nothing new
    outbox_admin.cancel(desk.engine, failed.id, desk.clock())
    events = desk.rows(select(TicketEvent).where(TicketEvent.actor == "operator").order_by(TicketEvent.id))
    assert [(event.kind, event.data["was"], event.reason) for event in events] == [
        (
            "resent",
            "failed",
            f"an operator lets the mail to {ANN} go out after all, which was failed",
        ),
        ("cancelled", "queued", f"an operator stopped the mail to {ANN}, which was queued"),
    ]
