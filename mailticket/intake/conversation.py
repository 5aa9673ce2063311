"""One SMTP connection: aiosmtpd's state machine, with every refusal and every limit our own.

What differs from aiosmtpd 1.4.6, and why:
- whatever goes wrong inside is answered "451 4.3.0" in generic words; aiosmtpd answers 500 with the
  exception's text, so the sender gives the mail up and reads our internals
- the message is read in blocks (see `data`), and stored in a task that no disconnect cancels;
  aiosmtpd cancels the handler when the client closes its side
- the envelope's paths are read by a grammar of our own (see `path`)
- one watch per server enforces idle, session and rate limits, never while a mail is being stored;
  aiosmtpd's own time-out counts from the last command and cuts a commit short
"""

# ruff: noqa: N802  # aiosmtpd finds its commands and hooks by these names

from __future__ import annotations

import asyncio
import collections
import ssl
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, AnyStr, Protocol

import structlog
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from mailticket.config.settings import Listener
from mailticket.intake import replies
from mailticket.intake.accounts import Accounts
from mailticket.intake.data import Collector, Verdict, receive
from mailticket.intake.limits import Limits, Reservation, client_key
from mailticket.intake.path import is_plain_recipient, split_path, without_null
from mailticket.intake.reason import one_line, reason
from mailticket.intake.submission import Submission, declared_size
from mailticket.mail.types import RawMail
from mailticket.store.ports import Receipt, Recipients, Screening

log = structlog.get_logger(__name__)


MAX_ERRORS = 20
MIN_RATE = 500
"""Bytes a second a message must arrive with, measured after `RATE_GRACE` seconds."""
RATE_GRACE = 60.0
CLOSE_GRACE = 10.0
"""Seconds a closing connection may take to fetch its last answer."""


class Server(Protocol):
    """What the conversations of one server share; `mailticket.intake.smtp.SmtpServer` is one."""

    listener: Listener
    recipients: Recipients
    screening: Screening | None
    limits: Limits
    accounts: Accounts
    hostname: str
    tls_context: ssl.SSLContext | None
    draining: bool
    conversations: set[Conversation]

    async def store(self, mails: list[RawMail]) -> list[Receipt]:
        """Store all of the mails or none; see `mailticket.store.ports.Spool.store`."""
        ...

    def spawn(self, work: Coroutine[Any, Any, str]) -> asyncio.Task[str]:
        """Run `work` in a task of its own, which only the end of the server may cancel."""
        ...


class Conversation(SMTP):
    """One client of an SMTP listener. Not reused; lives in the server's event loop."""

    source = "smtp"
    greeting = "EHLO"
    command_size_limit = 2048
    line_length_limit = 65_536  # only the size of the blocks a message is read in

    def __init__(self, server: Server) -> None:
        # aiosmtpd keeps this table on the class, where connections clear each other's entries.
        self.command_size_limits = collections.defaultdict(lambda: self.command_size_limit)
        super().__init__(
            self,
            hostname=server.hostname,
            ident="ESMTP" if self.source == "smtp" else "LMTP",
            data_size_limit=server.listener.max_message_size,
            enable_SMTPUTF8=True,
            tls_context=server.tls_context,
            auth_exclude_mechanism=() if server.accounts else ("PLAIN", "LOGIN"),
            auth_require_tls=True,
            authenticator=self._check_login,
            loop=asyncio.get_running_loop(),
        )
        self.server = server
        self.client = ""
        self._refused = False
        self._admitted = False
        self._errors = 0
        self._started = self._heard = self.loop.time()
        self._receiving_since: float | None = None
        self._received = 0
        self._storing = False
        self._half_closed = False
        self._closing_since: float | None = None

    # -- connection ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the client in, or answer 421; called again, with a new session, after STARTTLS."""
        if self._admitted:
            super().connection_made(transport)
            return
        peer = transport.get_extra_info("peername")
        self.client = str(peer[0]) if peer else ""
        refusal = replies.SHUTTING_DOWN if self.server.draining else replies.TOO_MANY_CONNECTIONS
        if self.server.draining or not self.server.limits.admit(client_key(self.client)):
            log.info("smtp.connection_refused", client=self.client, listener=self.server.listener.key)
            self._refused = True
            if isinstance(transport, asyncio.Transport):
                transport.write(refusal.encode() + b"\r\n")
            transport.close()
            return
        self._admitted = True
        self.server.conversations.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Count the client out; aiosmtpd calls this twice when a TLS handshake fails."""
        if self._refused or self not in self.server.conversations:
            return
        self.server.conversations.discard(self)
        self.server.limits.leave(client_key(self.client))
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        """Note that the client is alive, and how much of its message has come."""
        self._heard = self.loop.time()
        self._received += len(data)
        if not self._refused:
            super().data_received(data)

    def eof_received(self) -> bool | None:
        """The client has closed its side; a mail being stored is still answered."""
        if self._refused:
            return False
        if not self._storing or (self.session is not None and self.session.ssl is not None):
            return super().eof_received()
        self._half_closed = True
        return True

    def _timeout_cb(self) -> None:
        """Nothing: `check` decides."""

    def check(self) -> None:
        """Close the connection when it has outstayed a limit; called every second or so."""
        now, listener = self.loop.time(), self.server.listener
        if self._storing:
            return
        if self._closing_since is not None:
            if now - self._closing_since > CLOSE_GRACE:
                self.abort()
        elif now - self._heard > listener.idle_timeout.total_seconds():
            self.say_goodbye(replies.IDLE_TOO_LONG)
        elif now - self._started > listener.session_timeout.total_seconds():
            self.say_goodbye(replies.SESSION_TOO_LONG)
        elif self._receives_too_slowly(now):
            self.say_goodbye(replies.TOO_SLOW)

    def _receives_too_slowly(self, now: float) -> bool:
        since = self._receiving_since
        return since is not None and now - since > RATE_GRACE and self._received < MIN_RATE * (now - since)

    def drain(self) -> None:
        """The server is to end: part with a client that is not in the middle of a message."""
        if self._receiving_since is None and not self._storing:
            self.say_goodbye(replies.SHUTTING_DOWN)

    def say_goodbye(self, reply: str) -> None:
        """Answer and close, from outside the conversation's own task."""
        if self._closing_since is None and isinstance(self.transport, asyncio.Transport):
            log.info("smtp.closed", client=self.client, reply=reply)
            self._closing_since = self.loop.time()
            self.transport.write(reply.encode() + b"\r\n")
            self.transport.close()

    def abort(self) -> None:
        """Close at once, unsent answers included."""
        for transport in (self.transport, self._original_transport):
            if isinstance(transport, asyncio.Transport):
                transport.abort()
        # asyncio tells nobody about the end of a connection that is still in its TLS handshake.
        self.connection_lost(None)

    async def _hang_up(self) -> None:
        """Close from inside the conversation's task, which ends here (it is cancelled on close)."""
        self._closing_since = self._closing_since or self.loop.time()
        if self.transport is not None:
            self.transport.close()
        await self.loop.create_future()

    # -- answers ---------------------------------------------------------------------------------

    async def push(self, status: AnyStr) -> None:
        """Send a reply; the twentieth permanent error to an unauthorised client ends the session."""
        await super().push(status)
        code = status[:1]
        if code not in ("5", b"5") or (self.session is not None and self.session.authenticated):
            return
        self._errors += 1
        if self._errors >= MAX_ERRORS:
            log.warning("smtp.too_many_errors", client=self.client)
            await super().push(replies.TOO_MANY_ERRORS)
            await self._hang_up()

    async def handle_exception(self, error: Exception) -> str:
        """The reply to anything unexpected: temporary, and in words that tell nothing."""
        log.error("smtp.internal_error", client=self.client, error=reason(error))
        return replies.TEMPORARY_FAILURE

    # -- commands --------------------------------------------------------------------------------

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """What is offered: everything aiosmtpd does, AUTH only where there are accounts, and PIPELINING."""
        session.host_name = hostname
        accounts = bool(self.server.accounts)
        offered = [line for line in responses if accounts or not line.startswith("250-AUTH")]
        return ["\r\n".join([*offered[:-1], "250-PIPELINING", offered[-1]])]  # one packet

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Start a transaction, if the server, the client's share and the room allow one."""
        if self.server.draining:
            await super().push(replies.SHUTTING_DOWN)
            await self._hang_up()
        if self.server.listener.require_tls and session.ssl is None:
            return replies.TLS_NEEDED
        if not self.server.limits.take_message(client_key(self.client)):
            log.warning("smtp.rate_exceeded", client=self.client)
            return replies.TOO_MANY_MESSAGES
        if not self.server.limits.has_room(declared_size(options)):
            return replies.NO_ROOM
        screening = self.server.screening if self.source == "smtp" else None
        if screening is not None and screening.refuses(address):
            log.info("smtp.sender_banned", client=self.client, sender=one_line(address))
            return replies.BANNED
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient that is served here; nothing is ever relayed."""
        if len(envelope.rcpt_tos) >= self.server.listener.max_recipients:
            return replies.TOO_MANY_RECIPIENTS
        if not is_plain_recipient(address) or not self.server.recipients.accepts(address):
            log.info("smtp.recipient_refused", client=self.client, recipient=one_line(address))
            return replies.UNKNOWN_RECIPIENT
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def smtp_VRFY(self, arg: str) -> None:
        """Tell nobody who is here."""
        await self.push("252 2.5.2 Cannot VRFY user")

    async def smtp_AUTH(self, arg: str) -> None:
        """Log in to an account of this listener, under TLS only."""
        if not self.server.accounts:
            await self.push("502 5.5.1 AUTH is not available")
        elif not self.server.accounts.may_try(self.client):
            log.warning("smtp.too_many_logins", client=self.client)
            await self.push(replies.TOO_MANY_LOGINS)
        else:
            await super().smtp_AUTH(arg)

    def _check_login(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        """Called by aiosmtpd with what the client gave; the account's name is all that is kept of it."""
        account = None
        if isinstance(data, LoginPassword):
            account = self.server.accounts.check(self.client, data.login, data.password)
        if account is None:
            log.warning("smtp.login_refused", client=self.client)
            return AuthResult(success=False, handled=False)
        log.info("smtp.login", client=self.client, account=account)
        return AuthResult(success=True, auth_data=LoginPassword(account.encode(), b""))

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """Our grammar instead of the header parser aiosmtpd uses here."""
        return split_path(arg) or (None, None)

    async def smtp_DATA(self, arg: str | None) -> None:
        """Receive a message, store it, answer."""
        if await self.check_helo_needed(self.greeting):
            return
        if self.envelope is None or not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 Error: need RCPT command")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        submission = self._submission(self.envelope)
        reservation = self.server.limits.reservation()
        try:
            content, ended, refusal = await self._receive(reservation)
        except (asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            reservation.release()
            raise
        except Exception as error:  # noqa: BLE001  # a MemoryError, say: the client shall try again
            reservation.release()
            content, ended, refusal = None, False, await self.handle_exception(error)
        if content is None:
            reply = self.to_each(submission.recipients, refusal)
        else:
            reply = await self._keep(replace(submission, content=content), reservation)
        self.envelope = self._create_envelope()
        await self.push(reply)
        await self._part_if_needed(ended)

    async def _part_if_needed(self, ended: bool) -> None:
        """Hang up when the server stops, the client has, or nobody knows where its message ends."""
        if self.server.draining:
            await super().push(replies.SHUTTING_DOWN)
        if self.server.draining or self._half_closed or not ended:
            await self._hang_up()

    async def _receive(self, reservation: Reservation) -> tuple[bytes | None, bool, str]:
        """The message, or None and a refusal; and whether all of it was read."""
        collector = Collector(self.server.listener.max_message_size, reservation)
        self._receiving_since, self._received = self.loop.time(), 0
        try:
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            ended = await receive(self._reader, collector)
        finally:
            self._receiving_since = None
        content = collector.content()
        if content is not None:
            return content, ended, ""
        reservation.release()
        refusal = replies.TOO_LARGE if collector.verdict is Verdict.TOO_LARGE else replies.NO_ROOM
        log.warning("smtp.message_refused", client=self.client, size=collector.received, reply=refusal)
        return None, ended, refusal

    async def _keep(self, submission: Submission, reservation: Reservation) -> str:
        """Store in a task that goes on when this connection ends; the reply."""
        self._storing = True
        try:
            return await asyncio.shield(self.server.spawn(self._store(submission, reservation)))
        finally:
            self._storing = False
            self._heard = self.loop.time()

    async def _store(self, submission: Submission, reservation: Reservation) -> str:
        try:
            return await self.outcome(submission)
        except Exception as error:  # noqa: BLE001  # whatever happened, the client shall try again
            log.error("smtp.store_failed", client=self.client, error=reason(error))
            return replies.TEMPORARY_FAILURE
        finally:
            reservation.release()

    async def outcome(self, submission: Submission) -> str:
        """Store the message for every distinct recipient in one commit; the reply."""
        recipients = dict.fromkeys(submission.recipients)
        receipts = await self.server.store([submission.mail_for(each, self.source) for each in recipients])
        return replies.stored_reply(receipts)

    def to_each(self, recipients: tuple[str, ...], reply: str) -> str:
        """The reply to a message that all of its recipients share."""
        return reply

    def _submission(self, envelope: Envelope) -> Submission:
        """What is known of a message before its content has come."""
        sender = without_null(envelope.mail_from or "<>")
        return Submission(b"", sender, tuple(envelope.rcpt_tos), self.client, self._auth_user())

    def _auth_user(self) -> str | None:
        """The account that authenticated."""
        if self.session is None or not self.session.authenticated:
            return None
        data = self.session.auth_data
        return data.login.decode("utf-8", "replace") if isinstance(data, LoginPassword) else None
