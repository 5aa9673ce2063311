"""What happened to a ticket as a story: entries and events in one order, in words people read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

_TOLD: Final = {
    "created": "opened the ticket",
    "acknowledged": "looks after the alert",
    "bounced": "a mail did not arrive",
    "error": "a mail could not be sent",
    "resent": "let a mail go out after all",
    "cancelled": "stopped a mail",
    "returned": "a mail went back to its author",
    "held": "a reply is held",
    "approved": "let the held reply join",
    "denied": "keeps it a ticket of its own",
    "stale": "an answer waits for its author",
    "undone": "took back what a mail did",
    "merged": "merged",
    "moved": "moved a message",
    "copied": "sent a copy of the mail",
    "hooked": "told a web service",
    "challenged": "asked whether an address is theirs",
    "followed-up": "followed up",
    "overdue": "a promise is broken",
    "warned": "a promise is in danger",
    "reminder": "asked to be reminded",
    "banned": "banned a sender",
    "linked": "linked",
    "unlinked": "no longer linked",
    "referred": "referred",
    "rated": "rated the help",
    "erased": "erased words on request",
}
_NAMED: Final = (
    ("from", "from"), ("into", "into"), ("to", "to"), ("held", "as"), ("with", "with"), ("address", "to"),
    ("department", "to"), ("no_more", "no more to"), ("webhook", ""), ("pattern", ""), ("score", "as"),
)  # fmt: skip
"""Key of an event's data, and what stands before its value."""
_TICKETS: Final = frozenset({"from", "into", "to", "held", "with"})
"""Those that name a ticket, unless it is an address."""
_ENTRIES: Final = ("message", "response", "note")


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `what` is short, `why` a sentence, `text` the words of a thread entry.

    known  how well it was known who did it, in the words of trust; "" for the desk itself
    """

    at: datetime
    who: str
    known: str
    what: str
    why: str
    kind: str
    text: str = ""
    audience: str = ""
    files: tuple[str, ...] = ()


def in_words(kind: str, data: Mapping[str, Any]) -> str:
    """What an event says happened, with what was before and after."""
    field = data.get("field")
    if field == "due":
        return f"due date: {data.get('due') or data.get('after_seconds') or 'taken back'}"
    if field is not None and "into" not in data:  # merging changes the status too
        return f"{str(field).replace('_', ' ')}: {_value(data.get('before'))} → {_value(data.get('after'))}"
    if "tag" in data:
        return f"tag {data['tag']} {'added' if data.get('added') else 'removed'}"
    if kind == "collab":
        return f"added {data['added']}" if "added" in data else f"removed {data.get('removed', 'somebody')}"
    told = _TOLD.get(kind, kind.replace("-", " "))
    for key, words in _NAMED:
        value = data.get(key)
        if value:
            name = f"#{value}" if key in _TICKETS and "@" not in str(value) else str(value)
            return " ".join(part for part in (told, words, name) if part)
    return told


def timeline(
    entries: Iterable[Moment], events: Iterable[Moment], name_of: Callable[[str], str] = str
) -> list[Moment]:
    """Entries and events in order; an event that only says that an entry came gives way to the entry."""
    story = [*entries, *(event for event in events if event.kind not in _ENTRIES)]
    return [_named(moment, name_of) for moment in sorted(story, key=lambda moment: moment.at)]


def actor_name(actor: str, agents: Mapping[str, str]) -> str:
    """An actor as people know them: "agent:KEY" by name."""
    key = actor.removeprefix("agent:")
    if key != actor:
        return agents.get(key, key)
    return "the desk" if actor == "system" else "an operator" if actor == "operator" else actor


def _named(moment: Moment, name_of: Callable[[str], str]) -> Moment:
    return Moment(
        moment.at, name_of(moment.who), moment.known, moment.what, moment.why, moment.kind, moment.text,
        moment.audience, moment.files,
    )  # fmt: skip


def _value(value: object) -> str:
    return "nothing" if value in (None, "", []) else str(value)
