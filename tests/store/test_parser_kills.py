"""A mail whose parser process has to be ended: counted, twice at most, and a ticket all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from mailticket.config.settings import Settings
from mailticket.mail.types import Reading
from mailticket.store.engine import reading
from mailticket.store.inbox import Inbox
from mailticket.store.models import Entry
from mailticket.work import receive
from mailticket.work.parsers import ParserPool, ParserProcess, Unread
from mailticket.work.receive import Receiver
from tests.store.conftest import Clock, MakeMail
from tests.store.small_desk import SUPPORT
from tests.unit.config_samples import SMALL, loaded

MEMORY = 512_000_000
AT_ONCE = 1e-6
"""Seconds in which no process has even started."""


def test_a_process_that_takes_too_long_is_ended_and_the_next_mail_gets_a_new_one() -> None:
    process = ParserProcess(AT_ONCE, MEMORY)
    found = process.read(b"Subject: s\r\n\r\ntext\r\n", None)
    assert isinstance(found, Unread)
    assert found.killed
    process = ParserProcess(60, MEMORY)
    assert isinstance(process.read(b"Subject: s\r\n\r\ntext\r\n", None), Reading)
    process.close()


def test_ending_a_process_does_not_wait_for_what_it_left_behind() -> None:
    process = ParserProcess(60, MEMORY)
    child = subprocess.Popen(
        ["sh", "-c", "sleep 300 & echo $!; cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        bufsize=0,
    )
    assert child.stdout is not None
    left_behind = int(child.stdout.readline())
    process._child = child
    process.close()
    assert child.returncode == -signal.SIGKILL
    os.kill(left_behind, signal.SIGKILL)  # still there, and holding the pipe


def test_after_two_kills_only_the_headers_of_a_mail_are_read(
    engine: Engine,
    inbox: Inbox,
    mail: MakeMail,
    clock: Clock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = loaded(tmp_path, SMALL)
    (stored,) = inbox.store([mail(recipient=SUPPORT)])

    def broken(*_: Any) -> Any:
        raise RuntimeError("the rules are out of order")

    monkeypatch.setattr(receive, "decide", broken)
    for kills in (1, 2):
        work(engine, inbox, clock, settings, AT_ONCE)
        assert inbox.show(stored.inbound_id).parse_kills == kills
        clock.forward(hours=1)
    monkeypatch.undo()
    work(engine, inbox, clock, settings, 60.0)
    shown = inbox.show(stored.inbound_id)
    assert (str(shown.state), shown.parse_kills, shown.attempts) == ("done", 2, 3)
    with reading(engine) as session:
        (text,) = session.execute(select(Entry.text)).scalars()
    assert "This mail could not be read: 2 tries had to be ended." in text


def test_a_kill_is_counted_with_what_became_of_the_mail(
    engine: Engine, inbox: Inbox, mail: MakeMail, clock: Clock, tmp_path: Path
) -> None:
    (stored,) = inbox.store([mail(recipient=SUPPORT)])
    work(engine, inbox, clock, loaded(tmp_path, SMALL), AT_ONCE)
    shown = inbox.show(stored.inbound_id)
    assert (str(shown.state), shown.parse_kills) == ("held", 1)  # not even its sender could be read


def work(engine: Engine, inbox: Inbox, clock: Clock, settings: Settings, timeout: float) -> None:
    """Let a receiver work until nothing is due."""
    with ParserPool(1, timeout, MEMORY) as parsers:
        receiver = Receiver(
            engine, inbox, parsers, lambda: settings.desk, b"k" * 40, clock, settings.receive, lambda: None
        )
        receiver.work_off(threading.Event())
        receiver.close()
