"""Delivery through an SMTP smarthost (RFC 5321), one mail to one recipient at a time.

A connection is kept for the next mail, up to a number of mails and for a minute of idling, because
its reuse is what makes sending fast. What a failure means depends on how far the attempt had come
(`outcome.py` has the table), and smtplib raises the same SMTPServerDisconnected at any point, so
every step is taken here and its stage recorded. Two facts about smtplib 3.11 shape the code: it
re-parses recipients and drops what it does not like, so addresses pass a strict grammar before; and
neither SMTP_SSL nor starttls verifies certificates unless a context is given.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator

from mailticket.config.settings import Smarthost
from mailticket.delivery.outcome import Deferred, Delivered, Failed, Outcome, Scope, Stage
from mailticket.errors import Temporary
from mailticket.mail.charset import clean_text
from mailticket.mail.header_out import checked_address

IDLE_SECONDS = 60.0
"""A connection unused for longer is not trusted any more: servers and firewalls drop them silently."""

_LONGEST_RESPONSE = 500
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_LEADING_DOT = re.compile(rb"(?m)^\.")
_AUTH_TROUBLE = frozenset({530, 534, 535, 538})
_TOO_BIG = re.compile(r"552\b|\d{3} 5\.3\.4\b")


class _Trouble(Exception):
    """An attempt that ended early; carries what it comes to.

    hung_up: the server ended the session, by 421 or without a word.
    """

    def __init__(self, outcome: Deferred | Failed, *, hung_up: bool = False) -> None:
        super().__init__(outcome.response)
        self.outcome = outcome
        self.hung_up = hung_up


class SmarthostConnection:
    """Sends through one smarthost and keeps the connection. Not thread-safe: one per thread.

    clock: seconds of a monotonic clock, to know how long the connection has idled.
    """

    def __init__(self, smarthost: Smarthost, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._smarthost = smarthost
        self._clock = clock
        self._smtp: smtplib.SMTP | None = None
        self._mails = 0
        self._last_used = 0.0

    def send(self, envelope_from: str, recipient: str, raw: bytes) -> Outcome:
        """Hand one mail over. `raw` must have CRLF line ends only; nothing but dot stuffing is added.

        A kept connection that turns out to be dead before anything was sent is replaced at once.
        """
        try:
            sender = checked_address(envelope_from) if envelope_from else ""
            recipient = checked_address(recipient)
        except ValueError as problem:
            return Failed(str(problem), Stage.CHECK)
        if _BARE.search(raw):
            return Failed("the mail holds a bare CR or LF, which must never reach the wire", Stage.CHECK)
        kept = self._drop_worn_out()
        try:
            try:
                return self._attempt(sender, recipient, raw)
            except _Trouble as trouble:
                if not (kept and trouble.hung_up and trouble.outcome.stage is Stage.MAIL):
                    raise
            self.close()
            return self._attempt(sender, recipient, raw)
        except _Trouble as trouble:
            self._after(trouble.outcome)
            return trouble.outcome

    def close(self) -> None:
        """End the session politely if there is one; never raises."""
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        with contextlib.suppress(OSError, smtplib.SMTPException):
            if smtp.sock is not None:
                smtp.sock.settimeout(5)  # nobody waits longer for a good-bye
                smtp.quit()
        smtp.close()

    def _attempt(self, sender: str, recipient: str, raw: bytes) -> Delivered:
        if self._smtp is None:
            self._smtp, self._mails = open_session(self._smarthost), 0
        smtp = self._smtp
        self._last_used = self._clock()
        self._mails += 1
        _command(smtp, Stage.MAIL, "MAIL", f"FROM:<{sender}>{_parameters(smtp, raw)}")
        _command(smtp, Stage.RCPT, "RCPT", f"TO:<{recipient}>")
        _command(smtp, Stage.DATA, "DATA", expect=3)
        response = _transfer(smtp, raw)
        self._last_used = self._clock()
        return Delivered(response)

    def _drop_worn_out(self) -> bool:
        """Close a connection that is too old or has served enough; True when one is left to reuse."""
        if self._smtp is None:
            return False
        idle = self._clock() - self._last_used
        if idle > IDLE_SECONDS or self._mails >= self._smarthost.max_mails_per_connection:
            self.close()
        return self._smtp is not None

    def _after(self, outcome: Deferred | Failed) -> None:
        """Make the connection fit for the next mail, or let go of it."""
        smtp = self._smtp
        refused = outcome.stage in (Stage.RCPT, Stage.DATA, Stage.DOT) or isinstance(outcome, Failed)
        if smtp is None or smtp.sock is None or not refused or _concerns_server(outcome):
            self.close()
            return
        try:
            code, _ = smtp.docmd("RSET")
        except (OSError, smtplib.SMTPException):
            code = -1
        if code != 250:
            self.close()


def check_smarthost(smarthost: Smarthost) -> str:
    """Connect, EHLO, TLS, AUTH, NOOP, QUIT, as `mailticket check` does; says in words what worked.

    Raises `Temporary` with the stage and the server's answer when something did not.
    """
    try:
        smtp = open_session(smarthost)
        try:
            _command(smtp, Stage.AUTH, "NOOP")
            tls = smtp.sock.version() if isinstance(smtp.sock, ssl.SSLSocket) else None
        finally:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                smtp.quit()
            smtp.close()
    except _Trouble as trouble:
        where = f"smarthost {smarthost.host}:{smarthost.port}"
        raise Temporary(f"{where}, at {trouble.outcome.stage}: {trouble.outcome.response}") from None
    protection = f"{tls}, certificate verified" if tls else "no TLS"
    login = f"signed in as {smarthost.user}" if smarthost.user else "no sign-in"
    return f"smarthost {smarthost.host}:{smarthost.port} answers ({protection}, {login})"


def open_session(smarthost: Smarthost) -> smtplib.SMTP:
    """A session ready for MAIL: connected, greeted, protected and signed in as configured.

    Raises `_Trouble` with a Deferred of scope "server" when any of it fails.
    """
    connect, read = smarthost.connect_timeout.total_seconds(), smarthost.read_timeout.total_seconds()
    with _stage(Stage.CONNECT):
        smtp = _connect(smarthost, connect)
    try:
        assert isinstance(smtp.sock, socket.socket)
        # the dot goes out by itself: with Nagle's algorithm it would wait 40 ms for an acknowledgement
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if smarthost.ehlo_name is None:
            smtp.local_hostname = _own_name(smtp.sock)
        with _stage(Stage.EHLO):
            _greet(smtp)
        if smarthost.security == "starttls":
            with _stage(Stage.STARTTLS):
                _start_tls(smtp, smarthost)
        if smarthost.user is not None:
            with _stage(Stage.AUTH):
                password = smarthost.password.get_secret_value() if smarthost.password else ""
                smtp.login(smarthost.user, password)
        assert smtp.sock is not None
        smtp.sock.settimeout(read)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _connect(smarthost: Smarthost, timeout: float) -> smtplib.SMTP:
    name = smarthost.ehlo_name or "localhost"  # a placeholder: smtplib would ask DNS for one
    if smarthost.security != "tls":
        return smtplib.SMTP(smarthost.host, smarthost.port, local_hostname=name, timeout=timeout)
    return smtplib.SMTP_SSL(
        smarthost.host, smarthost.port, local_hostname=name, timeout=timeout, context=_verifying(smarthost)
    )


def _greet(smtp: smtplib.SMTP) -> None:
    code, text = smtp.ehlo()
    if not 200 <= code <= 299:
        raise smtplib.SMTPHeloError(code, text)


def _start_tls(smtp: smtplib.SMTP, smarthost: Smarthost) -> None:
    if not smtp.has_extn("starttls"):
        raise smtplib.SMTPNotSupportedError(
            "the server does not offer STARTTLS, which the configuration requires"
        )
    code, text = smtp.starttls(context=_verifying(smarthost))
    if code != 220:
        raise smtplib.SMTPResponseException(code, text)
    _greet(smtp)  # what the server said before TLS does not count (RFC 3207 section 4.2)


def _verifying(smarthost: Smarthost) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=smarthost.ca_file)


def _own_name(sock: socket.socket) -> str:
    """The host's name if it is a full one, else our address as a literal (RFC 5321 section 4.1.3)."""
    name = socket.gethostname()
    if "." in name and name.isascii():
        return name
    address = str(sock.getsockname()[0])
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _parameters(smtp: smtplib.SMTP, raw: bytes) -> str:
    """ESMTP parameters of MAIL; raises `_Trouble` when the server has said that it takes no such size."""
    parameters = ""
    if smtp.has_extn("size"):
        limit = smtp.esmtp_features["size"].strip()
        if limit.isascii() and limit.isdigit() and 0 < int(limit[:18]) < len(raw):
            told = f"the mail has {len(raw)} bytes, the server takes {limit}"
            raise _Trouble(Failed(told, Stage.MAIL))
        parameters += f" SIZE={len(raw)}"
    if smtp.has_extn("8bitmime") and not raw.isascii():
        parameters += " BODY=8BITMIME"
    return parameters


def _command(smtp: smtplib.SMTP, stage: Stage, verb: str, arguments: str = "", *, expect: int = 2) -> str:
    """One command and its answer; `_Trouble` unless the code's first digit is `expect`."""
    with _stage(stage):
        code, text = smtp.docmd(verb, arguments)
    if code // 100 != expect:
        raise _Trouble(_judge(stage, code, text), hung_up=code == 421)
    return _said(code, text)


def _transfer(smtp: smtplib.SMTP, raw: bytes) -> str:
    """The content and the final dot, apart from each other: only from the dot on may the server have it."""
    content = _LEADING_DOT.sub(b"..", raw) if b"\n." in raw or raw[:1] == b"." else raw
    if not content.endswith(b"\r\n"):
        content += b"\r\n"
    with _stage(Stage.CONTENT):
        smtp.send(content)
    with _stage(Stage.DOT):
        smtp.send(b".\r\n")
        code, text = smtp.getreply()
    if code // 100 != 2:
        raise _Trouble(_judge(Stage.DOT, code, text))
    return _said(code, text)


@contextlib.contextmanager
def _stage(stage: Stage) -> Iterator[None]:
    """Turn what smtplib and the socket raise at this stage into a `_Trouble`."""
    try:
        yield
    except smtplib.SMTPResponseException as refusal:
        # an over-long line is reported as a made-up 500: no answer of the server's
        code = -1 if refusal.smtp_error == "Line too long." else refusal.smtp_code
        raise _Trouble(_judge(stage, code, refusal.smtp_error), hung_up=code == 421) from refusal
    except (OSError, smtplib.SMTPException, ValueError) as problem:
        told = clean_text(str(problem), limit=_LONGEST_RESPONSE, one_line=True) or type(problem).__name__
        unknown = stage is Stage.DOT
        scope: Scope = "recipient" if unknown else "server"
        outcome = Deferred(told, scope, stage, outcome_unknown=unknown)
        raise _Trouble(outcome, hung_up=isinstance(problem, smtplib.SMTPServerDisconnected)) from problem


def _judge(stage: Stage, code: int, text: bytes | str) -> Deferred | Failed:
    """What an answer other than the hoped-for one means, by its code and its stage."""
    response = _said(code, text)
    about_mail = stage in (Stage.RCPT, Stage.DATA, Stage.DOT)
    if 500 <= code <= 599 and code not in _AUTH_TROUBLE:
        if about_mail or (stage is Stage.MAIL and _TOO_BIG.match(response)):
            return Failed(response, stage)
        return Deferred(response, "server", stage)
    if 400 <= code <= 499 or code in _AUTH_TROUBLE:
        server = not about_mail or code == 421 or code in _AUTH_TROUBLE
        return Deferred(response, "server" if server else "recipient", stage)
    return Deferred(
        f"not an answer: {response}",
        "recipient" if stage is Stage.DOT else "server",
        stage,
        outcome_unknown=stage is Stage.DOT,
    )


def _said(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    shown = clean_text(words, limit=_LONGEST_RESPONSE, one_line=True)
    return f"{code} {shown}".strip() if code >= 0 else shown or "nothing intelligible"


def _concerns_server(outcome: Deferred | Failed) -> bool:
    return isinstance(outcome, Deferred) and (outcome.scope == "server" or outcome.outcome_unknown)
