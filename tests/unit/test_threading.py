"""Subjects and Outlook's headers: what of them names a conversation."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.mail.threading import (
    Conversation,
    child_index,
    clean_subject,
    lasting_subject,
    outlook_headers,
    root_index,
    ticket_numbers,
    without_tags,
)

TAG = "[#{number}]"
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
ROOT = bytes([1]) + bytes(range(21))


@pytest.mark.parametrize(
    ("tag", "subject", "numbers"),
    [
        (TAG, "Re: printer [#123456]", ("123456",)),
        (TAG, "Re: printer [ #123456 ]", ("123456",)),
        (TAG, "#123456 printer", ("123456",)),
        (TAG, "printer (#123456)", ("123456",)),
        (TAG, "[#123456] [#123456] [#654321]", ("123456", "654321")),
        (TAG, "order a#123456, &#123456; page/#123456", ()),
        (TAG, "#123456a #123 #1234567890123", ()),
        (TAG, "call 123456 or [123456]", ()),
        ("[{number}]", "Re: [123456] and 654321, #777777", ("123456", "777777")),
        ("Ticket {number}:", "Re: ticket 123456: printer", ("123456",)),
        ("Ticket {number}:", "Re: Ticket123456: printer", ("123456",)),
        ("[Case-{number}]", "AW: (case-123456) printer", ("123456",)),
        ("[Case-{number}]", "Staircase-123456", ()),
        ("<{number}/desk>", "Re: 123456/desk", ("123456",)),
    ],
)
def test_a_number_is_found_as_the_desk_writes_it_and_as_people_do(
    tag: str, subject: str, numbers: tuple[str, ...]
) -> None:
    assert ticket_numbers(subject, tag) == numbers


@pytest.mark.parametrize(
    "subject",
    [
        "Printer on fire",
        "Re: Printer on fire",
        "RE: AW: SV: Printer  on fire",
        "Re[2]: printer on FIRE",
        "Re (3): Printer on fire",
        "Re: Printer on fire [#123456]",
        "[#123456] Printer on fire",
        "Fwd: [#123456] Re: Printer on fire (#123456)",
        "答复：Printer on fire",
        "Ответ: Printer on fire",
        "Odp: Antw: Rif: Printer on fire",
        "YNT: VS: Printer on fire #123456",
    ],
)
def test_marks_and_tags_around_a_subject_do_not_count(subject: str) -> None:
    assert clean_subject(subject, TAG)[0] == "printer on fire"


@pytest.mark.parametrize(
    ("subject", "marked"),
    [("Re: x", True), ("[#123456] Re: x", True), ("x", False), ("Regarding: x", False), ("12:30 x", False)],
)
def test_only_reply_marks_make_a_reply(subject: str, marked: bool) -> None:
    assert clean_subject(subject, TAG)[1] is marked


@given(st.text(max_size=300))
def test_cleaning_never_fails_and_cleaning_twice_changes_nothing_more(subject: str) -> None:
    cleaned, _ = clean_subject(subject, TAG)
    assert len(clean_subject(cleaned, TAG)[0]) <= len(cleaned)
    assert isinstance(ticket_numbers(subject, TAG), tuple)


def test_a_new_ticket_loses_the_tags_of_others() -> None:
    assert without_tags("Re: printer [#123456] [#654321]", TAG) == "Re: printer"
    assert without_tags("order #123456 [1234567]", TAG) == "order #123456 [1234567]"
    assert without_tags("[#123456]", TAG) == ""


def test_a_child_index_adds_five_bytes_that_tell_when() -> None:
    parent = base64.b64encode(ROOT).decode()
    child = child_index(parent, "<m1>", NOW)
    assert child is not None
    raw = base64.b64decode(child)
    assert (raw[:22], len(raw)) == (ROOT, 27)
    assert child == child_index(parent, "<m1>", NOW)
    assert child != child_index(parent, "<m2>", NOW) or child != child_index(parent, "<m3>", NOW)
    later = base64.b64decode(child_index(parent, "<m1>", NOW + timedelta(days=1)) or "")
    assert later[22:26] >= raw[22:26]


@pytest.mark.parametrize("value", ["", "x", "A" * 10_000, base64.b64encode(ROOT + b"12").decode(), "é" * 40])
def test_what_is_no_index_has_no_child(value: str) -> None:
    assert child_index(value, "<m1>", NOW) is None
    assert outlook_headers([value, "topic"], "<m1>", "Printer", NOW) == ()


def test_an_index_never_grows_without_end() -> None:
    index = base64.b64encode(ROOT).decode()
    for number in range(300):
        index = child_index(index, f"<m{number}>", NOW) or ""
    assert len(base64.b64decode(index)) == 22 + 5 * 100


def test_a_conversation_keeps_its_root_and_its_newest_mails() -> None:
    talk = Conversation()
    for number in range(40):
        talk.add(f"m{number}", "index" if number == 3 else None, "topic")
    assert talk.references() == ["m0", *(f"m{number}" for number in range(28, 40))]
    assert talk.outlook("m40", NOW) == ["index", "topic"]


def test_a_conversation_that_no_outlook_began_gets_an_index_and_keeps_it() -> None:
    index, topic = Conversation().outlook("m1", NOW)
    assert len(base64.b64decode(index)) == 22
    assert base64.b64decode(index)[0] == 1
    assert index != Conversation().outlook("m2", NOW)[0]
    headers = dict(outlook_headers([index, topic], "m1", "Re: Printer [#123456]", NOW))
    assert headers["Thread-Topic"] == "Printer [#123456]"
    assert base64.b64decode(headers["Thread-Index"])[:22] == base64.b64decode(index)


def test_an_index_that_begins_anew_does_not_tear_a_conversation_apart() -> None:
    talk = Conversation()
    first, other = root_index("a", NOW), root_index("b", NOW)
    grown = child_index(first, "c", NOW)
    for number, index in enumerate((None, first, grown, other)):
        talk.add(f"m{number}", index, f"topic {number}")
    assert talk.outlook("m4", NOW) == [grown, "topic 2"]


@pytest.mark.parametrize(
    ("subject", "earlier", "expected"),
    [
        ("Re: Printer [#4711]", None, "Re: Printer [#4711]"),
        ("Re: Printer", None, "Re: Printer [#4711]"),
        ("Re: Drucker [#4711]", "Re: Printer [#4711]", "Re: Printer [#4711]"),
        ("Re: Printer [#4711]", "Re: Scanner [#4712]", "Re: Printer [#4711]"),
        ("", None, "[#4711]"),
    ],
)
def test_a_reader_keeps_the_subject_under_which_they_know_a_ticket(
    subject: str, earlier: str | None, expected: str
) -> None:
    assert lasting_subject(subject, earlier, "[#4711]", "4711") == expected
