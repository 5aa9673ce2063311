"""What mail programs make of our mails: one conversation per ticket and recipient, by the rules they publish.

Gmail: "same subject" apart from reply marks, and a References or In-Reply-To that names a mail of the
conversation (API guide, "Managing threads"). Outlook: the first 22 bytes of Thread-Index (MS-OXOMSG
2.2.1.3), else References as everybody (RFC 5322 section 3.6.4).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import getaddresses

import pytest
from sqlalchemy import Engine

from tests.scenario.daemon import answer, new_mail, parse
from tests.store.small_desk import SAM, SmallDesk

ANN = "ann@customer.example"
INDEX = base64.b64encode(bytes([1]) + bytes(range(21))).decode()
_MARK = re.compile(r"(?:(?:re|aw|fwd?)\s*:\s*)+", re.IGNORECASE)


def ids_of(mail: EmailMessage) -> set[str]:
    return set(re.findall(r"<[^<>\s]+>", f"{mail['References'] or ''} {mail['In-Reply-To'] or ''}"))


def gmail_subject(mail: EmailMessage) -> str:
    return " ".join(_MARK.sub("", str(mail["Subject"]), count=1).split())


def gmail_threads(mails: Sequence[EmailMessage]) -> list[list[EmailMessage]]:
    """The conversations Gmail would show."""
    threads: list[list[EmailMessage]] = []
    for mail in mails:
        for thread in threads:
            known = {str(one["Message-ID"]) for one in thread}
            if gmail_subject(thread[0]) == gmail_subject(mail) and known & ids_of(mail):
                thread.append(mail)
                break
        else:
            threads.append([mail])
    return threads


def outlook_threads(mails: Sequence[EmailMessage]) -> list[list[EmailMessage]]:
    """The conversations Outlook would show."""
    threads: list[list[EmailMessage]] = []
    for mail in mails:
        root = base64.b64decode(str(mail["Thread-Index"]))[:22] if mail["Thread-Index"] else None
        for thread in threads:
            roots = {base64.b64decode(str(one["Thread-Index"]))[:22] for one in thread if one["Thread-Index"]}
            if root in roots or {str(one["Message-ID"]) for one in thread} & ids_of(mail):
                thread.append(mail)
                break
        else:
            threads.append([mail])
    return threads


def reply(desk: SmallDesk, mail: EmailMessage, words: str, sender: str, serial: str) -> EmailMessage:
    """Somebody answers the newest mail they have, as mail programs do."""
    raw = answer(mail, words, sender=sender, message_id=f"{serial}@{sender.partition('@')[2]}")
    desk.receive(raw, getaddresses([str(mail["Reply-To"])])[0][1], sender)
    return parse(raw)


def conversation(
    desk: SmallDesk, rounds: int, **headers: str
) -> tuple[list[EmailMessage], list[EmailMessage]]:
    """Ann and Sam write to each other; what Ann has in her mailbox, and what Sam has."""
    raw = new_mail("Printer on fire", "Please help.", sender=f"Ann <{ANN}>", **headers)
    desk.receive(raw, sender=ANN)
    ann, sam = [parse(raw), *desk.to(ANN)], desk.to(SAM)
    for number in range(rounds):
        own = reply(desk, desk.to(SAM)[-1], f"Answer {number}.", SAM, f"s{number}")
        sam.append(own)
        ann.append(desk.to(ANN)[-1])
        ann.append(reply(desk, desk.to(ANN)[-1], f"Question {number}?", ANN, f"a{number}"))
        sam.append(desk.to(SAM)[-1])
    assert len(desk.to(ANN)) == len(desk.to(SAM)) == rounds + 1
    return ann, sam


@pytest.mark.parametrize("rounds", [3, 20], ids=["short", "longer than References may grow"])
def test_gmail_shows_all_our_mails_of_a_ticket_as_one_conversation(engine: Engine, rounds: int) -> None:
    ann, sam = conversation(SmallDesk(engine), rounds)
    assert len(gmail_threads(ann[1:])) == 1  # her own first mail has no number in its subject yet
    assert len(gmail_threads(sam)) == 1


def test_outlook_shows_the_whole_ticket_as_one_conversation(engine: Engine) -> None:
    ann, sam = conversation(SmallDesk(engine), 20, Thread_Index=INDEX, Thread_Topic="Printer on fire")
    assert len(outlook_threads(ann)) == 1
    assert len(outlook_threads(sam)) == 1


def test_every_mail_to_one_person_has_one_root_one_subject_and_bounded_references(engine: Engine) -> None:
    desk = SmallDesk(engine)
    conversation(desk, 20)
    for address in (ANN, SAM):
        mails = [mail for mail in desk.to(address) if mail["References"]]
        chains = [re.findall(r"<[^<>\s]+>", str(mail["References"])) for mail in mails]
        assert len({chain[0] for chain in chains}) == 1
        assert max(map(len, chains)) == 13
        assert [chain[-1] for chain in chains] == [mail["In-Reply-To"] for mail in mails]
        assert len({str(mail["Subject"]) for mail in desk.to(address)}) == 1


def test_outlooks_headers_are_carried_on_to_their_author_only(engine: Engine) -> None:
    desk = SmallDesk(engine)
    conversation(desk, 1, Thread_Index=INDEX, Thread_Topic="Printer on fire")
    first, second = desk.to(ANN)
    raw = base64.b64decode(str(first["Thread-Index"]))
    assert raw[:22] == base64.b64decode(INDEX)
    assert len(raw) == 27
    assert first["Thread-Topic"] == second["Thread-Topic"] == "Printer on fire"
    assert [mail["Thread-Index"] for mail in desk.to(SAM)] == [None, None]


@pytest.mark.parametrize("value", ["", "not base64!", "AAAA", "A" * 4000])
def test_a_thread_index_that_is_none_is_not_carried_on(engine: Engine, value: str) -> None:
    desk = SmallDesk(engine)
    conversation(desk, 1, Thread_Index=value, Thread_Topic="Printer on fire")
    assert [mail["Thread-Index"] for mail in desk.to(ANN)] == [None, None]
    assert [mail["Thread-Topic"] for mail in desk.to(ANN)] == [None, None]
