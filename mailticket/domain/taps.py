"""One-tap actions: a link in a mail opens a finished one, and sending it asks for one thing.

The address alone says what is asked: a signed token names the ticket, the action and for whom it was
made (mail/token.py). Subject and body are words for whoever looks into their sent mail; an empty mail does
as well. Nothing but a mail from that very person does anything, so whatever opens links does nothing.

A code is a number: the low six bits say which action, the rest what it is applied to. Codes up to 31
are agents', those from 32 are customers'. Codes are signed into mails, so a number is never used again
for something else.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from mailticket.config.desk import Desk
from mailticket.domain.notice import Notice
from mailticket.domain.requests import Tap, Tapped
from mailticket.domain.status import FINISHED
from mailticket.domain.types import TicketFacts
from mailticket.mail.vocabulary import CommandName

FIRST_OF_CUSTOMERS = 32
MOST_DEPARTMENTS = 6
"""In a desk of up to so many, every other department has a link to give a ticket to."""
_CODE_BITS = 6
_ARGUMENT_BYTES = 3


class Action(enum.IntEnum):
    """What an agent can ask for by one tap."""

    TAKE = 1
    RESOLVE = 2
    NOTE = 3
    """The only one whose text counts: it stays inside."""
    WAIT = 4
    TRANSFER = 5
    """Its argument is `key_number` of the department."""
    ACKNOWLEDGE = 6
    REOPEN = 7
    UNDO = 8
    """Its token's entry is the number of the stored mail that is taken back."""
    SEND = 9


def code_of(action: int, argument: int = 0) -> int:
    """The number that is signed for an action. Raises ValueError for what does not fit."""
    if not (0 < action < 1 << _CODE_BITS and 0 <= argument < 1 << 8 * _ARGUMENT_BYTES):
        raise ValueError(f"no action: {action}, {argument}")
    return action | argument << _CODE_BITS


def action_of(code: int) -> tuple[int, int]:
    """(action, argument) of a signed number."""
    return code & ((1 << _CODE_BITS) - 1), code >> _CODE_BITS


def key_number(key: str) -> int:
    """A key of the configuration as an argument of an action."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:_ARGUMENT_BYTES], "big")


_SEND_IT = "Just send this mail."
_WRITE_IT = "{prefix}note\n\n"


def offered(ticket: TicketFacts, reader: str, desk: Desk, *, alerting: bool = False) -> tuple[Tap, ...]:
    """The actions an alert about `ticket` offers to agent `reader`.

    alerting: the mail is about a promised time, so that it can be acknowledged.
    """
    taps = [_tap(Action.ACKNOWLEDGE, "ack", "I look after it", "Look after", ticket)] if alerting else []
    if ticket.assignee != reader:
        taps.append(_tap(Action.TAKE, "take", "Take it", "Take", ticket))
    if ticket.status in FINISHED:
        taps.append(_tap(Action.REOPEN, "reopen", "Open it again", "Reopen", ticket))
    else:
        taps.append(_tap(Action.RESOLVE, "resolve", "Mark as solved", "Resolve", ticket))
        taps.append(_tap(Action.WAIT, "wait", "Wait for the customer", "Wait for the customer of", ticket))
    body = _WRITE_IT.format(prefix=desk.command_prefix)
    taps.append(_tap(Action.NOTE, "note", "Write a note", "Note on", ticket, body=body))
    return (*taps, *_transfers(ticket, desk))


_OFFERING = frozenset({
    "ticket.alert", "message.alert", "note.alert", "assigned.alert", "transfer.alert", "bounce.alert",
    "loop.reminder", "released.alert", "ticket.warning", "ticket.overdue",
})  # fmt: skip
_ALERTING = frozenset({"ticket.warning", "ticket.overdue"})


def taps_of(notice: Notice, ticket: TicketFacts | None, desk: Desk) -> tuple[Tap, ...]:
    """What the reader of a notice can ask for by one tap: what its planner says, or what alerts offer."""
    if notice.taps or ticket is None or notice.template not in _OFFERING:
        return notice.taps
    kind, _, reader = notice.identity.partition(":")
    if kind != "agent" or reader not in desk.agents:
        return ()
    return offered(ticket, reader, desk, alerting=notice.template in _ALERTING)


def undo_tap(ticket: TicketFacts, inbound: int) -> Tap:
    """The action that takes back what the stored mail `inbound` did."""
    return _tap(Action.UNDO, "undo", "Undo it", "Undo my mail about", ticket, entry=inbound)


def send_tap(ticket: TicketFacts) -> Tap:
    """The action that sends a held answer as it is."""
    return _tap(Action.SEND, "send", "Send it as it is", "Send my answer about", ticket)


def _transfers(ticket: TicketFacts, desk: Desk) -> list[Tap]:
    others = [key for key in desk.departments if key != ticket.department]
    if len(desk.departments) > MOST_DEPARTMENTS:
        return []
    return [
        Tap(
            "transfer",
            f"Give it to {desk.departments[key].name}",
            code_of(Action.TRANSFER, key_number(key)),
            f"Give ticket {ticket.number} to {desk.departments[key].name}",
            _SEND_IT,
        )
        for key in others
    ]


def _tap(
    action: Action,
    name: str,
    label: str,
    verb: str,
    ticket: TicketFacts,
    *,
    body: str = _SEND_IT,
    entry: int = 0,
) -> Tap:
    # without the tag that finds tickets: a mail whose token was lost on its way must mean nothing
    return Tap(name, label, code_of(action), f"{verb} ticket {ticket.number}", body, entry)


_COMMANDS = {
    Action.TAKE: str(CommandName.TAKE),
    Action.RESOLVE: str(CommandName.RESOLVE),
    Action.WAIT: f"{CommandName.STATUS} waiting",
    Action.ACKNOWLEDGE: str(CommandName.ACK),
    Action.REOPEN: str(CommandName.REOPEN),
    Action.UNDO: str(CommandName.UNDO),
    Action.SEND: str(CommandName.SEND),
}


@dataclass(frozen=True, slots=True)
class Spelled:
    """A tapped action as the text an agent would have typed; `unused`: words of the mail that do nothing."""

    text: str
    unused: str = ""


def spelled(tapped: Tapped, identity: str, reply: str, desk: Desk, now: datetime) -> Spelled | str:
    """The command lines that an agent's one-tap mail stands for, or why it does nothing.

    identity: "agent:KEY" of who is proven to have written it. reply: the new text of the mail.
    """
    if tapped.party != identity:
        return "this one-tap address was made for somebody else; use the links in your own mails"
    if expired(tapped.offered, desk.one_tap_expires, now):
        days = desk.one_tap_expires.days
        return f"this one-tap address is older than {days} days; use the links of a newer mail"
    if tapped.action == Action.NOTE:
        return Spelled(_as_note(reply, desk.command_prefix))
    command = _command(tapped, desk)
    if command is None:
        return "what this one-tap address asks for does not exist any more"
    return Spelled(desk.command_prefix + command, _beside(reply))


def expired(offered_on: date, lifetime: timedelta, now: datetime) -> bool:
    """Whether an action offered on a day (UTC) can no longer be asked for; the whole last day it can."""
    return now.date() > offered_on + lifetime


def _command(tapped: Tapped, desk: Desk) -> str | None:
    if tapped.action == Action.TRANSFER:
        keys = [key for key in desk.departments if key_number(key) == tapped.argument]
        return f"{CommandName.TRANSFER} {keys[0]}" if len(keys) == 1 else None
    try:
        return _COMMANDS.get(Action(tapped.action))
    except ValueError:
        return None


def _as_note(reply: str, prefix: str) -> str:
    note = f"{prefix}{CommandName.NOTE}"
    text = reply.strip()
    return text if text.casefold().startswith(note) else f"{note}\n\n{text}"


def _beside(reply: str) -> str:
    """The words of a mail that were not put there by the link."""
    return reply.replace(_SEND_IT, "").strip()
