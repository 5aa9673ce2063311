"""Quotes that begin with copied headers or a rule, in the words of many languages."""

from __future__ import annotations

import pytest

from mailticket.mail.quoting import split
from mailticket.mail.quoting_headers import is_forward_subject, is_reply_subject, separator

OUTLOOK = {
    "en": ("From", "Sent", "To", "Subject"),
    "de": ("Von", "Gesendet", "An", "Betreff"),
    "fr": ("De", "Envoyé", "À", "Objet"),
    "es": ("De", "Enviado el", "Para", "Asunto"),
    "pt": ("De", "Enviada em", "Para", "Assunto"),
    "it": ("Da", "Inviato", "A", "Oggetto"),
    "nl": ("Van", "Verzonden", "Aan", "Onderwerp"),
    "sv": ("Från", "Skickat", "Till", "Ämne"),
    "da": ("Fra", "Sendt", "Til", "Emne"),
    "nb": ("Fra", "Sendt", "Til", "Emne"),
    "fi": ("Lähettäjä", "Lähetetty", "Vastaanottaja", "Aihe"),
    "pl": ("Od", "Wysłano", "Do", "Temat"),
    "cs": ("Od", "Odesláno", "Komu", "Předmět"),
    "sk": ("Od", "Odoslané", "Komu", "Predmet"),
    "ru": ("От", "Отправлено", "Кому", "Тема"),
    "uk": ("Від", "Надіслано", "Кому", "Тема"),
    "tr": ("Kimden", "Gönderildi", "Kime", "Konu"),
    "ja": ("差出人", "送信日時", "宛先", "件名"),
    "zh-CN": ("发件人", "发送时间", "收件人", "主题"),
    "zh-TW": ("寄件者", "寄件日期", "收件者", "主旨"),
    "ko": ("보낸 사람", "보낸 날짜", "받는 사람", "제목"),
    "he": ("מאת", "נשלח", "אל", "נושא"),
    "ar": ("من", "تم الإرسال", "إلى", "الموضوع"),
    "el": ("Από", "Στάλθηκε", "Προς", "Θέμα"),
    "hu": ("Feladó", "Elküldve", "Címzett", "Tárgy"),
    "ro": ("De la", "Trimis", "Către", "Subiect"),
}
APPLE_AND_WEB = {
    "en": ("From", "Date", "To", "Subject"),
    "de": ("Von", "Datum", "An", "Betreff"),
    "fr": ("De", "Date", "À", "Objet"),
    "es": ("De", "Fecha", "Para", "Asunto"),
    "pt": ("De", "Data", "Para", "Assunto"),
    "it": ("Da", "Data", "A", "Oggetto"),
    "nl": ("Van", "Datum", "Aan", "Onderwerp"),
    "sv": ("Från", "Datum", "Till", "Ämne"),
    "da": ("Fra", "Dato", "Til", "Emne"),
    "fi": ("Lähettäjä", "Päivämäärä", "Vastaanottaja", "Aihe"),
    "pl": ("Od", "Data", "Do", "Temat"),
    "cs": ("Od", "Datum", "Komu", "Předmět"),
    "ru": ("От", "Дата", "Кому", "Тема"),
    "uk": ("Від", "Дата", "Кому", "Тема"),
    "bg": ("От", "Дата", "До", "Относно"),
    "tr": ("Kimden", "Tarih", "Kime", "Konu"),
    "ja": ("差出人", "日付", "宛先", "件名"),
    "zh": ("发件人", "日期", "收件人", "主题"),
    "ko": ("보낸 사람", "날짜", "받는 사람", "주제"),
    "he": ("מאת", "תאריך", "אל", "נושא"),
    "ar": ("من", "التاريخ", "إلى", "الموضوع"),
    "el": ("Από", "Ημερομηνία", "Προς", "Θέμα"),
    "hu": ("Feladó", "Dátum", "Címzett", "Tárgy"),
    "ro": ("De la", "Data", "Către", "Subiect"),
    "vi": ("Từ", "Ngày", "Đến", "Chủ đề"),
}
RULES = """
-----Original Message-----
-----Ursprüngliche Nachricht-----
-----Message d'origine-----
-----Mensaje original-----
-----Mensagem original-----
-----Messaggio originale-----
-----Oorspronkelijk bericht-----
-----Ursprungligt meddelande-----
-----Oprindelig meddelelse-----
-----Opprinnelig melding-----
-----Alkuperäinen viesti-----
-----Wiadomość oryginalna-----
-----Původní zpráva-----
-----Исходное сообщение-----
-----Özgün İleti-----
------------------ 原始邮件 ------------------
-----元のメッセージ-----
-----원본 메시지-----
-----הודעה מקורית-----
-----الرسالة الأصلية-----
-----Αρχικό μήνυμα-----
-----Eredeti üzenet-----
-----Mesaj original-----
-------- Original message --------
‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐
*-----Original Message-----*
---Original Message---
""".strip().splitlines()


def block(fields: tuple[str, str, str, str], form: str) -> str:
    values = ("Bob Builder <bob@b.example>", "4 Feb 2020 10:05", "Support <support@desk.example>", "Printer")
    return "\n".join(form.format(key=key, value=value) for key, value in zip(fields, values, strict=True))


@pytest.mark.parametrize(
    "form", ["{key}: {value}", "*{key}:* {value}", "{key}\u00a0: {value}", "**{key}:** {value}"]
)
@pytest.mark.parametrize("language", OUTLOOK)
def test_copied_headers_begin_a_quote(language: str, form: str) -> None:
    content = split(f"It works now.\n\n{block(OUTLOOK[language], form)}\n\nIs it still broken?\nBob\n")
    assert content.reply == "It works now."
    assert content.confidence >= 0.9


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 0, 1, 2), (0, 3, 1, 2), (1, 0, 2, 3), (0, 2, 1, 3)])
@pytest.mark.parametrize("language", APPLE_AND_WEB)
def test_copied_headers_come_in_any_order(language: str, order: tuple[int, ...]) -> None:
    lines = block(APPLE_AND_WEB[language], "{key}: {value}").splitlines()
    text = "It works now.\n\n" + "\n".join(lines[at] for at in order) + "\n\nIs it?\n"
    assert split(text).reply == "It works now."


@pytest.mark.parametrize("language", OUTLOOK)
def test_copied_headers_below_a_line_of_underscores_take_the_line_with_them(language: str) -> None:
    text = f"It works now.\n{'_' * 32}\n{block(OUTLOOK[language], '{key}: {value}')}\n\nIs it?\n"
    assert split(text).reply == "It works now."


def test_wide_colons_and_trailing_semicolons_of_qq_are_read() -> None:
    text = (
        '好了，谢谢\n\n------------------ 原始邮件 ------------------\n发件人： "鲍勃" <bob@b.example>;\n'
        '发送时间： 2020年2月4日(星期二) 上午10:05\n收件人： "support" '
        "<support@desk.example>;\n主题： 打印机\n\n还坏吗\n"
    )
    assert split(text).reply == "好了，谢谢"


def test_double_spaced_headers_of_an_html_mail_are_one_block() -> None:
    text = (
        "Fine.\n\nFrom: Bob <bob@b.example>\n\nSent: 4 Feb 2020 10:05\n\nTo: "
        "Support\n\nSubject: Printer\n\nBroken?\n"
    )
    assert split(text).reply == "Fine."


@pytest.mark.parametrize(
    "block",
    [
        "Date: Wed, 16 May 2012 00:15:02 -0600\nTo: jane@c.example",
        "From: bob@b.example\nDate: Wed, 16 May 2012 00:15:02 -0600",
        "Date: Fri, 28 Sep 2012 10:55:48 +0000\nFrom: bob@b.example\nTo: jane@c.example\nSubject: x",
    ],
)
def test_short_blocks_with_addresses_and_whole_dates_count(block: str) -> None:
    assert split(f"Fine.\n\n{block}\n\nBroken?\n").reply == "Fine."


def test_a_long_list_of_recipients_is_folded_into_the_block() -> None:
    people = ";\n ".join(f"Person {n} <p{n}@b.example>" for n in range(6))
    text = (
        f"Fine.\n\nFrom: Bob <bob@b.example>\nTo: {people}\nSent: Monday, 3 Feb 2020\nSubject: x\n\nBroken?\n"
    )
    assert split(text).reply == "Fine."


def test_headers_without_addresses_count_when_a_client_labels_their_date() -> None:
    text = (
        "Fine.\n\nFrom: Bob Builder\nSent: \u200eFriday\u200e, "
        "\u200eNovember\u200e \u200e28\u200e, \u200e2014 12:35 PM\n"
    )
    assert split(text + "To: support\n\nBroken?\n").reply == "Fine."


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_says_original_message_begins_a_quote(rule: str) -> None:
    assert separator(rule) is not None
    assert split(f"It works now.\n\n{rule}\nIs it still broken?\n").reply == "It works now."


@pytest.mark.parametrize(
    "text",
    [
        "From: the 3rd floor printer, nothing comes out.\nPlease send somebody.",
        "Hello,\nFrom: Berlin\nTo: Paris\nDate: 12.3.2024 10:00\n\nPlease book two seats.",
        "Please update:\n\nFrom: old@c.example\nTo: new@c.example\n\nThanks",
        "From: 3rd floor\nTo: 5th floor\n\nPlease move the printer.",
        "Subject: printer\n\nIt is broken since 10:30.",
        "To: whom it may concern\nDate: today\n\nThe printer is broken.",
        "Re: your letter\n\nDate: 12 March\nthe printer is broken",
        "An: alle\nDas Licht brennt noch.",
        "The original message said so.\nI do not believe it.",
        "Original message:\nPAPER JAM\nWhat does it mean?",
        "-----\nThe list:\n-----\npaper\ntoner",
    ],
)
def test_header_like_lines_of_a_person_are_not_a_quote(text: str) -> None:
    assert split(text).reply == text


@pytest.mark.parametrize(
    "subject", ["Fwd: x", "FW: x", "WG: x", "TR : x", "RV: x", "Enc: x", "转发：x", "[desk] Fwd: x", " fw: x"]
)
def test_a_forwards_subject_is_known(subject: str) -> None:
    assert is_forward_subject(subject)


@pytest.mark.parametrize("subject", ["Re: Fwd: x", "AW: WG: x", "Forward planning", "", "Printer"])
def test_an_answer_to_a_forward_is_no_forward(subject: str) -> None:
    assert not is_forward_subject(subject)


@pytest.mark.parametrize(
    "subject", ["Re: x", "AW: x", "SV : x", "Re[2]: x", "[list] RE: x", "回复：x", "Odp: x"]
)
def test_an_answers_subject_is_known(subject: str) -> None:
    assert is_reply_subject(subject)
    assert not is_reply_subject(f"about {subject}")


@pytest.mark.parametrize(
    "subject", ["FW: Printer", "WG: Printer", "TR: Printer", "I: Printer", "RV: Printer"]
)
@pytest.mark.parametrize("top", ["", "Please see below.\n\n"])
def test_a_forwards_original_counts_as_text(subject: str, top: str) -> None:
    text = f"{top}{block(OUTLOOK['en'], '{key}: {value}')}\n\nIs it still broken?\n"
    content = split(text, subject=subject)
    assert content.reply == text.strip()
    assert content.method == "forward"


@pytest.mark.parametrize(
    "rule",
    [
        "---------- Forwarded message ---------",
        "Begin forwarded message:",
        "-------- Weitergeleitete Nachricht --------",
        "Anfang der weitergeleiteten Nachricht:",
        "---------- Message transféré -----------",
        "Début du message réexpédié :",
        "---------- Mensaje reenviado ----------",
        "---------- Messaggio inoltrato ---------",
        "---------- Doorgestuurd bericht ---------",
        "-------- Пересылаемое сообщение --------",
        "---------- Przekazana wiadomość ---------",
        "---------- 転送されたメッセージ ----------",
        "---------- הודעה שהועברה ----------",
    ],
)
def test_a_forwarding_rule_makes_a_forward_whatever_the_subject(rule: str) -> None:
    text = f"FYI\n\n{rule}\nFrom: Bob <bob@b.example>\nDate: Tue, 4 Feb 2020\nSubject: Printer\n\nBroken.\n"
    assert split(text).reply == text.strip()


def test_a_forward_inside_a_quote_does_not_make_the_answer_a_forward() -> None:
    text = (
        "Done.\n\nOn 2/4/20 10:05 AM, Bob wrote:\n\n---------- Forwarded message ---------\n"
        "From: Eve <eve@e.example>\nDate: Mon, 3 Feb 2020\nSubject: Printer\n\nBroken.\n"
    )
    assert split(text, subject="Re: Fwd: Printer").reply == "Done."
