"""Delivery reports without RFC 3464 fields: qmail, Exim, Notes, Yahoo, hosters' own programs.

A mail is taken for a report only on two kinds of evidence: a sender that is a mail system (mailer
daemon, postmaster, null return path, X-Failed-Recipients) and words that only reports use, in the
subject or at the top of the text. From an address that reads no replies, as carriers of parcels have
them too, words in both and a recipient are needed. The addresses come from the lines before the
returned message; where our own reading finds none, flufl.bounce is asked.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Sequence
from email.message import Message

from flufl.bounce import all_failures

from mailticket.mail.bounce_text import ADDRESS, STATUS, ReportText, parameter
from mailticket.mail.bounce_words import (
    DAEMON_NAME,
    DAEMONS,
    DELAYED,
    GAVE_UP,
    MACHINE_LOCAL,
    PHRASE,
    SUBJECT,
)
from mailticket.mail.parse import Parsed
from mailticket.mail.types import BounceRecipient

_MAX_RECIPIENTS = 500
_HEAD_LINES = 60

_REPLY_CODE = re.compile(r"(?<![\d.])([45])[0-5]\d(?![\d.])")
_STANDS_FIRST = re.compile(
    r"(?:[>*\-• \t]{0,20})(?:rcpt to|recipient|address|failed|user|empfänger|für)?"
    rf"[: ]{{0,3}}[<\"'(\[]?{ADDRESS.pattern}"
    r"[>\"')\]]?(?:\s?<[^<>\s]{1,320}>)?\s{0,8}(?:$|[:;,.(\[]|- |on (?:mon|tue|wed|thu|fri|sat|sun))",
    re.IGNORECASE,
)
_SPEAKS_OF = re.compile(
    r"recipient|address|mailbox|user|rcpt to|deliver|account|unknown|reject|fail|empfänger|"
    r"destinat|получател|адрес|宛|收件人|수신",
    re.IGNORECASE,
)
_NOT_OF_RECIPIENT = re.compile(
    r"(?:envelope[- ])?from\b|sender|reporting-mta|message-id|contact|assistance|"
    r"please (?:e-?mail|write|forward)|"
    r"if you|help|support|abuse|received:|reply-to|subject:|mailto:",
    re.IGNORECASE,
)
_MESSAGE_ID = re.compile(r"(?:original[- ])?message-id ?: ?<?([^<>\s]{3,998})>?", re.IGNORECASE)
_SES = re.compile(r'\{\s{0,4}"(?:notificationType|eventType)"')


def may_be_report(parsed: Parsed, envelope_from: str | None) -> bool:
    """Does a mail without a delivery-status part look like a delivery report of a mail system?"""
    message, mail = parsed.message, parsed.mail
    if message.get_content_type() == "multipart/report":
        return parameter(message, "report-type") in ("", "delivery-status")
    if mail.text.startswith("{") and _SES.match(mail.text):
        return _ses_event(mail.text) is not None
    system = is_mail_system(parsed, envelope_from)
    if not system and not MACHINE_LOCAL.fullmatch(mail.sender.shown.address.partition("@")[0][:120]):
        return False
    titled = mail.header("x-failed-recipients") is not None or SUBJECT.search(mail.subject[:300]) is not None
    if system is titled:
        return titled  # both, or neither
    return PHRASE.search("\n".join(mail.text[:6000].splitlines()[:_HEAD_LINES])) is not None


def is_report_by_form(parsed: Parsed, envelope_from: str | None) -> bool:
    """Is a mail that names no recipient still a report: by its type, or because a mail system sent it?"""
    return parsed.message.get_content_type() == "multipart/report" or is_mail_system(parsed, envelope_from)


def is_mail_system(parsed: Parsed, envelope_from: str | None) -> bool:
    """Is the sender a mail system: by envelope, by From, or by a field only mail systems write?"""
    mail = parsed.mail
    if envelope_from == "" or mail.header("x-failed-recipients") is not None:
        return True
    path = mail.header("return-path")
    if (path is not None and path.strip() in ("<>", "")) or is_daemon(mail.sender.shown.address):
        return True
    if path is not None and is_daemon(path.strip("<> ")):
        return True
    name = mail.sender.shown.name
    return bool(name) and "@" not in mail.sender.shown.address and bool(DAEMON_NAME.search(name))


def is_daemon(address: str) -> bool:
    """mailer-daemon@, postmaster@ and their kin; also as a bare word without a domain."""
    return bool(DAEMONS.fullmatch(address.rpartition("@")[0] or address))


def read_recipients(parsed: Parsed, report: ReportText, envelope_from: str | None) -> list[BounceRecipient]:
    """The recipients an informal report names, maybe none."""
    event = _ses_event(parsed.mail.text) if parsed.mail.text.startswith("{") else None
    if event is not None:
        return _of_ses(event)
    lines = report.lines
    whole = "\n".join(lines)
    ours = {one.address.lower() for one in (*parsed.mail.to, *parsed.mail.cc)}
    ours |= {parsed.mail.sender.shown.address.lower(), (envelope_from or "").lower()}
    failed = parsed.mail.header("x-failed-recipients") or ""
    found = [(address, 0) for address in ADDRESS.findall(failed)[:_MAX_RECIPIENTS]]
    if not found:
        found = [one for one in _named(lines) if one[0].lower() not in ours] or list(_named(lines))
    if not found:
        found = [(address, 0) for address in _by_flufl(parsed, whole) if address.lower() not in ours]
    if not found:
        return _of_returned(report, parsed.mail.sender.shown.address.lower())
    delayed = bool(DELAYED.search(whole)) and not GAVE_UP.search(whole)
    return [_recipient(address, _around(lines, number, found) or whole, delayed) for address, number in found]


def _named(lines: Sequence[str]) -> list[tuple[str, int]]:
    """(address, line number), by the strongest kind of line that names any, each address once."""
    for kind in (_standing_first, _beside_a_code, _spoken_of):
        found: dict[str, tuple[str, int]] = {}
        for address, number in kind(lines):
            found.setdefault(address.lower(), (address, number))
        if found:
            return list(found.values())[:_MAX_RECIPIENTS]
    return []


def _standing_first(lines: Sequence[str]) -> Iterator[tuple[str, int]]:
    """`<ann@customer.example>:`, `ann@customer.example... User unknown`, an address alone in its line."""
    for number, line in enumerate(lines):
        match = _STANDS_FIRST.match(line) if "@" in line else None
        if match is not None:
            yield match.group(1), number


def _beside_a_code(lines: Sequence[str]) -> Iterator[tuple[str, int]]:
    for number, line in enumerate(lines):
        if (
            "@" in line
            and (STATUS.search(line) or _REPLY_CODE.search(line))
            and not _NOT_OF_RECIPIENT.match(line)
        ):
            for address in ADDRESS.findall(line)[:10]:
                yield address, number


def _spoken_of(lines: Sequence[str]) -> Iterator[tuple[str, int]]:
    for number, line in enumerate(lines):
        if "@" in line and _SPEAKS_OF.search(line) and not _NOT_OF_RECIPIENT.search(line):
            for address in ADDRESS.findall(line)[:10]:
                yield address, number


def _around(lines: Sequence[str], number: int, found: Sequence[tuple[str, int]]) -> str:
    """The lines from one named address to the next, where its own reason stands."""
    if len(found) < 2:
        return ""
    later = [other for _, other in found if other > number]
    return "\n".join(lines[number : min(later, default=len(lines))])


def _recipient(address: str, reason: str, delayed: bool) -> BounceRecipient:
    status = STATUS.search(reason)
    code = _REPLY_CODE.search(reason)
    found = status.group(1) if status else f"{code.group(1)}.0.0" if code else None
    action = "delayed" if delayed else "failed"
    permanent = action == "failed" and (found is None or found.startswith("5"))
    return BounceRecipient(address, found, action, permanent, _diagnostic(reason))


def _diagnostic(reason: str) -> str:
    """The line with the code, else nothing: the rest is for the reader of the mail itself."""
    lines = (line.strip() for line in reason.splitlines())
    return next((line[:500] for line in lines if STATUS.search(line) or _REPLY_CODE.search(line)), "")


logging.getLogger("flufl.bounce").disabled = True  # it logs each detector that fails as an error of ours


def _by_flufl(parsed: Parsed, text: str) -> list[str]:
    """flufl.bounce on a bounded copy: lines of at most 300 characters, because its patterns backtrack."""
    copy = Message()
    copy["From"] = parsed.mail.sender.shown.address[:300]
    copy["Subject"] = parsed.mail.subject[:300]
    copy.set_payload("\n".join(line[:300] for line in text.splitlines()[:300]))
    try:
        temporary, permanent = all_failures(copy)
    except (ValueError, LookupError, AttributeError, TypeError, AssertionError, RecursionError):
        logging.getLogger(__name__).debug("flufl.bounce failed on a report", exc_info=True)
        return []
    matches = (ADDRESS.fullmatch(one.decode("utf-8", "replace")) for one in sorted(temporary | permanent))
    return [match.group(1) for match in matches if match is not None]


def _of_returned(report: ReportText, ours: str) -> list[BounceRecipient]:
    """Where nothing else names a recipient: the one address in the To field of the mail returned as text."""
    for line in [*report.returned, *report.lines]:
        if line[:3].lower() == "to:":
            named = [one for one in ADDRESS.findall(line) if one.lower() != ours]
            return [_recipient(named[0], "\n".join(report.lines), False)] if len(named) == 1 else []
    return []


def message_id_in(report: ReportText) -> str | None:
    """The Message-ID among the headers a report returns as text, folded after its colon or not."""
    lines = [*report.returned, *report.lines]
    for number, line in enumerate(lines):
        if (
            not line[:24]
            .lower()
            .lstrip("> \t")
            .startswith(("message-id", "original-message-id", "original message-id"))
        ):
            continue
        following = lines[number + 1] if number + 1 < len(lines) else ""
        joined = line if line.rstrip()[-1:] != ":" else f"{line.rstrip()} {following.strip()}"
        match = _MESSAGE_ID.search(joined)
        if match is not None:
            return match.group(1)
    return None


def _ses_event(text: str) -> dict[str, object] | None:
    """The event of an Amazon SES notification, as its JSON stands at the start of a mail."""
    try:
        event, _ = json.JSONDecoder(strict=False).raw_decode(text[:64_000])
    except (ValueError, RecursionError):
        return None
    kind = event.get("notificationType", event.get("eventType")) if isinstance(event, dict) else None
    return event if kind in ("Bounce", "Delivery") else None


def ses_message_id(text: str) -> str | None:
    """The Message-ID of the mail that a notification of Amazon SES is about, where it repeats the headers."""
    event = _ses_event(text) if text.startswith("{") else None
    mail = event.get("mail") if event is not None else None
    common = mail.get("commonHeaders") if isinstance(mail, dict) else None
    found = common.get("messageId") if isinstance(common, dict) else None
    return found.strip("<> ")[:998] or None if isinstance(found, str) else None


def _of_ses(event: dict[str, object]) -> list[BounceRecipient]:
    bounce = event.get("bounce")
    if not isinstance(bounce, dict):
        delivery = event.get("delivery")
        names = delivery.get("recipients") if isinstance(delivery, dict) else None
        listed = names if isinstance(names, list) else []
        return [BounceRecipient(one, None, "delivered", False) for one in listed if isinstance(one, str)]
    transient = bounce.get("bounceType") == "Transient"
    found: list[BounceRecipient] = []
    for one in bounce.get("bouncedRecipients") or []:
        address = one.get("emailAddress") if isinstance(one, dict) else None
        if isinstance(address, str) and ADDRESS.fullmatch(address):
            diagnostic = str(one.get("diagnosticCode") or "")[:500]
            status = STATUS.search(f"{one.get('status') or ''} {diagnostic}")
            code = status.group(1) if status else None
            permanent = not transient and (code is None or code.startswith("5"))
            found.append(BounceRecipient(address, code, "failed", permanent, diagnostic))
    return found
