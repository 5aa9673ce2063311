"""What lines of a mail to the console ask for; anything else stops all of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.domain.by_number import examples
from mailticket.domain.console import contradictions, read_console, spelled_out, texts_by_number
from tests.store.small_desk import small_desk

DESK = small_desk()


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("2 assign sam", {"2": "#assign sam"}),
        ("2 #assign sam", {"2": "#assign sam"}),
        ("#2 assign sam", {"2": "#assign sam"}),
        ("2: close", {"2": "#close"}),
        ("3,5 close", {"3": "#close", "5": "#close"}),
        ("3 and 5 close", {"3": "#close", "5": "#close"}),
        ("2-4 priority normal", dict.fromkeys("234", "#priority normal")),
        ("2 – 4 take", dict.fromkeys("234", "#take")),
        ("2 to 3, 7 take", dict.fromkeys("237", "#take")),
        ("1 take\n1 close", {"1": "#take\n#close"}),
        ("1 note she called", {"1": "#note she called"}),
        ("482913 take", {"482913": "#take"}),
        ("#ACME-2026-482913 take", {"ACME-2026-482913": "#take"}),
        ("2026-482913, t4829 take", {"2026-482913": "#take", "T4829": "#take"}),
        ("1 take\n\nThanks!\nSam", {"1": "#take"}),
        ("all close", {"all": "#close"}),
        ("All: #priority normal", {"all": "#priority normal"}),
        ("1 take\n\nAll the best\nSam", {"1": "#take"}),
    ],
)
def test_numbers_with_a_command(text: str, asked: dict[str, str]) -> None:
    found = read_console(text, DESK)
    assert found.problems == ()
    assert texts_by_number(found.lines) == asked


def test_all_stands_for_every_number_of_the_answered_mail() -> None:
    found = read_console("all tag flood\n2 take", DESK)
    assert texts_by_number(spelled_out(found.lines, 3)) == {
        "1": "#tag flood", "2": "#tag flood\n#take", "3": "#tag flood",
    }  # fmt: skip
    (problem,) = contradictions(spelled_out(read_console("all close\n2 reopen", DESK).lines, 3), DESK)
    assert "number 2" in problem.reason


def test_the_examples_of_a_mail_are_lines_that_it_understands() -> None:
    for count in (1, 2, 7):
        shown = examples(count, DESK, "sam")
        for line in shown:
            found = read_console(line, DESK)
            assert (found.problems, len(found.lines)) == ((), 1), line
            numbers = {int(one) for one in spelled_out(found.lines, count)[0].numbers}
            assert numbers <= set(range(1, count + 1))
    assert examples(0, DESK, "sam") == ()
    assert examples(9, DESK, "sam", free=4)[0].startswith("4 assign ")


@pytest.mark.parametrize(
    ("text", "kind", "argument"),
    [
        ("", "list", "mine"),
        ("list", "list", "mine"),
        ("#list overdue", "list", "overdue"),
        ("List: department:support since:7d", "list", "department:support since:7d"),
        ("#search paper jam", "search", "paper jam"),
        ("find paper", "search", "paper"),
        ("show 482913", "show", "482913"),
        ("show [#acme-482913]", "show", "ACME-482913"),
        ("2 show", "show", "2"),
        ("#history 482913", "show", "482913"),
        ("2 log", "show", "2"),
    ],
)
def test_what_an_agent_wants_to_see(text: str, kind: str, argument: str) -> None:
    found = read_console(text, DESK)
    assert [(look.kind, look.argument) for look in found.looks] == [(kind, argument)]


@pytest.mark.parametrize(
    "text",
    [
        "hello", "1", "1 hello", "1 asign sam", "1 assign nobody", "1 priority", "1 reply", "1 help",
        "4-2 take", "#", "1 #", "1: #",
        "1 take\nhello", "1 take\n1 unassign", "show", "show me", "search", "1-999 take", "#frobnicate",
        "1 take\n\n2 frobnicate", "1 take\n\n#frobnicate", "\n".join(f"{n} take" for n in range(1, 150)),
    ],
)  # fmt: skip
def test_anything_else_is_a_problem(text: str) -> None:
    assert read_console(text, DESK).problems


@given(st.text(alphabet="0123456789#,-–&and toclsexhwi\n .:", max_size=80) | st.text(max_size=80))
def test_no_text_breaks_it(text: str) -> None:
    read_console(text, DESK)
