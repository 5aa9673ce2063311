"""Options that name a moment."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import typer

from mailticket.config.queues import HOW
from mailticket.domain.when import parse_moment


def moment_option(
    text: str | None, now: datetime, option: str, zone: ZoneInfo | None = None, *, end: bool = False
) -> datetime | None:
    """The moment an option names; None where it is not given. Ends the program with what it should say."""
    if text is None:
        return None
    moment = parse_moment(text, now, zone or ZoneInfo("UTC"), end=end)
    if moment is None:
        raise typer.BadParameter(f"{text!r} is no moment: {HOW}", param_hint=option)
    return moment
