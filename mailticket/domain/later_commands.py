"""`#wait`, `#hold` and `#remind`: what shall happen later, and `#time`: what has been spent so far."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from mailticket.domain.actor import Actor, Effect
from mailticket.domain.change import Change, SetReminder, SetWake, SpendTime
from mailticket.domain.moments import hours_of, parse_moment, zone_of
from mailticket.domain.status import Refused, StatusEvent
from mailticket.mail.arguments import DASHES
from mailticket.mail.commands import Command, Problem
from mailticket.mail.vocabulary import CommandName

_CUSTOMER: Final = ("", "customer", "for customer", "the customer", "for the customer")
_PAUSES: Final = {
    CommandName.WAIT: StatusEvent.WAITS_FOR_CUSTOMER,
    CommandName.HOLD: StatusEvent.PUT_ON_HOLD,
}
_MOST_WORDS: Final = 4
"""Words of a moment in front of a reminder's text."""
_SPENT: Final = re.compile(
    r"(-)?(?:(\d{1,2}):(\d\d)(?=\s|$)|(?:(\d{1,3}(?:[.,]\d{1,2})?)\s*h(?:ours?|rs?)?(?![a-z])\s*)?"
    r"(?:(\d{1,4})\s*m(?:in(?:ute)?s?)?(?![a-z]))?)",
    re.ASCII | re.IGNORECASE,
)
_PLAIN_MINUTES: Final = re.compile(r"(-)?(\d{1,4})(?=\s|$)", re.ASCII)
_MOST_SPENT: Final = timedelta(days=7)
_HOW_LONG: Final = "needs how long it took, such as 15m, 1h30m or 1:30, and may go on with what it was"


def pause(command: Command, actor: Actor) -> list[Change] | Problem:
    """The ticket waits for the customer, or for somebody else; with a moment, until then at most."""
    moved = actor.moved(_PAUSES[command.name])
    if isinstance(moved, Refused):
        return Problem(command.line, moved.reason)
    status = actor.field("status", moved.new, f"{actor.name}: {moved.reason}")
    if command.argument.casefold() in _CUSTOMER and (
        command.name is CommandName.WAIT or not command.argument
    ):
        why = f"{actor.name} sets no moment at which it comes back"
        return [status, SetWake(actor.ticket.id, None, actor.identity, why)]
    moment = _moment(command.argument, actor)
    if isinstance(moment, str):
        return Problem(command.line, moment, f"{actor.desk.command_prefix}{command.name} 3d")
    why = f"{actor.name}: it comes back {_shown(moment, actor)}"
    return [status, SetWake(actor.ticket.id, moment, actor.identity, why)]


def remind(command: Command, actor: Actor) -> list[Change] | Problem:
    """The agent gets a mail about the ticket at that moment. The rest of the line is what it says."""
    words = command.argument.split()
    for count in range(min(len(words), _MOST_WORDS), 0, -1):
        moment = _moment(" ".join(words[:count]).removesuffix(":"), actor)
        if not isinstance(moment, str):
            text = " ".join(words[count:]).lstrip("-–: ")
            why = f"{actor.name} wants to be reminded {_shown(moment, actor)}" + (f": {text}" if text else "")
            return [SetReminder(actor.ticket.id, actor.key, moment, text, actor.identity, why)]
    reason = _moment(command.argument, actor)
    assert isinstance(reason, str)
    return Problem(command.line, reason, f"{actor.desk.command_prefix}remind 2d ring her")


def spend(command: Command, actor: Actor) -> list[Change] | Problem:
    """Time spent on the ticket is added up; a minus takes back."""
    spent, what = _spent(command.argument)
    if spent is None or not timedelta(0) < abs(spent) <= _MOST_SPENT:
        return Problem(command.line, _HOW_LONG, f"{actor.desk.command_prefix}time 15m")
    minutes = round(spent / timedelta(minutes=1))
    did = f"spent {minutes} minutes" if minutes > 0 else f"takes {-minutes} minutes back"
    why = f"{actor.name} {did}" + (f": {what}" if what else "")
    return [SpendTime(actor.ticket.id, minutes, what, actor.identity, why)]


def _moment(text: str, actor: Actor) -> datetime | str:
    zone = zone_of(actor.desk, actor.key)
    return parse_moment(text, actor.now, zone, hours_of(actor.desk, actor.key, actor.ticket))


def _shown(moment: datetime, actor: Actor) -> str:
    return f"on {moment.astimezone(zone_of(actor.desk, actor.key)):%Y-%m-%d %H:%M %Z}"


def _spent(text: str) -> tuple[timedelta | None, str]:
    """(how long, the words behind it)."""
    text = text[:1].translate(DASHES) + text[1:]
    found = _SPENT.match(text)
    if found is None or not found[0].lstrip("-"):
        found = _PLAIN_MINUTES.match(text)
        if found is None:
            return None, ""
        length = timedelta(minutes=int(found[2]))
    elif found[2] is not None:
        length = timedelta(hours=int(found[2]), minutes=int(found[3]))
    else:
        hours = float((found[4] or "0").replace(",", "."))
        length = timedelta(hours=hours, minutes=int(found[5] or 0))
    return -length if found[1] else length, text[found.end() :].lstrip("-–:, ").strip()


EFFECTS: Final[dict[CommandName, Effect]] = {
    CommandName.WAIT: pause,
    CommandName.HOLD: pause,
    CommandName.REMIND: remind,
    CommandName.TIME: spend,
}
