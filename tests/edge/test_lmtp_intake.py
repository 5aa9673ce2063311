"""The LMTP server against raw sockets: one reply for each recipient, each with its own fate."""

from __future__ import annotations

import contextlib
import smtplib
from collections.abc import Iterator
from typing import Any

import pytest

from mailticket.config.settings import Listener
from mailticket.errors import Temporary
from mailticket.intake.smtp import SmtpServer
from tests.edge.fakes import RecordingStore
from tests.edge.serving import MAIL, SALES, SUPPORT
from tests.edge.wire import Wire
from tests.servers.certificates import Certificates


@contextlib.contextmanager
def lmtp(store: RecordingStore, **options: Any) -> Iterator[tuple[str, int]]:
    listener = Listener(key="lmtp", protocol="lmtp", port=0, **options)
    server = SmtpServer(listener, store, store, hostname="mail.desk.example", on_stored=store.woken)
    address = server.start()
    try:
        yield address
    finally:
        server.stop(2.0)


@pytest.fixture
def wire(store: RecordingStore) -> Iterator[Wire]:
    with lmtp(store) as address, Wire(address, greet="LHLO mta.example") as client:
        yield client


def test_every_recipient_gets_a_reply_of_its_own_in_order(wire: Wire, store: RecordingStore) -> None:
    wire.transaction(SUPPORT, "nobody@desk.example", SALES)
    wire.send(MAIL + b".\r\n")
    replies = [wire.reply(), wire.reply()]
    assert [reply[:20] for reply in replies] == ["250 2.0.0 Stored as "] * 2
    assert wire.say("NOOP") == "250 OK"
    assert {mail.recipient for mail in store.mails} == {SUPPORT, SALES}
    assert {mail.source for mail in store.mails} == {"lmtp"}
    assert sorted(len(call) for call in store.calls) == [1, 1]


def test_a_recipient_whose_mail_cannot_be_stored_does_not_hold_up_the_others(
    wire: Wire, store: RecordingStore
) -> None:
    store.fail_for = {SUPPORT}
    wire.transaction(SUPPORT, SALES)
    wire.send(MAIL + b".\r\n")
    assert wire.reply() == "451 4.3.0 Temporary failure, please try again later"
    assert wire.reply()[:3] == "250"
    assert [mail.recipient for mail in store.mails] == [SALES]


def test_a_recipient_named_twice_gets_two_replies_and_one_mail(wire: Wire, store: RecordingStore) -> None:
    wire.transaction(SUPPORT, SUPPORT)
    wire.send(MAIL + b".\r\n")
    assert [wire.reply(), wire.reply()] == ["250 2.0.0 Stored as 1"] * 2
    assert wire.say("NOOP")[:3] == "250"
    assert len(store.calls) == 1


def test_a_message_that_is_too_large_is_refused_for_every_recipient(store: RecordingStore) -> None:
    with lmtp(store, max_message_size=1000) as address, Wire(address, greet="LHLO x") as wire:
        wire.transaction(SUPPORT, SALES)
        wire.send(b"x" * 1100 + b"\r\n.\r\n")
        assert [wire.reply()[:3], wire.reply()[:3]] == ["552", "552"]
        assert wire.say("NOOP")[:3] == "250"


def test_a_failing_store_answers_every_recipient(wire: Wire, store: RecordingStore) -> None:
    store.errors = [Temporary("disk full"), RuntimeError("secret")]
    wire.transaction(SUPPORT, SALES)
    wire.send(MAIL + b".\r\n")
    assert [wire.reply(), wire.reply()] == ["451 4.3.0 Temporary failure, please try again later"] * 2


@pytest.mark.parametrize(("command", "code"), [("EHLO x", "500"), ("HELO x", "500"), ("LHLO x", "250")])
def test_the_greeting_is_lhlo(store: RecordingStore, command: str, code: str) -> None:
    with lmtp(store) as address, Wire(address) as wire:
        assert wire.banner == "220 mail.desk.example LMTP"
        assert wire.say(command)[:3] == code


def test_data_without_an_accepted_recipient_is_refused(wire: Wire) -> None:
    assert [reply[:3] for reply in wire.transaction("nobody@desk.example")] == ["250", "550", "503"]


def test_starttls_works_where_it_is_required(store: RecordingStore, certificates: Certificates) -> None:
    options = {"tls_certificate": certificates.certificate, "tls_key": certificates.key}
    with lmtp(store, require_tls=True, **options) as address, Wire(address, greet="LHLO x") as wire:
        assert wire.say("MAIL FROM:<a@b.example>")[:3] == "530"
        assert wire.say("STARTTLS")[:3] == "220"
        wire.start_tls(certificates.client_context())
        wire.say("LHLO x")
        wire.transaction(SUPPORT)
        wire.send(MAIL + b".\r\n")
        assert wire.reply()[:3] == "250"


def test_the_standard_library_delivers(store: RecordingStore) -> None:
    with lmtp(store) as address, smtplib.LMTP(*address, timeout=20) as client:
        for serial in range(3):
            client.sendmail("a@b.example", [SUPPORT], f"Subject: {serial}\r\n\r\nx\r\n")
    assert [mail.raw for mail in store.mails] == [
        f"Subject: {serial}\r\n\r\nx\r\n".encode() for serial in range(3)
    ]
