"""The SMTP server against raw sockets and smtplib: what is accepted, and what 250 means."""

from __future__ import annotations

import contextlib
import logging
import random
import re
import smtplib
import socket
import struct
import threading

import pytest
import structlog

from mailticket.errors import Permanent, Temporary
from mailticket.intake.data import Collector
from tests.edge.fakes import RecordingStore
from tests.edge.serving import MAIL, SALES, SUPPORT, Servers, connect
from tests.servers import wait_until


def test_a_mail_is_stored_before_it_is_acknowledged(serve: Servers, store: RecordingStore) -> None:
    store.gate.clear()
    with connect(serve()) as wire:
        assert [reply[:3] for reply in wire.transaction(SUPPORT)] == ["250", "250", "354"]
        wire.send(MAIL + b".\r\n")
        assert store.waiting.acquire(timeout=20)
        wire.socket.settimeout(0.1)
        with pytest.raises(TimeoutError):
            wire.line()
        wire.socket.settimeout(20)
        store.gate.set()
        assert wire.reply() == "250 2.0.0 Stored as 1"
    (mail,) = store.mails
    assert mail.raw == MAIL
    assert mail.envelope_from == "customer@outside.example"
    assert mail.recipient == SUPPORT
    assert mail.source == "smtp"
    assert mail.client == "127.0.0.1"
    assert mail.auth_user is None
    assert store.wakes == 1


def test_several_recipients_are_stored_in_one_call_each_once(serve: Servers, store: RecordingStore) -> None:
    with connect(serve()) as wire:
        wire.transaction(SUPPORT, SALES, SUPPORT)
        wire.send(MAIL + b".\r\n")
        assert wire.reply() == "250 2.0.0 Stored as 1,2"
    assert [[mail.recipient for mail in call] for call in store.calls] == [[SUPPORT, SALES]]


def test_the_null_sender_is_kept_as_an_empty_string(serve: Servers, store: RecordingStore) -> None:
    with connect(serve()) as wire:
        wire.transaction(SUPPORT, sender="")
        wire.send(MAIL + b".\r\n")
        assert wire.reply().startswith("250")
    assert store.mails[0].envelope_from == ""


@pytest.mark.parametrize(
    "error",
    [RuntimeError("secret internals"), Temporary("database is locked"), Permanent("secret"), MemoryError()],
)
def test_any_error_of_the_store_is_a_temporary_failure_in_generic_words(
    serve: Servers, store: RecordingStore, error: Exception
) -> None:
    store.errors = [error]
    with connect(serve()) as wire:
        wire.transaction(SUPPORT)
        wire.send(MAIL + b".\r\n")
        assert wire.reply() == "451 4.3.0 Temporary failure, please try again later"
        wire.transaction(SUPPORT)
        wire.send(MAIL + b".\r\n")
        assert wire.reply().startswith("250")


def test_an_error_while_asking_for_a_recipient_is_a_temporary_failure(
    serve: Servers, store: RecordingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(address: str) -> bool:
        raise RuntimeError("secret internals")

    monkeypatch.setattr(store, "accepts", broken)
    with connect(serve()) as wire:
        wire.say("MAIL FROM:<a@outside.example>")
        assert wire.say(f"RCPT TO:<{SUPPORT}>") == "451 4.3.0 Temporary failure, please try again later"


def test_an_error_while_receiving_is_a_temporary_failure_and_ends_the_session(
    serve: Servers, store: RecordingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Collector, block: bytes) -> None:
        raise MemoryError("secret internals")

    monkeypatch.setattr(Collector, "feed", broken)
    server = serve()
    with connect(server) as wire:
        wire.transaction(SUPPORT)
        wire.send(MAIL + b".\r\n")
        assert wire.reply() == "451 4.3.0 Temporary failure, please try again later"
        assert wire.closed()
    assert server.limits.in_flight == 0


def test_a_failing_wake_up_does_not_unsay_a_commit(serve: Servers, store: RecordingStore) -> None:
    def broken() -> None:
        raise RuntimeError("no sleeper")

    store.woken = broken  # type: ignore[method-assign]  # the fake's own hook
    with connect(serve()) as wire:
        wire.transaction(SUPPORT)
        wire.send(MAIL + b".\r\n")
        assert wire.reply().startswith("250")


@pytest.mark.parametrize(
    ("recipient", "code"),
    [
        (SUPPORT, "250"),
        ("SUPPORT@Desk.Example", "250"),
        ("support+t123@desk.example", "250"),
        ("nobody@desk.example", "550"),
        ("support@elsewhere.example", "550"),
        ("support%elsewhere.example@desk.example", "550"),
        ("support+x%elsewhere.example@desk.example", "550"),
        ("elsewhere.example!support@desk.example", "550"),
        ("@relay.example:support@desk.example", "550"),
        ("@relay.example,@other.example:support@desk.example", "550"),
        ('"support"@desk.example', "550"),
        ('"support@desk.example"@desk.example', "550"),
        ("support@[127.0.0.1]", "550"),
        ("support@elsewhere.example@desk.example", "550"),
        ("support(comment)@desk.example", "550"),
        ("support@desk.example,sales@desk.example", "550"),
        ("postmaster", "550"),
        ("support", "550"),
        ("suppört@desk.example", "550"),
    ],
)
def test_only_plain_served_addresses_are_recipients(serve: Servers, recipient: str, code: str) -> None:
    with connect(serve()) as wire:
        wire.say("MAIL FROM:<a@outside.example>")
        assert wire.say(f"RCPT TO:<{recipient}>")[:3] == code


@pytest.mark.parametrize(
    "command",
    [
        "MAIL FROM:<a@b.example",
        "MAIL FROM:<a@b.example>garbage",
        "MAIL FROM:<<a@b.example>>",
        "MAIL FROM:",
        "MAIL",
        "MAIL FROM:<a\x00b@c.example>",
        "MAIL FROM:<" + "a" * 600 + "@b.example>",
        "MAIL FROM:<a@b.example> BODY=BINARYMIME",
        "MAIL FROM:<a@b.example> SIZE=x",
    ],
)
def test_a_malformed_sender_is_refused_and_the_session_goes_on(serve: Servers, command: str) -> None:
    with connect(serve()) as wire:
        assert wire.say(command)[:1] == "5"
        assert wire.say("MAIL FROM:<a@b.example>")[:3] == "250"


def test_a_sender_that_is_not_utf8_is_refused(serve: Servers) -> None:
    with connect(serve()) as wire:
        wire.send(b"MAIL FROM:<a\xff@b.example>\r\n")
        assert wire.reply()[:3] == "553"


def test_utf8_addresses_and_eight_bit_bodies_are_accepted(serve: Servers, store: RecordingStore) -> None:
    raw = "Subject: Grüße\r\n\r\nschön\r\n".encode()
    with connect(serve()) as wire:
        assert wire.say("MAIL FROM:<jörg@käse.example> SMTPUTF8 BODY=8BITMIME")[:3] == "250"
        wire.say(f"RCPT TO:<{SUPPORT}>")
        wire.say("DATA")
        wire.send(raw + b".\r\n")
        assert wire.reply()[:3] == "250"
    assert store.mails[0].raw == raw
    assert store.mails[0].envelope_from == "jörg@käse.example"


def test_ehlo_offers_what_works_and_no_auth(serve: Servers) -> None:
    with connect(serve(max_message_size=5000), greet=None) as wire:
        assert wire.banner == "220 mail.desk.example ESMTP"
        offered = wire.say("EHLO client.example").split("\n")
    assert {line[4:] for line in offered[1:]} == {"SIZE 5000", "8BITMIME", "SMTPUTF8", "PIPELINING", "HELP"}


@pytest.mark.parametrize("length", [998, 1001, 65_000, 65_536, 131_072, 2_000_000])
def test_long_lines_arrive_unchanged(serve: Servers, store: RecordingStore, length: int) -> None:
    raw = b"Subject: long\r\n\r\n" + b"y" * length + b"\r\nend\r\n"
    with connect(serve()) as wire:
        wire.transaction(SUPPORT)
        wire.send(raw + b".\r\n")
        assert wire.reply()[:3] == "250"
    assert store.mails[0].raw == raw


CONTENTS = [
    b"",
    b"\r\n",
    b".\r\n",
    b"..\r\n.\r\n...\r\n",
    b".leading dot\r\n",
    b"a\r\n.\r\nb\r\n.",
    b"bare\nline feeds\n.\nand\rreturns\r.\r",
    b"\x00\xff\x80 bytes\r\n",
]
LONG_CONTENTS = [b"\r\n" * 50_000, b".\r\n" * 50_000, b"\r\n.x" * 40_000]


@pytest.mark.parametrize(
    ("raw", "step"),
    [(raw, step) for raw in CONTENTS for step in (1_000_000, 7, 1)]
    + [(raw, step) for raw in LONG_CONTENTS for step in (1_000_000, 65_537)],
)
def test_the_content_is_what_the_client_meant_however_it_is_cut(
    serve: Servers, store: RecordingStore, raw: bytes, step: int
) -> None:
    whole = raw if raw.endswith(b"\r\n") or not raw else raw + b"\r\n"
    stuffed = (b"\r\n" + whole).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
    with connect(serve()) as wire:
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.transaction(SUPPORT)
        for start in range(0, len(stuffed), step):
            wire.send(stuffed[start : start + step])
        assert wire.reply()[:3] == "250"
        assert wire.say("NOOP")[:3] == "250"
    assert store.mails[0].raw == whole


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r", b"\r\n.\n", b"\r.\r\n", b"\r\n\x00.\r\n"]
)
def test_a_smuggled_message_stays_part_of_the_one_that_carries_it(
    serve: Servers, store: RecordingStore, end: bytes
) -> None:
    hidden = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<" + SUPPORT.encode() + b">\r\nDATA\r\nSubject: in\r\n"
    with connect(serve()) as wire:
        wire.transaction(SUPPORT)
        wire.send(b"Subject: out\r\n\r\nx" + end + hidden + b"\r\n.\r\n")
        assert wire.reply()[:3] == "250"
        assert wire.say("NOOP")[:3] == "250"
    assert len(store.mails) == 1
    assert hidden in store.mails[0].raw


def test_pipelined_commands_and_messages_are_all_served(serve: Servers, store: RecordingStore) -> None:
    one = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<" + SUPPORT.encode() + b">\r\nDATA\r\n"
    with connect(serve(), greet=None) as wire:
        wire.send(b"EHLO x\r\n" + one + b"Subject: 1\r\n\r\n.\r\n" + one + b"Subject: 2\r\n\r\n.\r\nQUIT\r\n")
        replies = []
        while reply := wire.reply():
            replies.append(reply[:3])
    assert replies == ["250", "250", "250", "354", "250", "250", "250", "354", "250", "221"]
    assert [mail.raw for mail in store.mails] == [b"Subject: 1\r\n\r\n", b"Subject: 2\r\n\r\n"]


def test_a_client_that_half_closes_after_the_dot_still_hears_the_answer(
    serve: Servers, store: RecordingStore
) -> None:
    store.gate.clear()
    with connect(serve()) as wire:
        wire.transaction(SUPPORT)
        wire.send(MAIL + b".\r\nQUIT\r\n")
        wire.socket.shutdown(socket.SHUT_WR)
        assert store.waiting.acquire(timeout=20)
        store.gate.set()
        assert wire.reply()[:3] == "250"
    assert len(store.mails) == 1


def test_a_client_that_vanishes_does_not_stop_the_commit(serve: Servers, store: RecordingStore) -> None:
    server = serve()
    store.gate.clear()
    with connect(server) as wire:
        wire.transaction(SUPPORT)
        wire.send(MAIL + b".\r\n")
        assert store.waiting.acquire(timeout=20)
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_until(lambda: not server.conversations, "the connection is reset")
    store.gate.set()
    wait_until(lambda: store.mails, "the mail is stored")
    with connect(server) as wire:
        wire.transaction(SUPPORT)
        wire.send(MAIL + b".\r\n")
        assert wire.reply() == "250 2.0.0 Stored as 1"
    assert len(store.mails) == 1


def test_a_client_that_vanishes_in_data_leaves_nothing(serve: Servers, store: RecordingStore) -> None:
    server = serve()
    with connect(server) as wire:
        wire.transaction(SUPPORT)
        wire.send(MAIL + b"x" * 200_000)
        wait_until(lambda: server.limits.in_flight > 0, "the bytes arrive")
    wait_until(lambda: not server.conversations, "the connection is gone")
    assert store.calls == []
    assert server.limits.in_flight == 0


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("VRFY support@desk.example", "252"),
        ("EXPN staff", "502"),
        ("AUTH PLAIN AHUAcA==", "502"),
        ("DATA", "503"),
        ("RCPT TO:<support@desk.example>", "503"),
        ("HELP", "250"),
        ("NONSENSE", "500"),
        ("x" * 3000, "500"),
        ("", "500"),
    ],
)
def test_other_commands_are_answered(serve: Servers, command: str, code: str) -> None:
    with connect(serve()) as wire:
        assert wire.say(command)[:3] == code
        assert wire.say("NOOP")[:3] == "250"


WORDS = [
    *("EHLO", "HELO", "MAIL", "RCPT", "RSET", "NOOP", "HELP", "VRFY", "EXPN", "STARTTLS", "AUTH", "LHLO"),
    *("FROM:", "TO:", "<>", "<", ">", "@", SUPPORT, "a@b.example", "SIZE=", "SIZE=²", "BODY=", "SMTPUTF8"),
    *("\x00", "\udcff", "\r", "²" * 9, '"', "\\", "(" * 500, "x" * 700, "=", "9" * 5000, "%s", "{0}"),
]


@pytest.mark.parametrize("seed", range(20))
def test_no_nonsense_gets_an_exception_for_an_answer(
    serve: Servers, store: RecordingStore, seed: int
) -> None:
    chance = random.Random(seed)
    server = serve()
    for _ in range(5):
        with connect(server, greet=None) as wire:
            with contextlib.suppress(OSError):  # after some errors the server hangs up
                for _ in range(30):
                    words = chance.choices(WORDS, k=chance.randint(1, 5))
                    wire.send(
                        chance.choice(["", " "]).join(words).encode("utf-8", "surrogateescape") + b"\r\n"
                    )
                wire.socket.shutdown(socket.SHUT_WR)
            while reply := wire.reply():
                assert re.match("[245][0-9][0-9][ -]", reply), reply
                assert not re.search("[a-z](Error|Exception)\\b", reply), reply
    with connect(server) as wire:
        wire.transaction(SUPPORT)
        wire.send(MAIL + b".\r\n")
        assert wire.reply()[:3] == "250"
    assert len(store.mails) == 1


def test_the_crash_points_lie_around_the_commit_and_before_the_answer(
    serve: Servers, store: RecordingStore
) -> None:
    points: list[tuple[str, int]] = []
    server = serve(crash=lambda point: points.append((point, len(store.mails))))
    with connect(server) as wire:
        wire.transaction(SUPPORT)
        wire.send(MAIL + b".\r\n")
        wire.reply()
    assert points == [("intake.before_commit", 0), ("intake.after_commit", 1)]


def test_many_clients_at_once_lose_nothing(serve: Servers, store: RecordingStore) -> None:
    server = serve()

    def send(client: int) -> None:
        with smtplib.SMTP(*server.address, timeout=30) as smtp:
            for serial in range(10):
                smtp.sendmail("a@b.example", [SUPPORT], f"Subject: {client}-{serial}\r\n\r\nx\r\n")

    threads = [threading.Thread(target=send, args=(client,)) for client in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    expected = {f"Subject: {client}-{serial}".encode() for client in range(20) for serial in range(10)}
    assert {mail.raw.split(b"\r\n")[0] for mail in store.mails} == expected
    assert store.wakes == 200


def test_no_line_of_a_mail_reaches_a_log(
    serve: Servers, store: RecordingStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    store.errors = [RuntimeError("canary in an exception")]
    with structlog.testing.capture_logs() as lines, connect(serve()) as wire:
        for _ in range(2):
            wire.transaction(SUPPORT)
            wire.send(b"Subject: canary\r\n\r\ncanary\r\n.\r\n")
            wire.reply()
    assert [line["event"] for line in lines if line["event"].startswith("mail")] == ["mail.stored"]
    assert "canary" not in caplog.text
    assert "canary" not in repr(lines)
