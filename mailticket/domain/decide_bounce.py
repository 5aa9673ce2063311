"""What did not arrive, by a report or by our own tries: who is told, what it means for ticket and address."""

from __future__ import annotations

from mailticket.domain.change import AddEntry, Change, Decision, NoteBounce, SetField
from mailticket.domain.status import StatusEvent, Transition, next_status
from mailticket.domain.types import Audience, EntryKind, Facts, Outcome, OutgoingFacts, TicketFacts, Trust
from mailticket.mail.bounce_text import STATUS
from mailticket.mail.types import Bounce, BounceRecipient

ANSWER = "ticket.reply"
_LONGEST_DIAGNOSTIC = 200

_WORDS = {
    "1.1": "there is no such mailbox",
    "1.2": "there is no such domain",
    "1.3": "the address is malformed",
    "1.6": "the mailbox has moved",
    "1.10": "the domain takes no mail",
    "2.1": "the mailbox is disabled",
    "2.2": "mailbox full",
    "2.3": "the mail is too large for the mailbox",
    "3.4": "the mail is too large",
    "4.1": "its mail server does not answer",
    "4.4": "its mail server cannot be found",
    "4.6": "its mail server sends mail in circles",
    "4.7": "its mail server could not be reached in time",
    "7.1": "its mail server refuses the mail",
    "7.26": "its mail server does not believe that the mail is ours",
}
"""Enhanced status codes in words, without their first digit (RFC 3463, RFC 7505, RFC 7372)."""

_DEAD = ("1.1", "1.2", "1.3", "1.6", "1.10", "2.1", "4.4")
"""Codes that tell of the address itself; a full mailbox or a refusal is no death."""
_UNSPECIFIC = ("", "0.0", "1.0")


def decide_bounce(bounce: Bounce, facts: Facts) -> Decision:
    """What a delivery report does: it counts only for a mail of ours, because anybody can forge one.

    A final failure of an answer is told to its author, and the ticket needs action again; a delay is
    only noted. No delivery report ever acts by its text alone.
    """
    outgoing = facts.bounced
    if outgoing is None:
        return Decision(Outcome.IGNORED, (), ("a delivery report that names no mail of this desk",))
    ticket = facts.tickets.get(outgoing.ticket_id or 0)
    if ticket is None:
        why = f"a delivery report about {outgoing.template}, not about a ticket"
        return Decision(Outcome.IGNORED, (), (why,))
    about = bounce.recipients[0] if bounce.recipients else None
    permanent = about is not None and about.permanent
    why = _told(outgoing, ticket, about)
    status, diagnostic = (about.status, about.diagnostic) if about else (None, "")
    note = NoteBounce(
        outgoing, outgoing.recipient, status, diagnostic, permanent, why, dead=permanent and is_dead(status)
    )
    changes: list[Change] = [note, _entry(outgoing, why, diagnostic)]
    if permanent:
        changes += _needs_action(outgoing, ticket, why)
    return Decision(Outcome.RECORDED, tuple(changes), (why,), Trust.TOKEN, ticket.id)


def decide_undelivered(
    outgoing: OutgoingFacts, ticket: TicketFacts, cause: str, *, refused: bool
) -> tuple[Change, ...]:
    """What changes when an answer could not even be handed over and never will be.

    cause    the server's answer, or why the tries are over
    refused  a server said no for good; only then, and only by an enhanced status code that says so,
             is the address gone: a smarthost that is set up wrong refuses everybody
    """
    found = STATUS.search(cause)
    status = found[1] if found is not None and found[1].startswith("5") else None
    why = _told(outgoing, ticket, BounceRecipient(outgoing.recipient, status, "failed", True, cause))
    dead = refused and (status or "").partition(".")[2] in _DEAD
    note = NoteBounce(outgoing, outgoing.recipient, status, cause, True, why, dead=dead)
    return (note, *_needs_action(outgoing, ticket, why))


def _needs_action(outgoing: OutgoingFacts, ticket: TicketFacts, why: str) -> list[Change]:
    """An answer that its requester never got is none: the ticket waits for the desk again."""
    if outgoing.template != ANSWER or outgoing.recipient != ticket.requester:
        return []
    moved = next_status(ticket.status, StatusEvent.ANSWER_BOUNCED)
    if not isinstance(moved, Transition):
        return []
    return [SetField(ticket.id, "status", moved.new, "system", f"{moved.reason}: {why}")]


def is_dead(status: str | None) -> bool:
    """Whether a permanent failure with this enhanced status code is the end of the address."""
    code = (status or "").partition(".")[2]
    return code in _DEAD or code in _UNSPECIFIC


def _told(outgoing: OutgoingFacts, ticket: TicketFacts, about: BounceRecipient | None) -> str:
    what = "the answer" if outgoing.template == ANSWER else f"the mail {outgoing.template}"
    about_it = f"{what} to #{ticket.number}"
    if about is not None and about.action in ("delivered", "relayed", "expanded"):
        return f"{about_it} reached {outgoing.recipient} ({about.action})"
    failed = "did not reach" if about is not None and about.permanent else "has not yet reached"
    return f"{about_it} {failed} {outgoing.recipient}: {_cause(about)}"


def _cause(about: BounceRecipient | None) -> str:
    status = about.status if about else None
    words = _WORDS.get((status or "").partition(".")[2], "")
    if words:
        return f"{words} ({status})"
    diagnostic = " ".join(about.diagnostic.split())[:_LONGEST_DIAGNOSTIC] if about else ""
    return " ".join(filter(None, (diagnostic, f"({status})" if status else ""))) or "no reason is given"


def _entry(outgoing: OutgoingFacts, why: str, diagnostic: str) -> AddEntry:
    said = f"\n\nThe other mail server said: {diagnostic}" if diagnostic else ""
    return AddEntry(
        ticket=outgoing.ticket_id,
        kind=EntryKind.NOTE,
        audience=Audience.INTERNAL,
        author="system",
        author_name="delivery report",
        trust=Trust.TOKEN,
        text=f"{why[:1].upper()}{why[1:]}.{said}",
        full_text=None,
        html=None,
        why=why,
        automatic=True,
    )
