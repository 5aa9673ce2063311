"""The demo's folder: made, marked as the demo's own, and only then ever wiped."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MARKER = ".mailticket-demo"
_OURS = ("mail", "desk")
_TEXT = "mailticket demo made this folder. Another run empties it.\n"


class FolderRefused(Exception):
    """The folder cannot be used; the text says why."""


@contextmanager
def demo_folder(folder: Path) -> Iterator[Path]:
    """Give an empty demo folder, absolute, that no other demo uses at the same time.

    One that an earlier demo made is emptied of what that demo put there. Raises `FolderRefused` for a
    folder with anything in it that the demo did not make, and for one that cannot be written.
    """
    folder = folder.absolute()
    marker = folder / MARKER
    try:
        if folder.is_dir() and not marker.is_file() and any(folder.iterdir()):
            raise FolderRefused(f"{folder} is not empty and no demo made it; name another with --dir")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(marker, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise FolderRefused(f"{folder} cannot be used: {error.strerror}") from error
    with os.fdopen(handle, "r+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderRefused(f"another demo is running in {folder}") from None
        lock.truncate()
        lock.write(_TEXT)
        lock.flush()
        try:
            for name in _OURS:
                if (folder / name).exists():
                    shutil.rmtree(folder / name)
        except OSError as error:
            raise FolderRefused(f"{folder} cannot be emptied: {error.strerror}") from error
        yield folder
