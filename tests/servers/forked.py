"""`mailticket` in processes of their own that need not import the program again.

Importing it takes most of the time of starting it, and the scenarios start it hundreds of times. So one
process per test run imports it and does nothing else, and each call of `mailticket` is a fork of that
one: a process like any other, with its own environment, folder, signals and death. That
`python -m mailticket` is the same, test_main_job.py proves, and test_demo.py starts everything that way.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import IO
from unittest.mock import patch

from mailticket.cli.main import PLACES

PRELOADED = ("mailticket.app", *{module for module, _ in PLACES.values()}, "tests.servers.forked")
_ROOT = Path(__file__).parents[2]


class Forked:
    """A running `mailticket`, with what tests need of `subprocess.Popen`."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        assert process.pid is not None
        self.pid: int = process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; -N where signal N ended it."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """Wait for its end; its exit code. Raises TimeoutExpired, as `subprocess` does."""
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired("mailticket", timeout)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Nothing happens to a process that has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


def start(arguments: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> Forked:
    """Start `mailticket ARGUMENTS`; what it writes is added to the file `log`."""
    return _fork(arguments, env, cwd, Path(os.devnull), log, log)


def run(
    arguments: Sequence[str], *, env: Mapping[str, str], cwd: Path, timeout: float, given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `mailticket ARGUMENTS` to its end, `given` on its standard input."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("stdin", "stdout", "stderr")]
        files[0].write_text(given, encoding="utf-8")
        process = _fork(arguments, env, cwd, *files)
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        said = [file.read_text(encoding="utf-8") for file in files[1:]]
    return subprocess.CompletedProcess(list(arguments), code, *said)


def _fork(
    arguments: Sequence[str], env: Mapping[str, str], cwd: Path, stdin: Path, stdout: Path, stderr: Path
) -> Forked:
    process = _server().Process(
        target=_mailticket, args=(tuple(arguments), dict(env), cwd, stdin, stdout, stderr), daemon=True
    )
    process.start()
    return Forked(process)


@cache
def _server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    # pytest: some ways to start it make it the main module, which each fork would import again
    context.set_forkserver_preload([*PRELOADED, "pytest"])
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    # rich looks at the terminal when it is imported, and would colour what goes into files
    with patch.dict(os.environ, PYTHONPATH=path, TERM="dumb"):
        forkserver.ensure_running()
    return context


def _mailticket(
    arguments: tuple[str, ...], env: dict[str, str], cwd: Path, stdin: Path, stdout: Path, stderr: Path
) -> None:
    """In the fork: become `mailticket ARGUMENTS`."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["mailticket", *arguments]
    for number, file in enumerate((stdin, stdout, stderr)):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND if number else os.O_RDONLY)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = _text(0, "r")
    sys.stdout, sys.stderr = _text(1, "w"), _text(2, "w")
    from mailticket.cli import main

    main()


def _text(number: int, mode: str) -> IO[str]:
    return open(number, mode, encoding="utf-8", closefd=False)
