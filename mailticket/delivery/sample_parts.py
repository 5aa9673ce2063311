"""What the sample mails are made of: one ticket of an example bank, its people and its words."""

from __future__ import annotations

from datetime import UTC, datetime

from mailticket.delivery.letter import (
    Letter,
    Passage,
    Person,
    TapLink,
    TicketView,
)
from mailticket.mail.mailto import mailto_link
from mailticket.mail.marker import marker_line

NOW = datetime(2026, 11, 3, 13, 40, tzinfo=UTC)
_ZONE = "Europe/Berlin"
TOKEN = "cei5uabqmfxgk43umvsca3tpebuxg5a7onuxu6dfnv2hi2lo"  # noqa: S105 -- signed by nobody
TAPS = tuple(
    TapLink(
        name,
        label,
        mailto_link(f"support+{TOKEN}@bank.example", subject, "Just send this mail."),
        mailto_link(f"support+{TOKEN}@bank.example", name, ""),
    )
    for name, label, subject in (
        ("take", "Take it", "Take ticket 20261103-0001"),
        ("resolve", "Mark as solved", "Resolve ticket 20261103-0001"),
    )
)

_SIGNATURE = "Kind regards\nSupport team, Example Bank\nMon-Fri 8:00-18:00 CET"
CUSTOMER = Person("Erika Muster", "erika@customer.example", "customer")
AGENT = Person("Anna Agent", "anna@bank.example", "agent")
MESSAGE = Passage(
    "Hello,\n\nsince this morning I cannot log in to online banking. After the TAN the page says:\n\n"
    "    Error 503: service unavailable\n\nMy phone and my laptop show the same. I have to pay a bill "
    "today!\n\nErika Muster",
    "Erika Muster",
    datetime(2026, 11, 3, 8, 12, tzinfo=UTC),
    ("screenshot.png", "log 3 November.txt"),
)

ANSWER = (
    "Dear Ms Muster,\n\nthank you for the exact description, it helped. A certificate had expired on one of "
    "our servers; it has been renewed at 14:20 and logging in works again.\n\nPlease try once more, and "
    "write to me if anything is still odd."
)


def sample_ticket(**changes: object) -> TicketView:
    """The ticket of all samples, with other values where given."""
    values: dict[str, object] = {
        "number": "20261103-0001",
        "tag": "[#20261103-0001]",
        "subject": "Online banking: no login since this morning",
        "status": "open",
        "priority": "High",
        "department": "Support",
        "topic": "Report a problem",
        "name": "Erika Muster",
        "email": "erika@customer.example",
        "sla": "Four hours",
        "source": "mail",
        "create_date": datetime(2026, 11, 3, 8, 12, tzinfo=UTC),
        "due_date": datetime(2026, 11, 3, 17, 0, tzinfo=UTC),
    } | changes
    return TicketView(**values)  # type: ignore[arg-type]  # the values of a table, checked by every sample


def letter(**parts: object) -> Letter:
    """A mail to an agent, with other parts where given."""
    values: dict[str, object] = {
        "recipient": AGENT,
        "company": "Example Bank",
        "now": NOW,
        "zone": _ZONE,
        "reply": (marker_line("en"), TOKEN),
        "reason": "you work in Support",
        "actions": TAPS,
    } | parts
    return Letter(**values)  # type: ignore[arg-type]  # as above


def to_customer(**parts: object) -> Letter:
    """A mail to the customer of the sample ticket."""
    return letter(
        **{"recipient": CUSTOMER, "signature": _SIGNATURE, "reason": "", "ticket": sample_ticket()}
        | {"actions": ()}
        | parts
    )
