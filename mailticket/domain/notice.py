"""A mail that is planned and not yet written. Immutable; times are aware UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from mailticket.domain.requests import Tap
from mailticket.domain.types import Audience

REPLIED: Final = "auto-replied"
GENERATED: Final = "auto-generated"
"""Values of Auto-Submitted (RFC 3834): an answer to a mail, and a mail that nobody's mail asked for."""


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file the desk made itself, kept under `blob`, the SHA-256 of its bytes in hex."""

    name: str
    content_type: str
    blob: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One mail to one recipient, planned but not yet written.

    identity   what its reply token is bound to: a canonical address or "agent:KEY"
    automatic  None for a person's words passed on, else the value of Auto-Submitted (RFC 3834)
    key        makes it unique: the same notice is never queued twice
    by         whoever did what it tells, who is not told of it in somebody else's place
    extra      what its template needs beyond the ticket and the entry; JSON-able
    files      made for this mail and sent along with it
    not_before when it may be sent first; None is at once
    asked      the held ticket an outsider is asked about; their token is then good for the answer only
    taps       the actions its reader can ask for by one tap
    seen       the newest entry its reader has seen, where that is not the entry it tells of
    decided    a person of the desk, or a date, causes it, and no mail from outside: no storm brings many
    """

    template: str
    audience: Audience
    recipient: str
    recipient_name: str
    identity: str
    ticket_id: int | None
    entry_id: int | None
    automatic: str | None
    key: str
    reason: str
    extra: dict[str, Any] = field(default_factory=dict)
    by: str = ""
    asked: int | None = None
    files: tuple[MadeFile, ...] = ()
    taps: tuple[Tap, ...] = ()
    not_before: datetime | None = None
    seen: int = 0
    decided: bool = False
