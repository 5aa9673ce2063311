"""domain/trust.py: evidence to a level, and what each level may do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mailticket.config.desk import TRUST_LEVELS, TrustPolicy
from mailticket.domain.decide import decide
from mailticket.domain.trust import Ability, allowed, trust_of
from mailticket.domain.types import Arrival, EvidenceKind, Facts, Outcome, ThreadEvidence, Trust
from mailticket.mail.authentication import Verdict
from mailticket.mail.read import read
from tests.unit.test_aliases import DESK, NOW, TICKET

PASS = "Authentication-Results: mx.desk.example; dmarc=pass"
FAIL = "Authentication-Results: mx.desk.example; dmarc=fail (p=reject)"
VERIFIED = Verdict(True, False, "we verified it")
TOKEN = ThreadEvidence(EvidenceKind.BODY_TOKEN, 7, "agent:sam")


def level(
    *headers: str, sender: str = "sam@staff.example", auth_user: str | None = None, **known: Any
) -> Trust:
    """The level of a mail with these headers, To: the desk unless they say otherwise."""
    lines = [*headers, f"From: {sender}", "Subject: x", "", "x"]
    if not any(line.startswith("To:") for line in headers):
        lines.insert(0, "To: support@desk.example")
    mail = read("\r\n".join(lines).encode(), sender).mail
    arrival = Arrival(1, "support@desk.example", sender, "smtp", NOW, "0" * 64, auth_user)
    facts = Facts("support", mail.sender.address, DESK.agent_by_address.get(sender), False)
    finding = trust_of(mail, arrival, replace(facts, tickets={7: TICKET}, **known), DESK)
    assert finding.reasons
    assert all(finding.reasons)
    return finding.level


def test_the_levels_are_the_same_everywhere_and_in_the_same_order() -> None:
    assert tuple(str(item) for item in Trust) == TRUST_LEVELS


def test_each_kind_of_evidence_has_its_level() -> None:
    assert level() is Trust.UNKNOWN
    assert level(known_sender=True) is Trust.KNOWN
    assert level(PASS) is Trust.AUTHENTICATED
    assert level(verified=VERIFIED) is Trust.AUTHENTICATED
    assert level(auth_user="sam@staff.example") is Trust.AUTHENTICATED
    assert level(auth_user="sam") is Trust.AUTHENTICATED
    assert level(evidence=(TOKEN,)) is Trust.TOKEN
    assert level(FAIL) is Trust.FAILED


def test_what_is_proven_forged_is_helped_by_no_token_and_no_signature() -> None:
    assert level(FAIL, evidence=(TOKEN,), verified=VERIFIED, known_sender=True) is Trust.FAILED


def test_a_submission_by_the_senders_own_account_is_not_our_mxs_business() -> None:
    assert level(FAIL, auth_user="sam") is Trust.AUTHENTICATED
    assert level(auth_user="sue") is Trust.UNKNOWN
    assert level(auth_user="eve@evil.example") is Trust.UNKNOWN
    assert level(FAIL, auth_user="relay") is Trust.FAILED


def test_an_ambiguous_sender_is_unknown_whatever_else_the_mail_has() -> None:
    sender = "sam@staff.example <eve@evil.example>"
    assert level(PASS, sender=sender, evidence=(TOKEN,), verified=VERIFIED, auth_user="sam") is Trust.UNKNOWN


def test_an_agents_signed_mail_to_somebody_else_proves_nothing_here() -> None:
    assert level(PASS, "To: ann@customer.example") is Trust.UNKNOWN
    assert (
        level(PASS, "To: ann@customer.example", "Cc: Support <Support+x@Desk.example>") is Trust.AUTHENTICATED
    )
    assert level("To: ann@customer.example", verified=VERIFIED) is Trust.UNKNOWN
    assert level(PASS, "To: list@customer.example", sender="ann@customer.example") is Trust.AUTHENTICATED


@pytest.mark.parametrize("agent_acts", ["token", "authenticated"])
@pytest.mark.parametrize("ability", ["agent_acts", "join", "open_ticket", "acknowledge"])
def test_nobody_may_more_than_somebody_better_known(agent_acts: Any, ability: Ability) -> None:
    policy = TrustPolicy(agent_acts=agent_acts)
    may = [allowed(policy, ability, Trust(item)) for item in TRUST_LEVELS]
    assert may == sorted(may, reverse=True)
    assert may[0]
    assert may[-1] is (ability == "open_ticket")


@pytest.mark.parametrize("ability", ["agent_acts", "join", "acknowledge"])
def test_no_configuration_lets_forged_mail_do_more_than_open_a_ticket(ability: str) -> None:
    with pytest.raises(ValueError, match=ability):
        TrustPolicy.model_validate({ability: "failed"})


@pytest.mark.parametrize(
    ("policy", "header", "outcome", "acknowledged"),
    [
        ({}, "X: y", Outcome.NEW_TICKET, True),
        ({}, FAIL, Outcome.NEW_TICKET, False),
        ({"open_ticket": "unknown"}, FAIL, Outcome.HELD, False),
        ({"open_ticket": "authenticated"}, "X: y", Outcome.HELD, False),
        ({"open_ticket": "authenticated"}, PASS, Outcome.NEW_TICKET, True),
        ({"acknowledge": "known"}, "X: y", Outcome.NEW_TICKET, False),
        ({"acknowledge": "known"}, PASS, Outcome.NEW_TICKET, True),
    ],
)
def test_the_policy_decides_who_opens_a_ticket_and_who_hears_of_it(
    policy: dict[str, str], header: str, outcome: Outcome, acknowledged: bool
) -> None:
    raw = f"{header}\r\nFrom: new@customer.example\r\nTo: support@desk.example\r\nSubject: x\r\n\r\nHelp"
    trust = TrustPolicy.model_validate({**DESK.trust.model_dump(), **policy})
    arrival = Arrival(1, "support@desk.example", "new@customer.example", "smtp", NOW, "0" * 64)
    facts = Facts("support", "new@customer.example", None, False)
    reading = read(raw.encode(), "new@customer.example")
    decision = decide(reading, arrival, facts, DESK.model_copy(update={"trust": trust}), NOW)
    assert decision.outcome is outcome
    assert decision.acknowledge is acknowledged
