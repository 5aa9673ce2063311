"""Who is writing: evidence to a trust level. The From header alone never grants anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mailticket.config.desk import TRUST_LEVELS, TrustPolicy
from mailticket.domain.types import Arrival, Facts, Trust
from mailticket.mail.authentication import verdict
from mailticket.mail.types import ParsedMail

Ability = Literal["agent_acts", "join", "open_ticket", "acknowledge"]
"""What a mail may do; each is an option of `TrustPolicy` that names the lowest level for it."""


def allowed(policy: TrustPolicy, ability: Ability, level: Trust) -> bool:
    """Whether a mail at `level` may do it.

    What our own mail server proved forged may at most open a ticket: its options admit no "failed".
    """
    lowest: str = getattr(policy, ability)
    return TRUST_LEVELS.index(level.value) <= TRUST_LEVELS.index(lowest)


@dataclass(frozen=True, slots=True)
class TrustFinding:
    """A level and the facts it rests on, in words."""

    level: Trust
    reasons: tuple[str, ...]


def trust_of(mail: ParsedMail, arrival: Arrival, facts: Facts, policy: TrustPolicy) -> TrustFinding:
    """How well we know that the mail comes from its From address.

    The levels, best first: a token made for this very person; an aligned pass of our own MX or an
    authenticated submission; an address on file; unknown; failed (our MX proved it forged).
    """
    if facts.sender is None:
        return TrustFinding(Trust.UNKNOWN, (f"the From header is ambiguous: {mail.sender.problem}",))
    identities = {facts.sender}
    if facts.sender_agent is not None:
        identities.add(f"agent:{facts.sender_agent}")
    bound = next((item for item in facts.evidence if item.party in identities), None)
    found = verdict(mail, policy.authserv_ids)
    if found.failed:
        return TrustFinding(Trust.FAILED, (found.detail,))
    if bound is not None:
        return TrustFinding(Trust.TOKEN, (f"it carries a signed token made for {bound.party}",))
    if found.passed:
        return TrustFinding(Trust.AUTHENTICATED, (found.detail,))
    if arrival.auth_user is not None and arrival.auth_user.lower() == facts.sender:
        return TrustFinding(Trust.AUTHENTICATED, (f"submitted to us by the account {arrival.auth_user}",))
    if facts.known_sender:
        return TrustFinding(Trust.KNOWN, (f"{facts.sender} is on file; nothing proves it wrote this",))
    return TrustFinding(Trust.UNKNOWN, (f"{facts.sender} is new here",))
