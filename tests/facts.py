"""Facts that tests of the rules begin with: say only what matters to the test."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mailticket.domain.types import TicketFacts

OPENED = datetime(2026, 11, 21, 10, tzinfo=UTC)


def a_ticket(**changes: Any) -> TicketFacts:
    """An open ticket of Ann's about a printer, with other values where given; she alone takes part."""
    values: dict[str, Any] = {
        "id": 7,
        "number": "123456",
        "subject": "Printer",
        "status": "open",
        "department": "support",
        "topic": None,
        "priority": "normal",
        "sla_plan": None,
        "assignee": None,
        "team": None,
        "requester": "ann@customer.example",
        "requester_name": "Ann",
        "created_at": OPENED,
    } | changes
    values.setdefault("participants", frozenset({values["requester"]}))
    return TicketFacts(**values)
