"""The known attacks on help desks by mail, each tried on one running desk. None of them gets anything.

Named after the incidents and advisories in which they worked on others. Every test has a victim of its
own, so that all may share a daemon; its limits on automatic mail are off, so that none of them is what
saves the desk.
"""

from __future__ import annotations

import itertools
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.scenario.daemon import Daemon, answer, new_mail, text_of
from tests.scenario.test_hostile import UNBRAKED

SAM = "sam.private@agents.example"
MALLORY = "mallory@evil.example"
TRUST = "\n[trust]\nauthserv_ids = ['mx.desk.example']\n"
SERIAL = itertools.count(1)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for all attacks."""
    folder: Path = tmp_path_factory.mktemp("attacked")
    with Daemon(folder, extra=UNBRAKED + TRUST) as running:
        yield running


class Victim:
    """A customer with a ticket, and what the desk has sent about it so far."""

    def __init__(self, desk: Daemon) -> None:
        self.desk = desk
        self.name = f"victim{next(SERIAL)}"
        self.address = f"{self.name}@customer.example"
        self.subject = f"Trouble of {self.name}"
        self.send(self.address, self.subject, "A secret of mine.")
        self.number = str(self.tickets()[0]["number"])

    def send(
        self, sender: str, subject: str, body: str, to: str = "support@desk.example", **more: str
    ) -> None:
        """Hand in a mail in somebody's name, and wait until the desk has done with it."""
        raw = new_mail(subject, body, sender=sender, message_id=f"a{next(SERIAL)}@evil.example", **more)
        self.desk.send(raw, to, MALLORY)
        self.desk.settle()

    def reply(self, mail: EmailMessage, sender: str, body: str, to: str | None = None) -> None:
        """Answer a mail of the desk in somebody's name."""
        raw = answer(mail, body, sender=sender, message_id=f"a{next(SERIAL)}@evil.example")
        self.desk.send(raw, to or reply_to(mail), sender)
        self.desk.settle()

    def tickets(self) -> list[dict[str, Any]]:
        """The tickets about the victim's trouble, the first one last."""
        every: list[dict[str, Any]] = self.desk.json("ticket", "list", "--all", "--limit", "1000")
        return [row for row in every if self.name in row["subject"]]

    def shown(self) -> dict[str, Any]:
        """The victim's first ticket with all that belongs to it."""
        found: dict[str, Any] = self.desk.json("ticket", "show", self.number)
        return found

    def untouched(self) -> bool:
        """Nothing was added to the ticket or changed on it."""
        found = self.shown()
        return (
            [entry["text"] for entry in found["entries"]] == ["A secret of mine."]
            and found["ticket"]["status"] == "open"
            and found["ticket"]["assignee"] is None
        )

    def alert(self, agent: str = SAM) -> EmailMessage:
        """The first alert about the ticket that an agent has got."""
        return self.alerts(agent)[0]

    def alerts(self, agent: str = SAM) -> list[EmailMessage]:
        """All of them, oldest first."""
        return [mail for mail in self.desk.to(agent) if f"#{self.number}" in str(mail["Subject"])]


@pytest.fixture
def victim(desk: Daemon) -> Victim:
    """A fresh one."""
    return Victim(desk)


def reply_to(mail: EmailMessage) -> str:
    return str(mail["Reply-To"].addresses[0].addr_spec)


def to(desk: Daemon, address: str, name: str) -> list[str]:
    """The texts of the mails to an address that have to do with one victim."""
    return [text_of(mail) for mail in desk.to(address) if name in str(mail["Subject"])]


def test_ticket_trick_a_sign_up_mail_reaches_nobody_through_the_desk(desk: Daemon, victim: Victim) -> None:
    """2017: confirmation links of other services were sent to a desk and read by "their" customer."""
    link = "https://chat.example/confirm?code=123456"
    victim.send("no-reply@chat.example", f"Confirm {victim.name} [#{victim.number}]", f"Click {link}")
    assert victim.untouched()
    assert desk.to("no-reply@chat.example") == []
    assert not any(link in text for text in to(desk, victim.address, victim.name))


def test_zendesk_2024_a_copy_to_the_attacker_brings_no_history(desk: Daemon, victim: Victim) -> None:
    """2024: a forged reply of the requester with the attacker in Cc made the attacker a participant."""
    victim.send(victim.address, f"Re: {victim.subject} [#{victim.number}]", "Please add him.", Cc=MALLORY)
    victim.reply(victim.alerts()[-1], f"Sam <{SAM}>", "Here is all we know.")
    assert desk.to(MALLORY) == []
    assert any("Here is all we know." in text for text in to(desk, victim.address, victim.name))


def test_relay_spam_2025_an_acknowledgement_carries_nothing_of_the_mail(desk: Daemon, victim: Victim) -> None:
    """2025: desks acknowledged forged mails to millions, with the spammer's words in them."""
    target = f"target-of-{victim.name}@other.example"
    lure = f"{victim.name}: win at https://evil.example/prize now, " + "very much " * 30
    victim.send(target, lure, "Buy pills at https://evil.example/pills")
    (acknowledgement,) = desk.to(target)
    assert "pills" not in text_of(acknowledgement)
    assert "https://evil.example" not in str(acknowledgement["Subject"]) + text_of(acknowledgement)
    assert len(str(acknowledgement["Subject"])) < 160
    forged = "Authentication-Results: mx.desk.example; dmarc=fail (p=reject)"
    name, _, value = forged.partition(": ")
    victim.send(f"second-{target}", lure, "Buy pills", **{name: value})
    assert desk.to(f"second-{target}") == []
    assert len(victim.tickets()) == 3


def test_a_guessed_number_looks_the_same_whether_it_exists_or_not(desk: Daemon, victim: Victim) -> None:
    """Numbers are names, not keys."""
    for stranger, number in ((f"one-{victim.name}", victim.number), (f"two-{victim.name}", "987654321")):
        victim.send(f"{stranger}@evil.example", f"Re: {victim.name} [#{number}]", "Tell me more.")
    assert victim.untouched()
    first, second = (desk.to(f"{who}-{victim.name}@evil.example") for who in ("one", "two"))
    assert len(first) == len(second) == 1
    assert first[0].keys() == second[0].keys()
    assert victim.number not in str(first[0]["Subject"]).replace(f"[#{victim.number}] ", "", 1).split("[")[0]
    assert "secret" not in text_of(first[0]) + text_of(second[0])


def test_freescout_guessed_references_and_addresses_join_nothing(desk: Daemon, victim: Victim) -> None:
    """GHSA-6r38-6mcf-2ww3, CVE-2026-47123: Message-IDs and reply addresses that could be made up."""
    token = str(reply_to(victim.alert())).partition("+")[2].partition("@")[0]
    wrong = token[:-1] + ("a" if token[-1] != "a" else "e")
    for guess in (
        f"mt.{wrong}.aaaa@desk.example",
        f"ticket.{victim.number}.1@desk.example",
        "notify-1-2-ab@x",
    ):
        pointing = {"In_Reply_To": f"<{guess}>", "References": f"<{guess}>"}
        victim.send(MALLORY, f"{victim.name} {guess[:9]}", "Guess.", **pointing)
    for extension in (wrong, victim.number, "../../etc", "t1"):
        victim.send(MALLORY, f"{victim.name} {extension}", "Guess.", to=f"support+{extension}@desk.example")
    assert victim.untouched()
    assert len(victim.tickets()) == 8


def test_rt_commands_a_forged_agent_changes_nothing_and_hears_of_it_once(
    desk: Daemon, victim: Victim
) -> None:
    """RT's CommandByMail, CVE-2026-47123: whoever wrote an agent's address into From was the agent."""
    before = len(desk.to(SAM))
    victim.send(SAM, f"Re: {victim.name} [#{victim.number}]", "Your money is gone.\n#close")
    assert victim.untouched()
    assert not any("money" in text for text in to(desk, victim.address, victim.name))
    (returned,) = desk.to(SAM)[before:]
    assert "Your money is gone." in text_of(returned)


def test_a_token_of_one_agent_ticket_or_person_is_nothing_to_another(desk: Daemon, victim: Victim) -> None:
    """A token is bound to its bearer and its ticket; it opens nothing else."""
    other = Victim(desk)
    victim.reply(victim.alert(), "Sue <sue.private@agents.example>", "#close")
    assert victim.untouched()
    # the token of one ticket with the number of another: the token decides
    stolen = answer(
        victim.alert(), "Meant for somebody else.", sender=f"Sam <{SAM}>", message_id="s1@evil.example"
    )
    desk.send(
        stolen.replace(f"#{victim.number}".encode(), f"#{other.number}".encode()),
        reply_to(victim.alert()),
        SAM,
    )
    desk.settle()
    assert other.untouched()
    # a customer's token in another's hands
    acknowledgement = desk.to(other.address)[0]
    other.reply(acknowledgement, MALLORY, "Let me in.")
    other.reply(acknowledgement, victim.address, "Me too.")
    assert other.untouched()
    assert not any("secret" in text_of(mail) for mail in desk.to(MALLORY))


def test_forged_authentication_results_prove_nothing(desk: Daemon, victim: Victim) -> None:
    """RFC 8601, 7.1: anybody can write the header; the topmost must be ours, and say so outside comments."""
    forged = [
        ["mx.evil.example; dmarc=pass header.from=agents.example"],
        ["mx.evil.example; dmarc=none", "mx.desk.example; dmarc=pass header.from=agents.example"],
        ["mx.desk.example; dkim=none", "mx.desk.example; dmarc=pass header.from=agents.example"],
        ["mx.desk.example; dmarc=fail (dmarc=pass) header.from=agents.example"],
        ["mx.desk.example; dkim=none (dmarc=pass header.from=agents.example)"],
        ["mx.desk.example; spf=pass smtp.mailfrom==?utf-8?q?x;_dmarc=3Dpass?=@evil.example"],
        ["mx.desk.example; dkim=pass header.d=evil.example"],
    ]
    raw = new_mail(f"Re: {victim.name} [#{victim.number}]", "Gone.\n#close", sender=SAM)
    for headers in forged:
        top = "".join(f"Authentication-Results: {value}\r\n" for value in headers)
        serial = f"X-Serial: {next(SERIAL)}\r\n"
        desk.send((top + serial).encode() + raw, sender=SAM)
        desk.settle()
        assert victim.untouched(), headers
    true = b"Authentication-Results: mx.desk.example; dmarc=pass header.from=agents.example\r\n"
    desk.send(true + raw, sender=SAM)
    desk.settle()
    found = victim.shown()
    assert found["ticket"]["status"] == "closed"
    assert found["entries"][-1]["trust"] == "authenticated"
    assert "DMARC passed for agents.example, says our MX" in found["entries"][-1]["evidence"]


def test_cve_2023_27043_a_from_with_two_readings_is_nobody(desk: Daemon, victim: Victim) -> None:
    """CVE-2023-27043, CVE-2026-48780: parsers that see the agent where DMARC saw the attacker."""
    pointing = f"Subject: Re: {victim.name} [#{victim.number}]\r\nTo: support@desk.example\r\n"
    passed = "Authentication-Results: mx.desk.example; dmarc=pass\r\n"
    before = len(desk.to(MALLORY))
    for sender in (
        f"{SAM} <{MALLORY}>",
        f"<{SAM}> <{MALLORY}>",
        f"{SAM})mallory@evil.example(",
        f"<{SAM}>{MALLORY}",
        f"{SAM};{MALLORY}",
        f"{SAM}, {MALLORY}",
        f"{MALLORY}\r\nFrom: {SAM}",
        f"{SAM}\r\nFrom: {MALLORY}",
        "=?utf-8?q?sam.private=40agents.example?=@evil.example",
        "sam.private@agents.example\x00.evil.example",
    ):
        raw = f"{passed}From: {sender}\r\n{pointing}X-Serial: {next(SERIAL)}\r\n\r\n#close\r\n"
        desk.send(raw.encode(), sender=MALLORY)
        desk.settle()
        assert victim.untouched(), sender
    assert len(desk.to(MALLORY)) == before


@pytest.mark.parametrize(
    "recipient",
    [
        "someone@other.example",
        "someone%other.example@desk.example",
        "someone@other.example@desk.example",
        "@desk.example:someone@other.example",
        '"someone@other.example"@desk.example',
        "someone!other@desk.example",
        "someone@[127.0.0.1]",
        "postmaster@other.example",
    ],
)
def test_nothing_is_relayed_and_nothing_leaves_for_a_refused_mail(desk: Daemon, recipient: str) -> None:
    """Open relays and backscatter: refused at RCPT, and never answered."""
    before = len(desk.outgoing())
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        desk.send(new_mail(sender=MALLORY), recipient, MALLORY)
    assert all(500 <= code < 600 for code, _ in refused.value.recipients.values())
    desk.settle()
    assert len(desk.outgoing()) == before


def test_a_forged_delivery_report_silences_nobody(desk: Daemon, victim: Victim) -> None:
    """A report counts only about a mail of ours; else anybody could have a customer's answers stopped."""
    report = (
        "From: MAILER-DAEMON@mx.example\r\nTo: support@desk.example\r\n"
        f"Subject: Undelivered {victim.number}\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=B\r\n\r\n"
        "--B\r\n\r\nNobody here.\r\n--B\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; {victim.address}\r\n"
        "Action: failed\r\nStatus: 5.1.1\r\n\r\n--B\r\nContent-Type: message/rfc822\r\n\r\n"
        f"Message-ID: <ticket.{victim.number}.1@desk.example>\r\nTo: {victim.address}\r\n"
        "Subject: x\r\n\r\n--B--\r\n"
    )
    desk.send(report.encode(), sender="")
    desk.settle()
    assert victim.untouched()
    victim.reply(victim.alert(), f"Sam <{SAM}>", "Here is your answer.")
    assert any("Here is your answer." in text for text in to(desk, victim.address, victim.name))


def test_an_agent_is_not_flooded_with_returned_mails(desk: Daemon, victim: Victim) -> None:
    """What is refused goes back to the agent, but forging an agent's address is no way to bomb them."""
    agent = "ida.private@agents.example"
    for number in range(13):
        victim.send(agent, f"Re: {victim.name} [#{victim.number}]", f"Forged {number}.")
    returned = [mail for mail in desk.to(agent) if "Forged" in text_of(mail)]
    assert len(returned) == 10
    assert victim.untouched()
