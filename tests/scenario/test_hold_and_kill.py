"""Killed between an answer and its sending, the daemon sends it once, or not at all when taken back."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage

import pytest

from tests.scenario.daemon import Daemon, answer, new_mail, text_of
from tests.servers import wait_until

SAM, ANN = "sam.private@agents.example", "ann@customer.example"
DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def answered(daemon: Daemon) -> EmailMessage:
    """Sam has answered, and the answer waits; the alert that was answered."""
    daemon.send(new_mail())
    (alert,) = daemon.wait_to(SAM)
    write(daemon, alert, "Please try again now.")
    return alert


def write(daemon: Daemon, alert: EmailMessage, text: str) -> None:
    """Sam replies to the alert; returns when that was worked on."""
    before = daemon.books.number("SELECT count(*) FROM inbound")
    daemon.send(answer(alert, text, sender=SAM), str(alert["Reply-To"].addresses[0].addr_spec), SAM)
    wait_until(
        lambda: daemon.books.number("SELECT count(*) FROM inbound WHERE state = 'done'") == before + 1,
        f"the reply is worked on\n{daemon.tail()}",
    )


def answers(daemon: Daemon) -> list[str]:
    return [text_of(mail) for mail in daemon.to(ANN) if mail["Auto-Submitted"] is None]


@pytest.mark.parametrize("database_url", DATABASES, indirect=True)
def test_an_answer_on_hold_survives_a_kill_and_is_sent_once(
    database_url: str, make_daemon: Callable[..., Daemon]
) -> None:
    daemon = make_daemon(database=database_url, undo_hold="1h")
    daemon.start()
    answered(daemon)
    daemon.kill()
    daemon.start()
    assert answers(daemon) == []
    daemon.later(3601)
    wait_until(lambda: len(answers(daemon)) == 1, f"the answer is sent\n{daemon.tail()}")
    daemon.kill()
    daemon.later(2 * 3601)
    daemon.start()
    daemon.idle()
    assert ["Please try again now." in text for text in answers(daemon)] == [True]


@pytest.mark.parametrize("point", ["receive.before_commit", "receive.after_commit"])
@pytest.mark.parametrize("database_url", DATABASES, indirect=True)
def test_who_leaves_within_the_hold_gets_nothing_wherever_the_daemon_is_killed(
    database_url: str, make_daemon: Callable[..., Daemon], point: str
) -> None:
    daemon = make_daemon(database=database_url, undo_hold="1h")
    daemon.start()
    alert = answered(daemon)
    write(daemon, alert, "#cc bob@customer.example")
    daemon.kill()
    daemon.start(MAILTICKET_CRASH_AT=point)
    daemon.send(
        answer(alert, "#uncc bob@customer.example\n#cc zoe@customer.example", sender=SAM),
        str(alert["Reply-To"].addresses[0].addr_spec),
        SAM,
    )
    daemon.wait_killed()
    daemon.later(61)
    daemon.start()
    wait_until(
        lambda: daemon.books.number("SELECT count(*) FROM inbound WHERE state = 'done'") == 4,
        f"the reply is worked on\n{daemon.tail()}",
    )
    daemon.later(2 * 3601)
    wait_until(lambda: len(daemon.to("zoe@customer.example")) == 1, f"who joined has it\n{daemon.tail()}")
    wait_until(lambda: len(answers(daemon)) == 1, f"the answer is sent\n{daemon.tail()}")
    daemon.idle()
    assert (len(answers(daemon)), daemon.to("bob@customer.example")) == (1, [])


@pytest.mark.parametrize("database_url", DATABASES, indirect=True)
def test_what_was_taken_back_stays_unsent_after_a_kill(
    database_url: str, make_daemon: Callable[..., Daemon]
) -> None:
    daemon = make_daemon(database=database_url, undo_hold="1h")
    daemon.start()
    alert = answered(daemon)
    write(daemon, alert, "#undo")
    daemon.kill()
    daemon.later(2 * 3601)
    daemon.start()
    daemon.idle()
    assert answers(daemon) == []
    assert daemon.books.number("SELECT count(*) FROM outbox WHERE state = 'cancelled'") == 1
