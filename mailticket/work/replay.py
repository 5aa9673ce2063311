"""Mails that came in, decided again by rules: what `mailticket rules diff` compares. Reads only.

A mail is judged as it was when it came, as far as that is known: its trust is the one decided then, its
sender's open tickets and first contact are counted back to that moment. What is not kept: a reply's ticket
is taken as it is now, and mail to the sender counts as never having come back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from mailticket.config.desk import Desk
from mailticket.domain.routing import react, route
from mailticket.domain.rule_facts import MailFacts, rule_facts
from mailticket.domain.sender import SenderHistory
from mailticket.domain.types import Arrival, Facts, TicketFacts, Trust
from mailticket.mail.address import canonical
from mailticket.mail.read import read
from mailticket.store import blobs
from mailticket.store.engine import reading
from mailticket.store.history import history_at
from mailticket.store.models import Inbound, Ticket
from mailticket.store.ticket_facts import ticket_facts
from mailticket.work.receive import route_record
from mailticket.work.served import base_recipient

BATCH: Final = 50
"""Mails whose rows are read at once; their bytes come one after the other."""
_LOOKED_AT: Final = ("new-ticket", "threaded", "rejected", "held")
"""Outcomes in which rules may have had a say."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One mail, and where it went and would go. `then` is None where it was not kept."""

    inbound_id: int
    received_at: datetime
    sender: str
    subject: str
    ticket: str | None
    occasion: str
    then: dict[str, Any] | None
    now: dict[str, Any]

    @property
    def differences(self) -> dict[str, tuple[Any, Any]]:
        """What differs: name -> (then, now). Which rules fired is no difference by itself."""
        if self.then is None:
            return {}
        names = [name for name in self.now if name != "fired" and self.then.get(name) != self.now[name]]
        return {name: (self.then.get(name), self.now[name]) for name in names}


def count_mails(engine: Engine, since: datetime) -> int:
    """How many mails `replayed` will look at, at most."""
    with reading(engine) as session:
        query = select(func.count()).select_from(Inbound).where(*_wanted(since))
        return int(session.execute(query).scalar_one())


def replayed(
    engine: Engine, since: datetime, new: Desk, old: Desk | None = None
) -> Iterator[Replayed | None]:
    """Every mail since a moment under the rules of `new`, the oldest first; None for one rules do not see.

    old: what to compare with; None compares with what was decided when the mail came. One mail is held in
    memory at a time, and each batch is a transaction of its own.
    """
    last = 0
    while True:
        with reading(engine) as session:
            rows = session.execute(
                select(
                    Inbound.id, Inbound.blob, Inbound.recipient, Inbound.envelope_from, Inbound.received_at,
                    Inbound.source, Inbound.decision, Inbound.ticket_id, Inbound.released,
                )
                .where(*_wanted(since), Inbound.id > last)
                .order_by(Inbound.id)
                .limit(BATCH)
            ).all()  # fmt: skip
            for row in rows:
                last = row.id
                yield _one(session, row, new, old)
        if not rows:
            return


def _wanted(since: datetime) -> tuple[Any, ...]:
    """Mails that rules may have seen. Of an erased one nothing is left for them to look at."""
    handled = Inbound.state.in_(["done", "rejected", "held"])
    return (handled, Inbound.received_at >= since, Inbound.size > 0)


def _one(session: Session, row: Any, new: Desk, old: Desk | None) -> Replayed | None:
    decision = row.decision or {}
    outcome = decision.get("outcome")
    if outcome not in _LOOKED_AT:
        return None
    ticket = session.get(Ticket, row.ticket_id) if row.ticket_id is not None else None
    reply = outcome == "threaded" or (outcome == "held" and ticket is not None)
    kept = decision.get("route")
    if (old is None and kept is None) or (reply and not (new.rules_on_replies or _has_replies(old))):
        return None
    about = ticket_facts(session, ticket) if ticket is not None and reply else None
    facts = _facts(session, row, decision, about, new)
    then = kept if old is None else _decided(facts, row, old)
    return Replayed(
        inbound_id=row.id,
        received_at=row.received_at,
        sender=facts.sender,
        subject=facts.subject,
        ticket=ticket.number if ticket is not None else None,
        occasion="reply" if reply else "new",
        then=then,
        now=_decided(facts, row, new),
    )


def _has_replies(desk: Desk | None) -> bool:
    return desk is not None and desk.rules_on_replies


def _decided(facts: MailFacts, row: Any, desk: Desk) -> dict[str, Any]:
    """What the rules of a desk come to; which department an address is in is the desk's matter too."""
    own = replace(facts, department_by_address=desk.department_by_address.get(base_recipient(row.recipient)))
    if facts.ticket is not None:
        return route_record(react(own, desk))
    return route_record(route(own, desk))


def _facts(
    session: Session, row: Any, decision: dict[str, Any], ticket: TicketFacts | None, desk: Desk
) -> MailFacts:
    raw = blobs.get(session, row.blob)
    mail = read(raw, row.envelope_from)
    address = mail.mail.sender.address
    sender = canonical(address) if address else None
    known, open_tickets = history_at(session, sender, row.received_at) if sender else (False, 0)
    arrival = Arrival(
        row.id, row.recipient, row.envelope_from, row.source, row.received_at, "", released=row.released
    )
    facts = Facts(
        department=None, sender=sender, sender_agent=None, known_sender=known,
        history=SenderHistory(open_tickets=open_tickets),
    )  # fmt: skip
    level = Trust(decision.get("trust", "unknown"))
    return rule_facts(mail, arrival, facts, level, row.received_at, ticket)
