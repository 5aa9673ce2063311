"""What an agent hears about counting as away, and about being back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from mailticket.config.desk import Desk
from mailticket.domain.absence import Absence, Source, until_words
from mailticket.domain.agent_notice import to_agent
from mailticket.domain.notice import REPLIED, Notice
from mailticket.domain.types import Event, EventKind


def absence_notices(event: Event, desk: Desk, cause: str) -> Iterator[Notice]:
    """The mail that confirms an absence, or its end, to the agent.

    Nothing while an out-of-office answers: it would only answer once more. The agent hears of that
    absence when it ends.
    """
    data = event.data
    if data["source"] == Source.AUTO_REPLY or data["agent"] not in desk.agents:
        return
    until = datetime.fromisoformat(data["until"]) if data["until"] else None
    if event.kind is EventKind.BACK:
        learnt = datetime.fromisoformat(data["learnt"]) if "learnt" in data else None
        yield back_notice(data["agent"], event.reason, desk, cause, learnt)
        return
    absence = Absence(data["agent"], event.at, until, Source.COMMAND)
    deputy = data["deputy"] or desk.agents[data["agent"]].deputy
    yield _notice(
        "agent.away", data["agent"], until_words(desk, absence), event.reason, desk, cause,
        desk.agents[deputy].name if deputy in desk.agents else "",
    )  # fmt: skip


def back_notice(agent: str, reason: str, desk: Desk, cause: str, learnt: datetime | None) -> Notice:
    """The mail that tells an agent that alerts come to them again.

    learnt: until when they counted as away, where nobody but their own mailbox had said so.
    """
    words = ""
    if learnt is not None:
        words = until_words(desk, Absence(agent, learnt, learnt, Source.AUTO_REPLY))
    return _notice("agent.back", agent, words, reason, desk, cause)


def _notice(
    template: str, agent: str, notice: str, reason: str, desk: Desk, cause: str, about: str = ""
) -> Notice:
    extra = {"notice": notice, "about": about}
    return to_agent(desk, agent, template, cause, reason=reason, extra=extra, automatic=REPLIED)
