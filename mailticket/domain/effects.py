"""What each command does: the registry. A new command is a row in the table of its area's module.

The effects of `EFFECTS` go together, in any number, with an answer or a note; those of `ALONE` change
what the mail is about, or take its text over, so nothing else may depend on what was meant.
"""

from __future__ import annotations

from typing import Final

from mailticket.domain import (
    absence_commands,
    canned,
    console_commands,
    field_commands,
    later_commands,
    lifecycle_commands,
    link_commands,
    promise_commands,
    sender_commands,
    stale,
    thread_commands,
    undo,
)
from mailticket.domain.actor import Effect
from mailticket.mail.vocabulary import CommandName

EFFECTS: Final[dict[CommandName, Effect]] = {
    **canned.EFFECTS,
    **field_commands.EFFECTS,
    **later_commands.EFFECTS,
    **lifecycle_commands.EFFECTS,
    **link_commands.EFFECTS,
    **promise_commands.EFFECTS,
    **sender_commands.EFFECTS,
    **thread_commands.EFFECTS,
}
ALONE: Final[dict[CommandName, Effect]] = {
    **link_commands.ALONE,
    **console_commands.ALONE,
    **thread_commands.ALONE,
    **absence_commands.ALONE,
    **undo.ALONE,
    **stale.ALONE,
}
BUILT_IN: Final = frozenset({CommandName.NOTE, CommandName.REPLY, CommandName.HELP})
"""Commands that are about the mail itself, not about the ticket (decide_agent.py)."""
