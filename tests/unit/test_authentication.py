"""mail/authentication.py: what our own MX says is believed, and nothing that only looks like it."""

from __future__ import annotations

import pytest

from mailticket.mail.authentication import aligned, verdict
from mailticket.mail.parse import parse

OURS = ("mx.desk.example",)


def judged(*headers: str, sender: str = "ann@customer.example", ids: tuple[str, ...] = OURS) -> str:
    """ "passed", "failed" or "nothing", from the headers of a mail, the topmost first."""
    lines = [f"Authentication-Results: {header}" for header in headers]
    mail = parse("\r\n".join([*lines, f"From: {sender}", "Subject: x", "", "x"]).encode()).mail
    found = verdict(mail, ids)
    assert not (found.passed and found.failed)
    assert found.detail
    return "passed" if found.passed else "failed" if found.failed else "nothing"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("mx.desk.example; dmarc=pass header.from=customer.example", "passed"),
        ("mx.desk.example; dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=customer.example", "passed"),
        ("MX.Desk.Example 1; dmarc=pass", "passed"),
        ("mx.desk.example; dkim=pass header.d=customer.example", "passed"),
        ("mx.desk.example; dkim=pass header.i=@customer.example header.s=s1", "passed"),
        ("mx.desk.example; dkim=fail header.d=x.example; dkim=pass header.d=customer.example", "passed"),
        ("mx.desk.example; dmarc=none; dkim=pass header.d=customer.example", "passed"),
        ("mx.desk.example; dmarc=fail header.from=customer.example", "failed"),
        ("mx.desk.example; dmarc=fail (p=reject dis=reject) header.from=customer.example", "failed"),
        ("mx.desk.example; dkim=pass header.d=customer.example; dmarc=fail (p=quarantine)", "failed"),
        ("mx.desk.example; dmarc=pass; dmarc=fail", "failed"),
        ("mx.desk.example; dmarc=fail (p=none dis=none) header.from=customer.example", "nothing"),
        ("mx.desk.example; dmarc=fail (p=NONE sp=NONE) header.from=customer.example", "nothing"),
        ("mx.desk.example; dmarc=fail (p=none); dmarc=fail (p=reject)", "failed"),
        ("mx.desk.example; none", "nothing"),
        ("mx.desk.example; dkim=none; spf=none", "nothing"),
        ("mx.desk.example; dkim=pass header.d=mailer.example", "nothing"),
        ("mx.desk.example; dkim=pass header.d=example", "nothing"),
        ("mx.desk.example; dkim=pass", "nothing"),
        ("mx.desk.example; dkim=temperror header.d=customer.example", "nothing"),
        ("mx.desk.example; dmarc=temperror", "nothing"),
        ("mx.desk.example; dmarc=bestguesspass header.from=customer.example", "nothing"),
        ("mx.desk.example; spf=pass smtp.mailfrom=ann@customer.example", "nothing"),
        ("mx.desk.example; spf=pass smtp.mailfrom=customer.example; dkim=pass header.d=x.example", "nothing"),
        ("mx.desk.example; dkim=pass header.d=customer.example header.d=mallory.example", "nothing"),
        ("mx.desk.example; dmarc=pass header.from=mallory.example", "nothing"),
    ],
)
def test_a_header_of_our_own_mx_counts_for_what_it_proves(header: str, expected: str) -> None:
    assert judged(header) == expected


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("mx.evil.example; dmarc=pass",),
        ("mx.evil.example; dmarc=pass", "mx.desk.example; dmarc=pass"),
        ("mx.desk.example; none", "mx.desk.example; dmarc=pass"),
        ("mx.desk.example; dkim=none", "mx.evil.example; dmarc=pass", "mx.desk.example; dmarc=pass"),
        ("mx.desk.example.evil.example; dmarc=pass",),
        ("evil.example (mx.desk.example); dmarc=pass",),
        ("(mx.desk.example; dmarc=pass) mx.evil.example; dmarc=pass",),
        ('"mx.desk.example;" ; dmarc=pass',),
        ("mx.desk.example; dkim=none (dmarc=pass header.from=customer.example)",),
        ('mx.desk.example; dkim=none reason="x; dmarc=pass"',),
        ('mx.desk.example; spf=pass smtp.mailfrom="a; dmarc=pass header.from=customer.example"@x.example',),
        ("mx.desk.example; spf=pass smtp.mailfrom==?us-ascii?Q?x=3B_dmarc=3Dpass?=@evil.example",),
        ("mx.desk.example dmarc=pass",),
        ("mx.desk.example; dmarc=pass; (((((",),
        ("dmarc=pass header.from=customer.example",),
        ("; dmarc=pass",),
        ("",),
        ("(" * 5000,),
    ],
)
def test_what_somebody_else_wrote_proves_nothing(headers: tuple[str, ...]) -> None:
    assert judged(*headers) == "nothing"


def test_a_failure_is_not_talked_away_in_a_comment() -> None:
    assert judged("mx.desk.example; dmarc=fail (dmarc=pass) header.from=customer.example") == "failed"
    assert judged('mx.desk.example; spf=fail smtp.mailfrom="x; dmarc=fail (p=none)"; dmarc=fail') == "failed"


def test_exchange_online_names_nobody_and_is_believed_only_when_asked_for() -> None:
    header = (
        "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=customer.example; dkim=pass (signature was verified)"
        " header.d=customer.example;dmarc=pass action=none header.from=customer.example;compauth=pass"
    )
    assert judged(header) == "nothing"
    assert judged(header, ids=("-",)) == "passed"
    assert judged("mx.desk.example; dmarc=pass", ids=("-",)) == "nothing"
    failed = "spf=fail smtp.mailfrom=x.example; dmarc=fail action=oreject header.from=customer.example"
    assert judged(failed, ids=("-",)) == "failed"


def test_without_a_configured_id_nothing_is_believed() -> None:
    assert judged("mx.desk.example; dmarc=pass", ids=()) == "nothing"


@pytest.mark.parametrize(
    ("domain", "signer", "expected"),
    [
        ("customer.example", "customer.example", True),
        ("Customer.Example.", "customer.example", True),
        ("mail.customer.example", "customer.example", True),
        ("a.b.customer.example", "customer.example", True),
        ("customer.example", "mail.customer.example", False),
        ("evilcustomer.example", "customer.example", False),
        ("customer.example", "example", False),
        ("bank.co.uk", "co.uk", False),
        ("bank.com.au", "com.au", False),
        ("bank.co.uk", "bank.co.uk", True),
        ("mail.t.co", "t.co", True),
        ("customer.example", "", False),
        ("customer.example", ".", False),
    ],
)
def test_a_signature_speaks_for_its_domain_and_for_those_below(
    domain: str, signer: str, expected: bool
) -> None:
    assert aligned(domain, signer) is expected
