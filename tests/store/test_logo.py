"""The logo of a department: along with its mails to customers, and with no other."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from sqlalchemy import Engine

from mailticket.config.desk import Department
from mailticket.config.logo import LARGEST_LOGO
from tests.scenario.simulated import written
from tests.store.small_desk import SAM, SUPPORT, SmallDesk, small_desk
from tests.unit.config_samples import SMALL, problems_of

ANN = "ann@customer.example"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def logo(tmp_path: Path) -> Path:
    file = tmp_path / "logo.png"
    file.write_bytes(PNG)
    return file


@pytest.fixture
def desk(engine: Engine, logo: Path) -> SmallDesk:
    found = small_desk()
    home: Department = found.departments["support"].model_copy(update={"logo": logo, "logo_alt": "The Bank"})
    return SmallDesk(engine, found.model_copy(update={"departments": {"support": home}}))


def test_a_customers_mail_brings_the_logo_and_shows_it(desk: SmallDesk) -> None:
    desk.receive(written("Portal", "Please help me", to=SUPPORT), sender=ANN)
    (mail,) = desk.to(ANN)
    (image,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert image.get_payload(decode=True) == PNG
    assert image["Content-Disposition"].content_disposition == "inline"
    page = mail.get_body(("html",))
    assert page is not None
    cid = str(image["Content-ID"]).strip("<>")
    assert f'<img src="cid:{cid}" alt="The Bank"' in page.get_content()
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png",
    ]  # fmt: skip


def test_an_agents_mail_has_none(desk: SmallDesk) -> None:
    desk.receive(written("Portal", "Please help me", to=SUPPORT), sender=ANN)
    (alert,) = desk.to(SAM)
    assert "image/png" not in [part.get_content_type() for part in alert.walk()]


def test_a_logo_that_is_gone_costs_no_mail(desk: SmallDesk, logo: Path) -> None:
    logo.unlink()
    desk.receive(written("Portal", "Please help me", to=SUPPORT), sender=ANN)
    (mail,) = desk.to(ANN)
    assert "image/png" not in [part.get_content_type() for part in mail.walk()]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (None, "cannot be read"),
        (b"<svg></svg>", "is no PNG, JPEG or GIF image"),
        (PNG + os.urandom(LARGEST_LOGO), "a logo goes with every mail"),
    ],
)
def test_what_cannot_be_a_logo_is_refused_when_the_configuration_is_read(
    tmp_path: Path, data: bytes | None, problem: str
) -> None:
    if data is not None:
        (tmp_path / "brand.img").write_bytes(data)
    text = SMALL.replace("[departments.support]\n", '[departments.support]\nlogo = "brand.img"\n')
    found = problems_of(tmp_path, text)
    assert [problem in str(one) for one in found] == [True]
