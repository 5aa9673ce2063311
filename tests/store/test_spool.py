"""What comes in is stored once, whichever way and however often, before anybody hears that it is."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from threading import Event
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import DataError

from mailticket.errors import Temporary
from mailticket.mail.types import RawMail
from mailticket.store.dialect import table_of
from mailticket.store.engine import open_engine, reading
from mailticket.store.inbox import InboundState, Inbox
from mailticket.store.migrate import migrate
from mailticket.store.models import Blob, ImapMessage, Inbound, MailboxContact
from mailticket.store.ports import FolderPosition
from tests.servers import wait_until
from tests.servers.postgres import Postgres
from tests.store.conftest import LEASE, NOW, Clock, MakeMail
from tests.store.threads import at_once

QueueUp = Callable[[Sequence[Callable[[], object]]], list[object]]

IMPOSSIBLE = FolderPosition("desk", "INBOX", 1, 2**70)
"""No database takes this UID: what comes with it cannot be stored."""


def _count(engine: Engine, model: type[Inbound | Blob | ImapMessage]) -> int:
    with reading(engine) as session:
        return len(session.execute(select(table_of(model))).all())


def test_a_stored_mail_is_claimed_with_everything_the_edge_knew(inbox: Inbox, mail: MakeMail) -> None:
    sent = RawMail(
        b"Subject: x\r\n\r\nbody \xff\x00\r\n", "", "Support+a@Desk.example", "lmtp", "192.0.2.7", "ann"
    )
    receipt = inbox.store([sent])[0]
    assert not receipt.already_had
    claimed = inbox.claim(NOW, 10, LEASE)
    assert len(claimed) == 1
    got = claimed[0]
    assert (got.id, got.raw, got.envelope_from, got.recipient) == (
        receipt.inbound_id,
        sent.raw,
        "",
        sent.recipient,
    )
    assert (got.source, got.client, got.auth_user) == ("lmtp", "192.0.2.7", "ann")
    assert (got.received_at, got.attempts, got.parse_kills) == (NOW, 1, 0)


def test_a_mail_without_an_envelope_keeps_none_apart_from_the_null_sender(
    inbox: Inbox, mail: MakeMail
) -> None:
    inbox.store([RawMail(b"a", None, "support@desk.example", "imap:desk"), mail("b")])
    assert [claimed.envelope_from for claimed in inbox.claim(NOW, 10, LEASE)] == [
        None,
        "ann@customer.example",
    ]


def test_the_same_mail_for_the_same_recipient_is_one_row_whichever_way_it_comes(
    engine: Engine, inbox: Inbox, mail: MakeMail
) -> None:
    first = inbox.store([mail("x", recipient="support@desk.example", source="smtp")])[0]
    again = inbox.store([mail("x", recipient="SUPPORT@desk.example", source="lmtp")])[0]
    position = FolderPosition("desk", "INBOX", 1, 7)
    fetched = inbox.store_fetched(position, mail("x", source="imap:desk"))
    assert [again.inbound_id, fetched.inbound_id] == [first.inbound_id] * 2
    assert [first.already_had, again.already_had, fetched.already_had] == [False, True, True]
    assert (_count(engine, Inbound), _count(engine, Blob)) == (1, 1)


def test_a_hop_added_on_the_way_does_not_make_another_mail(inbox: Inbox, mail: MakeMail) -> None:
    direct = mail("x")
    hop = b"Received: from relay.example by mx.example; Mon, 2 Mar 2026 09:00:00 +0000\r\n"
    relayed = RawMail(hop + direct.raw, direct.envelope_from, direct.recipient, "lmtp")
    assert inbox.store([direct])[0].inbound_id == inbox.store([relayed])[0].inbound_id


def test_the_same_mail_for_two_recipients_is_two_rows_and_one_blob(
    engine: Engine, inbox: Inbox, mail: MakeMail
) -> None:
    receipts = inbox.store([mail("x"), mail("x", recipient="sales@desk.example")])
    assert [receipt.already_had for receipt in receipts] == [False, False]
    assert (_count(engine, Inbound), _count(engine, Blob)) == (2, 1)


def test_receipts_come_in_the_order_of_the_mails_and_repeats_share_one(inbox: Inbox, mail: MakeMail) -> None:
    old = inbox.store([mail("old")])[0]
    receipts = inbox.store([mail("new"), mail("old"), mail("new"), mail("other")])
    assert [receipt.already_had for receipt in receipts] == [False, True, True, False]
    assert receipts[1].inbound_id == old.inbound_id
    assert receipts[0].inbound_id == receipts[2].inbound_id != receipts[3].inbound_id


def test_storing_nothing_is_fine(inbox: Inbox) -> None:
    assert inbox.store([]) == []


def test_text_no_database_can_hold_does_not_stop_a_mail(inbox: Inbox) -> None:
    odd = RawMail(
        b"x", "a\x00b\ud800@customer.example", "support\x00@desk.example", "smtp", "192.0.2.7", "\x00"
    )
    receipt = inbox.store([odd])[0]
    assert "\x00" not in inbox.show(receipt.inbound_id).recipient
    assert inbox.raw(receipt.inbound_id) == b"x"


def test_threads_that_store_the_same_and_other_mails_make_one_row_each(
    engine: Engine, inbox: Inbox, mail: MakeMail
) -> None:
    def store(number: int) -> list[bool]:
        mails = [mail(f"same {index}") for index in range(5)] + [mail(f"own {number} {i}") for i in range(5)]
        return [inbox.store([one])[0].already_had for one in mails]

    had = at_once(store)
    assert sum(not already for answers in had for already in answers[:5]) == 5
    assert not any(already for answers in had for already in answers[5:])
    assert _count(engine, Inbound) == 5 + 8 * 5


def test_two_daemons_storing_the_same_mails_make_one_row_each(
    migrated_url: str, engine: Engine, clock: Clock, mail: MakeMail
) -> None:
    others = [open_engine(migrated_url) for _ in range(4)]
    inboxes = [Inbox(other, clock, str.lower) for other in others]
    order = [list(range(20)), list(range(19, -1, -1))]

    def store(number: int) -> list[int]:
        receipts = inboxes[number].store([mail(str(index)) for index in order[number % 2]])
        found = dict(zip(order[number % 2], receipts, strict=True))
        return [found[index].inbound_id for index in range(20)]

    answers = at_once(store, threads=4)
    assert answers.count(answers[0]) == 4
    assert _count(engine, Inbound) == 20
    for other in others:
        other.dispose()


@pytest.fixture
def queue_up(inbox: Inbox) -> QueueUp:
    """Makes several calls wait for the same commit; returns what each returned or raised, in order."""
    commits = inbox._commits

    def run(calls: Sequence[Callable[[], object]]) -> list[object]:
        def call(number: int) -> object:
            if number == len(calls):  # the last thread holds the commit back until all others wait
                with commits._commit:
                    wait_until(lambda: len(commits._waiting) == len(calls), "all calls wait")
                return None
            wait_until(commits._commit.locked, "the commit is held back")
            try:
                return calls[number]()
            except Exception as error:
                return error

        return at_once(call, threads=len(calls) + 1)[:-1]

    return run


def test_callers_that_wait_together_share_one_commit(
    engine: Engine, inbox: Inbox, mail: MakeMail, queue_up: QueueUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = engine.dialect.do_commit
    commits = Mock(side_effect=original)
    monkeypatch.setattr(engine.dialect, "do_commit", commits)
    answers = queue_up([partial(inbox.store, [mail(str(number))]) for number in range(8)])
    assert commits.call_count == 1
    assert [answer for answer in answers if not isinstance(answer, list)] == []
    assert inbox.counts()[InboundState.PENDING] == 8


def test_a_poisonous_mail_fails_alone(inbox: Inbox, mail: MakeMail, queue_up: QueueUp) -> None:
    calls: list[Callable[[], object]] = [partial(inbox.store, [mail(str(number))]) for number in range(5)]
    calls.insert(2, partial(inbox.store_fetched, IMPOSSIBLE, mail("poison")))
    answers = queue_up(calls)
    assert isinstance(answers.pop(2), Exception)
    assert [answer for answer in answers if not isinstance(answer, list)] == []
    assert inbox.counts()[InboundState.PENDING] == 5


def test_what_one_caller_hands_over_is_stored_whole_or_not_at_all(
    inbox: Inbox, mail: MakeMail, engine: Engine
) -> None:
    good = inbox._row(mail("good"), NOW, None)
    bad = inbox._row(mail("bad"), NOW, IMPOSSIBLE)
    with pytest.raises((OverflowError, DataError)):
        inbox._commits.store([good, bad])
    assert _count(engine, Inbound) == 0


def test_a_locked_database_refuses_everybody_who_waits_and_works_again_after(
    tmp_path: Path, clock: Clock, mail: MakeMail
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'm.db'}", busy_timeout=0.1)
    migrate(engine)
    inbox = Inbox(engine, clock, str.lower)
    other = sqlite3.connect(tmp_path / "m.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    def refused(number: int) -> bool:
        with pytest.raises(Temporary, match="locked"):
            inbox.store([mail(str(number))])
        return True

    assert all(at_once(refused, threads=4))
    other.execute("COMMIT")
    other.close()
    assert not inbox.store([mail("1")])[0].already_had
    engine.dispose()


# -- COMMIT whose outcome nobody heard --


@pytest.mark.postgres
@pytest.mark.parametrize("done", [True, False])
def test_a_commit_nobody_heard_the_end_of_is_settled_by_looking(
    done: bool, postgres_url: str, clock: Clock, mail: MakeMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    engine = open_engine(postgres_url)
    migrate(engine)
    inbox = Inbox(engine, clock, str.lower)
    original = engine.dialect.do_commit

    def cut(connection: Any) -> None:
        monkeypatch.setattr(engine.dialect, "do_commit", original)
        if done:
            original(connection)
        connection.dbapi_connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(engine.dialect, "do_commit", cut)
    if done:
        receipt = inbox.store([mail("x")])[0]
        assert inbox.raw(receipt.inbound_id) == mail("x").raw
    else:
        with pytest.raises(Temporary, match="broke while it was saving"):
            inbox.store([mail("x")])
        assert _count(engine, Inbound) == 0
    assert inbox.store([mail("x")])[0].already_had is done
    assert _count(engine, Inbound) == 1
    engine.dispose()


# -- the ledger of IMAP --


def test_the_ledger_knows_what_was_fetched_by_uid_within_one_uidvalidity(
    inbox: Inbox, mail: MakeMail
) -> None:
    for uid in (3, 5):
        inbox.store_fetched(FolderPosition("desk", "INBOX", 1, uid), mail(str(uid)))
    assert inbox.unknown("desk", "INBOX", 1, [6, 5, 4, 3, 3]) == [4, 6]
    assert inbox.unknown("desk", "INBOX", 2, [3]) == [3]
    assert inbox.unknown("other", "INBOX", 1, [3]) == [3]
    assert inbox.unknown("desk", "INBOX", 1, []) == []


def test_fetching_a_message_again_changes_nothing(engine: Engine, inbox: Inbox, mail: MakeMail) -> None:
    position = FolderPosition("desk", "INBOX", 1, 3)
    first = inbox.store_fetched(position, mail("x"))
    again = inbox.store_fetched(position, mail("x"))
    assert (first.inbound_id, again.already_had) == (again.inbound_id, True)
    assert _count(engine, ImapMessage) == 1


def test_moves_and_contacts_are_remembered(
    engine: Engine, inbox: Inbox, mail: MakeMail, clock: Clock
) -> None:
    position = FolderPosition("desk", "INBOX", 1, 3)
    inbox.store_fetched(position, mail("x"))
    inbox.note_moved(position)
    inbox.note_contact("desk", None)
    later = clock.forward(minutes=5)
    inbox.note_contact("desk", "the server refused the login")
    with reading(engine) as session:
        assert session.execute(select(table_of(ImapMessage).c.moved_at)).scalar_one() == NOW
        contact = session.execute(select(MailboxContact)).scalar_one()
        assert (contact.reached_at, contact.failed_at) == (NOW, later)
        assert contact.error == "the server refused the login"
    inbox.note_contact("desk", None)
    inbox.note_counts("desk", 5, 2)
    with reading(engine) as session:
        contact = session.execute(select(MailboxContact)).scalar_one()
        assert contact.error is None
        assert (contact.in_folder, contact.untaken, contact.counted_at) == (5, 2, later)


# -- death --

_STORE_FOR_EVER = """
import itertools, sys
from contextlib import closing
from datetime import UTC, datetime
from mailticket.mail.types import RawMail
from mailticket.store.engine import open_engine
from mailticket.store.inbox import Inbox
inbox = Inbox(open_engine(sys.argv[1]), lambda: datetime.now(UTC), str.lower)
for number in itertools.count():
    raw = b"Subject: %d\\r\\n\\r\\nbody\\r\\n" % number
    inbox.store([RawMail(raw, None, "support@desk.example", "pipe")])
    print(number, flush=True)
"""


def test_everything_acknowledged_before_kill_9_is_there_after_it(
    migrated_url: str, engine: Engine, inbox: Inbox
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _STORE_FOR_EVER, migrated_url],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as child:
        assert child.stdout is not None
        acknowledged = [int(child.stdout.readline()) for _ in range(50)]
        child.kill()
        acknowledged += [int(line) for line in child.stdout.read().splitlines()]
    assert child.returncode == -9
    claimed = inbox.claim(datetime.now(UTC), 10_000, LEASE)
    stored = {int(mail.raw.split(b"\r\n")[0].removeprefix(b"Subject: ")) for mail in claimed}
    assert set(acknowledged) <= stored
    assert len(stored) == len(claimed) <= len(acknowledged) + 1


@pytest.mark.postgres
def test_a_server_that_crashes_and_comes_back_under_load_loses_and_doubles_nothing(
    clock: Clock, mail: MakeMail
) -> None:
    with Postgres() as server:
        engine = open_engine(server.new_database(), busy_timeout=2)
        migrate(engine)
        inbox = Inbox(engine, clock, str.lower)
        refused: list[Temporary] = []
        up = Event()
        up.set()

        def acknowledged(one: RawMail) -> int:
            while True:  # as an MTA does; the test's own timeout is the bound
                try:
                    return inbox.store([one])[0].inbound_id
                except Temporary as error:
                    refused.append(error)
                    assert up.wait(30)

        def has_more_than(least: int) -> bool:
            return _count(engine, Inbound) > least

        def client(number: int) -> list[int]:
            if number < 4:
                return [acknowledged(mail(f"{number} {index}")) for index in range(60)]
            for enough in (60, 120):
                wait_until(partial(has_more_than, enough), "some mails are in")
                up.clear()
                server.stop(signal.SIGQUIT)
                server.start()
                up.set()
            return []

        ids = [inbound_id for answers in at_once(client, threads=5) for inbound_id in answers]
        assert len(ids) == len(set(ids)) == 240
        assert {stored.id for stored in inbox.list_mails(limit=1000)} == set(ids)
        assert refused
        engine.dispose()


@pytest.mark.parametrize("seed", range(12))
def test_a_power_cut_anywhere_in_the_log_leaves_a_sound_database_without_gaps(
    seed: int, tmp_path: Path, clock: Clock, mail: MakeMail
) -> None:
    """The log cut at any byte, as a disk might leave it: whole commits, in order, up to the cut."""
    engine = open_engine(f"sqlite:///{tmp_path / 'm.db'}")
    migrate(engine)
    inbox = Inbox(engine, clock, str.lower)
    ids = [inbox.store([mail(str(number))])[0].inbound_id for number in range(20)]
    log = (tmp_path / "m.db-wal").read_bytes()
    (tmp_path / "cut.db").write_bytes((tmp_path / "m.db").read_bytes())
    (tmp_path / "cut.db-wal").write_bytes(log[: Random(seed).randrange(len(log) // 2, len(log))])
    engine.dispose()
    with closing(sqlite3.connect(tmp_path / "cut.db")) as after:
        assert after.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert after.execute("PRAGMA foreign_key_check").fetchall() == []
        found = [row[0] for row in after.execute("SELECT id FROM inbound ORDER BY id")]
    assert found == ids[: len(found)]
