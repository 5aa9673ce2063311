"""Delivery into a local Maildir."""

from __future__ import annotations

import errno
import mailbox
import os
from pathlib import Path

import pytest

from mailticket.delivery.maildir import MaildirDelivery, check_maildir
from mailticket.delivery.outcome import Deferred, Delivered, Failed, Stage
from mailticket.errors import Temporary

SENDER = "support+bounce@desk.example"
RECIPIENT = "erika@customer.example"


def mail(message_id: str = "1@desk.example", body: bytes = b"hello\r\n") -> bytes:
    return b"Subject: hi\r\nMessage-ID: <" + message_id.encode() + b">\r\n\r\n" + body


def test_a_mail_is_found_by_a_mail_client(tmp_path: Path) -> None:
    outcome = MaildirDelivery(tmp_path / "a" / "outgoing").send(SENDER, RECIPIENT, mail())
    assert isinstance(outcome, Delivered)
    box = mailbox.Maildir(str(tmp_path / "a" / "outgoing"), create=False)
    (message,) = list(box)
    assert message["Return-Path"] == f"<{SENDER}>"
    assert message["Delivered-To"] == RECIPIENT
    assert message["Subject"] == "hi"
    assert message.get_payload() == "hello\n"


def test_the_null_sender_is_kept(tmp_path: Path) -> None:
    MaildirDelivery(tmp_path).send("", RECIPIENT, mail())
    (path,) = (tmp_path / "new").iterdir()
    assert path.read_bytes().startswith(
        b"Return-Path: <>\nDelivered-To: " + RECIPIENT.encode() + b"\nSubject"
    )
    assert path.stat().st_mode & 0o077 == 0
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_repeat_replaces_the_first_copy(tmp_path: Path) -> None:
    for _ in range(3):
        assert isinstance(MaildirDelivery(tmp_path).send(SENDER, RECIPIENT, mail()), Delivered)
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_a_repeat_of_a_mail_that_was_read_already_adds_nothing(tmp_path: Path) -> None:
    delivery = MaildirDelivery(tmp_path)
    delivery.send(SENDER, RECIPIENT, mail())
    (path,) = (tmp_path / "new").iterdir()
    path.rename(tmp_path / "cur" / f"{path.name}:2,S")
    assert isinstance(delivery.send(SENDER, RECIPIENT, mail()), Delivered)
    assert isinstance(delivery.send(SENDER, RECIPIENT, mail("2@desk.example")), Delivered)
    assert len(list((tmp_path / "new").iterdir())) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((RECIPIENT, mail()), ("max@customer.example", mail())),
        ((RECIPIENT, mail("1@desk.example")), (RECIPIENT, mail("2@desk.example"))),
        ((RECIPIENT, b"Subject: a\r\n\r\nx\r\n"), (RECIPIENT, b"Subject: a\r\n\r\ny\r\n")),
        (
            (RECIPIENT, b"Message-ID:\r\n <1@x.example>\r\n\r\n"),
            (RECIPIENT, b"Message-ID:\r\n <2@x.example>\r\n\r\n"),
        ),
    ],
)
def test_different_mails_get_different_files(
    tmp_path: Path, first: tuple[str, bytes], second: tuple[str, bytes]
) -> None:
    for recipient, raw in (first, second):
        MaildirDelivery(tmp_path).send(SENDER, recipient, raw)
    assert len(list((tmp_path / "new").iterdir())) == 2


def test_a_full_disk_defers_and_leaves_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        outcome = MaildirDelivery(tmp_path).send(SENDER, RECIPIENT, mail())
    assert isinstance(outcome, Deferred)
    assert (outcome.scope, outcome.stage) == ("server", Stage.STORE)
    assert "No space left" in outcome.response
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert isinstance(MaildirDelivery(tmp_path).send(SENDER, RECIPIENT, mail()), Delivered)


def test_a_folder_that_cannot_be_made_defers(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    outcome = MaildirDelivery(tmp_path / "file" / "box").send(SENDER, RECIPIENT, mail())
    assert isinstance(outcome, Deferred)
    with pytest.raises(Temporary, match="cannot write"):
        check_maildir(tmp_path / "file" / "box")


def test_check_says_whether_the_maildir_is_there(tmp_path: Path) -> None:
    assert "will be made" in check_maildir(tmp_path / "a" / "b")
    assert "is there" in check_maildir(tmp_path)


@pytest.mark.parametrize("address", ["a\nb@c.example", "nobody", "x <a@b.example>"])
def test_an_address_that_is_not_plain_is_refused(tmp_path: Path, address: str) -> None:
    assert isinstance(MaildirDelivery(tmp_path).send(SENDER, address, mail()), Failed)
    assert isinstance(MaildirDelivery(tmp_path).send(address, RECIPIENT, mail()), Failed)
