"""The composition root: settings in, a running daemon out. The only module that knows every edge.

Start order: database, parsers, receiver, dispatchers, scheduler, and last the ways in; stopping
goes the other way round, so that nothing is accepted that nobody would work on.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import Engine

from mailticket.config.desk import Desk
from mailticket.config.loader import load
from mailticket.config.problems import ConfigurationError
from mailticket.config.reload import diff_restart_needed, until_restart
from mailticket.config.settings import Settings
from mailticket.delivery.maildir import MaildirDelivery
from mailticket.delivery.outcome import Transport
from mailticket.delivery.render import Renderer
from mailticket.delivery.smarthost import SmarthostConnection
from mailticket.domain.schedule import schedule_problems
from mailticket.intake.imap import ImapWorker
from mailticket.intake.smtp import SmtpServer
from mailticket.logs import set_level
from mailticket.store.bans import BanCache
from mailticket.store.engine import durability_warnings, open_engine
from mailticket.store.inbox import Inbox
from mailticket.store.migrate import migrate
from mailticket.store.single import SingleDaemon, lock_single_daemon
from mailticket.work.crash import crash_point
from mailticket.work.dispatch import Dispatcher
from mailticket.work.parsers import ParserPool
from mailticket.work.receive import Receiver
from mailticket.work.served import Served, base_recipient
from mailticket.work.supervise import Worker
from mailticket.work.ticks import Ticks
from mailticket.work.webhooks import WebhookSender

log = structlog.get_logger()

_LOOK_AGAIN = 2.0
"""Seconds after which a worker looks for work nobody told it of: a lease that ended, a retry due."""
_DRAIN = 20.0


@dataclass(slots=True)
class Listening:
    """Where one listener can be reached."""

    name: str
    protocol: str
    host: str
    port: int


class Application:
    """A daemon: `start`, then `stop`. `reload` swaps what can be swapped while it runs."""

    def __init__(self, settings: Settings, directory: Path, clock: Callable[[], datetime]) -> None:
        self.settings = settings
        self.directory = directory
        self.clock = clock
        self.listening: list[Listening] = []
        self._lock: SingleDaemon | None = None
        self._servers: list[SmtpServer] = []
        self._mailboxes: list[tuple[ImapWorker, threading.Thread]] = []
        self._workers: list[Worker] = []
        self._closing: list[Callable[[], None]] = []

    def desk(self) -> Desk:
        """The desk as configured now."""
        return self.settings.desk

    def start(self) -> None:
        """Bring everything up. Raises `Permanent` or `Temporary` in words fit for an operator."""
        engine = self._open_store()
        inbox = Inbox(engine, self.clock, base_recipient)
        self._start_work(engine, inbox)
        self._start_intake(engine, inbox)
        self._warn_of_schedules()
        log.info("daemon.started", instance=self.settings.desk.instance, pid=os.getpid())

    def stop(self) -> None:
        """Stop in order; what is under way is finished or stays for the next start."""
        log.info("daemon.stopping")
        for worker, _ in self._mailboxes:
            worker.stop()
        for server in self._servers:
            server.stop(_DRAIN)
        for worker_thread in self._workers:
            worker_thread.stop()
        for _, thread in self._mailboxes:
            thread.join(_DRAIN)
        late = [item.name for item in self._workers if not item.join(_DRAIN)]
        for close in reversed(self._closing):
            close()
        if late:
            log.warning("daemon.workers_left_behind", workers=late)
        log.info("daemon.stopped")

    def reload(self) -> None:
        """Read the configuration again; a bad one changes nothing and says why."""
        try:
            fresh = load(self.directory, os.environ)
        except ConfigurationError as error:
            for problem in error.problems:
                log.error("configuration.kept", problem=str(problem))
            return
        waiting = diff_restart_needed(self.settings, fresh)
        if waiting:
            log.warning("configuration.needs_restart", options=list(waiting))
        self.settings = until_restart(self.settings, fresh)
        set_level(self.settings.service.log_level)
        self._warn_of_schedules()
        log.info("configuration.reloaded")

    def _warn_of_schedules(self) -> None:
        """What is promised in a schedule that never opens is never due; that must not be silent."""
        for problem in schedule_problems(self.settings.desk, self.clock()):
            log.warning("schedule.never_opens", problem=problem)

    def _open_store(self) -> Engine:
        service = self.settings.service
        engine = open_engine(service.database)
        self._closing.append(engine.dispose)
        if engine.dialect.name == "sqlite":
            self._lock = lock_single_daemon(service.state_dir)
            self._closing.append(self._lock.close)
        report = migrate(engine, service.state_dir / "backups")
        log.info(
            "database.ready", revision=report.after, migrated_from=report.before, copy=str(report.backup)
        )
        for warning in durability_warnings(engine):
            log.warning("database.not_durable", reason=warning)
        return engine

    def _start_work(self, engine: Engine, inbox: Inbox) -> None:
        settings = self.settings
        secret = settings.service.secret_key.get_secret_value().encode()
        parsers = ParserPool(
            settings.receive.parser_processes,
            settings.receive.parse_timeout.total_seconds(),
            settings.receive.parse_memory,
        )
        self._closing.append(parsers.close)
        renderer = Renderer([settings.service.templates] if settings.service.templates else [])
        dispatcher = Dispatcher(engine, renderer, self._transport, lambda: self.settings, self.clock)
        self._closing.append(dispatcher.close)
        sender = Worker("dispatch", dispatcher.work_off, _LOOK_AGAIN)
        hooks = WebhookSender(engine, lambda: self.settings, self.clock)
        self._closing.append(hooks.close)
        caller = Worker("webhooks", hooks.work_off, _LOOK_AGAIN)

        def wake() -> None:
            sender.wake()
            if self.settings.desk.webhooks:
                caller.wake()

        receiver = Receiver(engine, inbox, parsers, self.desk, secret, self.clock, settings.receive, wake)
        self._closing.append(receiver.close)
        self._receive = Worker("receive", receiver.work_off, _LOOK_AGAIN)
        self._workers = [sender, caller, self._receive]
        ticks = Ticks(engine, self.desk, secret, self.clock, wake)
        self._closing.append(ticks.close)
        for worker in self._workers:
            worker.start()
        ticks.start()

    def _transport(self) -> Transport:
        """A new way out; each dispatcher thread has its own."""
        delivery = self.settings.delivery
        if delivery.smarthost is not None:
            return SmarthostConnection(delivery.smarthost)
        return MaildirDelivery(delivery.maildir)

    def _start_intake(self, engine: Engine, inbox: Inbox) -> None:
        served = Served(self.desk)
        bans = BanCache(engine, self.clock, lambda: self.desk().agent_by_address)
        bans.refresh()
        self._closing.append(bans.close)
        wake = self._receive.wake
        for listener in self.settings.listeners.values():
            server = SmtpServer(
                listener,
                inbox,
                served,
                hostname=socket.getfqdn(),
                root=self.settings.root,
                on_stored=wake,
                screening=bans,
                crash=crash_point,
            )
            host, port = server.start()
            self._servers.append(server)
            self.listening.append(Listening(listener.key, listener.protocol, host, port))
        for mailbox in self.settings.mailboxes.values():
            worker = ImapWorker(mailbox, inbox, on_stored=wake, crash=crash_point)
            thread = threading.Thread(target=worker.run, name=f"imap:{mailbox.key}", daemon=True)
            self._mailboxes.append((worker, thread))
            thread.start()
