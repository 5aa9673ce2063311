"""Quotes that begin with a copy of the quoted mail's headers, and the rules clients draw above them.

    -----Original Message-----
    From: Bob <bob@b.example>
    Sent: Tuesday, 4 February 2020 10:05
    To: Support
    Subject: Printer

in the words of about thirty languages, bold or not, with or without the rule. One line "From: ..."
proves nothing: a block needs several different fields in a row, one of which must hold an address
or a date.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from mailticket.mail.quoting_words import FIELDS, FORWARDED, ORIGINAL, fold

_MAX_KEY = 34
_MAX_BLOCK = 26
"""Lines, blank and folded ones included."""
_MAX_LOOSE = 2
"""Lines in a row that are no header line of ours yet inside a block: folded or unknown ones."""

_DECORATION = "-_=*~#>|+‐‑‒–—―─━ \t\u00a0"
_RULE = re.compile(r"(?:[-_=*‐‑‒–—―─━~] ?){3,}$")
_DATE = re.compile(r"\d\d?\D{1,3}\d\d|\d{4}|\d月")
_FORWARD_SUBJECT = re.compile(
    r"\s*(?:\[[^\]]{1,40}\]\s*)?(?:fwd?|wg|tr|rv|enc|i|vb|vl|pd|doorst|inoltro|reenv|ilt|i̇lt|πρθ|továbbítás|"
    r"videresend|edelleen|转发|轉寄|転送|전달|הועבר|إعادة توجيه)\s{0,2}[:：]",
    re.IGNORECASE,
)


_DATE_TIME = re.compile(r"\d{4}.{0,12}\d\d?[:.]\d\d|\d\d?[:.]\d\d.{0,30}\d{4}")
_MUTT = "Forwarded message from "
_REPLY_SUBJECT = re.compile(
    r"\s*(?:\[[^\]]{1,40}\]\s*)?(?:re|aw|antw|antwort|sv|vs|odp|ynt|yan|res|rif|r|ref|rép|resp|bls|atb|απ|σχετ|"
    r"отв|ответ|на|від|відп|vá|válasz|ad|回复|回覆|答复|返信|회신|답장|رد|תשובה|השב|ตอบ)\s{0,2}(?:\[\d{1,3}\]|\(\d{1,3}\))?\s?[:：]",
    re.IGNORECASE,
)


class HeaderBlock(NamedTuple):
    """Copied headers in lines[first:end]; `sure` when three fields or more agree."""

    first: int
    end: int
    sure: bool


class Separator(NamedTuple):
    """A line that announces an original below it."""

    forward: bool


def is_forward_subject(subject: str) -> bool:
    """True for `Fwd: x`, `WG: x`, `TR: x`; false for `Re: Fwd: x`, which answers a forward."""
    return _FORWARD_SUBJECT.match(subject) is not None


def is_reply_subject(subject: str) -> bool:
    """True for `Re: x`, `AW: x`, `SV: x`, `Re[2]: x`, also behind a list's `[tag]`."""
    return _REPLY_SUBJECT.match(subject) is not None


def is_rule(text: str) -> bool:
    """True for a line that only draws a rule: `________________`, `-----`, `* * *`."""
    return text[0] in "-_=*‐‑‒–—―─━~" and _RULE.match(text) is not None


def separator(text: str) -> Separator | None:
    """What kind of original a line like `-----Original Message-----` announces, or None.

    text: a stripped line. The words must be set off by dashes or the like before them, or end in a
    colon (Apple Mail's "Begin forwarded message:").
    """
    if len(text) > 120:
        return None
    decorated = text[0] in _DECORATION
    if not decorated and text[-1] not in ":：":
        return None
    words = text.strip(_DECORATION).rstrip(":：").strip(_DECORATION)
    if decorated and words.startswith(_MUTT):
        return Separator(forward=True)
    if not 2 <= len(words) <= 48:
        return None
    words = fold(words)
    if words in FORWARDED:
        return Separator(forward=True)
    if decorated and words in ORIGINAL:
        return Separator(forward=False)
    return None


def field_of(text: str) -> tuple[str, str] | None:
    """(field, value) of a copied header line in any language we know, or None.

    field is one of "from", "sent", "date", "to", "cc", "subject", "other".
    """
    head = text[:_MAX_KEY]
    colon = head.find(":")
    wide = head.find("：")
    if wide >= 0 and (colon < 0 or wide < colon):
        colon = wide
    if colon < 1:
        return None
    field = FIELDS.get(fold(text[:colon].strip(_DECORATION)))
    return None if field is None else (field, text[colon + 1 :].strip(_DECORATION))


def header_block(lines: Sequence[str], first: int) -> HeaderBlock | None:
    """The block of copied headers that begins in line `first`, or None.

    lines: stripped lines without directional marks; "" for a blank one.
    """
    opening = field_of(lines[first])
    if opening is None or opening[0] in ("cc", "other"):
        return None
    fields: dict[str, str] = {}
    end, loose, field = first, 0, ""
    for index in range(first, min(len(lines), first + _MAX_BLOCK)):
        text = lines[index]
        if not text:
            if len(fields) >= 3 and index == end and _closes(lines, index, fields):
                break
            continue
        found = field_of(text)
        if found is None or (found[0] in fields and found[0] != "other"):
            if found is None and field in ("to", "cc") and "@" in text:
                continue
            loose += 1
            if loose > _MAX_LOOSE or (found is None and not _may_fold(field, text)):
                break
            continue
        field = found[0]
        fields[field] = " ".join([found[1], *lines[index + 1 : index + 2]]) if not found[1] else found[1]
        end, loose = index + 1, 0
    return _judge(fields, first, _fold_on(lines, end, field))


def _closes(lines: Sequence[str], blank: int, fields: dict[str, str]) -> bool:
    """Whether a blank line ends the block: no further header of it follows directly."""
    if blank + 1 >= len(lines) or not lines[blank + 1]:
        return True
    found = field_of(lines[blank + 1])
    return found is None or found[0] in fields


def _may_fold(field: str, text: str) -> bool:
    """Whether a line can continue the header before it: a long list of addresses, an address alone."""
    return field != "" and len(text) < 400


def _fold_on(lines: Sequence[str], end: int, field: str) -> int:
    """The end of the block, with the folded rest of its last address list."""
    while field in ("to", "cc") and end < len(lines) and "@" in lines[end] and lines[end][-1] in ";,>])":
        end += 1
    return end


def _judge(fields: dict[str, str], first: int, end: int) -> HeaderBlock | None:
    real = fields.keys() - {"other"}
    sender = fields.get("from")
    date = fields.get("sent") or fields.get("date") or ""
    dated = len(date) < 120 and _DATE.search(date) is not None
    addressed = any("@" in fields.get(name, "") for name in ("from", "to", "cc"))
    if sender is None and not (date and {"to", "subject"} <= real):
        whole = dated and "@" in fields.get("to", "") and _DATE_TIME.search(date) is not None
        return HeaderBlock(first, end, sure=False) if whole else None
    if len(real) >= 3:
        # without an address it may be a form (From: Berlin, To: Paris, Date: ...) that a person filled in
        if addressed or (dated and ("sent" in real or "subject" in real)):
            return HeaderBlock(first, end, sure=True)
        return None
    if len(real) < 2 or sender is None:
        return None
    if "@" in sender and (dated or "subject" in real):
        return HeaderBlock(first, end, sure=dated)
    return HeaderBlock(first, end, sure=False) if dated and "sent" in real and len(sender) < 60 else None
