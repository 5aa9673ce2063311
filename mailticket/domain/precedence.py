"""Who decides what of a new ticket: osTicket's order of precedence, as one table.

Of each row, the first source that says anything decides; docs/routing.md shows the same table, and a
test compares the two. The rows are settled from top to bottom, because later ones ask what the
topic and the department say.
"""

from __future__ import annotations

import enum


class Source(enum.StrEnum):
    """Who can say something about a new ticket."""

    RULE = "rule"
    """The last rule that fired and named a value."""
    MAIL = "mail"
    """What the sender marked the mail as, where [desk] priority_from_mail believes it."""
    ADDRESS = "address"
    """The address the mail came to: its department, and its entry in [arrivals]."""
    TOPIC = "topic"
    ORGANISATION = "organisation"
    """The one the sender's domain belongs to."""
    DEPARTMENT = "department"
    DESK = "desk"
    """The desk's default."""


R, M, A, T, G, D, K = (
    Source.RULE, Source.MAIL, Source.ADDRESS, Source.TOPIC, Source.ORGANISATION, Source.DEPARTMENT,
    Source.DESK,
)  # fmt: skip

# fmt: off
PRECEDENCE: dict[str, tuple[Source, ...]] = {
    "topic":      (R,    A,          K),
    "department": (R,    A, T,       K),
    "priority":   (R, M, A, T, G,    K),
    "SLA plan":   (R,       T, G, D, K),
    "assignee":   (R,       T, G),
    "status":     (R,       T,       K),
}
"""What is decided -> who is asked, in this order. An assignee is an agent, a team, or both."""

ACKNOWLEDGED_BY: tuple[Source, ...] = (R, A, T, D, K)
"""A mail is acknowledged only if none of these forbids it."""
# fmt: on
