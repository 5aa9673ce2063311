"""The lines that act on the tickets of a numbered mail, as that mail itself shows them to its reader."""

from __future__ import annotations

from mailticket.config.desk import Desk

ALL = "all"
"""Stands for every number of the mail that is answered."""


def examples(count: int, desk: Desk, reader: str, free: int | None = None) -> tuple[str, ...]:
    """Lines that its reader could send back as they are; none for a mail without numbers.

    count: how many numbers the mail has; reader: key of the agent; free: the number of a ticket nobody has.
    """
    if not count:
        return ()
    lines = [f"{free or min(count, 2)} assign {_colleague(desk, reader)}"]
    if count > 1:
        lines.append(f"{count - 1},{count} close")
        urgent = sorted(desk.priorities.values(), key=lambda one: one.urgency)
        lines += [f"{ALL} priority {one.key}" for one in urgent[:2][-1:]]
    return tuple(lines)


def _colleague(desk: Desk, reader: str) -> str:
    """Somebody the reader works with, else the reader."""
    own = [one for one in desk.departments.values() if reader in (one.manager, *one.members)]
    near = (key for one in (*own, *desk.departments.values()) for key in one.members)
    return next((key for key in near if key != reader and key in desk.agents), "me")
