"""Web services that hear of what happens: where they are, what they are told, and how they know it is us."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from mailticket.config.problems import did_you_mean
from mailticket.config.section import Section
from mailticket.config.values import NotThis, PositiveDuration

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SHORTEST_SECRET = 16

EVENTS = (
    "created", "message", "response", "note", "assigned", "released", "transferred", "status", "resolved",
    "closed", "reopened", "edited", "overdue", "warned", "acknowledged", "bounced", "held", "approved",
    "denied", "merged", "moved", "collab", "followed-up", "undone",
)  # fmt: skip
"""What can happen to a ticket and be told: kinds of events (domain/types.py)."""
INTERNAL_EVENTS = frozenset({"note", "undone"})
"""Events that nobody outside may hear of: they consist of inside text, or tell what was never sent."""


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise NotThis("is not a URL") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        raise NotThis('must be a URL like "https://hooks.example/mailticket"')
    if any(char.isspace() or not char.isprintable() or not char.isascii() for char in value):
        raise NotThis("must be written in ASCII without blanks")
    if parts.username is not None or parts.password is not None:
        raise NotThis("must hold no user and no password: requests are signed with the secret")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise NotThis("must begin with https://, as it is not on this machine")
    if parts.fragment:
        raise NotThis('must have no "#" and nothing behind it')
    return value


def _event(value: str) -> str:
    if value not in EVENTS:
        raise NotThis("is no event", did_you_mean(value, EVENTS))
    return value


def _secret(value: SecretStr) -> SecretStr:
    # an empty one stands for a secret that could not be had, which is reported already
    if 0 < len(value.get_secret_value()) < SHORTEST_SECRET:
        raise NotThis(f"is shorter than {SHORTEST_SECRET} characters")
    return value


HookUrl = Annotated[str, AfterValidator(_url)]
"""An address to send to: https, or http on this very machine."""

EventName = Annotated[str, AfterValidator(_event)]
"""One of `EVENTS`."""


class Webhook(Section):
    """A web service that is told of tickets.

    url       gets a POST with JSON; redirects are not followed
    secret    signs each request (HMAC-SHA256)
    events    what it hears of by itself; rules and steps of SLA plans tell it more
    audience  whose texts it may see: "customer" leaves out notes, reasons and who works here
    """

    key: str = ""
    url: HookUrl
    secret: Annotated[SecretStr, AfterValidator(_secret)]
    timeout: PositiveDuration = Field(default=timedelta(seconds=10), le=timedelta(minutes=2))
    events: tuple[EventName, ...] = ()
    audience: Literal["customer", "internal"] = "customer"

    @model_validator(mode="after")
    def _may_see_its_events(self) -> Self:
        hidden = INTERNAL_EVENTS.intersection(self.events) if self.audience == "customer" else ()
        if hidden:
            raise NotThis(f'hears of "{min(hidden)}", which is inside: write audience = "internal"')
        return self
