"""work/verify.py: mails signed here, verified with an injected DNS; and signatures that prove too little."""

from __future__ import annotations

import base64
import subprocess
import sys
from typing import Any

import pytest

from mailticket.config.desk import Desk
from mailticket.mail.parse import parse
from mailticket.work.verify import BATCH_BUDGET, MAX_SIGNATURE_HEADER, Verifier, can_matter

pytest.importorskip("dkim", reason="the extra `auth` is not installed")
import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
)
PUBLIC = KEY.public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)
HEADERS = [b"from", b"to", b"subject", b"date"]
MAIL = (
    b"From: Sam <sam@staff.example>\r\nTo: support@desk.example\r\nSubject: Re: [#123456] Login\r\n"
    b"Date: Mon, 2 Mar 2026 09:00:00 +0000\r\n\r\n#close\r\n"
)


class Dns:
    """Answers with our key, counts the questions, or is silent."""

    def __init__(self, *, silent: bool = False) -> None:
        self.asked: list[bytes] = []
        self.silent = silent

    def __call__(self, name: bytes, timeout: float) -> bytes | None:
        assert 0 < timeout <= 5
        self.asked.append(name)
        if self.silent:
            raise TimeoutError
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(PUBLIC)


def desk(**trust: Any) -> Desk:
    return Desk.model_validate(
        {
            "name": "Desk",
            "instance": "desk1",
            "default_department": "support",
            "departments": {"support": {"name": "Support", "addresses": ["support@desk.example"]}},
            "agents": {"sam": {"name": "Sam", "addresses": ["sam@staff.example", "sam@mail.staff.example"]}},
            "priorities": {"normal": {"name": "Normal", "urgency": 3}},
            "trust": {"verify": "dkim", **trust},
        }
    )


def signed(mail: bytes = MAIL, domain: bytes = b"staff.example", **options: Any) -> bytes:
    signature: bytes = dkim.sign(mail, b"s1", domain, PEM, **{"include_headers": HEADERS, **options})
    return signature + mail


def proven(raw: bytes, dns: Dns | None = None) -> bool:
    verifier = Verifier(dns or Dns())
    found = verifier.verify(raw, parse(raw).mail, desk(), verifier.budget())
    assert found is not None
    assert not found.failed
    assert found.detail
    return found.passed


def test_a_signature_of_the_from_domain_or_one_above_it_proves_the_sender() -> None:
    assert proven(signed())
    below = MAIL.replace(b"sam@staff.example", b"sam@mail.staff.example")
    assert proven(signed(below, b"staff.example"))


def test_of_several_signatures_one_is_enough() -> None:
    assert proven(signed(signed(), b"list.example"))


@pytest.mark.parametrize(
    "change",
    [
        (b"#close", b"#assign eve"),
        (b"[#123456]", b"[#654321]"),
        (b"Sam <sam", b"Sam <eve"),
        (b"support@desk", b"other@desk"),
    ],
)
def test_whatever_is_changed_after_signing_breaks_it(change: tuple[bytes, bytes]) -> None:
    raw = signed().replace(*change)
    verifier = Verifier(Dns())
    found = verifier.verify(raw, parse(raw).mail, desk(agent_acts="authenticated"), verifier.budget())
    assert found is None or not found.passed


@pytest.mark.parametrize(
    "added",
    [
        b"Subject: Re: [#654321] Other\r\n",
        b"From: Eve <eve@evil.example>\r\n",
        b"To: other@desk.example\r\n",
        b"In-Reply-To: <known@desk.example>\r\n",
        b"References: <known@desk.example>\r\n",
        b"Cc: eve@evil.example\r\n",
        b"Content-Type: text/html\r\nContent-Type: text/plain\r\n",
    ],
)
def test_a_replayed_mail_with_a_header_more_proves_nothing(added: bytes) -> None:
    raw = added + signed()
    verifier = Verifier(Dns())
    found = verifier.verify(raw, parse(raw).mail, desk(), verifier.budget())
    assert found is None or not found.passed


def test_a_signature_over_a_part_of_the_text_proves_nothing() -> None:
    assert not proven(signed(length=True))
    assert not proven(signed(length=True) + b"#assign eve\r\n")


def test_a_stranger_cannot_make_us_ask_dns_about_an_agent() -> None:
    dns = Dns()
    assert not proven(signed(domain=b"evil.example"), dns)
    assert not proven(signed(domain=b"example"), dns)
    assert dns.asked == []


def test_a_silent_dns_costs_one_question_and_proves_nothing() -> None:
    dns = Dns(silent=True)
    verifier = Verifier(dns)
    raw = signed()
    for _ in range(3):
        found = verifier.verify(raw, parse(raw).mail, desk(), verifier.budget())
        assert found is not None
        assert not found.passed
        assert "DNS did not answer" in found.detail
    assert len(dns.asked) == 1


def test_answers_are_kept_and_the_budget_of_a_batch_is_never_overdrawn() -> None:
    now = [0.0]
    dns = Dns()
    verifier = Verifier(dns, clock=lambda: now[0])
    raw = signed()
    mail = parse(raw).mail
    budget = verifier.budget()
    now[0] = BATCH_BUDGET + 1
    late = verifier.verify(raw, mail, desk(), budget)
    assert late is not None
    assert not late.passed
    assert dns.asked == []
    for _ in range(5):
        found = verifier.verify(raw, mail, desk(), verifier.budget())
        assert found is not None
        assert found.passed
    assert len(dns.asked) == 1
    now[0] += 301
    verifier.verify(raw, mail, desk(), verifier.budget())
    assert len(dns.asked) == 2


def test_it_looks_only_where_it_can_matter() -> None:
    agents, other = parse(signed()).mail, parse(signed(MAIL.replace(b"sam@", b"ann@"))).mail
    assert can_matter(agents, desk())
    assert not can_matter(agents, desk(verify="off"))
    assert not can_matter(parse(MAIL).mail, desk())
    assert not can_matter(other, desk())
    assert can_matter(other, desk(acknowledge="authenticated"))
    told = parse(b"Authentication-Results: mx.desk.example; dkim=fail\r\n" + signed()).mail
    assert not can_matter(told, desk(authserv_ids=["mx.desk.example"]))
    assert can_matter(told, desk(authserv_ids=["mx.other.example"]))


@pytest.mark.parametrize(
    "header",
    [
        b"DKIM-Signature: v=1; d=staff.example\r\n",
        b"DKIM-Signature: \r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=staff.example; s=s1; h=from:to:subject; bh=!; b=" + b" " * 3000
        + b"!\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=staff.example; s=\xff; h=from:to:subject; bh=QQ==; b=QQ==\r\n",
        b"DKIM-Signature: d=staff.example; h=from:to:subject;" + b" " * MAX_SIGNATURE_HEADER + b"x\r\n",
    ],
)  # fmt: skip
def test_a_broken_signature_proves_nothing_and_raises_nothing(header: bytes) -> None:
    assert not proven(header + MAIL)


def test_the_common_path_imports_no_dkim() -> None:
    code = (
        "import sys, mailticket.work.receive, mailticket.domain.decide;"
        "sys.exit(any(name in sys.modules for name in ('dkim', 'authres', 'dns')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
