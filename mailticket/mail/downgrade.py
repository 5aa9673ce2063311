"""A mail written again in seven bits, so that it can be carried inside another one.

A message/rfc822 part may not be encoded (RFC 2046 section 5.2.1), and not every server on the way takes
eight bits. Texts and headers keep their meaning; what signed the very bytes no longer does.
"""

from __future__ import annotations

import email
from email.errors import MessageError
from email.generator import BytesGenerator
from email.policy import compat32
from io import BytesIO
from typing import Final

LARGEST: Final = 10_000_000
"""Bytes; a larger mail is not taken apart."""
_MOST_PARTS: Final = 100
_LONGEST_LINE: Final = 998
_SEVEN_BIT: Final = compat32.clone(cte_type="7bit", linesep="\r\n", max_line_length=78)


def seven_bit(raw: bytes) -> bytes | None:
    """The mail as ASCII with lines that any server takes; None where that cannot be had."""
    if len(raw) > LARGEST or raw.lower().count(b"content-type:") > _MOST_PARTS:
        return None
    try:
        message = email.message_from_bytes(raw, policy=_SEVEN_BIT)
        out = BytesIO()
        BytesGenerator(out, mangle_from_=False, policy=_SEVEN_BIT).flatten(message)
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None  # what the parser has read and the generator cannot write
    written = out.getvalue()
    fits = written.isascii() and b"\0" not in written
    return written if fits and max(map(len, written.split(b"\r\n"))) <= _LONGEST_LINE else None
