"""`mailticket demo`: it plays to the end, checks for real, and leaves nothing running behind it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from mailbox import Maildir
from pathlib import Path

import pytest

from tests.servers import wait_until

_PLAY_ONE_SCENE = """
import dataclasses, sys
sys.argv = ["mailticket", "demo", "--dir", sys.argv[1]]
from mailticket.demo import story
first = story.SCENES[0]
never = story.Expected("ticket.digest", story.MONA, story.SUPPORT)

def begin(*more, **changes):
    story.SCENES = (dataclasses.replace(first, **changes), *more)

CHANGE
from mailticket.cli import main
main()
"""


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MAILTICKET_")}
    # settings of somebody else's desk; the demo's own must not see them
    return {**kept, "MAILTICKET_CONFIG": "/nowhere", "MAILTICKET_DESK__DEFAULT_DEPARTMENT": "elsewhere"}


def _demo(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mailticket", "demo", *arguments],
        capture_output=True,
        text=True,
        env=_environment(),
        cwd=cwd,
        timeout=110,
        check=False,
    )


def _changed_demo(change: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The demo with its script changed by a line of Python."""
    return subprocess.run(
        [sys.executable, "-c", _PLAY_ONE_SCENE.replace("CHANGE", change), str(folder)],
        capture_output=True,
        text=True,
        env=_environment(),
        timeout=110,
        check=False,
    )


def _daemon_pid(folder: Path) -> int | None:
    log = folder / "desk" / "daemon.log"
    found = re.search(r"pid (\d+)\)", log.read_text(encoding="utf-8") if log.exists() else "")
    return int(found[1]) if found else None


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _mails(folder: Path) -> int:
    return len(Maildir(folder, create=False))


def test_the_demo_plays_a_tickets_life_and_leaves_the_maildirs(tmp_path: Path) -> None:
    done = _demo("--dir", "d", "--no-color", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    summary = done.stdout.partition("What was seen")[2]
    assert re.search(r"#\d+ +Online banking .*Jane Doe +closed", summary)
    assert re.search(r"#\d+ +Statements by .*Tom Low +open, overdue", summary)
    assert "ticket.digest" in summary
    assert "mutt -f d/mail/jane" in summary
    assert "All was as it must be" in summary
    expected = {"jane": 3, "tom": 1, "sam": 3, "sue": 3, "ida": 2, "raj": 1, "mona": 2}
    assert {name: _mails(tmp_path / "d" / "mail" / name) for name in expected} == expected
    assert _mails(tmp_path / "d" / "mail" / "ida" / ".Sent") == 3
    pid = _daemon_pid(tmp_path / "d")
    assert pid is not None
    assert not _runs(pid)


def test_a_mail_that_does_not_come_fails_the_demo_and_shows_the_daemons_log(tmp_path: Path) -> None:
    change = "begin(*story.SCENES[1:], brings=(*first.brings, never), bound=3.0)"
    done = _changed_demo(change, tmp_path / "d")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "no ticket.digest came to Mona Meyer within 3 s" in done.stdout
    assert "mail.handled" in done.stdout.partition("daemon.log:")[2]
    assert "Sam Sato of support sees" not in done.stdout
    pid = _daemon_pid(tmp_path / "d")
    assert pid is not None
    assert not _runs(pid)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("begin(brings=first.brings[:-1])", "nobody expected this mail"),
        (
            "begin(writes=dataclasses.replace(first.writes, inside=('thank you for your message',)))",
            'shows "thank you for your message", which is private',
        ),
        ("begin(leaves=story.Standing(story.JANE, {'status': 'closed'}))", "is open, not closed"),
    ],
)
def test_what_differs_from_the_script_fails_the_demo(tmp_path: Path, change: str, says: str) -> None:
    done = _changed_demo(change, tmp_path / "d")
    assert done.returncode == 1, done.stdout + done.stderr
    assert says in done.stdout


def test_going_on_after_a_failure_still_fails_and_another_run_begins_afresh(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    change = "sys.argv.append('--keep-going'); begin(story.SCENES[1], brings=first.brings[:-1])"
    for _ in range(2):
        done = _changed_demo(change, folder)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Sam Sato of support sees" in done.stdout
        assert done.stdout.count("nobody expected this mail") == 2  # where it happened, and at the end
        assert _mails(folder / "mail" / "raj") == 1


def test_a_demo_that_is_told_to_end_takes_its_daemon_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    process = subprocess.Popen(
        [sys.executable, "-m", "mailticket", "demo", "--dir", str(folder), "--pause", "100"],
        stdout=subprocess.DEVNULL,
        env={**_environment(), "FORCE_COLOR": "1", "COLUMNS": "30"},
    )
    try:
        wait_until(lambda: _daemon_pid(folder) is not None, "the daemon to run", bound=60)
        pid = _daemon_pid(folder)
        assert pid is not None
        another = _demo("--dir", str(folder), cwd=tmp_path)
        assert (another.returncode, "another demo is running" in another.stderr) == (2, True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
        assert not _runs(pid)
    finally:
        process.kill()
        process.wait()


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "letter").write_text("dear", encoding="ascii")
    done = _demo("--dir", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 2
    assert "no demo made it" in done.stderr
    assert (tmp_path / "mail" / "letter").read_text(encoding="ascii") == "dear"
    assert sorted(item.name for item in tmp_path.iterdir()) == ["mail"]
