"""The three ways an operation can fail, and who has to do something about it.

Temporariness is a property of the error: an edge that catches anything asks `is_temporary` and
never guesses from the type's name. What nobody classified counts as temporary, because trying
again costs little and giving up loses mail.
"""

from __future__ import annotations


class MailticketError(Exception):
    """Base of all errors raised on purpose; its text is fit to be shown to an operator."""


class Temporary(MailticketError):
    """Trying again later may succeed: a busy database, a server that is away, a full disk."""


class Permanent(MailticketError):
    """Trying again will not help until a person changes something."""


class Rejected(Permanent):
    """A mail refused on purpose.

    `reason` is a sentence fit for the sender of the mail: it names no internals.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def is_temporary(exc: BaseException) -> bool:
    """True unless `exc` is known to be permanent; unknown errors count as temporary."""
    return not isinstance(exc, Permanent)
