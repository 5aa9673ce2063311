"""delivery/webhook.py against a real server on loopback: what is sent, and what each answer means."""

from __future__ import annotations

import hashlib
import hmac
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from mailticket.delivery.webhook import (
    LONGEST_WAIT,
    SIGNATURE,
    Answer,
    Later,
    Refused,
    Taken,
    post,
    signature,
)
from tests.servers.hooks import HookServer, hook_server

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SECRET = "0123456789abcdef"


def sent(server: HookServer, *, seconds: float = 5.0, url: str = "") -> Answer:
    return post(
        url or server.url, SECRET, key="k:1", event="created", body='{"a":"ß"}'.encode(),
        timeout=timedelta(seconds=seconds), now=NOW,
    )  # fmt: skip


def test_a_call_carries_its_signature_key_and_event() -> None:
    with hook_server() as server:
        assert sent(server) == Taken(200)
    (request,) = server.received
    assert request.path == "/hook"
    assert request.json == {"a": "ß"}
    assert request.headers["Idempotency-Key"] == "k:1"
    assert request.headers["X-Mailticket-Event"] == "created"
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"
    stamp, _, mac = request.headers[SIGNATURE].partition(",")
    seconds = stamp.removeprefix("t=")
    assert int(seconds) == int(NOW.timestamp())
    wanted = hmac.new(SECRET.encode(), f"{seconds}.".encode() + request.body, hashlib.sha256).hexdigest()
    assert mac == f"v1={wanted}"


def test_a_signature_depends_on_secret_time_and_body() -> None:
    plain = signature(SECRET, 1, b"x")
    assert (
        len({plain, signature("other" * 4, 1, b"x"), signature(SECRET, 2, b"x"), signature(SECRET, 1, b"y")})
        == 4
    )


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_what_is_taken_is_done(status: int) -> None:
    with hook_server() as server:
        server.script = [(status, {}, b"")]
        assert sent(server) == Taken(status)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_be_taken_later_is_tried_again(status: int) -> None:
    with hook_server() as server:
        server.script = [status]
        answer = sent(server)
    assert isinstance(answer, Later)
    assert answer.status == status
    assert "said" in answer.why


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 422])
def test_what_is_refused_is_not_tried_again(status: int) -> None:
    with hook_server() as server:
        server.script = [status]
        answer = sent(server)
    assert isinstance(answer, Refused)
    assert str(status) in answer.why


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    with hook_server() as elsewhere, hook_server() as server:
        server.script = [(status, {"Location": elsewhere.url}, b"")]
        answer = sent(server)
        assert isinstance(answer, Refused)
        assert "redirect" in answer.why
        assert elsewhere.received == []


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("120", timedelta(minutes=2)),
        ("0", timedelta(0)),
        ("99999999", LONGEST_WAIT),
        (format_datetime(NOW + timedelta(minutes=5), usegmt=True), timedelta(minutes=5)),
        (format_datetime(NOW - timedelta(minutes=5), usegmt=True), timedelta(0)),
        ("soon", None),
        ("-5", None),
        ("9" * 400, None),
    ],
)
def test_a_service_says_how_long_to_wait(value: str, wait: timedelta | None) -> None:
    with hook_server() as server:
        server.script = [(503, {"Retry-After": value}, b"")]
        answer = sent(server)
    assert isinstance(answer, Later)
    assert answer.wait == wait


@pytest.mark.parametrize("trouble", ["slow", "silent", "drop"])
def test_a_server_that_does_not_answer_costs_no_more_than_the_time_limit(trouble: Any) -> None:
    with hook_server() as server:
        server.script = [trouble]
        began = time.monotonic()
        answer = sent(server, seconds=1)
        assert time.monotonic() - began < 8
    assert isinstance(answer, Later)
    assert answer.status is None


def test_nobody_at_the_address_is_no_answer() -> None:
    with hook_server() as server:
        url = server.url
    answer = sent(server, url=url)
    assert isinstance(answer, Later)
    assert answer.status is None
    bad = sent(server, url="https://no-such-host.invalid/")
    assert isinstance(bad, Later)


def test_plain_text_where_tls_is_wanted_is_no_answer() -> None:
    with hook_server() as server:
        answer = sent(server, url=server.url.replace("http://", "https://"))
    assert isinstance(answer, Later)
    assert server.received == []


def test_a_huge_answer_is_not_read_to_its_end() -> None:
    with hook_server() as server:
        server.script = [(500, {}, b"x" * 5_000_000)]
        answer = sent(server)
    assert isinstance(answer, Later)
    assert len(answer.why) < 400
