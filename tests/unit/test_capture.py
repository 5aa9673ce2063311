"""config/capture.py: one group's text, as `re` finds it, whatever the text does to the pattern."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.config.capture import capture_problem, extractor

CASES = [
    (r"order (\d+)", "My order 4711 is late", "4711"),
    (r"(?i)order[ :#]*([a-z]{2}-\d{4,6})\b", "ORDER: AB-12345.", "AB-12345"),
    (r"(?:invoice|bill) no\. (\w+)", "about bill no. X7 and invoice no. Y8", "X7"),
    (r"(a|ab)c?", "zabc", "a"),
    (r"<(.+?)>", "a <one> <two>", "one"),
    (r"<(.+)>", "a <one> <two>", "one> <two"),
    (r"(?m)^Serial: (.*)$", "Hello,\nSerial: 12 34\nBye", "12 34"),
    (r"(x*)y", "aaay", None),
    (r"(\d{2,3}?)\d*", "12345", "12"),
    (r"(?:(a)|b)+", "ab", "a"),
]


@pytest.mark.parametrize(("pattern", "text", "value"), CASES)
def test_the_group_takes_what_it_stands_for(pattern: str, text: str, value: str | None) -> None:
    assert extractor(pattern).value_in(text) == value


@pytest.mark.parametrize(
    ("pattern", "why"),
    [("order", "exactly one group"), (r"(\d)(\d)", "exactly one group"), ("(", "is not a regular expression"),
     (r"(a)\1", "back reference"), (r"(?=a)(b)", "look-around")],
)  # fmt: skip
def test_what_cannot_take_a_value_is_refused_with_the_reason(pattern: str, why: str) -> None:
    assert why in (capture_problem(pattern) or "")


def test_a_pattern_that_would_keep_backtracking_busy_for_years_ends_at_once() -> None:
    began = time.process_time()
    assert extractor(r"((?:a+)+)b$").value_in("a" * 7_000) is None
    assert extractor(r"((?:a|aa)+)b").value_in("a" * 2_000 + "b") == "a" * 2_000
    assert time.process_time() - began < 3


_PIECES = st.sampled_from(
    ["a", "b", ".", "[ab]", "a?", "b*", "a+", "b+?", "(?:a|b)", "(?:ab|a)", r"\b", "^", "$"]
)
_SOME = st.lists(_PIECES, max_size=3)


@given(_SOME, st.lists(_PIECES, min_size=1, max_size=3), _SOME, st.text("ab ", max_size=12))
def test_it_finds_what_re_finds(before: list[str], inside: list[str], after: list[str], text: str) -> None:
    source = f"{''.join(before)}({''.join(inside)}){''.join(after)}"
    found = re.compile(source).search(text.strip())
    expected = (found.group(1).strip() or None) if found is not None and found.group(1) else None
    assert extractor(source).value_in(text) == expected
