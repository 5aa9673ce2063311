"""What customers read, in every language: word for word, and nothing in it that is not for them."""

from __future__ import annotations

import os
import re
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailticket.delivery.catalogue import CATALOGUE
from mailticket.delivery.context import context_of
from mailticket.delivery.letter import Complaint, Letter, Passage
from mailticket.delivery.moments import appointment, duration, moment, readers_zone, size, zone_of
from mailticket.delivery.phrases import LANGUAGES, phrases_of
from mailticket.delivery.render import Renderer, TemplateProblem, shipped_templates
from mailticket.delivery.sample_parts import sample_ticket
from mailticket.delivery.samples import SAMPLES, samples_of
from mailticket.delivery.values import columns, wrap
from mailticket.domain.receipt import Receipt as Done
from mailticket.mail.marker import MARKER_LINES, is_marker_line, marker_line

GOLDEN = Path(__file__).parent / "golden"
RENDERER = Renderer()
FOR_CUSTOMERS = [code for code, spec in CATALOGUE.items() if spec.audience == "customer"]
TRANSLATED = [language for language in LANGUAGES if language != "en"]
MAILS = [
    (language, code, occasion)
    for language in LANGUAGES
    for code in FOR_CUSTOMERS
    for occasion in samples_of(code)
    if not (language == "en" and occasion == "usual")  # test_render.py reads those
]


def in_language(letter: Letter, language: str) -> Letter:
    return replace(letter, reply=(marker_line(language), letter.reply[1]) if letter.reply else None)


@pytest.mark.parametrize(("language", "code", "occasion"), MAILS)
def test_a_customers_mail_reads_as_agreed(language: str, code: str, occasion: str) -> None:
    letter = in_language(samples_of(code)[occasion](), language)
    rendered = RENDERER.render(code, language, context_of(letter))
    assert rendered.language == language
    shown = f"Subject: {rendered.subject}\n\n{rendered.text}"
    name = code if occasion == "usual" else f"{code}.{occasion}"
    golden = GOLDEN / (f"{language}/{name}.txt" if language != "en" else f"{name}.txt")
    if os.environ.get("MAILTICKET_WRITE_GOLDEN"):  # then read what it wrote
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(shown, encoding="utf-8")
    assert golden.exists(), f"MAILTICKET_WRITE_GOLDEN=1 writes {golden}; read it"
    assert shown == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", TRANSLATED)
def test_whatever_a_customer_gets_is_there_in_every_language(language: str) -> None:
    there = {path.stem for path in (shipped_templates() / language).glob("[!_]*.md")}
    assert set(FOR_CUSTOMERS) <= there <= set(CATALOGUE)


@pytest.mark.parametrize(("language", "code", "occasion"), MAILS)
def test_no_line_is_wider_than_76_columns_in_any_language(language: str, code: str, occasion: str) -> None:
    letter = samples_of(code)[occasion]()
    text = RENDERER.render(code, language, context_of(letter)).text
    theirs = f"{letter.canned}\n{letter.response.text if letter.response else ''}".splitlines()
    ours = [line for line in text.splitlines() if not line.startswith(">") and line not in theirs]
    assert [line for line in ours if columns(line) > 76] == []


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("code", FOR_CUSTOMERS)
def test_a_translation_uses_the_variables_of_the_english_mail(language: str, code: str) -> None:
    def names(tag: str) -> set[str]:
        source = (shipped_templates() / tag / f"{code}.md").read_text(encoding="utf-8")
        return set(re.findall(r"\b[a-z]+(?:_[a-z]+)*(?:\.[a-z_]+)+\b|\b[a-z]+_[a-z_]+\b", source))

    assert names(language) ^ names("en") <= {"ticket.close_date"} | {"a.name"}


def test_where_a_ticket_stands_is_true_whatever_the_house_calls_it() -> None:
    paused = sample_ticket(status="Waiting for parts", state="on-hold", assigned="Anna Agent")
    letter = replace(SAMPLES["ticket.update"](), ticket=paused)
    assert "It waits for somebody else" in RENDERER.render("ticket.update", "en", context_of(letter)).text


def test_the_subjects_of_a_burst_hold_no_live_link() -> None:
    letter = samples_of("ticket.autoresp")["burst"]()
    evil = replace(letter, also=(replace(letter.also[0], subject="Win at https://evil.example/now"),))
    rendered = RENDERER.render("ticket.autoresp", "en", context_of(evil))
    assert "evil.example" not in rendered.text + rendered.html


POISON = "INTERNAL-ONLY"


def poisoned(letter: Letter) -> Letter:
    """A customer's letter with a secret in everything that is not for customers."""
    ticket = letter.ticket or sample_ticket()
    passage = Passage(POISON, POISON, letter.now, (POISON,))
    return replace(
        letter,
        ticket=replace(ticket, assigned=POISON, sla=POISON, source=POISON, suspected=POISON),
        note=passage,
        reason=POISON,
        assigner=POISON,
        assignee=POISON,
        comments=POISON,
        from_department=POISON,
        alias=POISON,
        notice=POISON,
        about=POISON,
        problems=(Complaint(POISON, POISON, POISON),),
        original_subject=POISON,
        original_text=POISON,
        receipt=Done(sent=(POISON,), told=(POISON,), done=(POISON,), ignored=(POISON,)),
        missed=(passage,),
    )


@pytest.mark.parametrize(("language", "code", "occasion"), MAILS)
def test_no_mail_to_a_customer_holds_anything_internal(language: str, code: str, occasion: str) -> None:
    rendered = RENDERER.render(code, language, context_of(poisoned(samples_of(code)[occasion]())))
    assert POISON not in rendered.subject + rendered.text + rendered.html


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def test_what_is_internal_is_not_within_reach_of_a_customers_template() -> None:
    for code in FOR_CUSTOMERS:
        for sample in samples_of(code).values():
            assert POISON not in leaves(context_of(poisoned(sample())))


def test_a_field_of_a_letter_is_either_for_customers_or_poisoned_here() -> None:
    """Whoever adds a field has to say which it is."""
    public = {
        "recipient", "company", "company_url", "now", "zone", "zone_is_theirs", "reply", "message",
        "response", "signature", "held_from", "since_date", "next_date", "received", "promise_date", "also",
        "merged_from", "canned", "logo", "actions", "tickets",
    }  # fmt: skip
    figures = {
        "digest",
        "report",
        "console",
        "alert",
        "alerts",
        "updated",
        "newcomer",
        "command_prefix",
        "expired",
    }
    letter = SAMPLES["ticket.reply"]()
    changed = {
        one.name for one in fields(letter) if getattr(poisoned(letter), one.name) != getattr(letter, one.name)
    }
    assert {one.name for one in fields(letter)} - changed - figures <= public


@settings(deadline=None, max_examples=40)  # each example reads its templates anew
@given(
    st.sampled_from([
        "reason", "note.text", "comments", "ticket.assigned", "ticket.sla", "alert.ledger", "about",
        "problems", "original.text", "digest.title", "ticket.suspected", "command_prefix",
    ]),
    st.sampled_from(FOR_CUSTOMERS),
)  # fmt: skip
def test_a_sites_own_template_cannot_show_a_customer_what_is_internal(name: str, code: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "en").mkdir()
        (Path(folder) / "en" / f"{code}.md").write_text(f"Subject: s\n\nx {{{{ {name} }}}}\n")
        with pytest.raises(TemplateProblem):
            Renderer([Path(folder)]).render(code, "en", context_of(poisoned(SAMPLES[code]())))


NOW = datetime(2026, 11, 3, 16, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "shown", "ahead", "length", "file"),
    [
        ("en", "Tue 3 Nov 2026, 17:12 CET", "Tuesday 3 November, 17:12 CET", "2 d 4 h", "1.3 MB"),
        (
            "de",
            "Di. 3. Nov. 2026, 17:12 CET",
            "Dienstag, 3. November, 17:12 Uhr CET",
            "2 T. 4 Std.",
            "1,3 MB",
        ),
        ("fr", "mar. 3 nov. 2026, 17:12 CET", "mardi 3 novembre à 17:12 CET", "2 j 4 h", "1,3 Mo"),
        ("es", "mar 3 nov 2026, 17:12 CET", "martes 3 de noviembre a las 17:12 CET", "2 d 4 h", "1,3 MB"),
        ("pt", "ter. 3 nov. 2026, 17:12 CET", "terça-feira, 3 de novembro, 17:12 CET", "2 d 4 h", "1,3 MB"),
        ("ja", "2026年11月3日(火) 17:12 CET", "11月3日(火) 17:12(CET)", "2日4時間", "1.3 MB"),
    ],
)  # fmt: skip
def test_times_and_amounts_in_every_language(
    language: str, shown: str, ahead: str, length: str, file: str
) -> None:
    words, berlin = phrases_of(language), zone_of("Europe/Berlin")
    assert moment(NOW, berlin, words) == shown
    assert appointment(NOW, berlin, words, theirs=False) == ahead
    assert duration(timedelta(days=2, hours=4, minutes=9), words) == length
    assert size(1_310_000, words) == file
    assert words.your_time in appointment(NOW, berlin, words, theirs=True)


@pytest.mark.parametrize(
    ("offset", "zone", "theirs", "clock"),
    [
        (None, "Europe/Berlin", False, "17:12 CET"),
        (60, "Europe/Berlin", True, "17:12 CET"),
        (540, "UTC+09:00", True, "01:12 UTC+09:00"),
        (-210, "UTC-03:30", True, "12:42 UTC-03:30"),
    ],
)
def test_a_reader_has_the_desks_zone_unless_their_clock_says_otherwise(
    offset: int | None, zone: str, theirs: bool, clock: str
) -> None:
    assert readers_zone(offset, "Europe/Berlin", NOW) == (zone, theirs)
    assert moment(NOW, zone_of(zone), phrases_of("en")).endswith(clock)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_line_to_reply_above_is_known_again_in_every_language(language: str) -> None:
    assert is_marker_line(MARKER_LINES[language])


@given(st.text(alphabet=st.sampled_from("あ日、。「」(a)1 ー漢字xéß"), max_size=80), st.integers(8, 40))
def test_wrapping_loses_nothing_and_begins_no_line_with_a_closing_mark(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    for before, line in pairwise(lines):
        if before.strip() and "(" not in text and " " not in text:
            assert line.lstrip()[:1] not in set("、。」ー")
