"""Screening: who is banned, and whose mail waits for a person. Pure; the list itself is in the database.

A ban names an address, a domain (its subdomains included), or a pattern: an address in which `*`
stands for anything. The most particular one counts: an address before a domain, a longer domain
before a shorter one, a longer pattern before a shorter one. Bans look at the envelope sender and at
the From header, and never at what proves nothing about a sender, such as a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal, get_args

from mailticket.config.desk import Desk
from mailticket.domain.change import Decision, OpenTicket
from mailticket.domain.sender import BanFacts
from mailticket.domain.types import Arrival, Facts, Outcome
from mailticket.errors import Permanent
from mailticket.mail.address import canonical

Kind = Literal["address", "domain", "pattern"]
Action = Literal["reject", "discard", "hold"]
ACTIONS: tuple[Action, ...] = get_args(Action)

_OUTCOMES = {"reject": Outcome.REJECTED, "discard": Outcome.IGNORED, "hold": Outcome.HELD}
_RANK = {"address": 0, "domain": 1, "pattern": 2}
_LONGEST = 320
_SHORTEST = 3
"""Letters and digits a pattern needs, so that a slip does not ban the world."""


def kind_of(pattern: str) -> tuple[Kind, str]:
    """What an operator's words name, and how it is kept: "*@bulk.example", "bulk.example", "a@b.example".

    "@bulk.example" is the domain. Raises `Permanent`, with the reason, for what names nobody, and for a
    pattern so wide that it must be a mistake.
    """
    text = canonical(pattern.strip())
    if not text or len(text) > _LONGEST or any(char.isspace() or not char.isprintable() for char in text):
        raise Permanent(f"{pattern!r} is neither an address nor a domain nor a pattern with *")
    if "*" in text:
        if sum(map(str.isalnum, text)) < _SHORTEST:
            raise Permanent(f"{pattern!r} would ban almost everybody: name at least {_SHORTEST} letters")
        return "pattern", text
    if "@" in text.lstrip("@"):
        local, _, domain = text.rpartition("@")
        if not local or "." not in domain:
            raise Permanent(f"{pattern!r} is not an address")
        return "address", text
    domain = text.lstrip("@").strip(".")
    if "." not in domain:
        raise Permanent(f"{pattern!r} is not a domain: it would ban a whole top-level domain")
    return "domain", domain


def domains_of(address: str) -> Iterator[str]:
    """The domain of an address and those above it, the longest first."""
    labels = address.rpartition("@")[2].split(".")
    for first in range(len(labels)):
        yield ".".join(labels[first:])


def matches(pattern: str, address: str) -> bool:
    """Whether an address fits a pattern in which `*` stands for any characters. Linear time."""
    first, *others = pattern.split("*")
    if not others:
        return pattern == address
    last = others.pop()
    if len(address) < len(first) + len(last) or not address.startswith(first) or not address.endswith(last):
        return False
    position, end = len(first), len(address) - len(last)
    for part in others:
        found = address.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True


def names(ban: BanFacts, address: str) -> bool:
    """Whether a ban is about a canonical address."""
    if ban.kind == "address":
        return ban.pattern == address
    if ban.kind == "domain":
        return ban.pattern in domains_of(address)
    return matches(ban.pattern, address)


def closest(bans: Iterable[BanFacts], addresses: Iterable[str]) -> BanFacts | None:
    """The most particular ban about any of these canonical addresses."""
    wanted = tuple(addresses)
    found = [ban for ban in bans if any(names(ban, address) for address in wanted)]
    return min(found, key=lambda ban: (_RANK[ban.kind], -len(ban.pattern), ban.id), default=None)


def screen(facts: Facts, arrival: Arrival) -> Decision | None:
    """The decision about a banned sender's mail; None where nothing stands against it.

    Nobody locks out an agent by a pattern, and what a person let in stays in.
    """
    ban = facts.ban
    if ban is None or arrival.released or facts.sender_agent is not None:
        return None
    why = f"banned: the {ban.kind} {ban.pattern}" + (f" ({ban.reason})" if ban.reason else "")
    return Decision(_OUTCOMES[ban.action], (), (f"{why}: {_WORDS[ban.action]}",), rejection=_refusal(ban))


_WORDS = {
    "reject": "rejected, and nobody is told",
    "discard": "kept in the inbox, and nothing is done",
    "hold": "held until somebody releases it",
}


def _refusal(ban: BanFacts) -> str | None:
    return "the sender is banned" if ban.action == "reject" else None


def hold_unknown(decision: Decision, facts: Facts, arrival: Arrival, desk: Desk) -> Decision:
    """`decision`, or to wait, where it would open a ticket for an address not on file and policy says so."""
    if decision.outcome is not Outcome.NEW_TICKET or desk.unknown_senders == "accept":
        return decision
    requester = next((one.requester for one in decision.changes if isinstance(one, OpenTicket)), facts.sender)
    known = facts.known_sender if requester == facts.sender else facts.history.known_reply_to
    if known or facts.sender_agent is not None or arrival.released:
        return decision
    why = (
        f"{requester} is not on file, and such mail waits here ([desk] unknown_senders): "
        f"mailticket inbox release {arrival.inbound_id}"
    )
    return replace(
        decision,
        outcome=Outcome.HELD,
        changes=(),
        reasons=(*decision.reasons, why),
        acknowledge=False,
        quiet=None,
    )
