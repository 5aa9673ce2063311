"""Delivery reports: which mail of ours did not arrive where, for now or for good.

RFC 3464 reports are read from their own fields, also where a broken host shows those fields as
text; the informal kinds by bounce_informal.py. A read receipt (RFC 8098) and a feedback report
(RFC 5965) are no delivery reports.

What a report says is a claim of its sender: the caller believes it only when its envelope recipient
or `original_message_id` carries a token of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from email.message import Message

from mailticket.mail import bounce_informal
from mailticket.mail.bounce_text import ADDRESS, STATUS, ReportText, children, read_report_text
from mailticket.mail.parse import Parsed
from mailticket.mail.types import Bounce, BounceRecipient

_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_MESSAGE_TYPES = frozenset({"message/rfc822", "message/global", "message/partial", "message/external-body"})
_OTHER_REPORTS = frozenset(
    {"message/disposition-notification", "message/global-disposition-notification", "message/feedback-report"}
)
_MAX_RECIPIENTS = 500
_MAX_PARTS = 200
_LONGEST_DIAGNOSTIC = 1000
_RECIPIENT_FIELDS = ("final-recipient", "original-recipient", "x-actual-recipient")
_FIELD = re.compile(
    r"(final-recipient|original-recipient|action|status|diagnostic-code)[ \t]*:(.*)", re.IGNORECASE
)
_ACTIONS = {"fail": "failed", "dela": "delayed", "deli": "delivered", "rela": "relayed", "expa": "expanded"}


def read_bounce(parsed: Parsed, envelope_from: str | None = None) -> Bounce | None:
    """What a delivery report says; None for every other mail.

    envelope_from  MAIL FROM, "" for the null sender, None when unknown; only informal reports need it

    A recipient's `permanent` is True only when its status is of class 5, or there is no status and
    the action is "failed": a mail given up after days of 4.x.x has failed, but its address lives.
    An informal report may name no recipient.
    """
    parts = list(_parts(parsed.message))
    if any(part.get_content_type() in _OTHER_REPORTS for part in parts):
        return None
    recipients = _of_status_parts(parts)
    if not recipients and not bounce_informal.may_be_report(parsed, envelope_from):
        return None
    report = read_report_text(parts)
    recipients = recipients or _of_fields_in_text(report)
    recipients = recipients or bounce_informal.read_recipients(parsed, report, envelope_from)
    if not recipients and not bounce_informal.is_report_by_form(parsed, envelope_from):
        return None
    return Bounce(
        tuple(_unique(recipients)[:_MAX_RECIPIENTS]),
        _original_message_id(parts, report, parsed),
        _original_recipient(parts),
    )


def _parts(message: Message) -> Iterator[Message]:
    """The parts of the report itself: what is inside a returned message is not looked at."""
    pending = [message]
    count = 0
    while pending and count < _MAX_PARTS:
        part = pending.pop()
        count += 1
        yield part
        kind = part.get_content_type()
        if kind not in _STATUS_TYPES and kind not in _MESSAGE_TYPES:
            pending.extend(reversed(children(part)))


def _of_status_parts(parts: Sequence[Message]) -> list[BounceRecipient]:
    found: list[BounceRecipient] = []
    for block in _blocks(parts):
        found += _of_block({name.lower(): str(value) for name, value in reversed(block.items())})
    return found


def _blocks(parts: Sequence[Message]) -> Iterator[Message]:
    for part in parts:
        if part.get_content_type() in _STATUS_TYPES:
            yield from children(part)[: _MAX_RECIPIENTS + 1]


def _of_fields_in_text(report: ReportText) -> list[BounceRecipient]:
    """RFC 3464 fields in a text part, in blocks between blank lines, folded lines joined."""
    found: list[BounceRecipient] = []
    fields: dict[str, str] = {}
    last = ""
    for line in [*report.lines, *report.returned, ""]:
        field = _FIELD.match(line.strip())
        if field is not None:
            last = field.group(1).lower()
            fields.setdefault(last, field.group(2))
        elif line[:1] in (" ", "\t") and line.strip() and last:
            fields[last] = f"{fields[last]} {line.strip()}"[:_LONGEST_DIAGNOSTIC]
        else:
            last = ""
        if not line.strip() and fields:
            found += _of_block(fields)
            fields = {}
    return found


def _of_block(fields: dict[str, str]) -> list[BounceRecipient]:
    """The recipient of one per-recipient block (RFC 3464 section 2.3); none for any other block."""
    named = [address for name in _RECIPIENT_FIELDS if (address := _address(fields.get(name, "")))]
    if not named:
        return []
    diagnostic = " ".join(fields.get("diagnostic-code", "").split())[:_LONGEST_DIAGNOSTIC]
    status = STATUS.search(fields.get("status", "")) or STATUS.search(diagnostic)
    return [recipient(named[0], status.group(1) if status else None, fields.get("action", ""), diagnostic)]


def recipient(address: str, status: str | None, action: str, diagnostic: str) -> BounceRecipient:
    """A recipient, its action one of RFC 3464's five words, by its status where it has none."""
    word = _ACTIONS.get(action.strip().lower()[:4])
    if word is None:
        word = {"4": "delayed", "2": "delivered"}.get((status or "5")[0], "failed")
    permanent = word == "failed" and (status is None or status.startswith("5"))
    return BounceRecipient(address, status, word, permanent, diagnostic)


def _address(value: str) -> str | None:
    """The address of a typed field: `rfc822; ann@customer.example`."""
    kind, semicolon, rest = value.partition(";")
    if semicolon and kind.strip().lower() == "x400":
        return None
    match = ADDRESS.search(rest if semicolon else value)
    return match.group(1) if match else None


def _unique(recipients: Sequence[BounceRecipient]) -> list[BounceRecipient]:
    """One entry an address; a failure counts more than a delay, a delay more than a success."""
    order = {"failed": 0, "delayed": 1}
    best: dict[str, BounceRecipient] = {}
    for one in recipients:
        key = one.address.lower()
        known = best.get(key)
        if known is None or order.get(one.action, 2) < order.get(known.action, 2):
            best[key] = one
    return list(best.values())


def _original_message_id(parts: Sequence[Message], report: ReportText, parsed: Parsed) -> str | None:
    """From the returned message, its headers alone, the text after "original message", the reply headers."""
    for part in parts:
        if part.get_content_type() in _MESSAGE_TYPES:
            for inner in children(part)[:1]:
                if found := _bare_id(str(inner.get("Message-ID", ""))):
                    return found
    found = bounce_informal.ses_message_id(parsed.mail.text) or bounce_informal.message_id_in(report)
    if found is not None:
        return found
    return next(iter((*parsed.mail.in_reply_to[:1], *parsed.mail.references[-1:])), None)


def _bare_id(value: str) -> str | None:
    value = "".join(value.split()).strip("<>")
    return value[:998] or None


def _original_recipient(parts: Sequence[Message]) -> str | None:
    """The first Original-Recipient, which a host that forwards keeps (RFC 3461)."""
    named = (_address(str(block.get("Original-Recipient", ""))) for block in _blocks(parts))
    return next((address for address in named if address), None)
