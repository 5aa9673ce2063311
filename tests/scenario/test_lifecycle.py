"""Through the real daemon: guards, thanks, reopening, merges, splits, waits, referrals, the command line."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from mailticket.store.engine import open_engine, reading
from mailticket.store.models import Ticket
from tests.scenario.daemon import Daemon, answer, new_mail, text_of
from tests.servers import wait_until

ANN = "ann@customer.example"
SAM, SAMS = "Sam Support <sam.private@agents.example>", "sam.private@agents.example"
IDAS = "ida.private@agents.example"
SETTINGS = """
[fields.severity]
name = "Severity"
type = "choice"
choices = ["minor", "major"]
required = true
departments = ["it"]

[statuses.vendor]
name = "Waiting for vendor"
state = "on-hold"
"""
_serial = count()
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Daemon]:
    """A running daemon with statuses and fields of its own, once for each database."""
    with Daemon(tmp_path, database_url, extra=SETTINGS) as running:
        yield running


def reply_to(mail: EmailMessage) -> str:
    return str(mail["Reply-To"].addresses[0].addr_spec)


def opened(desk: Daemon, body: str = "Please help.", subject: str = "The printer is broken") -> EmailMessage:
    """A ticket of Ann's; the alert to Sam."""
    before = len(desk.to(SAMS))
    name = f"n{next(_serial)}@customer.example"
    desk.send(new_mail(subject, body, message_id=name))
    return desk.wait_to(SAMS, before + 1)[-1]


def number_of(mail: EmailMessage) -> str:
    found = re.search(r"#(\d+)", str(mail["Subject"]))
    assert found
    return found.group(1)


def say(desk: Daemon, mail: EmailMessage, words: str, sender: str = SAM, address: str = SAMS) -> None:
    raw = answer(mail, words, sender=sender, message_id=f"s{next(_serial)}@x.example")
    desk.send(raw, reply_to(mail), address)


def show(desk: Daemon, number: str) -> Any:
    return desk.json("ticket", "show", number)


def status_of(desk: Daemon, number: str) -> str | None:
    """Read from the database itself: a command takes seconds on a busy machine."""
    engine = open_engine(desk.database)
    try:
        with reading(engine) as session:
            return session.execute(select(Ticket.status).where(Ticket.number == number)).scalar()
    finally:
        engine.dispose()


def comes_to(desk: Daemon, number: str, status: str) -> Any:
    """Wait until a ticket has a status; it."""
    wait_until(lambda: status_of(desk, number) == status, f"#{number} {status}\n{desk.tail()}", bound=60)
    return show(desk, number)


def test_thanks_reopen_nothing_words_reopen_and_after_the_window_a_new_ticket_follows(desk: Daemon) -> None:
    alert = opened(desk)
    number = number_of(alert)
    say(desk, alert, "#take\n#resolve\n\nIt is mended.")
    comes_to(desk, number, "resolved")
    wait_until(lambda: any("It is mended." in text_of(one) for one in desk.to(ANN)), "the answer", bound=30)
    sent = next(one for one in desk.to(ANN) if "It is mended." in text_of(one))
    say(desk, sent, "Thank you!", f"Ann Customer <{ANN}>", ANN)
    told = desk.wait_to(SAMS, 2)[-1]
    assert "A mere thanks" in text_of(told)
    assert show(desk, number)["ticket"]["status"] == "resolved"
    say(desk, sent, "Thank you, but it smokes.", f"Ann Customer <{ANN}>", ANN)
    found = comes_to(desk, number, "open")
    assert found["ticket"]["assignee"] == "sam"
    assert [entry["text"] for entry in found["entries"] if entry["kind"] == "message"][1:] == [
        "Thank you!",
        "Thank you, but it smokes.",
    ]
    desk.command("ticket", "status", number, "closed", "--as", "sam")
    desk.later(40 * 86400)
    say(desk, sent, "It smokes again.", f"Ann Customer <{ANN}>", ANN)
    fresh = desk.wait_to(SAMS, 4)[-1]
    assert f"It follows ticket {number}" in " ".join(text_of(fresh).split())
    assert {"follows"} == {link["how"] for link in show(desk, number_of(fresh))["links"]}


def test_merge_split_and_wait(desk: Daemon) -> None:
    first, second = opened(desk, "One."), opened(desk, "Two.", "Printer again")
    one, two = number_of(first), number_of(second)
    say(desk, second, f"#merge {one}")
    comes_to(desk, two, "merged")
    assert [entry["text"] for entry in show(desk, one)["entries"]] == ["One.", "Two."]
    say(desk, second, "#split last The second matter")
    desk.wait_to(SAMS, 3)  # the alert about the ticket that was split off
    (link,) = show(desk, one)["links"]
    assert (link["how"], link["subject"]) == ("followed by", "The second matter")
    third = link["number"]
    desk.command("ticket", "block", one, third, "--as", "sam")
    assert show(desk, one)["ticket"]["status"] == "on-hold"
    refused = desk.command("ticket", "block", third, one, "--as", "sam", check=False)
    assert refused.returncode != 0
    assert "waits for" in refused.stderr + refused.stdout
    desk.command("ticket", "status", third, "resolved", "--as", "sam")
    found = comes_to(desk, one, "in-progress")
    assert any("it waited for" in event["reason"] for event in found["events"])


def test_guards_statuses_and_fields_by_mail_and_by_command(desk: Daemon) -> None:
    alert = opened(desk)
    number = number_of(alert)
    say(desk, alert, "#status waiting for vendor")
    found = comes_to(desk, number, "on-hold")
    assert found["ticket"]["custom_status"] == "vendor"
    desk.command("ticket", "do", number, "transfer it", "--as", "sam")
    refused = desk.command("ticket", "status", number, "closed", "--as", "sam", check=False)
    assert refused.returncode != 0
    assert "Severity is not set" in " ".join((refused.stderr + refused.stdout).split())
    say(desk, alert, "#field severity major\n#close the fuse was blown")
    found = comes_to(desk, number, "closed")
    assert found["ticket"]["fields"] == {"severity": "major"}
    assert any("the fuse was blown" in event["reason"] for event in found["events"])


def test_one_mail_to_two_departments_is_one_ticket_with_a_referral(desk: Daemon) -> None:
    raw = new_mail(
        "For both", "To both of you.", to="it@desk.example, support@desk.example", message_id="b@x.example"
    )
    with smtplib.SMTP("127.0.0.1", desk.smtp_port, timeout=30) as server:
        server.sendmail(ANN, ["support@desk.example", "it@desk.example"], raw)
    number = number_of(desk.wait_to(SAMS)[0])
    desk.wait_to(IDAS)
    wait_until(
        lambda: all(mail["state"] in ("done", "ignored") for mail in desk.json("inbox", "list")),
        "both",
        bound=30,
    )
    assert len(desk.json("ticket", "list")) == 1
    found = show(desk, number)
    assert (found["ticket"]["department"], found["referred"]) == ("it", ["support"])
    assert (len(desk.to(SAMS)), len(desk.to(IDAS))) == (1, 1)
