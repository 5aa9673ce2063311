"""A desk without a daemon: mails go through the real reading, deciding, storing and writing, in turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine, select

from mailticket.config.desk import Agent, Department, Desk, Priority
from mailticket.delivery.render import Renderer
from mailticket.domain.change import Decision
from mailticket.domain.decide import decide
from mailticket.domain.notify import Occasion, plan
from mailticket.domain.receipt import with_receipt
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.types import Arrival, Outcome
from mailticket.mail.read import read
from mailticket.store import blobs, outbox
from mailticket.store.apply import apply
from mailticket.store.changes import record
from mailticket.store.engine import reading, transaction
from mailticket.store.models import Inbound, Ticket
from mailticket.store.queries import gather
from mailticket.store.ticket_facts import ticket_facts
from mailticket.work.announce import announce
from mailticket.work.assigning import assigned
from mailticket.work.letters import write
from mailticket.work.material import load_material
from mailticket.work.webhooks import tell_webhooks

SECRET = b"0123456789abcdef0123456789abcdef"
SUPPORT, SAM = "support@desk.example", "sam.private@agents.example"


def small_desk(**options: Any) -> Desk:
    """Support with one agent, Sam, whose answers go out at once and who gets no receipts."""
    options = {"undo_hold": timedelta(0), "receipts": "errors"} | options
    return Desk(
        acknowledge_after=options.pop("acknowledge_after", timedelta(0)),
        name="Example Bank",
        instance="test",
        default_department="support",
        departments={
            "support": Department(key="support", name="Support", addresses=(SUPPORT,), members=("sam",))
        },
        agents={"sam": Agent(key="sam", name="Sam Support", addresses=(SAM,))},
        priorities={"normal": Priority(key="normal", name="Normal", urgency=3)},
        **options,
    )


@dataclass
class SmallDesk:
    """Takes mails in one at a time; what goes out is in `sent`, in order."""

    engine: Engine
    desk: Desk = field(default_factory=small_desk)
    now: datetime = datetime(2026, 11, 21, 10, tzinfo=UTC)
    sent: list[EmailMessage] = field(default_factory=list)

    def receive(
        self, raw: bytes, recipient: str = SUPPORT, sender: str = "someone@relay.example"
    ) -> Decision:
        """Store and handle one mail, and write what it causes; a minute passes."""
        self.now += timedelta(minutes=1)
        mail = read(raw, sender)
        digest = sha256(raw + recipient.encode()).hexdigest()
        with transaction(self.engine) as session:
            inbound = Inbound(
                digest=digest, content_digest=sha256(raw).hexdigest(), blob=blobs.put(session, raw),
                size=len(raw), source="smtp", envelope_from=sender, recipient=recipient,
                received_at=self.now, next_try_at=self.now,
            )  # fmt: skip
            session.add(inbound)
            session.flush()
            arrival = Arrival(inbound.id, recipient, sender, "smtp", self.now, inbound.content_digest)
            facts = gather(session, mail, arrival, self.desk, SECRET)
            decision = decide(mail, arrival, facts, self.desk, self.now)
            times = WorkingTimes(self.desk)
            decision = assigned(session, decision, facts, mail, self.desk, times, self.now)
            inbound.state = "held" if decision.outcome in (Outcome.HELD, Outcome.STALE) else "done"
            done = apply(session, decision, mail, arrival, self.now)
            inbound.ticket_id = done.ticket.id if done.ticket else decision.ticket
            record(session, done.events, decision.trust)
            session.flush()
            after = ticket_facts(session, done.ticket) if done.ticket else None
            tell_webhooks(session, done.events, after, self.desk, f"inbound:{inbound.id}", self.now)
            notices = plan(done.events, after, self.desk, Occasion(f"in:{inbound.id}", decision.acknowledge))
            notices = with_receipt(notices, decision, done.events, after, self.desk, inbound.id)
            announce(session, notices, after, self.desk, SECRET, self.now)
        self.send()
        return decision

    def to(self, address: str) -> list[EmailMessage]:
        """What went out to an address."""
        return [mail for mail in self.sent if mail["To"].addresses[0].addr_spec == address]

    def tickets(self) -> list[Ticket]:
        """Every ticket, oldest first."""
        with reading(self.engine) as session:
            found = list(session.execute(select(Ticket).order_by(Ticket.id)).scalars())
            session.expunge_all()
            return found

    def send(self) -> None:
        """Write what is due."""
        self._send()

    def _send(self) -> None:
        renderer = Renderer()
        claimed = outbox.claim(self.engine, self.now, 100, timedelta(days=99))
        with reading(self.engine) as session:
            material = load_material(session, claimed)
            made = [write(renderer, mail, material[mail.id], self.desk, self.now) for mail in claimed]
        outbox.store_rendered(self.engine, made)
        for one in sorted(made, key=lambda one: one.id):
            self.sent.append(message_from_bytes(one.data, policy=policy.default))
