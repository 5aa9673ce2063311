"""The IMAP worker against a server that lies, stalls, hangs up, or lacks extensions."""

from __future__ import annotations

from datetime import timedelta

import pytest
import structlog

from mailticket.errors import Permanent, Temporary
from mailticket.intake.imap import Backoff, ImapWorker, check_mailbox
from tests.edge.fakes import RecordingStore
from tests.edge.polling import mail, mailbox_of, stored, subjects, working
from tests.servers import wait_until
from tests.servers.imap_script import HANG_UP, MUTE, ScriptedImap


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


@pytest.mark.parametrize(
    ("user", "sent"),
    [
        ("desk@desk.example", "LOGIN desk@desk.example "),
        ("odd user", 'LOGIN "odd user" '),
        ('HOUSE\\desk"x', 'LOGIN "HOUSE\\\\desk\\"x" '),
    ],
)
def test_any_user_name_is_sent_as_one_word(user: str, sent: str) -> None:
    with ScriptedImap() as server:
        check_mailbox(mailbox_of(server, user))
        (login,) = server.said("^LOGIN")
    assert login == sent + '"secret"'


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


def test_a_mute_server_does_not_hold_up_the_stop(
    store: RecordingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailticket.intake.imap_worker.STOP_GRACE", 0.05)
    with ScriptedImap({7: mail(7)}) as server:
        server.script(r"UID SEARCH", MUTE)
        with working(mailbox_of(server, read_timeout=timedelta(minutes=10)), store):
            wait_until(lambda: server.said("UID SEARCH"), "the server is asked")


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
