"""mail/gratitude.py: what is a thanks and nothing else, and above all what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.mail.gratitude import MOST_CHARACTERS, gratitude

NAMES = ("Ann Customer", "Sam Support", "Erika Mustermann", "山田太郎")

THANKS = {
    "en": [
        "Thanks!",
        "Thank you.",
        "thx",
        "Many thanks, Ann",
        "Cheers",
        "Thank you so much for your help!",
        "Hi Sam,\n\nthanks a lot, it works now.\n\nBest regards,\nAnn Customer",
        "Perfect, thank you!",
        "Thanks again for the quick reply.",
        "Great support, much appreciated.",
        "Thanks :-)",
        "THANK YOU!!!",
        "Thank you 🙏",
        "Ok, thanks.",
        "Dear team, thank you very much. Have a nice weekend",
        "Solved, thanks!",
        "thanks\n\nSent from my iPhone",
    ],
    "de": [
        "Danke!",
        "Vielen Dank.",
        "Danke schön, Sam!",
        "Herzlichen Dank für die schnelle Hilfe!",
        "Hallo Sam,\n\nsuper, vielen Dank! Jetzt funktioniert alles wieder.\n\nViele Grüße\nErika Mustermann",
        "Prima, danke euch.",
        "Besten Dank und freundliche Grüße",
        "Es klappt, danke!",
        "Danke, alles gut.",
        "Ich bedanke mich für Ihre Unterstützung.",
        "Perfekt, danke sehr. LG Erika",
    ],
    "fr": [
        "Merci !",
        "Merci beaucoup.",
        "Bonjour,\n\nmerci pour votre aide rapide.\n\nCordialement,\nAnn",
        "Parfait, merci.",
        "Un grand merci à toute l'équipe !",
        "Je vous remercie.",
        "Super, merci bien",
        "C'est parfait, merci. Bonne journée",
    ],
    "es": [
        "¡Gracias!",
        "Muchas gracias.",
        "Hola Sam, muchas gracias por su ayuda. Saludos, Ann",
        "Perfecto, gracias.",
        "Ya funciona, mil gracias.",
        "Se agradece.",
        "Gracias por la pronta respuesta",
    ],
    "pt": [
        "Obrigado!",
        "Muito obrigada.",
        "Bom dia, muito obrigado pela ajuda.",
        "Ok, obrigado.",
        "Perfeito, agradeço a atenção.",
        "Já está resolvido, obrigada!",
        "Valeu!",
    ],
    "ja": [
        "ありがとうございます。",
        "ありがとうございました！",
        "迅速なご対応ありがとうございます。",
        "お世話になっております。\nご回答いただきありがとうございました。",
        "無事解決しました。ありがとうございます。",
        "助かりました。",
        "早速のご返信、誠にありがとうございます。今後ともよろしくお願いいたします。\n山田太郎",
    ],
}
NEAR_MISSES = {
    "en": [
        "Thanks, but it still fails.",
        "Thank you, however the printer is dead",
        "Thanks for nothing",
        "Thanks, can you also reset Bob's password?",
        "Thank you. One more question",
        "No thanks",
        "Thanks, that did not help",
        "Thanks - doesn't work",
        "Thanks, it works now except on Mondays",
        "Thanks! See https://pics.customer.example/1",
        "Thanks, my number is 0123 456",
        "Thanks, error 503 again",
        "Thanks, when will it be done",
        "Thanks, please call me",
        "ok",
        "It works",
        "Great!",
        "Reopen",
        "",
        "Thanks, I will try tomorrow",
        "Thank you, I am waiting",
        "Thanks, reopen",
        "Thank you for your patience",
        "Thanks in advance",
        "Thank you, is everything solved now",
        "Thanks, looking forward to your answer",
        "thanks?",
        "Thanks, bob@customer.example",
        "It was working, thanks, until today",
        "Thanks yet it hangs",
        "Thanks. Still nothing",
    ],
    "de": [
        "Danke, aber es geht noch immer nicht.",
        "Vielen Dank, leider hilft das nicht",
        "Nein danke",
        "Danke, können Sie das auch für Bob machen",
        "Danke, ich warte noch",
        "Danke, wann kommt der Techniker?",
        "Danke für nichts",
        "Danke, jetzt ist ein anderer Fehler da",
        "Bitte um Rückruf, danke",
        "Alles gut",
        "Danke, ich probiere es morgen aus",
        "Vielen Dank im Voraus für Ihre baldige Prüfung",
        "Danke, nur druckt er nicht",
        "Danke, funktioniert weiterhin nicht",
        "Danke. Vertrag 4711",
        "Danke, doch kaputt",
    ],
    "fr": [
        "Merci, mais cela ne fonctionne toujours pas.",
        "Merci, j'ai encore une question",
        "Non merci",
        "Merci de me rappeler",
        "Merci, quand sera-ce fait ?",
        "Merci d'avance pour la correction",
        "Merci, malheureusement rien",
        "Merci, c'est pas bon",
        "Merci, toujours en panne",
    ],
    "es": [
        "Gracias, pero no funciona.",
        "Gracias, todavía falla",
        "No, gracias",
        "Gracias, ¿cuándo estará?",
        "Gracias, aún espero",
        "Gracias, una pregunta",
        "Gracias, por favor llámeme",
        "Gracias a nadie por nada",
    ],
    "pt": [
        "Obrigado, mas ainda não funciona.",
        "Obrigada, porém continua",
        "Não, obrigado",
        "Obrigado, quando fica pronto?",
        "Obrigado, tenho uma dúvida",
        "Obrigada, falta um item",
        "Obrigado, por favor ligue",
        "Obrigado, ainda espero",
    ],
    "ja": [
        "ありがとうございます。しかし、まだ動きません。",
        "ありがとうございますが、解決していません。",
        "ありがとうございます。いつ届きますか？",
        "ありがとうございます。もう一度試します。",
        "ありがとうございます。別の質問があります。",
        "よろしくお願いいたします。",
        "ご確認ください。ありがとうございます。",
        "ありがとうございます。エラーが出ます。",
        "了解しました。",
    ],
    "mixed": [
        "Danke, but it fails",
        "Merci, aber nein",
        "Gracias, still broken",
        "Спасибо",
        "Thanks, ありがとう, まだです",
    ],
}


@pytest.mark.parametrize(
    ("language", "text"), [(key, text) for key, texts in THANKS.items() for text in texts]
)
def test_a_mere_thanks_is_one_and_its_words_are_named(language: str, text: str) -> None:
    found = gratitude(text, NAMES)
    assert found is not None
    assert found.said in text.casefold()
    assert language == found.language or (language, found.language) == ("fr", "de")  # merci is said in both


@pytest.mark.parametrize("text", [text for texts in NEAR_MISSES.values() for text in texts])
def test_whatever_says_more_is_none(text: str) -> None:
    assert gratitude(text, NAMES) is None


def test_a_file_beside_it_makes_it_none() -> None:
    assert gratitude("Thanks!") is not None
    assert gratitude("Thanks!", files=1) is None


def test_a_long_text_is_none_however_thankful() -> None:
    assert gratitude("thanks " * 20) is not None
    assert gratitude("thanks " * 31) is None
    assert gratitude("Thanks" + "!" * MOST_CHARACTERS) is None


def test_a_name_nobody_has_here_makes_it_none() -> None:
    assert gratitude("Thanks, Bartholomew", NAMES) is None


@given(
    st.sampled_from([text for texts in THANKS.values() for text in texts]),
    st.sampled_from(
        [
            "but",
            "still",
            "not",
            "never",
            "aber",
            "nicht",
            "leider",
            "pas",
            "pero",
            "no",
            "mas",
            "não",
            "しかし",
            "ません",
        ]
    ),
)
def test_no_doubt_is_ever_overheard(thanks: str, doubt: str) -> None:
    assert gratitude(f"{thanks} {doubt}", NAMES) is None
    assert gratitude(f"{doubt} {thanks}", NAMES) is None


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    gratitude(text, NAMES)
