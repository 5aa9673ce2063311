"""Terms: what of a text is found by what question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.domain.terms import Asked, Question, question, snippet, terms


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The Printer's broken!", ["the", "printer", "s", "broken"]),
        ("Müller STRASSE Straße", ["muller", "strasse", "strasse"]),
        ("u\u0308ber über ÜBER", ["uber", "uber", "uber"]),
        ("Łódź œuvre Ærø İstanbul", ["lodz", "oeuvre", "aero", "istanbul"]),
        ("ｐｒｉｎｔ ｶﾀｶﾅ", ["print", "カタ", "タカ", "カナ", "ナ"]),
        ("印刷機が故障", ["印刷", "刷機", "機が", "が故", "故障", "障"]),
        ("PC本体 123", ["pc", "本体", "体", "123"]),
        ("프린터 고장", ["프린", "린터", "터", "고장", "장"]),
        ("Привет, ёлка", ["привет", "елка"]),
        ("bob@customer.example error_404", ["bob", "customer", "example", "error", "404"]),
        ("", []),
        ("?!… ---", []),
    ],
)
def test_a_text_has_these_terms(text: str, found: list[str]) -> None:
    assert terms(text) == found


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("printer", [Asked(("printer",))]),
        ("Drucker kaputt", [Asked(("drucker",)), Asked(("kaputt",))]),
        ('"paper jam" tray', [Asked(("paper", "jam")), Asked(("tray",))]),
        ("“paper jam”", [Asked(("paper", "jam"))]),
        ('"paper jam', [Asked(("paper", "jam"))]),
        ("print*", [Asked(("print",), prefix=True)]),
        ('"paper ja"*', [Asked(("paper", "ja"), prefix=True)]),
        ("printer -scanner", [Asked(("printer",)), Asked(("scanner",), without=True)]),
        ('printer -"paper jam"', [Asked(("printer",)), Asked(("paper", "jam"), without=True)]),
        ("bob@customer.example", [Asked(("bob", "customer", "example"))]),
        ("e-mail", [Asked(("e", "mail"))]),
        ("印刷機", [Asked(("印刷", "刷機"))]),
        ("機", [Asked(("機",), prefix=True)]),
        ("PC本体", [Asked(("pc",)), Asked(("本体",))]),
    ],
)
def test_words_ask_for_these_terms(typed: str, asked: list[Asked]) -> None:
    found = question(typed)
    assert found is not None
    assert list(found.asked) == asked


@pytest.mark.parametrize(
    "typed", ["", "   ", '"', '""', "*", "-", "-printer", '-"a b"', "()", "#!?", "- - *"]
)
def test_these_ask_for_nothing(typed: str) -> None:
    assert question(typed) is None


def harmless(term: str) -> bool:
    """Neither empty, nor anything of ASCII but letters and digits, nor a blank of any kind."""
    return bool(term) and not any(char.isspace() or (char.isascii() and not char.isalnum()) for char in term)


@given(st.text(max_size=300))
def test_no_words_break_the_reading_of_a_question(typed: str) -> None:
    found = question(typed)
    for one in found.asked if found else ():
        assert one.terms
        assert all(harmless(term) for term in one.terms)


@given(st.text(max_size=300))
def test_no_term_holds_anything_a_database_reads_as_syntax(text: str) -> None:
    assert all(harmless(term) for term in terms(text))


@given(st.text(min_size=1, max_size=30).filter(lambda text: question(text.replace("-", "")) is not None))
def test_a_text_has_every_term_it_asks_for_itself(text: str) -> None:
    found = question(text.replace("-", " ").replace('"', " ").replace("*", " "))
    there = terms(text)
    for one in found.asked if found else ():
        for term in one.terms:
            assert any(word == term or (one.prefix and word.startswith(term)) for word in there)


def marked(text: str, typed: str) -> str:
    asked = question(typed)
    assert asked is not None
    return "".join(f"[{piece.text}]" if piece.hit else piece.text for piece in snippet(text, asked, 20))


@pytest.mark.parametrize(
    ("text", "typed", "said"),
    [
        ("The Printer is broken", "printer", "The [Printer] is broken"),
        ("The Drücker", "drucker", "The [Drücker]"),
        ("Dru\u0308cker", "drucker", "[Drücker]"),
        ("printers print", "print*", "[printers] [print]"),
        ("新しい印刷機が故障", "印刷機", "新しい[印刷機]が故障"),
        ("nothing here", "printer", "nothing here"),
        (
            "a long line before the word printer and a much longer line behind it, too",
            "printer",
            "…before the word [printer] and a much longer line behind…",
        ),
    ],
)
def test_the_snippet_shows_the_hit(text: str, typed: str, said: str) -> None:
    assert marked(text, typed) == said


@given(st.text(max_size=200), st.text(max_size=30))
def test_a_snippet_never_fails(text: str, typed: str) -> None:
    asked = question(typed) or Question((Asked(("a",)),))
    assert all(piece.text for piece in snippet(text, asked))
