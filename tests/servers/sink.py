"""An SMTP server that keeps what it is sent, and misbehaves as scripted.

It plays the smarthost. Everything it accepts is in `received`, raw bytes and envelope; `script`
makes any stage of the conversation refuse, dawdle, drop the connection or talk garbage:

    with SmtpSink() as sink:
        sink.script("rcpt", reply("550 5.1.1 no such user"), when=lambda argument: "bob@" in argument)
        sink.script("dot", accept_then_drop(), times=1)

Stages: "connect", "ehlo", "auth", "mail", "rcpt", "data" (the DATA command), "dot" (after the
message). Rules are tried in the order they were given; one whose `times` are used up is skipped.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, AnyStr, Literal

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from tests.servers import wait_until
from tests.servers.certificates import Certificates

Stage = Literal["connect", "ehlo", "auth", "mail", "rcpt", "data", "dot"]


@dataclass(frozen=True)
class ReceivedMail:
    """One message the sink accepted. `mail_from` is "" for the null sender; `at` is monotonic seconds."""

    mail_from: str
    rcpt_tos: tuple[str, ...]
    data: bytes
    tls: bool
    auth_user: str | None
    connection: int
    at: float


@dataclass(frozen=True)
class Act:
    """What to do instead of the normal answer; see the functions below."""

    answer: bytes | None = None
    delay: float = 0.0
    drop: bool = False
    keep: bool = False
    """Record the message first; only meaningful at stage "dot"."""


def reply(text: str, *, keep: bool = False) -> Act:
    """Answer with this reply line, e.g. "451 4.3.0 try again later"."""
    return Act(answer=text.encode() + b"\r\n", keep=keep)


def garbage(data: bytes = b"\x00\xffgarbage\r\n") -> Act:
    """Answer with these bytes, whatever they are."""
    return Act(answer=data)


def slow(seconds: float) -> Act:
    """Wait, then go on normally."""
    return Act(delay=seconds)


def drop() -> Act:
    """Close the connection without an answer, and without keeping the message."""
    return Act(drop=True)


def accept_then_drop() -> Act:
    """Keep the message as accepted, then close the connection before the 250 goes out."""
    return Act(drop=True, keep=True)


@dataclass
class _Rule:
    stage: Stage
    act: Act
    times: int | None
    when: Callable[[str], bool] | None


class _Conversation(SMTP):
    """aiosmtpd's server side of one connection, with the script looked up before every stage."""

    def __init__(self, sink: SmtpSink, number: int, **options: Any) -> None:
        super().__init__(self, **options)
        self.sink = sink
        self.number = number
        self.greeted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.sink.open_conversations.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.sink.open_conversations.discard(self)
        if self.transport is not None:
            super().connection_lost(error)

    def abort(self) -> None:
        """Close the connection at once, unsent answers included."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()

    @property
    def user(self) -> str | None:
        """The account that logged in."""
        if self.session is None or not self.session.authenticated:
            return None
        data = self.session.auth_data
        return data.login.decode() if isinstance(data, LoginPassword) else None

    async def handle_exception(self, error: Exception) -> str:
        self.sink.errors.append(error)
        return "451 4.3.0 the sink itself failed"

    async def push(self, status: AnyStr) -> None:
        if not self.greeted:
            self.greeted = True
            if await self._scripted("connect", ""):
                return
        await super().push(status)

    async def _scripted(self, stage: Stage, argument: str) -> bool:
        """True when the script answered (or dropped the connection) in place of the normal code."""
        act = self.sink.take(stage, argument)
        if act is None:
            return False
        if act.delay:
            await asyncio.sleep(act.delay)
        if act.answer is not None:
            self._writer.write(act.answer)
            await self._writer.drain()
        if act.drop:
            self.abort()
        return act.drop or act.answer is not None

    async def smtp_EHLO(self, hostname: str) -> None:
        if not await self._scripted("ehlo", hostname):
            await super().smtp_EHLO(hostname)

    async def smtp_AUTH(self, arg: str) -> None:
        if not await self._scripted("auth", arg):
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str) -> None:
        if await self._scripted("mail", arg or ""):
            return
        if self.sink.needs_login and self.user is None:
            await super().push("530 5.7.0 Authentication required")
            return
        await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str) -> None:
        if not await self._scripted("rcpt", arg or ""):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:
        if not await self._scripted("data", arg or ""):
            await super().smtp_DATA(arg)

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        act = self.sink.take("dot", ",".join(envelope.rcpt_tos))
        if act is None or act.keep or (act.answer is None and not act.drop):
            self.sink.keep(self, envelope)
        if act is None:
            return "250 2.0.0 kept"
        if act.delay:
            await asyncio.sleep(act.delay)
        if act.drop:
            self.abort()
            raise asyncio.CancelledError
        if act.answer is None:
            return "250 2.0.0 kept"
        return act.answer.removesuffix(b"\r\n").decode("latin-1")


class SmtpSink:
    """The sink as a context manager; it listens from `start` to `stop` on `host`:`port`.

    certificates     offers STARTTLS (or, with `implicit_tls`, speaks TLS from the first byte)
    accounts         user -> password; makes AUTH PLAIN and LOGIN available and required
    port             0 takes a free one, kept over `stop` and `start`, so that an outage can be played
    """

    def __init__(
        self,
        *,
        certificates: Certificates | None = None,
        implicit_tls: bool = False,
        accounts: dict[str, str] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        max_size: int = 200_000_000,
    ) -> None:
        self.host = host
        self.port = port
        self.received: list[ReceivedMail] = []
        self.errors: list[Exception] = []
        self.connections = 0
        self.open_conversations: set[_Conversation] = set()
        self._certificates = certificates
        self._implicit_tls = implicit_tls
        self._accounts = accounts
        self._max_size = max_size
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def __enter__(self) -> SmtpSink:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; returns when connections are accepted."""
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        # With the protocol named, asyncio sets TCP_NODELAY, which saves 40 ms for every EHLO.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.host, self.port))
        listener.listen(200)
        self.port = listener.getsockname()[1]
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listener, ready)), name="smtp-sink", daemon=True
        )
        self._thread.start()
        if not ready.wait(10):
            raise AssertionError("the SMTP sink did not start")

    def stop(self) -> None:
        """Close the port and every connection."""
        if self._thread is None or self._loop is None or self._stopping is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)
        self._thread = None

    def script(
        self, stage: Stage, act: Act, *, times: int | None = None, when: Callable[[str], bool] | None = None
    ) -> None:
        """Do `act` at `stage`, at most `times` times, if `when(argument of the command)` holds.

        At "dot" the argument is the recipients joined by commas.
        """
        with self._lock:
            self._rules.append(_Rule(stage, act, times, when))

    def clear_script(self) -> None:
        """Behave again."""
        with self._lock:
            self._rules.clear()

    def wait_for(self, count: int, *, bound: float = 20.0) -> list[ReceivedMail]:
        """The received mails as soon as there are at least `count`."""
        wait_until(lambda: len(self.received) >= count, f"the sink holds {count} mails", bound=bound)
        return list(self.received)

    @property
    def needs_login(self) -> bool:
        """True when only authenticated clients may send."""
        return self._accounts is not None

    def take(self, stage: Stage, argument: str) -> Act | None:
        """The act scripted for this moment, used up by one."""
        with self._lock:
            for rule in self._rules:
                if rule.stage != stage or rule.times == 0 or (rule.when and not rule.when(argument)):
                    continue
                if rule.times is not None:
                    rule.times -= 1
                return rule.act
        return None

    def keep(self, conversation: _Conversation, envelope: Any) -> None:
        """Record an accepted message."""
        session = conversation.session
        sender = "" if envelope.mail_from == "<>" else envelope.mail_from
        mail = ReceivedMail(
            mail_from=sender,
            rcpt_tos=tuple(envelope.rcpt_tos),
            data=bytes(envelope.content),
            tls=(session is not None and session.ssl is not None) or self._implicit_tls,
            auth_user=conversation.user,
            connection=conversation.number,
            at=time.monotonic(),
        )
        with self._lock:
            self.received.append(mail)

    def _authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        accounts = self._accounts or {}
        known = (
            isinstance(data, LoginPassword) and accounts.get(data.login.decode()) == data.password.decode()
        )
        return AuthResult(success=known, handled=False, auth_data=data)

    def _conversation(self) -> _Conversation:
        self.connections += 1
        starttls = self._certificates is not None and not self._implicit_tls
        return _Conversation(
            self,
            self.connections,
            hostname="sink.example",
            ident="sink",
            enable_SMTPUTF8=True,
            data_size_limit=self._max_size,
            tls_context=self._certificates.server_context() if starttls and self._certificates else None,
            authenticator=self._authenticate,
            auth_require_tls=self._accounts is None,
            auth_exclude_mechanism=[] if self._accounts is not None else ["PLAIN", "LOGIN"],
            loop=asyncio.get_running_loop(),
        )

    async def _serve(self, listener: socket.socket, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        context: ssl.SSLContext | None = None
        if self._implicit_tls and self._certificates is not None:
            context = self._certificates.server_context()
        server = await self._loop.create_server(self._conversation, sock=listener, ssl=context)
        ready.set()
        await self._stopping.wait()
        server.close()
        for conversation in list(self.open_conversations):
            conversation.abort()
        while self.open_conversations:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)
