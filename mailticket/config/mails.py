"""Which of the desk's mails are sent. Each can be switched for the desk and for a department."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

MailCode = Literal[
    "ticket.autoresp", "ticket.autoreply", "ticket.notice", "message.autoresp", "ticket.activity.notice",
    "ticket.overlimit", "ticket.held", "ticket.resolved", "ticket.closed", "ticket.reopened",
    "ticket.merged", "ticket.satisfaction", "ticket.alert", "message.alert", "note.alert", "assigned.alert",
    "transfer.alert", "bounce.alert",
]  # fmt: skip
"""Mails that follow from something that happened. Those of SLA plans, follow-ups, digests and reports are
switched where these are described; an agent's answer, and mails that somebody asked for, always go."""

SENT_BY_DEFAULT: Mapping[MailCode, bool] = {
    "ticket.autoresp": True,
    "ticket.autoreply": True,
    "ticket.notice": True,
    "message.autoresp": False,
    "ticket.activity.notice": True,
    "ticket.overlimit": False,
    "ticket.held": False,
    "ticket.resolved": True,
    "ticket.closed": False,
    "ticket.reopened": False,
    "ticket.merged": True,
    "ticket.satisfaction": False,
    "ticket.alert": True,
    "message.alert": True,
    "note.alert": True,
    "assigned.alert": True,
    "transfer.alert": True,
    "bounce.alert": True,
}
"""What is sent where nothing is written: docs/decisions/0073-which-mails-are-sent.md says why."""
