"""Mail fetched over IMAP by the real daemon, from a real Dovecot."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.scenario.daemon import Daemon, new_mail
from tests.scenario.serials import numbered, serials
from tests.servers import wait_until
from tests.servers.dovecot import PASSWORD, Dovecot

pytestmark = pytest.mark.dovecot

NO_MOVE = "imap_capability = IMAP4rev1 ID ENABLE IDLE NAMESPACE UIDPLUS LITERAL+"


def mailbox(dovecot: Dovecot, user: str, **options: str) -> str:
    """The configuration's section for a user's INBOX."""
    values = {
        "host": '"127.0.0.1"',
        "port": str(dovecot.imaps_port),
        "user": f'"{user}"',
        "password": '{ env = "TEST_IMAP_PASSWORD" }',
        "address": '"support@desk.example"',
        "ca_file": f'"{dovecot.ca_file}"',
    } | options
    lines = "\n".join(f"{name} = {value}" for name, value in values.items() if value)
    return f"\n[mailboxes.desk]\n{lines}\n"


@pytest.fixture
def imap_daemon(make_daemon: Callable[..., Daemon], dovecot: Dovecot, mail_user: str) -> Daemon:
    """A running daemon that fetches `mail_user`'s mailbox."""
    daemon = make_daemon(extra=mailbox(dovecot, mail_user), environment={"TEST_IMAP_PASSWORD": PASSWORD})
    daemon.start()
    return daemon


def moved(dovecot: Dovecot, user: str) -> int:
    """How many messages the processed folder holds, once the inbox is empty; -1 before."""
    return -1 if dovecot.messages(user) else len(dovecot.messages(user, "Processed"))


def test_mail_becomes_a_ticket_is_moved_and_wakes_an_idle_daemon(
    imap_daemon: Daemon, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append(mail_user, new_mail(body="By IMAP."))
    imap_daemon.wait_to("ann@customer.example")
    wait_until(lambda: moved(dovecot, mail_user) == 1, "the mail is in Processed")
    # the next poll is minutes away: only IDLE can tell of this one
    dovecot.deliver(mail_user, new_mail("Another", "By LMTP into the mailbox.", message_id="m2@x.example"))
    wait_until(lambda: moved(dovecot, mail_user) == 2, "the second mail is in Processed")
    imap_daemon.wait_to("ann@customer.example", 2)
    tickets = imap_daemon.json("ticket", "list")
    assert sorted(ticket["subject"] for ticket in tickets) == ["Another", "I cannot log in"]
    (contact,) = imap_daemon.json("status")["mailboxes"]
    assert contact["mailbox"] == "desk"
    assert contact["error"] is None


def test_the_same_mail_by_imap_and_by_smtp_is_one_ticket(
    imap_daemon: Daemon, dovecot: Dovecot, mail_user: str
) -> None:
    mail = new_mail()
    imap_daemon.send(mail)
    dovecot.deliver(mail_user, mail)  # adds Return-Path, Delivered-To and Received on top
    dovecot.append(mail_user, mail)
    wait_until(lambda: moved(dovecot, mail_user) == 2, "both copies are in Processed")
    imap_daemon.settle()
    assert len(imap_daemon.json("ticket", "list")) == 1
    assert len(imap_daemon.to("ann@customer.example")) == 1


def test_a_kicked_connection_is_made_again(imap_daemon: Daemon, dovecot: Dovecot, mail_user: str) -> None:
    wait_until(lambda: "imap.connected" in imap_daemon.log(), "the daemon is connected")
    wait_until(lambda: imap_daemon.json("status")["mailboxes"], "the mailbox was looked into")
    dovecot.kick(mail_user)
    wait_until(lambda: "imap.trouble" in imap_daemon.log(), "the daemon notices")
    dovecot.append(mail_user, new_mail())
    imap_daemon.wait_to("ann@customer.example")
    wait_until(lambda: moved(dovecot, mail_user) == 1, "the mail is in Processed")


def test_a_server_that_proves_nothing_is_not_logged_in_to(
    make_daemon: Callable[..., Daemon], dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append(mail_user, new_mail())
    for security, port in (("tls", dovecot.imaps_port), ("starttls", dovecot.imap_port)):
        options = {"ca_file": "", "security": f'"{security}"', "port": str(port)}
        daemon = make_daemon(
            security,
            extra=mailbox(dovecot, mail_user, **options),
            environment={"TEST_IMAP_PASSWORD": "canary-password"},
        )
        daemon.start()
        wait_until(lambda daemon=daemon: "imap.trouble" in daemon.log(), "the daemon refuses")  # type: ignore[misc] # bound now
        assert "imap.connected" not in daemon.log()
        assert "certificate" in daemon.json("status")["mailboxes"][0]["error"].lower()
        check = daemon.command("check", check=False)
        assert check.returncode == 1
        assert "not trusted" in " ".join(check.stdout.split())
        assert "canary-password" not in daemon.log() + check.stdout + check.stderr
        assert daemon.stop() == 0
    assert len(dovecot.messages(mail_user)) == 1


@pytest.mark.parametrize(
    ("database_url", "point"),
    [
        ("sqlite", "imap.after_fetch:2"),
        ("sqlite", "imap.after_commit:2"),
        ("sqlite", "imap.after_copy"),
        pytest.param("postgres", "imap.after_commit:2", marks=pytest.mark.postgres),
    ],
    indirect=["database_url"],
)
def test_a_crash_between_fetch_and_move_loses_and_doubles_nothing(
    point: str, database_url: str, make_daemon: Callable[..., Daemon], mail_user: str
) -> None:
    extra = NO_MOVE if point == "imap.after_copy" else ""
    names = serials(0, 4)
    with Dovecot(extra=extra) as dovecot:
        for mail in numbered(names):
            dovecot.append(mail_user, mail)
        daemon = make_daemon(
            database=database_url,
            extra=mailbox(dovecot, mail_user),
            environment={"TEST_IMAP_PASSWORD": PASSWORD},
        )
        daemon.launch(MAILTICKET_CRASH_AT=point)
        daemon.wait_killed()
        daemon.later(16 * 60)
        daemon.start()
        wait_until(lambda: moved(dovecot, mail_user) >= 4, "the mailbox is empty")
        daemon.settle()
        daemon.books.assert_each_once(names)
        daemon.books.assert_sound()
        copies = dovecot.messages(mail_user, "Processed")
        assert all(any(name.encode() in copy for copy in copies) for name in names)
        if point != "imap.after_copy":
            assert len(copies) == len(names)
        assert daemon.stop() == 0
