"""One-tap actions become links: each with an address of its own, signed for its reader."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from mailticket.domain.requests import Tap
from mailticket.domain.types import TicketFacts
from mailticket.mail.mailto import mailto_link
from mailticket.mail.token import mint_action, reply_address


def action_links(
    taps: Iterable[Tap], reader: str, ticket: TicketFacts, address: str, secret: bytes, now: datetime
) -> list[dict[str, str]]:
    """The links of `taps` as (name, label, link, short), JSON-able, for the outbox.

    reader: the identity they are for, "agent:KEY" or a canonical address. address: the department's.
    An action whose token leaves no room in it is left out: it can still be asked for by a command.
    """
    links = []
    for tap in taps:
        token = mint_action(secret, ticket.id, tap.entry, reader, action=tap.code, offered=now.date())
        try:
            target = reply_address(address, token)
        except ValueError:
            continue
        links.append(
            {
                "name": tap.name,
                "label": tap.label,
                "link": mailto_link(target, tap.subject, tap.body),
                "short": mailto_link(target, tap.name, ""),
            }
        )
    return links
