"""The IMAP worker against a real Dovecot, and against a server that misbehaves as scripted."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from mailticket.config.settings import Mailbox
from mailticket.errors import Permanent, Temporary
from mailticket.intake.imap import Backoff, ImapWorker, check_mailbox
from mailticket.store.ports import FolderPosition
from tests.edge.fakes import RecordingStore
from tests.servers import free_port, wait_until
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.imap_script import HANG_UP, MUTE, ScriptedImap

FAST = Backoff(first=0.01, last=0.05)


def mail(serial: object) -> bytes:
    return f"From: carla@outside.example\r\nSubject: number {serial}\r\n\r\nIt is on fire.\r\n".encode()


@pytest.fixture
def store() -> RecordingStore:
    return RecordingStore()


def mailbox_of(server: Dovecot | ScriptedImap, user: str = "desk", **options: Any) -> Mailbox:
    port = server.imap_port if isinstance(server, Dovecot) else server.port
    settings: dict[str, Any] = {
        "key": "main",
        "host": "localhost",
        "port": port,
        "security": "none",
        "user": user,
        "password": SecretStr(PASSWORD),
        "address": "support@desk.example",
        "read_timeout": timedelta(seconds=10),
    }
    return Mailbox(**(settings | options))


@contextlib.contextmanager
def working(mailbox: Mailbox, store: RecordingStore, **options: Any) -> Iterator[ImapWorker]:
    """A worker at work in its thread, stopped and waited for at the end."""
    settings: dict[str, Any] = {"on_stored": store.woken, "backoff": FAST, "retry": FAST}
    worker = ImapWorker(mailbox, store, **(settings | options))
    thread = threading.Thread(target=worker.run, name="imap-test")
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(30)
        assert not thread.is_alive()


def stored(store: RecordingStore, count: int) -> Callable[[], bool]:
    return lambda: len(store.mails) >= count


def subjects(mails: list[bytes]) -> list[str]:
    return [raw.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for raw in mails]


# -- Dovecot -------------------------------------------------------------------------------------


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


# -- a server that misbehaves --------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        b"* 2 FETCH (UID 7 BODY[] NIL)\r\n%(tag)s OK done\r\n",
        b"* 2 FETCH (UID 8 BODY[] {3}\r\nabc)\r\n%(tag)s OK done\r\n",
        b"* 2 FETCH (BODY[] {3}\r\nabc)\r\n%(tag)s OK done\r\n",
        b"%(tag)s OK done\r\n",
        b"* 2 FETCH (UID 7 BODY[] {50000000000}\r\nabc\r\n",
        b"* 2 FETCH (UID " + b"7" * 5000 + b" BODY[] {3}\r\nabc)\r\n%(tag)s OK done\r\n",
        b"* 2 FETCH (" + b"(" * 5000 + b")" * 5000 + b")\r\n%(tag)s OK done\r\n",
        b"x" * 1_100_000 + b"\r\n",
        b"* BYE going away\r\n",
        b"%(tag)s BAD what\r\n",
        b"%(tag)s NO not now\r\n",
        HANG_UP,
    ],
    ids=range(12),
)
def test_a_message_the_server_garbles_does_not_stop_the_next_ones(
    store: RecordingStore, answer: bytes
) -> None:
    with ScriptedImap({6: mail(6), 7: mail(7), 8: mail(8)}) as server:
        server.script(r"UID FETCH 7 .*BODY", answer, times=3)
        with working(mailbox_of(server), store):
            wait_until(lambda: len(store.moved) == 3, "all are moved in the end")
    assert sorted(subjects([each.raw for each in store.mails])) == ["number 6", "number 7", "number 8"]
    assert {(position.uid, receipt) for position, receipt in store.positions.items()} == {
        (each.uid, store.positions[each]) for each in store.moved
    }


def test_a_message_that_can_never_be_fetched_is_left_while_others_pass(store: RecordingStore) -> None:
    with ScriptedImap({7: mail(7), 8: mail(8)}) as server:
        server.script(r"UID FETCH 7 .*BODY", b"* 1 FETCH (UID 7 BODY[] NIL)\r\n%(tag)s OK done\r\n")
        slow_retry = Backoff(first=3600, last=3600)
        with working(mailbox_of(server), store, retry=slow_retry):
            wait_until(lambda: [position.uid for position in store.moved] == [8], "the other is moved")
            assert server.idling.acquire(timeout=20)
    assert len(server.said(r"UID FETCH 7 .*BODY")) == 1
    assert list(server.messages) == [7]


def test_a_message_whose_size_the_server_garbles_does_not_stop_the_others(store: RecordingStore) -> None:
    with ScriptedImap({6: mail(6), 7: mail(7), 8: mail(8)}) as server:
        server.script(
            r"UID FETCH [0-9,]*7[0-9,]* .*SIZE", b"* 2 FETCH (UID 7 RFC822.SIZE x)\r\n%(tag)s OK\r\n"
        )
        with working(mailbox_of(server), store, retry=Backoff(first=3600, last=3600)):
            wait_until(lambda: len(store.moved) == 2, "the others are moved")
    assert subjects([each.raw for each in store.mails]) == ["number 6", "number 8"]


def test_a_processed_folder_that_is_the_folder_leaves_the_messages(store: RecordingStore) -> None:
    with ScriptedImap({6: mail(6), 7: mail(7)}) as server:
        mailbox = mailbox_of(server, processed_folder="INBOX", poll_interval=timedelta(milliseconds=20))
        with working(mailbox, store):
            wait_until(lambda: len(server.said("^SELECT")) > 5, "some passes are made")
        assert sorted(server.messages) == [6, 7]
    assert len(store.calls) == 2


def test_a_size_that_is_not_true_is_no_error(store: RecordingStore) -> None:
    with ScriptedImap({7: mail(7)}) as server:
        server.script(r"SIZE", b"* 1 FETCH (UID 7 RFC822.SIZE 9999)\r\n%(tag)s OK done\r\n")
        with working(mailbox_of(server), store):
            wait_until(lambda: store.moved, "it is moved")
    assert store.mails[0].raw == mail(7)


@pytest.mark.parametrize(
    "greeting", [b"* BYE too many connections\r\n", b"%(tag)s NO [UNAVAILABLE] later\r\n", HANG_UP]
)
def test_a_login_that_fails_for_another_reason_is_no_refusal(store: RecordingStore, greeting: bytes) -> None:
    with ScriptedImap({7: mail(7)}) as server:
        server.script(r"LOGIN", greeting, times=2)
        with structlog.testing.capture_logs() as lines, working(mailbox_of(server), store):
            wait_until(lambda: store.moved, "it is moved in the end")
    assert "imap.login_refused" not in {line["event"] for line in lines}


@pytest.mark.parametrize("said", [b"* BYE shutting down\r\n", b"\x00\xff garbage\r\n", None])
def test_an_idle_that_ends_badly_reconnects(store: RecordingStore, said: bytes | None) -> None:
    with ScriptedImap() as server, working(mailbox_of(server), store):
        assert server.idling.acquire(timeout=20)
        if said is None:
            server.hang_up()
        else:
            server.say(said)
        if said is not None and said.startswith(b"\x00"):
            server.hang_up()
        assert server.idling.acquire(timeout=20)
        assert server.connections >= 2
        assert store.troubles() != []


def test_news_that_comes_with_the_answer_to_idle_is_not_overlooked(store: RecordingStore) -> None:
    with ScriptedImap() as server:
        server.script(r"^IDLE", b"+ idling\r\n* 1 EXISTS\r\n", times=1)
        with working(mailbox_of(server, poll_interval=timedelta(hours=1)), store):
            wait_until(lambda: len(server.said("^SELECT")) >= 2, "the folder is looked at again")


def test_a_keep_alive_does_not_put_off_the_poll(store: RecordingStore) -> None:
    interval = timedelta(milliseconds=300)
    with ScriptedImap() as server, working(mailbox_of(server, poll_interval=interval), store):
        assert server.idling.acquire(timeout=20)
        selects = len(server.said("^SELECT"))

        def again() -> bool:
            server.say(b"* OK still here\r\n")
            return len(server.said("^SELECT")) > selects

        wait_until(again, "the poll comes although the server keeps talking")


def test_a_mute_server_is_left_after_the_read_time_out(store: RecordingStore) -> None:
    with ScriptedImap({7: mail(7)}) as server:
        server.script(r"UID SEARCH", MUTE, times=1)
        with working(mailbox_of(server, read_timeout=timedelta(milliseconds=200)), store):
            wait_until(lambda: store.moved, "it is moved on the next connection")
        assert server.connections >= 2


def test_without_uidplus_a_message_is_copied_once_flagged_and_left(store: RecordingStore) -> None:
    with ScriptedImap({7: mail(7)}, capabilities=("IMAP4rev1",)) as server:
        with working(mailbox_of(server, poll_interval=timedelta(milliseconds=20)), store):
            wait_until(lambda: len(server.said("^SELECT")) > 5, "some passes are made")
        assert server.folders == {"Processed": [mail(7)]}
        assert server.messages[7].flags == {"\\Deleted"}
        assert server.said("EXPUNGE") == []
    assert [position.uid for position in store.moved] == [7]
    assert len(store.calls) == 1


def test_without_a_uidvalidity_every_connection_looks_at_everything_and_the_store_knows(
    store: RecordingStore,
) -> None:
    with ScriptedImap({7: mail(7)}, uidvalidity=None) as server:
        server.script("MOVE", b"%(tag)s NO over quota\r\n", times=2)
        with working(mailbox_of(server), store):
            assert server.idling.acquire(timeout=20)
            server.hang_up()
            wait_until(lambda: store.moved, "it is moved in the end")
    assert len(store.mails) == 1
    assert len({position.uidvalidity for position in store.positions}) == 2


def test_a_refused_move_does_not_stop_the_intake(store: RecordingStore) -> None:
    with ScriptedImap({7: mail(7)}) as server:
        server.script("MOVE", b"%(tag)s NO [OVERQUOTA] no room\r\n")
        mailbox = mailbox_of(server, poll_interval=timedelta(milliseconds=20))
        with working(mailbox, store):
            wait_until(lambda: any("OVERQUOTA" in text for text in store.troubles()), "it is noted")
            with server._lock:
                server.messages[8] = type(server.messages[7])(mail(8))
            wait_until(stored(store, 2), "the next mail is stored")
            server.clear_script()
            wait_until(lambda: len(store.moved) == 2, "both are moved once there is room")
    assert len(store.calls) == 2
    assert server.connections == 1


def test_a_folder_below_the_servers_prefix_is_created_where_it_must_be(store: RecordingStore) -> None:
    with ScriptedImap({7: mail(7)}) as server:
        server.script("NAMESPACE", b'* NAMESPACE (("INBOX." ".")) NIL NIL\r\n%(tag)s OK done\r\n')
        server.script('CREATE "?Processed', b"%(tag)s NO not here\r\n")
        with working(mailbox_of(server), store):
            wait_until(lambda: store.moved, "it is moved")
        assert server.folders == {"INBOX.Processed": [mail(7)]}


def test_many_messages_are_searched_in_ranges(store: RecordingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailticket.intake.imap_client.SEARCH_RANGE", 10)
    with ScriptedImap({uid: mail(uid) for uid in range(1000, 1025)}) as server:
        with working(mailbox_of(server), store):
            wait_until(lambda: len(store.moved) == 25, "all are moved")
        assert server.said("SEARCH")[:3] == ["UID SEARCH 1:10", "UID SEARCH 11:20", "UID SEARCH 21:25"]
    assert len(store.mails) == 25


def test_a_message_that_vanishes_is_no_trouble(store: RecordingStore) -> None:
    with ScriptedImap({7: mail(7)}) as server:
        server.script(r"UID FETCH 7 .*BODY", b"%(tag)s OK done\r\n")
        server.script(r"UID SEARCH UID 7", b"* SEARCH\r\n%(tag)s OK done\r\n")
        with working(mailbox_of(server), store):
            assert server.idling.acquire(timeout=20)
        assert server.connections == 1
    assert store.troubles() == []


def test_a_ledger_that_cannot_note_a_contact_does_not_stop_the_intake(
    store: RecordingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(mailbox: str, error: str | None) -> None:
        raise Temporary("database is locked")

    monkeypatch.setattr(store, "note_contact", broken)
    with ScriptedImap({7: mail(7)}) as server, working(mailbox_of(server), store):
        wait_until(lambda: store.moved, "it is moved")


def test_stopping_before_the_start_is_enough(store: RecordingStore) -> None:
    with ScriptedImap() as server:
        worker = ImapWorker(mailbox_of(server), store, on_stored=store.woken)
        worker.stop()
        worker.run()
        assert server.connections == 0


def test_the_back_off_grows_to_its_bound_with_jitter() -> None:
    assert [Backoff(random=lambda: 0.0).delay(n) for n in range(1, 10)] == [
        5, 10, 20, 40, 80, 160, 320, 600, 600,
    ]  # fmt: skip
    assert Backoff(random=lambda: 1.0).delay(8) == 300
    assert Backoff(random=lambda: 1.0).delay(1) == 5
    assert Backoff().delay(10_000) <= 600


def test_a_server_without_starttls_gets_no_password(store: RecordingStore) -> None:
    with ScriptedImap() as server:
        with pytest.raises(Temporary, match="STARTTLS"):
            check_mailbox(mailbox_of(server, security="starttls"))
        assert server.said("LOGIN") == []
        assert server.said("AUTHENTICATE") == []


def test_no_line_break_of_the_configuration_reaches_the_server(store: RecordingStore) -> None:
    with ScriptedImap() as server:
        with pytest.raises(Permanent, match="control characters"):
            check_mailbox(mailbox_of(server).model_copy(update={"folder": "INBOX\r\nA9 DELETE INBOX"}))
        assert server.connections == 0
