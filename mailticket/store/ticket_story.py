"""A ticket's story: its thread and its event log in one order."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from mailticket.domain.timeline import Moment, in_words, timeline
from mailticket.store.views import WholeTicket, show_ticket


def story_of(session: Session, number: str, name_of: Callable[[str], str] = str) -> list[Moment]:
    """The story of the ticket with a number, the oldest first; empty where there is none."""
    found = show_ticket(session, number)
    return story(found, name_of) if found is not None else []


def story(found: WholeTicket, name_of: Callable[[str], str] = str) -> list[Moment]:
    """The entries and events of a ticket in order."""
    entries = [
        Moment(
            one.created_at,
            f"{one.author_name} <{one.author}>" if one.author_name else one.author,
            one.trust,
            one.kind,
            "; ".join(dict.fromkeys((one.reason, *one.evidence))),
            one.kind,
            one.text,
            one.audience,
            one.attachments,
        )
        for one in found.entries
    ]
    events = [
        Moment(one.at, one.actor, one.trust or "", in_words(one.kind, one.data), one.reason, one.kind)
        for one in found.events
    ]
    return timeline(entries, events, name_of)
