"""Which ticket a mail belongs to: pointers found in the mail, then a choice among what they name.

A pointer alone joins nobody to a ticket. The sender must also take part in it: a token counts for
the person it was made for, a known Message-ID or a subject number for a participant of that
ticket. A pointer that nobody entitled follows only becomes a suspicion, told to the agents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailticket.domain.types import EvidenceKind, Facts, ThreadEvidence, TicketFacts
from mailticket.mail.token import token_of_address, token_of_message_id
from mailticket.mail.types import Reading

MAX_REFERENCES = 50
"""Message-IDs looked up per mail: the newest ones of References, and In-Reply-To."""
_NUMBER = re.compile(r"\[#([0-9]{4,12})\]")


@dataclass(frozen=True, slots=True)
class Pointers:
    """Everything in a mail that may name a ticket, not yet verified, strongest first."""

    tokens: tuple[tuple[EvidenceKind, str], ...]
    references: tuple[str, ...]
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """The ticket to join (or None), by which evidence, and the one suspected when none was joined."""

    ticket: TicketFacts | None
    evidence: ThreadEvidence | None
    suspected: TicketFacts | None
    reasons: tuple[str, ...]


def pointers(reading: Reading, recipient: str) -> Pointers:
    """Collect the pointers of a mail: tokens in addresses, Message-IDs and body, references, number."""
    mail = reading.mail
    referenced = tuple(dict.fromkeys((*mail.in_reply_to, *reversed(mail.references))))[:MAX_REFERENCES]
    addressed = (recipient, *(entry.address for entry in (*mail.to, *mail.cc)))
    tokens = [(EvidenceKind.ADDRESS_TOKEN, token_of_address(address)) for address in addressed]
    tokens += [(EvidenceKind.MESSAGE_ID_TOKEN, token_of_message_id(item)) for item in referenced]
    tokens += [(EvidenceKind.BODY_TOKEN, token) for token in reading.content.tokens]
    return Pointers(
        tokens=tuple(dict.fromkeys((kind, token) for kind, token in tokens if token)),
        references=referenced,
        numbers=tuple(dict.fromkeys(_NUMBER.findall(mail.subject)))[:3],
    )


def describe(evidence: ThreadEvidence, ticket: TicketFacts) -> str:
    """A pointer in words."""
    words = {
        EvidenceKind.ADDRESS_TOKEN: "the signed reply address names",
        EvidenceKind.MESSAGE_ID_TOKEN: "a signed Message-ID it answers names",
        EvidenceKind.BODY_TOKEN: "the signed marker in the quoted text names",
        EvidenceKind.REFERENCE: "it answers a Message-ID known from",
        EvidenceKind.SUBJECT_NUMBER: "the subject carries the number of",
    }
    return f"{words[evidence.kind]} ticket #{ticket.number}"


def match_customer(facts: Facts, *, forged: bool = False) -> Match:
    """Choose the ticket an outsider's mail joins.

    forged: our own MX proved that the From address is not the sender's; then nothing is joined.
    Fails closed: without an unambiguous sender who takes part in the named ticket, nothing is
    joined and the strongest pointer becomes the suspected ticket.
    """
    joinable: list[ThreadEvidence] = []
    reasons: list[str] = []
    for evidence in facts.evidence:
        ticket = facts.tickets[evidence.ticket_id]
        if not forged and facts.sender is not None and facts.sender in ticket.participants:
            joinable.append(evidence)
        else:
            who = facts.sender or "the ambiguous sender"
            reasons.append(f"{describe(evidence, ticket)}, but {who} takes no part in it")
    if not joinable:
        suspected = facts.tickets[facts.evidence[0].ticket_id] if facts.evidence else None
        return Match(None, None, suspected, tuple(reasons))
    return _chosen(facts, joinable, reasons)


def match_agent(facts: Facts, agent: str, *, authenticated: bool) -> Match:
    """Choose the ticket an agent's mail acts on.

    A token must have been made for this agent. Other pointers count only when the agent is known by
    something better than the From header (`authenticated`).
    """
    identity = f"agent:{agent}"
    usable: list[ThreadEvidence] = []
    reasons: list[str] = []
    for evidence in facts.evidence:
        if evidence.party == identity or (authenticated and evidence.party is None):
            usable.append(evidence)
        elif evidence.party is None:
            reasons.append(
                f"{describe(evidence, facts.tickets[evidence.ticket_id])}, "
                f"but nothing proves that {agent} is writing"
            )
        else:
            reasons.append(
                f"{describe(evidence, facts.tickets[evidence.ticket_id])}, "
                f"but that token was made for {evidence.party}"
            )
    if not usable:
        suspected = facts.tickets[facts.evidence[0].ticket_id] if facts.evidence else None
        return Match(None, None, suspected, tuple(reasons))
    return _chosen(facts, usable, reasons)


def _chosen(facts: Facts, usable: list[ThreadEvidence], reasons: list[str]) -> Match:
    best = usable[0]
    ticket = facts.tickets[best.ticket_id]
    reasons.append(describe(best, ticket))
    others = {facts.tickets[item.ticket_id].number for item in usable} - {ticket.number}
    if others:
        named = ", ".join(f"#{number}" for number in sorted(others))
        reasons.append(f"weaker evidence names {named} instead: the stronger one decided")
    return Match(ticket, best, None, tuple(reasons))
