"""What a mail may say, in people's words: the values of which its template's context is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mailticket.config.desk import Desk
from mailticket.delivery.alert_values import AlertSummary, AlertView
from mailticket.domain import receipt as receipts
from mailticket.domain.console_mail import ConsoleMail
from mailticket.domain.digest_mail import DigestMail
from mailticket.domain.fields import visible_to
from mailticket.domain.report_mail import ReportMail
from mailticket.domain.statuses import status_name
from mailticket.domain.types import TicketFacts

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
    state: str = "open"
    """What `status` is in the eyes of rules, whatever the house calls it: "on-hold"."""
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
    """A one-tap action: what it does, in a word and in words, and the mailto: link (`short` in text)."""

    name: str
    label: str
    link: str
    short: str = ""


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
    return TicketView(
        number=ticket.number,
        tag=desk.subject_tag.format(number=ticket.number),
        subject=ticket.subject,
        status=status_name(desk, ticket.status, ticket.custom_status),
        state=ticket.status,
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
