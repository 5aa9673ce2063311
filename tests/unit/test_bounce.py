"""mail/bounce.py: who did not get our mail, for now or for good, and which mail it was."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailticket.mail.bounce import read_bounce
from mailticket.mail.parse import parse
from mailticket.mail.types import Bounce, BounceRecipient

ORIGINAL = (
    "Message-ID: <mt.tok.1@desk.example>\nFrom: support@desk.example\n"
    "To: ann@customer.example\nSubject: Re: x\n"
)


def report(
    *blocks: str, text: str = "It failed.", returned: str = "message/rfc822", original: str = ORIGINAL
) -> bytes:
    parts = [
        "From: Mail Delivery System <MAILER-DAEMON@mx.example>\nTo: support@desk.example\nReturn-Path: <>\n"
        "Subject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n',
        f"--b\nContent-Type: text/plain\n\n{text}\n",
    ]
    if blocks:
        status = "\n".join(["Reporting-MTA: dns; mx.example\n", *blocks])
        parts.append(f"--b\nContent-Type: message/delivery-status\n\n{status}\n")
    if original:
        parts.append(f"--b\nContent-Type: {returned}\n\n{original}\nbody\n")
    return "\n".join([*parts, "--b--\n"]).encode()


def block(address: str, action: str = "failed", status: str = "5.1.1", more: str = "") -> str:
    return f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: {status}\n{more}"


def informal(
    text: str,
    *,
    sender: str = "MAILER-DAEMON@mx.example",
    subject: str = "failure notice",
    headers: str = "",
) -> bytes:
    return f"From: {sender}\nTo: support@desk.example\nSubject: {subject}\n{headers}\n{text}".encode()


def bounce_of(raw: bytes, envelope_from: str | None = None) -> Bounce:
    bounce = read_bounce(parse(raw), envelope_from)
    assert bounce is not None
    return bounce


def test_a_report_names_recipient_status_and_diagnostic() -> None:
    bounce = bounce_of(
        report(block("ann@customer.example", more="Diagnostic-Code: smtp; 550 5.1.1\n no such user\n"))
    )
    assert bounce.recipients == (
        BounceRecipient("ann@customer.example", "5.1.1", "failed", True, "smtp; 550 5.1.1 no such user"),
    )
    assert bounce.original_message_id == "mt.tok.1@desk.example"


def test_a_report_of_several_recipients_names_each_with_its_own_fate() -> None:
    bounce = bounce_of(
        report(
            block("ann@customer.example"),
            block("bob@customer.example", "delayed", "4.4.1"),
            block("eve@customer.example", "delivered", "2.0.0"),
            block("joe@customer.example", "relayed", "2.0.0"),
            block("list@customer.example", "expanded", "2.0.0"),
        )
    )
    assert [(one.address[:3], one.action, one.permanent) for one in bounce.recipients] == [
        ("ann", "failed", True),
        ("bob", "delayed", False),
        ("eve", "delivered", False),
        ("joe", "relayed", False),
        ("lis", "expanded", False),
    ]


@pytest.mark.parametrize(
    ("action", "status", "expected"),
    [
        ("failed", "5.1.1", ("failed", True)),
        ("Failed", "5.0.0 (permanent failure)", ("failed", True)),
        ("failed (bad destination mailbox)", "5.1.1", ("failed", True)),
        ("failure", "5.1.1", ("failed", True)),
        ("failed", "4.4.7", ("failed", False)),
        ("failed", "", ("failed", True)),
        ("delayed", "5.1.1", ("delayed", False)),
        ("delayed", "4.4.7", ("delayed", False)),
        ("", "4.2.2", ("delayed", False)),
        ("", "2.0.0", ("delivered", False)),
        ("", "5.7.1", ("failed", True)),
        ("", "", ("failed", True)),
        ("nonsense", "5.7.1", ("failed", True)),
    ],
)
def test_a_delay_and_a_failure_of_class_4_leave_the_address_alive(
    action: str, status: str, expected: tuple[str, bool]
) -> None:
    (one,) = bounce_of(report(block("ann@customer.example", action, status))).recipients
    assert (one.action, one.permanent) == expected


def test_the_status_may_stand_in_the_diagnostic_alone() -> None:
    (one,) = bounce_of(
        report(block("a@c.example", status="", more="Diagnostic-Code: smtp; 550 #5.2.2 full\n"))
    ).recipients
    assert one.status == "5.2.2"


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        ("Final-Recipient: rfc822; ann@c.example", "ann@c.example"),
        ("Final-Recipient: RFC822;<ann@c.example>", "ann@c.example"),
        ("final-recipient: ann@c.example", "ann@c.example"),
        ("Final-Recipient: utf-8; ann@c.example", "ann@c.example"),
        ("Final-Recipient: rfc822; ann\nOriginal-Recipient: rfc822; ann@c.example", "ann@c.example"),
        ("Original-Recipient: rfc822; ann@c.example", "ann@c.example"),
        (
            "Final-Recipient: x400; /S=ann/@c.example\nOriginal-Recipient: rfc822;ann@c.example",
            "ann@c.example",
        ),
        ("X-Actual-Recipient: rfc822; ann@c.example", "ann@c.example"),
    ],
)
def test_the_recipient_is_read_from_whichever_field_holds_an_address(fields: str, address: str) -> None:
    (one,) = bounce_of(report(f"{fields}\nAction: failed\n")).recipients
    assert one.address == address


def test_one_address_in_two_blocks_counts_once_by_its_worse_fate() -> None:
    blocks = (block("Ann@c.example", "delayed", "4.4.1"), block("ann@c.example", "failed", "5.1.1"))
    (one,) = bounce_of(report(*blocks)).recipients
    assert (one.action, one.status) == ("failed", "5.1.1")


def test_headers_alone_are_enough_to_name_the_original() -> None:
    raw = report(block("a@c.example"), returned="text/rfc822-headers")
    assert bounce_of(raw).original_message_id == "mt.tok.1@desk.example"


def test_a_folded_message_id_in_returned_headers_is_found() -> None:
    folded = "From: x@desk.example\nMessage-ID:\n <mt.tok.1@desk.example>\nSubject: x\n"
    raw = report(block("a@c.example"), returned="text/rfc822-headers", original=folded)
    assert bounce_of(raw).original_message_id == "mt.tok.1@desk.example"


def test_a_report_that_returns_nothing_may_name_the_original_by_reply_headers() -> None:
    raw = b"In-Reply-To: <mt.tok.1@desk.example>\n" + report(block("a@c.example"), original="")
    assert bounce_of(raw).original_message_id == "mt.tok.1@desk.example"


def test_what_a_returned_mail_reports_is_not_what_this_report_reports() -> None:
    inner = ORIGINAL + (
        'Content-Type: multipart/report; report-type=delivery-status; boundary="i"\n\n'
        "--i\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
        "Final-Recipient: rfc822; victim@other.example\nAction: failed\nStatus: 5.1.1\n\n--i--\n"
    )
    bounce = bounce_of(report(block("ann@customer.example"), original=inner))
    assert [one.address for one in bounce.recipients] == ["ann@customer.example"]


def test_a_read_receipt_is_no_bounce() -> None:
    raw = report(block("a@c.example")).replace(b"delivery-status", b"disposition-notification")
    assert read_bounce(parse(raw)) is None


def test_a_report_without_its_status_part_is_read_from_its_text() -> None:
    bounce = bounce_of(report(text="<ann@customer.example>: 550 5.1.1 unknown user"))
    assert [(one.address, one.status) for one in bounce.recipients] == [("ann@customer.example", "5.1.1")]


def test_report_fields_shown_as_text_are_read_as_fields() -> None:
    text = (
        "It failed:\n\nReporting-MTA: dns; mx\n\nAction: failed\nFinal-Recipient:\n rfc822; "
        "ann@customer.example\n"
        "Diagnostic-Code: smtp; 554 expired\nStatus: 4.4.7\n\n"
    )
    (one,) = bounce_of(informal(text)).recipients
    assert (one.address, one.status, one.action, one.permanent) == (
        "ann@customer.example",
        "4.4.7",
        "failed",
        False,
    )


INFORMAL = [
    (
        "qmail",
        "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your "
        "message to the "
        "following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        "<ann@customer.example>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 no such "
        "user\n"
        "Giving up on 192.0.2.1.\n\n<bob@customer.example>:\nRemote host said: 452 4.2.2 mailbox full\n\n"
        "--- Below this line is a copy of the message.\n\nReturn-Path: <support@desk.example>\n" + ORIGINAL,
        [("ann@customer.example", "5.1.1", True), ("bob@customer.example", "4.2.2", False)],
    ),
    (
        "exim",
        "This message was created automatically by mail delivery software.\n\nA message that you sent "
        "could not be "
        "delivered to one or more of its\nrecipients. This is a permanent error. The following "
        "address(es) failed:\n\n"
        "  ann@customer.example\n    host mx.customer.example [192.0.2.9]\n    SMTP error from remote "
        "mail server after "
        "RCPT TO:<ann@customer.example>:\n    550 5.1.1 <ann@customer.example>: User unknown\n\n"
        "------ This is a copy of the message, including all the headers. ------\n\n" + ORIGINAL,
        [("ann@customer.example", "5.1.1", True)],
    ),
    (
        "sendmail",
        "The original message was received at Mon, 5 Jan 2026 10:00:00 GMT\nfrom desk.example\n\n"
        "   ----- The following addresses had permanent fatal errors -----\n<ann@customer.example>\n"
        "    (reason: 550 Host unknown)\n\n   ----- Transcript of session follows -----\n550 5.1.2 Host "
        "unknown\n\n"
        "   ----- Original message follows -----\n\n" + ORIGINAL,
        [("ann@customer.example", "5.1.2", True)],
    ),
    (
        "notes",
        "------- Failure Reasons  --------\n\nUser not listed in public Name & Address "
        "Book\nann@customer.example\n\n\n"
        "------- Returned Message --------\n" + ORIGINAL,
        [("ann@customer.example", None, True)],
    ),
    (
        "yahoo",
        "Sorry, we were unable to deliver your message to the following address.\n\n<ann@customer.example>:\n"
        "554: delivery error: dd This user doesn't have an account\n\n--- Below this line is a copy of "
        "the message.\n\n" + ORIGINAL,
        [("ann@customer.example", "5.0.0", True)],
    ),
    (
        "gmail of old",
        "Delivery to the following recipient failed permanently:\n\n     "
        "ann@customer.example\n\nTechnical details of "
        "permanent failure:\nThe error that the other server returned was:\n550 5.2.1 disabled\n\n"
        "----- Original message -----\n\n" + ORIGINAL,
        [("ann@customer.example", "5.2.1", True)],
    ),
    (
        "one sentence",
        "There was an error delivering your mail to <ann@customer.example>.\n\nmx.customer.example did "
        "not like our "
        "RCPT TO:\n550 5.1.1 rejected\n\nMessage headers follow.\n\n" + ORIGINAL,
        [("ann@customer.example", "5.1.1", True)],
    ),
    (
        "full mailbox",
        "User mailbox exceeds allowed size: ann@customer.example\n\n\nOriginal message follows.\n\n"
        + ORIGINAL,
        [("ann@customer.example", None, True)],
    ),
    (
        "warning",
        "Your message has been delayed and is still awaiting delivery to:\n\n  ann@customer.example\n    "
        "(451 4.7.1 "
        "greylisted)\n\nNo action is required on your part. Delivery attempts will be retried.\n\n"
        "--- Original message follows.\n\n" + ORIGINAL,
        [("ann@customer.example", "4.7.1", False)],
    ),
    (
        "german hoster",
        "Ihre Nachricht konnte nicht zugestellt werden.\n\nEmpfänger: ann@customer.example\nGrund: 550 "
        "Postfach "
        "unbekannt\n\n--- Ursprüngliche Nachricht ---\n\n" + ORIGINAL,
        [("ann@customer.example", "5.0.0", True)],
    ),
]


@pytest.mark.parametrize(
    ("text", "expected"), [row[1:] for row in INFORMAL], ids=[row[0] for row in INFORMAL]
)
def test_an_informal_report_names_its_recipients_and_the_original(
    text: str, expected: list[tuple[str, str | None, bool]]
) -> None:
    bounce = bounce_of(informal(text))
    assert [(one.address, one.status, one.permanent) for one in bounce.recipients] == expected
    assert bounce.original_message_id == "mt.tok.1@desk.example"


def test_a_warning_is_a_delay() -> None:
    (one,) = bounce_of(informal(INFORMAL[8][1])).recipients
    assert one.action == "delayed"


def test_the_failed_recipients_header_names_them_all() -> None:
    raw = informal("It failed.", headers="X-Failed-Recipients: ann@c.example, bob@c.example\n")
    assert [one.address for one in bounce_of(raw).recipients] == ["ann@c.example", "bob@c.example"]


@pytest.mark.parametrize(
    ("sender", "headers", "envelope_from"),
    [
        ("Postmaster@mx.example", "", None),
        ("MAILER-DAEMON", "", None),
        ("MAILER-DAEMON <>", "", None),
        ("Mail Delivery Subsystem <>", "", None),
        ("bob@mx.example", "Return-Path: <>\n", None),
        ("bob@mx.example", "Return-Path: <MAILER-DAEMON>\n", None),
        ("bob@mx.example", "", ""),
    ],
)
def test_a_mail_system_is_known_by_its_name_or_by_the_null_sender(
    sender: str, headers: str, envelope_from: str | None
) -> None:
    raw = informal("<ann@customer.example>: 550 no such user", sender=sender, headers=headers)
    assert [one.address for one in bounce_of(raw, envelope_from).recipients] == ["ann@customer.example"]


@pytest.mark.parametrize(
    ("sender", "subject", "text"),
    [
        ("ann@customer.example", "failure notice", "I got this:\n<bob@customer.example>: 550 no such user"),
        ("ann@customer.example", "Fwd: Undelivered Mail Returned to Sender", "What does it mean?"),
        ("postmaster@customer.example", "Question about DMARC", "Hello, please fix your record."),
        ("ann@customer.example", "the printer", "Error 550 5.1.1 on the display"),
    ],
)
def test_a_person_who_writes_about_a_bounce_sends_none(sender: str, subject: str, text: str) -> None:
    assert read_bounce(parse(informal(text, sender=sender, subject=subject))) is None


def test_our_own_address_in_a_report_is_not_the_recipient() -> None:
    text = (
        "Your message from support@desk.example was rejected:\n\n"
        "<support@desk.example>\n<ann@customer.example>: 550 no\n"
    )
    assert [one.address for one in bounce_of(informal(text)).recipients] == ["ann@customer.example"]


def test_a_report_that_names_nobody_is_still_a_report() -> None:
    assert bounce_of(informal("Your message could not be delivered.")).recipients == ()


def test_a_notification_of_amazon_ses_is_read() -> None:
    event = (
        '{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bouncedRecipients":[{"emailAddress":'
        '"ann@customer.example","status":"5.1.1","action":"failed","diagnosticCode":"smtp; 550 5.1.1 '
        'unknown"}]}}\n\n--\nx'
    )
    (one,) = bounce_of(informal(event, sender="no-reply@sns.example", subject="Notification")).recipients
    assert (one.address, one.status, one.permanent) == ("ann@customer.example", "5.1.1", True)
    named = event.replace("]}}", ']},"mail":{"commonHeaders":{"messageId":"<mt.tok.1@desk.example>"}}}')
    raw = informal(named, sender="no-reply@sns.example", subject="Notification")
    assert bounce_of(raw).original_message_id == "mt.tok.1@desk.example"
    delivered = '{"notificationType":"Delivery","delivery":{"recipients":["ann@customer.example"]}}'
    (other,) = bounce_of(
        informal(delivered, sender="no-reply@sns.example", subject="Notification")
    ).recipients
    assert (other.action, other.permanent) == ("delivered", False)


@pytest.mark.parametrize(
    "event",
    [
        '{"notificationType":1}',
        '{"notificationType":"Bounce"',
        "{" * 5000,
        '{"notificationType":"Complaint"}',
    ],
)
def test_json_that_is_no_bounce_is_none(event: str) -> None:
    assert read_bounce(parse(informal(event, sender="no-reply@sns.example", subject="x"))) is None


@pytest.mark.parametrize(
    "text",
    [
        "a" * 200_000,
        "a@" * 100_000,
        "<" * 100_000,
        ("a" * 300 + "\n") * 600,
        "Final-Recipient:" * 10_000,
        "message-id:" * 10_000,
        "this message was created automatically by mail delivery software\n" + ("\\S+@" * 100 + "\n") * 300,
        "failed addresses follow:\n" + ("x" * 700 + "\n") * 300,
    ],
)
def test_a_hostile_report_is_read_without_an_exception(text: str) -> None:
    bounce_of(informal(text))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_of_a_mail_system_is_read_without_an_exception(text: str) -> None:
    for raw in (informal(text), report(text), report(block("a@c.example"), original=text)):
        bounce = read_bounce(parse(raw))
        assert bounce is None or all("@" in one.address for one in bounce.recipients)
