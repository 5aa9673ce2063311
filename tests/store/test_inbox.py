"""A stored mail is worked on once, comes back until it is, and is shown to who asks."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text, update

from mailticket.errors import Permanent
from mailticket.mail.types import RawMail
from mailticket.store.dialect import table_of
from mailticket.store.engine import open_engine, reading, transaction
from mailticket.store.inbox import CLAIM_BYTES, Claimed, InboundState, Inbox, LostClaim, finish
from mailticket.store.migrate import migrate
from mailticket.store.models import Blob, Inbound, MailboxContact
from tests.store.conftest import LEASE, NOW, Clock, MakeMail
from tests.store.threads import at_once


def _finish(engine: Engine, mail: Claimed, state: InboundState = InboundState.DONE, **changed: Any) -> None:
    values: dict[str, Any] = {
        "state": state,
        "decision": {"outcome": "new-ticket", "reasons": ["nothing matched"]},
        "ticket_id": None,
        "message_id": "1@customer.example",
        "sender": "ann@customer.example",
        "subject": "hello",
        "now": NOW,
    } | changed
    with transaction(engine) as session:
        finish(session, mail.id, **values)


def test_workers_never_get_the_same_mail(inbox: Inbox, mail: MakeMail) -> None:
    inbox.store([mail(str(number)) for number in range(60)])

    def work(_: int) -> list[int]:
        mine: list[int] = []
        while batch := inbox.claim(NOW, 3, LEASE):
            mine += [claimed.id for claimed in batch]
        return mine

    taken = [number for mine in at_once(work) for number in mine]
    assert len(taken) == len(set(taken)) == 60


def test_mails_are_claimed_oldest_first_and_not_before_they_are_due(
    inbox: Inbox, mail: MakeMail, clock: Clock
) -> None:
    ids = []
    for text_ in ("first", "second", "third"):
        ids.append(inbox.store([mail(text_)])[0].inbound_id)
        clock.forward(seconds=1)
    assert [claimed.id for claimed in inbox.claim(NOW + timedelta(seconds=1), 10, LEASE)] == ids[:2]


def test_a_claim_comes_back_when_its_lease_ends(inbox: Inbox, mail: MakeMail) -> None:
    inbox.store([mail()])
    assert [claimed.attempts for claimed in inbox.claim(NOW, 1, LEASE)] == [1]
    assert inbox.claim(NOW + LEASE - timedelta(seconds=1), 1, LEASE) == []
    assert [claimed.attempts for claimed in inbox.claim(NOW + LEASE, 1, LEASE)] == [2]


def test_a_claim_takes_large_mails_one_by_one(inbox: Inbox) -> None:
    big = b"x" * (CLAIM_BYTES // 2 + 1)
    inbox.store([RawMail(big + bytes([index]), None, "s@desk.example", "pipe") for index in range(3)])
    assert [len(inbox.claim(NOW, 10, LEASE)) for _ in range(4)] == [1, 1, 1, 0]


def test_a_finished_mail_keeps_its_decision_and_is_never_claimed_again(
    engine: Engine, inbox: Inbox, mail: MakeMail
) -> None:
    inbox.store([mail()])
    claimed = inbox.claim(NOW, 1, LEASE)[0]
    _finish(engine, claimed)
    stored = inbox.show(claimed.id)
    assert (stored.state, stored.finished_at, stored.lease_until) == (InboundState.DONE, NOW, None)
    assert stored.decision == {"outcome": "new-ticket", "reasons": ["nothing matched"]}
    assert (stored.message_id, stored.sender, stored.subject) == (
        "1@customer.example",
        "ann@customer.example",
        "hello",
    )
    assert inbox.claim(NOW + 10 * LEASE, 10, LEASE) == []


def test_a_worker_believed_dead_cannot_finish_what_another_has_finished(
    engine: Engine, inbox: Inbox, mail: MakeMail
) -> None:
    inbox.store([mail()])
    slow = inbox.claim(NOW, 1, LEASE)[0]
    quick = inbox.claim(NOW + LEASE, 1, LEASE)[0]
    _finish(engine, quick)
    with pytest.raises(LostClaim):
        _finish(engine, slow, InboundState.HELD)
    assert inbox.show(slow.id).state is InboundState.DONE


def test_of_two_workers_finishing_at_once_one_wins_and_the_other_leaves_nothing(
    engine: Engine, inbox: Inbox, mail: MakeMail
) -> None:
    inbox.store([mail()])
    claimed = inbox.claim(NOW, 1, LEASE)[0]

    def work(number: int) -> bool:
        try:
            with transaction(engine) as session:
                session.add(MailboxContact(mailbox=f"made by {number}"))
                session.flush()
                finish(
                    session, claimed.id, state=InboundState.DONE, decision={}, ticket_id=None,
                    message_id=None, sender=None, subject=None, now=NOW,
                )  # fmt: skip
        except LostClaim:
            return False
        return True

    assert sorted(at_once(work, threads=4)) == [False, False, False, True]
    with reading(engine) as session:
        assert len(session.execute(select(MailboxContact)).all()) == 1


def test_a_savepoint_that_lost_its_claim_does_not_spoil_the_batch(
    engine: Engine, inbox: Inbox, mail: MakeMail
) -> None:
    inbox.store([mail("a"), mail("b")])
    first, second = inbox.claim(NOW, 2, LEASE)
    _finish(engine, first, InboundState.IGNORED)
    with transaction(engine) as session:
        for claimed in (first, second):
            try:
                with session.begin_nested():
                    session.add(MailboxContact(mailbox=f"made for {claimed.id}"))
                    finish(
                        session, claimed.id, state=InboundState.DONE, decision={}, ticket_id=None,
                        message_id=None, sender=None, subject=None, now=NOW,
                    )  # fmt: skip
            except LostClaim:
                continue
    assert [inbox.show(mail_.id).state for mail_ in (first, second)] == [
        InboundState.IGNORED,
        InboundState.DONE,
    ]
    with reading(engine) as session:
        assert session.execute(select(table_of(MailboxContact).c.mailbox)).scalars().all() == [
            f"made for {second.id}"
        ]


def test_a_failed_try_comes_back_when_told_and_remembers_why(inbox: Inbox, mail: MakeMail) -> None:
    inbox.store([mail()])
    claimed = inbox.claim(NOW, 1, LEASE)[0]
    inbox.failed_try(claimed.id, "the parser was killed", NOW + timedelta(minutes=5), parse_killed=True)
    assert inbox.claim(NOW + timedelta(minutes=4), 1, LEASE) == []
    again = inbox.claim(NOW + timedelta(minutes=5), 1, LEASE)[0]
    assert (again.attempts, again.parse_kills) == (2, 1)
    assert inbox.show(claimed.id).error == "the parser was killed"


def test_a_last_failed_try_ends_in_failed_and_an_operator_brings_it_back(
    engine: Engine, inbox: Inbox, mail: MakeMail, clock: Clock
) -> None:
    inbox.store([mail()])
    claimed = inbox.claim(NOW, 1, LEASE)[0]
    clock.forward(minutes=1)
    inbox.failed_try(claimed.id, "no good", None)
    stored = inbox.show(claimed.id)
    assert (stored.state, stored.error, stored.finished_at) == (InboundState.FAILED, "no good", clock.now)
    assert inbox.claim(clock.now, 1, LEASE) == []
    inbox.retry(claimed.id)
    assert [(m.id, m.attempts) for m in inbox.claim(clock.now, 1, LEASE)] == [(claimed.id, 1)]
    _finish(engine, claimed)
    assert inbox.show(claimed.id).error is None


def test_released_mails_are_due_at_once_and_the_try_does_not_count(inbox: Inbox, mail: MakeMail) -> None:
    inbox.store([mail("a"), mail("b")])
    claimed = inbox.claim(NOW, 2, LEASE)
    inbox.release([mail_.id for mail_ in claimed])
    inbox.release([mail_.id for mail_ in claimed])
    assert [mail_.attempts for mail_ in inbox.claim(NOW, 2, LEASE)] == [1, 1]


def test_a_damaged_mail_is_set_aside_and_the_others_go_on(
    engine: Engine, inbox: Inbox, mail: MakeMail
) -> None:
    bad, good = (inbox.store([mail(name)])[0].inbound_id for name in ("bad", "good"))
    blob = table_of(Blob)
    with transaction(engine) as session:
        key = session.execute(
            select(table_of(Inbound).c.blob).where(table_of(Inbound).c.id == bad)
        ).scalar_one()
        session.execute(update(blob).where(blob.c.sha256 == key).values(data=b"rotten"))
    assert [claimed.id for claimed in inbox.claim(NOW, 10, LEASE)] == [good]
    assert inbox.show(bad).state is InboundState.FAILED
    assert "damaged" in (inbox.show(bad).error or "")


# -- the operator --


@pytest.mark.parametrize("state", [InboundState.HELD, InboundState.REJECTED, InboundState.IGNORED])
def test_what_was_set_aside_can_be_retried(
    engine: Engine, inbox: Inbox, mail: MakeMail, state: InboundState
) -> None:
    inbox.store([mail()])
    claimed = inbox.claim(NOW, 1, LEASE)[0]
    _finish(engine, claimed, state)
    inbox.retry(claimed.id)
    assert [mail_.id for mail_ in inbox.claim(NOW, 1, LEASE)] == [claimed.id]


def test_a_mail_that_is_done_or_waiting_or_unknown_is_not_retried(
    engine: Engine, inbox: Inbox, mail: MakeMail
) -> None:
    inbox.store([mail()])
    claimed = inbox.claim(NOW, 1, LEASE)[0]
    with pytest.raises(Permanent, match="is pending"):
        inbox.retry(claimed.id)
    _finish(engine, claimed)
    with pytest.raises(Permanent, match="is done"):
        inbox.retry(claimed.id)
    for ask in (inbox.retry, inbox.show, inbox.raw):
        with pytest.raises(Permanent, match="no mail with the number 99"):
            ask(99)


def test_lists_are_newest_first_by_state_and_bounded(
    engine: Engine, inbox: Inbox, mail: MakeMail, clock: Clock
) -> None:
    ids = []
    for number in range(4):
        ids.append(inbox.store([mail(str(number))])[0].inbound_id)
        clock.forward(minutes=1)
    _finish(engine, inbox.claim(clock.now, 1, LEASE)[0], InboundState.HELD)
    assert [stored.id for stored in inbox.list_mails()] == ids[::-1]
    assert [stored.id for stored in inbox.list_mails([InboundState.PENDING], 2)] == ids[:1:-1]
    assert [stored.id for stored in inbox.list_mails([InboundState.HELD])] == ids[:1]


def test_counts_and_the_oldest_waiting_mail_are_told(
    engine: Engine, inbox: Inbox, mail: MakeMail, clock: Clock
) -> None:
    assert inbox.oldest_pending() is None
    inbox.store([mail("a")])
    later = clock.forward(minutes=1)
    inbox.store([mail("b")])
    assert inbox.oldest_pending() == NOW
    _finish(engine, inbox.claim(NOW, 1, LEASE)[0])
    assert inbox.oldest_pending() == later
    counts = inbox.counts()
    assert (counts[InboundState.PENDING], counts[InboundState.DONE], counts[InboundState.HELD]) == (1, 1, 0)


def test_a_claim_reads_only_what_is_due_however_much_is_stored(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'm.db'}")
    migrate(engine)
    from mailticket.store.inbox import _DUE

    query = str(_DUE.compile(dialect=engine.dialect))
    with reading(engine) as session:
        driver = session.connection().connection.driver_connection
        assert driver is not None
        plan = driver.execute(
            f"EXPLAIN QUERY PLAN {query}", ("2026-03-02", 10, 0)[: query.count("?")]
        ).fetchall()
        session.execute(text("SELECT 1"))
    words = " ".join(str(row[3]) for row in plan)
    assert "ix_inbound_due" in words
    assert "TEMP B-TREE" not in words
    engine.dispose()


def test_times_come_back_aware_whatever_the_database(inbox: Inbox, mail: MakeMail) -> None:
    inbox.store([mail()])
    stored = inbox.list_mails()[0]
    for moment in (stored.received_at, stored.next_try_at):
        assert isinstance(moment, datetime)
        assert moment.utcoffset() == timedelta(0)
