"""`mailticket deliver`: what an MTA's pipe transport gets for an exit status."""

from __future__ import annotations

import io

import pytest

from mailticket.errors import Permanent, Temporary
from mailticket.intake.pipe import deliver
from tests.edge.fakes import RecordingStore
from tests.edge.serving import MAIL, SUPPORT


def test_a_mail_is_stored_and_the_status_is_0(store: RecordingStore) -> None:
    assert deliver(io.BytesIO(MAIL), SUPPORT, "carla@outside.example", store, store) == 0
    (mail,) = store.mails
    assert mail.raw == MAIL
    assert mail.recipient == SUPPORT
    assert mail.envelope_from == "carla@outside.example"
    assert mail.source == "pipe"


@pytest.mark.parametrize(
    ("sender", "kept"), [(None, None), ("", ""), ("<>", ""), ("<a@b.example>", "a@b.example")]
)
def test_the_sender_may_be_unknown_or_null(
    store: RecordingStore, sender: str | None, kept: str | None
) -> None:
    assert deliver(io.BytesIO(MAIL), SUPPORT, sender, store, store) == 0
    assert store.mails[0].envelope_from == kept


@pytest.mark.parametrize(
    ("recipient", "sender", "status"),
    [
        ("support+t1@desk.example", None, 0),
        ("<support@desk.example>", None, 0),
        ("nobody@desk.example", None, 65),
        ("support%other.example@desk.example", None, 65),
        ("", None, 64),
        ("support@desk.example extra", None, 64),
        ("support@desk.example\nBcc: x@y.example", None, 64),
        (SUPPORT, "a@b.example extra", 64),
        (SUPPORT, "<a@b.example", 64),
        (SUPPORT, "a\x00@b.example", 64),
    ],
)
def test_the_arguments_decide_the_status(
    store: RecordingStore, recipient: str, sender: str | None, status: int
) -> None:
    assert deliver(io.BytesIO(MAIL), recipient, sender, store, store) == status
    assert len(store.mails) == (1 if status == 0 else 0)


def test_an_empty_mail_is_refused(store: RecordingStore) -> None:
    assert deliver(io.BytesIO(b""), SUPPORT, None, store, store) == 65
    assert store.calls == []


@pytest.mark.parametrize(("size", "status"), [(1000, 0), (1001, 65)])
def test_a_mail_beyond_the_limit_is_refused(store: RecordingStore, size: int, status: int) -> None:
    assert deliver(io.BytesIO(b"x" * size), SUPPORT, None, store, store, max_size=1000) == status


@pytest.mark.parametrize(
    "error", [Temporary("locked"), Permanent("broken"), RuntimeError("x"), MemoryError()]
)
def test_whatever_goes_wrong_the_mta_keeps_the_mail(store: RecordingStore, error: Exception) -> None:
    store.errors = [error]
    assert deliver(io.BytesIO(MAIL), SUPPORT, None, store, store) == 75


def test_a_broken_pipe_keeps_the_mail_in_the_mta(store: RecordingStore) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("broken pipe")

    assert deliver(Broken(), SUPPORT, None, store, store) == 75
