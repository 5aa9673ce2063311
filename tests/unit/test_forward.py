"""Whose mail was forwarded."""

from __future__ import annotations

import pytest

from mailticket.mail.parse import parse
from mailticket.mail.types import Forwarded

DORA = "Dora <dora@origin.example>"
HEADERS = f"From: {DORA}\nDate: Sun, 4 Jan 2026 09:12\nSubject: Door\nTo: carol@customer.example\n"
ORIGINAL = HEADERS + "\nThe door is broken.\n\nDora\n"


def _forwarded(body: str, subject: str = "Fwd: Door") -> Forwarded | None:
    kind = "Content-Type: text/plain; charset=utf-8"
    raw = f"From: Carol <carol@customer.example>\nSubject: {subject}\n{kind}\n\n{body}"
    return parse(raw.encode()).mail.forwarded


@pytest.mark.parametrize(
    "rule",
    [
        "---------- Forwarded message ---------",
        "---------- Forwarded message ----------",
        "-------- Forwarded Message --------",
        "Begin forwarded message:",
        "---------- Weitergeleitete Nachricht ---------",
        "Anfang der weitergeleiteten Nachricht:",
        "-------- Message transféré --------",
        "Début du message réexpédié :",
        "---------- Mensaje reenviado ---------",
        "Inizio messaggio inoltrato:",
        "-------- Doorgestuurd bericht --------",
        "---------- Пересылаемое сообщение ---------",
        "---------- 転送メッセージ ----------",
        "---------- 转发的邮件 ---------",
    ],
)
@pytest.mark.parametrize("subject", ["Fwd: Door", "no word of forwarding"])
def test_a_rule_announces_the_original(rule: str, subject: str) -> None:
    found = _forwarded(f"please see\n\n{rule}\n\n{ORIGINAL}", subject)
    assert found is not None
    assert (found.sender.name, found.sender.address) == ("Dora", "dora@origin.example")
    assert found.subject == "Door"
    assert found.date_text == "Sun, 4 Jan 2026 09:12"
    assert found.body == "The door is broken.\n\nDora"


@pytest.mark.parametrize(
    "headers",
    [
        f"From: {DORA}\nSent: Sunday, January 4, 2026 9:12 AM\nTo: Carol\nSubject: Door\n",
        "From: Dora [mailto:dora@origin.example]\nSent: Sunday, 4 January 2026 09:12\nSubject: Door\n",
        f"Von: {DORA}\nGesendet: Sonntag, 4. Januar 2026 09:12\nAn: Carol\nBetreff: Door\n",
        f"De : {DORA}\nEnvoyé : dimanche 4 janvier 2026 09:12\nÀ : Carol\nObjet : Door\n",
        f"*From:* {DORA}\n*Sent:* Sunday, January 4, 2026 9:12 AM\n*To:* Carol\n*Subject:* Door\n",
    ],
)
def test_copied_headers_count_where_the_subject_says_forward(headers: str) -> None:
    body = f"FYI\n\n________________________________\n{headers}\nThe door is broken.\n"
    found = _forwarded(body, "FW: Door")
    assert found is not None
    assert (found.sender.name, found.sender.address) == ("Dora", "dora@origin.example")
    assert found.body == "The door is broken."
    assert _forwarded(body, "Re: Door") is None


def test_a_quoted_forward_is_read_through_its_quote_marks() -> None:
    quoted = "\n".join("> " + line for line in f"Begin forwarded message:\n\n{ORIGINAL}".split("\n"))
    found = _forwarded(f"see below\n\n{quoted}")
    assert found is not None
    assert found.sender.address == "dora@origin.example"


@pytest.mark.parametrize(
    "body",
    [
        "no forward at all",
        "On Sunday Dora <dora@origin.example> wrote:\n> The door is broken.\n",
        f"-----Original Message-----\n{ORIGINAL}",
        "Please forward this message: the door is broken\nFrom: nobody\n",
        "---------- Forwarded message ---------\nwithout any headers\n",
    ],
)
def test_other_mails_are_no_forwards(body: str) -> None:
    assert _forwarded(body, "Re: Door") is None


def _attached(*messages: str, kind: str = "mixed") -> Forwarded | None:
    parts = "".join(f"--B\nContent-Type: message/rfc822\n\n{message}\n" for message in messages)
    raw = (
        f"From: c@customer.example\nContent-Type: multipart/{kind}; boundary=B\n\n--B\n\nsee\n{parts}--B--\n"
    )
    return parse(raw.encode()).mail.forwarded


def test_one_attached_message_is_the_original() -> None:
    found = _attached(
        "From: =?utf-8?q?D=C3=B6ra?= <dora@origin.example>\nSubject: Door\nDate: today\n\nIt broke.\n"
    )
    assert found is not None
    assert (found.sender.name, found.sender.address) == ("Döra", "dora@origin.example")
    assert (found.subject, found.date_text, found.body.strip()) == ("Door", "today", "It broke.")


def test_two_attached_messages_or_a_report_are_not() -> None:
    one = "From: dora@origin.example\nSubject: Door\n\nIt broke.\n"
    assert _attached(one, one) is None
    assert _attached(one, kind="report") is None
