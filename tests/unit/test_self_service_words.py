"""The one word of a customer's mail, in six languages, and what only looks like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.mail.self_service_words import Wish, one_wish, score_of

MEANT = {
    Wish.STATUS: ["status", "Status.", "STATUS\n", "Stand", "mes tickets", "mis tickets", "estado",
                  "meus tickets", "ステータス"],
    Wish.CLOSE: ["close", "Close!", "*close*", "close\n\nThanks,\nAnn", "please close this ticket",
                 "Hello,\nclose\nKind regards\nAnn Customer", "schließen", "SCHLIESSEN", "Schließen.\n\nMfG",
                 "fermer", "Clôturer le ticket", "cerrar", "fechar", "encerrar", "完了", "完了。",
                 "ｃｌｏｓｅ"],
    Wish.REOPEN: ["reopen", "wieder öffnen", "rouvrir", "reabrir", "再開"],
    Wish.SOLVED: ["solved", "Gelöst", "gelöst 👍", "Résolu", "resuelto", "resolvido",
                  "解決しました"],
    Wish.BROKEN: ["still broken", "nicht gelöst", "pas résolu", "no resuelto", "não resolvido", "未解決"],
}  # fmt: skip
NEAR_MISSES = [
    "close?", "Can you close it?", "Please close the window, it is cold.", "close the other one",
    "do not close",
    "not solved, close to it", "close\nbut only if the other one is solved", "close\nsolved", "closed today",
    "I close at six.", "the status is bad", "Status: 500 on every page", "status?", "open", "3", "done",
    "bitte nicht schließen", "schließen Sie das Fenster", "wann schließen Sie?", "Der Status ist rot",
    "ne pas fermer", "fermer la porte", "c'est fermé", "quel est le statut ?", "no cerrar",
    "cerrar la puerta",
    "está cerrado", "não fechar", "fechar a porta", "estado de São Paulo", "完了していません",
    "まだ完了ではない",
    "完了しましたか？", "", "\n\n", "close " * 30, "close\n" * 20, "\n".join(["thanks"] * 5),
    "close\nFrom: Bob\nTo: Ann",
]  # fmt: skip


@pytest.mark.parametrize(("wish", "text"), [(wish, text) for wish, texts in MEANT.items() for text in texts])
def test_the_word_alone_is_understood(wish: Wish, text: str) -> None:
    assert one_wish(text, "Ann Customer") is wish


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_the_word_in_a_sentence_is_text(text: str) -> None:
    assert one_wish(text, "Ann Customer") is None


@given(st.text(max_size=80))
def test_words_beside_it_make_it_text(words: str) -> None:
    if any(char.isalpha() for char in words) and one_wish(f"close\n{words}") is not None:
        assert one_wish(words) is None
        assert len(words) < 60


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5", (5, "")),
        ("4/5\n\nQuick, thanks.", (4, "Quick, thanks.")),
        ("★★★☆☆", (3, "")),
        ("１", (1, "")),
        ("5!", (5, "")),
        ("6", None),
        ("0", None),
        ("55", None),
        ("5 doors", None),
        ("room 5", None),
        ("", None),
        ("3 or 4", None),
    ],
)
def test_a_score_stands_alone_in_the_first_line(text: str, found: tuple[int, str] | None) -> None:
    assert score_of(text) == found
