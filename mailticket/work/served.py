"""Who is served here: the departments' addresses, with any + extension."""

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
        return base_recipient(address) in self._desk().department_by_address


def base_recipient(address: str) -> str:
    """The canonical address without its + extension: what makes two recipients the same."""
    return without_extension(address)
