"""A typed, narrow IMAP client over IMAPClient: what the worker needs, and nothing a mail can abuse.

Every method raises one of three errors, whatever IMAPClient, imaplib or the socket raised:
`LoginRefused`, `Refused` (the server said no, the session goes on), `ConnectionTrouble` (the session
is of no use any more; this is also the answer to anything that does not look like IMAP).

Only integers, the operator's folder names and constants are ever sent: IMAPClient passes line breaks
in search criteria on to the server as they are (upstream issue 657), so nothing from a mail gets there.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from imapclient import DELETED, IMAPClient, SocketTimeout
from imapclient.exceptions import (
    IMAPClientAbortError,
    IMAPClientError,
    IMAPClientReadOnlyError,
    LoginError,
    ProtocolError,
)

from mailticket.config.settings import Mailbox
from mailticket.errors import Permanent, Temporary
from mailticket.intake.imap_login import secret_of
from mailticket.intake.reason import one_line, reason

SEARCH_RANGE = 5_000
"""Messages asked for at once: imaplib gives up on a response line of more than a megabyte."""

_RETRY_LATER = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]")
"""Response codes of RFC 5530 that say a refused login is not about the credentials."""


class ConnectionTrouble(Temporary):
    """The IMAP connection broke, or the server sent something that is not IMAP."""


class Refused(Temporary):
    """The IMAP server refused a command, such as a move into a folder that is over its quota."""


class LoginRefused(Permanent):
    """The IMAP server does not accept the account's name and password, or token."""


@dataclass(frozen=True, slots=True)
class Selected:
    """A folder as SELECT describes it. `uidvalidity` is None when the server names none."""

    messages: int
    uidvalidity: int | None
    read_only: bool


class ImapSession:
    """One authenticated connection; not for use by two threads."""

    def __init__(self, mailbox: Mailbox) -> None:
        """Connect and log in. Raises `LoginRefused` and `ConnectionTrouble`.

        Certificates are always verified, against `ca_file` where there is one.
        """
        _refuse_control_characters(mailbox.user, mailbox.folder, mailbox.processed_folder)
        # IMAPClient logs what imaplib sends and receives, message bodies included.
        logging.getLogger("imapclient").setLevel(logging.WARNING)
        self._mailbox = mailbox
        self._idle = False
        with _only_our_errors():
            self._client: Any = self._connect()
        try:
            self._log_in()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> ImapSession:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Log out as far as the server plays along, and close the socket in any case."""
        with contextlib.suppress(Exception):
            self._client.socket().settimeout(5)
            self._client.logout()
        with contextlib.suppress(Exception):
            self._client.shutdown()

    def interrupt(self) -> None:
        """End whatever the session waits for, from another thread; it is of no use afterwards."""
        with contextlib.suppress(OSError):  # it has ended by itself
            self._client.socket().shutdown(socket.SHUT_RDWR)

    def can(self, capability: str) -> bool:
        """True when the server offers a capability."""
        with _only_our_errors():
            return bool(self._client.has_capability(capability))

    def select(self, folder: str) -> Selected:
        """Select a folder; raises `Refused` when there is none of that name."""
        with _only_our_errors(), _refusals():
            found = self._client.select_folder(folder)
            validity = found.get(b"UIDVALIDITY")
            return Selected(int(found[b"EXISTS"]), validity, b"READ-WRITE" not in found)

    def uids(self, messages: int) -> list[int]:
        """The UIDs of the first `messages` messages of the folder, ascending, each once."""
        found: set[int] = set()
        with _only_our_errors():
            for start in range(1, messages + 1, SEARCH_RANGE):
                end = min(start + SEARCH_RANGE - 1, messages)
                found.update(int(uid) for uid in self._client.search([f"{start}:{end}"]))
        return sorted(uid for uid in found if uid > 0)

    def present(self, uid: int) -> bool:
        """True when the folder holds a message of that UID."""
        with _only_our_errors():
            return uid in self._client.search(["UID", str(uid)])

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """Size in bytes, as the server claims it, of each of the messages that is there."""
        with _only_our_errors():
            found = self._client.fetch(list(uids), [b"RFC822.SIZE"])
            return {int(uid): int(data[b"RFC822.SIZE"]) for uid, data in found.items()}

    def deleted(self, uids: Sequence[int]) -> set[int]:
        """Those of the messages that are flagged as deleted."""
        with _only_our_errors():
            found = self._client.fetch(list(uids), [b"FLAGS"])
            return {uid for uid, data in found.items() if DELETED in data.get(b"FLAGS", ())}

    def body(self, uid: int) -> bytes | None:
        """The whole message, unread flags untouched; None when it has left the folder.

        Raises `ConnectionTrouble` when the server answers with anything but these bytes.
        """
        with _only_our_errors():
            found = self._client.fetch([uid], [b"BODY.PEEK[]"])
            body = found.get(uid, {}).get(b"BODY[]")
        if isinstance(body, bytes):
            return body
        if not self.present(uid):
            return None
        raise ConnectionTrouble(f"the server does not hand over message UID {uid}")

    def ensure_folder(self, name: str) -> str:
        """The folder's name on this server, created if missing; raises `Refused` when that fails.

        Some servers want all folders below a prefix such as "INBOX."; it is tried second.
        """
        with _only_our_errors():
            candidates = [
                name,
                *(prefix + name for prefix in self._prefixes() if not name.startswith(prefix)),
            ]
            for candidate in candidates:
                if self._client.folder_exists(candidate):
                    return candidate
            for candidate in candidates:
                with contextlib.suppress(Refused), _refusals():
                    self._client.create_folder(candidate)
                    return candidate
        raise Refused(f"the folder {name} does not exist and cannot be created")

    def move(self, uids: Sequence[int], folder: str) -> None:
        """UID MOVE (RFC 6851); raises `Refused`."""
        with _only_our_errors(), _refusals():
            self._client.move(list(uids), folder)

    def copy(self, uids: Sequence[int], folder: str) -> None:
        """UID COPY; raises `Refused`."""
        with _only_our_errors(), _refusals():
            self._client.copy(list(uids), folder)

    def flag_deleted(self, uids: Sequence[int]) -> None:
        r"""Add \Deleted; raises `Refused`."""
        with _only_our_errors(), _refusals():
            self._client.add_flags(list(uids), [DELETED], silent=True)

    def expunge(self, uids: Sequence[int]) -> None:
        """UID EXPUNGE (RFC 4315): remove these messages and no others; raises `Refused`."""
        with _only_our_errors(), _refusals():
            self._client.uid_expunge(list(uids))

    def idle(self, wake: socket.socket, seconds: float) -> None:
        """IDLE until something happens in the folder, `wake` is readable, or `seconds` have passed."""
        deadline = time.monotonic() + seconds
        with _only_our_errors(), selectors.DefaultSelector() as selector:
            self._client.idle()
            selector.register(self._client.socket(), selectors.EVENT_READ)
            selector.register(wake, selectors.EVENT_READ)
            news = self._has_buffered()
            while not news and (remaining := deadline - time.monotonic()) > 0:
                ready = [key.fileobj for key, _ in selector.select(remaining)]
                if wake in ready:
                    break
                news = bool(ready) and self._has_news()
            self._client.idle_done()

    def _has_news(self) -> bool:
        """Read what the server says in an IDLE; True when the folder may hold more than before."""
        events = self._client.idle_check(timeout=0)
        if not events:  # readable, and nothing there to read: that is the end of the stream
            raise ConnectionTrouble("the server closed the connection")
        if any(event[0] == b"BYE" for event in events):
            raise ConnectionTrouble("the server said BYE")
        return any(b"EXISTS" in event for event in events)

    def _has_buffered(self) -> bool:
        """True when the server's answer to IDLE already brought news with it.

        Those bytes sit in imaplib's file object, where no poll of the socket sees them; the file
        has no public name in all supported versions.
        """
        imap, sock = self._client._imap, self._client.socket()
        file = getattr(imap, "_file", None) or imap.file
        timeout = sock.gettimeout()
        sock.setblocking(False)
        try:
            return bool(file.peek(1))
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            sock.settimeout(timeout)

    def _connect(self) -> Any:
        mailbox = self._mailbox
        timeout = SocketTimeout(mailbox.connect_timeout.total_seconds(), mailbox.read_timeout.total_seconds())
        context = None
        if mailbox.security != "none":
            context = _tls_context(mailbox)
        client: Any = IMAPClient(
            mailbox.host,
            port=mailbox.port,
            ssl=mailbox.security == "tls",
            ssl_context=context if mailbox.security == "tls" else None,
            timeout=timeout,
        )
        # IMAPClient has imaplib format everything it reads for a log, megabytes of body included.
        client._imap.debug = 0
        if mailbox.security == "starttls":
            try:
                client.starttls(ssl_context=context)
            except BaseException:
                with contextlib.suppress(Exception):  # the socket may be closed already
                    client.shutdown()
                raise
        return client

    def _log_in(self) -> None:
        mailbox, secret = self._mailbox, secret_of(self._mailbox)
        with _only_our_errors():
            if mailbox.token_command is not None:
                self._client.oauth2_login(mailbox.user, secret)
            elif mailbox.user.isascii() and secret.isascii():
                self._client.login(_quoted(mailbox.user), secret)
            else:
                self._client.plain_login(mailbox.user, secret)

    def _prefixes(self) -> list[str]:
        if not self._client.has_capability("NAMESPACE"):
            return []
        personal = self._client.namespace().personal or ()
        return [prefix for prefix, _ in personal if prefix]


def _quoted(user: str) -> str:
    """A user name as LOGIN takes it: imaplib quotes the password, but not the name."""
    if all(char.isalnum() or char in "@.+-_" for char in user):
        return user
    return '"' + user.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _tls_context(mailbox: Mailbox) -> ssl.SSLContext:
    if mailbox.ca_file is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(mailbox.ca_file))
    except OSError as error:
        raise Permanent(f"mailbox {mailbox.key}: cannot read {mailbox.ca_file}: {error}") from error


def _refuse_control_characters(*arguments: str) -> None:
    for argument in arguments:
        if any(char < " " or char == "\x7f" for char in argument):
            raise Permanent("control characters in an IMAP user or folder name")


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """Turn the server's NO and BAD into `Refused`; inside `_only_our_errors`."""
    try:
        yield
    except (IMAPClientAbortError, ProtocolError):
        raise
    except (IMAPClientError, IMAPClientReadOnlyError) as error:
        raise Refused(one_line(str(error))) from error


@contextlib.contextmanager
def _only_our_errors() -> Iterator[None]:
    """Turn whatever else a command raises into `LoginRefused` or `ConnectionTrouble`."""
    try:
        yield
    except (Temporary, Permanent):
        raise
    except LoginError as error:
        text = one_line(str(error))
        dropped = isinstance(error.__context__, IMAPClientAbortError)
        if dropped or any(code in text for code in _RETRY_LATER):
            raise ConnectionTrouble(f"login failed: {text}") from error
        raise LoginRefused(text) from error
    except IMAPClientError as error:
        raise ConnectionTrouble(one_line(str(error))) from error
    except Exception as error:  # MemoryError and RecursionError too: a server can provoke both
        raise ConnectionTrouble(reason(error)) from error
