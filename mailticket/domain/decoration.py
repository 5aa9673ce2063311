"""Which images are decoration: the logos and icons of signatures, the same in mail after mail."""

from __future__ import annotations

from mailticket.mail.types import Attachment

MAX_LOGO = 100_000
"""Bytes; a picture somebody wants to show is larger, or comes once."""
SEEN_BEFORE = 2
"""In so many earlier mails of the same sender the very same image makes it a decoration."""


def may_be_logo(attachment: Attachment) -> bool:
    """A small image that the body shows; only for these is it worth asking how often they came."""
    return (
        attachment.kind == "inline"
        and attachment.content_type.startswith("image/")
        and attachment.size <= MAX_LOGO
    )


def is_logo(attachment: Attachment, seen: int) -> bool:
    """True when the image is to be folded away: kept with its entry, but neither named nor passed on.

    seen: in how many earlier mails of the same sender the same bytes came.
    """
    return may_be_logo(attachment) and seen >= SEEN_BEFORE
