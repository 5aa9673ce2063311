"""config/pattern.py: the same answers as `re`, without its bad days."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailticket.config.pattern import Pattern, compile_pattern, regex_problem

HOSTILE = [
    (r"(a+)+$", "a" * 60_000 + "!"),
    (r"^(a|a)*$", "a" * 60_000 + "!"),
    (r"(a|aa)+$", "a" * 60_000 + "!"),
    (r"^([a-zA-Z]+)*$", "a" * 60_000 + "!"),
    (r"(.*a){12}$", "a" * 60_000 + "!"),
    (r".*order.*number.*urgent", "order number " * 5_000),
    (r"^(\w+\s?)*$", "word " * 12_000 + "!"),
    (r"\s*#?\s*\d+", "x" + " " * 60_000 + "x"),
    (r"a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?aaaaaaaaaaaaaaaaaaaaaab", "a" * 60_000),
    (r"(x+x+)+y", "x" * 60_000),
    (r".{0,80}x.{0,80}y", "x" * 60_000),
]


@pytest.mark.parametrize(("pattern", "text"), HOSTILE)
def test_patterns_that_hang_a_backtracking_search_answer(pattern: str, text: str) -> None:
    # A backtracking search would not come back before the time limit every test has.
    assert compile_pattern(pattern).found_in(text) is False


LETTERS = "aB1_ \n.é"
_ATOMS = [
    "a",
    "B",
    "1",
    " ",
    ".",
    r"\.",
    r"\d",
    r"\w",
    r"\s",
    r"\W",
    "[aB]",
    "[^a]",
    r"[\d_]",
    "[]a]",
    r"\n",
    r"\x61",
    "é",
]
_ASSERTS = ["^", "$", r"\b", r"\A", r"\Z", r"\B"]
_COUNTS = ["*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,}", "{,2}", "{1,3}?"]


def _bigger(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.lists(st.one_of(children, st.sampled_from(_ASSERTS)), min_size=1, max_size=4).map("".join),
        st.lists(children, min_size=1, max_size=3).map(lambda options: f"({'|'.join(options)})"),
        st.tuples(children, st.sampled_from(_COUNTS)).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
    )


patterns = st.tuples(
    st.sampled_from(["", "", "(?i)", "(?m)", "(?s)", "(?ims)", "(?a)"]),
    st.recursive(st.sampled_from(_ATOMS), _bigger, max_leaves=8),
).map("".join)


@settings(max_examples=1500, deadline=None, database=None)
@given(patterns, st.lists(st.text(LETTERS, min_size=1, max_size=12), min_size=1, max_size=6))
def test_every_pattern_is_found_exactly_where_re_finds_it(source: str, texts: list[str]) -> None:
    problem = regex_problem(source)
    if problem is not None:
        assert "written out" in problem
        return
    pattern = Pattern(source)
    for text in texts:
        # Blanks around a text do not count; and \B in an empty text is another matter in every Python.
        inner = text.strip()
        if inner:
            assert pattern.found_in(text) is (re.search(source, inner) is not None), inner


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("outage|down", "The line is down again", True),
        ("outage|down", "The line is Down again", False),
        ("(?i)outage|down", "The line is DOWN again", True),
        (r"^\[alert\]", "[alert] disk full", True),
        (r"^\[alert\]", "Re: [alert] disk full", False),
        (r"order\s*#?\s*\d{4,}", "my order # 12345 is late", True),
        (r"order\s*#?\s*\d{4,}", "my order # 123 is late", False),
        (r"(?s)invoice.*overdue", "invoice 7\nis long\noverdue", True),
        (r"invoice.*overdue", "invoice 7\nis long\noverdue", False),
        (r"(?m)^stop$", "please\nstop\nthis", True),
        (r"\bcat\b", "concatenate", False),
        (r"\bcat\b.*", "the cat sat", True),
        (r"(?P<year>20\d\d)-\d+", "due 2026-06", True),
        (r"ÄRGER+", "ÄRGERRR", True),
        (r"(?i)ärger+", "ÄRGERRR", True),
        (r"x*", "", True),
        (r"\d+$", "room 12  \n", True),
    ],
)
def test_what_operators_write_means_what_they_expect(pattern: str, text: str, found: bool) -> None:
    assert compile_pattern(pattern).found_in(text) is found


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", "not a regular expression"),
        ("a{99999999999}", "not a regular expression"),
        ("(a)\\1", "back reference"),
        ("(?P<n>a)(?P=n)", "not supported"),
        ("a(?=a)b", 'uses "(?=a";'),
        ("(?<!a)b", "not supported"),
        ("(?>a*)b", "not supported"),
        ("a*+b", "possessive"),
        ("a(?i:b)", "not supported"),
        ("(?x)a b", 'flag "x"'),
        ("a" * 1001, "longer than 1000"),
        ("(.{0,80}){0,80}", "written out"),
        ("(" * 25 + "a" + ")" * 25, "nested deeper"),
    ],
)
def test_what_cannot_be_searched_for_safely_is_refused_in_words(pattern: str, words: str) -> None:
    problem = regex_problem(pattern)
    assert problem is not None
    assert words in problem


def test_a_good_pattern_has_no_problem() -> None:
    assert regex_problem("(" * 20 + "a" + ")" * 20) is None
    assert regex_problem("(a)(b)" * 20) is None
    assert regex_problem(r"(?i)order\s*#?\d+") is None


def test_a_pattern_that_meets_more_states_and_letters_than_it_remembers_still_answers_right() -> None:
    source = r"(?s)a.{9}b.*z"
    pattern = Pattern(source)
    tail = "".join("ab"[(number * number // 7) % 2] for number in range(40_000))
    text = "".join(map(chr, range(0x3400, 0x9000))) + tail
    assert pattern.found_in(text) is False
    assert pattern.found_in(text + "z") is True
