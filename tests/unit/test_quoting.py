"""Taking replies apart: positions, signatures, markers, structure, and what must hold for any text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailticket.mail.marker import MARKER_LINES, find_tokens, is_marker_line, marker_line
from mailticket.mail.quoting import THRESHOLD, split
from mailticket.mail.quoting_lines import MAX_LINES
from mailticket.mail.types import Content, SpanKind

TOKEN = "abcdefghijklmnopqrstuvwxyz234567abcdefgh"
INTRO = "On Tue, 4 Feb 2020 at 10:05, Bob Builder <bob@b.example> wrote:"


def part(text: str, content: Content, kind: SpanKind) -> str:
    return "".join(text[span.start : span.end] for span in content.spans if span.kind is kind)


def test_a_top_reply_keeps_only_the_new_text() -> None:
    assert split(f"It works.\n\nThanks\n\n{INTRO}\n\n> Broken?\n> Bob\n").reply == "It works.\n\nThanks"


def test_a_bottom_reply_keeps_only_the_new_text() -> None:
    assert split(f"{INTRO}\n> Broken?\n>\n> Bob\n\nIt works.\n").reply == "It works."


def test_answers_between_quotes_stay_in_their_order() -> None:
    text = f"{INTRO}\n> Broken?\n\nNo.\n\n> Since when?\n\nSince Monday.\n> Bob\n"
    assert split(text).reply.split() == ["No.", "Since", "Monday."]


@pytest.mark.parametrize("glue", [" ", "--- ", " ---", "! "])
def test_an_intro_glued_to_the_last_new_line_is_cut_off(glue: str) -> None:
    text = f"It works again{glue}On Wed, Apr 4, 2012 at 3:59 PM, bob@b.example wrote:\n> Hi\n"
    assert split(text).reply.rstrip("-! ") == "It works again"


def test_a_link_that_lost_its_mark_inside_a_quote_is_quoted() -> None:
    text = f"Ok\n\n{INTRO}\n\n>\n> see\n>\n(http://b.example/c/YzOTY) >\n> Bob\n"
    assert split(text).reply == "Ok"


def test_copied_headers_in_a_mail_that_answers_nothing_count_as_text() -> None:
    text = (
        "I got this, is it real?\n\nFrom: Bank <a@bank.example>\nSubject: Prize\nTo: me@c.example\n\nYou won!"
    )
    content = split(text, subject="Question", answers=False)
    assert (content.reply, content.confidence < THRESHOLD) == (text, True)


def test_a_quote_without_an_intro_is_a_quote() -> None:
    assert split("> Broken?\nNo.\n> Paper?\nYes.\n").reply == "No.\nYes."


def test_the_rest_of_a_quoted_line_that_a_host_wrapped_is_quoted() -> None:
    text = (
        f"{INTRO}\n> a quoted line that is long enough for some host on its way "
        f"to wrap it at\nthe margin\n> Bob\n\nOk\n"
    )
    assert split(text).reply == "Ok"


@pytest.mark.parametrize(
    "text",
    [
        "Visit us:\n>>> >>>  http://www.b.example <<<\nby clicking above",
        ">>> import os\n>>> os.getcwd()\n'/'",
        "Look here:\n>From here it goes wrong.\nDo you see?",
        "The limit is\n>= 5 pages\nat least",
    ],
)
def test_an_angle_bracket_alone_does_not_make_a_quote(text: str) -> None:
    assert split(text).reply == text


def test_a_mail_of_nothing_but_an_introduced_quote_has_an_empty_reply() -> None:
    content = split(f"{INTRO}\n\n> Broken?\n")
    assert (content.reply, content.confidence >= THRESHOLD) == ("", True)


@pytest.mark.parametrize(
    "text", [f"{INTRO}\n\n> Broken?\n", "> Broken?\n> Bob\n", "--\n\n> Broken?\n> Bob\n"]
)
def test_nothing_but_a_quote_is_empty_in_an_answer_and_text_in_a_new_mail(text: str) -> None:
    assert split(text).reply == ""
    assert split(text, answers=False).reply == text.strip()


def test_a_block_quote_of_a_book_is_the_persons_own_text() -> None:
    html = (
        '<p>As they say:</p><blockquote cite="https://b.example/book">Words can be like needles.</blockquote>'
    )
    assert split("As they say\nWords can be like needles.", html).reply.endswith("needles.")


def test_a_block_quote_in_a_mail_that_answers_nothing_is_the_persons_own_text() -> None:
    html = '<p>The rule is</p><blockquote style="border-left: 2px">No smoking near the printer.</blockquote>'
    assert "smoking" in split("The rule is\n\nNo smoking near the printer.", html, answers=False).reply


def test_text_below_copied_headers_with_nothing_above_counts_as_text() -> None:
    text = (
        "From: Bob <bob@b.example>\nSent: 4 Feb 2020 10:05\nTo: "
        "Support\nSubject: Printer\n\nBroken.\nNot any more!"
    )
    content = split(text, subject="Re: Printer")
    assert content.confidence < THRESHOLD
    assert content.reply == text


def test_an_empty_text_has_no_spans() -> None:
    assert split("") == Content((), "", 1.0, (), "empty")


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nJane Doe\nExample Ltd",
        "--\nJane Doe",
        "Sent from my iPhone",
        "Sent from my Samsung Galaxy smartphone.",
        "Sent from Mail for Windows 10",
        "Sent from Yahoo Mail on Android",
        "Sent from a magnificent torch of pixels",
        "Sent with Proton Mail secure email.",
        "Get Outlook for iOS",
        "Get Outlook for Android<https://aka.ms/x>",
        "Von meinem iPhone gesendet",
        "Gesendet mit der GMX Mail App",
        "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.",
        "Gesendet von Outlook für Android",
        "Envoyé de mon iPhone",
        "Envoyé à partir d’Outlook pour Android",
        "Télécharger Outlook pour iOS",
        "Enviado desde mi iPhone",
        "Enviado do meu iPhone",
        "Inviato da iPhone",
        "Verstuurd vanaf mijn iPhone",
        "Skickat från min iPhone",
        "Sendt fra min iPhone",
        "Lähetetty iPhonesta",
        "Wysłane z iPhone'a",
        "Odesláno z iPhonu",
        "Отправлено с iPhone",
        "Надіслано з iPhone",
        "iPhone'umdan gönderildi",
        "iPhoneから送信",
        "发自我的iPhone",
        "從我的 iPhone 傳送",
        "나의 iPhone에서 보냄",
        "נשלח מה-iPhone שלי",
        "أُرسلت من الـ iPhone",
        "Στάλθηκε από το iPhone μου",
        "Trimis de pe iPhone-ul meu",
        "______________________________\nprinters mailing "
        "list\nprinters@lists.example\nhttps://lists.example/listinfo/x",
        '-- \nYou received this message because you are subscribed to the Google Groups "printers" group.',
    ],
)
@pytest.mark.parametrize("below", ["", f"\n\n{INTRO}\n\n> Broken?\n"])
def test_a_signature_is_folded(signature: str, below: str) -> None:
    text = f"It works.\n\n{signature}{below}"
    content = split(text)
    assert content.reply == "It works."
    assert part(text, content, SpanKind.SIGNATURE).strip() == signature


@pytest.mark.parametrize(
    "text",
    [
        "Sent from my office this morning:\nthe parcel with the toner. Please confirm.",
        "I looked at the phone, it was sent from our mail room. Then nothing happened, please check where "
        "it is.",
        "Options:\n--\n" + "\n".join(f"line {n}" for n in range(40)),
        "Regards,\nJane",
        "It is me.\n\nSent from my desk, is much easier than my mobile phone.",
        "a -- b",
    ],
)
def test_ordinary_text_is_no_signature(text: str) -> None:
    assert split(text).reply == text


def test_a_mail_of_nothing_but_a_footer_keeps_it() -> None:
    assert split("Sent from my iPhone\n").reply == "Sent from my iPhone"


@pytest.mark.parametrize("language", MARKER_LINES)
def test_everything_below_our_marker_line_is_quoted(language: str) -> None:
    line = marker_line(language)
    text = f"It works.\n\n{line}\n[mt:{TOKEN}]\n\nDear Jane,\nis it broken?\n"
    content = split(text)
    assert is_marker_line(line)
    assert (content.reply, content.method, content.tokens) == ("It works.", "marker", (TOKEN,))


@pytest.mark.parametrize("rule", ["---------- Forwarded message ---------\n", ""])
def test_a_forward_of_our_own_mail_does_not_make_our_text_new(rule: str) -> None:
    head = "From: Support <support@desk.example>\nDate: 4 Feb 2020 10:05\nSubject: Printer\n"
    text = f"Please take over.\n\n{rule}{head}\n{marker_line('en')}\n[mt:{TOKEN}]\n\nInternal note\n"
    assert split(text, subject="Fwd: Printer").reply == "Please take over."


def test_an_intro_in_no_known_language_above_our_marker_is_quoted_too() -> None:
    text = (
        f"Ayo.\n\n4 Feb 2020 10:05, Support <support@desk.example>, "
        f"qwertz:\n{marker_line('en')}\n[mt:{TOKEN}]\nHi\n"
    )
    assert split(text).reply == "Ayo."


@pytest.mark.parametrize(
    "line",
    [
        "## Please type your reply above this line. ##",
        "##- Bitte geben Sie Ihre Antwort oberhalb dieser Zeile ein. -##",
        "##- Veuillez saisir votre réponse au-dessus de cette ligne -##",
        "##- Por favor, escriba su respuesta por encima de esta línea -##",
        "##- Typ uw antwoord boven deze regel -##",
        "##- この行より上に返信を入力してください -##",
        "##- 请在此行上方输入您的回复 -##",
        "Reply above this line to add a comment",
    ],
)
def test_marker_lines_of_other_desks_are_known(line: str) -> None:
    assert split(f"It works.\n\n{line}\n\nearlier text\n").reply == "It works."


@pytest.mark.parametrize(
    "line", ["see the photo above this line", "I wrote my reply above", "Reply soon, please."]
)
def test_a_persons_sentence_is_no_marker(line: str) -> None:
    assert not is_marker_line(line)


@pytest.mark.parametrize(
    "text",
    [
        f"[mt:{TOKEN}]",
        f"> > [mt:{TOKEN}]",
        f"> [mt:{TOKEN[:20]}\n> {TOKEN[20:]}]",
        f"&#91;mt&#58;{TOKEN}&#93;",
        f"mt:{TOKEN}\nhello",
        f"<td>[MT:{TOKEN.upper()}]</td> again [mt:{TOKEN}]",
        f"[mt:{TOKEN[:30]}<wbr>{TOKEN[30:]}]",
    ],
)
def test_a_token_is_found_however_it_was_quoted(text: str) -> None:
    assert find_tokens(text) == (TOKEN,)


@pytest.mark.parametrize("text", ["mt:short", "mt:", "[mt:" + "a" * 200 + "]", "amt 12", "mt:" * 5000])
def test_what_is_no_token_is_not_found(text: str) -> None:
    assert find_tokens(text) == ()


def test_tokens_of_text_and_html_come_once_and_in_order() -> None:
    other = TOKEN[::-1]
    assert split(f"[mt:{TOKEN}]", f"[mt:{other}] [mt:{TOKEN}]").tokens == (TOKEN, other)


GMAIL = (
    '<div dir="ltr">It works.</div><br><div '
    'class="gmail_quote"><div dir="ltr" class="gmail_attr">{intro}<br></div>'
    '<blockquote class="gmail_quote" style="margin:0 0 0 '
    '.8ex">Broken?<br>Greetings from Bob</blockquote></div>{below}'
)


def test_structure_finds_a_quote_whose_intro_is_in_no_known_language() -> None:
    intro = "Qwertz asdf jklm Bob uiop"
    text = f"It works.\n\n{intro}\nBroken?\nGreetings from Bob"
    content = split(text, GMAIL.format(intro=intro, below=""))
    assert content.reply == "It works."
    assert content.method == "html:gmail_attr+html:gmail_quote"


def test_structure_and_words_that_agree_are_worth_more_than_one() -> None:
    text = f"It works.\n\n{INTRO}\nBroken?\nGreetings from Bob"
    html = GMAIL.format(intro=INTRO.replace("<", "&lt;"), below="")
    assert split(text, html).confidence > split(text).confidence


def test_structure_keeps_what_was_written_below_an_unmarked_quote() -> None:
    text = f"It works.\n\n{INTRO}\nBroken?\nGreetings from Bob\n\nand PS: thanks"
    html = GMAIL.format(intro=INTRO.replace("<", "&lt;"), below="<div>and PS: thanks</div>")
    assert split(text, html).reply == "It works.\n\nand PS: thanks"


def test_answers_between_the_quotes_of_an_html_mail_stay_new() -> None:
    html = (
        '<div class="gmail_quote"><div class="gmail_attr">On 2/4/20 10:05 AM, Bob wrote:<br></div>'
        '<blockquote class="gmail_quote">Is the big printer still '
        "broken?</blockquote><div>No, it is fine.</div>"
        '<blockquote class="gmail_quote">Shall we collect the old '
        "toner?</blockquote><div>Yes, please do.</div></div>"
    )
    text = (
        "On 2/4/20 10:05 AM, Bob wrote:\nIs the big printer still broken?\nNo, it is fine.\n"
        "Shall we collect the old toner?\nYes, please do."
    )
    assert split(text, html).reply == "No, it is fine.\nYes, please do."


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<div id="appendonsend"></div><hr><div id="divRplyFwdMsg">', "</div>"),
        (
            '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p>',
            "</p></div>",
        ),
        ('<hr id="stopSpelling"><div>', "</div>"),
        ('<div class="yahoo_quoted"><div>', "</div></div>"),
        ('<blockquote type="cite"><div>', "</div></blockquote>"),
        ('<div class="protonmail_quote">', "</div>"),
        ('<div name="quote" style="margin:10px">', "</div>"),
        ('<div id="zmail_extra" class="zmail_extra">', "</div>"),
        ('<blockquote id="isReplyContent">', "</blockquote>"),
        ('<div id="mail-editor-reference-message-container"><div>', "</div></div>"),
        ('<div class="ms-outlook-mobile-reference-message"><div>', "</div></div>"),
        ('<blockquote style="border-left:1px solid #0857A6; margin:10px">', "</blockquote>"),
    ],
)
def test_the_quote_marks_of_clients_are_known_whatever_their_words(before: str, after: str) -> None:
    html = f"<div>It works.</div>{before}Qwertz Bob asdf<br>jklm uiop zuiop Support{after}"
    assert split("It works.\n\nQwertz Bob asdf\njklm uiop zuiop Support", html).reply == "It works."


def test_an_answer_typed_inside_the_wrapper_of_a_quote_stays_new() -> None:
    html = (
        f'<div class="gmail_quote"><div>It works.</div>{INTRO.replace("<", "&lt;")}<br>'
        '<blockquote class="gmail_quote">Broken? Greetings</blockquote></div>'
    )
    assert split(f"It works.\n{INTRO}\nBroken? Greetings", html).reply == "It works."


def test_structure_alone_never_empties_a_mail() -> None:
    text = "The whole answer was typed\ninside a quote"
    html = '<div class="yahoo_quoted">The whole answer was typed<br>inside a quote</div>'
    assert split(text, html).reply == text


def test_a_signature_by_structure_is_folded() -> None:
    html = '<div>It works.</div><div class="gmail_signature">Jane Doe, Example Ltd</div>'
    assert split("It works.\n\nJane Doe, Example Ltd", html).reply == "It works."


def test_html_that_has_nothing_to_do_with_the_text_changes_nothing() -> None:
    text = "It works.\nBroken?"
    assert split(text, '<blockquote type="cite">Something altogether different</blockquote>').reply == text


PIECES = st.sampled_from(
    [
        "\n", "\n\n", "> ", ">> x\n", ">", "-- \n", "--\n", "On ", INTRO, INTRO + "\n", " wrote:",
        "From: a@b.example\n",
        "Sent: 4 Feb 2020 10:05\n", "To: c@d.example\n", "Subject: x\n", "-----Original Message-----\n",
        "_" * 32 + "\n",
        "Sent from my iPhone\n", "Hello\n", "word ", "\r\n", "\u200e", "：", "\u00a0",
        "---------- Forwarded message ---------\n",
        "-- Please reply above this line --\n", f"[mt:{TOKEN}]\n", "\t", "Bob <\n", "bob@b.example> wrote:\n",
        "İ:", "\x85",
    ]
)  # fmt: skip


def _adds_up(text: str, content: Content) -> None:
    assert "".join(text[span.start : span.end] for span in content.spans) == text
    assert all(span.end > span.start for span in content.spans)
    position = 0
    for span in content.spans:
        assert span.start == position
        position = span.end
    assert position == len(text)
    assert 0.0 <= content.confidence <= 1.0


@given(
    st.one_of(st.lists(PIECES, max_size=40).map("".join), st.text(max_size=400)), st.booleans(), st.booleans()
)
@settings(max_examples=400, deadline=None)
def test_spans_always_add_up_to_the_whole_text(text: str, forward: bool, answers: bool) -> None:
    content = split(text, subject="Fwd: x" if forward else "Re: x", answers=answers)
    _adds_up(text, content)
    new = part(text, content, SpanKind.NEW).strip()
    assert content.reply == (new if content.confidence >= THRESHOLD else text.strip())


@given(st.lists(PIECES, max_size=20).map("".join), st.lists(PIECES, max_size=10).map("".join))
@settings(max_examples=150, deadline=None)
def test_spans_add_up_whatever_the_html_says(text: str, inner: str) -> None:
    for html in (
        f'<blockquote type="cite">{inner}</blockquote>',
        f"{text}<div id=appendonsend></div>{inner}",
        inner,
    ):
        _adds_up(text, split(text, html))


HOSTILE = {
    "on": "On " * 30_000,
    "on lines": "On x\n" * 20_000,
    "spaces": "a" + " " * 50_000 + "b\n",
    "blank lines": "\n" * 500_000,
    "quote depth": "\n".join(">" * n + " x" for n in range(0, 5_000, 5)),
    "angles": ">" * 1_000_000,
    "angle lines": "> x\n" * 200_000,
    "signatures": "-- \n" * 20_000 + "-" * 50_000,
    "colons": "x 1@b:\n" * 20_000,
    "intros": (INTRO + "\n") * 5_000,
    "half intros": "On 4 Feb 2020 Bob <bob@b.example\n" * 10_000,
    "dated": "4 Feb 2020 10:05 a@b:\n" * 5_000,
    "headers": "From: a@b.example\n" * 20_000,
    "labels": "From:\n" * 20_000,
    "rules": "_____\n" * 20_000,
    "markers": "mt:a\n" * 50_000,
    "this line": "above this line " * 20_000,
    "footers": "Sent from my iPhone\n" * 10_000,
    "long line": "x" * 2_000_000,
    "digits": "1" * 200_000 + ":",
    "at": "@" * 100_000 + ":",
    "brackets": "<(" * 50_000 + "@:\n",
    "words": "Am " * 80 + ":\n" * 3_000,
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_taken_apart_in_bounded_work(name: str) -> None:
    text = HOSTILE[name]
    _adds_up(text, split(text, text, subject="Re: x"))


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "html",
    [
        "<blockquote type=cite>" * 20_000 + "x",
        "<blockquote type=cite>word </blockquote>" * 20_000,
        "<div class=gmail_quote>" * 20_000,
        '<div id="appendonsend"></div>' * 20_000,
        "<blockquote>" * 300 + "word " * 50_000,
        "<!--" * 100_000,
        "quote<" * 80_000,
    ],
)
def test_hostile_html_is_taken_apart_in_bounded_work(html: str) -> None:
    text = "word " * 20_000 + "\nword" * 4_000
    _adds_up(text, split(text, html))


def test_what_lies_beyond_the_lines_looked_at_has_the_kind_of_the_last() -> None:
    quoted = f"New\n\n{INTRO}\n" + "> x\n" * (MAX_LINES + 50)
    assert split(quoted).reply == "New"
    new = "x\n" * (MAX_LINES + 50)
    assert split(new).reply == new.strip()
