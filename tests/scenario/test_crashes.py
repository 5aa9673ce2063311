"""Killed at any point, the daemon loses nothing, doubles nothing, and needs nobody's help to go on."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from tests.scenario.daemon import Daemon
from tests.scenario.serials import Feeder, numbered, serials
from tests.servers import wait_until
from tests.servers.sink import SmtpSink

RECEIVE_LEASE = 61
"""Seconds after which a mail somebody died over is worked on again."""
SEND_LEASE = 15 * 60 + 1
"""The same for a mail somebody died sending."""

POINTS = [
    "intake.before_commit:3",
    "intake.after_commit:3",
    "receive.after_claim",
    "receive.after_read",
    "receive.before_commit",
    "receive.after_commit",
    "outbox.after_claim",
    "outbox.after_render",
    "outbox.after_send",
    "outbox.after_send:4",
]
"""Where it dies; see mailticket/work/crash.py."""

ON_POSTGRES = ("intake.after_commit:3", "receive.before_commit", "receive.after_commit", "outbox.after_send")
"""Where the database makes the difference."""

CRASHES = [
    *(pytest.param("sqlite", point, id=f"sqlite-{point}") for point in POINTS),
    *(
        pytest.param("postgres", point, id=f"postgres-{point}", marks=pytest.mark.postgres)
        for point in ON_POSTGRES
    ),
]

ONE_BY_ONE = "connections = 1"


@pytest.mark.parametrize(("database_url", "point"), CRASHES, indirect=["database_url"])
def test_a_crash_loses_nothing_and_repeats_at_most_the_mail_in_flight(
    point: str, database_url: str, make_daemon: Callable[..., Daemon], smtp_sink: SmtpSink
) -> None:
    daemon = make_daemon(database=database_url, smarthost_port=smtp_sink.port, smarthost_options=ONE_BY_ONE)
    names = serials(0, 6)
    daemon.start(MAILTICKET_CRASH_AT=point)
    unanswered = daemon.offer(numbered(names))
    daemon.wait_killed()
    daemon.later(RECEIVE_LEASE)
    daemon.start()
    assert daemon.offer(unanswered) == []
    books = daemon.books
    wait_until(lambda: books.unfinished()[0] == 0, f"every mail is worked on\n{daemon.tail()}")
    daemon.later(SEND_LEASE)
    daemon.settle()
    books.assert_each_once(names)
    books.assert_delivered([(mail.rcpt_tos[0], mail.data) for mail in smtp_sink.received], repeats=1)
    books.assert_sound()
    assert daemon.stop() == 0


def test_a_mail_killed_between_commit_and_250_is_known_when_it_comes_again(
    make_daemon: Callable[..., Daemon],
) -> None:
    daemon = make_daemon()
    mails = numbered(serials(0, 1))
    daemon.start(MAILTICKET_CRASH_AT="intake.after_commit")
    assert daemon.offer(mails) == mails
    daemon.wait_killed()
    assert daemon.books.number("SELECT count(*) FROM inbound") == 1
    daemon.start()
    assert daemon.offer(mails) == []
    daemon.settle()
    daemon.books.assert_each_once(serials(0, 1))
    assert "already_had=True" in daemon.log()


def test_many_crashes_after_sending_repeat_at_most_one_mail_each(
    make_daemon: Callable[..., Daemon], smtp_sink: SmtpSink
) -> None:
    daemon = make_daemon(smarthost_port=smtp_sink.port, smarthost_options=ONE_BY_ONE)
    names = serials(0, 8)
    crashes = 4
    daemon.start(MAILTICKET_CRASH_AT="outbox.after_send")
    left = daemon.offer(numbered(names))
    daemon.wait_killed()
    for crash in range(1, crashes):
        daemon.later(crash * SEND_LEASE)
        daemon.launch(MAILTICKET_CRASH_AT="outbox.after_send")
        daemon.wait_killed()
    daemon.later(crashes * SEND_LEASE)
    daemon.start()
    assert daemon.offer(left) == []
    daemon.settle()
    daemon.books.assert_each_once(names)
    daemon.books.assert_delivered(
        [(mail.rcpt_tos[0], mail.data) for mail in smtp_sink.received], repeats=crashes
    )


@pytest.mark.timeout(400)
def test_killed_at_random_again_and_again_it_still_tells_the_truth(
    database_url: str, make_daemon: Callable[..., Daemon], smtp_sink: SmtpSink
) -> None:
    """F7, short: about ten kills while mails come in; every lease that a kill leaves ends by itself."""
    daemon = make_daemon(database=database_url, smarthost_port=smtp_sink.port, smarthost_options=ONE_BY_ONE)
    names = serials(0, 150)
    feeder = Feeder(daemon, names)
    chance = random.Random(7)
    kills = 0
    daemon.start()
    feeder.start()
    while kills < 20 and (feeder.is_alive() or kills < 10):
        time.sleep(chance.uniform(0.1, 1.5))
        daemon.kill()
        kills += 1
        daemon.later(kills * SEND_LEASE)
        daemon.start()
    feeder.wait()
    daemon.settle(bound=60)
    books = daemon.books
    books.assert_each_once(names)
    books.assert_delivered([(mail.rcpt_tos[0], mail.data) for mail in smtp_sink.received], repeats=kills)
    books.assert_sound()
