"""Who is served here: the departments' addresses and the console's, with any + extension."""

from __future__ import annotations

from collections.abc import Callable

from mailticket.config.desk import Desk
from mailticket.mail.address import without_extension


class Served:
    """Answers `accepts` for the desk as it is configured now."""

    def __init__(self, desk: Callable[[], Desk]) -> None:
        self._desk = desk

    def accepts(self, address: str) -> bool:
        """True when mail to this address, + extension included, is ours."""
        base, desk = base_recipient(address), self._desk()
        return base in desk.department_by_address or base == desk.console


def base_recipient(address: str) -> str:
    """The canonical address without its + extension: what makes two recipients the same."""
    return without_extension(address)
