"""`ban`, `address` and `inbox release` on the command line, and a ban at the wire of the real daemon."""

from __future__ import annotations

import smtplib

import pytest

from tests.scenario.daemon import Daemon, new_mail
from tests.servers import wait_until


def test_a_ban_is_listed_refuses_at_the_wire_and_can_be_taken_back(daemon: Daemon) -> None:
    assert daemon.command("ban", "list").stdout.strip() == "Nobody is banned."
    added = daemon.json("ban", "add", "bulk.example", "--for", "30d", "--reason", "newsletters")
    assert (added["pattern"], added["kind"], added["action"]) == ("bulk.example", "domain", "reject")

    def refused() -> bool:
        try:
            daemon.send(new_mail(sender="news@bulk.example"), sender="news@bulk.example")
        except smtplib.SMTPSenderRefused as error:
            return error.smtp_code == 550
        return False

    wait_until(refused, "the ban to reach the wire", bound=30)
    assert "bulk.example" in daemon.command("ban", "list").stdout
    daemon.command("ban", "remove", "bulk.example")
    assert daemon.json("ban", "list") == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ban", "add", "*"), "almost everybody"),
        (("ban", "add", "x.example", "--for", "soon"), "--for soon"),
        (("ban", "remove", "x.example"), "not banned"),
        (("address", "clear", "ann@customer.example"), "nothing is known against"),
        (("inbox", "release", "99"), "there is no mail with the number 99"),
    ],
)
def test_a_mistake_is_answered_in_words(daemon: Daemon, arguments: tuple[str, ...], said: str) -> None:
    done = daemon.command(*arguments, check=False)
    assert done.returncode == 1
    assert said in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_a_held_mail_is_let_in(daemon: Daemon) -> None:
    daemon.command("ban", "add", "ann@customer.example", "--action", "hold")
    daemon.send(new_mail())
    wait_until(lambda: daemon.json("status")["inbox"]["held"] == 1, "the mail to be held", bound=30)
    (held,) = daemon.json("inbox", "list", "--state", "held")
    daemon.command("inbox", "release", str(held["id"]))
    wait_until(lambda: len(daemon.json("ticket", "list")) == 1, "the ticket", bound=30)
    assert daemon.json("address", "list") == []
