"""store/webhooks.py on both databases: queued once, claimed by one, recorded, retried."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from mailticket.domain.hooks import Call
from mailticket.errors import Permanent
from mailticket.store import webhooks
from mailticket.store.engine import transaction
from mailticket.store.webhooks import CallState

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LEASE = timedelta(minutes=5)


def queue(engine: Engine, *keys: str, webhook: str = "chat") -> int:
    with transaction(engine) as session:
        return webhooks.enqueue(session, [Call(key, webhook, "created", None, "{}") for key in keys], NOW)


def test_the_same_call_is_queued_once(engine: Engine) -> None:
    assert queue(engine, "a", "b") == 2
    assert queue(engine, "b", "c") == 1
    assert [call.key for call in webhooks.list_calls(engine)] == ["c", "b", "a"]


def test_a_call_is_held_by_one_sender_until_its_lease_ends(engine: Engine) -> None:
    queue(engine, "a", "b")
    (first,) = webhooks.claim(engine, NOW, 1, LEASE)
    (second,) = webhooks.claim(engine, NOW, 10, LEASE)
    assert (first.key, second.key, first.attempts) == ("a", "b", 1)
    assert webhooks.claim(engine, NOW, 10, LEASE) == []
    again = webhooks.claim(engine, NOW + LEASE, 10, LEASE)
    assert [(call.key, call.attempts) for call in again] == [("a", 2), ("b", 2)]


def test_senders_at_once_never_share_a_call(engine: Engine) -> None:
    queue(engine, *map(str, range(40)))
    got: list[str] = []

    def take() -> None:
        while claimed := webhooks.claim(engine, NOW, 3, LEASE):
            got.extend(call.key for call in claimed)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(got) == sorted(map(str, range(40)))


def test_a_service_in_trouble_is_left_alone(engine: Engine) -> None:
    queue(engine, "a")
    queue(engine, "b", webhook="other")
    assert [call.key for call in webhooks.claim(engine, NOW, 10, LEASE, ["chat"])] == ["b"]


def test_what_became_of_a_call_is_recorded(engine: Engine) -> None:
    queue(engine, "sent", "later", "refused", "free")
    by_key = {call.key: call.id for call in webhooks.claim(engine, NOW, 10, LEASE)}
    webhooks.record_sent(engine, by_key["sent"], 204, NOW)
    webhooks.record_deferred(engine, by_key["later"], NOW + timedelta(minutes=1), "answered 503", 503)
    webhooks.record_failed(engine, by_key["refused"], "answered 404", 404, NOW)
    webhooks.release(engine, [by_key["free"]], NOW)
    shown = {call.key: call for call in webhooks.list_calls(engine)}
    assert {key: call.state for key, call in shown.items()} == {
        "sent": CallState.SENT, "later": CallState.QUEUED, "refused": CallState.FAILED,
        "free": CallState.QUEUED,
    }  # fmt: skip
    assert (shown["later"].error, shown["later"].answer) == ("answered 503", 503)
    assert shown["free"].attempts == 0
    assert [call.key for call in webhooks.claim(engine, NOW, 10, LEASE)] == ["free"]
    assert webhooks.counts(engine)[CallState.SENT] == 1
    assert [call.key for call in webhooks.list_calls(engine, [CallState.FAILED])] == ["refused"]


def test_a_failed_call_is_made_again_from_the_beginning(engine: Engine) -> None:
    queue(engine, "a")
    (call,) = webhooks.claim(engine, NOW, 10, LEASE)
    with pytest.raises(Permanent, match="being made"):
        webhooks.retry(engine, call.id, NOW)
    webhooks.record_failed(engine, call.id, "no", None, NOW)
    later = NOW + timedelta(days=30)
    webhooks.retry(engine, call.id, later)
    (again,) = webhooks.claim(engine, later, 10, LEASE)
    assert (again.attempts, again.created_at) == (1, later)
    webhooks.record_sent(engine, call.id, 200, later)
    with pytest.raises(Permanent, match="is sent"):
        webhooks.retry(engine, call.id, later)
    with pytest.raises(Permanent, match="no call"):
        webhooks.retry(engine, 999, later)


def test_a_cancelled_call_is_not_made(engine: Engine) -> None:
    queue(engine, "a")
    (call,) = webhooks.list_calls(engine)
    webhooks.cancel(engine, call.id, NOW)
    assert webhooks.claim(engine, NOW, 10, LEASE) == []
    assert webhooks.show(engine, call.id)[0].state is CallState.CANCELLED
