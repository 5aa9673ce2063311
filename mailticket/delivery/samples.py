"""Sample mails, one per template: for `mailticket templates preview`, `mailticket check` and the tests.

Nobody in them exists; the addresses are reserved ones (RFC 2606).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from mailticket.delivery.alert_values import AlertRow, AlertSummary, AlertView
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
)
from mailticket.delivery.render import Renderer, TemplateProblem
from mailticket.delivery.sample_console import sample_console
from mailticket.delivery.sample_digest import sample_digest
from mailticket.delivery.sample_parts import (
    AGENT,
    ANSWER,
    MESSAGE,
    NOW,
    TAPS,
    TOKEN,
    letter,
    sample_ticket,
    to_customer,
)
from mailticket.delivery.sample_report import sample_report
from mailticket.domain import receipt as receipts
from mailticket.mail.mailto import mailto_link


def _digest() -> Letter:
    manager = Person("Mara Manager", "mara@bank.example", "manager")
    reason = "you manage Support and System administration"
    return letter(recipient=manager, reply=None, digest=sample_digest(NOW), reason=reason)


def _report() -> Letter:
    manager = Person("Mara Manager", "mara@bank.example", "manager")
    reason = "you are a reader of the report Service levels"
    return letter(recipient=manager, reply=None, report=sample_report(), reason=reason)


def _note_alert() -> Letter:
    note = Passage("The certificate on web-2 has expired. I am on it.", "Ben Agent", NOW)
    return letter(
        ticket=sample_ticket(assigned="Anna Agent"), note=note, reason="the ticket is assigned to you"
    )


def _warning() -> Letter:
    alert = AlertView(
        what="first response",
        standing="due in 40 min",
        due=NOW + timedelta(minutes=40),
        ledger="unassigned 3 h 20 min",
        others=(("resolution", "due in 6 h 40 min"),),
    )
    return letter(ticket=sample_ticket(), message=MESSAGE, alert=alert, reason="you work in Support")


def _overdue() -> Letter:
    ticket = sample_ticket(
        assigned="Anna Agent",
        due_date=NOW - timedelta(hours=2),
        overdue_since=NOW - timedelta(hours=2),
    )
    alert = AlertView(
        what="resolution",
        standing="overdue by 2 h",
        due=NOW - timedelta(hours=2),
        ledger="unassigned 2 h, with Anna Agent 5 h, waiting for the customer 1 d (not counted)",
        climbs=True,
    )
    return letter(ticket=ticket, message=MESSAGE, alert=alert, reason="you manage Support")


def _alerts() -> Letter:
    rows = (
        AlertRow("20261031-0007", "Card blocked abroad", "first response", "overdue by 5 h", "", 1),
        AlertRow("20261102-0012", "Statement is missing", "resolution", "due in 50 min", "Anna Agent", 2),
    )
    shown = ("1 assign bob", "1,2 close", "all priority high")
    summary = AlertSummary(overdue_count=31, soon_count=1, rows=rows, more=30, by_number=shown)
    return letter(reply=None, alerts=summary, reason="you manage Support")


def _command_error() -> Letter:
    wrong = "#asign ben"
    return letter(
        ticket=sample_ticket(),
        problems=(Complaint(wrong, "this is no command", "#assign"),),
        original_subject="Re: [#20261103-0001] Online banking: no login since this morning",
        original_text=f"{wrong}\n\nBen, can you look at web-2?",
        reason="",
    )


def _refused() -> Letter:
    why = "it names ticket 20261103-0001, but nothing proves that Anna Agent wrote it"
    return letter(
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
        until=(NOW + timedelta(seconds=30)).isoformat(),
        told=("Ben Agent",),
        changed=(("Status", "open", "in progress"), ("Assigned to", "nobody", "Anna Agent")),
        ignored=("Priority: it was High already",),
        undo=True,
    )
    link = mailto_link(f"support+{TOKEN}@bank.example", "Undo my mail about ticket 20261103-0001", "")
    undo = (TapLink("undo", "Undo it", link),)
    return letter(
        ticket=sample_ticket(status="in progress", assigned="Anna Agent"),
        receipt=receipt,
        actions=undo,
        reason="",
    )


def _challenge() -> Letter:
    return letter(
        alias="anna@home.example",
        original_subject="Re: [#20261103-0001] Online banking",
        original_text="It works again, I have renewed the certificate.",
        reason="",
    )


def _unplaced() -> Letter:
    return letter(
        recipient=AGENT,
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
    return to_customer(**{"received": _RECEIVED, "promise_date": _PROMISE, "zone_is_theirs": True} | parts)


SAMPLES: dict[str, Callable[[], Letter]] = {
    "ticket.autoresp": _acknowledgement,
    "message.autoresp": _acknowledgement,
    "ticket.autoreply": lambda: to_customer(
        canned='You can set a new password yourself: choose "Forgotten password" on\n'
        "the login page. The link in the mail you then get holds for one hour.",
        promise_date=_PROMISE,
    ),
    "ticket.notice": lambda: to_customer(promise_date=_PROMISE),
    "ticket.activity.notice": lambda: to_customer(
        recipient=Person("Max Muster", "max@customer.example", "customer"), message=MESSAGE
    ),
    "ticket.overlimit": to_customer,
    "ticket.held": lambda: to_customer(ticket=sample_ticket(number="20261103-0009", tag="[#20261103-0009]")),
    "ticket.resolved": lambda: to_customer(ticket=sample_ticket(status="resolved", close_date=NOW)),
    "ticket.closed": lambda: to_customer(ticket=sample_ticket(status="closed", close_date=NOW)),
    "ticket.reopened": lambda: to_customer(ticket=sample_ticket(assigned="Anna Agent")),
    "ticket.merged": lambda: to_customer(merged_from="20261103-0007"),
    "ticket.satisfaction": lambda: to_customer(ticket=sample_ticket(status="resolved", close_date=NOW)),
    "ticket.reply": lambda: to_customer(response=Passage(ANSWER, "Anna Agent", NOW)),
    "ticket.alert": lambda: letter(ticket=sample_ticket(), message=MESSAGE),
    "message.alert": lambda: letter(ticket=sample_ticket(assigned="Anna Agent"), message=MESSAGE),
    "held.alert": lambda: letter(
        ticket=sample_ticket(
            number="20261103-0009",
            tag="[#20261103-0009]",
            subject="Re: Online banking: no login since this morning",
            name="Max Muster",
            email="max@elsewhere.example",
            suspected="20261103-0001",
        ),
        message=Passage("I have the same trouble, could you keep me posted?", "Max Muster", NOW),
        reason="ticket 20261103-0001 is assigned to you",
    ),
    "held.ask": lambda: to_customer(held_from="elsewhere.example"),
    "bounce.alert": lambda: letter(
        ticket=sample_ticket(assigned="Anna Agent"),
        response=Passage(ANSWER, "Anna Agent", NOW),
        notice="your answer to #20261103-0001 did not reach erika@customer.example: "
        "there is no such mailbox (5.1.1)",
        about="erika@customer.example",
        reason="",
    ),
    "brake.alert": lambda: letter(
        ticket=sample_ticket(),
        notice="erika@customer.example opened 30 tickets within an hour, the limit is 30",
        about="erika@customer.example",
        reason="",
    ),
    "note.alert": _note_alert,
    "assigned.alert": lambda: letter(
        ticket=sample_ticket(assigned="Anna Agent"),
        message=MESSAGE,
        assigner="Ben Agent",
        assignee="you",
        comments="You know the login servers best.",
        reason="the ticket is now yours",
    ),
    "released.alert": lambda: letter(
        ticket=sample_ticket(),
        message=MESSAGE,
        notice="Anna Agent has done nothing on it for 8 h, and it waits for the desk.",
        about="Anna Agent",
        reason="it is your department's ticket",
    ),
    "transfer.alert": lambda: letter(
        ticket=sample_ticket(department="System administration", priority="Emergency"),
        message=MESSAGE,
        assigner="Anna Agent",
        from_department="Support",
        comments="Several customers report the same: this looks like an outage.",
        reason="you work in System administration",
    ),
    "referral.alert": lambda: letter(
        ticket=sample_ticket(fields=(("Severity", "major"),)),
        message=MESSAGE,
        assigner="Anna Agent",
        about="System administration",
        comments="Is there an outage?",
        reason="you work in System administration",
    ),
    "waited.alert": lambda: letter(
        ticket=sample_ticket(assigned="Anna Agent", status="in progress"),
        message=MESSAGE,
        notice="It waited for #20261103-0009, which is done.",
        reason="the ticket is assigned to you",
    ),
    "guard.alert": lambda: letter(
        ticket=sample_ticket(assigned="Anna Agent", status="waiting"),
        notice="It is time to resolve this ticket, but something has to be known first.",
        problems=(Complaint("", "Support wants a help topic before a ticket ends", "#topic NAME"),),
        reason="the ticket is assigned to you",
    ),
    "ticket.warning": _warning,
    "ticket.overdue": _overdue,
    "ticket.alerts": _alerts,
    "ticket.nudge": lambda: to_customer(
        response=Passage("Which page shows the error? A screenshot would help.", "Anna Agent", NOW),
        since_date=NOW - timedelta(days=4),
        next_date=NOW + timedelta(days=3),
    ),
    "ticket.autoresolved": lambda: to_customer(since_date=NOW - timedelta(days=9)),
    "ticket.autoclosed": to_customer,
    "ticket.status": lambda: to_customer(
        ticket=None,
        reply=None,
        tickets=(
            OwnTicket("20261103-0002", "The card reader", "waiting", NOW - timedelta(days=2), None),
            OwnTicket("20261103-0001", "No login", "open", NOW, NOW + timedelta(hours=4)),
        ),
    ),
    "ticket.update": lambda: to_customer(
        ticket=sample_ticket(status="on hold", state="on-hold", assigned="Anna Agent"),
        since_date=NOW - timedelta(days=2),
    ),
    "loop.reminder": lambda: letter(
        ticket=sample_ticket(assigned="Anna Agent", status="in progress"),
        message=MESSAGE,
        since_date=NOW - timedelta(days=2),
        updated=True,
        reason="the customer has heard nothing for a while, and you have this ticket",
    ),
    "ticket.wakeup": lambda: letter(
        ticket=sample_ticket(assigned="Anna Agent", status="in progress"),
        message=MESSAGE,
        notice="it was to wait until 2026-12-01 09:00 UTC",
        reason="it was to wait until 2026-12-01 09:00 UTC",
    ),
    "ticket.reminder": lambda: letter(
        ticket=sample_ticket(assigned="Anna Agent", status="in progress"),
        message=MESSAGE,
        notice="ring her about the spare part",
        reason="you asked to be reminded of this ticket",
    ),
    "ticket.digest": _digest,
    "report.monthly": _report,
    "command.error": _command_error,
    "command.help": lambda: letter(ticket=sample_ticket(), reason=""),
    "console.answer": lambda: letter(
        console=sample_console(), original_subject="overdue?", reason="you asked for it by mail"
    ),
    "agent.refused": _refused,
    "agent.unplaced": _unplaced,
    "agent.receipt": _receipt,
    "agent.stale": lambda: letter(
        ticket=sample_ticket(assigned="Anna Agent"),
        missed=(Passage("It works again, thank you!", "Erika Muster", NOW - timedelta(minutes=5)),),
        actions=(TapLink("send", "Send it as it is", TAPS[0].link),),
        original_text="Please restart the router.",
        reason="",
    ),
    "agent.challenge": _challenge,
    "agent.away": lambda: letter(
        reply=None, notice="until the end of Tue 1 Dec 2026", about="Ben Agent", reason=""
    ),
    "agent.back": lambda: letter(reply=None, notice="until Tue 1 Dec 2026 09:00", reason=""),
    "ticket.forward": lambda: letter(
        reply=None,
        original_subject="Online banking: no login",
        reason='rule "monitoring"',
    ),
}
"""One mail for every template of the catalogue, made anew on each call."""

_VISIBLE = (("Serial number", "QX-4711"), ("Where", "see https://elsewhere.example/login"))
"""Custom fields, one with a value that somebody took pains over."""
VARIANTS: dict[str, dict[str, Callable[[], Letter]]] = {
    "ticket.autoresp": {
        "unproven": lambda: _acknowledgement(received=Receipt(_RECEIVED.subject, 2), zone_is_theirs=False),
        "nothing-promised": lambda: to_customer(recipient=Person("", "erika@customer.example", "customer")),
        "fields": lambda: _acknowledgement(ticket=sample_ticket(fields=_VISIBLE)),
        "burst": lambda: _acknowledgement(
            also=(
                OtherTicket("20261103-0002", "Online banking: the app does not start either"),
                OtherTicket("20261103-0003", "Please call me back"),
            )
        ),
    },
    "ticket.autoreply": {"nothing-promised": lambda: to_customer(canned="We are closed until 7 January.")},
    "ticket.notice": {
        "nothing-promised": to_customer,
        "fields": lambda: to_customer(ticket=sample_ticket(fields=_VISIBLE)),
    },
    "ticket.resolved": {
        "fields": lambda: to_customer(
            ticket=sample_ticket(status="resolved", close_date=NOW, fields=_VISIBLE)
        )
    },
    "ticket.closed": {
        "fields": lambda: to_customer(ticket=sample_ticket(status="closed", close_date=NOW, fields=_VISIBLE))
    },
    "message.autoresp": {"nothing-promised": to_customer},
    "ticket.nudge": {"without-words": to_customer},
    "ticket.update": {
        "taken": lambda: to_customer(ticket=sample_ticket(assigned="Anna Agent"), since_date=NOW),
        "nobody": to_customer,
    },
    "ticket.reply": {
        "solved": lambda: to_customer(
            response=Passage(ANSWER, "Anna Agent", NOW),
            ticket=sample_ticket(status="resolved", close_date=NOW),
        )
    },
    "ticket.autoresolved": {"without-date": to_customer},
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
