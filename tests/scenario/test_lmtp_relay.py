"""Mail handed in by an MTA's LMTP client: every recipient has a fate of its own (RFC 2033, 4.2)."""

from __future__ import annotations

from tests.edge.wire import Wire
from tests.scenario.daemon import Daemon, new_mail
from tests.servers import wait_until


def transaction(daemon: Daemon, mail: bytes, recipients: list[str]) -> tuple[list[str], list[str]]:
    """Hand a mail in for some recipients; the replies to RCPT, and those to the message."""
    with Wire(("127.0.0.1", daemon.lmtp_port), greet="LHLO relay.example") as wire:
        wire.say("MAIL FROM:<ann@customer.example>")
        asked = [wire.say(f"RCPT TO:<{recipient}>") for recipient in recipients]
        taken = [reply for reply in asked if reply.startswith("250")]
        assert wire.say("DATA").startswith("354")
        wire.send(mail + b".\r\n")
        answered = [wire.line() for _ in taken]
        assert wire.say("NOOP").startswith("250"), "nothing was left over"
    return asked, answered


def test_an_unknown_recipient_is_refused_and_the_known_one_served(daemon: Daemon) -> None:
    asked, answered = transaction(daemon, new_mail(), ["nobody@desk.example", "support@desk.example"])
    assert [reply[:3] for reply in asked] == ["550", "250"]
    assert [reply[:3] for reply in answered] == ["250"]
    daemon.wait_to("ann@customer.example")
    assert len(daemon.json("ticket", "list")) == 1


def test_two_departments_get_a_reply_each_and_one_ticket_that_both_see(daemon: Daemon) -> None:
    mail = (
        b"Received: from relay.example by mx.desk.example; Sat, 21 Nov 2026 10:00:01 +0000\r\n" + new_mail()
    )
    recipients = ["support@desk.example", "it@desk.example", "Support+x@Desk.example"]
    _, answered = transaction(daemon, mail, recipients)
    assert [reply[:3] for reply in answered] == ["250", "250", "250"]
    _, again = transaction(daemon, mail, recipients)
    assert [reply[:3] for reply in again] == ["250", "250", "250"]
    daemon.settle()
    (ticket,) = daemon.json("ticket", "list")
    assert ticket["department"] in ("it", "support")
    assert len(daemon.to("ann@customer.example")) == 1
    wait_until(lambda: len(daemon.to("ida.private@agents.example")) == 1, "IT is alerted")
