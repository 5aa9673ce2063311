"""How mail programs sort mails into conversations, each by the rules it publishes. Pure.

- Gmail: the same subject apart from reply marks, and a References or In-Reply-To that names a mail of the
  conversation (API guide, "Managing threads").
- Outlook: the first 22 bytes of Thread-Index (MS-OXOMSG 2.2.1.3), else References.
- Outlook without an index (classic, "by conversation topic"): Thread-Topic.
- Thunderbird, mutt: JWZ's algorithm on Message-ID, References and In-Reply-To (jwz.org/doc/threading.html),
  without its last step, which joins by subject.
- Apple Mail: as JWZ, and mails without any reference by subject.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from email.message import EmailMessage

Threader = Callable[[Sequence[EmailMessage]], list[list[EmailMessage]]]
_MARK = re.compile(r"(?:(?:re|aw|wg|fwd?)\s*:\s*)+", re.IGNORECASE)
_ID = re.compile(r"<[^<>\s]+>")


def ids_of(mail: EmailMessage) -> list[str]:
    """What a mail answers, oldest first."""
    return _ID.findall(f"{mail['References'] or ''} {mail['In-Reply-To'] or ''}")


def base_subject(mail: EmailMessage) -> str:
    """The subject without reply marks."""
    return " ".join(_MARK.sub("", str(mail["Subject"]), count=1).split())


def root_of(mail: EmailMessage) -> bytes | None:
    """What names Outlook's conversation."""
    return base64.b64decode(str(mail["Thread-Index"]))[:22] if mail["Thread-Index"] else None


def joined(
    mails: Sequence[EmailMessage], keys: Callable[[EmailMessage], Iterable[Hashable]]
) -> list[list[EmailMessage]]:
    """Mails with a key in common are one conversation, and so are those that such a mail joins."""
    threads: list[tuple[set[Hashable], list[EmailMessage]]] = []
    for mail in mails:
        own = set(keys(mail))
        meets = [thread for thread in threads if thread[0] & own]
        rest = [thread for thread in threads if not thread[0] & own]
        every = own.union(*(thread[0] for thread in meets))
        threads = [*rest, (every, [*(one for thread in meets for one in thread[1]), mail])]
    return [thread for _, thread in threads]


def gmail(mails: Sequence[EmailMessage]) -> list[list[EmailMessage]]:
    """Gmail's conversations."""
    return joined(
        mails, lambda mail: ((base_subject(mail), one) for one in (*ids_of(mail), str(mail["Message-ID"])))
    )


def jwz(mails: Sequence[EmailMessage]) -> list[list[EmailMessage]]:
    """Thunderbird's and mutt's threads: whatever names one another, present or not."""
    return joined(mails, lambda mail: (*ids_of(mail), str(mail["Message-ID"])))


def apple(mails: Sequence[EmailMessage]) -> list[list[EmailMessage]]:
    """Apple Mail's: a mail that answers nothing goes by its subject."""
    return joined(
        mails,
        lambda mail: (
            *ids_of(mail),
            str(mail["Message-ID"]),
            *(() if ids_of(mail) else [base_subject(mail)]),
        ),
    )


def outlook(mails: Sequence[EmailMessage]) -> list[list[EmailMessage]]:
    """Outlook's and Exchange's."""

    def keys(mail: EmailMessage) -> Iterable[Hashable]:
        root = root_of(mail)
        return [str(mail["Message-ID"]), *([root] if root else ids_of(mail))]

    return joined(mails, keys)


def outlook_topic(mails: Sequence[EmailMessage]) -> list[list[EmailMessage]]:
    """Outlook's without an index: by topic; what another program wrote goes by what it answers."""
    return joined(
        mails,
        lambda mail: (
            str(mail["Message-ID"]),
            *([f"topic {mail['Thread-Topic']}"] if mail["Thread-Topic"] else ids_of(mail)),
        ),
    )


PROGRAMS: dict[str, Threader] = {
    "gmail": gmail,
    "thunderbird and mutt": jwz,
    "apple mail": apple,
    "outlook": outlook,
    "outlook by topic": outlook_topic,
}
"""Each mail program's own idea of a conversation."""
