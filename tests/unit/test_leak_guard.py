"""domain/leak_guard.py: what an agent's mail program or a slip adds to the words stays in the house."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailticket.config.desk import Agent, Desk
from mailticket.domain.change import AddEntry, Decision, ReturnToAgent
from mailticket.domain.decide_agent import decide_agent
from mailticket.domain.leak_guard import without_personal
from mailticket.domain.types import Audience, Facts, Outcome, Said, Trust
from mailticket.mail.commands import Commands, parse_commands
from mailticket.mail.read import read
from tests.facts import a_ticket
from tests.store.small_desk import small_desk

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
SAM = Agent(key="sam", name="Sam Support", addresses=("sam.private@agents.example",))
TICKET = a_ticket(number="20261121-0007", subject="Help", assignee="sam")
NOTE = "Between us: the customer has not paid since the spring of last year.\nHe is a crook"
TOKEN = "cei5uabqmfxgk43umvsca3tpebuxg5a7onuxu6dfnv2hi2lo"


def decided(text: str, *, prefix: str = "#", said: tuple[Said, ...] = (), **options: object) -> Decision:
    """What becomes of Sam's plain answer with this text."""
    raw = (
        b"From: sam.private@agents.example\r\nTo: support@desk.example\r\nSubject: Re: Help\r\n"
        b"Message-ID: <1@agents.example>\r\nIn-Reply-To: <0@desk.example>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    ) + text.encode("utf-8", "surrogatepass")
    desk: Desk = small_desk(command_prefix=prefix, **options)
    facts = Facts("support", "sam.private@agents.example", "sam", True, said=said)
    return decide_agent(
        read(raw, "sam.private@agents.example"),
        TICKET,
        "sam",
        Trust.TOKEN,
        desk,
        (),
        facts=facts,
        entry=0,
        now=NOW,
    )


def sent(decision: Decision) -> str | None:
    """What the customer gets; None for nothing."""
    entries = [one for one in decision.changes if isinstance(one, AddEntry)]
    return next((one.text for one in entries if one.audience is Audience.CUSTOMER), None)


PERSONAL = [
    ("Hello\n\nRegards\nSam Support", "Hello\n\nRegards\nSam Support"),
    ("Hello\n\nRegards\nSam", "Hello\n\nRegards\nSam"),
    ("Hello\n\nRegards\nSam Support\nsam.private@agents.example", "Hello\n\nRegards"),
    ("Hello\n\nRegards\n*Sam Support*\n<sam.private@agents.example>", "Hello\n\nRegards"),
    ("Hello\n\nSam Support\nSenior Engineer, Support\nTel: +49 30 1234567", "Hello"),
    ("Hello\n\nSam Support\nEngineer\n\nM +49 (0)170 1234567\nwww.desk.example", "Hello"),
    ("Hello\n\nE-mail: sam.private@agents.example", "Hello"),
    ("Hello\n\nSam.Private@Agents.Example<mailto:Sam.Private@agents.example>", "Hello"),
    ("Call us:\n+49 30 1234567", "Call us:\n+49 30 1234567"),
    ("Sam,\n\nplease call the plumber:\n+49 30 1234567", "Sam,\n\nplease call the plumber:\n+49 30 1234567"),
    ("Write to sam.private@agents.example, please.", "Write to sam.private@agents.example, please."),
    ("sam.private@agents.example", "sam.private@agents.example"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "left"), PERSONAL)
def test_a_block_with_the_agents_own_address_or_telephone_is_taken_off(text: str, left: str) -> None:
    assert without_personal(text, SAM) == left


STOPPED = [
    "Please write to sam.private@agents.example about it.",
    f"See [mt:{TOKEN}]",
    f"Write to support+{TOKEN}@desk.example",
    f"mailto:support%2B{TOKEN}@desk.example"[:7] + f"support+{TOKEN}%40desk.example",
    "It works.\n\nTicket       20261121-0007\nSubject      Help",
    "It works.\n\nTicket\t20261121-0007",
    "It works.\n\nKeep it inside the desk  #note\nClose the ticket         #close",
    "It works.\n\nClose the ticket | #close |",
    "-- Please reply above this line --\nIt works.",
    "Between us, the customer has not paid since the spring.",
    "between us: the\ncustomer has not paid\nsince the spring of last year",
    "Hello\nHe is a crook\nBye",
]


@pytest.mark.parametrize("text", STOPPED)
def test_what_is_the_houses_own_never_goes_out(text: str) -> None:
    decision = decided(text, said=(Said(NOTE, True), Said("The printer burns.", False)))
    told = sent(decision)
    assert decision.outcome is Outcome.RETURNED or told is None or not _holds_any(told), decision
    if decision.outcome is Outcome.RETURNED:
        (back,) = decision.changes
        assert isinstance(back, ReturnToAgent)
        assert back.problems[0][1]


def _holds_any(text: str) -> bool:
    return any(
        word in text for word in ("agents.example", TOKEN, "0007", "#note", "#close", "paid since", "crook")
    )


def test_words_of_a_note_go_out_when_the_agent_says_so_and_only_these() -> None:
    said = (Said(NOTE, True),)
    assert decided("He is a crook", said=said).outcome is Outcome.RETURNED
    assert sent(decided("#reply\nHe is a crook", said=said)) == "He is a crook"
    assert decided("#note\nHe is a crook", said=said).outcome is Outcome.AGENT_ACTED
    assert decided(f"#reply\nSee [mt:{TOKEN}]", said=said).outcome is Outcome.RETURNED
    assert decided("#reply\nWrite to sam.private@agents.example now.").outcome is Outcome.RETURNED


def test_words_of_the_customer_that_a_note_repeats_may_be_said_again() -> None:
    words = "The printer on the third floor burns since this morning at nine"
    said = (Said(f"She says: {words}", True), Said(words, False))
    assert sent(decided(f"You wrote: {words}", said=said)) == f"You wrote: {words}"


def test_a_signature_goes_out_only_where_the_desk_wants_it() -> None:
    text = "It works.\n\n-- \nSam Support\nTel. +49 30 1234567\nsam.private@agents.example\n"
    assert sent(decided(text)) == "It works."
    kept = sent(decided(text, agent_signatures="keep"))
    assert kept == "It works.\n\nSam Support\nTel. +49 30 1234567\nsam.private@agents.example"
    with_command = "It works.\n\n-- \nSam Support\n#close\n"
    decision = decided(with_command, agent_signatures="keep")
    assert sent(decision) == "It works.\n\nSam Support"


PIECES = st.sampled_from(
    (
        *(
            "#close",
            "#note",
            "#assign sam",
            "#clsoe",
            "#tag a",
            "Hello Ann,",
            "",
            " ",
            "*",
            "• ",
            "1. ",
            "# ",
        ),
        *(
            "Status: resolved",
            "Status: it works.",
            "Owner: sam",
            "TimeLeft: 5",
            "Subject: x",
            "Priority: high",
        ),
        *(
            "Sent from my iPhone",
            "-- ",
            "Sam Support",
            "/close",
            "/etc/hosts",
            "/clsoe",
            "> ",
            "\u200b",
            "＃close",
        ),
        *("On Sat, Nov 21, 2026 at 10:05 AM Desk <support@desk.example> wrote:", "> #close", "\u00a0", "#?"),
        *("#close The fuse was blown and we have put in a new one, which works now,", "and more", "And more"),
        *("\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n\r\n"),
    )
)
TEXTS = st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=200)


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.sampled_from("#/"), st.sampled_from(("strip", "keep")))
def test_no_text_that_an_agent_can_write_sends_a_command_line_to_a_customer(
    text: str, prefix: str, signatures: str
) -> None:
    decision = decided(text, prefix=prefix, agent_signatures=signatures)
    if decision.outcome is Outcome.REHEARSED:
        assert decision.dry_run, "nothing of it is done"
        return
    assert decision.outcome in (Outcome.AGENT_ACTED, Outcome.RETURNED)
    told = sent(decision)
    if told is not None:
        again = parse_commands(told, prefix)
        assert isinstance(again, Commands)
        assert again.commands == ()
        assert not again.note
        assert again.body == told.strip()
