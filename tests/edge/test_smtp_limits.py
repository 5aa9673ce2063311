"""What the SMTP server does not let a client take; TLS; and how it ends."""

from __future__ import annotations

import contextlib
import smtplib
import threading
from datetime import timedelta
from typing import Any

import pytest

from mailticket.config.settings import Listener
from mailticket.errors import Permanent
from mailticket.intake import conversation, replies
from mailticket.intake.smtp import SmtpServer
from tests.edge.fakes import RecordingStore
from tests.edge.serving import MAIL, SALES, SUPPORT, Servers, connect
from tests.servers import wait_until
from tests.servers.certificates import Certificates


@pytest.mark.parametrize(("extra", "code"), [(0, "250"), (1, "552")])
def test_the_size_limit_holds_to_the_byte(
    serve: Servers, store: RecordingStore, extra: int, code: str
) -> None:
    raw = b"Subject: x\r\n\r\n" + b".\r\n" * 400
    raw += b"x" * (3000 + extra - len(raw) - 2) + b"\r\n"
    with connect(serve(max_message_size=3000)) as wire:
        wire.transaction(SUPPORT)
        wire.send(raw.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        assert wire.reply()[:3] == code
        assert wire.say("NOOP")[:3] == "250"
    assert [mail.raw for mail in store.mails] == ([raw] if code == "250" else [])


def test_a_declared_size_over_the_limit_is_refused_at_mail(serve: Servers) -> None:
    with connect(serve(max_message_size=3000)) as wire:
        assert wire.say("MAIL FROM:<a@b.example> SIZE=3001")[:3] == "552"
        assert wire.say("MAIL FROM:<a@b.example> SIZE=3000")[:3] == "250"


def test_a_message_without_end_is_cut_off(serve: Servers, store: RecordingStore) -> None:
    with connect(serve(max_message_size=1000)) as wire:
        wire.transaction(SUPPORT)
        with contextlib.suppress(OSError):
            wire.send(b"x" * 500_000)
        assert wire.reply()[:3] in {"552", ""}
        assert wire.closed()
    assert store.mails == []


def test_time_outs_wait_for_a_commit(serve: Servers, store: RecordingStore) -> None:
    server = serve(idle_timeout=timedelta(milliseconds=1), session_timeout=timedelta(milliseconds=1))
    store.gate.clear()
    one = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<" + SUPPORT.encode() + b">\r\nDATA\r\n"
    with connect(server, greet=None) as wire:
        wire.send(b"EHLO x\r\n" + one + MAIL + b".\r\n")
        assert [wire.reply()[:3] for _ in range(4)] == ["250", "250", "250", "354"]
        assert store.waiting.acquire(timeout=20)
        (talk,) = server.conversations
        for _ in range(3):
            talk.check()
        store.gate.set()
        assert wire.reply()[:3] == "250"
        assert wire.reply()[:3] == "421"
        assert wire.closed()


@pytest.mark.parametrize("limit", ["idle_timeout", "session_timeout"])
def test_a_client_that_stays_too_long_is_told_421(serve: Servers, limit: str) -> None:
    limits: dict[str, Any] = {limit: timedelta(milliseconds=1)}
    with connect(serve(**limits), greet=None) as wire:
        assert wire.reply()[:3] == "421"
        assert wire.closed()


def test_a_message_that_trickles_in_is_cut_off(
    serve: Servers, store: RecordingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "RATE_GRACE", 0.0)
    with connect(serve()) as wire:
        wire.transaction(SUPPORT)
        wire.send(b"S")
        assert wire.reply() == replies.TOO_SLOW
        assert wire.closed()
    assert store.calls == []


def test_connections_beyond_the_limit_hear_421(serve: Servers) -> None:
    server = serve(max_connections=2)
    with connect(server), connect(server), connect(server, greet=None) as third:
        assert third.banner[:3] == "421"
        assert third.closed()
    wait_until(lambda: server.limits.connections == 0, "the connections are counted out")
    with connect(server, greet=None) as wire:
        assert wire.banner[:3] == "220"


def test_connections_of_one_client_beyond_its_limit_hear_421(serve: Servers) -> None:
    server = serve(max_connections_per_client=1)
    with connect(server), connect(server, greet=None) as second:
        assert second.banner[:3] == "421"


def test_recipients_beyond_the_limit_are_put_off_and_the_others_served(
    serve: Servers, store: RecordingStore
) -> None:
    with connect(serve(max_recipients=2)) as wire:
        replies = wire.transaction(SUPPORT, SALES, "support+3@desk.example")
        assert [reply[:3] for reply in replies] == ["250", "250", "250", "452", "354"]
        wire.send(MAIL + b".\r\n")
        assert wire.reply()[:3] == "250"
    assert [mail.recipient for mail in store.mails] == [SUPPORT, SALES]


def test_messages_beyond_the_rate_are_put_off(serve: Servers, store: RecordingStore) -> None:
    with connect(serve(max_messages_per_minute=2)) as wire:
        for code in ("250", "250", "451"):
            assert wire.say("MAIL FROM:<a@b.example>")[:3] == code
            wire.say("RSET")


def test_bytes_under_way_beyond_the_limit_are_put_off(serve: Servers, store: RecordingStore) -> None:
    server = serve(max_in_flight=1_000_000, max_message_size=2_000_000)
    big = b"Subject: big\r\n\r\n" + b"z" * 600_000 + b"\r\n"
    store.gate.clear()
    with connect(server) as first, connect(server) as second:
        first.transaction(SUPPORT)
        first.send(big + b".\r\n")
        assert store.waiting.acquire(timeout=20)
        assert second.say("MAIL FROM:<a@b.example> SIZE=600000")[:3] == "452"
        second.transaction(SUPPORT)
        second.send(big + b".\r\n")
        assert second.reply()[:3] == "452"
        store.gate.set()
        assert first.reply()[:3] == "250"
        second.transaction(SALES)
        second.send(big + b".\r\n")
        assert second.reply()[:3] == "250"
    assert server.limits.in_flight == 0


def test_twenty_errors_end_the_session(serve: Servers) -> None:
    with connect(serve()) as wire:
        wire.say("MAIL FROM:<a@b.example>")
        for _ in range(20):
            assert wire.say("RCPT TO:<guess@desk.example>")[:3] == "550"
        assert wire.reply()[:3] == "421"
        assert wire.closed()


def test_starttls_encrypts_and_forgets_what_was_said_before(
    serve: Servers, store: RecordingStore, certificates: Certificates
) -> None:
    server = serve(tls_certificate=certificates.certificate, tls_key=certificates.key, require_tls=True)
    with connect(server) as wire:
        assert wire.say("MAIL FROM:<a@b.example>")[:3] == "530"
        wire.send(b"STARTTLS\r\nNOOP\r\nMAIL FROM:<injected@b.example>\r\n")
        assert wire.reply()[:3] == "220"
        assert wire.buffer == b""
        wire.start_tls(certificates.client_context())
        assert wire.say("MAIL FROM:<a@b.example>")[:3] == "503"
        assert "AUTH" not in wire.say("EHLO again.example")
        wire.transaction(SUPPORT)
        wire.send(MAIL + b".\r\n")
        assert wire.reply()[:3] == "250"
        assert wire.say("QUIT")[:3] == "221"
    assert [mail.envelope_from for mail in store.mails] == ["customer@outside.example"]
    wait_until(lambda: server.limits.connections == 0, "the connection is counted out")


def test_a_failed_tls_handshake_is_counted_out_once(
    serve: Servers, store: RecordingStore, certificates: Certificates
) -> None:
    server = serve(tls_certificate=certificates.certificate, tls_key=certificates.key)
    with connect(server) as wire:
        assert wire.say("STARTTLS")[:3] == "220"
        wire.send(b"this is no handshake, not at all\r\n")
        wire.closed()
    wait_until(lambda: not server.conversations, "the connection is gone")
    assert server.limits.connections == 0
    with smtplib.SMTP(*server.address, timeout=20) as client:
        client.starttls(context=certificates.client_context())
        client.sendmail("a@b.example", [SUPPORT], MAIL)
    assert len(store.mails) == 1


def test_a_handshake_that_never_comes_is_not_waited_for(
    serve: Servers, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "CLOSE_GRACE", 0.0)
    server = serve(
        idle_timeout=timedelta(milliseconds=300),
        tls_certificate=certificates.certificate,
        tls_key=certificates.key,
    )
    with connect(server, greet=None) as wire:
        assert wire.say("STARTTLS")[:3] == "220"
        wait_until(lambda: not server.conversations, "the connection is gone")
    assert server.limits.connections == 0


def test_a_listener_that_requires_tls_without_a_certificate_does_not_start(store: RecordingStore) -> None:
    with pytest.raises(Permanent, match="tls_certificate"):
        SmtpServer(Listener(require_tls=True), store, store, hostname="x", on_stored=store.woken)


def test_a_taken_port_is_named(serve: Servers, store: RecordingStore) -> None:
    host, port = serve().address
    second = SmtpServer(Listener(key="second", port=port), store, store, hostname="x", on_stored=store.woken)
    with pytest.raises(Permanent, match=f"second: cannot listen on {host}:{port}"):
        second.start()


def test_stopping_lets_a_message_under_way_finish_and_sends_the_others_home(
    serve: Servers, store: RecordingStore
) -> None:
    server = serve()
    with connect(server) as busy, connect(server) as idle:
        busy.transaction(SUPPORT)
        busy.send(MAIL)
        stopping = threading.Thread(target=server.stop, args=(20.0,))
        stopping.start()
        assert idle.reply()[:3] == "421"
        assert idle.closed()
        with connect(server, greet=None) as late:
            assert late.banner[:3] == "421"
        busy.send(b".\r\n")
        assert busy.reply()[:3] == "250"
        assert busy.reply()[:3] == "421"
        assert busy.closed()
        stopping.join(20)
        assert not stopping.is_alive()
    with pytest.raises(OSError, match="refused"):
        connect(server)


def test_stopping_tells_a_client_that_does_not_finish_its_message(
    serve: Servers, store: RecordingStore
) -> None:
    server = serve()
    with connect(server) as wire:
        wire.transaction(SUPPORT)
        wire.send(MAIL)
        server.stop(0.05)
        assert wire.reply()[:3] == "421"
        assert wire.closed()
    assert store.calls == []


def test_stopping_waits_for_a_commit_of_a_client_that_is_gone(serve: Servers, store: RecordingStore) -> None:
    server = serve()
    store.gate.clear()
    with connect(server) as wire:
        wire.transaction(SUPPORT)
        wire.send(MAIL + b".\r\n")
        assert store.waiting.acquire(timeout=20)
    stopping = threading.Thread(target=server.stop, args=(20.0,))
    stopping.start()
    wait_until(lambda: server.draining, "the server is told to stop")
    store.gate.set()
    stopping.join(20)
    assert not stopping.is_alive()
    assert len(store.mails) == 1
