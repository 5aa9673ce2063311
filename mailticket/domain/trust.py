"""Who is writing: evidence to a trust level. The From header alone never grants anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mailticket.config.desk import TRUST_LEVELS, Desk, TrustPolicy
from mailticket.domain.types import Arrival, Facts, Trust
from mailticket.mail.address import canonical, split_extension
from mailticket.mail.authentication import Verdict, verdict
from mailticket.mail.types import ParsedMail

Ability = Literal["agent_acts", "join", "open_ticket", "acknowledge"]
"""What a mail may do; each is an option of `TrustPolicy` that names the lowest level for it."""


def allowed(policy: TrustPolicy, ability: Ability, level: Trust) -> bool:
    """Whether a mail at `level` may do it.

    What our own mail server proved forged may at most open a ticket: its options admit no "failed".
    """
    lowest: str = getattr(policy, ability)
    return TRUST_LEVELS.index(level.value) <= TRUST_LEVELS.index(lowest)


_ONCE = ("to", "cc", "subject", "in-reply-to", "references")


@dataclass(frozen=True, slots=True)
class TrustFinding:
    """A level and the facts it rests on, in words.

    copied  it is proven whose words these are, but they were written to somebody else: whoever got
            the mail could have handed it in here
    """

    level: Trust
    reasons: tuple[str, ...]
    copied: bool = False


def trust_of(mail: ParsedMail, arrival: Arrival, facts: Facts, desk: Desk) -> TrustFinding:
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
    copied = False
    if _submitted(arrival, facts):
        found = Verdict(True, False, f"submitted to us by the account {arrival.auth_user}")
    else:
        found, copied = _verdict(mail, facts, desk)
    if found.failed:
        return TrustFinding(Trust.FAILED, (found.detail,))
    if facts.listing is not None:
        return TrustFinding(Trust.TOKEN, (f"it carries a signed token made for agent:{facts.sender_agent}",))
    if bound is not None:
        return TrustFinding(Trust.TOKEN, (f"it carries a signed token made for {bound.party}",))
    if found.passed:
        return TrustFinding(Trust.AUTHENTICATED, (found.detail,))
    if facts.known_sender:
        why = f"{facts.sender} is on file; nothing proves it wrote this"
        return TrustFinding(Trust.KNOWN, (found.detail, why), copied)
    return TrustFinding(Trust.UNKNOWN, (found.detail, f"{facts.sender} is new here"), copied)


def _submitted(arrival: Arrival, facts: Facts) -> bool:
    """The sender's own account handed the mail in: an account is named like the address or the agent."""
    return arrival.auth_user is not None and canonical(arrival.auth_user) in (
        facts.sender,
        facts.sender_agent,
    )


def _verdict(mail: ParsedMail, facts: Facts, desk: Desk) -> tuple[Verdict, bool]:
    """What our own MX says; where it says nothing, what we found out ourselves. And whether it was copied.

    A domain's signature tells that a mail was written, not to whom: for an agent it proves something
    only when the desk is among those the mail is addressed to, or anybody who ever got a mail of the
    agent could hand that one in here.
    """
    found = verdict(mail, desk.trust.authserv_ids)
    if facts.verified is not None and not (found.passed or found.failed):
        found = facts.verified
    if found.passed and facts.sender_agent is not None and (twice := _twice(mail)) is not None:
        return Verdict(False, False, f"{found.detail}, but its {twice} header comes twice"), True
    if found.passed and facts.sender_agent is not None and not _addressed_to(mail, desk):
        return Verdict(False, False, f"{found.detail}, but the mail is addressed to nobody here"), True
    return found, False


def _twice(mail: ParsedMail) -> str | None:
    """A header that may come once (RFC 5322, 3.6) and comes twice: a signature covers only one of them.

    So whoever got a signed mail could put another recipient or subject on top of it.
    """
    return next((name for name in _ONCE if len(mail.header_all(name)) > 1), None)


def _addressed_to(mail: ParsedMail, desk: Desk) -> bool:
    named = (canonical(split_extension(item.address)[0]) for item in (*mail.to, *mail.cc))
    return any(address in desk.department_by_address or address == desk.console for address in named)
