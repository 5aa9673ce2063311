"""A message as a client hands it in."""

from __future__ import annotations

from dataclasses import dataclass

from mailticket.mail.types import RawMail


@dataclass(frozen=True, slots=True)
class Submission:
    """A received message and all that is known about how it came."""

    content: bytes
    sender: str
    recipients: tuple[str, ...]
    client: str
    auth_user: str | None

    def mail_for(self, recipient: str, source: str) -> RawMail:
        """The mail as one recipient gets it."""
        return RawMail(self.content, self.sender, recipient, source, self.client, self.auth_user)


def declared_size(options: list[str]) -> int:
    """The SIZE parameter of MAIL FROM (RFC 1870), 0 without one; aiosmtpd has checked its form."""
    for option in options:
        if option.startswith("SIZE="):
            return int(option[5:])
    return 0
