"""What an agent is told of a mail that did something: who got what, what changed, what was ignored, and undo.

Made from the events, so that it tells what has happened and not what was meant. A dry run tells the
same of what would happen; only the template's words differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from mailticket.config.desk import Desk
from mailticket.domain.agent_notice import to_agent
from mailticket.domain.change import AddEntry, Change, Decision, SetField, Tag
from mailticket.domain.notice import REPLIED, Notice
from mailticket.domain.statuses import state_words
from mailticket.domain.taps import undo_tap
from mailticket.domain.types import Audience, Event, EventKind, TicketFacts

_FIELDS: Final = {
    "status": "Status",
    "assignee": "Assigned to",
    "team": "Team",
    "department": "Department",
    "priority": "Priority",
    "topic": "Topic",
    "sla_plan": "SLA plan",
    "subject": "Subject",
    "requester": "Requester",
    "minutes_spent": "Minutes spent",
}
_SAID = (EventKind.RESPONSE, EventKind.NOTE)
_UNDOABLE = (*_SAID, EventKind.COLLAB, EventKind.ACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a mail did, or would do. Names, not keys; no word of the mail itself.

    mail       the stored mail it is about
    sent       who is sent the answer, each with name and address
    direct     it went out without us, as a sentence that says to whom
    until      when it goes out, ISO 8601; "" for at once
    earlier    it is no answer of this mail: one that waited, for somebody who has come to the ticket
    noted      a note was kept; told: names of the agents who hear of it
    changed    (what, before, after)
    done       what else happened, as sentences
    ignored    what of the mail does nothing, as sentences
    undoing    it takes back another mail: then
    stopped    who does not get that one's answer, got who has it already, and kept what stays, in words
    withdrawn  what it said is withdrawn
    undo       it can be taken back
    dry        nothing of it was done
    """

    mail: int = 0
    sent: tuple[str, ...] = ()
    direct: str = ""
    until: str = ""
    earlier: bool = False
    noted: bool = False
    told: tuple[str, ...] = ()
    changed: tuple[tuple[str, str, str], ...] = ()
    done: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    undoing: bool = False
    stopped: tuple[str, ...] = ()
    got: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    withdrawn: bool = False
    undo: bool = False
    dry: bool = False


def receipt_of(
    decision: Decision,
    events: Sequence[Event],
    notices: Sequence[Notice],
    mail: int,
    desk: Desk,
) -> Receipt:
    """The receipt for an agent's mail: of the decision, what it did, and the mails that go out for it."""
    undone = next((event.data for event in events if event.kind is EventKind.UNDONE), None)
    answers = [notice for notice in notices if notice.template == "ticket.reply"]
    filed = (one for one in decision.changes if isinstance(one, AddEntry) and one.delivered)
    direct = next((one.why for one in filed), "")
    said = any(event.kind in _SAID for event in events)
    held = min((notice.not_before for notice in answers if notice.not_before is not None), default=None)
    receipt = Receipt(
        mail=mail,
        sent=tuple(dict.fromkeys(_person(notice) for notice in answers)),
        direct=direct,
        until=held.isoformat() if held is not None else "",
        earlier=all(event.kind is not EventKind.RESPONSE for event in events),
        noted=any(event.kind is EventKind.NOTE for event in events),
        told=_told(notices, decision.agent) if said else (),
        changed=tuple(_changed(events, desk)),
        done=tuple(event.reason for event in events if _is_sentence(event)),
        ignored=(*decision.ignored, *_already(decision.changes, events, desk)),
        undo=undone is None and not direct and any(_can_go_back(event) for event in events),
        dry=decision.dry_run,
    )
    return receipt if undone is None else _of_undo(receipt, undone)


def receipt_notice(
    receipt: Receipt, decision: Decision, ticket: TicketFacts, desk: Desk, cause: str
) -> Notice | None:
    """The receipt as a mail to the agent; None for who wants to hear of errors only.

    What was asked for (a dry run, an undo) is always answered. cause: unique name of the mail.
    """
    key = decision.agent or ""
    one = desk.agents.get(key)
    asked = receipt.dry or receipt.undoing
    if one is None or (not asked and (one.receipts or desk.receipts) == "errors"):
        return None
    return to_agent(
        desk,
        key,
        "agent.receipt",
        cause,
        extra={"receipt": asdict(receipt)},
        ticket=ticket.id,
        automatic=REPLIED,
        taps=(undo_tap(ticket, receipt.mail),) if receipt.undo and not receipt.dry else (),
        seen=decision.seen,
    )


def with_receipt(
    notices: Sequence[Notice],
    decision: Decision,
    events: Sequence[Event],
    ticket: TicketFacts | None,
    desk: Desk,
    mail: int,
) -> tuple[Notice, ...]:
    """The notices of a mail, and its receipt where it is an agent's. mail: the stored one."""
    if decision.agent is None or ticket is None or _told_already(events, notices, decision.agent):
        return tuple(notices)
    receipt = receipt_of(decision, events, notices, mail, desk)
    notice = receipt_notice(receipt, decision, ticket, desk, f"inbound:{mail}")
    return tuple(notices) if notice is None else (*notices, notice)


def _told_already(events: Sequence[Event], notices: Sequence[Notice], agent: str) -> bool:
    """Whether the one thing the mail did is what another mail to its author is about."""
    absent = bool(events) and all(event.kind in (EventKind.AWAY, EventKind.BACK) for event in events)
    return absent and any(
        notice.identity == f"agent:{agent}" and notice.template in ("agent.away", "agent.back")
        for notice in notices
    )


def receipt_from_json(data: dict[str, Any] | None) -> Receipt:
    """The receipt that was put into the outbox; an empty one for None."""
    if data is None:
        return Receipt()
    known = {one.name for one in fields(Receipt)}
    values = {name: _frozen(value) for name, value in data.items() if name in known}
    return Receipt(**values)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list | tuple) else value


def _of_undo(receipt: Receipt, undone: dict[str, Any]) -> Receipt:
    values = {one.name: getattr(receipt, one.name) for one in fields(Receipt)}
    return Receipt(
        **values
        | {
            "undoing": True,
            "stopped": tuple(undone["cancelled"]),
            "got": tuple(undone["sent"]),
            "kept": tuple(undone["kept"]),
            "withdrawn": undone["withdrawn"],
            "undo": False,
        }
    )


def _person(notice: Notice) -> str:
    name, address = notice.recipient_name, notice.recipient
    return f"{name} <{address}>" if name and name != address else address


def _told(notices: Iterable[Notice], agent: str | None) -> tuple[str, ...]:
    inside = (one for one in notices if one.audience is Audience.INTERNAL)
    return tuple(dict.fromkeys(one.recipient_name for one in inside if one.identity != f"agent:{agent}"))


def _changed(events: Iterable[Event], desk: Desk) -> Iterator[tuple[str, str, str]]:
    for event in events:
        name = event.data.get("field")
        if name is not None and "before" in event.data:
            yield (
                label_of(name, desk),
                words_of(name, event.data["before"], desk),
                words_of(name, event.data["after"], desk),
            )
        elif "tag" in event.data:
            tag, added = event.data["tag"], event.data["added"]
            yield ("Tag", "" if added else tag, tag if added else "")


def _is_sentence(event: Event) -> bool:
    shown = "before" in event.data or "tag" in event.data
    return not shown and event.kind not in (*_SAID, EventKind.UNDONE, EventKind.RETURNED)


def _can_go_back(event: Event) -> bool:
    data = event.data
    return "before" in data or "tag" in data or data.get("field") == "due" or event.kind in _UNDOABLE


def _already(changes: Iterable[Change], events: Sequence[Event], desk: Desk) -> Iterator[str]:
    """What was asked for and was so before."""
    for change in changes:
        if isinstance(change, SetField) and not _happened(events, "field", change.name):
            now = words_of(change.name, change.value, desk)
            yield f"{label_of(change.name, desk)}: it was {now} already"
        elif isinstance(change, Tag) and not _happened(events, "tag", change.tag):
            yield f"Tag {change.tag}: it was {'there already' if change.add else 'not there'}"


def _happened(events: Iterable[Event], key: str, value: str) -> bool:
    return any(event.data.get(key) == value for event in events)


def label_of(name: str, desk: Desk) -> str:
    """What people call a field of a ticket."""
    return _FIELDS.get(name, name.removeprefix("field:").replace("_", " ").capitalize())


def words_of(name: str, value: Any, desk: Desk) -> str:
    """A field's value as people say it; a key the configuration no longer has stands for itself."""
    if value is None or value == "":
        return "nobody" if name in ("assignee", "team") else "nothing"
    things: dict[str, Mapping[str, Any]] = {
        "assignee": desk.agents,
        "team": desk.teams,
        "department": desk.departments,
        "priority": desk.priorities,
        "topic": desk.topics,
        "sla_plan": desk.sla_plans,
    }
    named = things.get(name, {}).get(value)
    if named is not None:
        return str(named.name)
    return state_words(str(value)) if name == "status" else str(value)
