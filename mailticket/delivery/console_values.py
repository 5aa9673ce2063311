"""An answer of the mail console as a template sees it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from mailticket.domain.console_mail import ConsoleMail, ConsoleRow


def console_values(mail: ConsoleMail, now: datetime) -> dict[str, Any]:
    """The answer as it is, and what follows from it: counts, and lengths of time up to `now`."""
    return {
        "problems": [
            {"line": line, "reason": reason, "nearest": near} for line, reason, near in mail.problems
        ],
        "outcomes": [asdict(one) for one in mail.outcomes],
        "done": sum(one.done for one in mail.outcomes),
        "undo": next((f"{one.number} undo" for one in mail.outcomes if one.done), ""),
        "failed": sum(not one.done for one in mail.outcomes),
        "lists": [asdict(one) | {"rows": [_row(row, now) for row in one.rows]} for one in mail.lists],
        "stories": [
            asdict(one)
            | {
                "facts": list(one.facts),
                "moments": [
                    {"at": datetime.fromisoformat(at), "who": who, "what": what, "why": why, "text": text}
                    for at, who, what, why, text in one.moments
                ],
            }
            for one in mail.stories
        ],
    }


def _row(row: ConsoleRow, now: datetime) -> dict[str, Any]:
    due = datetime.fromisoformat(row.due) if row.due else None
    overdue = datetime.fromisoformat(row.overdue) if row.overdue else None
    return asdict(row) | {
        "late": now - overdue if overdue else None,
        "left": due - now if due and due > now and not overdue else None,
    }
