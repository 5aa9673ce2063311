"""What customers do by one word or one tap: close, reopen, say whether it is solved, rate, ask for a list.

A rating and "solved" never reopen a ticket, whatever else the mail holds, and "still broken" is a reply like
any other. Words that are more than the one word are never lost: they are a message, or the comment of
a rating. Whoever may join the ticket by more than a guess may do it (access.py). A list of tickets goes
to nobody but the address whose tickets they are, so a forged From makes us tell its owner what is theirs.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from mailticket.config.desk import Desk
from mailticket.domain.access import GUESSABLE, PROVEN
from mailticket.domain.change import AddEntry, Change, Decision, Rate, SetField
from mailticket.domain.console_changes import SendStatus
from mailticket.domain.customer_taps import CustomerAction, expected_body, label_of
from mailticket.domain.decide_customer import record_automatic, why_unanswered
from mailticket.domain.matching import Match
from mailticket.domain.status import Refused, StatusEvent, Transition, next_status
from mailticket.domain.taps import expired
from mailticket.domain.trust import TrustFinding
from mailticket.domain.types import Audience, EntryKind, Facts, Outcome, TicketFacts, Trust
from mailticket.mail.self_service_words import Wish, one_wish, score_of
from mailticket.mail.types import Reading

ASKS_FOR_A_RATING = "ticket.satisfaction"
"""The mail to which a bare number is a rating; anywhere else "3" may answer any question."""
_WISHES = {
    CustomerAction.CLOSE: Wish.CLOSE,
    CustomerAction.REOPEN: Wish.REOPEN,
    CustomerAction.SOLVED: Wish.SOLVED,
    CustomerAction.BROKEN: Wish.BROKEN,
    CustomerAction.STATUS: Wish.STATUS,
}


def decide_self_service(
    reading: Reading, facts: Facts, trust: TrustFinding, desk: Desk, now: datetime, match: Match
) -> Decision | Reading | None:
    """The decision for a mail of one word or one tap; None for any other mail.

    A reading comes back where the mail is to be treated as an ordinary reply with these words.
    """
    if reading.classification.automatic or trust.level is Trust.FAILED or facts.sender is None:
        return None
    if _tapped_by_sender(facts, match.ticket) and match.ticket is not None:
        return _tapped(reading, facts, trust, desk, now, match.ticket)
    words = reading.content.reply.strip()
    wish = one_wish(words, _name(reading, facts, match.ticket))
    if wish is None and not words and match.ticket is None:
        wish = one_wish(reading.mail.subject) if one_wish(reading.mail.subject) is Wish.STATUS else None
    if wish is Wish.STATUS:
        return _status(reading, facts, trust, desk)
    if match.ticket is None or not _sure(trust, match):
        return None
    if wish in (Wish.CLOSE, Wish.SOLVED):
        return _finished(reading, facts, trust, match.ticket, wish, "")
    scored = score_of(words) if facts.answered == ASKS_FOR_A_RATING else None
    return _rated(reading, facts, trust, match.ticket, *scored) if scored else None


def _tapped_by_sender(facts: Facts, ticket: TicketFacts | None) -> bool:
    tapped = facts.tapped
    if tapped is None or ticket is None:
        return False
    return tapped.party == facts.sender and tapped.ticket_id == ticket.id


def _sure(trust: TrustFinding, match: Match) -> bool:
    """Whether a bare word may change a ticket: not in a name that may be forged, by a number that is a guess.

    Nobody would hear of it. Such a mail is a reply like any other.
    """
    evidence = match.evidence
    return trust.level in PROVEN or (evidence is not None and evidence.kind not in GUESSABLE)


def _name(reading: Reading, facts: Facts, ticket: TicketFacts | None) -> str:
    """Every name the sender is known by: it may stand below the word."""
    known = ticket.requester_name if ticket is not None and ticket.requester == facts.sender else ""
    return f"{reading.mail.sender.shown.name} {known}".strip()


def _tapped(
    reading: Reading, facts: Facts, trust: TrustFinding, desk: Desk, now: datetime, ticket: TicketFacts
) -> Decision | Reading | None:
    tapped = facts.tapped
    assert tapped is not None
    if tapped.action == CustomerAction.RATE and not 1 <= tapped.argument <= 5:
        return None
    try:
        action = CustomerAction(tapped.action)
    except ValueError:
        return None
    words = _own_words(reading)
    if expired(tapped.offered, desk.one_tap_expires, now) and not words:
        why = f"a link of {tapped.offered.isoformat()}, too old to do anything"
        return record_automatic(reading, facts, ticket, trust, why)
    if action is CustomerAction.RATE:
        return _rated(reading, facts, trust, ticket, tapped.argument, words)
    wish = _WISHES[action]
    match wish:
        case Wish.STATUS:
            return _status(reading, facts, trust, desk)
        case Wish.CLOSE | Wish.SOLVED if not tapped.merged or facts.sender == ticket.requester:
            return _finished(reading, facts, trust, ticket, wish, words)
        case Wish.CLOSE | Wish.SOLVED | Wish.REOPEN | Wish.BROKEN:
            # of a ticket that was merged into somebody else's, they can tell of their own part only
            said = words or label_of(action, "en")
            return replace(reading, content=replace(reading.content, reply=said))
    assert_never(wish)


def _own_words(reading: Reading) -> str:
    """What the customer wrote beside the text that the link had put there."""
    lines = [line for line in reading.content.reply.splitlines() if line.strip() not in expected_body()]
    text = "\n".join(lines).strip()
    name = reading.mail.sender.shown.name.casefold()
    return "" if one_wish(text) is not None or text.casefold() == name else text


def _finished(
    reading: Reading, facts: Facts, trust: TrustFinding, ticket: TicketFacts, wish: Wish, words: str
) -> Decision:
    """The customer has no more need of it: closed, and never opened by the same mail."""
    moved = next_status(ticket.status, StatusEvent.CUSTOMER_CLOSED)
    why = "the customer says that it is solved" if wish is Wish.SOLVED else "the customer asks to close it"
    recorded = record_automatic(reading, facts, ticket, trust, why)
    entries: tuple[Change, ...] = recorded.changes
    if words:
        entries = tuple(
            replace(one, kind=EntryKind.MESSAGE, audience=Audience.CUSTOMER, text=words, automatic=False)
            if isinstance(one, AddEntry)
            else one
            for one in entries
        )
    if isinstance(moved, Refused):
        told = f"nothing changes: {moved.reason}"
        return replace(recorded, changes=entries, reasons=(*recorded.reasons, told))
    assert isinstance(moved, Transition)
    assert facts.sender is not None
    changed = SetField(ticket.id, "status", moved.new, facts.sender, why)
    changes = entries if moved.new == ticket.status else (*entries, changed)
    return replace(recorded, changes=changes)


def _rated(
    reading: Reading, facts: Facts, trust: TrustFinding, ticket: TicketFacts, score: int, comment: str
) -> Decision:
    """How satisfied the customer is: kept beside the ticket, which stays as it is."""
    assert facts.sender is not None
    why = f"the customer rates it {score} of 5"
    recorded = record_automatic(reading, facts, ticket, trust, why)
    words = comment or f"{score} of 5"
    entries = tuple(
        replace(one, text=words, automatic=not comment, why=why) if isinstance(one, AddEntry) else one
        for one in recorded.changes
    )
    rating = Rate(ticket.id, facts.sender, score, comment, why)
    return replace(recorded, changes=(*entries, rating), reasons=(*recorded.reasons, why))


def _status(reading: Reading, facts: Facts, trust: TrustFinding, desk: Desk) -> Decision | None:
    """The sender's open tickets, mailed to nobody but them; a mail like any other from who has none here."""
    sender = facts.sender
    if sender is None or not facts.known_sender or why_unanswered(reading, sender, desk):
        return None
    why = f"{sender} asks for their open tickets"
    change = SendStatus(sender, reading.mail.sender.shown.name, why)
    return Decision(Outcome.RECORDED, (change,), (*trust.reasons, why), trust.level)
