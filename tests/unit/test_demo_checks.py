"""The demo's checks can fail: each is shown a mail that breaks it."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from mailticket.demo.cast import IDA, JANE, SAM, SUPPORT, Role
from mailticket.demo.checks import leaks, unmatched, wrong_with
from mailticket.demo.mailclient import first_mail, reply, text_of
from mailticket.demo.mailroom import Received
from mailticket.demo.shorten import shortened
from mailticket.demo.story import Expected
from mailticket.mail.compose import OutgoingParts, compose
from mailticket.mail.types import Address

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ACKNOWLEDGED = Expected("ticket.autoresp", JANE, SUPPORT, ("we have your message",), ("wages",))
GOOD: dict[str, object] = {
    "sender": Address("Support", SUPPORT),
    "to": (Address(JANE.name, JANE.address),),
    "reply_to": (Address("Support", "support+token@bank.example"),),
    "subject": "Re: Down [#1]",
    "message_id": "m1@bank.example",
    "date": NOW,
    "text": "Hello, we have\nyour message.\n",
    "html": "<p>Hello, we have your message.</p>",
    "in_reply_to": "c1@customer.example",
    "references": ("c1@customer.example",),
    "automatic": "auto-replied",
    "instance": "demo",
}


def _received(envelope_from: str = "", **changes: object) -> Received:
    raw = compose(OutgoingParts(**{**GOOD, **changes}))  # type: ignore[arg-type] # a table of changes
    return Received(JANE, envelope_from, raw, message_from_bytes(raw, policy=policy.default))


def _wrong(item: Received, known: frozenset[str] = frozenset({"c1@customer.example"})) -> list[str]:
    return wrong_with(item, ACKNOWLEDGED, known)


def test_a_mail_as_it_must_be_has_nothing_wrong() -> None:
    assert _wrong(_received()) == []
    assert leaks(_received(), ["#note"]) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sender": Address("", "sysadmin@bank.example")}, "comes from sysadmin@bank.example"),
        ({"to": (Address("", SAM.address),)}, "names other readers"),
        ({"cc": (Address("", SAM.address),)}, "names other readers"),
        ({"reply_to": ()}, "no reply address of its own"),
        ({"reply_to": (Address("", SUPPORT),)}, "no reply address of its own"),
        ({"automatic": None}, "is not marked as automatic"),
        ({"envelope_from": "support+v@bank.example"}, "has the envelope sender"),
        ({"text": "Hello."}, "does not say"),
        ({"text": "we have your message about wages"}, "says"),
        ({"html": None}, "both a text and an HTML part"),
        ({"in_reply_to": "other@bank.example"}, "points at other@bank.example"),
        ({"references": ("c1@customer.example", "sam1@private.example")}, "points at sam1@private.example"),
    ],
)
def test_each_way_of_being_wrong_is_seen(changes: dict[str, str], problem: str) -> None:
    (found,) = _wrong(_received(**changes))
    assert problem in found


@pytest.mark.parametrize(
    "changes",
    [
        {"text": f"Ask {SAM.address}."},
        {"html": "<p>say <b>restart\nthe balancer</b></p>"},
        {"subject": "restart the balancer"},
        {"message_id": f"x@{IDA.address.rpartition('@')[2]}"},
        {"envelope_from": SAM.address},
        {"reply_to": (Address(SAM.name, SAM.address),)},
        {"text": "ü restart the balancer"},
    ],
)
def test_what_is_said_inside_is_found_wherever_a_customers_mail_hides_it(changes: dict[str, str]) -> None:
    assert leaks(_received(**changes), ["restart the balancer"])


def test_mails_are_paired_with_what_was_expected_and_the_rest_is_told_apart() -> None:
    first, second = _received(), _received(message_id="m2@bank.example")
    alert = Expected("ticket.alert", SAM, SUPPORT)
    pairs, missing, extra = unmatched(
        [(first, "ticket.autoresp"), (second, "ticket.autoresp")], [alert, ACKNOWLEDGED]
    )
    assert (pairs, missing, extra) == ([(first, ACKNOWLEDGED)], [alert], [second])


@pytest.mark.parametrize("writer", [JANE, SAM], ids=["webmail", "plain"])
def test_a_reply_is_written_as_a_mail_client_does(writer: Role) -> None:
    written = reply(writer, _received().mail, "Thanks!", NOW)
    mail = message_from_bytes(written.raw, policy=policy.default)
    assert written.recipient == "support+token@bank.example"
    assert mail["In-Reply-To"] == "<m1@bank.example>"
    assert str(mail["References"]).split() == ["<c1@customer.example>", "<m1@bank.example>"]
    assert mail["Subject"] == "Re: Down [#1]"
    assert text_of(mail).startswith(
        "Thanks!\n\nOn Mon, 23 Nov 2026 at 09:00, Support <support@bank.example> wrote:"
    )
    assert "\n> Hello, we have\n> your message." in text_of(mail)
    assert (mail.get_body(("html",)) is not None) is writer.webmail


def test_a_first_mail_points_at_nothing() -> None:
    written = first_mail(JANE, SUPPORT, "Down", "Help.", NOW)
    mail = message_from_bytes(written.raw, policy=policy.default)
    assert (mail["In-Reply-To"], mail["References"], written.recipient) == (None, None, SUPPORT)


def test_a_shown_text_loses_the_machine_lines_and_keeps_facts_on_one_line() -> None:
    facts = "Ticket   1\nFrom     Jane Doe"
    text = f"-- Please reply above this line --\n\nNew.\n\n{facts}\n\n> a\n> b\n\n[mt:abc]\n"
    assert shortened(text) == "New.\n\nTicket: 1 · From: Jane Doe\n\n> a\n> b"
    assert shortened("\n".join(map(str, range(30))), 3) == "0\n1\n2\n… 27 more lines"
