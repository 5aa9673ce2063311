"""The sample of an answer of the mail console."""

from __future__ import annotations

from mailticket.domain.console_mail import ConsoleList, ConsoleMail, ConsoleOutcome, ConsoleRow, ConsoleStory


def sample_console() -> ConsoleMail:
    """A line not understood, changes of which one came too late, a list, a story: every part there is."""
    rows = (
        ConsoleRow(
            1, "482913", "Online banking: no login since this morning", "open", "High", "Anna Agent",
            "Erika Muster", "2026-11-03T17:00:00+00:00", None, "",
        ),
        ConsoleRow(
            2, "482871", "Card lost on holiday", "in progress", "Urgent", "", "Max Beispiel", None,
            "2026-11-03T09:10:00+00:00", "the card was in my other wallet",
        ),
    )  # fmt: skip
    return ConsoleMail(
        outcomes=(
            ConsoleOutcome("2", "482802", "Statement is missing", True, "Anna Agent assigned it to Bob Berg"),
            ConsoleOutcome("3", "482790", "Transfer twice", False, "it is closed already"),
        ),
        lists=(ConsoleList("list overdue", rows, more=True), ConsoleList("search drucker")),
        stories=(
            ConsoleStory(
                3,
                "482913",
                "Online banking: no login since this morning",
                (("Status", "open"), ("Priority", "High")),
                (
                    ("2026-11-03T08:12:00+00:00", "Erika Muster", "message (token)", "", "I cannot log in."),
                    ("2026-11-03T08:13:00+00:00", "the desk", "assignee: nothing → anna", "least loaded", ""),
                ),
            ),
        ),
        problems=(("4 asign bob", "this is no command", "assign"),),
        by_number=("2 assign bob", "2,3 close", "all priority high"),
    )
