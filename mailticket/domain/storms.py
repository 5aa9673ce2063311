"""Storms and ping-pong: what one sender may set in motion within an hour, told by counts and by content.

A robot that hides what it is looks like a person, mail by mail. What gives it away is repetition:
the same subject, the same words, too many tickets, a ticket opened again and again. `govern` takes a
decision that is right for one mail and takes back what repetition makes wrong. Every mail is kept;
what goes is the acknowledgement, then the alerts but one a day, then the tickets of their own.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import datetime

from mailticket.config.desk import Desk
from mailticket.domain.change import AddEntry, CallWebhook, Change, Decision, ForwardCopy, SetField
from mailticket.domain.status import FINISHED
from mailticket.domain.types import Facts, Outcome, Quiet, TicketFacts
from mailticket.mail.threading import clean_subject
from mailticket.mail.types import MailKind, Reading

_LONGEST_TEXT = 64_000
_SHORTEST_TEXT = 12
"""Letters and digits below which the same words twice prove nothing ("thanks", "ok")."""
_DIGITS = re.compile(r"\d+")
_OUTCOMES = (Outcome.NEW_TICKET, Outcome.THREADED)
_OWN_WAY = (
    MailKind.BOUNCE,
    MailKind.READ_RECEIPT,
    MailKind.FEEDBACK_REPORT,
    MailKind.AUTO_REPLY,
    MailKind.OUT_OF_OFFICE,
    MailKind.CHALLENGE,
)
"""Kinds that neither open a ticket nor are answered, so that no limit bears on them."""


def is_governed(reading: Reading, facts: Facts) -> bool:
    """Whether limits on its sender can bear on a mail at all; no fact about them is needed otherwise.

    An agent's mail about a ticket is an agent's work.
    """
    if facts.sender is None or reading.classification.kind in _OWN_WAY:
        return False
    return facts.sender_agent is None or not facts.evidence


def subject_key(reading: Reading, desk: Desk) -> str:
    """What mails with the same subject have in common, reply marks and ticket numbers aside."""
    return hashlib.sha256(clean_subject(reading.mail.subject, desk.subject_tag)[0].encode()).hexdigest()


def content_key(reading: Reading) -> str | None:
    """What mails with the same new text and files have in common, digits and blanks aside.

    None where the text is too short to tell anything.
    """
    text = (reading.content.reply or reading.mail.text)[:_LONGEST_TEXT].casefold()
    folded = " ".join(_DIGITS.sub("0", text).split())
    if sum(map(str.isalnum, folded)) < _SHORTEST_TEXT:
        return None
    files = sorted(item.sha256 for item in reading.mail.attachments)
    return hashlib.sha256("\0".join([folded, *files]).encode("utf-8", "replace")).hexdigest()


def govern(decision: Decision, facts: Facts, desk: Desk, now: datetime) -> Decision:
    """`decision` with what its sender's load forbids taken back, and why.

    now: aware UTC. Decisions that neither open nor continue a ticket pass as they are.
    """
    if decision.outcome not in _OUTCOMES or facts.sender is None:
        return decision
    load, limits, sender = facts.load, desk.brakes, facts.sender
    if decision.outcome is Outcome.NEW_TICKET and _is_storm(facts, desk):
        return _into_the_storm(decision, facts, desk, now)
    if load.same_text > 0 and load.same_text >= limits.same_text_hour:
        why = (
            f"{sender} sent the same text, digits aside, {_times(load.same_text)} within the last hour: "
            "it counts as written by a machine"
        )
        return _silenced(_unmoved(decision, why, automatic=True), sender, why, now)
    if decision.outcome is Outcome.NEW_TICKET and load.tickets >= limits.new_tickets_hour:
        why = f"{sender} opened {load.tickets} tickets within an hour, the limit is {limits.new_tickets_hour}"
        return _silenced(decision, sender, why, now)
    if load.mails >= limits.mails_hour:
        why = f"{sender} sent {load.mails} mails within an hour, the limit is {limits.mails_hour}"
        return _silenced(decision, sender, why, now)
    if load.reopened >= limits.reopenings_day and _reopens(decision, facts):
        why = f"{sender} has reopened the ticket {_times(load.reopened)} today: it is not opened again"
        decision = _unmoved(decision, why, automatic=False)
    if decision.acknowledge and load.same_subject >= limits.same_subject_hour:
        why = f"no acknowledgement: {load.same_subject} mails with this subject within the last hour"
        decision = replace(decision, acknowledge=False, reasons=(*decision.reasons, why))
    return decision


def _is_storm(facts: Facts, desk: Desk) -> bool:
    enough = facts.load.same_subject_tickets >= desk.brakes.same_subject_tickets_hour
    return enough and facts.load.storm_ticket is not None


def _into_the_storm(decision: Decision, facts: Facts, desk: Desk, now: datetime) -> Decision:
    """Into the newest ticket of the storm instead of a new one."""
    load, sender = facts.load, facts.sender or ""
    why = (
        f"a storm: {load.same_subject_tickets} mails of {sender} with this subject within an hour opened "
        f"tickets, the limit is {desk.brakes.same_subject_tickets_hour}; it is kept on the newest of them"
    )
    if load.in_storm:
        return Decision(Outcome.IGNORED, (), (*decision.reasons, why, "which holds this very mail already"))
    entries = tuple(
        replace(change, ticket=load.storm_ticket, why=why, automatic=True)
        for change in decision.changes
        if isinstance(change, AddEntry)
    )
    return Decision(
        Outcome.RECORDED,
        entries,
        (*decision.reasons, why),
        decision.trust,
        load.storm_ticket,
        quiet=Quiet(sender, why, now.date().isoformat()),
    )


def _silenced(decision: Decision, sender: str, why: str, now: datetime) -> Decision:
    quiet = Quiet(sender, why, now.date().isoformat())
    reasons = decision.reasons if why in decision.reasons else (*decision.reasons, why)
    changes = tuple(one for one in decision.changes if not isinstance(one, (ForwardCopy, CallWebhook)))
    return replace(decision, changes=changes, acknowledge=False, reasons=reasons, quiet=quiet)


def _unmoved(decision: Decision, why: str, *, automatic: bool) -> Decision:
    """The decision without its change of status; `automatic` makes its entries a machine's."""
    if decision.outcome is Outcome.NEW_TICKET:
        return decision
    changes: list[Change] = []
    for change in decision.changes:
        if isinstance(change, SetField) and change.name == "status":
            continue
        if isinstance(change, AddEntry):
            change = replace(change, automatic=automatic, why=f"{change.why}; {why}")
        changes.append(change)
    return replace(decision, changes=tuple(changes), reasons=(*decision.reasons, why))


def reopens(decision: Decision, ticket: TicketFacts | None) -> bool:
    """Whether a decision brings a finished ticket back."""
    moved = any(isinstance(change, SetField) and change.name == "status" for change in decision.changes)
    return moved and ticket is not None and ticket.status in FINISHED


def _reopens(decision: Decision, facts: Facts) -> bool:
    return reopens(decision, facts.tickets.get(decision.ticket or 0))


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
