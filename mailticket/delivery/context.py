"""What each template is given: osTicket's variable names, as plain nested data.

A mail is described by a `Letter`; `context_of` turns it into what `Renderer.render` takes. Every name
is always there (text that does not apply is "", a time that does not apply is None), because a name
that is missing is an error. What of it a template may count on is in `CATALOGUE`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from mailticket.config.desk import Desk
from mailticket.delivery.alert_values import AlertSummary, AlertView
from mailticket.delivery.console_values import console_values
from mailticket.domain import receipt as receipts
from mailticket.domain.console_mail import ConsoleMail
from mailticket.domain.digest_mail import DigestMail
from mailticket.domain.fields import visible_to
from mailticket.domain.report_mail import ReportMail
from mailticket.domain.types import TicketFacts
from mailticket.mail.vocabulary import CommandName

Reader = Literal["customer", "agent", "manager"]
_NO_CONSOLE = ConsoleMail()
_NO_DIGEST = DigestMail()
_NO_REPORT = ReportMail()
_NO_ALERT = AlertView()
_NO_ALERTS = AlertSummary()
_NOTHING_DONE = receipts.Receipt()


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketView:
    """A ticket in people's words: names, not keys. Times are aware."""

    number: str
    tag: str
    """How subjects name it, such as `[#1042]`."""
    subject: str
    status: str
    priority: str
    department: str
    name: str
    email: str
    create_date: datetime
    topic: str = ""
    assigned: str = ""
    """The agent or the team that has it, "" for nobody."""
    sla: str = ""
    source: str = ""
    due_date: datetime | None = None
    overdue_since: datetime | None = None
    close_date: datetime | None = None
    suspected: str = ""
    """The number of the ticket this one may belong to."""
    fields: tuple[tuple[str, str], ...] = ()
    """(name, value) of the custom fields this reader may see."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A thread entry: what somebody wrote."""

    text: str
    poster: str
    date: datetime | None = None
    attachments: tuple[str, ...] = ()
    """Names of the files that came with it."""


@dataclass(frozen=True, slots=True)
class FileView:
    """A file by its name and its size in bytes."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What of a customer's mail its acknowledgement repeats.

    Anybody can write in somebody else's name, so of a mail that nobody proved to be its sender's the
    files are only counted: `attachments` is then empty.
    """

    subject: str = ""
    attachment_count: int = 0
    attachments: tuple[FileView, ...] = ()


@dataclass(frozen=True, slots=True)
class OtherTicket:
    """A further ticket that a mail tells of."""

    number: str
    subject: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who reads the mail."""

    name: str
    address: str
    kind: Reader


@dataclass(frozen=True, slots=True)
class Complaint:
    """One line of an agent's mail that was not understood. `nearest` is the valid command closest to it."""

    line: str
    reason: str
    nearest: str = ""


@dataclass(frozen=True, slots=True)
class TapLink:
    """A one-tap action: what it does, in a word and in words, and the mailto: link."""

    name: str
    label: str
    link: str


_NO_RECEIPT = Receipt()


@dataclass(frozen=True, slots=True)
class OwnTicket:
    """A ticket as its customer is told of it. state: "open", "in-progress", "waiting" or "on-hold"."""

    number: str
    subject: str
    state: str
    opened: datetime
    due: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Everything a mail may say. Only `recipient`, `company`, `now` and `zone` concern every mail.

    reply    (marker line, token) for a mail that can be replied to
    reason   in words, why this reader gets the mail
    comments what an agent wrote beside an assignment or a transfer
    held_from  the mail domain of a stranger whose reply is held
    alias    the address that an agent is asked about
    notice     what the desk itself has found out: that mail did not arrive, or was not sent
    since_date since when the customer waits, or the desk for them; next_date  when it is resolved
    updated    the customer was told where the ticket stands
    newcomer   the reader has had few alerts yet, so that it is explained how to answer
    about      whom or what it is about, such as an address
    tickets    a customer's own, where they asked for them
    actions    what the reader can ask for by one tap
    logo       (content id, text in its place) of an image that goes along
    promise_date  by when an answer can be expected
    also       further tickets an acknowledgement tells of
    merged_from  number of the ticket that was merged into this one
    canned     the text of a canned reply, its variables filled in
    receipt    what a mail of the reader's did
    missed     what the reader had not seen, oldest first; expired: their answer was given up
    """

    recipient: Person
    company: str
    now: datetime
    company_url: str = ""
    logo: tuple[str, str] | None = None
    zone: str = "UTC"
    zone_is_theirs: bool = False
    command_prefix: str = "#"
    reply: tuple[str, str] | None = None
    ticket: TicketView | None = None
    message: Passage | None = None
    response: Passage | None = None
    note: Passage | None = None
    signature: str = ""
    reason: str = ""
    assigner: str = ""
    assignee: str = ""
    comments: str = ""
    from_department: str = ""
    held_from: str = ""
    alias: str = ""
    notice: str = ""
    about: str = ""
    since_date: datetime | None = None
    next_date: datetime | None = None
    updated: bool = False
    newcomer: bool = True
    actions: tuple[TapLink, ...] = ()
    tickets: tuple[OwnTicket, ...] = ()
    received: Receipt = _NO_RECEIPT
    promise_date: datetime | None = None
    also: tuple[OtherTicket, ...] = ()
    merged_from: str = ""
    canned: str = ""
    receipt: receipts.Receipt = _NOTHING_DONE
    missed: tuple[Passage, ...] = ()
    expired: bool = False
    problems: tuple[Complaint, ...] = ()
    original_subject: str = ""
    original_text: str = ""
    digest: DigestMail = _NO_DIGEST
    report: ReportMail = _NO_REPORT
    console: ConsoleMail = _NO_CONSOLE
    alert: AlertView = _NO_ALERT
    alerts: AlertSummary = _NO_ALERTS


def ticket_view(
    ticket: TicketFacts, desk: Desk, *, source: str = "mail", suspected: str = "", customer: bool = True
) -> TicketView:
    """A ticket's facts in the desk's words; a key the configuration no longer has stands for itself."""
    agent = desk.agents.get(ticket.assignee or "")
    team = desk.teams.get(ticket.team or "")
    department = desk.departments.get(ticket.department)
    topic = desk.topics.get(ticket.topic or "")
    plan = desk.sla_plans.get(ticket.sla_plan or "")
    priority = desk.priorities.get(ticket.priority)
    own = desk.statuses.get(ticket.custom_status or "")
    return TicketView(
        number=ticket.number,
        tag=desk.subject_tag.format(number=ticket.number),
        subject=ticket.subject,
        status=own.name if own else ticket.status.replace("-", " "),
        priority=priority.name if priority else ticket.priority,
        department=department.name if department else ticket.department,
        name=ticket.requester_name,
        email=ticket.requester,
        create_date=ticket.created_at,
        topic=topic.name if topic else ticket.topic or "",
        assigned=agent.name if agent else team.name if team else ticket.assignee or ticket.team or "",
        sla=plan.name if plan else ticket.sla_plan or "",
        source=source,
        due_date=ticket.due_at,
        overdue_since=ticket.overdue_since,
        close_date=ticket.closed_at,
        suspected=suspected,
        fields=tuple(visible_to(desk, ticket.fields, customer=customer)),
    )


def context_of(letter: Letter) -> dict[str, Any]:
    """The context of a mail, for `Renderer.render`. A ticket or entry it is not about is left out.

    A customer's mail gets what customers may know and nothing else: a template that asks for more
    fails, whatever it wants to do with it.
    """
    rest = _for_customer if letter.recipient.kind == "customer" else _inside
    return _common(letter) | rest(letter)


def _common(letter: Letter) -> dict[str, Any]:
    """What every reader may know."""
    return {
        "company": {"name": letter.company, "url": letter.company_url},
        "recipient": {
            "name": letter.recipient.name,
            "address": letter.recipient.address,
            "kind": letter.recipient.kind,
        },
        "reply": {"marker": letter.reply[0], "token": letter.reply[1]} if letter.reply else None,
        "logo": {"cid": letter.logo[0], "alt": letter.logo[1]} if letter.logo else None,
        "now": letter.now,
        "zone": letter.zone,
        "zone_is_theirs": letter.zone_is_theirs,
        "signature": letter.signature,
        "since_date": letter.since_date,
        "next_date": letter.next_date,
        "actions": [asdict(action) for action in letter.actions],
        "tickets": [asdict(one) for one in letter.tickets],
    }


def _for_customer(letter: Letter) -> dict[str, Any]:
    context: dict[str, Any] = {
        "held_from": letter.held_from,
        "received": asdict(letter.received),
        "promise_date": letter.promise_date,
        "also": [asdict(other) for other in letter.also],
        "merged_from": letter.merged_from,
        "canned": letter.canned,
    }
    if letter.ticket is not None:
        context["ticket"] = _public(letter.ticket)
    for name, passage in (("message", letter.message), ("response", letter.response)):
        if passage is not None:
            context[name] = _passage(passage)
    return context


def _inside(letter: Letter) -> dict[str, Any]:
    context: dict[str, Any] = {
        "command_prefix": letter.command_prefix,
        "commands": _commands(letter.command_prefix),
        "reason": letter.reason,
        "assigner": letter.assigner,
        "assignee": letter.assignee,
        "comments": letter.comments,
        "from_department": letter.from_department,
        "alias": letter.alias,
        "notice": letter.notice,
        "about": letter.about,
        "updated": letter.updated,
        "newcomer": letter.newcomer,
        "receipt": _done(letter.receipt),
        "missed": [_passage(passage) for passage in letter.missed],
        "expired": letter.expired,
        "problems": [_complaint(problem) for problem in letter.problems],
        "original": {"subject": letter.original_subject, "text": letter.original_text},
        "digest": _digest(letter.digest, letter.now),
        "report": asdict(letter.report),
        "console": console_values(letter.console, letter.now),
        "alert": _alert(letter.alert),
        "alerts": asdict(letter.alerts),
    }
    if letter.ticket is not None:
        context["ticket"] = _ticket(letter.ticket)
    for name, passage in (("message", letter.message), ("response", letter.response), ("note", letter.note)):
        if passage is not None:
            context[name] = _passage(passage)
    return context


@lru_cache(maxsize=2)
def _commands(prefix: str) -> tuple[tuple[str, str], ...]:
    """(how a command is written, what it does) of the whole vocabulary."""
    return tuple(
        (f"{prefix}{one} {one.shape.placeholder}".strip(), one.help.replace("`", "")) for one in CommandName
    )


_PUBLIC = (
    "number", "tag", "subject", "status", "priority", "department", "dept", "topic", "name", "email",
    "create_date", "due_date", "close_date",
)  # fmt: skip


def _public(view: TicketView) -> dict[str, Any]:
    """What of a ticket its customer may know: not who has it, only that somebody does."""
    known = _ticket(view)
    return {name: known[name] for name in _PUBLIC} | {"taken": bool(view.assigned)}


def _ticket(view: TicketView) -> dict[str, Any]:
    department = {"name": view.department}
    return {
        "number": view.number,
        "tag": view.tag,
        "subject": view.subject,
        "status": view.status,
        "priority": view.priority,
        "department": department,
        "dept": department,
        "topic": view.topic,
        "assigned": view.assigned,
        "sla": view.sla,
        "source": view.source,
        "name": view.name,
        "email": view.email,
        "create_date": view.create_date,
        "due_date": view.due_date,
        "overdue_since": view.overdue_since,
        "close_date": view.close_date,
        "suspected": view.suspected,
        "fields": [list(field) for field in view.fields],
    }


def _passage(passage: Passage) -> dict[str, Any]:
    return {
        "text": passage.text,
        "poster": passage.poster,
        "date": passage.date,
        "attachments": list(passage.attachments),
    }


def _complaint(problem: Complaint) -> dict[str, str]:
    return {"line": problem.line, "reason": problem.reason, "nearest": problem.nearest}


def _alert(view: AlertView) -> dict[str, Any]:
    return asdict(view) | {"others": ", ".join(f"{what} {standing}" for what, standing in view.others)}


def _done(receipt: receipts.Receipt) -> dict[str, Any]:
    """The receipt as it is, and whether it has anything to tell but what was ignored."""
    changed = [{"what": what, "before": before, "after": after} for what, before, after in receipt.changed]
    spoken = receipt.sent or receipt.noted or receipt.changed or receipt.done or receipt.undoing
    return asdict(receipt) | {
        "until": datetime.fromisoformat(receipt.until) if receipt.until else None,
        "changed": changed,
        "nothing": not spoken,
    }


def _digest(mail: DigestMail, now: datetime) -> dict[str, Any]:
    """The digest as it is, and what follows from it: sums, and lengths of time up to `now`."""
    plain = asdict(mail)
    for department in plain["departments"]:
        for name in ("overdue", "soon", "unassigned", "changed", "waiting", "open"):
            department[name] = [_row(row, now) for row in department[name]]
    return plain | {
        "overdue_count": sum(part.overdue_count for part in mail.departments),
        "open_count": sum(part.open_count for part in mail.departments),
        "moved": mail.new + mail.worse + mail.better + mail.gone,
    }


def _row(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    overdue, due, waiting = row["overdue_since"], row["due_date"], row["waiting_since"]
    return row | {
        "late": now - overdue if overdue else None,
        "age": now - row["create_date"],
        "left": due - now if due and due > now else None,
        "waiting": now - waiting if waiting else None,
    }
