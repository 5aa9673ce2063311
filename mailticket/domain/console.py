"""The mail console: an agent's mail to no ticket in particular. Lists, searches, and commands by number.

`list overdue`, `show 123456`, `search words` ask for a mail whose lines are numbered; `2 assign bob`,
`3,5 close`, `2-4 priority high`, `all tag flood` act on the numbering of the mail that is answered,
whatever happened since. The prefix may stand or be left out. Fails closed: if any line is not understood,
nothing is done. Reads the mail only; work/console.py carries it out, each ticket by the effects of single
mails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from mailticket.config.desk import Desk
from mailticket.domain.by_number import ALL
from mailticket.domain.change import Decision
from mailticket.domain.console_changes import AnswerConsole, ConsoleLine, ConsoleLook
from mailticket.domain.naming import Named, Unknown, resolve
from mailticket.domain.returned import as_rows
from mailticket.domain.trust import TrustFinding, allowed
from mailticket.domain.types import Arrival, Facts, Outcome
from mailticket.mail.address import canonical, split_extension
from mailticket.mail.commands import Command, Problem, Problems, parse_commands
from mailticket.mail.nearest import nearest
from mailticket.mail.numbering import NUMBER, as_kept, is_number
from mailticket.mail.types import Reading
from mailticket.mail.vocabulary import KNOWN, CommandName

MOST_TICKETS: Final = 100
"""Tickets that one mail may act on."""
MOST_LOOKS: Final = 5
_LONGEST_LIST_NUMBER: Final = 3
"""Digits: longer numbers are those of tickets."""
_LOOKING: Final[tuple[tuple[CommandName, Literal["list", "show", "search"]], ...]] = (
    (CommandName.LIST, "list"),
    (CommandName.SHOW, "show"),
    (CommandName.SEARCH, "search"),
)
_LOOKS: Final = {word: kind for name, kind in _LOOKING for word in (str(name), *name.aliases)}
_RANGE = r"#?\d{1,3}(?!\d)(?:\s*(?:[-\u2010-\u2015]|to)\s*#?\d{1,3}(?!\d))?"
_ONE = rf"(?:{_RANGE}|#?{NUMBER})"
_BETWEEN = r"\s*(?:,|;|&|\band\b)\s*"
_NUMBERED: Final = re.compile(
    rf"\s*({ALL}|{_ONE}(?:{_BETWEEN}{_ONE})*)\s*[:.)]?\s+(\S.*)", re.ASCII | re.IGNORECASE
)
_PART: Final = re.compile(
    r"#?(\d{1,3})(?:\s*(?:[-\u2010-\u2015]|to)\s*#?(\d{1,3}))?", re.ASCII | re.IGNORECASE
)
_ABOUT_ANOTHER: Final = (CommandName.MERGE, CommandName.LINK, CommandName.BLOCK, CommandName.MOVE)
_BY_PLACE: Final = re.compile(r"(\S+\s+)#?(\d{1,3})(\s+anyway)?", re.ASCII | re.IGNORECASE)
_SOME_TICKET: Final = "123456"
_NOT_BY_NUMBER: Final = (CommandName.HELP, CommandName.LIST, CommandName.SEARCH, CommandName.REPLY)


def decide_console(
    reading: Reading, arrival: Arrival, facts: Facts, agent: str, trust: TrustFinding, desk: Desk
) -> Decision | None:
    """The decision for a mail of an agent's address to the console; None where it is none.

    It is one when it answers a numbered mail made for this agent, or goes to the console's address.
    """
    addressed = canonical(split_extension(arrival.recipient)[0]) == desk.console
    if facts.listing is None and not addressed:
        return None
    if reading.classification.automatic:
        why = f"an automatic mail of {agent} ({reading.classification.kind}) asks for nothing"
        return Decision(Outcome.IGNORED, (), (*trust.reasons, why), trust.level)
    if not allowed(desk.trust, "agent_acts", trust.level):
        return None if facts.listing is None else _unproven(agent, trust)
    asked = read_console(reading.content.reply, desk)
    why = f"{desk.agents[agent].name} wrote to the console"
    change = AnswerConsole(
        agent=agent,
        address=facts.sender or "",
        listing=facts.listing,
        looks=asked.looks,
        lines=asked.lines,
        problems=asked.problems,
        subject=reading.mail.subject,
        why=why,
    )
    outcome = Outcome.RETURNED if asked.problems else Outcome.AGENT_ACTED
    return Decision(outcome, (change,), (*trust.reasons, why), trust.level)


def _unproven(agent: str, trust: TrustFinding) -> Decision:
    why = f"it answers a list made for {agent}, but nothing proves that they wrote it"
    return Decision(Outcome.HELD, (), (*trust.reasons, why), trust.level)


@dataclass(frozen=True, slots=True)
class ConsoleAsked:
    """What a mail asks of the console. With problems, none of it may be done."""

    looks: tuple[ConsoleLook, ...] = ()
    lines: tuple[ConsoleLine, ...] = ()
    problems: tuple[tuple[str, str, str], ...] = ()


def read_console(text: str, desk: Desk) -> ConsoleAsked:
    """The lines of a mail to the console. Words behind a blank line that ask for nothing are a farewell."""
    looks: list[ConsoleLook] = []
    lines: list[ConsoleLine] = []
    problems: list[Problem] = []
    gap = False
    for raw in text.splitlines():
        line = raw.strip("\u200b\ufeff \t\u00a0")
        if not line:
            gap = gap or bool(looks or lines or problems)
            continue
        found = _line(line, desk)
        if found is None and gap and not line.startswith(desk.command_prefix):
            break
        gap = False
        match found:
            case ConsoleLook():
                looks.append(found)
            case ConsoleLine():
                lines.append(found)
            case Problem():
                problems.append(found)
            case None:
                problems.append(_unknown(line, desk))
    problems += _too_much(looks, lines)
    problems += contradictions(lines, desk)
    if not (looks or lines or problems):
        looks.append(ConsoleLook("list", "mine"))
    return ConsoleAsked(tuple(looks), tuple(lines), as_rows(problems))


def _line(line: str, desk: Desk) -> ConsoleLook | ConsoleLine | Problem | None:
    """One line; None where it begins like nothing the console knows."""
    numbered = _NUMBERED.fullmatch(line)
    if numbered is not None and numbered[1].casefold() == ALL and not _begins(numbered[2], desk):
        return None  # "All the best"
    if numbered is not None:
        return _command(line, numbered[1], numbered[2], desk)
    word, _, rest = line.removeprefix(desk.command_prefix).partition(" ")
    kind = _LOOKS.get(word.casefold().rstrip(":"))
    if kind is None:
        return None
    argument = rest.strip()
    if kind == "search" and not argument:
        return Problem(line, "search needs words after it", f"{desk.command_prefix}search printer")
    if kind == "show" and not is_list_number(argument.strip("#[]")) and not is_number(argument.strip("#[]")):
        return Problem(
            line, "show needs the number of a ticket after it", f"{desk.command_prefix}show 123456"
        )
    return ConsoleLook(kind, as_kept(argument.strip("[]")) if kind == "show" else argument or "mine")


def _begins(rest: str, desk: Desk) -> bool:
    return _first_word(rest, desk).rstrip(":.,!") in KNOWN


def _first_word(text: str, desk: Desk) -> str:
    """In small letters, without the prefix; "" where nothing else stands there."""
    return next(iter(text.removeprefix(desk.command_prefix).split()), "").casefold()


def _command(line: str, numbers: str, rest: str, desk: Desk) -> ConsoleLook | ConsoleLine | Problem:
    which = _numbers(numbers)
    if isinstance(which, str):
        return Problem(line, which)
    written = f"{desk.command_prefix}{rest.strip().removeprefix(desk.command_prefix)}"
    if _LOOKS.get(written.removeprefix(desk.command_prefix).casefold()) == "show" and len(which) == 1:
        return ConsoleLook("show", which[0])
    parsed = parse_commands(_checkable(written, desk), desk.command_prefix)
    if isinstance(parsed, Problems):
        one = parsed.problems[0]
        return Problem(line, one.reason, one.nearest)
    if not parsed.note and not parsed.commands:
        return _unknown(line, desk, rest)
    for command in parsed.commands:
        if command.name in _NOT_BY_NUMBER:
            return Problem(line, f"{desk.command_prefix}{command.name} is about no single ticket")
        unknown = _unknown_name(command, desk)
        if unknown is not None:
            return Problem(line, unknown.reason, unknown.nearest)
    return ConsoleLine(which, written, line)


def _numbers(written: str) -> tuple[str, ...] | str:
    """The numbers of a line, ranges spelled out; or why that is not possible."""
    found: list[str] = []
    if written.strip().casefold() == ALL:
        return (ALL,)
    for part in re.split(_BETWEEN, written.strip(), flags=re.IGNORECASE):
        few = _PART.fullmatch(part.strip())
        if few is None:
            found.append(as_kept(part))
            continue
        low, high = few[1], few[2] or few[1]
        if int(high) < int(low) or int(high) - int(low) >= MOST_TICKETS:
            return f"{low}-{high} is no range of up to {MOST_TICKETS} numbers"
        found += [str(number) for number in range(int(low), int(high) + 1)]
    return tuple(dict.fromkeys(found))


def _unknown(line: str, desk: Desk, word: str | None = None) -> Problem:
    first = _first_word(word or line, desk)
    near = nearest(first, [*_LOOKS, *KNOWN]) if len(first) > 2 else None
    reason = "is neither list, show, search nor numbers with a command behind them"
    hint = f"{desk.command_prefix}{near}" if near else None
    return Problem(line, reason if word is None or not first else f"{first} is no command", hint)


def _unknown_name(command: Command, desk: Desk) -> Unknown | None:
    """A name nobody has: that was not understood, whichever ticket it is about."""
    things: Mapping[CommandName, tuple[Mapping[str, Named], str]] = {
        CommandName.ASSIGN: (desk.agents, "agent"),
        CommandName.PRIORITY: (desk.priorities, "priority"),
        CommandName.TRANSFER: (desk.departments, "department"),
        CommandName.TEAM: (desk.teams, "team"),
        CommandName.SLA: (desk.sla_plans, "SLA plan"),
    }
    if command.name not in things or (command.name is CommandName.ASSIGN and command.argument == "me"):
        return None
    found = resolve(command.argument, *things[command.name])
    return found if isinstance(found, Unknown) else None


def _too_much(looks: list[ConsoleLook], lines: list[ConsoleLine]) -> Iterator[Problem]:
    if len(looks) > MOST_LOOKS:
        yield Problem("", f"one mail may ask for {MOST_LOOKS} lists and tickets")
    if len({number for line in lines for number in line.numbers}) > MOST_TICKETS:
        yield Problem("", f"one mail may change {MOST_TICKETS} tickets")


def spelled_out(lines: Iterable[ConsoleLine], listed: int) -> tuple[ConsoleLine, ...]:
    """The lines with every number of the answered mail in the place of `all`. listed: how many it has."""
    numbers = tuple(str(number) for number in range(1, listed + 1))
    return tuple(replace(line, numbers=numbers) if line.numbers == (ALL,) else line for line in lines)


def with_ticket_numbers(
    lines: Iterable[ConsoleLine], number_of: Callable[[str], str | None], desk: Desk
) -> tuple[tuple[ConsoleLine, ...], list[Problem]]:
    """The lines with tickets' own numbers in the place of a list's: `2 merge 3` is about two lines of it.

    number_of: the number of the ticket that the answered mail lists under a number.
    """
    found: list[ConsoleLine] = []
    problems: list[Problem] = []
    for line in lines:
        listed = _listed(line.command, desk)
        number = number_of(listed) if listed is not None else None
        if listed is not None and number is None:
            problems.append(Problem(line.line, f"the mail you answer has no number {listed}"))
        found.append(replace(line, command=_with(number, line.command)) if number is not None else line)
    return tuple(found), problems


def _listed(command: str, desk: Desk) -> str | None:
    """The list number of the other ticket that a command is about, if it names one so."""
    named = _BY_PLACE.fullmatch(command)
    about_another = named is not None and KNOWN.get(_first_word(command, desk)) in _ABOUT_ANOTHER
    return named[2] if named is not None and about_another else None


def _checkable(command: str, desk: Desk) -> str:
    """The command as the grammar knows it, which has no list numbers."""
    return command if _listed(command, desk) is None else _with(_SOME_TICKET, command)


def _with(number: str, command: str) -> str:
    return _BY_PLACE.sub(rf"\g<1>{number}\g<3>", command)


def contradictions(lines: Sequence[ConsoleLine], desk: Desk) -> Iterator[Problem]:
    """What several lines ask of one ticket must not contradict itself."""
    for number, text in texts_by_number(lines).items():
        if text.count("\n"):
            parsed = parse_commands(
                "\n".join(_checkable(one, desk) for one in text.splitlines()), desk.command_prefix
            )
            if isinstance(parsed, Problems):
                yield Problem(parsed.problems[0].line, f"number {number}: {parsed.problems[0].reason}")


def texts_by_number(lines: Sequence[ConsoleLine]) -> dict[str, str]:
    """The command lines for each number, in the order the numbers come up."""
    texts: dict[str, list[str]] = {}
    for line in lines:
        for number in line.numbers:
            texts.setdefault(number, []).append(line.command)
    return {number: "\n".join(commands) for number, commands in texts.items()}


def is_list_number(number: str) -> bool:
    """Whether a number is one of a list, and not a ticket's own."""
    return len(number) <= _LONGEST_LIST_NUMBER and number.isdigit()
