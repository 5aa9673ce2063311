"""An agent's token from another address: the agent is asked, and one reply settles it."""

from __future__ import annotations

import itertools
from email.message import EmailMessage
from typing import Any

from tests.scenario.daemon import Daemon, answer, new_mail, text_of

SAM = "Sam Support <sam.private@agents.example>"
HOME = "Sam at home <sam@home.example>"
DAY = 86_400
SERIAL = itertools.count(1)


def reply_to(mail: EmailMessage) -> str:
    return str(mail["Reply-To"].addresses[0].addr_spec)


def challenges(daemon: Daemon) -> list[EmailMessage]:
    return [
        mail for mail in daemon.to("sam.private@agents.example") if str(mail["Subject"]).startswith("Is ")
    ]


def write_from_home(daemon: Daemon, alert: EmailMessage, text: str) -> None:
    fresh = f"{next(SERIAL)}@home.example"
    daemon.send(answer(alert, text, sender=HOME, message_id=fresh), reply_to(alert), "sam@home.example")
    daemon.idle()


def tickets(daemon: Daemon) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = daemon.json("ticket", "list", "--all")
    return found


def test_yes_makes_the_address_the_agents_and_the_mail_that_waited_is_sent(daemon: Daemon) -> None:
    daemon.send(new_mail())
    (alert,) = daemon.wait_to("sam.private@agents.example")
    write_from_home(daemon, alert, "Please try again now.")
    write_from_home(daemon, alert, "And clear the cache.")
    (question,) = challenges(daemon)
    assert "Please try again now." in text_of(question)
    assert "sam@home.example" in text_of(question)
    assert daemon.to("home.example") == []
    assert len(daemon.to("ann@customer.example")) == 1
    assert [row["state"] for row in daemon.json("alias", "list")] == ["pending"]

    daemon.send(answer(question, "Yes.", sender=SAM), reply_to(question), "sam.private@agents.example")
    answers = daemon.wait_to("ann@customer.example", 3)[1:]
    daemon.idle()
    said = " ".join(text_of(mail) for mail in answers)
    assert "And clear the cache." in said
    assert "Please try again now." in said
    assert all(b"home.example" not in mail.as_bytes() for mail in daemon.to("ann@customer.example"))
    assert [row["state"] for row in daemon.json("alias", "list")] == ["confirmed"]

    write_from_home(daemon, alert, "Solved?")
    daemon.wait_to("ann@customer.example", 4)
    assert len(challenges(daemon)) == 1
    assert len(tickets(daemon)) == 1


def test_only_the_agent_can_say_yes_and_no_makes_it_an_outsiders_mail(daemon: Daemon) -> None:
    daemon.send(new_mail())
    (alert,) = daemon.wait_to("sam.private@agents.example")
    write_from_home(daemon, alert, "#close")
    (question,) = challenges(daemon)
    # the token of the question from elsewhere, and the agent's address without it
    daemon.send(answer(question, "yes", sender=HOME), reply_to(question), "sam@home.example")
    daemon.send(new_mail("yes", "yes", sender=SAM, message_id="forged@evil.example"))
    daemon.idle()
    assert [row["state"] for row in daemon.json("alias", "list")] == ["pending"]

    daemon.send(answer(question, "No!", sender=SAM), reply_to(question), "sam.private@agents.example")
    daemon.idle()
    assert [row["state"] for row in daemon.json("alias", "list")] == ["denied"]
    assert {row["status"] for row in tickets(daemon)} == {"open"}
    assert "sam@home.example" in [row["requester_address"] for row in tickets(daemon)]
    write_from_home(daemon, alert, "#close")
    assert len(challenges(daemon)) == 1
    assert {row["status"] for row in tickets(daemon)} == {"open"}

    daemon.command("alias", "confirm", "Sam@Home.example", "sam")
    write_from_home(daemon, alert, "#close\n")
    assert "closed" in {row["status"] for row in tickets(daemon)}
    daemon.command("alias", "remove", "sam@home.example")
    assert daemon.json("alias", "list") == []
    assert daemon.command("alias", "remove", "sam@home.example", check=False).returncode == 1
    assert daemon.command("alias", "confirm", "sam@home.example", "nobody", check=False).returncode == 1


def test_a_question_without_an_answer_ends_after_a_day(daemon: Daemon) -> None:
    daemon.send(new_mail())
    (alert,) = daemon.wait_to("sam.private@agents.example")
    write_from_home(daemon, alert, "#close")
    assert len(challenges(daemon)) == 1
    daemon.later(DAY + 60)
    daemon.wait_to("home.example")
    daemon.idle()
    assert [row["state"] for row in daemon.json("alias", "list")] == ["expired"]
    assert sorted(row["status"] for row in tickets(daemon)) == ["open", "open"]
    assert len(challenges(daemon)) == 1
