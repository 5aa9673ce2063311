"""What each template is given: osTicket's variable names, as plain nested data.

A mail is described by a `Letter`; `context_of` turns it into what `Renderer.render` takes. Every name
is always there (text that does not apply is "", a time that does not apply is None), because a name
that is missing is an error. What of it a template may count on is in `CATALOGUE`.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from mailticket.delivery.alert_values import AlertView
from mailticket.delivery.console_values import console_values
from mailticket.delivery.letter import Complaint, Letter, Passage, TicketView
from mailticket.domain import receipt as receipts
from mailticket.domain.digest_mail import DigestMail
from mailticket.mail.charset import clean_text
from mailticket.mail.defang import defang
from mailticket.mail.vocabulary import CommandName


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
        "also": [{"number": other.number, "subject": _harmless(other.subject)} for other in letter.also],
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
        "by_number": letter.digest.by_number or letter.console.by_number or letter.alerts.by_number,
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


_LONGEST_FOREIGN = 100
"""Characters of a value that an outsider may have written."""
_PUBLIC = (
    "number", "tag", "subject", "status", "priority", "department", "dept", "topic", "name", "email",
    "create_date", "due_date", "close_date",
)  # fmt: skip


def _public(view: TicketView) -> dict[str, Any]:
    """What of a ticket its customer may know: not who has it, only that somebody does."""
    known = _ticket(view)
    return {name: known[name] for name in _PUBLIC} | {
        "taken": bool(view.assigned),
        "state": view.state,
        "fields": [[name, _harmless(value)] for name, value in view.fields],
    }


def _harmless(foreign: str) -> str:
    """A line that anybody may have written, as it can stand in a mail to whom they chose."""
    return defang(clean_text(foreign, limit=_LONGEST_FOREIGN, one_line=True))


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
