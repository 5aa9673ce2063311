"""domain/hooks.py: which events are told to whom, and what each audience may read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from mailticket.config.desk import Desk
from mailticket.domain.hooks import Said, calls, trial_call
from mailticket.domain.types import Event, EventKind
from tests.unit.test_conditions import TICKET
from tests.unit.test_routing import desk as routing_desk

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def desk(**hooks: dict[str, Any]) -> Desk:
    full = {
        key: {"key": key, "url": "https://x.example/", "secret": "0123456789abcdef", **more}
        for key, more in hooks.items()
    }
    return routing_desk(webhooks=full)


def event(kind: EventKind, entry: int | None = None, **data: Any) -> Event:
    return Event(kind, TICKET.id, entry, "agent:bob", NOW, "SECRET REASON", {"why": "SECRET DATA", **data})


MESSAGE = Said(5, "message", "customer", "ann@customer.example", "Ann", "Please help.", NOW)
ANSWER = Said(6, "response", "customer", "agent:bob", "SECRET BOB", "It works again.", NOW)
NOTE = Said(7, "note", "internal", "agent:bob", "SECRET BOB", "SECRET NOTE", NOW)
ENTRIES = {one.id: one for one in (MESSAGE, ANSWER, NOTE)}


def told(where: Desk, *events: Event) -> list[tuple[str, str, dict[str, Any]]]:
    made = calls(events, TICKET, ENTRIES, where, "inbound:1")
    return [(call.webhook, call.event, json.loads(call.body)) for call in made]


def test_each_service_hears_of_its_events_only() -> None:
    where = desk(a={"events": ["created", "message"]}, b={"events": ["created"]}, c={})
    heard = told(where, event(EventKind.CREATED), event(EventKind.MESSAGE, 5), event(EventKind.EDITED))
    assert [(hook, name) for hook, name, _ in heard] == [("a", "created"), ("b", "created"), ("a", "message")]


def test_a_rule_tells_the_service_it_names() -> None:
    where = desk(a={"events": ["created"]}, b={})
    heard = told(where, event(EventKind.MESSAGE, 5), event(EventKind.HOOKED, webhook="b"))
    ((hook, name, body),) = heard
    assert (hook, name, body["entry"]["text"]) == ("b", "rule", "Please help.")
    assert told(where, event(EventKind.HOOKED, webhook="gone")) == []


@pytest.mark.parametrize(
    "events",
    [
        [event(EventKind.CREATED), event(EventKind.MESSAGE, 5)],
        [event(EventKind.RESPONSE, 6)],
        [event(EventKind.NOTE, 7)],
        [event(EventKind.NOTE, 7), event(EventKind.STATUS)],
        [event(EventKind.NOTE, 7), event(EventKind.HOOKED, webhook="a")],
        [event(EventKind.ASSIGNED, before="SECRET", after="SECRET")],
    ],
)
def test_nothing_inside_is_told_to_the_audience_of_customers(events: list[Event]) -> None:
    kinds = ["created", "message", "response", "status", "assigned"]
    for _, _, body in told(desk(a={"events": kinds}), *events):
        text = json.dumps(body)
        assert "SECRET" not in text
        assert "bob" not in text
        assert "ops" not in text
        assert "vip" not in text
        assert not {"actor", "reason", "data"} & set(body)


def test_inside_everything_is_told() -> None:
    where = desk(a={"events": ["note"], "audience": "internal"})
    ((_, _, body),) = told(where, event(EventKind.NOTE, 7))
    assert body["entry"]["text"] == "SECRET NOTE"
    assert body["ticket"]["assignee"] == "bob"
    assert (body["actor"], body["reason"], body["data"]) == (
        "agent:bob",
        "SECRET REASON",
        {"why": "SECRET DATA"},
    )


def test_every_call_has_a_key_of_its_own_that_is_the_same_when_it_is_made_again() -> None:
    where = desk(a={"events": ["edited", "message"]}, b={"events": ["edited"]})
    events = (event(EventKind.EDITED), event(EventKind.EDITED), event(EventKind.MESSAGE, 5))
    first = [call.key for call in calls(events, TICKET, ENTRIES, where, "inbound:1")]
    assert len(set(first)) == 5
    assert first == [call.key for call in calls(events, TICKET, ENTRIES, where, "inbound:1")]


def test_a_trial_call_is_a_test() -> None:
    where = desk(a={})
    body = json.loads(trial_call(where.webhooks["a"], where, NOW).body)
    assert (body["event"], body["ticket"], body["entry"]) == ("test", None, None)
