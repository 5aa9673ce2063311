"""What holds a conversation together beyond Message-IDs: subjects, and Outlook's own two headers.

Outlook sorts by `Thread-Topic`, the subject without marks, and `Thread-Index`: 22 bytes that name
the conversation and 5 more for every reply, in base64 (MS-OXOMSG section 2.2.1.3, MS-OXCMSG 2.2.1.2).
A mail that carries both on stays in Outlook's conversation whatever its subject is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

from mailticket.mail.numbering import NUMBER, as_kept
from mailticket.mail.types import ParsedMail

NEWEST_REFERENCES = 12
"""References kept beside the root: the newest mails of the conversation (RFC 5322, 3.6.4)."""
_ROOT = 22
_CHILD = 5
_MOST_CHILDREN = 100
_LONGEST_TOPIC = 255
_FILETIME_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_MOST_PREFIXES = 20
_LONGEST_SUBJECT = 1_000
_REPLY_WORDS = (
    "re|aw|antw|antwort|sv|vs|vb|vá|ynt|rv|r|rif|ref|odp|res|resp|bls|ats|atb|yht|továbbítás|vl|"
    "na|nb|fs|doorst|回复|回覆|答复|答覆|返信|转发|轉寄|轉發|転送|회신|답장|전달|ответ|отв|ha|на|відп|απ|σχετ|πρθ|"
    "تمت الإجابة|رد|إعادة توجيه|השב|תשובה|הועבר|ตอบกลับ|ส่งต่อ|trả lời|balas|terusan|"
    "fwd?|wg|tr|trs|i|enc|pd|doorgestuurd|továbbítva|переслано|пересл|πρ"
)
_PREFIX = re.compile(
    rf"(?:{_REPLY_WORDS})\s?(?:\[\d{{1,3}}\]|\(\d{{1,3}}\)|\^\d{{1,3}})?\s?[:：]\s*", re.IGNORECASE
)
_NUMBER = rf"({NUMBER})"
_FOUR_DIGITS = re.compile("[0-9]{4}")


@dataclass(slots=True)
class Conversation:
    """What one person has seen and written about a ticket: what their next mail from us answers.

    The first Message-ID is the root, and it never changes: mail programs hang the rest below it.
    """

    ids: list[str] = field(default_factory=list)
    index: str | None = None
    topic: str | None = None

    def add(self, message_id: str, index: str | None, topic: str | None) -> None:
        """Take in the next mail, oldest first.

        Outlook's headers of the newest that has them count, as long as they go on with the first: a
        client that began anew would else tear apart what all the mails before belong to.
        """
        if message_id not in self.ids:
            self.ids.append(message_id)
        if index is not None and (self.index is None or _root_of(index) == _root_of(self.index)):
            self.index, self.topic = index, topic or self.topic

    def references(self) -> list[str]:
        """The References of the next mail: the root, and the newest."""
        if len(self.ids) <= 1 + NEWEST_REFERENCES:
            return list(self.ids)
        return [self.ids[0], *self.ids[-NEWEST_REFERENCES:]]

    def outlook(self, message_id: str, now: datetime) -> list[str]:
        """[Thread-Index, Thread-Topic] the mail `message_id` carries on or begins; "" for its subject."""
        return [self.index or root_index(message_id, now), self.topic or ""]


def outlook_headers(
    thread: list[str] | None, message_id: str, subject: str, now: datetime
) -> tuple[tuple[str, str], ...]:
    """The headers that keep a mail in Outlook's conversation; `thread` as `Conversation.outlook` gives it."""
    child = child_index(thread[0], message_id, now) if thread else None
    if thread is None or child is None:
        return ()
    topic = thread[1] or without_marks(subject)[:_LONGEST_TOPIC]
    return (("Thread-Index", child), ("Thread-Topic", topic))


def lasting_subject(subject: str, earlier: str | None, tag: str, number: str) -> str:
    """The Subject of a mail about a ticket, which stays the same for one reader: Gmail sorts by it.

    earlier: of the first mail this reader got about the ticket, reused as long as it names the ticket.
    A subject without the number gets the tag, or replies to it would lose what is left when a client
    drops everything else.
    """
    if earlier and number in earlier:
        return earlier
    return subject if number in subject else f"{subject} {tag}".strip()


def root_index(name: str, now: datetime) -> str:
    """A Thread-Index that begins a conversation (MS-OXOMSG 2.2.1.3): its time, and 16 bytes of its own."""
    ticks = int((now - _FILETIME_EPOCH).total_seconds()) * 10_000_000
    own = hashlib.sha256(name.encode()).digest()[:16]
    return base64.b64encode(b"\1" + ticks.to_bytes(8, "big")[1:6] + own).decode("ascii")


def _root_of(index: str) -> bytes:
    raw = _index(index)
    return raw[:_ROOT] if raw is not None else b""


@lru_cache(maxsize=32)
def number_pattern(subject_tag: str) -> re.Pattern[str]:
    """What finds a ticket's number in a subject: the desk's tag, with or without its brackets, and #NUMBER.

    subject_tag: such as `[#{number}]`. Where nothing but brackets stands around the number, they are
    needed, because any number would do otherwise.
    """
    before, _, after = subject_tag.partition("{number}")
    start, end = before.strip().lstrip("[({<"), after.strip().rstrip("])}>")
    if start or end:
        closing = rf"\s?{_loose(end)}" if end else ""
        guard = r"(?!\d)" if end[:1].isalnum() else r"(?!\w)"
        tag = rf"(?<![\w#&/]){_loose(start)}\s?{_NUMBER}{guard}{closing}"
    else:
        tag = re.escape(before.strip()) + _NUMBER + re.escape(after.strip())
    return re.compile(rf"{tag}|(?<![\w#&/])#{_NUMBER}(?!\w)", re.IGNORECASE)


def _loose(literal: str) -> str:
    """A literal whose blanks may be missing: clients and people change them."""
    return r"\s?".join(map(re.escape, literal.split()))


def ticket_numbers(subject: str, subject_tag: str) -> tuple[str, ...]:
    """The ticket numbers a subject may name, each once, in order."""
    if _FOUR_DIGITS.search(subject) is None:
        return ()
    found = number_pattern(subject_tag).finditer(subject[:_LONGEST_SUBJECT])
    return tuple(dict.fromkeys(as_kept(next(filter(None, match.groups()))) for match in found))


def may_have_mark(subject: str) -> bool:
    """A quick no for subjects without a reply mark: most mails begin something new."""
    return ":" in subject or "：" in subject


def without_tags(subject: str, subject_tag: str) -> str:
    """A subject without ticket tags as this desk writes them, for a ticket that gets a tag of its own."""
    before, _, after = subject_tag.partition("{number}")
    bare = not (before + after).strip("[](){}<> ")  # else other systems' keys would go as well
    number = r"[0-9]{4,12}" if bare else NUMBER
    tag = re.compile(
        rf"\s?{re.escape(before.strip())}\s?{number}\s?{re.escape(after.strip())}", re.IGNORECASE
    )
    return tag.sub("", subject[:_LONGEST_SUBJECT]).strip() + subject[_LONGEST_SUBJECT:]


def without_marks(subject: str) -> str:
    """A subject without the reply and forward marks before it."""
    return _unmarked(subject, None)[0]


def clean_subject(subject: str, subject_tag: str) -> tuple[str, bool]:
    """A subject without reply and forward marks and ticket tags, folded for comparing; had it a mark?

    Two mails of one conversation have the same cleaned subject, whatever their clients put around it.
    """
    bare, marked = bare_subject(subject, subject_tag)
    return bare.casefold(), marked


def bare_subject(subject: str, subject_tag: str) -> tuple[str, bool]:
    """A subject without reply and forward marks and ticket tags, its letters as they were; had it a mark?"""
    tag = number_pattern(subject_tag)
    rest, marked = _unmarked(subject, tag)
    rest = tag.sub("", rest)
    return " ".join(rest.replace("[]", "").replace("()", "").split()), marked


def _unmarked(subject: str, tag: re.Pattern[str] | None) -> tuple[str, bool]:
    """A subject without the marks it begins with, and the tags where `tag` tells them; had it a mark?"""
    rest = " ".join(subject[:_LONGEST_SUBJECT].split())
    marked = False
    for _ in range(_MOST_PREFIXES):
        mark = _PREFIX.match(rest)
        if mark is not None:
            marked = True
            rest = rest[mark.end() :]
            continue
        tagged = tag.match(rest.lstrip("[({<")) if tag is not None else None
        if tagged is None:
            break
        rest = rest.lstrip("[({<")[tagged.end() :].lstrip("])}> ")
    return rest, marked


def thread_index(mail: ParsedMail) -> str | None:
    """The Thread-Index of a mail, when it has a well-formed one."""
    value = mail.header("thread-index")
    return value.strip() if value and _index(value) is not None else None


def thread_topic(mail: ParsedMail) -> str | None:
    """The Thread-Topic of a mail whose Thread-Index is well-formed."""
    value = mail.header("thread-topic")
    return value[:_LONGEST_TOPIC] if value and thread_index(mail) is not None else None


def child_index(parent: str, name: str, now: datetime) -> str | None:
    """The Thread-Index of a mail that answers one with `parent`; None when that is none.

    name: what tells this mail from others at the same moment, such as its Message-ID. The five bytes
    are the time since the conversation began and a few bits of our own (MS-OXOMSG 2.2.1.3). A very
    long index is echoed as it is: Outlook needs only its beginning.
    """
    raw = _index(parent)
    if raw is None:
        return None
    if len(raw) >= _ROOT + _CHILD * _MOST_CHILDREN:
        return base64.b64encode(raw).decode("ascii")
    began = int.from_bytes(b"\0" + raw[1:6] + b"\0\0", "big") if len(raw) >= _ROOT else 0
    ticks = max(int((now - _FILETIME_EPOCH).total_seconds()) * 10_000_000 - began, 0)
    delta = min(ticks >> 18, 0x7FFFFFFF)
    random = hashlib.sha256(name.encode()).digest()[:1]
    return base64.b64encode(raw + delta.to_bytes(4, "big") + random).decode("ascii")


def _index(value: str) -> bytes | None:
    """The bytes of a Thread-Index: a root and whole children, not too many."""
    packed = "".join(value.split())
    if len(packed) > 4 * (_ROOT + _CHILD * 2 * _MOST_CHILDREN) // 3:
        return None
    try:
        raw = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        return None
    whole = len(raw) >= _ROOT and (len(raw) - _ROOT) % _CHILD == 0
    return raw if whole else None
