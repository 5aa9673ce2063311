"""What became of one attempt to hand over one mail, and the port through which mails leave.

The failure policy in one table; `domain.retry` turns it into a time or into giving up:

    what happened                                           outcome
    2xx after the final dot                                 Delivered
    5xx at RCPT, at DATA or after the final dot             Failed: this mail, for good
    the mail is bigger than the server takes (552, 5.3.4)   Failed
    4xx at RCPT, at DATA or after the final dot             Deferred, scope "recipient"
    no connection, no TLS, AUTH refused, 4xx or 5xx at      Deferred, scope "server": the whole queue
      EHLO, STARTTLS, AUTH or MAIL, 421 anywhere              has this trouble and pauses
    an answer that is neither 2xx, 4xx nor 5xx              Deferred
    no intelligible answer after the final dot              Deferred with `outcome_unknown`: the server
                                                              may have it; wait at least ten minutes,
                                                              repeat with the same bytes and Message-ID
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal, Protocol

Scope = Literal["recipient", "server"]
"""Whom a delay concerns: this one mail, or everything that goes through the same server."""


class Stage(enum.StrEnum):
    """How far an attempt came. Up to CONTENT the far end cannot have accepted the mail."""

    CHECK = "check"
    """Before any network: our own check of addresses and bytes."""
    CONNECT = "connect"
    """Name resolution, TCP, the greeting; with security "tls" the handshake too."""
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"
    """Sending the mail itself, all but the final dot."""
    DOT = "dot"
    """From the final dot on: without an answer nobody knows whether the server has the mail."""
    STORE = "store"
    """Writing into a Maildir."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """Somebody else is responsible for the mail now. `response` is the server's answer, cleaned."""

    response: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not delivered, and trying again later may help.

    outcome_unknown  the mail may have been accepted after all: only the answer is missing
    """

    response: str
    scope: Scope
    stage: Stage
    outcome_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """Not delivered, and the same bytes to the same recipient never will be."""

    response: str
    stage: Stage


Outcome = Delivered | Deferred | Failed


class Transport(Protocol):
    """A way out for mails. One instance belongs to one thread."""

    def send(self, envelope_from: str, recipient: str, raw: bytes) -> Outcome:
        """Hand over `raw`, which is not altered, to one recipient. Never raises for network or disk trouble.

        envelope_from: an addr-spec, or "" for the null sender. recipient: an addr-spec.
        """
        ...

    def close(self) -> None:
        """Let go of whatever is open; `send` may be called again afterwards."""
        ...
