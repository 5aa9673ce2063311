"""Customers' mails with serial numbers, each from a sender and domain of its own, so that nothing brakes."""

from __future__ import annotations

from tests.scenario.daemon import new_mail


def serials(first: int, count: int) -> list[str]:
    """The serial numbers, as they stand in the mails."""
    return [f"serial-{number:05d}" for number in range(first, first + count)]


def numbered(names: list[str]) -> list[bytes]:
    """One mail for each serial number, its text nothing but that."""
    return [
        new_mail(
            f"About {name}",
            name,
            sender=f"Customer <somebody@{name}.example>",
            message_id=f"{name}@mua.example",
        )
        for name in names
    ]
