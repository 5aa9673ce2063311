"""docs/events.md names every kind of event once, and beside each of osTicket's what stands for it here."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from mailticket.domain.timeline import in_words
from mailticket.domain.types import EventKind

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
OSTICKET = (
    "created", "closed", "reopened", "assigned", "released", "transferred", "referred", "overdue", "edited",
    "viewed", "error", "collab", "resent", "deleted", "merged", "unlinked", "linked", "login", "logout",
    "message", "note",
)  # fmt: skip
NOT_HERE = {"viewed", "login", "logout"}
"""What has no sense without a web page."""


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    (part,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", TEXT, flags=re.DOTALL | re.MULTILINE)
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def kinds(cell: str) -> list[str]:
    return re.findall(r"`([a-z-]+)`", cell)


def test_all_of_ostickets_kinds_stand_in_its_order_and_what_is_missing_says_why() -> None:
    table = rows("osTicket's kinds, and ours")
    assert [kinds(first) for first, _, _ in table] == [[kind] for kind in OSTICKET]
    assert {kinds(first)[0] for first, ours, _ in table if ours == "-"} == NOT_HERE
    assert all(what for _, _, what in table)


def test_every_kind_of_ours_is_told_exactly_once() -> None:
    told = Counter(kind for _, ours, _ in rows("osTicket's kinds, and ours") for kind in kinds(ours))
    for heading in ("What only happens here", "Of no ticket"):
        told.update(kind for first, what in rows(heading) for kind in kinds(first) if what)
    assert told == Counter(str(kind) for kind in EventKind)


def test_every_kind_has_words_in_a_story() -> None:
    for kind in EventKind:
        assert in_words(str(kind), {}).strip()


def test_a_story_names_whom_and_what_an_event_is_about() -> None:
    found = [
        in_words(kind, data)
        for kind, data in (
            ("merged", {"field": "status", "before": "open", "after": "merged", "into": "17"}),
            ("merged", {"from": "16", "requester": "ann@customer.example"}),
            ("moved", {"to": "18", "entry": 4}),
            ("copied", {"to": "audit@other.example", "inbound": 3}),
            ("linked", {"with": "19", "waits": False}),
            ("referred", {"department": "it"}),
            ("referred", {"no_more": "it"}),
            ("hooked", {"webhook": "chat"}),
            ("banned", {"pattern": "@spam.example", "reason": "spam"}),
            ("rated", {"score": 4, "commented": True}),
            ("error", {"template": "ticket.autoresp", "address": "ann@customer.example", "outbox": 4}),
            ("assigned", {"field": "assignee", "before": None, "after": "sam"}),
        )
    ]
    assert found == [
        "merged into #17",
        "merged from #16",
        "moved a message to #18",
        "sent a copy of the mail to audit@other.example",
        "linked with #19",
        "referred to it",
        "referred no more to it",
        "told a web service chat",
        "banned a sender @spam.example",
        "rated the help as 4",
        "a mail could not be sent to ann@customer.example",
        "assignee: nothing → sam",
    ]
