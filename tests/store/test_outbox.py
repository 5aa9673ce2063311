"""What goes out is planned once, kept until it is gone, and repeated byte for byte."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from mailticket.errors import Permanent
from mailticket.store import outbox, outbox_admin
from mailticket.store.dialect import table_of
from mailticket.store.engine import reading, transaction
from mailticket.store.models import Blob, MailboxContact, Outbox
from mailticket.store.outbox import ClaimedOut, OutboxState, OutgoingMail, Rendered
from tests.store.conftest import LEASE, NOW
from tests.store.threads import at_once


def _mail(key: str = "ack:1", **changed: Any) -> OutgoingMail:
    values: dict[str, Any] = {
        "key": key,
        "template": "ticket.autoresp",
        "audience": "customer",
        "recipient": "ann@customer.example",
        "recipient_name": "Ann",
        "envelope_from": "",
        "message_id": f"{key}@desk.example",
        "context": {"ticket": {"number": "1"}},
        "reason": "a new ticket is acknowledged",
    }
    return OutgoingMail(**(values | changed))


def _plan(engine: Engine, *mails: OutgoingMail, now: datetime = NOW) -> list[bool]:
    with transaction(engine) as session:
        return outbox.enqueue_all(session, mails, now)


def _claim(engine: Engine, now: datetime = NOW, limit: int = 10) -> list[ClaimedOut]:
    return outbox.claim(engine, now, limit, LEASE)


def _claim_one(engine: Engine, now: datetime = NOW) -> ClaimedOut:
    claimed = _claim(engine, now)
    assert len(claimed) == 1
    return claimed[0]


# -- planning --


def test_a_planned_mail_is_claimed_as_it_was_planned(engine: Engine) -> None:
    mail = _mail(recipient="agent@staff.example", audience="internal", envelope_from="bounce@desk.example")
    assert _plan(engine, mail) == [True]
    claimed = _claim_one(engine)
    for name in (
        "template",
        "audience",
        "recipient",
        "recipient_name",
        "envelope_from",
        "message_id",
        "context",
    ):
        assert getattr(claimed, name) == getattr(mail, name)
    assert (claimed.rendered, claimed.subject, claimed.ticket_id, claimed.entry_id) == (
        None,
        None,
        None,
        None,
    )
    assert (claimed.attempts, claimed.unknown_outcomes, claimed.created_at) == (1, 0, NOW)


def test_a_key_is_planned_once_however_often_and_only_the_first_counts(engine: Engine) -> None:
    with transaction(engine) as session:
        assert outbox.enqueue(session, _mail("ack:1"), NOW)
        assert not outbox.enqueue(session, _mail("ack:1", recipient="other@customer.example"), NOW)
    assert _plan(engine, _mail("ack:2"), _mail("ack:1"), _mail("ack:2"), _mail("ack:3")) == [
        True, False, False, True,
    ]  # fmt: skip
    assert [claimed.recipient for claimed in _claim(engine)] == ["ann@customer.example"] * 3


def test_planning_nothing_is_fine(engine: Engine) -> None:
    assert _plan(engine) == []


def test_threads_that_plan_the_same_mails_plan_each_once(engine: Engine) -> None:
    def plan(number: int) -> int:
        keys = [f"alert:{index}" for index in range(10)]
        return sum(_plan(engine, *(_mail(key) for key in (keys if number % 2 else keys[::-1]))))

    assert sum(at_once(plan)) == 10


def test_what_was_planned_in_a_transaction_that_fails_is_not_planned(engine: Engine) -> None:
    def fail() -> None:
        with transaction(engine) as session:
            session.add(MailboxContact(mailbox="x"))
            outbox.enqueue(session, _mail(), NOW)
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        fail()
    assert _claim(engine) == []


def test_a_mail_planned_for_later_is_not_claimed_before(engine: Engine) -> None:
    later = NOW + timedelta(hours=1)
    _plan(engine, _mail(not_before=later))
    assert _claim(engine, later - timedelta(seconds=1)) == []
    assert len(_claim(engine, later)) == 1


# -- sending --


def test_senders_never_get_the_same_mail(engine: Engine) -> None:
    _plan(engine, *(_mail(f"k{number}") for number in range(60)))

    def send(_: int) -> list[int]:
        mine: list[int] = []
        while batch := _claim(engine, limit=3):
            mine += [claimed.id for claimed in batch]
        return mine

    taken = [number for mine in at_once(send) for number in mine]
    assert len(taken) == len(set(taken)) == 60


def test_a_sender_that_died_gives_its_mail_back_with_the_same_bytes(engine: Engine) -> None:
    _plan(engine, _mail())
    first = _claim_one(engine)
    outbox.store_rendered(engine, [Rendered(first.id, b"the bytes", "Your request")])
    assert _claim(engine, NOW + LEASE - timedelta(seconds=1)) == []
    again = _claim_one(engine, NOW + LEASE)
    assert (again.rendered, again.subject) == (b"the bytes", "Your request")
    assert (again.message_id, again.attempts) == (first.message_id, 2)


def test_bytes_once_rendered_are_never_replaced(engine: Engine) -> None:
    _plan(engine, _mail("a"), _mail("b"))
    one, two = _claim(engine)
    assert outbox.store_rendered(engine, [Rendered(one.id, b"first", "s")]) == {one.id: b"first"}
    assert outbox.store_rendered(
        engine, [Rendered(one.id, b"second", "s"), Rendered(two.id, b"other", "t")]
    ) == {
        one.id: b"first",
        two.id: b"other",
    }
    assert outbox_admin.raw(engine, one.id) == b"first"
    assert outbox.store_rendered(engine, []) == {}


def test_a_sent_mail_is_done(engine: Engine) -> None:
    _plan(engine, _mail("a"), _mail("b"))
    ids = [claimed.id for claimed in _claim(engine)]
    outbox.record_sent(engine, ids, NOW)
    assert [outbox_admin.show(engine, number).state for number in ids] == [OutboxState.SENT] * 2
    assert outbox_admin.show(engine, ids[0]).finished_at == NOW
    assert _claim(engine, NOW + 10 * LEASE) == []
    outbox.record_sent(engine, [], NOW)


def test_a_deferred_mail_comes_back_when_told(engine: Engine) -> None:
    _plan(engine, _mail())
    claimed = _claim_one(engine)
    outbox.record_deferred(engine, claimed.id, NOW + timedelta(minutes=2), "451 busy")
    assert _claim(engine, NOW + timedelta(minutes=1)) == []
    again = _claim_one(engine, NOW + timedelta(minutes=2))
    assert (again.attempts, again.unknown_outcomes) == (2, 0)
    outbox.record_deferred(engine, again.id, NOW + timedelta(minutes=12), "no answer", unknown=True)
    assert _claim_one(engine, NOW + timedelta(minutes=12)).unknown_outcomes == 1
    assert outbox_admin.show(engine, claimed.id).error == "no answer"


@pytest.mark.parametrize(("record", "state"), [("fail", "failed"), ("park", "parked")])
def test_a_mail_given_up_or_set_aside_waits_for_a_person(engine: Engine, record: str, state: str) -> None:
    _plan(engine, _mail())
    claimed = _claim_one(engine)
    with transaction(engine) as session:
        assert getattr(outbox, record)(session, claimed.id, "550 no such user", NOW)
    shown = outbox_admin.show(engine, claimed.id)
    assert (shown.state, shown.error, shown.finished_at) == (state, "550 no such user", NOW)
    assert _claim(engine, NOW + 10 * LEASE) == []
    outbox_admin.retry(engine, claimed.id, NOW + LEASE)
    assert _claim_one(engine, NOW + LEASE).id == claimed.id


def test_a_sender_that_was_slow_does_not_undo_what_is_settled(engine: Engine) -> None:
    _plan(engine, _mail())
    claimed = _claim_one(engine)
    outbox.record_sent(engine, [claimed.id], NOW)
    outbox.record_deferred(engine, claimed.id, NOW, "late")
    with transaction(engine) as session:
        assert not outbox.fail(session, claimed.id, "late", NOW)
        assert not outbox.park(session, claimed.id, "late", NOW)
    assert outbox_admin.show(engine, claimed.id).state is OutboxState.SENT
    assert _claim(engine, NOW + 10 * LEASE) == []


def test_released_mails_are_due_at_once_and_the_try_does_not_count(engine: Engine) -> None:
    _plan(engine, _mail())
    outbox.release(engine, [_claim_one(engine).id], NOW)
    assert _claim_one(engine).attempts == 1


def test_a_mail_whose_stored_bytes_rotted_is_set_aside_and_the_others_go(engine: Engine) -> None:
    _plan(engine, _mail("bad"), _mail("good"))
    bad, good = sorted(_claim(engine), key=lambda claimed: claimed.message_id)
    outbox.store_rendered(engine, [Rendered(bad.id, b"bad", "s"), Rendered(good.id, b"good", "s")])
    with transaction(engine) as session:
        blob = table_of(Blob)
        session.execute(update(blob).where(blob.c.data == b"bad").values(data=b"rot"))
    assert [claimed.id for claimed in _claim(engine, NOW + LEASE)] == [good.id]
    assert outbox_admin.show(engine, bad.id).state is OutboxState.PARKED


# -- the operator --


def test_a_waiting_mail_can_be_hurried_but_not_one_being_sent(engine: Engine) -> None:
    _plan(engine, _mail(not_before=NOW + timedelta(days=1)))
    number = outbox_admin.list_mails(engine)[0].id
    outbox_admin.retry(engine, number, NOW)
    assert _claim_one(engine).id == number
    for change in (outbox_admin.retry, outbox_admin.cancel):
        with pytest.raises(Permanent, match="is being sent"):
            change(engine, number, NOW)


def test_a_cancelled_mail_is_not_sent_unless_it_is_retried(engine: Engine) -> None:
    _plan(engine, _mail())
    number = outbox_admin.list_mails(engine)[0].id
    outbox_admin.cancel(engine, number, NOW)
    assert _claim(engine) == []
    assert outbox_admin.show(engine, number).state is OutboxState.CANCELLED
    outbox_admin.retry(engine, number, NOW)
    assert len(_claim(engine)) == 1


def test_a_sent_or_unknown_mail_is_neither_retried_nor_cancelled(engine: Engine) -> None:
    _plan(engine, _mail())
    claimed = _claim_one(engine)
    outbox.record_sent(engine, [claimed.id], NOW)
    for change in (outbox_admin.retry, outbox_admin.cancel):
        with pytest.raises(Permanent, match="is sent"):
            change(engine, claimed.id, NOW)
        with pytest.raises(Permanent, match="no outgoing mail with the number 99"):
            change(engine, 99, NOW)
    for ask in (outbox_admin.show, outbox_admin.raw):
        with pytest.raises(Permanent, match="no outgoing mail with the number 99"):
            ask(engine, 99)


def test_lists_counts_and_the_oldest_are_told(engine: Engine) -> None:
    assert outbox_admin.oldest_queued(engine) is None
    for minute in range(3):
        _plan(engine, _mail(f"k{minute}"), now=NOW + timedelta(minutes=minute))
    outbox.record_sent(engine, [_claim_one(engine).id], NOW)
    newest_first = outbox_admin.list_mails(engine)
    assert [mail.created_at.minute for mail in newest_first] == [2, 1, 0]
    assert [mail.id for mail in outbox_admin.list_mails(engine, [OutboxState.QUEUED], 1)] == [
        newest_first[0].id
    ]
    counts = outbox_admin.counts(engine)
    assert (counts[OutboxState.QUEUED], counts[OutboxState.SENT], counts[OutboxState.FAILED]) == (2, 1, 0)
    assert outbox_admin.oldest_queued(engine) == NOW + timedelta(minutes=1)
    assert outbox_admin.raw(engine, newest_first[0].id) is None


def test_a_mail_of_ours_is_found_by_its_message_id(engine: Engine) -> None:
    _plan(engine, _mail("a"), _mail("b"))
    with reading(engine) as session:
        found = outbox_admin.find_by_message_id(session, "b@desk.example")
        assert found is not None
        assert found.message_id == "b@desk.example"
        assert outbox_admin.find_by_message_id(session, "c@desk.example") is None


def test_keys_are_kept_as_digests_of_one_length(engine: Engine) -> None:
    _plan(engine, _mail("k" * 5000))
    with reading(engine) as session:
        assert len(session.execute(select(Outbox.dedupe_key)).scalar_one()) == 64
