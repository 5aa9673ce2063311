"""The script: who writes what and when, which mails must come of it, and how the ticket must stand then.

Two stories in one. An outage of online banking goes through the hands of support and of the system
administrators and is solved; then a small request is overlooked until the desk itself tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from mailticket.demo.cast import IDA, JANE, MONA, RAJ, SAM, SUE, SUPPORT, SYSADMIN, TOM, Role


@dataclass(frozen=True, slots=True)
class Expected:
    """A mail that has to come.

    kind     the template it is written with
    sender   the desk's address it comes from
    words    what its subject or text says; line breaks do not count
    absent   what it must not say
    """

    kind: str
    to: Role
    sender: str
    words: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Writes:
    """A mail of the cast. It begins something new with `subject`, or answers the newest mail of the kind
    `answers` in the role's mailbox. `inside` are words of it that no customer may ever see."""

    who: Role
    text: str
    subject: str = ""
    answers: str = ""
    inside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """How the ticket of a customer must stand: fields of the ticket and their values. `overdue` asks
    whether a promise is broken."""

    of: Role
    fields: Mapping[str, str | None]
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """One step. `at` counts from the beginning of the story; without `writes` only time passes.

    Exactly the mails in `brings` must come, and no other. `bound` is how many real seconds that may take.
    """

    at: timedelta
    tells: str
    writes: Writes | None
    brings: tuple[Expected, ...]
    leaves: Standing
    bound: float = field(default=20.0)


_OUTAGE = """\
Hello,

since about half past eight online banking answers every login with
"service unavailable". I have to pay the wages of eleven people before noon.
Could you please look into it?

Kind regards
Jane Doe"""

_HANDOVER = """\
#note
#priority emergency
#transfer sysadmin
Four more callers tell the same, all from the web front. The login
service behind balancer lb-07 is down; please look at once and keep me posted."""

_ANSWER = """\
Dear Ms Doe,

we have found the cause, a login service that stopped during the night's
update, and are restarting it now. Nothing is lost: you can send your
payments as soon as the login works again, by 10:30 at the latest.

Kind regards
Ida Iverson"""

_SOLVED = """\
Dear Ms Doe,

the login service runs again since 10:20, on all servers. Please try once
more; everything should be as usual.

Kind regards
Ida Iverson

#resolve"""

_THANKS = """\
It works again, and the wages are paid. Thank you for the quick help!

Jane Doe"""

_STATEMENT = """\
Good afternoon,

my statements still come on paper. I would rather get them by mail.

Tom Low"""

_OUTAGE_SUBJECT = "Online banking is down"
_STATEMENT_SUBJECT = "Statements by mail, please"


def _outage(status: str, department: str, priority: str, assignee: str | None) -> Standing:
    fields = {"status": status, "department": department, "priority": priority, "assignee": assignee}
    return Standing(JANE, {**fields, "topic": "banking"})


def _statement(*, overdue: bool) -> Standing:
    fields = {"status": "open", "department": "support", "priority": "normal", "assignee": None}
    return Standing(TOM, fields, overdue)


def _alerts(kind: str, to: tuple[Role, ...], sender: str, *words: str) -> tuple[Expected, ...]:
    return tuple(Expected(kind, role, sender, words) for role in to)


SCENES: tuple[Scene, ...] = (
    Scene(
        at=timedelta(minutes=2),
        tells="Jane Doe, a customer, cannot log in and writes to the bank's support address",
        writes=Writes(JANE, _OUTAGE, subject=_OUTAGE_SUBJECT),
        brings=(
            Expected(
                "ticket.autoresp",
                JANE,
                SUPPORT,
                ("Jane Doe", "Ticket", "Support team"),
                ("wages",),
            ),
            *_alerts("ticket.alert", (SAM, SUE), SUPPORT, "New ticket", "pay the wages", JANE.address),
        ),
        leaves=_outage("open", "support", "normal", None),
    ),
    Scene(
        at=timedelta(minutes=6),
        tells="Sam Sato of support sees an emergency, notes so for colleagues and hands it on",
        writes=Writes(
            SAM,
            _HANDOVER,
            answers="ticket.alert",
            inside=("#note", "#priority", "#transfer", "lb-07", "four more callers", "keep me posted"),
        ),
        brings=_alerts(
            "transfer.alert", (IDA, RAJ), SYSADMIN, "Emergency", "balancer lb-07", "pay the wages"
        ),
        leaves=_outage("open", "sysadmin", "emergency", None),
    ),
    Scene(
        at=timedelta(minutes=19),
        tells="Ida Iverson, a system administrator, answers the customer: a plain reply to the alert",
        writes=Writes(IDA, _ANSWER, answers="transfer.alert"),
        brings=(
            Expected(
                "ticket.reply",
                JANE,
                SYSADMIN,
                ("a login service that stopped", "Example Bank, System Administration"),
            ),
        ),
        leaves=_outage("in-progress", "sysadmin", "emergency", "ida"),
    ),
    Scene(
        at=timedelta(hours=1, minutes=24),
        tells="Ida Iverson tells the customer that it is solved; her last line is #resolve",
        writes=Writes(IDA, _SOLVED, answers="transfer.alert", inside=("#resolve",)),
        brings=(
            Expected(
                "ticket.reply", JANE, SYSADMIN, ("runs again since 10:20", "marked ticket", "as solved")
            ),
        ),
        leaves=_outage("resolved", "sysadmin", "emergency", "ida"),
    ),
    Scene(
        at=timedelta(hours=1, minutes=51),
        tells="Jane Doe confirms; the desk cannot know that it is no complaint, reopens, and tells Ida",
        writes=Writes(JANE, _THANKS, answers="ticket.reply"),
        brings=_alerts("message.alert", (IDA,), SYSADMIN, "The customer has written again", "wages are paid"),
        leaves=_outage("open", "sysadmin", "emergency", "ida"),
    ),
    Scene(
        at=timedelta(hours=1, minutes=58),
        tells="Ida Iverson closes it with one word; nobody has to be told",
        writes=Writes(IDA, "#close", answers="message.alert", inside=("#close",)),
        brings=(),
        leaves=_outage("closed", "sysadmin", "emergency", "ida"),
    ),
    Scene(
        at=timedelta(hours=4),
        tells="Tom Low, another customer, has a small wish; support promises an answer within 4 hours",
        writes=Writes(TOM, _STATEMENT, subject=_STATEMENT_SUBJECT),
        brings=(
            Expected("ticket.autoresp", TOM, SUPPORT, ("Tom Low", "Ticket")),
            *_alerts("ticket.alert", (SAM, SUE), SUPPORT, "New ticket", "come on paper", TOM.address),
        ),
        leaves=_statement(overdue=False),
    ),
    Scene(
        at=timedelta(hours=8, minutes=3),
        tells="Four hours pass and nobody answers; the desk tells support and the manager",
        writes=None,
        brings=_alerts(
            "ticket.overdue", (SAM, SUE, MONA), SUPPORT, "overdue", _STATEMENT_SUBJECT, "Nobody has taken it"
        ),
        leaves=_statement(overdue=True),
        bound=30.0,
    ),
    Scene(
        at=timedelta(hours=23, minutes=1),
        tells="The next morning: the manager's digest lists what is overdue",
        writes=None,
        brings=(
            Expected(
                "ticket.digest", MONA, SUPPORT, ("1 overdue", _STATEMENT_SUBJECT), absent=(_OUTAGE_SUBJECT,)
            ),
        ),
        leaves=_statement(overdue=True),
        bound=60.0,
    ),
)
