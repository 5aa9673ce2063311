"""LMTP (RFC 2033): SMTP whose answer to a message is one reply for each recipient, in order.

aiosmtpd's LMTP sends a single reply whatever the number of recipients; an MTA then waits for the
others until it times out, and delivers everything again.
"""

# ruff: noqa: N802  # aiosmtpd finds its commands by these names

from __future__ import annotations

import asyncio

import structlog
from aiosmtpd.smtp import syntax

from mailticket.intake.conversation import Conversation
from mailticket.intake.reason import reason
from mailticket.intake.replies import TEMPORARY_FAILURE, stored_reply
from mailticket.intake.submission import Submission

log = structlog.get_logger(__name__)


class LmtpConversation(Conversation):
    """One client of an LMTP listener, usually an MTA on the same host."""

    source = "lmtp"
    greeting = "LHLO"

    @syntax("LHLO hostname")
    async def smtp_LHLO(self, arg: str) -> None:
        """The greeting of LMTP (RFC 2033, 4.1)."""
        await super().smtp_EHLO(arg)

    async def smtp_EHLO(self, arg: str) -> None:
        """Not a command of LMTP."""
        await self.push('500 5.5.1 Error: command "EHLO" not recognized')

    async def smtp_HELO(self, arg: str) -> None:
        """Not a command of LMTP."""
        await self.push('500 5.5.1 Error: command "HELO" not recognized')

    async def outcome(self, submission: Submission) -> str:
        """Store the message for each recipient on its own; the replies, one line each."""
        distinct = list(dict.fromkeys(submission.recipients))
        replies = await asyncio.gather(*(self._fate(submission, recipient) for recipient in distinct))
        fates = dict(zip(distinct, replies, strict=True))
        return "\r\n".join(fates[recipient] for recipient in submission.recipients)

    def to_each(self, recipients: tuple[str, ...], reply: str) -> str:
        """The same reply once for every recipient."""
        return "\r\n".join([reply] * len(recipients))

    async def _fate(self, submission: Submission, recipient: str) -> str:
        try:
            return stored_reply(await self.server.store([submission.mail_for(recipient, self.source)]))
        except Exception as error:  # noqa: BLE001  # one recipient's trouble is not another's
            log.error("lmtp.store_failed", client=self.client, error=reason(error))
            return TEMPORARY_FAILURE
