"""Taking back what an agent's mail did: what `#undo` changes, and what of it cannot be undone.

Nothing is kept for it but the event log: each event of an agent's mail names the mail, and the value
before. Mails to customers wait for the hold, so that within it an answer can be taken back as if it had
never been written: its entry is withdrawn, and clocks count neither it nor what came with it. After the
hold the answer has gone; fields still go back, unless somebody has changed them since.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

from mailticket.config.desk import Desk
from mailticket.domain.actor import Actor, Effect
from mailticket.domain.change import (
    AddParticipant,
    Change,
    RemoveParticipant,
    SetField,
    SetRequester,
    SetWake,
    SpendTime,
    Tag,
)
from mailticket.domain.requests import DoneEvent, DoneMail, Withdraw
from mailticket.domain.tie_changes import SetCustomField
from mailticket.domain.types import EventKind, TicketFacts
from mailticket.mail.commands import Command, Problem
from mailticket.mail.vocabulary import CommandName

_SAID = (EventKind.RESPONSE, EventKind.NOTE)
_PLAIN = frozenset({
    "assignee", "team", "department", "priority", "topic", "sla_plan", "subject",
})  # fmt: skip
_BY_LOG = {EventKind.ACKNOWLEDGED: "acknowledged"}
"""Kinds that are taken back by no longer counting."""


def hold_of(desk: Desk, ticket: TicketFacts) -> timedelta:
    """How long an agent's mails to customers about `ticket` wait, so that they can be taken back.

    The most urgent priority waits for nothing.
    """
    priority = desk.priorities.get(ticket.priority)
    if priority is not None and priority.urgency == 1:
        return timedelta(0)
    department = desk.departments.get(ticket.department)
    own = department.undo_hold if department is not None else None
    return desk.undo_hold if own is None else own


def undo(command: Command, actor: Actor) -> list[Change] | Problem:
    """The changes that take back an agent's own mail, or why there is nothing to take back."""
    done, number = actor.facts.done.get(actor.ticket.id), actor.ticket.number
    if actor.asked.body:
        return Problem(command.line, "takes a mail back and takes no text; write your new answer afterwards")
    if done is None:
        return Problem(command.line, f"there is nothing of yours on #{number} that could be taken back")
    if done.undone:
        return Problem(command.line, f"what you did on #{number} was taken back already")
    back = _Back(actor, done)
    changes = back.changes()
    if not changes:
        return Problem(command.line, "; ".join(back.kept) or "that mail changed nothing")
    return changes


class _Back:
    """One mail being taken back; `kept` fills up with what stays, in words."""

    def __init__(self, actor: Actor, done: DoneMail) -> None:
        self.actor, self.done = actor, done
        self.kept: list[str] = []
        self.void: list[str] = []
        self.sent = [mail for mail in done.mails if mail.gone]
        self.waiting = [mail for mail in done.mails if not mail.gone]
        self.clean = not self.sent and actor.now - done.at < hold_of(actor.desk, actor.ticket)

    def changes(self) -> list[Change]:
        """All that goes back, newest first, behind the change that says so."""
        restored = [change for event in reversed(self.done.events) for change in self._one(event)]
        said = next((event for event in self.done.events if event.kind in _SAID), None)
        withdrawn = said is not None and not self._has_gone(said)
        if withdrawn:
            self.void.append(EventKind.RESPONSE)
        if not (restored or withdrawn or self.waiting or self.void):
            return []
        why = f"{self.actor.name} takes back a mail of {self.done.at:%Y-%m-%d %H:%M:%S} UTC"
        head = Withdraw(
            ticket=self.actor.ticket.id,
            mail=self.done.inbound,
            entry=said.entry_id if said is not None and withdrawn else None,
            cancel=tuple(mail.id for mail in self.waiting),
            cancelled=tuple(mail.shown for mail in self.waiting),
            sent=tuple(mail.shown for mail in self.sent),
            void=tuple(dict.fromkeys(self.void)),
            kept=tuple(self.kept),
            actor=self.actor.identity,
            why=why,
            clean=self.clean and not self.kept,
        )
        return [head, *restored]

    def _has_gone(self, said: DoneEvent) -> bool:
        """Whether the customer has, or may have, what was said. Who got it by other means has it."""
        return said.kind == EventKind.RESPONSE and (bool(self.sent) or not self.waiting)

    def _one(self, event: DoneEvent) -> Iterator[Change]:
        data, ticket = event.data, self.actor.ticket.id
        what = data.get("field")
        if what == "due" or event.kind in _BY_LOG:
            self.void.append(_BY_LOG.get(EventKind(event.kind), "due"))
        elif what is not None and "before" in data:
            yield from self._field(what, data)
        elif "tag" in data:
            if self._unchanged("tag", data["tag"], f"the tag {data['tag']}"):
                yield Tag(ticket, data["tag"], not data["added"], self.actor.identity, self._why(data["tag"]))
        elif event.kind == EventKind.COLLAB:
            yield from self._taking_part(data)
        elif event.kind not in _SAID and "answer" not in data:  # a held answer stays given up
            self.kept.append(f"cannot be taken back: {event.reason}")

    def _field(self, name: str, data: dict[str, Any]) -> Iterator[Change]:
        words = name.removeprefix("field:").replace("_", " ")
        if not self._unchanged("field", name, f"the {words}"):
            return
        change = self._back(name, data, self._why(f"the {words}"))
        if change is None:
            self.kept.append(f"the {words} cannot be taken back")
            return
        if self.clean:
            self.void.append(name)
        yield change

    def _back(self, name: str, data: dict[str, Any], why: str) -> Change | None:
        """The change that gives a field its value of before."""
        ticket, who = self.actor.ticket.id, self.actor.identity
        if name == "requester":
            # whoever took part before they became the requester goes on taking part
            return SetRequester(ticket, data["before"], data.get("present", False), who, why)
        if name == "minutes_spent":
            return SpendTime(ticket, -data["minutes"], "", who, why)
        if name == "wake":
            moment = datetime.fromisoformat(data["before"]) if data["before"] else None
            return SetWake(ticket, moment, who, why)
        if name.startswith("field:"):
            return SetCustomField(ticket, name.removeprefix("field:"), data["before"], who, why)
        if name == "custom_status":
            return SetField(ticket, "status", self.actor.ticket.status, who, why, custom=data["before"])
        if name == "status":
            return SetField(ticket, name, data["before"], who, why, custom=data.get("custom_before"))
        if name in _PLAIN:
            return SetField(ticket, name, data["before"], who, why)
        return None

    def _taking_part(self, data: dict[str, Any]) -> Iterator[Change]:
        ticket, who, participants = self.actor.ticket, self.actor.identity, self.actor.ticket.participants
        added, removed = data.get("added"), data.get("removed")
        if added is not None and added in participants and added != ticket.requester:
            yield RemoveParticipant(ticket.id, added, who, self._why(f"the part of {added}"))
        elif removed is not None and removed not in participants:
            yield AddParticipant(ticket.id, removed, "", who, self._why(f"the part of {removed}"))

    def _unchanged(self, key: str, value: str, words: str) -> bool:
        """Whether nobody has touched it since."""
        later = next((event for event in self.done.later if event.data.get(key) == value), None)
        if later is not None:
            self.kept.append(f"{words} stays: it has been changed again since")
        return later is None

    def _why(self, what: str) -> str:
        return f"{self.actor.name} takes the change of {what} back"


class Logged(Protocol):
    """A row of a ticket's event log."""

    @property
    def kind(self) -> str:
        """What happened: a value of `EventKind`."""
        ...

    @property
    def data(self) -> dict[str, Any]:
        """What belongs to it."""
        ...


Row = TypeVar("Row", bound=Logged)


def counting(log: Sequence[Row]) -> Sequence[Row]:
    """The events of a ticket that clocks count: without what was taken back, and what took it back."""
    void: dict[Any, set[str]] = {}
    for row in log:
        if row.kind == EventKind.UNDONE:
            for mail in (row.data["undid"], row.data.get("mail")):
                void.setdefault(mail, set()).update(row.data["void"])
    if not void:
        return log
    return [row for row in log if _what(row) not in void.get(row.data.get("mail"), ())]


def _what(row: Logged) -> str:
    return str(row.data.get("field") or row.kind)


def undo_asked(lines: Iterable[str], prefix: str) -> bool:
    """Whether a mail may hold the command; found before it is parsed."""
    words = (f"{prefix}{word}" for word in (CommandName.UNDO, *CommandName.UNDO.aliases))
    wanted = tuple(words)
    return any(line.strip(" \t>*_").casefold().startswith(wanted) for line in lines)


ALONE: Final[dict[CommandName, Effect]] = {CommandName.UNDO: undo}
