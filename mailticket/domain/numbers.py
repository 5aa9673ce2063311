"""What the number of a ticket opened now looks like."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from mailticket.config.desk import Desk


def mask_of(desk: Desk, now: datetime) -> str:
    """The desk's pattern with year and month of its own time zone put in: "ACME-2026-######"."""
    here = now.astimezone(ZoneInfo(desk.time_zone))
    return desk.ticket_numbers.replace("{year}", f"{here.year:04}").replace("{month}", f"{here.month:02}")
