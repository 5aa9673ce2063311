"""What the mails about promised times show, beside the ticket itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class AlertView:
    """One promise and where it stands.

    what      "first response"
    standing  "due in 40 min", "overdue by 3 h"
    due       None where no moment is known
    by_hand   an agent set the due date
    ledger    where the ticket's time went
    others    the ticket's other promises, as (what, standing)
    climbs    more people will be told unless somebody acknowledges
    """

    what: str = ""
    standing: str = ""
    due: datetime | None = None
    by_hand: bool = False
    ledger: str = ""
    others: tuple[tuple[str, str], ...] = ()
    climbs: bool = False


@dataclass(frozen=True, slots=True)
class AlertRow:
    """A ticket in a summary. n: what its reader may call it by; 0 for a reader who cannot act on it."""

    number: str
    subject: str
    what: str
    standing: str
    assigned: str
    n: int = 0


@dataclass(frozen=True, slots=True)
class AlertSummary:
    """Many alerts at once. The rows are the first ones, `more` says how many are left out."""

    overdue_count: int = 0
    soon_count: int = 0
    rows: tuple[AlertRow, ...] = ()
    more: int = 0
    by_number: tuple[str, ...] = ()


def alert_of(data: dict[str, Any] | None) -> AlertView:
    """The view that `work.alerts` put into the outbox; an empty one for None."""
    if data is None:
        return AlertView()
    return AlertView(
        what=data["what"],
        standing=data["standing"],
        due=datetime.fromisoformat(data["due"]) if data["due"] else None,
        by_hand=data["by_hand"],
        ledger=data["ledger"],
        others=tuple((what, standing) for what, standing in data["others"]),
        climbs=data["climbs"],
    )


def summary_of(data: dict[str, Any] | None) -> AlertSummary:
    """The summary that `work.alerts` put into the outbox; an empty one for None."""
    if data is None:
        return AlertSummary()
    rows = tuple(AlertRow(**row) for row in data["rows"])
    shown = tuple(data.get("by_number", ()))
    return AlertSummary(data["overdue_count"], data["soon_count"], rows, data["more"], shown)
