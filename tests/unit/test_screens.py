"""No mail is wider than the screen it is read on, in a real browser. Skipped where there is none."""

from __future__ import annotations

import pytest

from bench.screens import DESKTOP, PHONE, Page, chromium, pages, too_wide
from mailticket.delivery.catalogue import CATALOGUE

pytestmark = pytest.mark.skipif(chromium() is None, reason="needs Chromium")
CUSTOMERS = [code for code, spec in CATALOGUE.items() if spec.audience == "customer"]


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_no_mail_to_a_customer_overflows(width: int) -> None:
    assert too_wide([page for language in ("de", "ja") for page in pages(language, CUSTOMERS)], width) == []


def test_what_overflows_is_found() -> None:
    assert too_wide([Page("wide", f"<pre>{'x' * 400}</pre>"), Page("fine", "<p>x</p>")], PHONE) != []
