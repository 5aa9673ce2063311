"""The bounds of reading, all in one place.

What is over a bound is left out of the reading and named by a Defect; the raw mail is kept whole by
whoever received it, so nothing is lost. Sizes are bytes unless a name says otherwise. The reasons for
the numbers: the worst mail within them is read in well under a second (tests/unit/test_parse_hostile.py).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of one mail is looked at."""

    header_block: int = 256_000
    header_value: int = 16_000
    mime_header_value: int = 4_000
    """Content-Type and Content-Disposition, whose parameters are taken apart."""
    header_count: int = 1_000
    part_header_block: int = 32_000
    part_header_count: int = 100
    """The same for each part, of which there may be many."""
    received_count: int = 100
    address_bytes: int = 100_000
    """One address header, and To and Cc together."""
    address_count: int = 500
    nesting: int = 50
    message_nesting: int = 10
    messages: int = 50
    """How deep, and how many, message/rfc822 parts `Parsed.message` is built for; others stay text there."""
    parts: int = 1_000
    attachments: int = 100
    text: int = 1_000_000
    """Characters of body text; the rest becomes an attachment of kind "rest"."""
    html: int = 1_000_000
    html_tags: int = 50_000
    """Occurrences of "<" in the HTML that is still rendered."""
    html_depth: int = 3_000
    """Open elements at once; ammonia's cost grows with the square of it."""
    message_part: int = 256_000
    """Bytes of one leaf part that are copied into `Parsed.message`."""
    subject: int = 998
    name: int = 320
    filename: int = 180
    message_id: int = 998
    references: int = 200
    defects: int = 100


DEFAULT_LIMITS = Limits()
