"""The SMTP and LMTP server: one listener, its event loop in a thread, mails stored before the 250.

DESCRIPTION. Persist, then acknowledge: "250" (in LMTP, one for each recipient) goes out only after
`Spool.store` has returned, that is, after the commit. Anything that goes wrong before is answered
with a temporary failure, so the mail stays with the client. A client that disconnects or times out
while its mail is being stored does not stop the commit; it will deliver again, and the store knows
the mail. Mail for addresses that are not served is refused at RCPT, and nothing is relayed.

BUGS. A message is held in memory until it is stored; `max_in_flight` bounds the sum.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import structlog

from mailticket.config.settings import Listener
from mailticket.errors import Permanent
from mailticket.intake.accounts import Accounts
from mailticket.intake.conversation import Conversation
from mailticket.intake.limits import Limits
from mailticket.intake.lmtp import LmtpConversation
from mailticket.intake.reason import reason
from mailticket.intake.replies import SHUTTING_DOWN
from mailticket.mail.types import RawMail
from mailticket.store.ports import Receipt, Recipients, Screening, Spool

log = structlog.get_logger(__name__)

COMMIT_THREADS = 32
"""Mails stored at once; they share commits, so more threads than processors are of use."""
WATCH_INTERVAL = 1.0
LAST_WORDS = 1.0
"""Seconds clients get, when the time to finish is over, to read that the server ends."""


def _no_crash(point: str) -> None:
    """The hook that tests replace to die at a named point."""


class SmtpServer:
    """One listener of the configuration, protocol "smtp" or "lmtp".

    hostname    how the server names itself
    root        where relative certificate paths start
    on_stored   called, in any thread, after every commit
    screening   whose mail is refused at MAIL FROM; asked on "smtp" only, because behind LMTP there is a
                mail server that has accepted the mail already and would bounce it to a forged sender
    crash       called with the name of a point worth dying at: "intake.before_commit" and
                "intake.after_commit", the latter before the 250 goes out
    clock       monotonic seconds, for the messages-per-minute limit
    """

    def __init__(
        self,
        listener: Listener,
        spool: Spool,
        recipients: Recipients,
        *,
        hostname: str,
        root: Path = Path(),
        on_stored: Callable[[], None],
        screening: Screening | None = None,
        crash: Callable[[str], None] = _no_crash,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.listener = listener
        self.recipients = recipients
        self.screening = screening
        self.hostname = hostname
        self.limits = Limits(listener, clock)
        passwords = {key: account.password.get_secret_value() for key, account in listener.accounts.items()}
        self.accounts = Accounts(passwords, clock)
        self.tls_context = _tls_context(listener, root)
        self.draining = False
        self.conversations: set[Conversation] = set()
        self._spool = spool
        self._on_stored = on_stored
        self._crash = crash
        self._tasks: set[asyncio.Task[str]] = set()
        self._pool = ThreadPoolExecutor(COMMIT_THREADS, thread_name_prefix=f"store-{listener.key}")
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_asked: asyncio.Event | None = None
        self._drain = 0.0

    def start(self) -> tuple[str, int]:
        """Listen, and return the host and port; port 0 in the configuration takes a free one.

        Raises `Permanent` when the address cannot be bound.
        """
        # aiosmtpd logs every command at INFO and every line of a message at DEBUG.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        listening = _bind(self.listener)
        host, port = listening.getsockname()[:2]
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(listening, ready), name=f"smtp-{self.listener.key}", daemon=True
        )
        self._thread.start()
        ready.wait()
        if self._loop is None:
            raise Permanent(f"listener {self.listener.key}: no event loop could be started")
        log.info("smtp.listening", protocol=self.listener.protocol, host=host, port=port)
        return host, port

    def stop(self, drain: float = 30.0) -> None:
        """Take no new mail, let messages under way finish for up to `drain` seconds, then close.

        New connections and transactions hear 421 meanwhile. Returns when all is closed; calling it
        again, or before `start`, does nothing.
        """
        if self._thread is None or self._loop is None or self._stop_asked is None:
            return
        self._drain = drain
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._stop_asked.set)
        self._thread.join()
        self._thread = None
        self._pool.shutdown(wait=False)
        log.info("smtp.stopped", protocol=self.listener.protocol, listener=self.listener.key)

    async def store(self, mails: list[RawMail]) -> list[Receipt]:
        """Store all of the mails or none, in a thread; returns after the commit."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._commit, mails)

    def spawn(self, work: Coroutine[Any, Any, str]) -> asyncio.Task[str]:
        """Run `work` in a task that outlives its connection, and that `stop` waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _commit(self, mails: list[RawMail]) -> list[Receipt]:
        self._crash("intake.before_commit")
        receipts = self._spool.store(mails)
        self._crash("intake.after_commit")
        for mail, receipt in zip(mails, receipts, strict=True):
            log.info(
                "mail.stored",
                inbound=receipt.inbound_id,
                already_had=receipt.already_had,
                source=mail.source,
                client=mail.client,
                size=len(mail.raw),
            )
        try:
            self._on_stored()
        except Exception as error:  # noqa: BLE001  # the mail is stored: that must be acknowledged
            log.error("intake.wake_failed", error=reason(error))
        return receipts

    def _conversation(self) -> Conversation:
        return LmtpConversation(self) if self.listener.protocol == "lmtp" else Conversation(self)

    def _run(self, listening: socket.socket, ready: threading.Event) -> None:
        try:
            with listening:
                asyncio.run(self._serve(listening, ready))
        except Exception as error:  # noqa: BLE001  # the thread's end: nobody else would hear of it
            log.error("smtp.server_failed", listener=self.listener.key, error=reason(error))
        finally:
            ready.set()

    async def _serve(self, listening: socket.socket, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_log_loop_error)
        self._stop_asked = asyncio.Event()
        backlog = min(self.listener.max_connections + 100, 1000)
        server = await self._loop.create_server(self._conversation, sock=listening, backlog=backlog)
        ready.set()
        while not self._stop_asked.is_set():
            self._watch()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop_asked.wait(), WATCH_INTERVAL)
        await self._finish(self._drain)
        for conversation in list(self.conversations):
            conversation.say_goodbye(SHUTTING_DOWN)
        await self._finish(LAST_WORDS)
        server.close()
        for conversation in list(self.conversations):
            conversation.abort()
        await asyncio.sleep(0)
        if self._tasks:
            log.warning("smtp.commits_abandoned", count=len(self._tasks))

    def _watch(self) -> None:
        for conversation in list(self.conversations):
            try:
                conversation.check()
            except Exception as error:  # noqa: BLE001  # one connection never ends the server
                log.error("smtp.watch_failed", client=conversation.client, error=reason(error))
                conversation.abort()

    async def _finish(self, seconds: float) -> None:
        """Part with idle clients, and wait for the others and for their commits."""
        self.draining = True
        for conversation in list(self.conversations):
            conversation.drain()
        deadline = asyncio.get_running_loop().time() + seconds
        while (self.conversations or self._tasks) and asyncio.get_running_loop().time() < deadline:
            self._watch()
            await asyncio.sleep(0.02)


def _bind(listener: Listener) -> socket.socket:
    family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets that name their protocol; without it every reply of
    # several lines costs 40 ms (measured).
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((listener.host, listener.port))
        listening.listen()
        return listening
    except OSError as error:
        listening.close()
        place = f"{listener.host}:{listener.port}"
        raise Permanent(f"listener {listener.key}: cannot listen on {place}: {error}") from error


def _tls_context(listener: Listener, root: Path) -> ssl.SSLContext | None:
    if listener.tls_certificate is None:
        if listener.require_tls:
            raise Permanent(f"listener {listener.key}: require_tls needs a tls_certificate")
        return None
    certificate = root / listener.tls_certificate
    key = root / listener.tls_key if listener.tls_key is not None else None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise Permanent(f"listener {listener.key}: cannot read {certificate}: {error}") from error
    return context


def _log_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    cause = reason(error) if isinstance(error, BaseException) else "none"
    log.error("smtp.loop_error", message=context.get("message", ""), error=cause)
