"""Brakes on automatic mail to outsiders: no two robots ever keep each other busy.

The database counts what was queued (store), this module compares with the limits. A braked mail is
not queued at all; the ticket it is about is made and worked on as ever, only silently. Counts are
of automatic mails already queued in a window that ends now, without the one asked about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from mailticket.config.desk import Brakes

Which = Literal[
    "address_hour",
    "address_day",
    "domain_hour",
    "template_hour",
    "total_hour",
    "ticket_10_minutes",
    "ticket_hour",
    "ticket_10_hours",
    "same_subject_hour",
]

WINDOWS: dict[Which, timedelta] = {
    "address_hour": timedelta(hours=1),
    "address_day": timedelta(days=1),
    "domain_hour": timedelta(hours=1),
    "template_hour": timedelta(hours=1),
    "total_hour": timedelta(hours=1),
    "ticket_10_minutes": timedelta(minutes=10),
    "ticket_hour": timedelta(hours=1),
    "ticket_10_hours": timedelta(hours=10),
    "same_subject_hour": timedelta(hours=1),
}
"""How far back each count looks."""

MAIL_PROVIDERS = frozenset(
    [
        "126.com",
        "163.com",
        "aim.com",
        "aol.com",
        "att.net",
        "bell.net",
        "bigpond.com",
        "bluewin.ch",
        "btinternet.com",
        "comcast.net",
        "cox.net",
        "daum.net",
        "fastmail.com",
        "fastmail.fm",
        "foxmail.com",
        "free.fr",
        "freenet.de",
        "gmail.com",
        "gmx.at",
        "gmx.ch",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hanmail.net",
        "hey.com",
        "hotmail.co.uk",
        "hotmail.com",
        "hotmail.de",
        "hotmail.es",
        "hotmail.fr",
        "hotmail.it",
        "icloud.com",
        "laposte.net",
        "libero.it",
        "live.com",
        "live.co.uk",
        "mac.com",
        "mail.com",
        "mail.ru",
        "mailbox.org",
        "me.com",
        "msn.com",
        "nate.com",
        "naver.com",
        "orange.fr",
        "outlook.com",
        "outlook.de",
        "outlook.fr",
        "pm.me",
        "posteo.de",
        "proton.me",
        "protonmail.com",
        "qq.com",
        "rediffmail.com",
        "rogers.com",
        "sfr.fr",
        "sky.com",
        "t-online.de",
        "telus.net",
        "terra.com.br",
        "uol.com.br",
        "verizon.net",
        "virgilio.it",
        "wanadoo.fr",
        "web.de",
        "yahoo.co.jp",
        "yahoo.co.uk",
        "yahoo.com",
        "yahoo.de",
        "yahoo.fr",
        "yandex.com",
        "yandex.ru",
        "ymail.com",
        "zoho.com",
    ]
)
"""Domains whose users have nothing to do with each other, so that the domain's limit would be unfair."""


@dataclass(frozen=True, slots=True)
class Planned:
    """An automatic mail about to be queued. `recipient` is a canonical address.

    decided  see `Notice`. Every mail about a ticket has its subject, so the limit on one subject, which is
             there for answers to machines, neither stops nor counts such a mail. All other limits do.
    """

    recipient: str
    ticket_id: int | None
    subject: str
    template: str
    decided: bool = False

    @property
    def domain(self) -> str | None:
        """The domain to count for; None for a mail provider's, which counts for nobody."""
        domain = self.recipient.rpartition("@")[2].lower()
        return None if domain in MAIL_PROVIDERS else domain


@dataclass(frozen=True, slots=True)
class Counts:
    """Automatic mails queued already, each within its window of `WINDOWS`.

    address_*          to this address
    domain_hour        to this domain; None for a mail provider's
    template_hour      of this template
    total_hour         to anybody
    ticket_*           about this ticket; 0 for a mail about none
    same_subject_hour  to this address about this very subject
    """

    address_hour: int = 0
    address_day: int = 0
    domain_hour: int | None = 0
    template_hour: int = 0
    total_hour: int = 0
    ticket_10_minutes: int = 0
    ticket_hour: int = 0
    ticket_10_hours: int = 0
    same_subject_hour: int = 0


@dataclass(frozen=True, slots=True)
class Allowed:
    """Nothing is over its limit."""


@dataclass(frozen=True, slots=True)
class Braked:
    """The mail is not to be sent. `reason` is for agents and the log."""

    which: Which
    limit: int
    count: int
    reason: str


_WORDS: dict[Which, str] = {
    "address_hour": "automatic mails to this address within an hour",
    "address_day": "automatic mails to this address within a day",
    "domain_hour": "automatic mails to this domain within an hour",
    "template_hour": "automatic mails of this kind within an hour",
    "total_hour": "automatic mails in all within an hour",
    "ticket_10_minutes": "automatic mails about this ticket within ten minutes",
    "ticket_hour": "automatic mails about this ticket within an hour",
    "ticket_10_hours": "automatic mails about this ticket within ten hours",
    "same_subject_hour": "automatic mails to this address with this subject within an hour",
}


def what_is_braked(which: Which, planned: Planned) -> str:
    """What a limit is about, in a few words: agents are told once a day of each."""
    if which == "domain_hour":
        return f"the domain {planned.domain}"
    if which == "template_hour":
        return f"the template {planned.template}"
    return "all addresses" if which == "total_hour" else planned.recipient


def check(counts: Counts, limits: Brakes) -> Allowed | Braked:
    """Whether one more automatic mail may go out; a limit of 0 lets none through.

    The narrowest limit that is reached is the one named: it says most about what is going on.
    """
    reached: tuple[tuple[Which, int | None, int], ...] = (
        ("same_subject_hour", counts.same_subject_hour, limits.same_subject_hour),
        ("ticket_10_minutes", counts.ticket_10_minutes, limits.per_ticket_10_minutes),
        ("ticket_hour", counts.ticket_hour, limits.per_ticket_hour),
        ("ticket_10_hours", counts.ticket_10_hours, limits.per_ticket_10_hours),
        ("address_hour", counts.address_hour, limits.per_address_hour),
        ("address_day", counts.address_day, limits.per_address_day),
        ("domain_hour", counts.domain_hour, limits.per_domain_hour),
        ("template_hour", counts.template_hour, limits.per_template_hour),
        ("total_hour", counts.total_hour, limits.total_hour),
    )
    for which, count, limit in reached:
        if count is not None and count >= limit:
            return Braked(which, limit, count, f"{count} {_WORDS[which]}, the limit is {limit}")
    return Allowed()
