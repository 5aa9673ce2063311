"""Sample mails, one per template: for `mailticket templates preview`, `mailticket check` and the tests.

Nobody in them exists; the addresses are reserved ones (RFC 2606).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from mailticket.delivery.alert_values import AlertRow, AlertSummary, AlertView
from mailticket.delivery.context import (
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
    context_of,
)
from mailticket.delivery.render import Renderer, TemplateProblem
from mailticket.delivery.sample_console import sample_console
from mailticket.delivery.sample_digest import sample_digest
from mailticket.delivery.sample_report import sample_report
from mailticket.domain import receipt as receipts
from mailticket.mail.mailto import mailto_link
from mailticket.mail.marker import marker_line

_NOW = datetime(2026, 11, 3, 13, 40, tzinfo=UTC)
_ZONE = "Europe/Berlin"
_TOKEN = "cei5uabqmfxgk43umvsca3tpebuxg5a7onuxu6dfnv2hi2lo"  # noqa: S105 -- signed by nobody
_TAPS = tuple(
    TapLink(name, label, mailto_link(f"support+{_TOKEN}@bank.example", subject, "Just send this mail."))
    for name, label, subject in (
        ("take", "Take it", "Take ticket 20261103-0001"),
        ("resolve", "Mark as solved", "Resolve ticket 20261103-0001"),
    )
)
_SIGNATURE = "Kind regards\nSupport team, Example Bank\nMon-Fri 8:00-18:00 CET"
_CUSTOMER = Person("Erika Muster", "erika@customer.example", "customer")
_AGENT = Person("Anna Agent", "anna@bank.example", "agent")
_MESSAGE = Passage(
    "Hello,\n\nsince this morning I cannot log in to online banking. After the TAN the page says:\n\n"
    "    Error 503: service unavailable\n\nMy phone and my laptop show the same. I have to pay a bill "
    "today!\n\nErika Muster",
    "Erika Muster",
    datetime(2026, 11, 3, 8, 12, tzinfo=UTC),
    ("screenshot.png", "log 3 November.txt"),
)
_ANSWER = (
    "Dear Ms Muster,\n\nthank you for the exact description, it helped. A certificate had expired on one of "
    "our servers; it has been renewed at 14:20 and logging in works again.\n\nPlease try once more, and "
    "write to me if anything is still odd."
)


def sample_ticket(**changes: object) -> TicketView:
    """The ticket of all samples, with other values where given."""
    values: dict[str, object] = {
        "number": "20261103-0001",
        "tag": "[#20261103-0001]",
        "subject": "Online banking: no login since this morning",
        "status": "open",
        "priority": "High",
        "department": "Support",
        "topic": "Report a problem",
        "name": "Erika Muster",
        "email": "erika@customer.example",
        "sla": "Four hours",
        "source": "mail",
        "create_date": datetime(2026, 11, 3, 8, 12, tzinfo=UTC),
        "due_date": datetime(2026, 11, 3, 17, 0, tzinfo=UTC),
    } | changes
    return TicketView(**values)  # type: ignore[arg-type]  # the values of a table, checked by every sample


def _letter(**parts: object) -> Letter:
    values: dict[str, object] = {
        "recipient": _AGENT,
        "company": "Example Bank",
        "now": _NOW,
        "zone": _ZONE,
        "reply": (marker_line("en"), _TOKEN),
        "reason": "you work in Support",
        "actions": _TAPS,
    } | parts
    return Letter(**values)  # type: ignore[arg-type]  # as above


def _to_customer(**parts: object) -> Letter:
    return _letter(
        **{"recipient": _CUSTOMER, "signature": _SIGNATURE, "reason": "", "ticket": sample_ticket()}
        | {"actions": ()}
        | parts
    )


def _digest() -> Letter:
    manager = Person("Mara Manager", "mara@bank.example", "manager")
    reason = "you manage Support and System administration"
    return _letter(recipient=manager, reply=None, digest=sample_digest(_NOW), reason=reason)


def _report() -> Letter:
    manager = Person("Mara Manager", "mara@bank.example", "manager")
    reason = "you are a reader of the report Service levels"
    return _letter(recipient=manager, reply=None, report=sample_report(), reason=reason)


def _note_alert() -> Letter:
    note = Passage("The certificate on web-2 has expired. I am on it.", "Ben Agent", _NOW)
    return _letter(
        ticket=sample_ticket(assigned="Anna Agent"), note=note, reason="the ticket is assigned to you"
    )


def _warning() -> Letter:
    alert = AlertView(
        what="first response",
        standing="due in 40 min",
        due=_NOW + timedelta(minutes=40),
        ledger="unassigned 3 h 20 min",
        others=(("resolution", "due in 6 h 40 min"),),
    )
    return _letter(ticket=sample_ticket(), message=_MESSAGE, alert=alert, reason="you work in Support")


def _overdue() -> Letter:
    ticket = sample_ticket(
        assigned="Anna Agent",
        due_date=_NOW - timedelta(hours=2),
        overdue_since=_NOW - timedelta(hours=2),
    )
    alert = AlertView(
        what="resolution",
        standing="overdue by 2 h",
        due=_NOW - timedelta(hours=2),
        ledger="unassigned 2 h, with Anna Agent 5 h, waiting for the customer 1 d (not counted)",
        climbs=True,
    )
    return _letter(ticket=ticket, message=_MESSAGE, alert=alert, reason="you manage Support")


def _alerts() -> Letter:
    rows = (
        AlertRow("20261031-0007", "Card blocked abroad", "first response", "overdue by 5 h", ""),
        AlertRow("20261102-0012", "Statement is missing", "resolution", "due in 50 min", "Anna Agent"),
    )
    summary = AlertSummary(overdue_count=31, soon_count=1, rows=rows, more=30)
    return _letter(reply=None, alerts=summary, reason="you manage Support")


def _command_error() -> Letter:
    wrong = "#asign ben"
    return _letter(
        ticket=sample_ticket(),
        problems=(Complaint(wrong, "this is no command", "#assign"),),
        original_subject="Re: [#20261103-0001] Online banking: no login since this morning",
        original_text=f"{wrong}\n\nBen, can you look at web-2?",
        reason="",
    )


def _refused() -> Letter:
    why = "it names ticket 20261103-0001, but nothing proves that Anna Agent wrote it"
    return _letter(
        reply=None,
        problems=(Complaint("", why),),
        original_subject="Re: Online banking",
        original_text="#close\n\nAll is well again.",
        reason="",
    )


def _receipt() -> Letter:
    receipt = receipts.Receipt(
        mail=17,
        sent=("Erika Muster <erika@customer.example>",),
        until=(_NOW + timedelta(seconds=30)).isoformat(),
        told=("Ben Agent",),
        changed=(("Status", "open", "in progress"), ("Assigned to", "nobody", "Anna Agent")),
        ignored=("Priority: it was High already",),
        undo=True,
    )
    link = mailto_link(f"support+{_TOKEN}@bank.example", "Undo my mail about ticket 20261103-0001", "")
    undo = (TapLink("undo", "Undo it", link),)
    return _letter(
        ticket=sample_ticket(status="in progress", assigned="Anna Agent"),
        receipt=receipt,
        actions=undo,
        reason="",
    )


def _challenge() -> Letter:
    return _letter(
        alias="anna@home.example",
        original_subject="Re: [#20261103-0001] Online banking",
        original_text="It works again, I have renewed the certificate.",
        reason="",
    )


def _unplaced() -> Letter:
    return _letter(
        recipient=_AGENT,
        ticket=None,
        reply=None,
        problems=(
            Complaint(
                "", 'the copy of the mail names its author only as "Erika Muster", without an address', ""
            ),
        ),
        original_subject="FW: Online banking",
        original_text="Can you look into this, please?",
    )


_RECEIVED = Receipt(
    "Online banking: no login since this morning",
    2,
    (FileView("screenshot.png", 184_320), FileView("log 3 November.txt", 2_150)),
)
_PROMISE = datetime(2026, 11, 3, 16, 12, tzinfo=UTC)


def _acknowledgement(**parts: object) -> Letter:
    return _to_customer(**{"received": _RECEIVED, "promise_date": _PROMISE, "zone_is_theirs": True} | parts)


SAMPLES: dict[str, Callable[[], Letter]] = {
    "ticket.autoresp": _acknowledgement,
    "message.autoresp": _acknowledgement,
    "ticket.autoreply": lambda: _to_customer(
        canned='You can set a new password yourself: choose "Forgotten password" on\n'
        "the login page. The link in the mail you then get holds for one hour.",
        promise_date=_PROMISE,
    ),
    "ticket.notice": lambda: _to_customer(promise_date=_PROMISE),
    "ticket.activity.notice": lambda: _to_customer(
        recipient=Person("Max Muster", "max@customer.example", "customer"), message=_MESSAGE
    ),
    "ticket.overlimit": _to_customer,
    "ticket.held": lambda: _to_customer(ticket=sample_ticket(number="20261103-0009", tag="[#20261103-0009]")),
    "ticket.resolved": lambda: _to_customer(ticket=sample_ticket(status="resolved", close_date=_NOW)),
    "ticket.closed": lambda: _to_customer(ticket=sample_ticket(status="closed", close_date=_NOW)),
    "ticket.reopened": lambda: _to_customer(ticket=sample_ticket(assigned="Anna Agent")),
    "ticket.merged": lambda: _to_customer(merged_from="20261103-0007"),
    "ticket.satisfaction": lambda: _to_customer(ticket=sample_ticket(status="resolved", close_date=_NOW)),
    "ticket.reply": lambda: _to_customer(response=Passage(_ANSWER, "Anna Agent", _NOW)),
    "ticket.alert": lambda: _letter(ticket=sample_ticket(), message=_MESSAGE),
    "message.alert": lambda: _letter(ticket=sample_ticket(assigned="Anna Agent"), message=_MESSAGE),
    "held.alert": lambda: _letter(
        ticket=sample_ticket(
            number="20261103-0009",
            tag="[#20261103-0009]",
            subject="Re: Online banking: no login since this morning",
            name="Max Muster",
            email="max@elsewhere.example",
            suspected="20261103-0001",
        ),
        message=Passage("I have the same trouble, could you keep me posted?", "Max Muster", _NOW),
        reason="ticket 20261103-0001 is assigned to you",
    ),
    "held.ask": lambda: _to_customer(held_from="elsewhere.example"),
    "bounce.alert": lambda: _letter(
        ticket=sample_ticket(assigned="Anna Agent"),
        response=Passage(_ANSWER, "Anna Agent", _NOW),
        notice="your answer to #20261103-0001 did not reach erika@customer.example: "
        "there is no such mailbox (5.1.1)",
        about="erika@customer.example",
        reason="",
    ),
    "brake.alert": lambda: _letter(
        ticket=sample_ticket(),
        notice="erika@customer.example opened 30 tickets within an hour, the limit is 30",
        about="erika@customer.example",
        reason="",
    ),
    "note.alert": _note_alert,
    "assigned.alert": lambda: _letter(
        ticket=sample_ticket(assigned="Anna Agent"),
        message=_MESSAGE,
        assigner="Ben Agent",
        assignee="you",
        comments="You know the login servers best.",
        reason="the ticket is now yours",
    ),
    "released.alert": lambda: _letter(
        ticket=sample_ticket(),
        message=_MESSAGE,
        notice="Anna Agent has done nothing on it for 8 h, and it waits for the desk.",
        about="Anna Agent",
        reason="it is your department's ticket",
    ),
    "transfer.alert": lambda: _letter(
        ticket=sample_ticket(department="System administration", priority="Emergency"),
        message=_MESSAGE,
        assigner="Anna Agent",
        from_department="Support",
        comments="Several customers report the same: this looks like an outage.",
        reason="you work in System administration",
    ),
    "referral.alert": lambda: _letter(
        ticket=sample_ticket(fields=(("Severity", "major"),)),
        message=_MESSAGE,
        assigner="Anna Agent",
        about="System administration",
        comments="Is there an outage?",
        reason="you work in System administration",
    ),
    "waited.alert": lambda: _letter(
        ticket=sample_ticket(assigned="Anna Agent", status="in progress"),
        message=_MESSAGE,
        notice="It waited for #20261103-0009, which is done.",
        reason="the ticket is assigned to you",
    ),
    "guard.alert": lambda: _letter(
        ticket=sample_ticket(assigned="Anna Agent", status="waiting"),
        notice="It is time to resolve this ticket, but something has to be known first.",
        problems=(Complaint("", "Support wants a help topic before a ticket ends", "#topic NAME"),),
        reason="the ticket is assigned to you",
    ),
    "ticket.warning": _warning,
    "ticket.overdue": _overdue,
    "ticket.alerts": _alerts,
    "ticket.nudge": lambda: _to_customer(
        response=Passage("Which page shows the error? A screenshot would help.", "Anna Agent", _NOW),
        since_date=_NOW - timedelta(days=4),
        next_date=_NOW + timedelta(days=3),
    ),
    "ticket.autoresolved": lambda: _to_customer(since_date=_NOW - timedelta(days=9)),
    "ticket.autoclosed": _to_customer,
    "ticket.status": lambda: _to_customer(
        ticket=None,
        reply=None,
        tickets=(
            OwnTicket("20261103-0002", "The card reader", "waiting", _NOW - timedelta(days=2), None),
            OwnTicket("20261103-0001", "No login", "open", _NOW, _NOW + timedelta(hours=4)),
        ),
    ),
    "ticket.update": lambda: _to_customer(
        ticket=sample_ticket(status="on hold", assigned="Anna Agent"), since_date=_NOW - timedelta(days=2)
    ),
    "loop.reminder": lambda: _letter(
        ticket=sample_ticket(assigned="Anna Agent", status="in progress"),
        message=_MESSAGE,
        since_date=_NOW - timedelta(days=2),
        updated=True,
        reason="the customer has heard nothing for a while, and you have this ticket",
    ),
    "ticket.wakeup": lambda: _letter(
        ticket=sample_ticket(assigned="Anna Agent", status="in progress"),
        message=_MESSAGE,
        notice="it was to wait until 2026-12-01 09:00 UTC",
        reason="it was to wait until 2026-12-01 09:00 UTC",
    ),
    "ticket.reminder": lambda: _letter(
        ticket=sample_ticket(assigned="Anna Agent", status="in progress"),
        message=_MESSAGE,
        notice="ring her about the spare part",
        reason="you asked to be reminded of this ticket",
    ),
    "ticket.digest": _digest,
    "report.monthly": _report,
    "command.error": _command_error,
    "command.help": lambda: _letter(ticket=sample_ticket(), reason=""),
    "console.answer": lambda: _letter(
        console=sample_console(), original_subject="overdue?", reason="you asked for it by mail"
    ),
    "agent.refused": _refused,
    "agent.unplaced": _unplaced,
    "agent.receipt": _receipt,
    "agent.stale": lambda: _letter(
        ticket=sample_ticket(assigned="Anna Agent"),
        missed=(Passage("It works again, thank you!", "Erika Muster", _NOW - timedelta(minutes=5)),),
        actions=(TapLink("send", "Send it as it is", _TAPS[0].link),),
        original_text="Please restart the router.",
        reason="",
    ),
    "agent.challenge": _challenge,
    "agent.away": lambda: _letter(
        reply=None, notice="until the end of Tue 1 Dec 2026", about="Ben Agent", reason=""
    ),
    "agent.back": lambda: _letter(reply=None, notice="until Tue 1 Dec 2026 09:00", reason=""),
    "ticket.forward": lambda: _letter(
        reply=None,
        original_subject="Online banking: no login",
        reason='rule "monitoring"',
    ),
}
"""One mail for every template of the catalogue, made anew on each call."""

VARIANTS: dict[str, dict[str, Callable[[], Letter]]] = {
    "ticket.autoresp": {
        "unproven": lambda: _acknowledgement(received=Receipt(_RECEIVED.subject, 2), zone_is_theirs=False),
        "nothing-promised": lambda: _to_customer(recipient=Person("", "erika@customer.example", "customer")),
        "burst": lambda: _acknowledgement(
            also=(
                OtherTicket("20261103-0002", "Online banking: the app does not start either"),
                OtherTicket("20261103-0003", "Please call me back"),
            )
        ),
    },
    "ticket.autoreply": {"nothing-promised": lambda: _to_customer(canned="We are closed until 7 January.")},
    "ticket.notice": {"nothing-promised": _to_customer},
    "message.autoresp": {"nothing-promised": _to_customer},
    "ticket.nudge": {"without-words": _to_customer},
    "ticket.update": {
        "taken": lambda: _to_customer(ticket=sample_ticket(assigned="Anna Agent"), since_date=_NOW),
        "nobody": _to_customer,
    },
    "ticket.reply": {
        "solved": lambda: _to_customer(
            response=Passage(_ANSWER, "Anna Agent", _NOW),
            ticket=sample_ticket(status="resolved", close_date=_NOW),
        )
    },
    "ticket.autoresolved": {"without-date": _to_customer},
}
"""Further mails, by template and occasion: the branches that the first sample does not take."""


def samples_of(code: str) -> dict[str, Callable[[], Letter]]:
    """Every sample of a template, by occasion; the main one is called "usual"."""
    return {"usual": SAMPLES[code], **VARIANTS.get(code, {})}


def check_templates(renderer: Renderer) -> Iterator[TemplateProblem]:
    """Render every template in every language on its sample; yields what is wrong, as `check` reports it."""
    for language in renderer.languages():
        for code in SAMPLES:
            for sample in samples_of(code).values():
                try:
                    renderer.render(code, language, context_of(sample()))
                except TemplateProblem as problem:
                    yield problem
                    break
