"""AUTH on a listener with accounts: who logs in is written on the mail, and guessing gets slow."""

from __future__ import annotations

import smtplib
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mailticket.intake.accounts import (
    MAX_FAILURES,
    MAX_FAILURES_IN_ALL,
    WINDOW,
    Accounts,
    fits,
    hash_password,
)
from tests.edge.fakes import RecordingStore
from tests.edge.serving import MAIL, SUPPORT, Running, Servers

if TYPE_CHECKING:
    from tests.servers.certificates import Certificates

PASSWORD = "correct horse"


@pytest.fixture
def server(serve: Servers, certificates: Certificates) -> Running:
    """A listener with TLS and one account."""
    return serve(
        tls_certificate=certificates.certificate,
        tls_key=certificates.key,
        accounts={"sam": {"password": hash_password(PASSWORD)}},
    )


def client(server: Running, certificates: Certificates, *, tls: bool = True) -> smtplib.SMTP:
    """A client that has said hello, under TLS unless it is told otherwise."""
    connection = smtplib.SMTP(*server.address, timeout=30)
    if tls:
        connection.starttls(context=certificates.client_context())
    connection.ehlo()
    return connection


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_mail_handed_in_by_an_account_carries_its_name(
    server: Running, store: RecordingStore, certificates: Certificates, mechanism: str
) -> None:
    with client(server, certificates) as connection:
        connection.user, connection.password = "Sam", PASSWORD
        connection.auth(mechanism, getattr(connection, f"auth_{mechanism.lower()}"))
        connection.sendmail("sam@staff.example", [SUPPORT], MAIL)
    with client(server, certificates) as connection:
        connection.sendmail("ann@customer.example", [SUPPORT], MAIL + b"\r\nagain")
    assert [mail.auth_user for mail in store.mails] == ["sam", None]


def test_no_password_is_taken_before_tls(server: Running, certificates: Certificates) -> None:
    with client(server, certificates, tls=False) as connection:
        assert not connection.has_extn("auth")
        assert connection.docmd("AUTH PLAIN AHNhbQBjb3JyZWN0IGhvcnNl")[0] == 538


def test_wrong_passwords_are_refused_and_soon_not_even_looked_at(
    server: Running, certificates: Certificates
) -> None:
    for _ in range(MAX_FAILURES):
        with client(server, certificates) as connection, pytest.raises(smtplib.SMTPAuthenticationError):
            connection.login("sam", "wrong")
    with client(server, certificates) as connection:
        assert connection.docmd("AUTH PLAIN AHNhbQBjb3JyZWN0IGhvcnNl")[0] == 454
        connection.sendmail("ann@customer.example", [SUPPORT], MAIL)


def test_failures_are_counted_for_a_client_and_for_all_and_forgotten_in_time() -> None:
    now = [0.0]
    accounts = Accounts({"sam": PASSWORD}, lambda: now[0])
    for _ in range(MAX_FAILURES):
        assert accounts.may_try("192.0.2.1")
        assert accounts.check("192.0.2.1", b"sam", b"no") is None
    assert not accounts.may_try("192.0.2.1")
    assert accounts.may_try("192.0.2.2")
    for number in range(MAX_FAILURES_IN_ALL):
        accounts.check(f"198.51.100.{number}", b"nobody", b"no")
    assert not accounts.may_try("192.0.2.3")
    now[0] += WINDOW
    assert accounts.may_try("192.0.2.1")
    assert accounts.check("192.0.2.1", b"sam", PASSWORD.encode()) == "sam"


def test_a_hash_fits_its_password_only() -> None:
    stored = hash_password(PASSWORD)
    assert stored != hash_password(PASSWORD)
    assert PASSWORD not in stored
    assert fits(stored, PASSWORD.encode())
    assert fits(PASSWORD, PASSWORD.encode())
    for wrong in (b"", b"wrong", stored.encode()):
        assert not fits(stored, wrong)
    for broken in ("scrypt:", "scrypt::", "scrypt:!:!", "scrypt:AAAA:"):
        assert not fits(broken, b"")


def test_the_command_prints_a_hash_that_fits() -> None:
    command = [sys.executable, "-m", "mailticket", "hash-password"]
    done = subprocess.run(command, input=PASSWORD + "\n", capture_output=True, text=True, check=True)
    assert fits(done.stdout.strip(), PASSWORD.encode())
