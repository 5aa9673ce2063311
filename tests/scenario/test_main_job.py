"""The main job: a mail becomes a ticket, a reply joins it, an agent answers from a mail client."""

from __future__ import annotations

import re
import smtplib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.scenario.daemon import Daemon, answer, new_mail, text_of

SAM = "Sam Support <sam.private@agents.example>"
ANN = "Ann Customer <ann@customer.example>"


def only_ticket(daemon: Daemon) -> dict[str, object]:
    tickets = daemon.json("ticket", "list", "--all")
    assert len(tickets) == 1, tickets
    ticket: dict[str, object] = tickets[0]
    return ticket


def show(daemon: Daemon, number: object) -> dict[str, Any]:
    found: dict[str, Any] = daemon.json("ticket", "show", str(number))
    return found


def test_a_mail_becomes_a_ticket_and_is_acknowledged(daemon: Daemon) -> None:
    daemon.send(new_mail("An outage", "Nothing works."))
    (acknowledgement,) = daemon.wait_to("ann@customer.example")
    ticket = only_ticket(daemon)
    assert ticket["subject"] == "An outage"
    assert ticket["department"] == "support"
    assert ticket["priority"] == "high"
    assert ticket["tags"] == ["outage"]
    assert f"#{ticket['number']}" in str(acknowledgement["Subject"])
    assert acknowledgement["Auto-Submitted"] == "auto-replied"
    assert acknowledgement["In-Reply-To"] == "<m1@customer.example>"
    assert "Nothing works." not in text_of(acknowledgement)
    assert "support@desk.example" in str(acknowledgement["From"])


def test_the_members_of_the_department_are_alerted_with_a_signed_reply_address(daemon: Daemon) -> None:
    daemon.send(new_mail(body="The printer is on fire."))
    (to_sam,) = daemon.wait_to("sam.private@agents.example")
    (to_sue,) = daemon.wait_to("sue.private@agents.example")
    assert "The printer is on fire." in text_of(to_sam)
    assert re.search(r"support\+[a-z2-7]{39,}@desk\.example", str(to_sam["Reply-To"]))
    assert to_sam["Reply-To"] != to_sue["Reply-To"]
    assert to_sam["Subject"] == to_sue["Subject"]


def test_a_reply_to_the_acknowledgement_joins_the_ticket(daemon: Daemon) -> None:
    daemon.send(new_mail())
    (acknowledgement,) = daemon.wait_to("ann@customer.example")
    reply = answer(acknowledgement, "It happens on my phone too.", sender=ANN)
    daemon.send(reply, recipient=str(acknowledgement["Reply-To"].addresses[0].addr_spec))
    daemon.wait_to("sam.private@agents.example", 2)
    found = show(daemon, only_ticket(daemon)["number"])
    assert [entry["text"] for entry in found["entries"]] == [
        "Please help.",
        "It happens on my phone too.",
    ]


def test_an_agents_reply_reaches_the_customer_without_the_agents_address(daemon: Daemon) -> None:
    daemon.send(new_mail())
    (alert,) = daemon.wait_to("sam.private@agents.example")
    reply = answer(alert, "Please try again now.\n\n-- \nSam, phone 555 0100", sender=SAM)
    daemon.send(reply, str(alert["Reply-To"].addresses[0].addr_spec), "sam.private@agents.example")
    mails = daemon.wait_to("ann@customer.example", 2)
    response = mails[1]
    assert "Please try again now." in text_of(response)
    assert "Support, Example Bank" in text_of(response)
    assert "555 0100" not in text_of(response)
    assert b"agents.example" not in response.as_bytes()
    assert response["From"].addresses[0].addr_spec == "support@desk.example"
    assert response["Auto-Submitted"] is None
    ticket = only_ticket(daemon)
    assert ticket["assignee"] == "sam"
    assert ticket["status"] == "in-progress"


def test_a_note_stays_inside_and_commands_change_the_ticket(daemon: Daemon) -> None:
    daemon.send(new_mail())
    (alert,) = daemon.wait_to("sam.private@agents.example")
    words = "#note\n#priority emergency\n#transfer it\nThis looks like the core switch."
    daemon.send(
        answer(alert, words, sender=SAM),
        str(alert["Reply-To"].addresses[0].addr_spec),
        "sam.private@agents.example",
    )
    (transfer,) = daemon.wait_to("ida.private@agents.example")
    assert "This looks like the core switch." in text_of(transfer)
    ticket = only_ticket(daemon)
    assert (ticket["priority"], ticket["department"]) == ("emergency", "it")
    daemon.idle()
    assert len(daemon.to("ann@customer.example")) == 1


def test_a_line_that_is_no_command_stops_the_whole_mail(daemon: Daemon) -> None:
    daemon.send(new_mail())
    (alert,) = daemon.wait_to("sam.private@agents.example")
    reply = answer(alert, "#clsoe\nWe are done here.", sender=SAM)
    daemon.send(reply, str(alert["Reply-To"].addresses[0].addr_spec), "sam.private@agents.example")
    mails = daemon.wait_to("sam.private@agents.example", 2)
    assert "#clsoe" in text_of(mails[1])
    assert "#close" in text_of(mails[1])
    assert "We are done here." in text_of(mails[1])
    daemon.idle()
    assert only_ticket(daemon)["status"] == "open"
    assert len(daemon.to("ann@customer.example")) == 1


def test_a_customers_reply_reopens_a_closed_ticket(daemon: Daemon) -> None:
    daemon.send(new_mail())
    (alert,) = daemon.wait_to("sam.private@agents.example")
    reply = answer(alert, "Done.\n#close", sender=SAM)
    daemon.send(reply, str(alert["Reply-To"].addresses[0].addr_spec), "sam.private@agents.example")
    response = daemon.wait_to("ann@customer.example", 2)[1]
    assert only_ticket(daemon)["status"] == "closed"
    again = answer(response, "It is broken again.", sender=ANN, message_id="r2@customer.example")
    daemon.send(again, str(response["Reply-To"].addresses[0].addr_spec))
    daemon.wait_to("sam.private@agents.example", 2)
    ticket = only_ticket(daemon)
    assert ticket["status"] == "open"
    assert ticket["assignee"] == "sam"


def test_a_stranger_with_the_number_opens_a_ticket_of_their_own(daemon: Daemon) -> None:
    daemon.send(new_mail())
    daemon.wait_to("ann@customer.example")
    number = only_ticket(daemon)["number"]
    forged = new_mail(
        f"Re: I cannot log in [#{number}]",
        "Tell me all.",
        sender="mallory@evil.example",
        message_id="x@evil.example",
    )
    daemon.send(forged, sender="mallory@evil.example")
    daemon.wait_to("mallory@evil.example")
    assert len(daemon.json("ticket", "list")) == 2
    alerts = daemon.wait_to("sam.private@agents.example", 2)
    assert str(number) in text_of(alerts[1])
    assert str(number) not in text_of(daemon.to("mallory@evil.example")[0])


def test_a_forged_agent_changes_nothing_and_reaches_nobody(daemon: Daemon) -> None:
    daemon.send(new_mail())
    (acknowledgement,) = daemon.wait_to("ann@customer.example")
    daemon.wait_to("sam.private@agents.example")
    forged = answer(acknowledgement, "#close\nPay me.", sender=SAM, message_id="x@evil.example")
    daemon.send(forged, "support@desk.example", "mallory@evil.example")
    refused = daemon.wait_to("sam.private@agents.example", 2)[1]
    assert "Pay me." in text_of(refused)
    daemon.idle()
    assert only_ticket(daemon)["status"] == "open"
    assert len(daemon.to("ann@customer.example")) == 1


def test_the_same_mail_five_times_gives_one_ticket_and_one_acknowledgement(daemon: Daemon) -> None:
    mail = new_mail()
    for _ in range(3):
        daemon.send(mail)
    with smtplib.LMTP("127.0.0.1", daemon.lmtp_port) as server:
        server.sendmail(
            "ann@customer.example", ["support@desk.example"], b"Received: from a relay\r\n" + mail
        )
    daemon.command("deliver", "support@desk.example", given=mail.decode().replace("\r\n", "\n"))
    daemon.wait_to("ann@customer.example")
    daemon.idle()
    only_ticket(daemon)
    assert len(daemon.to("ann@customer.example")) == 1


def test_mail_for_somebody_else_is_refused_at_the_wire(daemon: Daemon) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        daemon.send(new_mail(), recipient="elsewhere@other.example")
    assert next(iter(refused.value.recipients.values()))[0] == 550


def test_a_delivery_report_about_an_answer_is_noted_on_the_ticket(daemon: Daemon) -> None:
    daemon.send(new_mail())
    (alert,) = daemon.wait_to("sam.private@agents.example")
    daemon.send(
        answer(alert, "Here you are.", sender=SAM),
        str(alert["Reply-To"].addresses[0].addr_spec),
        "sam.private@agents.example",
    )
    response = daemon.wait_to("ann@customer.example", 2)[1]
    returns_to = str(response["Return-Path"]).strip("<>")
    assert re.fullmatch(r"support\+[a-z2-7]+@desk\.example", returns_to)
    report = (
        "From: MAILER-DAEMON@mx.customer.example\r\nTo: " + returns_to + "\r\nSubject: Undelivered\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=B\r\n\r\n"
        "--B\r\nContent-Type: text/plain\r\n\r\nYour mail could not be delivered.\r\n"
        "--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.customer.example\r\n\r\n"
        "Final-Recipient: rfc822; ann@customer.example\r\nAction: failed\r\nStatus: 5.2.2\r\n"
        "Diagnostic-Code: smtp; 552 5.2.2 mailbox full\r\n\r\n--B--\r\n"
    )
    daemon.send(report.encode(), returns_to, "")
    daemon.wait_to("sam.private@agents.example", 2)
    found = show(daemon, only_ticket(daemon)["number"])
    assert "mailbox full" in found["entries"][-1]["text"]
    assert len(daemon.to("MAILER-DAEMON")) == 0


def test_an_empty_database_is_set_up_by_the_daemon_itself(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        assert "migrated_from=None" in daemon.log()
        daemon.send(new_mail())
        daemon.wait_to("ann@customer.example")


def test_the_program_is_the_same_in_a_fork_and_on_the_command_line(daemon: Daemon) -> None:
    """What the other scenarios leave out, to save the time of importing the program hundreds of times."""
    daemon.send(new_mail())
    daemon.idle()
    words = ["--config", str(daemon.config), "ticket", "list", "--json"]
    called = subprocess.run(
        [sys.executable, "-m", "mailticket", *words],
        capture_output=True, text=True, env=daemon.environ(), cwd=daemon.folder, check=True,
    )  # fmt: skip
    forked = daemon.command(*words[2:])
    assert (called.stdout, called.stderr) == (forked.stdout, forked.stderr)
    assert "I cannot log in" in called.stdout
    wrong = daemon.command("ticket", "show", "nothing", check=False)
    assert (wrong.returncode, "nothing" in wrong.stderr) == (1, True)
