"""`#list`, `#show` and `#search` in an answer to a ticket's mail: they mail what they name."""

from __future__ import annotations

from typing import Final

from mailticket.domain.actor import Actor, Effect
from mailticket.domain.change import Change
from mailticket.domain.console import read_console
from mailticket.domain.console_changes import AnswerConsole, ConsoleLook
from mailticket.mail.commands import Command, Problem
from mailticket.mail.vocabulary import CommandName


def look(command: Command, actor: Actor) -> list[Change] | Problem:
    """Ask the console, as a mail of its own would."""
    if actor.asked.body:
        return Problem(command.line, "stands alone: send your answer to the customer in a mail of its own")
    argument = command.argument
    if command.name is CommandName.SHOW and not argument:
        looks: tuple[ConsoleLook, ...] = (ConsoleLook("show", actor.ticket.number),)
    else:
        asked = read_console(f"{command.name} {argument}".strip(), actor.desk)
        if asked.problems:
            _, reason, nearest = asked.problems[0]
            return Problem(command.line, reason, nearest or None)
        looks = asked.looks
    why = f"{actor.name} asked for {command.name}"
    subject = actor.reading.mail.subject
    return [AnswerConsole(actor.key, actor.facts.sender or "", None, looks, (), (), subject, why)]


ALONE: Final[dict[CommandName, Effect]] = {
    CommandName.LIST: look,
    CommandName.SHOW: look,
    CommandName.SEARCH: look,
}
