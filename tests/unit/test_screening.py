"""domain/screening.py: who a ban names, which one counts, and that no pattern costs time."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.domain.screening import closest, kind_of, matches, names
from mailticket.domain.sender import BanFacts
from mailticket.errors import Permanent


def ban(pattern: str, action: str = "reject", number: int = 1) -> BanFacts:
    kind, text = kind_of(pattern)
    return BanFacts(number, text, kind, action, "")


@pytest.mark.parametrize(
    ("words", "kind", "kept"),
    [
        ("Spam@Bulk.Example", "address", "spam@bulk.example"),
        ("bulk.example", "domain", "bulk.example"),
        ("@bulk.example", "domain", "bulk.example"),
        (" .Bulk.example. ", "domain", "bulk.example"),
        ("*@bulk.example", "pattern", "*@bulk.example"),
        ("news*@*.example", "pattern", "news*@*.example"),
    ],
)
def test_an_operator_writes_what_is_to_be_banned(words: str, kind: str, kept: str) -> None:
    assert kind_of(words) == (kind, kept)


@pytest.mark.parametrize(
    "words", ["", "*", "*@*", "*.*", "example", "@", "a@b", "two words@x.example", "a\n@x.example"]
)
def test_what_names_nobody_or_everybody_is_refused(words: str) -> None:
    with pytest.raises(Permanent):
        kind_of(words)


@pytest.mark.parametrize(
    ("pattern", "address", "named"),
    [
        ("spam@bulk.example", "spam@bulk.example", True),
        ("spam@bulk.example", "spam@mail.bulk.example", False),
        ("bulk.example", "a@bulk.example", True),
        ("bulk.example", "a@mail.bulk.example", True),
        ("bulk.example", "a@notbulk.example", False),
        ("*@bulk.example", "a@bulk.example", True),
        ("*@bulk.example", "a@mail.bulk.example", False),
        ("news*@*.example", "newsletter@x.example", True),
        ("news*@*.example", "anews@x.example", False),
    ],
)
def test_a_ban_names_what_it_says(pattern: str, address: str, named: bool) -> None:
    assert names(ban(pattern), address) is named


def test_the_most_particular_ban_counts() -> None:
    bans = [
        ban("*@bulk.example", "discard", 1),
        ban("bulk.example", "hold", 2),
        ban("mail.bulk.example", "discard", 3),
        ban("ann@mail.bulk.example", "reject", 4),
    ]
    for address, number in [
        ("ann@mail.bulk.example", 4),
        ("bob@mail.bulk.example", 3),
        ("bob@bulk.example", 2),
    ]:
        found = closest(bans, [address])
        assert found is not None
        assert found.id == number
    assert closest(bans, ["bob@elsewhere.example"]) is None


@given(st.text("ab*", max_size=12), st.text("ab", max_size=12))
def test_a_star_means_what_it_means_everywhere(pattern: str, address: str) -> None:
    assert matches(pattern, address) is fnmatch.fnmatchcase(address, pattern)


def test_many_stars_cost_no_time() -> None:
    assert not matches("*a" * 100 + "b", "a" * 320)
