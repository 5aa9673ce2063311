"""mail/mailto.py: links that every client opens as they were meant (RFC 6068)."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from mailticket.mail.mailto import mailto_link


def test_a_link_opens_a_mail_with_address_subject_and_text() -> None:
    link = mailto_link("support+abc@desk.example", "Take ticket 1, now & here", "Two\nlines + more")
    assert link == (
        "mailto:support+abc@desk.example?subject=Take%20ticket%201%2C%20now%20%26%20here"
        "&body=Two%0D%0Alines%20%2B%20more"
    )


def test_what_is_empty_is_left_out() -> None:
    assert mailto_link("a@desk.example", "", "") == "mailto:a@desk.example"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])))
def test_any_subject_comes_through(subject: str) -> None:
    parts = urlsplit(mailto_link("a+b@desk.example", subject, ""))
    assert unquote(parts.path) == "a+b@desk.example"
    assert parse_qs(parts.query.replace("+", "%2B"), keep_blank_values=True).get("subject", [""]) == [subject]
    assert parts.fragment == ""
    assert not set(parts.query) & set(' "<>')
