"""The identity of a mail, whichever way it came.

The same mail reaches us over SMTP, LMTP, IMAP and pipes, each time with other line ends and other
trace fields on top (RFC 5321 section 4.4). Its digest leaves out just these.
"""

from __future__ import annotations

import hashlib
import re

_CHUNK = 1 << 20
_LONGEST_NAME = 200

_TRACE_FIELD = re.compile(
    rb"(?:return-path|received(?:-spf)?|delivered-to|delivery-date|original-recipient|"
    rb"envelope-(?:to|from)|authentication-results(?:-original)?|status|content-length|lines|"
    rb"arc-(?:seal|message-signature|authentication-results)|"
    rb"x-(?:original-to|envelope-[!-9;-~]{0,80}|received|delivered-to|resolved-to|"
    rb"forwarded-(?:to|for|encrypted)|spam|spam-[!-9;-~]{0,80}|spamd-[!-9;-~]{0,80}|"
    rb"rspamd-[!-9;-~]{0,80}|virus-[!-9;-~]{0,80}|amavis-[!-9;-~]{0,80}|"
    rb"google-smtp-source|google-dkim-signature|gm-[!-9;-~]{0,80}|"
    rb"ms-exchange-[!-9;-~]{0,80}|sieve|uidl?|status|keywords|mozilla-[!-9;-~]{0,80}))[ \t]*:",
    re.IGNORECASE,
)


def content_digest(raw: bytes) -> bytes:
    """SHA-256 (32 bytes) of a mail without what its transport added.

    Left out: an mbox "From " line, the trace and transport fields before the first other field, the
    kind of the line ends (CRLF, LF and CR are one), and line ends at the very end. Everything from
    the first other field on counts, so two mails that differ in anything their senders wrote differ.
    Linear; needs no second copy of the mail.
    """
    digest = hashlib.sha256()
    position = _end_of_trace(raw)
    pending = 0  # line ends that count only if something follows
    while position < len(raw):
        chunk = raw[position : position + _CHUNK]
        position += len(chunk)
        if chunk.endswith(b"\r") and raw[position : position + 1] == b"\n":
            chunk += b"\n"
            position += 1
        lines = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in chunk else chunk
        kept = lines.rstrip(b"\n")
        if kept:
            while pending:
                count = min(pending, _CHUNK)
                digest.update(b"\n" * count)
                pending -= count
            digest.update(kept)
        pending += len(lines) - len(kept)
    return digest.digest()


def _end_of_trace(raw: bytes) -> int:
    """Where the first line starts that is neither a transport field nor the continuation of one."""
    position = _line_after(raw, 0) if raw.startswith((b"From ", b">From ")) else 0
    in_field = False
    while position < len(raw):
        if in_field and raw[position] in b" \t":
            position = _line_after(raw, position)
            continue
        if _TRACE_FIELD.match(raw, position, position + _LONGEST_NAME) is None:
            break
        in_field = True
        position = _line_after(raw, position)
    return position


def _line_after(raw: bytes, position: int) -> int:
    """The start of the next line, wherever LF, CRLF or CR ends this one."""
    end = _LINE_END.search(raw, position)
    return end.end() if end else len(raw)


_LINE_END = re.compile(rb"\r\n|\r|\n")
