"""Alerts of an absent agent go to whoever stands in. Pure, and the one place where mails change hands.

Whoever plans a notice need not know who is away: every notice passes here before it is queued. What
concerns the agent only (a receipt, a question, a digest, a mail that comes back) is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from mailticket.config.desk import Desk
from mailticket.domain.absence import Presence, absence_of, stand_in, until_words
from mailticket.domain.notice import Notice
from mailticket.domain.types import Audience, TicketFacts

_AGENT: Final = "agent:"
_PERSONAL: Final = ("agent.", "command.", "receipt.", "report.", "console.")
"""Templates about the reader and not about work that somebody has to do."""
_DIGESTS: Final = ("ticket.digest",)


def is_work(notice: Notice) -> bool:
    """Whether a notice asks an agent to look after something, so that a deputy has to get it."""
    return (
        notice.audience is Audience.INTERNAL
        and notice.identity.startswith(_AGENT)
        and not notice.template.startswith(_PERSONAL)
        and notice.template not in _DIGESTS
    )


def handed_on(
    notices: Sequence[Notice], ticket: TicketFacts | None, desk: Desk, presence: Presence, now: datetime
) -> list[Notice]:
    """The same notices, those of absent agents addressed to their deputies; nobody gets one twice.

    A deputy who did what the notice tells is not told of it.
    """
    taken = {notice.identity for notice in notices}
    found: list[Notice] = []
    home = desk.departments.get(ticket.department) if ticket is not None else None
    manager = home.manager if home is not None else None
    for notice in notices:
        agent = notice.identity.removeprefix(_AGENT)
        reader = stand_in(desk, agent, manager, now, presence) if is_work(notice) else agent
        if reader == agent:
            found.append(notice)
        elif f"{_AGENT}{reader}" not in taken and f"{_AGENT}{reader}" != notice.by:
            taken.add(f"{_AGENT}{reader}")
            found.append(_to(reader, agent, notice, desk, presence, now))
    return found


def _to(reader: str, agent: str, notice: Notice, desk: Desk, presence: Presence, now: datetime) -> Notice:
    one, identity = desk.agents[reader], f"{_AGENT}{reader}"
    absence = absence_of(desk, presence, agent, now)
    until = f" {until_words(desk, absence)}" if absence is not None else ""
    reason = f"{desk.agents[agent].name} is away{until}"
    return replace(
        notice,
        recipient=one.address,
        recipient_name=one.name,
        identity=identity,
        key=f"{notice.key}>{identity}",
        reason=f"{notice.reason}; {reason}" if notice.reason else reason,
    )
