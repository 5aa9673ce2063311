"""Delivery into a local Maildir: the embedded default, which any mail client opens.

A mail is written to `tmp`, synced, and renamed into `new`, and the folder is synced: a mail is there
whole or not at all, also after a power loss. Its name is derived from its Message-ID and its
recipient, so that a repeat after a crash replaces the first copy instead of doubling it. Lines end
in LF, as Maildir clients expect; nothing else about the mail changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
from pathlib import Path

from mailticket.delivery.outcome import Deferred, Delivered, Failed, Outcome, Stage
from mailticket.errors import Temporary
from mailticket.mail.header_out import checked_address

_FOLDERS = ("tmp", "new", "cur")
_HEADER_SCAN = 262_144


class MaildirDelivery:
    """Writes every mail into one Maildir. Made on first use; safe to use from several processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known_cur: tuple[int, frozenset[str]] = (-1, frozenset())

    def send(self, envelope_from: str, recipient: str, raw: bytes) -> Outcome:
        """Store one mail with Return-Path and Delivered-To above it; disk trouble is Deferred."""
        try:
            sender = checked_address(envelope_from) if envelope_from else ""
            recipient = checked_address(recipient)
        except ValueError as problem:
            return Failed(str(problem), Stage.CHECK)
        trace = f"Return-Path: <{sender}>\nDelivered-To: {recipient}\n".encode("ascii")
        name = _name(raw, recipient)
        try:
            if name in self._in_cur():
                return Delivered(f"already in {self._folder / 'cur'} as {name}")
            self._write(name, trace + raw.replace(b"\r\n", b"\n"))
        except OSError as problem:
            return Deferred(f"{self._folder}: {problem.strerror or problem}", "server", Stage.STORE)
        return Delivered(f"stored as {self._folder / 'new' / name}")

    def close(self) -> None:
        """Nothing stays open between mails."""

    def _write(self, name: str, content: bytes) -> None:
        for sub in _FOLDERS:
            (self._folder / sub).mkdir(mode=0o700, parents=True, exist_ok=True)
        passing = self._folder / "tmp" / f"{name}.{os.getpid()}.{id(self):x}"
        target = self._folder / "new" / name
        try:
            with open(os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            passing.replace(target)
        except OSError:
            with contextlib.suppress(OSError):  # the first error is the one to report
                passing.unlink()
            raise
        _sync_folder(target.parent)

    def _in_cur(self) -> frozenset[str]:
        """Names of mails a client has already moved from `new` to `cur`, flags cut off."""
        cur = self._folder / "cur"
        try:
            changed = cur.stat().st_mtime_ns
        except FileNotFoundError:
            return frozenset()
        if changed != self._known_cur[0]:
            self._known_cur = (changed, frozenset(name.partition(":")[0] for name in os.listdir(cur)))
        return self._known_cur[1]


def check_maildir(folder: Path) -> str:
    """Try what a delivery into `folder` needs; says so in words, or raises `Temporary` with the reason."""
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise Temporary(f"{folder}: cannot write below {existing}")
    return f"Maildir {folder} {'is there' if existing == folder else 'will be made'} and can be written"


def _name(raw: bytes, recipient: str) -> str:
    seed = _message_id(raw) or hashlib.sha256(raw).hexdigest().encode("ascii")
    digest = hashlib.sha256(seed + b"\0" + recipient.encode("ascii")).hexdigest()[:40]
    host = "".join(char if char.isalnum() or char in "-." else "-" for char in socket.gethostname())
    return f"mt{digest}.{host[:64] or 'localhost'}"


def _message_id(raw: bytes) -> bytes | None:
    """The value of the first Message-ID field, folding removed; None when there is none."""
    head = raw[:_HEADER_SCAN].partition(b"\r\n\r\n")[0]
    lines = head.split(b"\r\n")
    for number, line in enumerate(lines):
        if line[:11].lower() == b"message-id:":
            folded = lines[number + 1] if number + 1 < len(lines) else b""
            value = line[11:] + (folded if folded[:1] in (b" ", b"\t") else b"")
            return value.strip() or None
    return None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
