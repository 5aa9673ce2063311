"""`#away` and `#back`: what agents say about being there. Alone in their mail; words beside are the reason.

#away                                until #back, or until the agent answers a ticket
#away 3d                             for so long
#away until 2026-12-01               that whole day included; `until 14:00`, `until tomorrow` too
#away 2026-11-23..2026-12-01         from one day to another
#away until 2026-12-01 deputy bob    somebody else than the usual deputy
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final

from mailticket.config.desk import Desk
from mailticket.config.values import NotThis, parse_days, parse_duration
from mailticket.domain.absence import Absence, Presence, Source, absence_of, configured, until_words, zone_of
from mailticket.domain.actor import Actor, Effect
from mailticket.domain.change import Change, Decision
from mailticket.domain.duedate import parse_due
from mailticket.domain.naming import Unknown, resolve
from mailticket.domain.people_changes import EndAbsence, SetAbsence
from mailticket.domain.returned import returned
from mailticket.domain.types import Facts, Outcome, Trust
from mailticket.mail.commands import Command, Commands, Problem, Problems, parse_commands
from mailticket.mail.types import Reading
from mailticket.mail.vocabulary import CommandName

HOW = "say #away, #away 3d, #away until 2026-12-01 or #away 2026-11-23..2026-12-01, and who: deputy bob"
_FURTHEST = timedelta(days=366)
_LONGEST_REASON = 200
_DEPUTY = re.compile(r"(?:^|\s)(?:deputy|deputised by|cover|covered by):?\s+(?P<name>.+)$", re.IGNORECASE)
_ABOUT_ONESELF = (CommandName.AWAY, CommandName.BACK)


def read_absence(text: str, agent: str, desk: Desk, now: datetime) -> Absence | str:
    """What stands behind `#away` as an absence of `agent`; a str says why it cannot be."""
    found = _DEPUTY.search(text)
    deputy: str | None = None
    if found is not None:
        named = resolve(found["name"], desk.agents, "agent")
        if isinstance(named, Unknown):
            return named.reason
        if named == agent:
            return "whoever is away cannot stand in for themselves"
        deputy, text = named, text[: found.start()]
    span = _span(text.strip(" ,;"), agent, desk, now)
    if isinstance(span, str):
        return span
    since, until = span
    if until is not None and until <= now:
        return "that is over already; " + _how(desk)
    if until is not None and until - now > _FURTHEST:
        return "that is more than a year away"
    return Absence(agent, since, until, Source.COMMAND, deputy)


def _span(text: str, agent: str, desk: Desk, now: datetime) -> tuple[datetime, datetime | None] | str:
    words = text.casefold().removeprefix("for ").strip()
    zone = zone_of(desk, agent)
    if not words:
        return now, None
    if ".." in words:
        try:
            first, last = parse_days(words)
        except NotThis as problem:
            return f"{problem}; {_how(desk)}"
        begins = datetime.combine(first, time(0), zone).astimezone(UTC)
        return begins, datetime.combine(last + timedelta(days=1), time(0), zone).astimezone(UTC)
    try:
        return now, now + parse_duration(words)
    except ValueError:
        pass
    until = words.removeprefix("until").removeprefix("till").strip()
    given = parse_due(until, now, zone)
    if isinstance(given, str) or given.due is None:
        over = isinstance(given, str) and given.startswith("that is over")
        return f"that is over already; {_how(desk)}" if over else _how(desk)
    local = given.due.astimezone(zone)
    if (local.hour, local.minute) == (23, 59):  # a day alone: that whole day
        local = datetime.combine(local.date() + timedelta(days=1), time(0), zone)
    return now, local.astimezone(UTC)


def _how(desk: Desk) -> str:
    return HOW.replace("#", desk.command_prefix)


def away(command: Command, actor: Actor) -> list[Change] | Problem:
    """The agent goes away. The text of the mail, if any, is kept as the reason and mailed to nobody."""
    return _away(command, actor.key, actor.asked.body, actor.desk, actor.now)


def back(command: Command, actor: Actor) -> list[Change] | Problem:
    """The agent is there again."""
    return _back(command, actor.key, actor.facts.presence, actor.desk, actor.now)


ALONE: Final[dict[CommandName, Effect]] = {CommandName.AWAY: away, CommandName.BACK: back}


def _away(command: Command, agent: str, words: str, desk: Desk, now: datetime) -> list[Change] | Problem:
    read = read_absence(command.argument, agent, desk, now)
    if isinstance(read, str):
        return Problem(command.line, read)
    name = desk.agents[agent].name
    start = "" if read.since <= now else f", from {read.since.astimezone(zone_of(desk, agent)):%a %d %b %Y}"
    why = f"{name} is away {until_words(desk, read)}{start}"
    return [
        SetAbsence(
            agent, read.since, read.until, read.deputy, str(Source.COMMAND),
            " ".join(words.split())[:_LONGEST_REASON], f"agent:{agent}", why,
        )
    ]  # fmt: skip


def _back(
    command: Command, agent: str, presence: Presence, desk: Desk, now: datetime
) -> list[Change] | Problem:
    name = desk.agents[agent].name
    ahead = any(one.agent == agent and not one.here for one in presence.recorded)
    if absence_of(desk, presence, agent, now) is None and not ahead:
        return Problem(command.line, "nothing is known of your being away")
    return [end_absence(agent, desk, now, f"agent:{agent}", f"{name} is back")]


def end_absence(agent: str, desk: Desk, now: datetime, actor: str, why: str) -> EndAbsence:
    """An agent is there again, whatever was recorded or stands in the configuration for today."""
    planned = configured(desk, agent, now)
    return EndAbsence(agent, planned.until if planned is not None else None, actor, why)


def without_ticket(
    reading: Reading, agent: str, trust: Trust, facts: Facts, desk: Desk, now: datetime
) -> Decision | None:
    """The decision for a proven agent's mail that is about no ticket but says `#away` or `#back`.

    None for any other mail. Fails closed as on a ticket: what is not understood comes back.
    """
    parsed = parse_commands(reading.content.reply, desk.command_prefix)
    if isinstance(parsed, Problems):
        about = any(_mentions(problem.line, desk.command_prefix) for problem in parsed.problems)
        return _returned(reading, agent, trust, parsed.problems) if about else None
    command = next((one for one in parsed.commands if one.name in _ABOUT_ONESELF), None)
    if command is None:
        return None
    done = _done(command, parsed, agent, facts, desk, now)
    if isinstance(done, Problem):
        return _returned(reading, agent, trust, (done,))
    return Decision(Outcome.AGENT_ACTED, tuple(done), tuple(change.why for change in done), trust)


def _done(
    command: Command, parsed: Commands, agent: str, facts: Facts, desk: Desk, now: datetime
) -> list[Change] | Problem:
    others = [one.line for one in parsed.commands if one is not command]
    if others:
        return Problem(others[0], f"{command.line.strip()} stands alone; send the other commands afterwards")
    if command.name is CommandName.BACK:
        return _back(command, agent, facts.presence, desk, now)
    return _away(command, agent, parsed.body, desk, now)


def _mentions(line: str, prefix: str) -> bool:
    return any(line.strip().casefold().startswith(f"{prefix}{name}") for name in _ABOUT_ONESELF)


def _returned(reading: Reading, agent: str, trust: Trust, problems: tuple[Problem, ...]) -> Decision:
    why = "not carried out: " + "; ".join(f"{one.line}: {one.reason}" for one in problems)
    return returned(reading, agent, "command.error", problems, why, (), trust)
