"""mail/absence.py: the date of return as absences name it, in 21 languages."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.mail.absence import return_date

SENT = datetime(2026, 1, 5, 10, tzinfo=UTC)

TEXTS = [
    ("I am out of the office until 15 January 2026.", "2026-01-15"),
    ("I am out of the office until January 15, 2026.", "2026-01-15"),
    ("I am out of the office until January 15th.", "2026-01-15"),
    ("I am away until Thursday, 15 January.", "2026-01-15"),
    ("I am on leave from 3 January to 15 January.", "2026-01-15"),
    ("I am on leave from 3 to 15 Jan and back on 16 Jan.", "2026-01-16"),
    ("I will be back in the office on Monday, 19th of January.", "2026-01-19"),
    ("I will return on 2026-01-16.", "2026-01-16"),
    ("I am returning 01/16/2026.", "2026-01-16"),
    ("I am returning 16/01/2026.", "2026-01-16"),
    ("Away 12/20 through 01/13.", "2026-01-13"),
    ("Ich bin bis 15.01.2026 nicht im Büro.", "2026-01-15"),
    ("Ich bin bis einschließlich 15. Januar nicht erreichbar.", "2026-01-15"),
    ("Ich bin vom 3.1. bis zum 15.1. im Urlaub.", "2026-01-15"),
    ("Ab dem 16.01.2026 bin ich wieder für Sie da.", "2026-01-16"),
    ("Ich bin ab Freitag, den 16. Januar wieder erreichbar.", "2026-01-16"),
    ("Je suis absent du bureau jusqu'au 15 janvier 2026.", "2026-01-15"),
    ("Je suis en congé du 3 au 15 janvier inclus.", "2026-01-15"),
    ("Absent, de retour le lundi 19 janvier.", "2026-01-19"),
    ("Estaré fuera de la oficina hasta el 15 de enero de 2026.", "2026-01-15"),
    ("De vacaciones del 3 al 15 de enero. Regreso el 16 de enero.", "2026-01-16"),
    ("Sono in ferie fino al 15 gennaio 2026.", "2026-01-15"),
    ("Sarò assente dal 3 al 15 gennaio e rientrerò il 16 gennaio.", "2026-01-16"),
    ("Estou de férias até 15 de janeiro de 2026.", "2026-01-15"),
    ("Estarei de volta no dia 16 de janeiro.", "2026-01-16"),
    ("Ik ben afwezig tot en met 15 januari 2026.", "2026-01-15"),
    ("Ik ben op vakantie t/m 15 januari en op 16 januari weer bereikbaar.", "2026-01-16"),
    ("Jag är på semester till och med 15 januari 2026.", "2026-01-15"),
    ("Jag är tillbaka den 16 januari.", "2026-01-16"),
    ("Jeg holder ferie til og med 15. januar og er tilbage den 16. januar.", "2026-01-16"),
    ("Jeg er tilbake på kontoret 16. januar.", "2026-01-16"),
    ("Olen lomalla 15. tammikuuta saakka.", "2026-01-15"),
    ("Olen poissa 15.1. asti.", "2026-01-15"),
    ("Jestem na urlopie do 15 stycznia 2026.", "2026-01-15"),
    ("Wracam 16 stycznia.", "2026-01-16"),
    ("Do 15. ledna jsem na dovolené.", "2026-01-15"),
    ("Я в отпуске до 15 января 2026 года.", "2026-01-15"),
    ("Я в отпуске с 3 по 15 января, вернусь 16 января.", "2026-01-16"),
    ("Я у відпустці до 15 січня.", "2026-01-15"),
    ("15 Ocak tarihine kadar izindeyim.", "2026-01-15"),
    ("16 Ocak'ta döneceğim.", "2026-01-16"),
    ("Január 15-ig szabadságon vagyok.", "2026-01-15"),
    ("Sunt în concediu până la 15 ianuarie.", "2026-01-15"),
    ("Είμαι εκτός γραφείου έως 15 Ιανουαρίου 2026.", "2026-01-15"),
    ("1月3日から1月15日まで不在にしております。", "2026-01-15"),
    ("2026年1月16日より出社いたします。", "2026-01-16"),
    ("我将外出至1月15日。", "2026-01-15"),
    ("我休假，将于2026年1月16日返回办公室。", "2026-01-16"),
    ("1월 15일까지 휴가 중입니다.", "2026-01-15"),
    ("휴가 중이며 1월 16일 복귀합니다.", "2026-01-16"),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_the_date_of_return_is_read_as_people_write_it(text: str, expected: str) -> None:
    assert return_date("", text, SENT) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    "text",
    [
        "I am out of the office.",
        "I am on a trip from 3 March.",
        "I am away since 3 January.",
        "Our office was founded on 15 January 1999.",
        "I am away until further notice, call 555-0101.",
        "Back at 10:30.",
        "I am back on 02/03/2026.",
        "I am away until 31 February.",
        "I am away until 15 January 2035.",
        "Ich bin seit dem 15.01. im Urlaub.",
        "Version 1.2.3 is out.",
        "2026年1月3日から不在です。2026",
        "",
    ],
)
def test_a_text_that_names_no_certain_date_of_return_has_none(text: str) -> None:
    assert return_date("", text, SENT) is None


def test_the_year_comes_from_the_mail_and_never_from_a_clock() -> None:
    new_year = datetime(2025, 12, 22, tzinfo=UTC)
    assert return_date("", "Back on 2 January.", new_year) == date(2026, 1, 2)
    assert return_date("", "Back on 30 December.", new_year) == date(2025, 12, 30)
    assert return_date("", "Back on 2 January.", None) is None
    assert return_date("", "Back on 2 January 2026.", None) == date(2026, 1, 2)


def test_the_subject_is_read_when_the_text_names_no_date() -> None:
    assert return_date("Out of office until 15 January", "Call my colleague.", SENT) == date(2026, 1, 15)


@given(st.text(), st.text())
def test_any_text_is_read_without_an_exception(subject: str, text: str) -> None:
    return_date(subject, text, SENT)


@given(st.text(alphabet="0123456789./- janury月日年"))
def test_any_row_of_digits_is_read_without_an_exception(text: str) -> None:
    return_date("", f"back on {text}", SENT)
