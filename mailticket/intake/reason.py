"""Words for an error that are fit for a log and for an operator, and hold nothing of a mail."""

from __future__ import annotations

from pathlib import PurePath

from mailticket.errors import MailticketError

MAX_LENGTH = 300


def reason(error: BaseException) -> str:
    """One line naming the error and, for an unexpected one, the place it came from.

    The text of our own errors and of the operating system's is kept. The text of any other is not:
    a database driver quotes its parameters there, which are somebody's mail.
    """
    if isinstance(error, MailticketError):
        return one_line(str(error))
    if isinstance(error, OSError):
        return one_line(f"{type(error).__name__}: {error}")
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    if frame is None:
        return type(error).__name__
    return f"{type(error).__name__} at {PurePath(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}"


def one_line(text: str) -> str:
    """The text on one line without control characters, at most `MAX_LENGTH` characters."""
    return "".join(char if char.isprintable() else " " for char in text)[:MAX_LENGTH]
