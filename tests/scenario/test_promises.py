"""Promised times through the real daemon, its clock moved forward: ladders, summaries, reminders."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage

from tests.scenario.daemon import Daemon, answer, new_mail, text_of
from tests.servers import wait_until

HOUR = 3600.0

LADDER = """
[topics.emergency]
name = "Emergency"
priority = "emergency"
sla_plan = "ladder"

[[rules]]
name = "emergencies"
when = [{ field = "subject", how = "starts", value = "SOS" }]
then = { topic = "emergency" }

[sla_plans.ladder]
name = "Emergency"
first_response = "1h"

[[sla_plans.ladder.steps]]
at = "50%"
tell = ["concerned"]
until_ack = true

[[sla_plans.ladder.steps]]
at = "100%"
tell = ["manager"]
until_ack = true

[[sla_plans.ladder.steps]]
at = "+30m"
tell = ["pager@duty.example"]
until_ack = true

[[sla_plans.ladder.steps]]
at = "+1h"
tell = ["manager", "pager@duty.example"]
until_ack = true
"""

PATIENT = """
[follow_ups.patient]
nudge = "16h"
second_nudge = "24h"
resolve = "24h"
"""

ANN = "ann@customer.example"
SAM = "sam.private@agents.example"
SUE = "sue.private@agents.example"
MONA = "mona.private@agents.example"
PAGER = "pager@duty.example"


def alarms(daemon: Daemon, address: str) -> list[EmailMessage]:
    """The mails to somebody that are each about one promised time."""
    return [mail for mail in daemon.to(address) if "Where the time went" in text_of(mail)]


def wait_alarms(daemon: Daemon, address: str, count: int) -> list[EmailMessage]:
    """Wait for so many of them."""
    wait_until(lambda: len(alarms(daemon, address)) >= count, f"{count} alerts for {address}", bound=40)
    return alarms(daemon, address)


def later(daemon: Daemon, hours: float) -> None:
    """Let the daemon believe that it is so many hours after the start of the test."""
    daemon.later(hours * HOUR)


def kinds(daemon: Daemon, number: str) -> list[str]:
    """What has happened to a ticket."""
    return [event["kind"] for event in daemon.json("ticket", "show", number)["events"]]


def open_emergency(daemon: Daemon) -> EmailMessage:
    """A mail that needs an answer within the hour; what sam heard of it."""
    daemon.send(new_mail("SOS: the vault door stands open", "Nobody can close it."))
    return daemon.wait_to(SAM)[0]


def test_an_emergency_climbs_to_the_manager_and_the_pager_until_somebody_acknowledges(
    make_daemon: Callable[..., Daemon], database_url: str
) -> None:
    daemon = make_daemon(database=database_url, extra=LADDER)
    with daemon:
        climb(daemon)


def climb(daemon: Daemon) -> None:
    """The story of the ladder."""
    alert = open_emergency(daemon)
    later(daemon, 0.6)
    warned = wait_alarms(daemon, SAM, 1)[0]
    assert "due in 2" in text_of(warned)
    assert not alarms(daemon, MONA)
    later(daemon, 1.1)
    late = wait_alarms(daemon, MONA, 1)[0]
    assert "overdue" in text_of(late)
    assert "unassigned 1 h" in text_of(late), "the ledger tells where the time went"
    assert "Nobody can close it." in text_of(late), "and the alert shows what the customer wrote"
    later(daemon, 1.6)
    page = wait_alarms(daemon, PAGER, 1)[0]
    assert page["Reply-To"] is None, "a pager reads, and can do nothing"
    daemon.send(answer(alert, "#ack", sender=f"Sam <{SAM}>", message_id="ack2@x.example"), sender=SAM)
    number = daemon.json("ticket", "list")[0]["number"]
    wait_until(lambda: "acknowledged" in kinds(daemon, number), "it is acknowledged")
    later(daemon, 9)
    daemon.settle()
    assert (len(alarms(daemon, MONA)), len(alarms(daemon, PAGER))) == (1, 1), "nobody else is woken"


def test_a_weekend_without_a_daemon_makes_one_summary_for_each_reader_and_no_storm(daemon: Daemon) -> None:
    for number in range(8):
        sender = f"c{number}@customer.example"
        question = new_mail(
            f"Form {number}", "Where is it?", sender=sender, message_id=f"q{number}@x.example"
        )
        daemon.send(question, sender=sender)
    daemon.wait_to(SAM, 8)
    daemon.settle()
    daemon.stop()
    later(daemon, 62)
    daemon.start()

    def summaries(address: str) -> list[EmailMessage]:
        return [mail for mail in daemon.to(address) if "come at once" in text_of(mail)]

    for reader in (SAM, SUE, MONA):
        wait_until(lambda reader=reader: summaries(reader), f"a summary for {reader}", bound=40)  # type: ignore[misc]
    daemon.settle()
    for reader in (SAM, SUE, MONA):
        assert len(summaries(reader)) == 1, reader
        assert not alarms(daemon, reader), reader
    assert "8 overdue" in str(summaries(SAM)[0]["Subject"])
    daemon.stop()
    daemon.start()
    daemon.settle()
    assert len(summaries(SAM)) == 1, "and not again after the next start"


def test_a_silent_customer_is_reminded_twice_and_told_of_the_end_which_a_reply_undoes(
    make_daemon: Callable[..., Daemon], database_url: str
) -> None:
    daemon = make_daemon(database=database_url, extra=PATIENT)
    daemon.environment["MAILTICKET_DESK__DEFAULT_FOLLOW_UP"] = "patient"
    with daemon:
        daemon.send(new_mail("The door squeaks", "All day long."))
        alert = daemon.wait_to(SAM)[0]
        daemon.send(answer(alert, "Which door is it?\n\n#status waiting", sender=f"Sam <{SAM}>"), sender=SAM)
        seen = len(daemon.wait_to(ANN, 2))
        for hours in (17, 42, 67):
            later(daemon, hours)
            seen += 1
            last = daemon.wait_to(ANN, seen, bound=40)[-1]
            assert last["Auto-Submitted"] == "auto-generated"
        number = daemon.json("ticket", "list", "--all")[0]["number"]
        assert daemon.json("ticket", "show", number)["ticket"]["status"] == "resolved"
        daemon.send(
            answer(last, "The one to the cellar, sorry!", sender=f"Ann <{ANN}>", message_id="late@x.example")
        )
        wait_until(
            lambda: daemon.json("ticket", "show", number)["ticket"]["status"] == "open", "it is open again"
        )
        later(daemon, 80)
        daemon.settle()
        assert len(daemon.to(ANN)) == seen, "an open ticket waits for nobody"
