"""What a customer's mail does to a finished ticket: a mere thanks nothing, anything else reopens it."""

from __future__ import annotations

from mailticket.config.desk import Desk
from mailticket.domain.change import Change, SetField
from mailticket.domain.decoration import may_be_logo
from mailticket.domain.status import FINISHED, Status
from mailticket.domain.types import Facts, TicketFacts
from mailticket.mail.gratitude import Gratitude, gratitude
from mailticket.mail.types import Reading

_FILES = frozenset({"file", "inline", "message", "calendar", "rest", "tnef"})
"""Kinds of attachments that somebody sends to show something; a signature's are none."""


NOTHING_NEW = "it holds nothing but quoted text"
"""Why an empty reply changes nothing, in words."""


def adds_nothing(reading: Reading, ticket: TicketFacts, facts: Facts) -> bool:
    """Whether a reply to a finished ticket holds no word and no file of its own: sent by a slip of the thumb.

    It is kept and the agents are told, since quoted text can hide words that were not told apart.
    """
    if ticket.status not in FINISHED or ticket.status == Status.MERGED or reading.content.reply.strip():
        return False
    return not _shown_files(reading, facts)


def thanks_only(reading: Reading, ticket: TicketFacts, facts: Facts, desk: Desk) -> Gratitude | None:
    """The thanks of a reply to a finished ticket that says nothing else; None in any doubt."""
    if ticket.status not in FINISHED or ticket.status == Status.MERGED:
        return None
    names = [reading.mail.sender.shown.name, ticket.requester_name, desk.name]
    names += [agent.name for agent in desk.agents.values()]
    names += [department.name for department in desk.departments.values()]
    return gratitude(reading.content.reply, names, files=_shown_files(reading, facts))


def _shown_files(reading: Reading, facts: Facts) -> int:
    """How many files somebody sent to show something."""
    return sum(
        1
        for item in reading.mail.attachments
        if item.kind in _FILES and not (may_be_logo(item) and item.sha256 in facts.seen_files)
    )


def after_reopening(ticket: TicketFacts, desk: Desk) -> list[Change]:
    """Who has a ticket that came back: whoever had it, unless its department wants otherwise."""
    if ticket.assignee is None:
        return []
    agent, home = desk.agents.get(ticket.assignee), desk.departments.get(ticket.department)
    if agent is None:
        why = f"{ticket.assignee}, who had it, is no agent any more"
    elif home is not None and home.on_reopen == "unassigned":
        why = f"tickets of {home.name} come back unassigned: {agent.name} has it no more"
    else:
        return []
    return [SetField(ticket.id, "assignee", None, "system", why)]
