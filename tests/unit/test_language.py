"""In which language somebody is answered: what a mail tells of its writer, and what is made of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.domain.person import CHOSEN, language_for, language_of
from mailticket.domain.sender import PersonFacts
from mailticket.mail.language_words import STOP_WORDS
from mailticket.mail.read import read
from mailticket.mail.types import Writer
from mailticket.mail.writer import spoken_language
from tests.store.small_desk import small_desk

LONG = {
    "en": "Hello, since this morning I cannot log in to the portal. When I enter my password, the page "
    "says that it has expired, but I changed it only last week. Could you please have a look? "
    "Thank you and kind regards",
    "de": "Guten Tag, seit heute morgen kann ich mich nicht mehr im Portal anmelden. Wenn ich mein "
    "Passwort eingebe, heißt es, dass es abgelaufen ist, aber ich habe es erst letzte Woche "
    "geändert. Vielen Dank und freundliche Grüße",
    "fr": "Bonjour, depuis ce matin je ne peux plus me connecter au portail. Quand je saisis mon mot de "
    "passe, la page dit qu'il a expiré, mais je l'ai changé la semaine dernière. Merci beaucoup, "
    "cordialement",
    "es": "Buenos días, desde esta mañana no puedo entrar en el portal. Cuando pongo mi contraseña, la "
    "página dice que ha caducado, pero la cambié la semana pasada. Muchas gracias por su ayuda, "
    "un saludo",
    "pt": "Bom dia, desde hoje de manhã não consigo entrar no portal. Quando coloco a minha senha, a "
    "página diz que ela expirou, mas eu troquei na semana passada. Muito obrigado pela ajuda",
    "ja": "お世話になっております。今朝からポータルにログインできません。パスワードを入力すると、有効"
    "期限が切れていると表示されます。ご確認をお願いいたします。",
    "it": "Buongiorno, da questa mattina non riesco più ad accedere al portale. Quando inserisco la "
    "password, la pagina dice che è scaduta, ma io la ho cambiata la settimana scorsa. Grazie "
    "mille e cordiali saluti",
    "nl": "Goedendag, sinds vanmorgen kan ik niet meer inloggen op het portaal. Als ik mijn wachtwoord "
    "invul, zegt de pagina dat het verlopen is, maar ik heb het vorige week nog veranderd. Met "
    "vriendelijke groet",
}
SHORT = [
    ("I cannot log in, please help me", "en"),
    ("Hallo, mein Drucker druckt nicht mehr. Danke", "de"),
    ("Bonjour, je n'arrive pas à me connecter. Merci", "fr"),
    ("Hola, no puedo entrar en mi cuenta. Gracias", "es"),
    ("Olá, não consigo entrar na minha conta. Obrigado", "pt"),
    ("ログインできません。", "ja"),
    ("Buongiorno, non riesco ad accedere al mio conto", "it"),
    ("Hallo, ik kan niet inloggen. Bedankt", "nl"),
]
SILENT = [
    "", "help", "ok", "4711", "Login", "Error 503: service unavailable",
    "我忘记了密码，请帮忙。", "비밀번호를 잊었습니다",
    "Traceback: File in module raise ValueError for x in range(10) print y return z if None class Foo",
    "https://the.and.you.example/is/this/that/for/with the-and@you.example",
    "and and and and and and and and and", "danke thanks merci gracias",
]  # fmt: skip


@pytest.mark.parametrize("language", LONG)
def test_a_text_of_some_length_is_known_beyond_doubt(language: str) -> None:
    assert spoken_language(LONG[language]) == (language, True)


@pytest.mark.parametrize(("text", "language"), SHORT)
def test_a_short_text_is_known_but_not_beyond_doubt(text: str, language: str) -> None:
    assert spoken_language(text) == (language, False)


@pytest.mark.parametrize("text", SILENT)
def test_a_text_with_too_little_evidence_says_nothing(text: str) -> None:
    assert spoken_language(text) == (None, False)


@given(st.lists(st.sampled_from(sorted(set().union(*STOP_WORDS.values()))), max_size=200))
def test_a_language_is_only_named_when_its_words_lead(words: list[str]) -> None:
    found, _ = spoken_language(" ".join(words))
    if found is not None:
        votes = {name: sum(word in known for word in set(words)) for name, known in STOP_WORDS.items()}
        assert votes[found] > 0


@given(st.text(max_size=500))
def test_any_text_can_be_asked(text: str) -> None:
    spoken_language(text)


def mail(headers: str = "", body: str = "x") -> Writer:
    return read(f"From: a@b.example\r\n{headers}Subject: x\r\n\r\n{body}\r\n".encode()).writer


@pytest.mark.parametrize(
    ("headers", "declared"),
    [
        ("Content-Language: de-DE\r\n", "de-DE"),
        ("Content-Language: DE-at, en\r\n", "de-AT"),
        ("Accept-Language: en-US;q=0.5, fr-FR, de;q=0.8\r\n", "fr-FR"),
        ("Accept-Language: en\r\nContent-Language: ja\r\n", "ja"),
        ("Content-Language: zh-Hant-TW\r\n", "zh-TW"),
        ("Content-Language: und\r\nAccept-Language: pt-BR\r\n", "pt-BR"),
        ("Content-Language: ;;;,*\r\n", None),
        ("Accept-Language: fr;q=0\r\n", None),
        ("Content-Language: " + "de," * 10_000 + "\r\n", "de"),
        ("", None),
    ],
)
def test_the_declared_language_is_the_best_tag_of_the_headers(headers: str, declared: str | None) -> None:
    assert mail(headers).declared == declared


@pytest.mark.parametrize(
    ("date", "minutes"),
    [
        ("Sat, 21 Nov 2026 10:00:00 +0530", 330),
        ("Sat, 21 Nov 2026 10:00:00 -0800 (PST)", -480),
        ("Sat, 21 Nov 2026 10:00 +0100", 60),
        ("Sat, 21 Nov 2026 10:00:00 +0000", None),
        ("Sat, 21 Nov 2026 10:00:00 -0000", None),
        ("Sat, 21 Nov 2026 10:00:00 GMT", None),
        ("Sat, 21 Nov 2026 10:00:00 +9900", None),
        ("nonsense +0100", None),
    ],
)
def test_the_clock_of_the_writer_is_read_from_the_date(date: str, minutes: int | None) -> None:
    assert mail(f"Date: {date}\r\n").utc_offset == minutes


def test_quoted_text_has_no_vote() -> None:
    quoted = "".join(f"> {line}\r\n" for line in (LONG["en"], LONG["en"]))
    answer = f"Hallo, mein Drucker druckt nicht mehr.\r\n\r\nOn Mon, Nov 2, 2026 Support wrote:\r\n{quoted}"
    assert mail("In-Reply-To: <x@y.example>\r\n", answer).spoken == "de"


@pytest.mark.parametrize(
    ("writer", "kept", "kept_from", "answered"),
    [
        # declared, remembered, text, and nothing
        (Writer("fr", "de", False), "es", "header", ("fr", "header")),
        (Writer(None, "de", False), "es", "header", ("es", "header")),
        (Writer(None, "de", False), None, None, ("de", "text")),
        (Writer(None, None, False), None, None, None),
        # beyond doubt
        (Writer("en-US", "de", True), None, None, ("de", "text")),
        (Writer("de-AT", "de", True), None, None, ("de-AT", "header")),
        (Writer(None, "de", True), "en", "text", ("de", "text")),
        # somebody's choice
        (Writer(None, "de", True), "en", CHOSEN, ("en", CHOSEN)),
    ],
)
def test_the_language_is_the_first_that_anything_tells(
    writer: Writer, kept: str | None, kept_from: str | None, answered: tuple[str, str] | None
) -> None:
    found = language_of(writer, PersonFacts(kept, kept_from))
    assert (None if found is None else (found.tag, found.known_from)) == answered


def test_without_anything_told_it_is_the_departments_language_and_then_the_desks() -> None:
    desk = small_desk(language="fr")
    assert language_for(None, "support", desk) == "fr"
    home = desk.departments["support"].model_copy(update={"language": "pt-BR"})
    desk = desk.model_copy(update={"departments": {"support": home}})
    assert language_for(PersonFacts(None), "support", desk) == "pt-BR"
    assert language_for(PersonFacts("ja"), "support", desk) == "ja"
