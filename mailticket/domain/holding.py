"""Held replies: what a decision about one changes, whoever makes it and however.

A reply of somebody who takes no part in the ticket it points at is a ticket of its own, held for the
other one. Approved, it is merged into that one and its author takes part from then on. Denied, it is an
ordinary ticket. Words written beside a decision stay inside the desk: they were meant for nobody yet.
"""

from __future__ import annotations

from datetime import datetime

from mailticket.config.desk import Desk
from mailticket.domain.access import Access, may_decide
from mailticket.domain.change import AddEntry, Change, Decision, Merge, Release, SetField
from mailticket.domain.status import NewLinkedTicket, Refused, StatusEvent, next_status
from mailticket.domain.trust import TrustFinding
from mailticket.domain.types import Audience, EntryKind, Facts, Outcome, TicketFacts, Trust
from mailticket.mail.types import Reading

_YES = frozenset({"approve", "approved", "yes"})
_NO = frozenset({"deny", "denied", "no"})
_AROUND = " \t.,;:!*_`~\"'“”„‘’«»#/<>()[]\u00a0\u200b"


def bare_word(reply_text: str) -> tuple[bool | None, str]:
    """(True for yes, False for no, None for neither; the text after the first line).

    Only a first line that holds nothing but the word counts, since `no` also begins a sentence.
    """
    first, _, rest = reply_text.lstrip().partition("\n")
    word = first[:40].strip(_AROUND).casefold() if len(first) <= 40 else ""
    if word in _YES:
        return True, rest.strip()
    return (False, rest.strip()) if word in _NO else (None, reply_text)


def approve(held: TicketFacts, actor: str, name: str, desk: Desk, now: datetime) -> tuple[Change, ...] | str:
    """The changes that let a held reply join, or why it cannot. `name` is who decides, in words."""
    target = held.held_for
    if target is None:
        return f"#{held.number} is not held"
    moved = next_status(
        target.status,
        StatusEvent.CUSTOMER_REPLIED,
        closed_at=target.closed_at,
        reopen_window=desk.reopen_window,
        now=now,
    )
    if isinstance(moved, NewLinkedTicket):
        moved = next_status(target.status, StatusEvent.REOPENED)
    if isinstance(moved, Refused | NewLinkedTicket):
        return f"#{target.number} takes no more messages ({moved.reason}); deny this one to keep it apart"
    why = f"{name} lets {held.requester} take part in #{target.number}: held ticket #{held.number} joins it"
    changes: list[Change] = [Merge(held.id, target.id, actor, why, approved=True)]
    if moved.new != target.status:
        changes.append(SetField(target.id, "status", moved.new, actor, moved.reason))
    return tuple(changes)


def deny(held: TicketFacts, actor: str, name: str) -> tuple[Change, ...] | str:
    """The changes that leave a held reply a ticket of its own, or why there is nothing to decide."""
    target = held.held_for
    if target is None:
        return f"#{held.number} is not held"
    why = f"{name} keeps it apart from #{target.number}"
    return (Release(held.id, actor, why),)


def decide_asked(
    reading: Reading, facts: Facts, trust: TrustFinding, desk: Desk, now: datetime
) -> Decision | None:
    """The decision of a customer who was asked about a held reply; None when the mail decides nothing."""
    held = facts.asked
    if held is None or reading.classification.automatic:
        return None
    verdict = may_decide(facts.sender, trust.level, held)
    wanted, _ = bare_word(reading.content.reply)
    if verdict.access is not Access.JOIN or wanted is None or facts.sender is None:
        return None
    actor = facts.sender
    changes = approve(held, actor, actor, desk, now) if wanted else deny(held, actor, actor)
    if isinstance(changes, str):
        return None
    reasons = ("it carries a signed token made for the one who was asked", *(item.why for item in changes))
    return Decision(Outcome.THREADED, changes, reasons, Trust.TOKEN, held.id)


def note_beside(text: str, reading: Reading, actor: str, name: str, trust: Trust, ticket: int) -> AddEntry:
    """The note that keeps the words an agent wrote beside a decision."""
    return AddEntry(
        ticket=ticket,
        kind=EntryKind.NOTE,
        audience=Audience.INTERNAL,
        author=actor,
        author_name=name,
        trust=trust,
        text=text,
        full_text=reading.mail.text,
        html=None,
        why=f"{name} wrote it beside a decision: it stays inside",
    )
