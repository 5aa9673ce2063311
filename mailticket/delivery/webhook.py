"""One signed POST to a web service, and what became of it.

    what happened                                        outcome
    2xx                                                  Taken
    408, 425, 429, 5xx                                   Later, after Retry-After where it says so
    any other answer, a redirect too                     Refused: this call, for good
    no connection, no TLS, no answer in time             Later, and the service is left alone for a while

A redirect is not followed: where calls go is decided in the configuration, not by whoever answers. The
whole call has one time limit, however slowly the other end sends.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import socket
import ssl
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

SIGNATURE = "X-Mailticket-Signature"
_MOST_READ = 65_536
_SHOWN = 200
LONGEST_WAIT = timedelta(hours=6)
"""A service may ask for no longer a pause than this."""
_AGAIN = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Taken:
    """The service has it. status: the HTTP status."""

    status: int


@dataclass(frozen=True, slots=True)
class Later:
    """Not now. status: None where no answer came, which concerns all calls to the service."""

    status: int | None
    why: str
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """This call never, as it is."""

    status: int
    why: str


Answer = Taken | Later | Refused


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The value of X-Mailticket-Signature: "t=SECONDS,v1=HEX", HMAC-SHA256 over "SECONDS.BODY"."""
    mac = hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256)
    return f"t={timestamp},v1={mac.hexdigest()}"


def post(
    url: str, secret: str, *, key: str, event: str, body: bytes, timeout: timedelta, now: datetime
) -> Answer:
    """Send one call. Never raises for anything the network or the other end does.

    url: https, or http on loopback (the configuration allows no other); now: aware UTC, signed along.
    """
    parts = urlsplit(url)
    host, seconds = parts.hostname or "", timeout.total_seconds()
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, parts.port, timeout=seconds, context=context)
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=seconds)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "mailticket",
        "Idempotency-Key": key,
        "X-Mailticket-Event": event,
        SIGNATURE: signature(secret, int(now.timestamp()), body),
        "Connection": "close",
    }
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    over = threading.Event()
    limit = threading.Timer(seconds, _cut, [connection, over])
    limit.daemon = True
    limit.start()
    answer: Answer = Later(None, "no answer")
    try:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        answer = _judged(response, _beginning(response), now)
    except TimeoutError:
        over.set()
    except (OSError, http.client.HTTPException, ValueError) as error:
        answer = Later(None, f"no answer: {_words(error)}")
    finally:
        limit.cancel()
        connection.close()
    # what was cut off may look like a whole answer
    return Later(None, f"no answer within {seconds:g} s") if over.is_set() else answer


def _cut(connection: http.client.HTTPConnection, over: threading.Event) -> None:
    """End a call whose other end sends a byte now and then for ever."""
    over.set()
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _beginning(response: http.client.HTTPResponse) -> str:
    """What the answer says, for the operator; its status counts even where the rest breaks off."""
    try:
        return response.read(_MOST_READ)[:_SHOWN].decode("utf-8", "replace")
    except (OSError, http.client.HTTPException, ValueError):
        return ""


def _judged(response: http.client.HTTPResponse, said: str, now: datetime) -> Answer:
    status = response.status
    if 200 <= status < 300:
        return Taken(status)
    if 300 <= status < 400:
        return Refused(status, f"answered {status}: redirects are not followed, so write the new address")
    told = " ".join(said.split())
    why = f"answered {status} {response.reason}" + (f": {told}" if told else "")
    if status in _AGAIN or status >= 500:
        return Later(status, why, _retry_after(response.headers.get("Retry-After"), now))
    return Refused(status, why)


def _retry_after(value: str | None, now: datetime) -> timedelta | None:
    """What Retry-After asks for (RFC 9110 section 10.2.3), within reason; None where it says nothing."""
    if value is None:
        return None
    value = value.strip()
    try:
        asked = timedelta(seconds=int(value)) if value.isdecimal() and len(value) < 10 else None
        wait = asked if asked is not None else parsedate_to_datetime(value) - now
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, timedelta(0)), LONGEST_WAIT)


def _words(error: Exception) -> str:
    return str(error).strip() or type(error).__name__
