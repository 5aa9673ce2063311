"""domain/aliases.py: whose token it is, when an agent is asked about an address, and what an answer is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailticket.config.desk import Desk
from mailticket.domain.change import Decision, ReturnToAgent
from mailticket.domain.decide import decide
from mailticket.domain.people_changes import AskAgent, SettleAlias
from mailticket.domain.sender import AliasFacts, AliasState
from mailticket.domain.types import Arrival, EvidenceKind, Facts, Outcome, ThreadEvidence
from mailticket.mail.read import read
from tests.facts import a_ticket

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DESK = Desk.model_validate(
    {
        "name": "Desk",
        "instance": "desk1",
        "default_department": "support",
        "departments": {"support": {"name": "Support", "addresses": ["support@desk.example"]}},
        "agents": {
            "sam": {"name": "Sam", "addresses": ["sam@staff.example"]},
            "sue": {"name": "Sue", "addresses": ["sue@staff.example"]},
        },
        "priorities": {"normal": {"name": "Normal", "urgency": 3}},
        "trust": {"authserv_ids": ["mx.desk.example"]},
    }
)
TICKET = a_ticket(subject="Login", created_at=NOW)
SAMS = ThreadEvidence(EvidenceKind.ADDRESS_TOKEN, 7, "agent:sam", 1)


def alias(state: AliasState, agent: str = "sam", asked_at: datetime = NOW) -> AliasFacts:
    return AliasFacts(3, "sam@home.example", agent, state, asked_at)


def decided(
    sender: str, facts: dict[str, Any], text: str = "Done.", *headers: str, arrived: datetime = NOW
) -> Decision:
    """The decision for a mail of this sender with a token of Sam's, unless `facts` say otherwise."""
    lines = [*headers, f"From: {sender}", "To: support@desk.example", "Subject: Re: Login", "", text]
    reading = read("\r\n".join(lines).encode(), sender)
    arrival = Arrival(1, "support@desk.example", sender, "smtp", arrived, "0" * 64)
    base = Facts("support", sender, DESK.agent_by_address.get(sender), False, (SAMS,), {7: TICKET})
    return decide(reading, arrival, replace(base, **facts), DESK, NOW)


def asked(decision: Decision) -> bool:
    return any(isinstance(change, AskAgent) for change in decision.changes)


def test_an_agents_token_from_an_unknown_address_waits_for_the_agents_word() -> None:
    decision = decided("sam@home.example", {})
    (change,) = decision.changes
    assert decision.outcome is Outcome.HELD
    assert isinstance(change, AskAgent)
    assert (change.agent, change.address, change.text) == ("sam", "sam@home.example", "Done.")


@pytest.mark.parametrize(
    ("known", "arrived", "outcome", "asks"),
    [
        (alias(AliasState.PENDING), NOW, Outcome.HELD, False),
        (alias(AliasState.DENIED), NOW, Outcome.NEW_TICKET, False),
        (alias(AliasState.PENDING, "sue"), NOW, Outcome.NEW_TICKET, False),
        (alias(AliasState.CONFIRMED, "sue"), NOW, Outcome.NEW_TICKET, False),
        (alias(AliasState.EXPIRED), NOW, Outcome.NEW_TICKET, False),
        (alias(AliasState.EXPIRED), NOW + timedelta(hours=23), Outcome.NEW_TICKET, False),
        (alias(AliasState.EXPIRED), NOW + timedelta(days=1, seconds=1), Outcome.HELD, True),
    ],
)
def test_what_was_said_about_the_address_decides(
    known: AliasFacts, arrived: datetime, outcome: Outcome, asks: bool
) -> None:
    decision = decided("sam@home.example", {"alias": known}, arrived=arrived)
    assert decision.outcome is outcome
    assert asked(decision) is asks


@pytest.mark.parametrize(
    "headers",
    [
        ("Auto-Submitted: auto-replied",),
        ("Authentication-Results: mx.desk.example; dmarc=fail (p=reject)",),
    ],
)
def test_robots_and_forgers_raise_no_question(headers: tuple[str, ...]) -> None:
    assert not asked(decided("sam@home.example", {}, "Done.", *headers))


def test_a_participant_with_an_agents_token_writes_for_themselves() -> None:
    assert decided("ann@customer.example", {"known_sender": True}).outcome is Outcome.THREADED


def test_another_agent_with_the_token_is_refused_and_nobody_is_asked() -> None:
    decision = decided("sue@staff.example", {})
    assert decision.outcome is Outcome.RETURNED
    assert isinstance(decision.changes[0], ReturnToAgent)
    assert decision.changes[0].agent == "sue"


def test_a_confirmed_alias_acts_with_a_token_and_only_with_one() -> None:
    confirmed = {"alias": alias(AliasState.CONFIRMED), "sender_agent": "sam"}
    assert decided("sam@home.example", confirmed).outcome is Outcome.AGENT_ACTED
    pointing = ThreadEvidence(EvidenceKind.SUBJECT_NUMBER, 7)
    decision = decided("sam@home.example", {**confirmed, "evidence": (pointing,)})
    assert decision.outcome is Outcome.RETURNED


@pytest.mark.parametrize(
    ("text", "confirmed"),
    [
        ("yes", True),
        ("\n\n  YES!  \nregards", True),
        ("#confirm", True),
        ("Ja.", True),
        ("no", False),
        ("Nein\n\nSam", False),
        ("yes, but not that one", None),
        ("yesterday", None),
        ("I do not know", None),
        ("", None),
    ],
)
def test_the_first_line_of_the_answer_is_yes_or_no(text: str, confirmed: bool | None) -> None:
    facts = {"challenge": alias(AliasState.PENDING), "evidence": ()}
    decision = decided("sam@staff.example", facts, text)
    (change,) = decision.changes
    if confirmed is None:
        assert isinstance(change, ReturnToAgent)
    else:
        assert isinstance(change, SettleAlias)
        assert (change.alias, change.confirmed) == (3, confirmed)


@pytest.mark.parametrize(
    ("sender", "agent", "headers"),
    [
        ("sam@home.example", "sam", ()),
        ("sam@staff.example", "sam", ("Auto-Submitted: auto-replied",)),
        ("sam@staff.example", "sam", ("Authentication-Results: mx.desk.example; dmarc=fail (p=reject)",)),
    ],
)
def test_aliases_robots_and_forgers_confirm_nothing(
    sender: str, agent: str, headers: tuple[str, ...]
) -> None:
    facts = {"challenge": alias(AliasState.PENDING), "evidence": (), "sender_agent": agent}
    decision = decided(sender, facts, "yes", *headers)
    assert not any(isinstance(change, SettleAlias) for change in decision.changes)


def test_an_answer_given_twice_changes_nothing() -> None:
    facts = {"challenge": alias(AliasState.CONFIRMED), "evidence": ()}
    assert decided("sam@staff.example", facts, "yes").outcome is Outcome.IGNORED
    (change,) = decided("sam@staff.example", facts, "no").changes
    assert isinstance(change, SettleAlias)
    assert not change.confirmed
