"""Agents work tickets from their mail programs: commands, dry runs, links, receipts, undo, held answers.

One running daemon on each database serves all of it; every test has a customer and tickets of its own.
Words and quotes are as Gmail, Outlook, Apple Mail, Thunderbird and mutt write them (clients.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scenario.composed import links
from tests.scenario.daemon import Daemon, text_of
from tests.scenario.office import BELIEVED, Matter, Office, said
from tests.scenario.test_hostile import UNBRAKED

DATABASES = [
    pytest.param("sqlite", marks=pytest.mark.xdist_group("by mail, sqlite")),
    pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.xdist_group("by mail, postgres")]),
]
HOLD = 30.0
ASKING = "\n[desk.mails]\n'ticket.satisfaction' = true\n"
SUES = "sue.private@agents.example"


@pytest.fixture(scope="module", params=DATABASES)
def office(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One daemon for all: answers wait half a minute, and every mail that did something has a receipt."""
    folder: Path = tmp_path_factory.mktemp("by-mail")
    template = request.getfixturevalue(f"{request.param}_template")
    url = template.copy(folder / "desk.db") if request.param == "sqlite" else template.copy()
    options = {"MAILTICKET_DESK__RECEIPTS": "all"}
    more = UNBRAKED + BELIEVED + ASKING
    with Daemon(folder, url, undo_hold=f"{HOLD:.0f}s", extra=more, environment=options) as daemon:
        yield Office(daemon)
        daemon.books.assert_sound()


def test_command_lines_count_at_the_top_and_the_bottom_as_programs_mangle_them(office: Office) -> None:
    """Capital letters, bullets, bold type, no-break spaces, links behind addresses, fields as in RT."""
    written: dict[str, tuple[list[str], tuple[str, str | None, str, list[str]]]] = {
        "gmail": (["#TAKE", "#Tag  vip", ""], ("in-progress", "sam", "normal", ["vip"])),
        "outlook_desktop": (["• #prio\u00a0high", "• #tag vip", ""], ("in-progress", "sam", "high", ["vip"])),
        "outlook_ios": (["1. #assign sue", "2. #note", ""], ("open", "sue", "normal", [])),
        "iphone": (["#Priority High.", "#Tag vip", ""], ("in-progress", "sam", "high", ["vip"])),
        "apple_mail": (["*#tag vip*", ""], ("in-progress", "sam", "normal", ["vip"])),
        "outlook_web": (["#assign Sue Support", ""], ("in-progress", "sue", "normal", [])),
        "mutt": (["Status: resolved", "Owner: sue", "Priority: high", ""], ("resolved", "sue", "high", [])),
        "thunderbird_html": (["Owner: sue", "Queue: support", ""], ("in-progress", "sue", "normal", [])),
    }  # fmt: skip
    for program, (lines, expected) in written.items():
        matter = office.opened(f"top-{program.replace('_', '-')}")
        matter.says("sam", program, *lines, f"Hello, this is about {program}.")
        status, _, assignee, priority, tags = matter.state
        assert (status, assignee, priority, tags) == expected, (program, said(matter.newest("sam")))
    below = office.opened("bottom")
    below.says("sam", "thunderbird", "Hello, it is mended.", "", "Kind regards", "", "#resolve", "#tag vip")
    assert below.state == ("resolved", "support", "sam", "normal", ["vip"])
    office.pass_time(HOLD + 1)
    (answer,) = below.answers()
    assert "it is mended" in answer
    assert "#resolve" not in answer
    for program in written:
        matter = Matter(office, f"top-{program.replace('_', '-')}")
        got = "".join(matter.answers())
        assert (f"about {program}" in got) is (program != "outlook_ios"), (program, "a note stays inside")
        assert not any(word in got.casefold() for word in ("#", "owner:", "vip")), got


def test_a_line_that_is_no_command_does_nothing_at_all_and_comes_back_with_the_nearest_one(
    office: Office,
) -> None:
    wrong = {
        "gmail_app": (["#clsoe", "", "Hello."], "#close"),
        "outlook_ios": (["#asign sue", "#tag vip", "", "Hello."], "#assign"),
        "apple_mail": (["#tag vip", "#priority hihg", "", "Hello."], "high"),
        "mutt": (["Status: resolvd", "Owner: sam", "", "Hello."], "resolved"),
        "outlook_text_only": (["Hello,", "#resolve", "is what I would write."], "#resolve"),
    }
    for program, (lines, hint) in wrong.items():
        matter = office.opened(f"wrong-{program.replace('_', '-')}")
        before = (matter.state, matter.entries, matter.row.version)
        matter.says("sam", program, *lines)
        back = matter.newest("sam")
        assert "nothing has been sent" in said(back), program
        assert hint in said(back), (program, said(back))
        assert "Hello" in text_of(back), "the words are not lost"
        assert back["Auto-Submitted"] == "auto-replied"
        assert (matter.state, matter.entries, matter.row.version) == before, program
    office.pass_time(HOLD + 1)
    assert [Matter(office, f"wrong-{name.replace('_', '-')}").answers() for name in wrong] == [[]] * len(
        wrong
    )


def test_a_question_mark_tells_what_would_happen_and_does_nothing(office: Office) -> None:
    for program in ("thunderbird_html", "iphone", "outlook_german"):
        matter = office.opened(f"dry-{program.replace('_', '-')}")
        before = (matter.state, matter.entries)
        matter.says("sam", program, "#?", "#resolve", "#tag vip", "", "Hello, it works.")
        told = said(matter.newest("sam"))
        assert "Nothing was done, and nothing sent." in told, (program, told)
        assert f"Your answer would go to {matter.customer.partition(' <')[0]}" in told, told
        assert "Status: would be open -> resolved" in told, told
        office.pass_time(HOLD + 1)
        assert (matter.state, matter.entries) == before, program
        assert matter.answers() == []


@pytest.mark.parametrize(
    ("program", "label", "expected"),
    [
        ("outlook_ios", "Take it", ("open", "support", "sam")),
        ("gmail", "Mark as solved", ("resolved", "support", None)),
        ("thunderbird", "Wait for the customer", ("waiting", "support", None)),
        ("outlook_web", "Give it to System Administration", ("open", "it", None)),
        ("iphone", "Take it", ("open", "support", "sam")),
    ],
)
def test_a_link_of_an_alert_does_one_thing_when_its_mail_is_sent_and_only_then(
    office: Office, program: str, label: str, expected: tuple[str, str, str | None]
) -> None:
    matter = office.opened(f"tap-{program.replace('_', '-')}")
    link = links(matter.newest("sam"), "text" if program in ("thunderbird", "iphone") else "html")[label]
    before = matter.state
    # a scanner that opens the link sends nothing; what else may come to the address does nothing
    matter.taps("sam", program, link, Auto_Submitted="auto-replied")
    matter.taps("sue", program, link)
    matter.taps("customer", program, link)
    matter.taps("Eve <eve@evil.example>", program, link)
    assert matter.state == before, "only the mail of whom it was made for"
    matter.taps("sam", program, link)
    assert matter.state[:3] == expected, said(matter.newest("sam"))
    assert "Done:" in said(matter.newest("sam"))
    office.pass_time(HOLD + 1)
    assert matter.answers() == [], "the words that a link puts into its mail are nobody's answer"
    assert [entry for entry in matter.entries if entry[1].startswith("agent:")] == []


def test_a_note_by_a_link_stays_inside(office: Office) -> None:
    matter = office.opened("tap-note")
    matter.taps("sam", "outlook_desktop", links(matter.newest("sam"))["Write a note"], "She called me names.")
    assert matter.entries[-1] == ("note", "agent:sam", "She called me names.")
    office.pass_time(HOLD + 1)
    assert matter.answers() == []


def test_a_receipt_tells_what_a_mail_did_and_undo_takes_it_back_while_the_answer_waits(
    office: Office,
) -> None:
    """By command from one program, and by the receipt's link from another."""
    undoing: dict[str, Callable[[Matter], object]] = {
        "iphone": lambda matter: matter.says("sam", "iphone", "#undo"),
        "gmail": lambda matter: matter.taps("sam", "gmail", links(matter.newest("sam"))["Undo it"]),
    }
    for program, undo in undoing.items():
        matter = office.opened(f"undo-{program}")
        before = matter.state
        own = matter.says("sam", "outlook_web", "#resolve", "#tag vip", "", "It was the fuse.")
        receipt = matter.newest("sam")
        assert "Your answer goes at" in said(receipt)
        assert matter.customer.partition(" <")[0] in said(receipt)
        assert "Status: Open -> Resolved" in said(receipt).replace("open", "Open").replace(
            "resolved", "Resolved"
        )
        assert receipt["Auto-Submitted"] == "auto-replied"
        assert str(own["Message-ID"]) in f"{receipt['In-Reply-To']} {receipt['References']}"
        assert matter.state[0] == "resolved"
        undo(matter)
        assert "Taken back" in said(matter.newest("sam"))
        assert matter.state == before
        office.pass_time(HOLD + 1)
        assert matter.answers() == []
    kept = Matter(office, "undo-gmail")
    kept.says("sam", "mutt", "It was the fuse.")
    office.pass_time(HOLD + 1)
    kept.says("sam", "thunderbird", "#undo")
    assert "Your answer was sent to" in said(kept.newest("sam"))
    assert len(kept.answers()) == 1


def test_an_answer_to_an_emergency_waits_for_nothing(office: Office) -> None:
    matter = office.opened("emergency")
    matter.says("sam", "outlook_ios", "#priority emergency", "", "Leave the building.")
    assert ["Leave the building." in text for text in matter.answers()] == [True]


def test_an_answer_to_what_is_not_the_newest_word_waits_until_its_author_has_seen_it(office: Office) -> None:
    """Released by `#send` and by a link; or a fresh answer takes its place."""
    releasing: dict[str, Callable[[Matter], object]] = {
        "gmail_app": lambda matter: matter.says("sam", "gmail_app", "#send"),
        "iphone": lambda matter: matter.taps(
            "sam", "iphone", links(matter.newest("sam"))["Send it as it is"]
        ),
        "outlook_web": lambda matter: matter.says("sam", "outlook_web", "Glad to hear it."),
    }
    for program, release in releasing.items():
        matter = office.opened(f"stale-{program.replace('_', '-')}")
        old = matter.newest("sam")
        matter.says("customer", "outlook_web", "It works again by itself.")
        matter.says("sam", "apple_mail", "#resolve", "", "Please buy another one.", to=old)
        shown = matter.newest("sam")
        assert "Your answer waits" in said(shown)
        assert "It works again by itself." in text_of(shown)
        assert "Please buy another one." in text_of(shown)
        office.pass_time(HOLD + 1)
        assert (matter.answers(), matter.state[0]) == ([], "open")
        release(matter)
        office.pass_time(HOLD + 1)
        (answer,) = matter.answers()
        fresh = program == "outlook_web"
        assert ("Please buy another one." in answer, "Glad to hear it." in answer) == (not fresh, fresh)
        assert matter.state[0] == ("in-progress" if fresh else "resolved"), (
            "a fresh answer asks for nothing else"
        )


def test_of_two_agents_who_answer_at_once_the_second_learns_of_the_first_before_the_customer_does(
    office: Office,
) -> None:
    matter = office.opened("both")
    of_sam, of_sue = matter.newest("sam"), matter.newest("sue")
    matter.says("sam", "outlook_desktop", "Turn it off and on.", to=of_sam)
    matter.says("sue", "thunderbird", "Kick it.", to=of_sue)
    shown = matter.newest("sue")
    assert "Your answer waits" in said(shown)
    assert "Turn it off and on." in text_of(shown)
    office.pass_time(HOLD + 1)
    assert ["Turn it off" in text for text in matter.answers()] == [True]
    assert "Kick it." not in "".join(matter.answers())


def test_nothing_of_the_inside_gets_out_and_whom_the_agent_adds_gets_in(office: Office) -> None:
    """A colleague's note stays inside; whom an agent puts into Cc takes part, and the receipt says so."""
    matter = office.opened("leaks")
    matter.says("sue", "mutt", "#note", "Between us: he never pays.")
    told = matter.newest("sam")
    assert "he never pays" in text_of(told)
    lines = ["Hello,", "it is mended.", "", "Kind regards", "-- ", "Sam Support", "Tel. 555 0100"]
    matter.says("sam", "gmail", *lines, Cc="Bob <bob@customer.example>, Sue <sue.private@agents.example>")
    receipt = said(matter.newest("sam"))
    assert "bob@customer.example" in receipt, receipt
    office.pass_time(HOLD + 1)
    for address in (matter.customer, "bob@customer.example"):
        got = [mail for mail in matter.mails(address) if mail["Auto-Submitted"] is None]
        assert len(got) == 1, address
        whole = got[0].as_string() + text_of(got[0])
        assert "it is mended" in text_of(got[0])
        for inside in ("agents.example", "never pays", "555 0100", "Why you get this", "Sue Support"):
            assert inside not in whole, (address, inside)
        assert got[0]["From"].addresses[0].addr_spec == "support@desk.example"
    # what Bob answers reaches the desk as one who takes part
    mail = matter.newest("bob@customer.example")
    matter.says(
        "Bob <bob@customer.example>",
        "outlook_ios",
        "Thank you from me as well, the other one still hums.",
        to=mail,
    )
    assert matter.entries[-1][:2] == ("message", "bob@customer.example")


def test_words_of_a_note_that_an_agent_repeats_come_back_to_them(office: Office) -> None:
    matter = office.opened("repeats")
    secret = "The customer has threatened to sue all of us since the spring of last year."
    matter.says("sue", "gmail", "#note", secret)
    matter.says("sam", "outlook_text_only", "Hello,", secret, "Bye")
    assert "nothing has been sent" in said(matter.newest("sam"))
    office.pass_time(HOLD + 1)
    assert matter.answers() == []
