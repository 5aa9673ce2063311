"""An outbox row becomes the bytes of a mail: its texts are fetched, its template rendered, once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from mailticket.config.desk import Department, Desk
from mailticket.delivery.alert_values import alert_of, summary_of
from mailticket.delivery.context import context_of
from mailticket.delivery.letter import (
    Complaint,
    FileView,
    Letter,
    OtherTicket,
    OwnTicket,
    Passage,
    Person,
    Receipt,
    TapLink,
    TicketView,
    ticket_view,
)
from mailticket.delivery.moments import readers_zone
from mailticket.delivery.render import Renderer
from mailticket.domain import console_mail, report_mail
from mailticket.domain.console_mail import ConsoleMail
from mailticket.domain.digest_mail import DigestMail, from_json
from mailticket.domain.receipt import receipt_from_json
from mailticket.domain.report_mail import ReportMail
from mailticket.domain.types import TicketFacts, Trust
from mailticket.mail.compose import OutgoingAttachment, OutgoingParts, compose
from mailticket.mail.marker import marker_line
from mailticket.mail.threading import lasting_subject, outlook_headers
from mailticket.mail.token import reply_address
from mailticket.mail.types import Address
from mailticket.store.models import Entry, EntryAttachment
from mailticket.store.outbox import ClaimedOut, Rendered
from mailticket.work.logos import logo_of
from mailticket.work.material import (
    PASSED_ON,
    SHOWS_LAST_MESSAGE,
    Material,
    carries_files,
    fitting,
    made_files,
)

_MOST_PARTS = 100
"""Parts of an attached mail up to which it goes out as one; programs on its way would take it apart."""


def write(renderer: Renderer, mail: ClaimedOut, material: Material, desk: Desk, now: datetime) -> Rendered:
    """Render and compose one mail. Raises `TemplateProblem` for a broken template, ValueError for an
    address of ours that cannot be written into a header."""
    context = mail.context
    letter = _letter(mail, material, desk, now)
    rendered = renderer.render(mail.template, context.get("language") or "en", context_of(letter))
    subject = rendered.subject
    if letter.ticket is not None and context["token"]:  # who cannot answer has no conversation
        subject = lasting_subject(subject, material.subject, letter.ticket.tag, letter.ticket.number)
    sender, token = context["sender_address"], context["token"]
    name = context["sender_name"]
    chain = tuple(context["references"])
    answered = (Address(name, reply_address(sender, token)),) if token else ()
    parts = OutgoingParts(
        sender=Address(name, sender),
        to=(Address(mail.recipient_name, mail.recipient),),
        reply_to=answered,
        subject=subject,
        message_id=mail.message_id,
        date=now,
        text=rendered.text,
        html=rendered.html,
        in_reply_to=chain[-1] if chain else None,
        references=chain,
        attachments=(*_attachments(mail, material), *_logo_parts(mail, desk)),
        automatic=context["automatic"],
        instance=desk.instance,
        bulk=mail.audience == "internal",
        headers=(
            *outlook_headers(context.get("thread"), mail.message_id, subject, now),
            *_importance(mail, desk),
        ),
    )
    return Rendered(mail.id, compose(parts), subject)


def _importance(mail: ClaimedOut, desk: Desk) -> tuple[tuple[str, str], ...]:
    """The mark of an urgent ticket, for agents: words in the subject would tear conversations apart."""
    ticket = mail.context["ticket"]
    priority = desk.priorities.get(ticket["priority"]) if ticket and mail.audience == "internal" else None
    if priority is None or priority.urgency != 1:
        return ()
    return (("Importance", "high"), ("X-Priority", "1"))


def _letter(mail: ClaimedOut, material: Material, desk: Desk, now: datetime) -> Letter:
    context, extra = mail.context, mail.context["extra"]
    internal = mail.audience == "internal"
    view = _view(context["ticket"], extra, desk, customer=not internal) if context["ticket"] else None
    entry = material.entry
    said = _passage(entry, material.files) if entry else None
    zone, is_theirs = _zone(mail, desk, now)
    department = desk.departments.get(context["ticket"]["department"]) if context["ticket"] else None
    return Letter(
        recipient=Person(mail.recipient_name, mail.recipient, "agent" if internal else "customer"),
        company=desk.name,
        company_url=desk.url or "",
        logo=_shown_logo(mail, department, desk),
        now=now,
        zone=zone,
        zone_is_theirs=is_theirs,
        command_prefix=desk.command_prefix,
        reply=(marker_line(context.get("language") or "en"), context["token"]) if context["token"] else None,
        ticket=view,
        message=_message_shown(mail, material, said),
        response=said if entry and entry.kind == "response" else None,
        note=said if entry and entry.kind == "note" else None,
        signature=department.signature if department and not internal else "",
        reason=context["reason"],
        assigner=extra.get("by", ""),
        assignee=view.assigned if view else "",
        comments=_comments(mail, material),
        from_department=_department_name(extra.get("from_department"), desk),
        problems=tuple(Complaint(*problem) for problem in extra.get("problems", ())),
        held_from=extra.get("held_from", ""),
        alias=extra.get("address", ""),
        notice=extra.get("notice", ""),
        about=extra.get("about", ""),
        since_date=_moment(extra.get("since_date")),
        next_date=_moment(extra.get("next_date")),
        updated=bool(extra.get("updated")),
        newcomer=bool(extra.get("newcomer")),
        missed=tuple(passage for one in material.missed if (passage := _passage(one, ())) is not None),
        expired=bool(extra.get("expired")),
        receipt=receipt_from_json(extra.get("receipt")),
        tickets=tuple(_own(one) for one in extra.get("tickets", ())),
        actions=tuple(TapLink(**action) for action in context.get("actions", ())),
        received=_received(entry, material.files, view),
        promise_date=_moment(extra.get("promise_date")),
        also=tuple(OtherTicket(**one) for one in extra.get("also", ())),
        merged_from=extra.get("merged_from", ""),
        canned=extra.get("canned_text", ""),
        original_subject=extra.get("subject", ""),
        original_text=extra.get("text", ""),
        report=report_mail.from_json(extra["report"]) if "report" in extra else ReportMail(),
        digest=from_json(extra["digest"]) if "digest" in extra else DigestMail(),
        console=console_mail.from_json(extra["console"]) if "console" in extra else ConsoleMail(),
        alert=alert_of(extra.get("alert")),
        alerts=summary_of(extra.get("alerts")),
    )


def _message_shown(mail: ClaimedOut, material: Material, said: Passage | None) -> Passage | None:
    """The customer's message: what the mail tells of, else the last one.

    Anybody can write in somebody else's name, so what came is not sent back.
    """
    if mail.audience != "internal" and mail.template != "ticket.activity.notice":
        return None
    is_message = material.entry is not None and material.entry.kind == "message"
    return said if is_message else _passage(material.last_message, ())


def _comments(mail: ClaimedOut, material: Material) -> str:
    """What an agent wrote beside what the mail tells of."""
    entry, beside = material.entry, material.beside
    if entry is not None and mail.template in SHOWS_LAST_MESSAGE and entry.kind != "message":
        beside = entry
    if beside is not None and mail.audience == "internal":
        return beside.text
    comments: str = mail.context["extra"].get("comments", "")
    return comments


def _logo_parts(mail: ClaimedOut, desk: Desk) -> tuple[OutgoingAttachment, ...]:
    """The logo of the department, in mails to customers."""
    ticket = mail.context["ticket"]
    if mail.audience == "internal" or not ticket:
        return ()
    logo = logo_of(desk.departments.get(ticket["department"]))
    return () if logo is None else (logo,)


def _shown_logo(mail: ClaimedOut, department: Department | None, desk: Desk) -> tuple[str, str] | None:
    parts = _logo_parts(mail, desk)
    alt = department.logo_alt if department is not None else None
    return (parts[0].content_id, alt or desk.name) if parts else None


def _zone(mail: ClaimedOut, desk: Desk, now: datetime) -> tuple[str, bool]:
    """In which zone the reader reads times, and whether it is known to be theirs."""
    if mail.audience != "internal":
        return readers_zone(mail.context.get("utc_offset"), desk.time_zone, now)
    agent = desk.agents.get(desk.agent_by_address.get(mail.recipient.lower(), ""))
    own = agent.time_zone if agent is not None else None
    return own or desk.time_zone, own is not None


def _view(snapshot: dict[str, Any], extra: dict[str, Any], desk: Desk, *, customer: bool) -> TicketView:
    times = ("created_at", "due_at", "overdue_since", "closed_at")
    values = {
        **snapshot,
        **{name: datetime.fromisoformat(snapshot[name]) if snapshot[name] else None for name in times},
    }
    facts = TicketFacts(participants=frozenset(), **values)
    return ticket_view(facts, desk, suspected=extra.get("suspected", ""), customer=customer)


def _own(told: dict[str, Any]) -> OwnTicket:
    opened = datetime.fromisoformat(told["opened"])
    return OwnTicket(told["number"], told["subject"], told["state"], opened, _moment(told["due"]))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _department_name(key: str | None, desk: Desk) -> str:
    if key is None:
        return ""
    return desk.departments[key].name if key in desk.departments else key


def _passage(entry: Entry | None, files: Iterable[EntryAttachment]) -> Passage | None:
    if entry is None:
        return None
    names = tuple(file.filename for file in files if file.kind in PASSED_ON)
    return Passage(entry.text, entry.author_name or entry.author, entry.created_at, names)


def _received(entry: Entry | None, files: Sequence[EntryAttachment], view: TicketView | None) -> Receipt:
    if entry is None or view is None:
        return Receipt()
    kept = [FileView(file.filename, file.size) for file in files if file.kind in PASSED_ON]
    proven = entry.trust in (Trust.TOKEN, Trust.AUTHENTICATED)
    return Receipt(view.subject, len(kept), tuple(kept) if proven else ())


def _attachments(mail: ClaimedOut, material: Material) -> tuple[OutgoingAttachment, ...]:
    data = material.data
    foreign = fitting(material.files) if carries_files(mail) else ()
    passed_on = (
        OutgoingAttachment(file.filename, _type_of(file, data[file.blob]), data[file.blob])
        for file in foreign
    )
    made = (
        OutgoingAttachment(file["name"], file["content_type"], data[file["blob"]])
        for file in made_files(mail)
    )
    whole = material.original
    original = () if whole is None else (OutgoingAttachment("original.eml", _message_type(whole), whole),)
    return (*passed_on, *original, *made)


def _type_of(file: EntryAttachment, data: bytes) -> str:
    """Its own type, but plain octets for a mail nested or split to hurt whoever takes it apart.

    Python's own parser gives up on some hundred mails in one another, and so do filters and clients.
    """
    return _message_type(data) if file.content_type == "message/rfc822" else file.content_type


def _message_type(data: bytes) -> str:
    nested = data.lower().count(b"content-type:") > _MOST_PARTS
    return "application/octet-stream" if nested else "message/rfc822"
