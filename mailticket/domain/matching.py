"""Which ticket a mail belongs to: pointers found in the mail, scored, then a choice among what they name.

A pointer alone joins nobody to a ticket: access.py says what it gives its bearer. A mail speaks in
four places, and each counts once, by its best pointer; the ticket with the highest sum is chosen:

| place   | pointer                                                     | score |
|---------|-------------------------------------------------------------|-------|
| address | a token in the address it was sent to                       | 100   |
| headers | a token in a Message-ID it answers                          | 90    |
| headers | a Message-ID known from the ticket                          | 70    |
| headers | a Message-ID never seen here, named by the ticket's mails   | 50    |
| body    | a token in the marker below the quoted text                 | 60    |
| subject | the number of the ticket                                    | 40    |
| subject | no pointer, but the ticket's subject, person and time       | 20    |

So what the mail answers outweighs where an address book sent it only when the subject or the quoted
text agrees. Of equal sums the one with the strongest single pointer wins, then the one named first.
docs/threading.md shows what this means for every way mail programs mangle a reply.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from mailticket.config.desk import Desk
from mailticket.domain.access import Access, may_join
from mailticket.domain.status import FINISHED
from mailticket.domain.types import EvidenceKind, Facts, ThreadEvidence, TicketFacts
from mailticket.mail.address import canonical
from mailticket.mail.arguments import INTO, OTHER, TICKET, into
from mailticket.mail.commands import Commands, parse_commands
from mailticket.mail.numbering import NUMBER, as_kept, is_number
from mailticket.mail.threading import clean_subject, may_have_mark, ticket_numbers
from mailticket.mail.token import token_of_address, token_of_message_id
from mailticket.mail.types import ParsedMail, Reading
from mailticket.mail.vocabulary import KNOWN

MAX_REFERENCES = 50
"""Message-IDs looked up per mail: the newest ones of References, and In-Reply-To."""
_MOST_NUMBERS = 3
_MOST_CORRESPONDENTS = 10
_MOST_NAMED = 10
"""Tickets that the commands of one mail may name."""
_NAMING = (TICKET, OTHER, INTO)
_SHORTEST_SUBJECT = 4
"""A cleaned subject below this says nothing."""

SCORES: dict[EvidenceKind, tuple[str, int]] = {
    EvidenceKind.ADDRESS_TOKEN: ("address", 100),
    EvidenceKind.MESSAGE_ID_TOKEN: ("headers", 90),
    EvidenceKind.REFERENCE: ("headers", 70),
    EvidenceKind.ALIAS: ("headers", 50),
    EvidenceKind.BODY_TOKEN: ("body", 60),
    EvidenceKind.SUBJECT_NUMBER: ("subject", 40),
    EvidenceKind.SAME_SUBJECT: ("subject", 20),
}
"""Where each pointer stands in a mail, and what it counts."""

_WORDS = {
    EvidenceKind.ADDRESS_TOKEN: "the signed reply address names",
    EvidenceKind.MESSAGE_ID_TOKEN: "a signed Message-ID it answers names",
    EvidenceKind.BODY_TOKEN: "the signed marker in the quoted text names",
    EvidenceKind.REFERENCE: "it answers a Message-ID known from",
    EvidenceKind.ALIAS: "it answers an outside mail that was answered before in",
    EvidenceKind.SUBJECT_NUMBER: "the subject carries the number of",
    EvidenceKind.SAME_SUBJECT: "it looks like a reply, and its sender and subject fit only",
}


@dataclass(frozen=True, slots=True)
class Pointers:
    """Everything in a mail that may name a ticket, not yet verified, strongest first."""

    tokens: tuple[tuple[EvidenceKind, str], ...]
    references: tuple[str, ...]
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """The ticket to join (or None), by which evidence, and the one suspected when none was joined.

    held      the mail is to be held for `suspected` until its owner decides
    conflict  numbers of other unfinished tickets that other pointers of the mail name
    """

    ticket: TicketFacts | None
    evidence: ThreadEvidence | None
    suspected: TicketFacts | None
    reasons: tuple[str, ...]
    held: bool = False
    conflict: tuple[str, ...] = ()


def pointers(reading: Reading, recipient: str, subject_tag: str) -> Pointers:
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
        numbers=ticket_numbers(mail.subject, subject_tag)[:_MOST_NUMBERS],
    )


def reply_subject(reading: Reading, subject_tag: str) -> str | None:
    """The cleaned subject of a mail that looks like a reply, to be looked for; None for any other mail."""
    mail = reading.mail
    referring = bool(mail.in_reply_to or mail.references)
    if not referring and not may_have_mark(mail.subject):
        return None
    cleaned, marked = clean_subject(mail.subject, subject_tag)
    return cleaned if (marked or referring) and len(cleaned) >= _SHORTEST_SUBJECT else None


def correspondents(mail: ParsedMail, sender: str, desk: Desk) -> tuple[str, ...]:
    """Whose tickets a reply may be about that points nowhere: its sender's, or whom an agent writes to."""
    if sender not in desk.agent_by_address:
        return (sender,)
    named = (canonical(item.address) for item in (*mail.to, *mail.cc)[:_MOST_CORRESPONDENTS])
    return tuple(dict.fromkeys((sender, *named)))


@lru_cache(maxsize=4)
def _named(prefix: str) -> re.Pattern[str]:
    words = "|".join(sorted(word for word, name in KNOWN.items() if name.shape in _NAMING))
    name = rf"\W{{0,4}}{re.escape(prefix)}\s?(?:{words})"
    return re.compile(rf"{name}\s{{0,3}}[:\s]\s?\W{{0,2}}({NUMBER})\b", re.I)


def named_numbers(reply_text: str, prefix: str) -> tuple[str, ...]:
    """The ticket numbers that command lines of an agent's mail may name, as they are kept."""
    pattern = _named(prefix)
    found = [pattern.match(line[:100]) for line in reply_text.splitlines()]
    written = [match.group(1) for match in found if match]
    parsed = parse_commands(reply_text, prefix)
    if isinstance(parsed, Commands):
        written += [into(one.argument)[0] for one in parsed.commands if one.name.shape in _NAMING]
    return tuple(dict.fromkeys(as_kept(one) for one in written if is_number(one)))[:_MOST_NAMED]


def describe(evidence: ThreadEvidence, ticket: TicketFacts) -> str:
    """A pointer in words."""
    return f"{_WORDS[evidence.kind]} ticket #{ticket.number}"


def match_customer(facts: Facts, *, forged: bool = False) -> Match:
    """Choose the ticket an outsider's mail joins, or the one it is held for.

    forged: the sender is not known well enough to join anything, or proven to be another.
    Fails closed: without an unambiguous sender who takes part in the named ticket, nothing is joined
    and the ticket with the most evidence becomes the suspected one.
    """
    joinable: list[ThreadEvidence] = []
    holding: list[ThreadEvidence] = []
    reasons: list[str] = []
    for evidence in facts.evidence:
        ticket = facts.tickets[evidence.ticket_id]
        verdict = may_join(evidence, ticket, facts.sender, doubted=forged, shared=ticket.id in facts.shared)
        if verdict.access is Access.JOIN:
            joinable.append(evidence)
            continue
        if verdict.access is Access.HOLD:
            holding.append(evidence)
        reasons.append(f"{describe(evidence, ticket)}, but {verdict.reason}")
    if joinable:
        return _chosen(facts, joinable, [*joinable, *holding], reasons)
    if not facts.evidence:
        return Match(None, None, None, tuple(reasons))
    best = _best(holding or facts.evidence)
    return Match(None, best, facts.tickets[best.ticket_id], tuple(reasons), held=bool(holding))


def match_agent(facts: Facts, agent: str, *, authenticated: bool, passed_on: bool = False) -> Match:
    """Choose the ticket an agent's mail acts on.

    A token must have been made for this agent. Other pointers count only when the agent is known by
    something better than the From header (`authenticated`). What such an agent passes on (`passed_on`)
    may also hold a token made for its author.
    """
    identity = f"agent:{agent}"
    usable: list[ThreadEvidence] = []
    reasons: list[str] = []
    for evidence in facts.evidence:
        known = authenticated and (evidence.party is None or passed_on)
        if evidence.party == identity or known:
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
    return _chosen(facts, usable, usable, reasons)


def _scores(evidence: tuple[ThreadEvidence, ...] | list[ThreadEvidence]) -> dict[int, dict[str, int]]:
    """For each ticket named, what each place of the mail counts for it."""
    scores: dict[int, dict[str, int]] = {}
    for item in evidence:
        place, points = SCORES[item.kind]
        places = scores.setdefault(item.ticket_id, {})
        places[place] = max(points, places.get(place, 0))
    return scores


def _best(evidence: tuple[ThreadEvidence, ...] | list[ThreadEvidence]) -> ThreadEvidence:
    """The strongest pointer to the ticket with the highest score; the first of equals."""
    scores = _scores(evidence)
    chosen = max(scores, key=lambda ticket: (sum(scores[ticket].values()), max(scores[ticket].values())))
    own = [item for item in evidence if item.ticket_id == chosen]
    return max(own, key=lambda item: SCORES[item.kind][1])


def _chosen(
    facts: Facts, usable: list[ThreadEvidence], telling: list[ThreadEvidence], reasons: list[str]
) -> Match:
    """The match among `usable`; `telling` are all pointers worth mentioning when they disagree."""
    best = _best(usable)
    ticket = facts.tickets[best.ticket_id]
    scores = {key: sum(places.values()) for key, places in _scores(telling).items()}
    agreeing = [item for item in usable if item.ticket_id == ticket.id]
    reasons += [describe(item, ticket) for item in sorted(agreeing, key=lambda item: item is not best)]
    others = [facts.tickets[key] for key in scores if key != ticket.id]
    reasons += [
        f"other pointers name #{other.number} ({scores[other.id]} points), "
        f"no more than #{ticket.number} has ({scores[ticket.id]})"
        for other in others
        if scores[other.id] <= scores[ticket.id]
    ]
    conflict = tuple(other.number for other in others if other.status not in FINISHED)
    return Match(ticket, best, None, tuple(dict.fromkeys(reasons)), conflict=conflict)
