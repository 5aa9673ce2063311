"""Is a mail automatic, of which kind, and by what evidence.

Each fact about a mail is an `Evidence` with a weight and the kind it speaks for; from a sum of 1.0 on
the mail is automatic, and the most telling kind among its facts is its kind. One header that only
programs write is enough (RFC 3834 Auto-Submitted, Precedence, List-Id, the null return path). Words
in subject and text, and headers that people's mail also carries (X-Auto-Response-Suppress without
"All", which Exchange adds to anybody's mail, Feedback-ID), need company.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from mailticket.mail import automated_words as words
from mailticket.mail.absence import return_date
from mailticket.mail.bounce import read_bounce
from mailticket.mail.bounce_informal import is_daemon
from mailticket.mail.bounce_text import children, parameter
from mailticket.mail.bounce_words import MACHINE_LOCAL
from mailticket.mail.compose import LOOP_HEADER
from mailticket.mail.parse import Parsed
from mailticket.mail.types import Classification, Evidence, MailKind, ParsedMail

_ENOUGH = 0.999
_HEAD = 2_000
"""Characters of the text that are looked at: what a program has to say, it says first."""
_HEAD_LINES = 25
_MOST_EVIDENCE = 20
_MOST_HOPS = 50
"""Received fields of a mail that does not go in circles (Postfix hopcount_limit)."""

_RANK = (
    MailKind.BOUNCE,
    MailKind.READ_RECEIPT,
    MailKind.FEEDBACK_REPORT,
    MailKind.CHALLENGE,
    MailKind.OUT_OF_OFFICE,
    MailKind.AUTO_REPLY,
    MailKind.LIST,
    MailKind.BULK,
    MailKind.NOTIFICATION,
)
_NEGATIVE = frozenset({"no", "false", "0", "none", "off", "n", "never"})


@dataclass(frozen=True, slots=True)
class _Fact:
    kind: MailKind
    evidence: Evidence


def classify(parsed: Parsed, envelope_from: str | None) -> Classification:
    """What kind of mail this is, with the evidence that decided it, the strongest first.

    envelope_from  MAIL FROM, "" for the null sender, None when unknown

    A mail from a person has kind HUMAN, and lists the weak evidence that was not enough. `returns_on`
    is set for an absence whose text names a date; a missing year comes from the Date header.
    """
    mail = parsed.mail
    facts = list(_header_facts(mail, envelope_from))
    facts += _part_facts(parsed)
    bounce = read_bounce(parsed, envelope_from)
    if bounce is not None:
        facts.append(_fact(MailKind.BOUNCE, "delivery report", _names(r.address for r in bounce.recipients)))
    else:
        facts += _worded_facts(mail, facts)
    total = sum(fact.evidence.weight for fact in facts)
    evidence = tuple(sorted((fact.evidence for fact in facts), key=lambda one: -one.weight)[:_MOST_EVIDENCE])
    if total < _ENOUGH:
        return Classification(MailKind.HUMAN, evidence)
    kind = min((fact.kind for fact in facts), key=_RANK.index)
    absent = kind is MailKind.OUT_OF_OFFICE
    returns_on = return_date(mail.subject, own_head(mail.text), mail.date) if absent else None
    return Classification(kind, evidence, bounce, returns_on)


def _fact(kind: MailKind, name: str, detail: str = "", weight: float = 1.0) -> _Fact:
    return _Fact(kind, Evidence(name, detail[:200], weight))


def _names(addresses: Iterable[str]) -> str:
    return ", ".join(addresses)


# --- headers -----------------------------------------------------------------------------------


def _header_facts(mail: ParsedMail, envelope_from: str | None) -> Iterator[_Fact]:
    """One fact a header name at most: two equal Precedence lines prove no more than one."""
    seen: set[str] = set()
    for name, value in mail.headers:
        judge = _JUDGES.get(name)
        if judge is None and "auto" in name and _AUTO_NAME.fullmatch(name):
            judge = _said_automatic
        if judge is None or name in seen:
            continue
        fact = judge(name, value.strip(), mail)
        if fact is not None:
            seen.add(name)
            yield fact
    if envelope_from == "" and "return-path" not in seen:
        yield _fact(MailKind.NOTIFICATION, "null envelope sender", "MAIL FROM:<>")
    hops = sum(name == "received" for name, _ in mail.headers)
    if hops > _MOST_HOPS:
        yield _fact(MailKind.NOTIFICATION, "goes in circles", f"more than {_MOST_HOPS} Received headers")
    yield from _sender_facts(mail)


_AUTO_NAME = re.compile(
    r"(?:x-)?(?:mail-)?auto[-_]?(?:repl(?:y|ied)|respon(?:d|der|se)|generated|notification|submitted)(?:-from|-type)?"
)
_SYSTEM_LOCAL = re.compile(
    r"root|cron|daemon|www-data|nagios|zabbix|apache|notifications?|alerts?|notify|auto(?:mated|matic|reply|responder)?"
    r"|newsletters?|mailings?",
    re.IGNORECASE,
)


def _said_automatic(name: str, value: str, mail: ParsedMail) -> _Fact | None:
    """X-Autoreply: yes and its many kin."""
    if value.lower() in _NEGATIVE:
        return None
    kind = MailKind.NOTIFICATION if "generated" in name or "notif" in name else MailKind.AUTO_REPLY
    return _fact(kind, name, value)


def _auto_submitted(name: str, value: str, mail: ParsedMail) -> _Fact | None:
    """RFC 3834 section 5: anything but "no" is automatic; comments and parameters do not count."""
    keyword = re.split(r"[\s;(]", value.lower(), maxsplit=1)[0]
    if keyword in ("", "no"):
        return None
    kind = MailKind.AUTO_REPLY if keyword == "auto-replied" else MailKind.NOTIFICATION
    if "vacation" in value.lower():
        kind = MailKind.OUT_OF_OFFICE
    return _fact(kind, name, value)


def _precedence(name: str, value: str, mail: ParsedMail) -> _Fact | None:
    word = value.lower().replace("-", "_")
    kinds = {"bulk": MailKind.BULK, "junk": MailKind.BULK, "list": MailKind.LIST}
    kinds |= {"auto_reply": MailKind.AUTO_REPLY, "autoreply": MailKind.AUTO_REPLY}
    kind = kinds.get(word)
    return _fact(kind, name, value) if kind is not None else None


def _suppress(name: str, value: str, mail: ParsedMail) -> _Fact | None:
    """ "All" is written by programs only; a list of words is also in people's mail from Exchange."""
    tokens = {token.strip() for token in value.lower().split(",")}
    if tokens <= {"", "none"}:
        return None
    return _fact(MailKind.NOTIFICATION, name, value, 1.0 if "all" in tokens else 0.3)


def _return_path(name: str, value: str, mail: ParsedMail) -> _Fact | None:
    address = value.strip("<> ")
    if not address and "<" in value:
        return _fact(MailKind.NOTIFICATION, "null return path", value)
    if is_daemon(address) and not address.lower().startswith("bounce"):
        return _fact(MailKind.NOTIFICATION, "return path is a mail system", value)
    return None


def _loop(name: str, value: str, mail: ParsedMail) -> _Fact | None:
    """X-Loop is written by autoresponders and lists alike; with our own address in it, it came from us."""
    ours = any(one.address and one.address.lower() in value.lower() for one in (*mail.to, *mail.cc))
    decides = ours or value.lower() in ("yes", "true", "1")
    return _fact(MailKind.NOTIFICATION, name, value, 1.0 if decides else 0.5)


def _rules_loop(name: str, value: str, mail: ParsedMail) -> _Fact | None:
    return _fact(MailKind.AUTO_REPLY, name, value, 0.6)


def _autoresponder_mailbox(name: str, value: str, mail: ParsedMail) -> _Fact | None:
    return _fact(MailKind.AUTO_REPLY, name, value) if value.lower().startswith("autorespon") else None


def _message_class(name: str, value: str, mail: ParsedMail) -> _Fact | None:
    return _fact(MailKind.AUTO_REPLY, name, value) if "autoresponder" in value.lower() else None


def _always(kind: MailKind, weight: float = 1.0) -> Callable[[str, str, ParsedMail], _Fact | None]:
    def judge(name: str, value: str, mail: ParsedMail) -> _Fact | None:
        return None if value.lower() in _NEGATIVE else _fact(kind, name, value, weight)

    return judge


_JUDGES: Mapping[str, Callable[[str, str, ParsedMail], _Fact | None]] = {
    "auto-submitted": _auto_submitted,
    "precedence": _precedence,
    "x-precedence": _precedence,
    "x-auto-response-suppress": _suppress,
    "return-path": _return_path,
    "x-loop": _loop,
    "delivered-to": _autoresponder_mailbox,
    "x-post-messageclass": _message_class,
    "x-ms-exchange-inbox-rules-loop": _rules_loop,
    "list-id": _always(MailKind.LIST),
    "list-post": _always(MailKind.LIST),
    "mailing-list": _always(MailKind.LIST),
    "list-unsubscribe": _always(MailKind.BULK),
    "list-unsubscribe-post": _always(MailKind.BULK, 0.5),
    "feedback-id": _always(MailKind.BULK, 0.5),
    "x-csa-complaints": _always(MailKind.BULK, 0.5),
    "x-campaign": _always(MailKind.BULK, 0.5),
    "x-campaignid": _always(MailKind.BULK, 0.5),
    "x-mailgun-tag": _always(MailKind.BULK, 0.5),
    "x-vacation": _always(MailKind.OUT_OF_OFFICE),
    "x-out-of-office": _always(MailKind.OUT_OF_OFFICE),
    "x-holidayreply": _always(MailKind.OUT_OF_OFFICE),
    "x-fc-machinegenerated": _always(MailKind.AUTO_REPLY),
    "x-amazon-mail-relay-type": _always(MailKind.NOTIFICATION),
    "x-servicenow-generated": _always(MailKind.NOTIFICATION),
    "x-bugzilla-type": _always(MailKind.NOTIFICATION),
    "x-trac-project": _always(MailKind.NOTIFICATION),
    "x-jira-fingerprint": _always(MailKind.NOTIFICATION),
    "x-cron-env": _always(MailKind.NOTIFICATION),
    "x-rt-loop-prevention": _always(MailKind.NOTIFICATION),
    "x-roundup-loop": _always(MailKind.NOTIFICATION),
    "x-otrs-loop": _always(MailKind.NOTIFICATION),
    "x-failed-recipients": _always(MailKind.NOTIFICATION),
    LOOP_HEADER.lower(): _always(MailKind.NOTIFICATION),
    "x-delivery-agent": lambda name, value, mail: (
        _fact(MailKind.CHALLENGE, name, value) if value.upper().startswith("TMDA") else None
    ),
    "x-boxtrapper": _always(MailKind.CHALLENGE),
    "x-spamarrest-noauth": _always(MailKind.CHALLENGE),
}


def _sender_facts(mail: ParsedMail) -> Iterator[_Fact]:
    """From a mail system, from an address nobody reads, from a program's account (weak)."""
    shown = mail.sender.shown
    local = shown.address.rpartition("@")[0] or shown.address
    if not local:
        return
    if is_daemon(shown.address):
        yield _fact(MailKind.NOTIFICATION, "sent by a mail system", shown.address)
    elif MACHINE_LOCAL.fullmatch(local[:120]):
        yield _fact(MailKind.NOTIFICATION, "sender reads no replies", shown.address)
    elif _SYSTEM_LOCAL.fullmatch(local[:120]):
        yield _fact(MailKind.NOTIFICATION, "sender is a program's account", shown.address, 0.5)


# --- parts -------------------------------------------------------------------------------------


def _part_facts(parsed: Parsed) -> Iterator[_Fact]:
    """Read receipts (RFC 8098), feedback reports (RFC 5965), and every other report (RFC 6522)."""
    message = parsed.message
    if message.get_content_type() == "multipart/report":
        yield _fact(MailKind.NOTIFICATION, "multipart/report", parameter(message, "report-type"))
    kinds = [part.get_content_type() for part in children(message)[:20]]
    if "message/disposition-notification" in kinds or message.get_content_type() == (
        "message/disposition-notification"
    ):
        yield _fact(MailKind.READ_RECEIPT, "message/disposition-notification")
    if "message/feedback-report" in kinds:
        yield _fact(MailKind.FEEDBACK_REPORT, "message/feedback-report")
    if parsed.mail.subject.lower().startswith("complaint about message from"):
        yield _fact(MailKind.FEEDBACK_REPORT, "subject of a feedback report", parsed.mail.subject)
    if parsed.mail.text.startswith('{"notificationType":"Complaint"'):
        yield _fact(MailKind.FEEDBACK_REPORT, "Amazon SES complaint")


# --- words -------------------------------------------------------------------------------------


def _alternatives(table: Iterable[str]) -> str:
    folded = {word.casefold() for word in table}
    return "|".join(re.escape(word) for word in sorted(folded, key=len, reverse=True))


def _all(table: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [word for listed in table.values() for word in listed]


_TAGS = r"[\s\[(*]{0,5}"
_AFTER_PREFIX = r"(?P<rest>[\s\])*]{0,5}(?:$|[:：;,!.|\-–—(/\[]).*)"
_ABSENCE_SUBJECT = re.compile(
    rf"{_TAGS}(?:{_alternatives(_all(words.ABSENCE_SUBJECTS))}){_AFTER_PREFIX}", re.DOTALL
)
_REPLY_SUBJECT = re.compile(
    rf"{_TAGS}(?:{_alternatives(_all(words.REPLY_SUBJECTS))}){_AFTER_PREFIX}", re.DOTALL
)
_CHALLENGE_SUBJECT = re.compile(_alternatives(words.CHALLENGE_SUBJECTS))
_ABSENCE_TEXT = re.compile(_alternatives(_all(words.ABSENCE_TEXTS)))
_AUTOMATIC_TEXT = re.compile(_alternatives(words.AUTOMATIC_TEXTS))
_RECEIVED_TEXT = re.compile(_alternatives(words.RECEIVED_TEXTS))
_CHALLENGE_TEXT = re.compile(_alternatives(words.CHALLENGE_TEXTS))
_ANSWERED = re.compile(
    r"[\s:：;,!.|\-–—(/\[\])*]{0,8}"
    r"(?:re|aw|sv|vs|antw|odp|ynt|rif|回复|答复|回覆|返信|회신|отв)(?:\[\d{1,3}\])?\s?[:：]"
)
_TICKET = re.compile(
    r"#\s?\d{3,}|\[[^\[\]]{0,40}\d{2,}[^\[\]]{0,10}\]|\b[a-z]{2,10}-\d{2,}\b|"
    r"\b(?:ticket|case)\b.{0,20}\d{3,}"
)
_QUOTE_STARTS = re.compile(
    r">|-{2,}|_{5,}|(?:from|von|de|da|van|från|fra|od|от|от кого|差出人|发件人|보낸 사람)\s?[:：]|"
    r"(?:on|am|le|el|il|em|op|den) .{0,200}"
    r"(?:wrote|schrieb|écrit|escribió|scritto|escreveu|schreef|skrev).{0,3}$",
    re.IGNORECASE,
)


def own_head(text: str) -> str:
    """The first lines of a text that are not quoted: at most 25 lines and 2,000 characters."""
    kept: list[str] = []
    for line in text[:_HEAD].splitlines():
        stripped = line.strip()
        if not stripped:
            continue
        if not _QUOTE_STARTS.match(stripped):
            kept.append(stripped)
        elif kept:
            break
        if len(kept) >= _HEAD_LINES:
            break
    return "\n".join(kept)


def _worded_facts(mail: ParsedMail, known: list[_Fact]) -> Iterator[_Fact]:
    """Weak evidence from words. The text is only read where something else spoke already."""
    subject = mail.subject[:300].casefold()
    worded = list(_subject_facts(subject))
    yield from worded
    head = own_head(mail.text).casefold()
    yield from _acknowledgement(head)
    if not worded and not any(fact.kind not in (MailKind.LIST, MailKind.BULK) for fact in known):
        return
    if _CHALLENGE_SUBJECT.search(subject) and _CHALLENGE_TEXT.search(head):
        yield _fact(MailKind.CHALLENGE, "asks for a confirmation", mail.subject)
    absence = _ABSENCE_TEXT.search(head) if worded or any(map(_may_be_absence, known)) else None
    if absence is not None:
        yield _fact(MailKind.OUT_OF_OFFICE, "text of an absence", absence.group(), 0.5)
    program = _AUTOMATIC_TEXT.search(head)
    if program is not None:
        yield _fact(MailKind.NOTIFICATION, "text of a program", program.group(), 0.5)


def _may_be_absence(fact: _Fact) -> bool:
    """Without a subject that says so, only what answers a mail speaks of an absence: no shop does."""
    answers = fact.kind in (MailKind.AUTO_REPLY, MailKind.OUT_OF_OFFICE)
    return answers or fact.evidence.name.startswith("null ")


def _subject_facts(subject: str) -> Iterator[_Fact]:
    """A prefix as programs write it; the subject it answers behind it is a second, independent fact."""
    absence = _ABSENCE_SUBJECT.match(subject)
    reply = _REPLY_SUBJECT.match(subject)
    match = absence or reply
    if match is None:
        return
    kind = MailKind.OUT_OF_OFFICE if absence else MailKind.AUTO_REPLY
    yield _fact(kind, "subject of an automatic reply", subject, 0.5)
    rest = match.group("rest")
    if _ANSWERED.match(rest) or _TICKET.search(rest):
        yield _fact(kind, "subject repeats what it answers", rest.strip(), 0.5)


def _acknowledgement(head: str) -> Iterator[_Fact]:
    """Another desk's "your request was received": the phrase and a ticket's name in the first lines.

    A number in the subject does not count: a customer's answer to us has one too.
    """
    first = "\n".join(head.split("\n", 4)[:4])
    phrase = _RECEIVED_TEXT.search(first)
    ticket = _TICKET.search(first) if phrase is not None else None
    if phrase is not None:
        yield _fact(MailKind.AUTO_REPLY, "text of an acknowledgement", phrase.group(), 0.5)
    if ticket is not None:
        yield _fact(MailKind.AUTO_REPLY, "names a ticket", ticket.group(), 0.5)
