"""The values that reading a mail produces. All are immutable and picklable.

Text in these values has passed `clean_text` (mail/charset.py): no NUL, no surrogates, no C0 control
but TAB and LF, no bidi controls in one-line fields, bounded length. Bytes are as received.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox. `address` is an addr-spec with a lower-cased ASCII (IDNA) domain where possible."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class RawMail:
    """One mail for one recipient, as an edge received it, before anybody looked inside.

    raw            the message bytes, unchanged
    envelope_from  MAIL FROM without angle brackets; "" is the null sender; None when the way in
                   knows no envelope (IMAP)
    recipient      RCPT TO as given, with any + extension; for IMAP the mailbox's own address
    source         "smtp", "lmtp", "imap:NAME", "pipe"
    client         the peer's IP address, where there is one
    auth_user      the account that authenticated on our own listener, if any
    """

    raw: bytes
    envelope_from: str | None
    recipient: str
    source: str
    client: str | None = None
    auth_user: str | None = None


@dataclass(frozen=True, slots=True)
class Defect:
    """Something in a mail that is not as the RFCs want it. `code` is stable, `detail` for people."""

    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """One kept part. `filename` is a label cleaned for display, never a path.

    kind: "file", "inline" (an image shown in the body), "message" (message/rfc822),
    "calendar", "signature" (S/MIME or PGP), "tnef" (unpacked from winmail.dat),
    "logo" (a signature decoration), "rest" (text beyond the cap of the body).
    """

    filename: str
    content_type: str
    size: int
    sha256: str
    inline: bool
    content_id: str
    data: bytes = field(repr=False)
    kind: str = "file"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the From header says is writing, by a strict grammar.

    `address` is None, and `problem` says why, unless there is exactly one From header with exactly
    one unambiguous mailbox; only then may anything be granted to it (docs/decisions). `shown` is a
    tolerant reading for people's eyes and never grants anything.
    """

    address: str | None
    shown: Address
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The original of a forwarded message, inline or attached as message/rfc822.

    body        its text, quotes and signature included
    above       what stands above it: the words of whoever forwards it, and their signature
    attached    it came as a mail of its own; only then are `html` and `files` its own
    message_id  without angle brackets; "" where the copy does not tell
    """

    sender: Address
    subject: str
    date_text: str
    body: str
    above: str = ""
    attached: bool = False
    message_id: str = ""
    html: str | None = None
    files: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """What a mail says. Message-IDs are without angle brackets. `date` is display only."""

    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    sender: Identity
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    date: datetime | None
    headers: tuple[tuple[str, str], ...]
    """(lower-case name, decoded value), in order, capped; for rules and classification."""
    text: str
    """The best plain text of the whole body, quotes and signature included."""
    html: str | None
    """The HTML body, sanitised for showing; None when there is none or it was not readable."""
    attachments: tuple[Attachment, ...]
    forwarded: Forwarded | None
    defects: tuple[Defect, ...]
    size: int

    def header(self, name: str) -> str | None:
        """The first value of a header, by lower-case name."""
        return next((value for key, value in self.headers if key == name), None)

    def header_all(self, name: str) -> tuple[str, ...]:
        """Every value of a header, top of the mail first, by lower-case name."""
        return tuple(value for key, value in self.headers if key == name)


class MailKind(enum.StrEnum):
    """What sort of mail this is. Everything but HUMAN is automatic in some way."""

    HUMAN = "human"
    AUTO_REPLY = "auto-reply"
    OUT_OF_OFFICE = "out-of-office"
    BULK = "bulk"
    LIST = "list"
    NOTIFICATION = "notification"
    BOUNCE = "bounce"
    READ_RECEIPT = "read-receipt"
    FEEDBACK_REPORT = "feedback-report"
    CHALLENGE = "challenge"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact that counted for a conclusion. `weight` 1.0 decides alone; less needs company."""

    name: str
    detail: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class BounceRecipient:
    """One recipient a delivery report names (RFC 3464 per-recipient fields)."""

    address: str
    status: str | None
    action: str
    """"failed", "delayed", "delivered", "relayed" or "expanded"."""
    permanent: bool
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class Bounce:
    """A delivery report. `original_message_id` is the mail it is about, without angle brackets."""

    recipients: tuple[BounceRecipient, ...]
    original_message_id: str | None = None
    original_recipient: str | None = None


@dataclass(frozen=True, slots=True)
class Classification:
    """What kind of mail, and the evidence that decided it."""

    kind: MailKind
    evidence: tuple[Evidence, ...] = ()
    bounce: Bounce | None = None
    returns_on: date | None = None
    """An out-of-office's return date, where the text names one."""

    @property
    def automatic(self) -> bool:
        """True when no automatic answer may be sent to it."""
        return self.kind is not MailKind.HUMAN


class SpanKind(enum.StrEnum):
    """What a stretch of the body is."""

    NEW = "new"
    QUOTED = "quoted"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Span:
    """text[start:end] of ParsedMail.text; the spans of a mail add up to the whole text."""

    kind: SpanKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Content:
    """The body taken apart, nothing deleted.

    `reply` is the new text: the NEW spans joined and stripped, or the whole text where `confidence`
    is below the threshold of mail/quoting.py. `tokens` are the body markers of ours found anywhere
    in the text or HTML, quoted parts included, in order of appearance and not yet verified.
    """

    spans: tuple[Span, ...]
    reply: str
    confidence: float
    tokens: tuple[str, ...] = ()
    method: str = ""
    """Which recogniser decided, for `explain`."""


@dataclass(frozen=True, slots=True)
class Writer:
    """What a mail tells of whoever wrote it. Nothing in it is proven, and nothing is granted for it.

    declared    the language tag its headers name, such as "de-AT"
    spoken      the language its new text is written in, where the words make that sure
    plain       beyond doubt, so that a header which says otherwise is not believed
    utc_offset  minutes east of UTC, None when unknown
    """

    declared: str | None = None
    spoken: str | None = None
    plain: bool = False
    utc_offset: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one look at a mail yields: what a parser process returns."""

    mail: ParsedMail
    classification: Classification
    content: Content
    writer: Writer = Writer()
