"""An IMAP server for what Dovecot never does: lie, stall, hang up, lack extensions.

It serves one folder from memory, well enough for IMAPClient, until a rule says otherwise:

    with ScriptedImap({7: b"Subject: x\\r\\n\\r\\n"}) as server:
        server.script(r"UID FETCH 7 .BODY", b"* 1 FETCH (UID 7 BODY[] NIL)\\r\\n%(tag)s OK done\\r\\n")

A rule answers a command in place of the normal code; `HANG_UP` as its answer closes the connection,
`MUTE` says nothing. What clients said is in `commands`.
"""

from __future__ import annotations

import re
import socket
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

HANG_UP = b"\x00hang up"
MUTE = b"\x00mute"

_ALL = ("IMAP4rev1", "UIDPLUS", "MOVE", "IDLE", "NAMESPACE")


@dataclass
class _Rule:
    pattern: re.Pattern[str]
    answer: bytes
    times: int | None


@dataclass
class _Message:
    raw: bytes
    flags: set[str] = field(default_factory=set)


class ScriptedImap:
    """The server as a context manager, on loopback at `host`:`port`."""

    host = "127.0.0.1"

    def __init__(
        self,
        messages: dict[int, bytes] | None = None,
        *,
        capabilities: tuple[str, ...] = _ALL,
        uidvalidity: int | None = 42,
        password: str = "secret",
    ) -> None:
        self.messages = {uid: _Message(raw) for uid, raw in (messages or {}).items()}
        self.folders: dict[str, list[bytes]] = {}
        self.capabilities = capabilities
        self.uidvalidity = uidvalidity
        self.password = password
        self.commands: list[str] = []
        self.connections = 0
        self.idling = threading.Semaphore(0)
        self._idle_tag = ""
        self._rules: list[_Rule] = []
        self._lock = threading.RLock()
        self._open: set[socket.socket] = set()
        self._server = _Server((self.host, 0), self._talk)
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> ScriptedImap:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), name="imap-script").start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self.hang_up()
        self._server.server_close()

    def script(self, pattern: str, answer: bytes, *, times: int | None = None) -> None:
        """Answer commands that match with these bytes, %(tag)s filled in, at most `times` times."""
        with self._lock:
            self._rules.append(_Rule(re.compile(pattern, re.IGNORECASE), answer, times))

    def clear_script(self) -> None:
        """Behave again."""
        with self._lock:
            self._rules.clear()

    def say(self, data: bytes) -> None:
        """Send bytes to every client, unasked."""
        with self._lock:
            for connection in self._open:
                connection.sendall(data)

    def hang_up(self) -> None:
        """Close every connection."""
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the client was faster

    def said(self, pattern: str) -> list[str]:
        """The commands that match, in order."""
        with self._lock:
            return [command for command in self.commands if re.search(pattern, command, re.IGNORECASE)]

    def _talk(self, connection: socket.socket) -> None:
        with self._lock:
            self.connections += 1
            self._open.add(connection)
        try:
            with connection, connection.makefile("rb") as lines:
                connection.sendall(b"* OK scripted\r\n")
                while line := lines.readline():
                    if not self._one(connection, line.decode("utf-8", "replace").rstrip("\r\n")):
                        return
        except OSError:
            return  # the client went away, which clients may do
        finally:
            with self._lock:
                self._open.discard(connection)

    def _one(self, connection: socket.socket, line: str) -> bool:
        tag, _, command = line.partition(" ")
        with self._lock:
            self.commands.append(command or tag)
            answer = self._scripted(tag, command) or self._answer(tag, command)
        if answer == HANG_UP:
            return False
        if answer != MUTE:
            connection.sendall(answer)
        if command == "IDLE":
            self.idling.release()
        return command != "LOGOUT"

    def _scripted(self, tag: str, command: str) -> bytes | None:
        for rule in self._rules:
            if rule.times != 0 and rule.pattern.search(command):
                if rule.times is not None:
                    rule.times -= 1
                return rule.answer.replace(b"%(tag)s", tag.encode())
        return None

    def _answer(self, tag: str, command: str) -> bytes:
        if tag == "DONE":
            return f"{self._idle_tag} OK done\r\n".encode()
        lines = self._lines(tag, command)
        if lines is None:
            return b""
        status = lines.pop() if lines and lines[-1].startswith((b"NO", b"BAD")) else b"OK done"
        return b"".join(b"* " + each + b"\r\n" for each in lines) + tag.encode() + b" " + status + b"\r\n"

    def _lines(self, tag: str, command: str) -> list[bytes] | None:
        verb = command.partition(" ")[0].upper()
        if verb == "UID":
            return self._uid_command(command)
        table: dict[str, Callable[[str], list[bytes]]] = {
            "CAPABILITY": lambda _: [b"CAPABILITY " + " ".join(self.capabilities).encode()],
            "NAMESPACE": lambda _: [b'NAMESPACE (("" "/")) NIL NIL'],
            "LOGIN": self._login,
            "SELECT": self._select,
            "LIST": self._list,
            "CREATE": self._create,
            "LOGOUT": lambda _: [b"BYE"],
        }
        if verb == "IDLE":
            self._idle_tag = tag
            self.say(b"+ idling\r\n")
            return None
        return table[verb](command) if verb in table else []

    def _login(self, command: str) -> list[bytes]:
        return [] if command.endswith(f'"{self.password}"') else [b"NO [AUTHENTICATIONFAILED] no"]

    def _select(self, command: str) -> list[bytes]:
        lines = [f"{len(self.messages)} EXISTS".encode(), b"0 RECENT", rb"FLAGS (\Seen \Deleted)"]
        if self.uidvalidity is not None:
            lines.append(f"OK [UIDVALIDITY {self.uidvalidity}] ok".encode())
        return [*lines, b"OK [READ-WRITE] ok"]

    def _list(self, command: str) -> list[bytes]:
        name = _unquote(command.split(" ")[-1])
        return [f'LIST () "/" "{name}"'.encode()] if name in self.folders else []

    def _create(self, command: str) -> list[bytes]:
        self.folders.setdefault(_unquote(command.split(" ")[-1]), [])
        return []

    def _uid_command(self, command: str) -> list[bytes]:
        _, verb, arguments = command.split(" ", 2)
        ordered = sorted(self.messages)
        if verb.upper() == "SEARCH":
            return [b"SEARCH " + " ".join(map(str, self._search(arguments, ordered))).encode()]
        which, _, rest = arguments.partition(" ")
        uids = [uid for uid in map(int, which.split(",")) if uid in self.messages]
        if verb.upper() == "FETCH":
            return [self._fetched(ordered.index(uid) + 1, uid, rest) for uid in uids]
        if verb.upper() in ("MOVE", "COPY"):
            self.folders.setdefault(_unquote(rest), []).extend(self.messages[uid].raw for uid in uids)
        if verb.upper() == "STORE":
            for uid in uids:
                self.messages[uid].flags.add("\\Deleted")
        if verb.upper() in ("MOVE", "EXPUNGE"):
            for uid in uids:
                del self.messages[uid]
        return []

    def _search(self, arguments: str, ordered: list[int]) -> list[int]:
        if arguments.upper().startswith("UID "):
            return [uid for uid in ordered if str(uid) == arguments[4:]]
        first, _, last = arguments.partition(":")
        return ordered[int(first) - 1 : int(last or first)]

    def _fetched(self, number: int, uid: int, what: str) -> bytes:
        message = self.messages[uid]
        start = f"{number} FETCH (UID {uid} ".encode()
        if "BODY" in what.upper():
            return start + f"BODY[] {{{len(message.raw)}}}\r\n".encode() + message.raw + b")"
        if "FLAGS" in what.upper():
            return start + f"FLAGS ({' '.join(message.flags)}))".encode()
        return start + f"RFC822.SIZE {len(message.raw)})".encode()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = True

    def __init__(self, address: tuple[str, int], talk: Callable[[socket.socket], None]) -> None:
        self.talk = talk
        super().__init__(address, _Handler)


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.talk(self.request)


def _unquote(name: str) -> str:
    return name.strip('"')
