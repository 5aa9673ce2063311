"""The lines of a digest that tell whether any mail is lost, stuck or waiting for a person.

Counted from the rows themselves: every mail the desk acknowledged is a row with a state, so what
came in must be the sum of what became of it; and what was fetched from a mailbox stands in a ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailticket.domain.clocks import spoken

LATE = timedelta(minutes=15)
"""Mail that waits longer than this is told of."""
SILENT = timedelta(hours=1)
"""A mailbox that was not reached for so long is told of."""

_WORDS = {
    "done": "handled",
    "ignored": "ignored as automatic or empty",
    "rejected": "rejected by a rule",
    "held": "held for a person",
    "failed": "failed",
    "pending": "waiting",
}


@dataclass(frozen=True, slots=True)
class MailboxHealth:
    """An IMAP mailbox.

    fetched  since the last digest; unfiled  in the ledger for longer than `LATE`, and not moved away yet
    left     messages the server had in the folder when it was last worked through, None before that
    untaken  those of them that are not in the ledger
    """

    name: str
    reached_at: datetime | None
    error: str | None
    fetched: int
    unfiled: int
    left: int | None = None
    untaken: int = 0


@dataclass(frozen=True, slots=True)
class StuckMail:
    """A mail that waits for a person: held, or failed after the last try."""

    state: str
    sender: str
    subject: str
    received_at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class MailHealth:
    """How the mail stands at `now`.

    received         by state, of the mails that came in since `since`
    untraced         of all those handled since then, the ones no decision was kept of: never any
    oldest_pending   when the mail came in that waits longest to be worked on
    held, failed     all there are, not only those since `since`
    held_tickets     replies kept apart until somebody decides
    oldest_outgoing  when the mail was queued that waits longest to be sent, a planned time not counted
    unsent           outgoing mails that failed or could not be written since `since`
    stuck            the newest of those held and failed
    """

    now: datetime
    since: datetime
    received: Mapping[str, int] = field(default_factory=dict)
    untraced: int = 0
    pending: int = 0
    oldest_pending: datetime | None = None
    held: int = 0
    failed: int = 0
    held_tickets: int = 0
    outgoing: int = 0
    oldest_outgoing: datetime | None = None
    unsent: int = 0
    parked: int = 0
    mailboxes: tuple[MailboxHealth, ...] = ()
    stuck: tuple[StuckMail, ...] = ()

    @property
    def troubles(self) -> tuple[str, ...]:
        """What somebody has to look at, a sentence each; none when all is well."""
        return tuple(_troubles(self))


def health_line(health: MailHealth) -> str:
    """One sentence that accounts for every mail: "212 mails came in within 1 d: 205 handled, ..."."""
    total = sum(health.received.values())
    parts = [
        f"{count} {_WORDS.get(state, state)}"
        for state, count in sorted(health.received.items(), key=lambda item: (-item[1], item[0]))
        if count
    ]
    length = spoken(health.now - health.since, days=True)
    if not total:
        incoming = f"no mail came in within {length}"
    else:
        mails = "1 mail" if total == 1 else f"{total} mails"
        incoming = f"{mails} came in within {length}: {', '.join(parts)}"
    boxes = "; ".join(_mailbox(box, health.now) for box in health.mailboxes)
    outgoing = _waiting("to go out", health.outgoing, health.oldest_outgoing, health.now)
    said = "; ".join(part for part in (incoming, boxes, outgoing) if part)
    return f"{said[:1].upper()}{said[1:]}"


def _mailbox(box: MailboxHealth, now: datetime) -> str:
    if box.reached_at is None:
        return f"mailbox {box.name} was never reached"
    reached = spoken(now - box.reached_at, days=True)
    ledger = f"{box.fetched} fetched, all in the ledger" if box.fetched else "nothing new"
    return f"mailbox {box.name} reached {reached} ago, {ledger}{_on_server(box)}"


def _on_server(box: MailboxHealth) -> str:
    """How the server's own count compares with the ledger."""
    if box.left is None:
        return ""
    if not box.left:
        return ", none left on the server"
    taken = "all of them" if not box.untaken else f"{box.left - box.untaken} of them"
    return f", {box.left} left on the server and {taken} in the ledger"


def _waiting(what: str, count: int, oldest: datetime | None, now: datetime) -> str:
    if not count:
        return f"none waits {what}"
    age = f", the oldest for {spoken(now - oldest, days=True)}" if oldest is not None else ""
    return f"{count} {'waits' if count == 1 else 'wait'} {what}{age}"


def _troubles(health: MailHealth) -> Iterator[str]:
    now = health.now
    if health.untraced:
        yield f"{_mails(health.untraced)} left no decision behind"
    if health.oldest_pending is not None and now - health.oldest_pending > LATE:
        yield _waiting("to be worked on", health.pending, health.oldest_pending, now)
    if health.failed:
        yield f"{_mails(health.failed)} could not be worked on; see mailticket inbox list --state failed"
    if health.held:
        yield f"{_mails(health.held)} held for a person; see mailticket inbox list --state held"
    if health.held_tickets:
        replies = "1 reply is" if health.held_tickets == 1 else f"{health.held_tickets} replies are"
        yield f"{replies} kept apart until the ticket's owner decides"
    if health.oldest_outgoing is not None and now - health.oldest_outgoing > LATE:
        yield _waiting("to go out", health.outgoing, health.oldest_outgoing, now)
    if health.unsent:
        yield f"{_mails(health.unsent)} could not be delivered"
    if health.parked:
        yield f"{_mails(health.parked)} could not be written: a template is broken"
    for box in health.mailboxes:
        if box.reached_at is None or now - box.reached_at > SILENT:
            yield f"{_mailbox(box, now)}{f': {box.error}' if box.error else ''}"
        if box.untaken:
            yield f"{_mails(box.untaken)} in the folder of mailbox {box.name} not taken in; the log says why"
        if box.unfiled:
            yield f"{_mails(box.unfiled)} of mailbox {box.name} taken in but still in its folder"


def _mails(count: int) -> str:
    return "1 mail" if count == 1 else f"{count} mails"
