"""May this sender do this to this ticket? In any doubt: no, with the reason in words.

A pointer says which ticket a mail is about; it lets nobody in. Only a participant joins a ticket. What
somebody else sends with a pointer that only a participant could know (a token, a Message-ID) is held
for a decision; what anybody could guess (a number, a subject) makes no difference at all.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from mailticket.config.desk import Desk
from mailticket.domain.types import EvidenceKind, Facts, ThreadEvidence, TicketFacts, Trust
from mailticket.mail.address import identity, without_extension
from mailticket.mail.header_out import mailable
from mailticket.mail.types import Address

MOST_FROM_CC = 10
"""Collaborators that one mail's recipients may add."""
GUESSABLE = (EvidenceKind.SUBJECT_NUMBER, EvidenceKind.SAME_SUBJECT)
PROVEN = (Trust.TOKEN, Trust.AUTHENTICATED)


class Access(enum.StrEnum):
    """What a pointer gives its bearer."""

    JOIN = "join"
    HOLD = "hold"
    """The mail is kept apart until the ticket's owner decides."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is given, and why not more; `reason` is "" for JOIN."""

    access: Access
    reason: str = ""


def may_join(
    evidence: ThreadEvidence,
    ticket: TicketFacts,
    sender: str | None,
    *,
    doubted: bool,
    shared: bool = False,
) -> Verdict:
    """Whether a mail that points at `ticket` joins it.

    sender   canonical From address; None when the From header is ambiguous
    doubted  the sender is not known well enough to join anything, or even proven to be another
    shared   the sender's organisation lets its people join each other's tickets, and this is one of them:
             then a pointer is needed that nobody can guess
    """
    takes_part = sender is not None and sender in ticket.participants
    colleague = sender is not None and shared and evidence.kind not in GUESSABLE
    if (takes_part or colleague) and not doubted:
        return Verdict(Access.JOIN)
    who = sender or "the ambiguous sender"
    why = f"nothing proves well enough that {who} wrote it" if takes_part else f"{who} takes no part in it"
    return Verdict(Access.NONE if evidence.kind in GUESSABLE else Access.HOLD, why)


def may_decide(sender: str | None, level: Trust, held: TicketFacts) -> Verdict:
    """Whether an outsider who was asked may decide what becomes of a held reply: only the requester."""
    ticket = held.held_for
    if ticket is None or sender is None or sender != ticket.requester:
        return Verdict(Access.NONE, "only the requester of the ticket can answer this")
    if level is Trust.FAILED:
        return Verdict(Access.NONE, "our mail server found the sender forged")
    return Verdict(Access.JOIN)


def may_add_by_cc(desk: Desk, actor: str, requester: str, level: Trust) -> bool:
    """Whether the Cc of a mail lets people take part. actor: canonical address or "agent:KEY"."""
    if level not in PROVEN or desk.cc_adds == "nobody":
        return False
    return actor.startswith("agent:") or (desk.cc_adds == "requester" and actor == requester)


def collaborator(desk: Desk, address: str) -> tuple[str | None, str]:
    """(canonical address, "") for somebody who can take part in a ticket, else (None, why not).

    The address must be one plain mailbox, of nobody who works here and not of the desk itself.
    """
    plain = identity([address.encode("utf-8", "replace")]).address
    if plain is None:
        return None, f"{address} is not a mail address"
    if not mailable(plain):
        return None, f"{plain} cannot be written to"
    mailbox = without_extension(plain)
    if mailbox in desk.department_by_address or mailbox == desk.console:
        return None, f"{plain} is an address of this desk"
    if plain in desk.agent_by_address or mailbox in desk.agent_by_address:
        return None, f"{plain} belongs to an agent, who needs no invitation"
    return plain, ""


def invited(
    named: Iterable[Address], facts: Facts, desk: Desk, present: frozenset[str]
) -> tuple[tuple[str, str], ...]:
    """(address, name) of those a mail was sent to as well who could take part and do not yet."""
    found: dict[str, str] = {}
    for entry in named:
        plain, _ = collaborator(desk, entry.address)
        if plain is not None and plain not in present and plain != facts.sender:
            found.setdefault(plain, entry.name)
    return tuple(found.items())[:MOST_FROM_CC]
