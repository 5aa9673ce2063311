"""The IMAP worker against a real Dovecot."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from mailticket.errors import Permanent, Temporary
from mailticket.intake.imap import ImapWorker, check_mailbox
from mailticket.store.ports import FolderPosition
from tests.edge.fakes import RecordingStore
from tests.edge.polling import mail, mailbox_of, stored, subjects, working
from tests.servers import free_port, wait_until
from tests.servers.dovecot import PASSWORD, Dovecot


@pytest.mark.dovecot
@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_mails_are_stored_and_then_moved(
    dovecot: Dovecot, mail_user: str, store: RecordingStore, security: str
) -> None:
    for serial in range(3):
        dovecot.append(mail_user, mail(serial))
    port = dovecot.imaps_port if security == "tls" else dovecot.imap_port
    mailbox = mailbox_of(dovecot, mail_user, security=security, port=port, ca_file=dovecot.ca_file)
    with working(mailbox, store):
        wait_until(lambda: len(store.moved) == 3, "all are moved")
    assert [each.raw for each in store.mails] == [mail(0), mail(1), mail(2)]
    first = store.mails[0]
    assert (first.envelope_from, first.recipient, first.source) == (None, "support@desk.example", "imap:main")
    assert dovecot.messages(mail_user) == []
    assert dovecot.messages(mail_user, "Processed") == [mail(0), mail(1), mail(2)]
    assert store.wakes == 3
    assert [position.uid for position in store.moved] == [1, 2, 3]


@pytest.mark.dovecot
def test_idle_brings_new_mail_long_before_the_poll(
    dovecot: Dovecot, mail_user: str, store: RecordingStore
) -> None:
    with working(mailbox_of(dovecot, mail_user, poll_interval=timedelta(hours=1)), store):
        wait_until(lambda: store.contacts, "the mailbox is reached")
        for serial in range(3):
            dovecot.deliver(mail_user, mail(serial))
            wait_until(stored(store, serial + 1), f"mail {serial} is stored")


@pytest.mark.dovecot
def test_idle_over_tls_brings_new_mail_too(dovecot: Dovecot, mail_user: str, store: RecordingStore) -> None:
    options = {"security": "tls", "port": dovecot.imaps_port, "ca_file": dovecot.ca_file}
    mailbox = mailbox_of(dovecot, mail_user, poll_interval=timedelta(hours=1), **options)
    with working(mailbox, store):
        wait_until(lambda: store.contacts, "the mailbox is reached")
        dovecot.deliver(mail_user, mail("tls"))
        wait_until(stored(store, 1), "the mail is stored")


@pytest.mark.dovecot
def test_polling_alone_is_enough(dovecot: Dovecot, mail_user: str, store: RecordingStore) -> None:
    mailbox = mailbox_of(dovecot, mail_user, idle=False, poll_interval=timedelta(milliseconds=50))
    with working(mailbox, store):
        wait_until(lambda: store.contacts, "the mailbox is reached")
        dovecot.deliver(mail_user, mail("polled"))
        wait_until(stored(store, 1), "the mail is stored")


@pytest.mark.dovecot
def test_a_read_or_flagged_mail_is_new_all_the_same(
    dovecot: Dovecot, mail_user: str, store: RecordingStore
) -> None:
    dovecot.append(mail_user, mail("read by a person"))
    with dovecot.client(mail_user) as client:
        client.select_folder("INBOX")
        client.add_flags([1], [b"\\Seen", b"\\Flagged"])
    with working(mailbox_of(dovecot, mail_user), store):
        wait_until(lambda: store.moved, "it is moved")
    with dovecot.client(mail_user) as client:
        client.select_folder("Processed")
        flags = client.get_flags([1])[1]
    assert b"\\Seen" in flags


@pytest.mark.dovecot
def test_an_unread_mail_stays_unread(dovecot: Dovecot, mail_user: str, store: RecordingStore) -> None:
    dovecot.append(mail_user, mail("unread"))
    with working(mailbox_of(dovecot, mail_user), store):
        wait_until(lambda: store.moved, "it is moved")
    with dovecot.client(mail_user) as client:
        client.select_folder("Processed")
        assert b"\\Seen" not in client.get_flags([1])[1]


@pytest.mark.dovecot
def test_a_known_mail_left_in_the_folder_is_only_moved(
    dovecot: Dovecot, mail_user: str, store: RecordingStore
) -> None:
    dovecot.append(mail_user, mail("known"))
    with dovecot.client(mail_user) as client:
        validity = client.select_folder("INBOX")[b"UIDVALIDITY"]
    store.positions[FolderPosition("main", "INBOX", validity, 1)] = 1
    with working(mailbox_of(dovecot, mail_user), store):
        wait_until(lambda: store.moved, "it is moved")
    assert store.calls == []
    assert dovecot.messages(mail_user, "Processed") == [mail("known")]


class Died(BaseException):
    """Stands for kill -9: nothing catches it."""


@pytest.mark.dovecot
@pytest.mark.parametrize(
    ("point", "in_store", "in_inbox"), [("imap.after_fetch", 0, 1), ("imap.after_commit", 1, 1)]
)
def test_a_death_at_any_point_repeats_a_step_and_loses_nothing(
    dovecot: Dovecot, mail_user: str, store: RecordingStore, point: str, in_store: int, in_inbox: int
) -> None:
    def die(here: str) -> None:
        if here == point:
            raise Died

    dovecot.append(mail_user, mail("precious"))
    mailbox = mailbox_of(dovecot, mail_user)
    with pytest.raises(Died):
        ImapWorker(mailbox, store, on_stored=store.woken, crash=die).run()
    assert len(store.mails) == in_store
    assert len(dovecot.messages(mail_user)) == in_inbox
    with working(mailbox, store):
        wait_until(lambda: store.moved, "it is moved after the restart")
    assert [each.raw for each in store.mails] == [mail("precious")]
    assert dovecot.messages(mail_user, "Processed") == [mail("precious")]


@pytest.mark.dovecot
def test_without_move_a_mail_is_copied_and_expunged_and_no_other(
    mail_user: str, store: RecordingStore
) -> None:
    with Dovecot(extra="imap_capability = IMAP4rev1 IDLE UIDPLUS NAMESPACE") as dovecot:
        dovecot.append(mail_user, mail("ours"))
        mailbox = mailbox_of(dovecot, mail_user)

        def die(here: str) -> None:
            if here == "imap.after_copy":
                raise Died

        with pytest.raises(Died):
            ImapWorker(mailbox, store, on_stored=store.woken, crash=die).run()
        assert len(dovecot.messages(mail_user)) == 1
        with working(mailbox, store):
            wait_until(lambda: store.moved, "it is moved after the restart")
        assert dovecot.messages(mail_user) == []
        assert dovecot.messages(mail_user, "Processed") == [mail("ours")] * 2
        assert len(store.mails) == 1


@pytest.mark.dovecot
def test_a_kicked_session_reconnects(dovecot: Dovecot, mail_user: str, store: RecordingStore) -> None:
    with working(mailbox_of(dovecot, mail_user, poll_interval=timedelta(hours=1)), store):
        dovecot.deliver(mail_user, mail("before"))
        wait_until(stored(store, 1), "the first mail is stored")
        dovecot.kick(mail_user)
        wait_until(store.troubles, "the trouble is noted")
        dovecot.deliver(mail_user, mail("after"))
        wait_until(stored(store, 2), "the second mail is stored")
        wait_until(lambda: store.contacts[-1] == ("main", None), "the contact is noted")


@pytest.mark.dovecot
def test_a_server_that_was_away_is_found_again(
    own_dovecot: Dovecot, mail_user: str, store: RecordingStore
) -> None:
    own_dovecot.append(mail_user, mail("waiting"))
    own_dovecot.stop()
    with working(mailbox_of(own_dovecot, mail_user), store):
        wait_until(lambda: len(store.troubles()) >= 3, "it is tried more than once")
        own_dovecot.start()
        wait_until(stored(store, 1), "the mail is stored")


@pytest.mark.dovecot
def test_a_changed_uidvalidity_makes_everything_new_to_the_ledger_and_nothing_twice(
    dovecot: Dovecot, mail_user: str, store: RecordingStore
) -> None:
    dovecot.append(mail_user, mail("one"))
    mailbox = mailbox_of(dovecot, mail_user)
    with working(mailbox, store):
        wait_until(lambda: store.moved, "it is moved")
    with dovecot.client(mail_user) as client:
        client.select_folder("Processed")
        client.move([1], "INBOX")  # UID 2: a person wants it looked at again
    dovecot.set_uidvalidity(mail_user, "INBOX", 4711)
    dovecot.append(mail_user, mail("two"))
    with working(mailbox, store):
        wait_until(lambda: len(store.moved) >= 3, "both are moved")
    assert [each.raw for each in store.mails] == [mail("one"), mail("two")]
    assert len({position.uidvalidity for position in store.positions}) == 2
    assert dovecot.messages(mail_user) == []


@pytest.mark.dovecot
def test_a_store_that_fails_leaves_the_mail_and_recovers(
    dovecot: Dovecot, mail_user: str, store: RecordingStore
) -> None:
    store.errors = [Temporary("database is locked"), RuntimeError("secret"), Temporary("disk full")]
    dovecot.append(mail_user, mail("patient"))
    with working(mailbox_of(dovecot, mail_user), store):
        wait_until(lambda: store.moved, "it is moved in the end")
    assert store.errors == []
    assert len(store.mails) == 1


@pytest.mark.dovecot
def test_a_store_that_is_away_for_long_is_noted_and_nothing_is_moved(
    dovecot: Dovecot, mail_user: str, store: RecordingStore
) -> None:
    for serial in range(10):
        dovecot.append(mail_user, mail(serial))
    store.errors = [Temporary("disk full") for _ in range(12)]
    with working(mailbox_of(dovecot, mail_user), store):
        wait_until(lambda: "nothing can be stored: disk full" in store.troubles(), "it is noted")
        wait_until(lambda: len(store.moved) == 10, "all are moved in the end")
    assert sorted(subjects([each.raw for each in store.mails])) == [f"number {n}" for n in range(10)]


@pytest.mark.dovecot
def test_a_mail_that_is_too_large_stays_and_is_reported_once(
    dovecot: Dovecot, mail_user: str, store: RecordingStore
) -> None:
    dovecot.append(mail_user, mail("big") + b"x" * 3000 + b"\r\n")
    dovecot.append(mail_user, mail("small"))
    mailbox = mailbox_of(
        dovecot, mail_user, max_message_size=2000, idle=False, poll_interval=timedelta(milliseconds=20)
    )
    with working(mailbox, store):
        wait_until(lambda: store.moved, "the small one is moved")
        count = len(store.contacts)
        wait_until(lambda: len(store.contacts) > count + 3, "some more passes are made")
    assert len(dovecot.messages(mail_user)) == 1
    assert subjects([each.raw for each in store.mails]) == ["number small"]
    assert len([text for text in store.troubles() if "UID 1 stays in INBOX" in text]) == 1
    assert store.counts[-1] == (mailbox.key, 1, 1), "and the count says that one is not taken in"
    assert len(store.counts) == len(set(store.counts)), "which is told when it changes only"


@pytest.mark.dovecot
def test_another_folder_and_a_nested_processed_folder_work(
    dovecot: Dovecot, mail_user: str, store: RecordingStore
) -> None:
    with dovecot.client(mail_user) as client:
        client.create_folder("Grüße")
    dovecot.append(mail_user, mail("here"), "Grüße")
    dovecot.append(mail_user, mail("not here"))
    mailbox = mailbox_of(dovecot, mail_user, folder="Grüße", processed_folder="Archiv/Erledigt")
    with working(mailbox, store):
        wait_until(lambda: store.moved, "it is moved")
    assert subjects([each.raw for each in store.mails]) == ["number here"]
    assert dovecot.messages(mail_user, "Archiv/Erledigt") == [mail("here")]
    assert dovecot.messages(mail_user) == [mail("not here")]


@pytest.mark.dovecot
def test_a_token_command_logs_in_with_xoauth2(
    dovecot: Dovecot, mail_user: str, store: RecordingStore
) -> None:
    dovecot.append(mail_user, mail("token"))
    command = (sys.executable, "-c", f"print('  {PASSWORD}  ')")
    mailbox = mailbox_of(dovecot, mail_user, password=None, token_command=command)
    with structlog.testing.capture_logs() as lines, working(mailbox, store):
        wait_until(stored(store, 1), "the mail is stored")
    assert PASSWORD not in repr(lines)


@pytest.mark.dovecot
@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys; print('canary'); sys.exit(3)", "ended with status 3"),
        ("pass", "printed no token"),
        ("print('gar\\u00fcbage'.encode('utf-8'))", "login refused"),
    ],
)
def test_a_token_command_that_fails_is_told_without_its_output(
    dovecot: Dovecot, mail_user: str, store: RecordingStore, program: str, said: str
) -> None:
    mailbox = mailbox_of(dovecot, mail_user, password=None, token_command=(sys.executable, "-c", program))
    with structlog.testing.capture_logs() as lines, working(mailbox, store):
        wait_until(lambda: any(said in text for text in store.troubles()), "the trouble is noted")
    assert "canary" not in repr(lines) + repr(store.contacts)


@pytest.mark.dovecot
def test_a_refused_login_is_logged_once_and_tried_slowly(
    dovecot: Dovecot, mail_user: str, store: RecordingStore
) -> None:
    mailbox = mailbox_of(dovecot, mail_user, password=SecretStr("canary-wrong"))
    with structlog.testing.capture_logs() as lines, working(mailbox, store):
        wait_until(lambda: len(store.troubles()) >= 3, "it is tried more than once")
    assert len([line for line in lines if line["event"] == "imap.login_refused"]) == 1
    assert "canary" not in repr(lines) + repr(store.contacts)


@pytest.mark.dovecot
def test_an_untrusted_certificate_is_refused(dovecot: Dovecot, mail_user: str, store: RecordingStore) -> None:
    mailbox = mailbox_of(dovecot, mail_user, security="tls", port=dovecot.imaps_port)
    with pytest.raises(Permanent, match="certificate is not trusted"):
        check_mailbox(mailbox)
    mailbox = mailbox_of(dovecot, mail_user, security="starttls")
    with pytest.raises(Permanent, match="certificate is not trusted"):
        check_mailbox(mailbox)


@pytest.mark.dovecot
def test_checking_a_mailbox_says_what_was_found_and_changes_nothing(dovecot: Dovecot, mail_user: str) -> None:
    dovecot.append(mail_user, mail("untouched"))
    mailbox = mailbox_of(dovecot, mail_user)
    place = f"{mail_user} at localhost:{dovecot.imap_port}"
    assert check_mailbox(mailbox) == f"{place}: INBOX holds 1 messages, watched by IDLE."
    with dovecot.client(mail_user) as client:
        assert not client.folder_exists("Processed")


@pytest.mark.dovecot
@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"password": SecretStr("wrong")}, Permanent, "login refused"),
        ({"password": None}, Permanent, "neither a password nor a token_command"),
        ({"password": SecretStr("a\r\nb")}, Permanent, "control characters"),
        ({"security": "tls", "ca_file": "/nowhere/ca.pem"}, Permanent, "cannot read /nowhere/ca.pem"),
        ({"folder": "Nowhere"}, Permanent, "cannot open the folder Nowhere"),
        ({"port": free_port()}, Temporary, "ConnectionRefusedError"),
        ({"host": "nowhere.invalid"}, Temporary, "gaierror"),
    ],
)
def test_checking_a_mailbox_names_the_trouble(
    dovecot: Dovecot, mail_user: str, options: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        check_mailbox(mailbox_of(dovecot, mail_user, **options))


@pytest.mark.dovecot
def test_a_message_gets_through_unchanged_whatever_its_bytes(
    dovecot: Dovecot, mail_user: str, store: RecordingStore
) -> None:
    raws = [
        b"Subject: evil\r\nMessage-ID: <x\r\n A9 DELETE INBOX>\r\n\r\n\xff\xfe\x80\r\n",
        b"Subject: long\r\n\r\n" + b"y" * 2_000_000 + b"\r\n",
        b"Subject: none\r\n\r\n",
        b"no header at all",
        b"Subject: ) FETCH {3}\r\n\r\nabc)\r\nA1 OK done\r\n",
    ]
    for raw in raws:
        dovecot.append(mail_user, raw)
    with working(mailbox_of(dovecot, mail_user), store):
        wait_until(lambda: len(store.moved) == len(raws), "all are moved")
    assert [each.raw for each in store.mails] == raws
