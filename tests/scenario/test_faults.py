"""Disks fill, databases lock and restart, smarthosts misbehave: nothing is lost and nobody has to help."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import smtplib
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.scenario.daemon import Daemon, new_mail, steady_port
from tests.scenario.serials import Feeder, numbered, serials
from tests.servers import wait_until
from tests.servers.postgres import Postgres
from tests.servers.sink import SmtpSink, accept_then_drop, reply

ONE_BY_ONE = "connections = 1"
END_SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mailticket'
"""


def code_of(daemon: Daemon, raw: bytes) -> int:
    """The code the daemon answers to a mail with, at whatever stage."""
    with smtplib.SMTP("127.0.0.1", daemon.smtp_port, timeout=60) as server:
        try:
            server.sendmail("ann@customer.example", ["support@desk.example"], raw)
        except smtplib.SMTPResponseException as error:
            return error.smtp_code
    return 250


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A file system of that size mounted on `folder`; skips the test where that is not allowed."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "none", str(folder)]
    if not sys.platform.startswith("linux") or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small file system")
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("this system does not let a small file system be mounted")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def until_full(path: Path) -> None:
    """Write to a file until its file system takes no more."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while os.write(descriptor, b"x" * 4096):
            pass
    os.close(descriptor)
    assert os.statvfs(path).f_bavail == 0


def test_a_full_disk_gives_451_and_the_daemon_recovers_by_itself(
    tmp_path: Path,
    make_daemon: Callable[..., Daemon],
) -> None:
    daemon = make_daemon(database=f"sqlite:///{tmp_path / 'desk' / 'var' / 'mailticket.db'}")
    daemon.state.mkdir()
    with small_disk(daemon.state, 8):
        names = serials(0, 3)
        daemon.start()
        assert daemon.offer(numbered(names)) == []
        daemon.settle()
        fill = daemon.state / "filler"
        until_full(fill)
        late = new_mail("Late", "x" * 500_000, sender="late@late.example", message_id="late@late.example")
        assert code_of(daemon, late) in (451, 452)
        assert code_of(daemon, late) in (451, 452)
        with smtplib.SMTP("127.0.0.1", daemon.smtp_port, timeout=30) as server:
            assert server.ehlo()[0] == 250
        fill.unlink()
        wait_until(lambda: code_of(daemon, late) == 250, "the mail is accepted")
        daemon.settle()
        assert daemon.books.number("SELECT count(*) FROM ticket WHERE subject = 'Late'") == 1
        assert daemon.books.number("SELECT count(*) FROM ticket") == len(names) + 1
        daemon.books.assert_sound()
        assert daemon.stop() == 0


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of another process need Linux")
def test_a_database_that_cannot_grow_gives_451_and_recovers(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon()
    daemon.start()
    assert daemon.process is not None
    database = Path(daemon.database.removeprefix("sqlite:///"))
    largest = max(item.stat().st_size for item in database.parent.glob(database.name + "*"))
    _, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (largest + 200_000, hard))
    late = new_mail(body="x" * 900_000)
    assert code_of(daemon, late) in (451, 452)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    assert code_of(daemon, late) == 250
    daemon.wait_to("ann@customer.example")
    daemon.books.assert_sound()


def test_a_locked_database_gives_451_while_the_daemon_goes_on_talking(
    make_daemon: Callable[..., Daemon],
) -> None:
    daemon = make_daemon()
    daemon.start()
    names = serials(0, 4)
    assert daemon.offer(numbered(names[:2])) == []
    daemon.settle()
    with closing(sqlite3.connect(daemon.database.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        feeder = Feeder(daemon, names[2:])
        feeder.start()
        for _ in range(5):
            with smtplib.SMTP("127.0.0.1", daemon.smtp_port, timeout=5) as server:
                assert server.ehlo()[0] == 250
                assert server.mail("a@b.example")[0] == 250
                assert server.rcpt("support@desk.example")[0] == 250
        wait_until(lambda: feeder.refusals > 0, "the first mail is refused", bound=40)
        other.execute("ROLLBACK")
    assert "smtp.store_failed" in daemon.log()
    feeder.wait()
    daemon.settle()
    daemon.books.assert_each_once(names)


@pytest.mark.postgres
@pytest.mark.timeout(240)
def test_postgres_crashing_and_ending_sessions_costs_no_mail(
    make_daemon: Callable[..., Daemon], smtp_sink: SmtpSink
) -> None:
    with Postgres() as server:
        url = server.new_database()
        daemon = make_daemon(database=url, smarthost_port=smtp_sink.port, smarthost_options=ONE_BY_ONE)
        daemon.start()
        names = serials(0, 100)
        feeder = Feeder(daemon, names, pause=0.05)
        feeder.start()
        faults = 0
        for part in (10, 25, 40, 55, 70, 85):
            wait_until(lambda part=part: len(feeder.accepted) >= part, "mails flow", bound=60)  # type: ignore[misc] # bound now
            faults += 1
            if part in (25, 70):
                server.stop(signal.SIGQUIT)
                server.start()
            else:
                server.execute(END_SESSIONS)
        feeder.wait()
        pid = daemon.process and daemon.process.pid
        daemon.later(16 * 60)
        daemon.settle(bound=60)
        daemon.books.assert_each_once(names)
        sent = [(mail.rcpt_tos[0], mail.data) for mail in smtp_sink.received]
        daemon.books.assert_delivered(sent, repeats=faults)
        assert daemon.process is not None
        assert daemon.process.pid == pid
        assert daemon.stop() == 0


def test_a_smarthost_that_is_down_only_delays(make_daemon: Callable[..., Daemon]) -> None:
    with SmtpSink(port=steady_port()) as sink:
        daemon = make_daemon(smarthost_port=sink.port)
        sink.stop()
        names = serials(0, 3)
        daemon.start()
        assert daemon.offer(numbered(names)) == []
        wait_until(lambda: "outbox.paused" in daemon.log(), "the outage is noticed")
        wait_until(lambda: daemon.books.unfinished()[0] == 0, "the tickets are made all the same")
        daemon.books.assert_each_once(names)
        assert daemon.json("status")["outbox"]["queued"] == 9
        sink.start()
        sink.script("mail", reply("451 4.3.0 not now"), times=1)
        daemon.settle(bound=60)
        daemon.books.assert_delivered([(mail.rcpt_tos[0], mail.data) for mail in sink.received], repeats=0)


def test_one_recipient_in_trouble_holds_nobody_else_up(
    make_daemon: Callable[..., Daemon], smtp_sink: SmtpSink
) -> None:
    smtp_sink.script("rcpt", reply("550 5.1.1 no such user"), when=lambda argument: "bob@" in argument)
    smtp_sink.script(
        "rcpt", reply("450 4.2.1 greylisted"), times=1, when=lambda argument: "carl@" in argument
    )
    smtp_sink.script("dot", accept_then_drop(), times=1, when=lambda argument: "dora@" in argument)
    smtp_sink.script("dot", reply("554 5.7.1 looks bad"), when=lambda argument: "eric@" in argument)
    daemon = make_daemon(smarthost_port=smtp_sink.port)
    daemon.start()
    for name in ("bob", "carl", "dora", "eric", "fay"):
        domain = f"{name}s.example"
        sender = f"{name}@{domain}"
        daemon.send(new_mail(body=name, sender=sender, message_id=sender), sender=sender)

    def states() -> dict[str, str]:
        rows = daemon.books.rows("SELECT recipient, state FROM outbox WHERE template = 'ticket.autoresp'")
        return {row.recipient.partition("@")[0]: row.state for row in rows}

    expected = {"bob": "failed", "carl": "sent", "dora": "queued", "eric": "failed", "fay": "sent"}
    wait_until(lambda: states() == expected, f"all have their fate: {expected}", bound=30)
    failed = daemon.json("outbox", "list", "--state", "failed")
    told = {mail["recipient"].partition("@")[0]: mail["error"] for mail in failed}
    assert "no such user" in told["bob"]
    assert "looks bad" in told["eric"]
    assert daemon.json("status")["attention"] == ["2 failed outgoing mails (outbox list --state failed)"]
    daemon.later(13 * 60)  # ten minutes, and up to a fifth more
    daemon.settle()
    assert states() == expected | {"dora": "sent"}
    copies = [mail.data for mail in smtp_sink.received if "dora@" in mail.rcpt_tos[0]]
    assert len(copies) == 2
    assert copies[0] == copies[1]
    alerts = [mail for mail in smtp_sink.received if mail.rcpt_tos[0].endswith("agents.example")]
    assert len(alerts) == 10


def test_a_second_daemon_on_one_sqlite_database_refuses_to_start(
    make_daemon: Callable[..., Daemon],
) -> None:
    daemon = make_daemon()
    daemon.start()
    second = make_daemon("second", database=daemon.database)
    second.state = daemon.state
    second.launch()
    wait_until(second.ended, "the second one ends")
    assert second.process is not None
    assert daemon.process is not None
    assert second.process.returncode == 1
    told = "".join(second.log().split())  # the console breaks lines anywhere
    assert f"alreadyrunningon{daemon.state}(process{daemon.process.pid})" in told
    daemon.send(new_mail())
    daemon.wait_to("ann@customer.example")


@pytest.mark.postgres
def test_two_daemons_on_one_postgres_share_the_work(
    make_daemon: Callable[..., Daemon], postgres_url: str, smtp_sink: SmtpSink
) -> None:
    pair = [
        make_daemon(name, database=postgres_url, smarthost_port=smtp_sink.port) for name in ("one", "two")
    ]
    for daemon in pair:
        daemon.start()
    names = serials(0, 40)
    feeders = [Feeder(pair[0], names[:25]), Feeder(pair[1], names[15:])]
    for feeder in feeders:
        feeder.start()
    for feeder in feeders:
        feeder.wait()
    pair[0].settle()
    books = pair[0].books
    books.assert_each_once(names)
    books.assert_delivered([(mail.rcpt_tos[0], mail.data) for mail in smtp_sink.received], repeats=0)
    assert [daemon.stop() for daemon in pair] == [0, 0]


def test_sigterm_in_a_burst_ends_in_order_and_every_250_was_true(
    database_url: str, make_daemon: Callable[..., Daemon]
) -> None:
    daemon = make_daemon(database=database_url)
    daemon.start()
    names = serials(0, 120)
    feeders = [Feeder(daemon, names[start::6], patience=0) for start in range(6)]
    for feeder in feeders:
        feeder.start()
    wait_until(lambda: sum(len(feeder.accepted) for feeder in feeders) > 12, "the burst is on")
    assert daemon.stop() == 0
    for feeder in feeders:
        feeder.join(30)
    accepted = [name for feeder in feeders for name in feeder.accepted]
    assert 12 < len(accepted) < len(names), "it ended in the middle"
    assert "Traceback" not in daemon.log()
    stored = daemon.books.number("SELECT count(*) FROM inbound")
    assert stored >= len(accepted)
    held = daemon.books.number(
        "SELECT count(*) FROM inbound WHERE lease_until IS NOT NULL AND state = 'pending'"
    )
    assert held == 0, "an orderly end leaves no claim behind"
    daemon.start()
    assert daemon.offer(numbered(names)) == []
    daemon.settle(bound=60)
    daemon.books.assert_each_once(names)
    assert "Traceback" not in daemon.log()


def test_an_idle_client_hears_421_when_the_daemon_ends(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon()
    daemon.start()
    with smtplib.SMTP("127.0.0.1", daemon.smtp_port, timeout=20) as server:
        server.ehlo()
        daemon.signal(signal.SIGTERM)
        code, _ = server.getreply()
        assert code == 421
        server.close()
    assert daemon.stop() == 0
