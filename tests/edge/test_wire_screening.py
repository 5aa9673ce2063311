"""Banned senders at the wire: refused before any recipient, on SMTP only."""

from __future__ import annotations

from tests.edge.fakes import RecordingStore
from tests.edge.serving import MAIL, SUPPORT, Servers, connect


class BansBulk:
    """A ban list with one domain on it."""

    def refuses(self, envelope_from: str) -> bool:
        return envelope_from.lower().endswith("@bulk.example")


def test_a_banned_sender_is_refused_at_mail_from_and_others_are_not(
    serve: Servers, store: RecordingStore
) -> None:
    server = serve()
    server.screening = BansBulk()
    with connect(server) as wire:
        wire.send(b"MAIL FROM:<News@Bulk.example>\r\n")
        assert wire.reply() == "550 5.7.1 Mail from this sender is not accepted here"
        wire.send(b"RCPT TO:<support@desk.example>\r\n")
        assert wire.reply().startswith("503")
        assert [reply[:3] for reply in wire.transaction(SUPPORT)] == ["250", "250", "354"]
        wire.send(MAIL + b".\r\n")
        assert wire.reply().startswith("250")
    assert [mail.envelope_from for mail in store.mails] == ["customer@outside.example"]


def test_the_null_sender_is_never_refused(serve: Servers, store: RecordingStore) -> None:
    server = serve()
    server.screening = BansBulk()
    with connect(server) as wire:
        wire.transaction(SUPPORT, sender="")
        wire.send(MAIL + b".\r\n")
        assert wire.reply().startswith("250")


def test_lmtp_refuses_no_sender_because_its_client_would_bounce_to_a_forged_one(
    serve: Servers, store: RecordingStore
) -> None:
    server = serve(protocol="lmtp")
    server.screening = BansBulk()
    with connect(server, greet="LHLO mx.desk.example") as wire:
        wire.transaction(SUPPORT, sender="news@bulk.example")
        wire.send(MAIL + b".\r\n")
        assert wire.reply().startswith("250")
    assert len(store.mails) == 1
