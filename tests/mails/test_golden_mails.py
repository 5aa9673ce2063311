"""Every golden mail is read as the .json beside it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailticket.mail.explain import explain_dict
from mailticket.mail.read import read
from tests.mails.golden import FOLDER, differences, expectation, golden_mails

MAILS = golden_mails()


@pytest.mark.parametrize("mail", MAILS, ids=[str(mail.relative_to(FOLDER).with_suffix("")) for mail in MAILS])
def test_the_mail_is_read_as_expected(mail: Path) -> None:
    found = differences(expectation(mail), explain_dict(read(mail.read_bytes())))
    assert not found, "\n".join(found)


def test_every_golden_mail_expects_something() -> None:
    empty = [str(mail) for mail in MAILS if not expectation(mail)]
    assert not empty


def test_every_expectation_belongs_to_a_mail() -> None:
    orphans = [str(path) for path in FOLDER.rglob("*.json") if not path.with_suffix(".eml").exists()]
    assert not orphans
