"""An answer that an agent sent straight to the customer, with the desk in Cc or Bcc.

It is filed as the public reply and not sent again to those who have it. What can still go wrong is
different from an answer by way of the desk: the customer has read it, so nothing can be held back. A
line that is no valid command is then a part of the text, and nothing but filing is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mailticket.config.desk import Desk
from mailticket.domain.access import collaborator
from mailticket.mail.address import canonical, without_extension
from mailticket.mail.types import Address, ParsedMail

_MOST = 50
"""Recipients of a mail that are looked at."""


def has_it(mail: ParsedMail, participants: frozenset[str]) -> tuple[str, ...]:
    """Those who take part and are in To or Cc of the mail itself, so that they have it already."""
    named = {canonical(item.address) for item in (*mail.to, *mail.cc)}
    return tuple(sorted(participants & named))


def outsiders(addresses: Iterable[Address], desk: Desk) -> tuple[Address, ...]:
    """Of the recipients of a mail those who neither work here nor are the desk, by canonical address."""
    found: dict[str, Address] = {}
    for item in tuple(addresses)[:_MOST]:
        plain, _ = collaborator(desk, item.address)
        if plain is not None:
            found.setdefault(plain, Address(item.name, plain))
    return tuple(found.values())


def is_ours(address: str, desk: Desk) -> bool:
    """Whether an address, with or without an extension, is one of the desk's."""
    return without_extension(canonical(address)) in desk.department_by_address


def in_words(delivered: Sequence[str]) -> str:
    """Who has a mail already, for a reason; "" for nobody."""
    return f"{', '.join(delivered)} got it directly" if delivered else ""
