"""The mail console through the real daemon: lists, stories and searches by mail, and answers by number."""

from __future__ import annotations

import itertools
import re
from email.message import EmailMessage

from tests.scenario.daemon import Daemon, answer, new_mail, text_of

SAM = "sam.private@agents.example"
SERIAL = itertools.count(1)


def reply(daemon: Daemon, mail: EmailMessage, text: str, sender: str = SAM) -> EmailMessage:
    """Answer one of our mails as an agent; the mail that comes back."""
    before = len(daemon.to(sender))
    raw = answer(mail, text, sender=sender, message_id=f"c{next(SERIAL)}@agents.example")
    daemon.send(raw, str(mail["Reply-To"].addresses[0].addr_spec), sender)
    daemon.idle()
    found = [one for one in daemon.to(sender)[before:] if one["Subject"].startswith("Re: ")]
    return found[-1]


def opened(daemon: Daemon, *subjects: str) -> EmailMessage:
    """Tickets with these subjects; the last alert Sam got."""
    for subject in subjects:
        number = next(SERIAL)
        daemon.send(new_mail(subject, f"About the {subject}.", message_id=f"n{number}@customer.example"))
        daemon.idle()
    return daemon.wait_to(SAM, len(subjects))[-1]


def states(daemon: Daemon) -> dict[str, tuple[str, str | None]]:
    return {
        row["subject"]: (row["status"], row["assignee"]) for row in daemon.json("ticket", "list", "--all")
    }


def test_a_list_by_mail_is_answered_by_number_and_one_receipt_tells_of_all(daemon: Daemon) -> None:
    alert = opened(daemon, "Printer", "Scanner", "Monitor")
    listed = reply(daemon, alert, "#list unassigned sort:created reverse:yes")
    said = text_of(listed)
    assert [re.search(rf"(?m)^{n}\s+(\w+)", said)[1] for n in (1, 2, 3)] == ["Printer", "Scanner", "Monitor"]  # type: ignore[index]
    assert listed["Auto-Submitted"] == "auto-replied"
    assert daemon.to("ann@customer.example") != []

    receipt = reply(daemon, listed, "1-2 assign sue\n3 #priority high\n2 note he called twice\n\nThanks, Sam")
    assert "3 tickets were changed" in text_of(receipt)
    found = states(daemon)
    assert found["Printer"] == ("open", "sue")
    assert found["Scanner"] == ("open", "sue")
    assert daemon.json("ticket", "list", "--when", "created_since=1d", "--priority", "high")[0][
        "subject"
    ] == ("Monitor")
    for mail in daemon.to("ann@customer.example"):
        assert "he called twice" not in text_of(mail)

    again = reply(daemon, receipt, "1 close\n3 close")
    assert "2 tickets were changed" in text_of(again)
    assert states(daemon)["Printer"][0] == "closed"
    assert daemon.command("verify").returncode == 0


def test_if_one_line_is_not_understood_nothing_is_done(daemon: Daemon) -> None:
    alert = opened(daemon, "Printer", "Scanner")
    listed = reply(daemon, alert, "#list unassigned")
    for wrong, told in (
        ("1 close\n2 asign sue", "Did you mean #assign"),
        ("1 close\n2 assign nobodyatall", "nobodyatall"),
        ("1 close\n7 close", "the mail you answer has no number 7"),
        ("1 close\nplease", "neither list, show, search"),
        ("1 close\n1 reopen", "contradicts"),
        ("1 close\n2 priority", "priority"),
    ):
        back = text_of(reply(daemon, listed, wrong))
        assert "Nothing was done" in back, wrong
        assert told in back, back
    assert set(states(daemon).values()) == {("open", None)}


def test_the_numbers_of_a_mail_stay_and_what_no_longer_applies_is_said(daemon: Daemon) -> None:
    alert = opened(daemon, "Printer", "Scanner")
    first = reply(daemon, alert, "#list unassigned sort:created reverse:yes")
    reply(daemon, first, "1 close")
    opened_later = new_mail("Newer", message_id="newer@customer.example")
    daemon.send(opened_later)
    daemon.idle()
    second = reply(daemon, first, "list unassigned sort:created reverse:yes")
    assert "Printer" not in text_of(second)
    receipt = text_of(reply(daemon, first, "1 close\n2 take"))
    assert "Not done" in receipt
    assert "closed" in receipt
    assert "1 ticket was changed" in receipt
    assert states(daemon)["Scanner"] == ("open", "sam")
    assert states(daemon)["Newer"] == ("open", None)


def test_a_story_and_a_search_come_by_mail(daemon: Daemon) -> None:
    alert = opened(daemon, "Printer", "Scanner")
    number = daemon.json("ticket", "search", "printer")[0]["number"]
    story = text_of(reply(daemon, alert, f"#show {number}"))
    assert "About the Printer." in story
    assert "opened the ticket" in story
    note = answer(alert, "#priority high\n#note she rang", sender=SAM, message_id="rang@agents.example")
    daemon.send(note, str(alert["Reply-To"].addresses[0].addr_spec), SAM)
    daemon.idle()
    own = text_of(reply(daemon, alert, "#log"))
    assert "About the Scanner." in own
    assert "priority: normal → high" in own
    assert "she rang" in own
    found = reply(daemon, alert, "#search about the scanner")
    assert "Scanner" in text_of(found)
    assert "Printer" not in text_of(found).partition("Lines")[0].partition("wrote")[0]
    reply(daemon, found, "1 resolve")
    assert states(daemon)["Scanner"][0] == "resolved"
    by_number = text_of(reply(daemon, found, f"#{number} tag vip"))
    assert "1 ticket was changed" in by_number


def test_a_list_is_good_for_the_agent_it_was_made_for_only(daemon: Daemon) -> None:
    alert = opened(daemon, "Printer")
    listed = reply(daemon, alert, "#list unassigned")
    address = str(listed["Reply-To"].addresses[0].addr_spec)
    stranger = "Mallory <mallory@elsewhere.example>"
    daemon.send(
        answer(listed, "1 close", sender=stranger, message_id="m@elsewhere.example"),
        address,
        "mallory@elsewhere.example",
    )
    daemon.send(
        answer(listed, "1 close", sender="sue.private@agents.example", message_id="s@agents.example"),
        address,
        "sue.private@agents.example",
    )
    daemon.idle()
    assert states(daemon)["Printer"] == ("open", None)
    for mail in daemon.to("mallory@elsewhere.example"):
        assert "Printer" not in text_of(mail).split("wrote")[0] or "#1" not in text_of(mail)


def test_an_outsider_who_writes_to_the_console_is_a_customer_and_learns_nothing(daemon: Daemon) -> None:
    opened(daemon, "Secret printer")
    before = len(daemon.to(SAM))
    for sender in ("eve@elsewhere.example", SAM):
        daemon.send(
            new_mail(
                "list all", "#list all", sender=sender, to="console@desk.example", message_id=f"x-{sender}"
            ),
            "console@desk.example",
            sender,
        )
    daemon.idle()
    (told,) = daemon.to("eve@elsewhere.example")
    assert "Secret printer" not in text_of(told)
    assert len(daemon.json("ticket", "list")) == 3
    assert all("Answer this mail with lines like" not in text_of(mail) for mail in daemon.to(SAM)[before:])


def test_an_out_of_office_to_a_list_does_nothing(daemon: Daemon) -> None:
    alert = opened(daemon, "Printer")
    listed = reply(daemon, alert, "#list unassigned")
    before = len(daemon.outgoing())
    raw = answer(listed, "1 close\nI am away.", sender=SAM, message_id="ooo@agents.example")
    daemon.send(
        b"Auto-Submitted: auto-replied\r\n" + raw, str(listed["Reply-To"].addresses[0].addr_spec), SAM
    )
    daemon.idle()
    assert states(daemon)["Printer"] == ("open", None)
    assert len(daemon.outgoing()) == before


def digest_for(daemon: Daemon, reader: str) -> EmailMessage:
    """The digest that is due, as soon as it is there."""
    for count in itertools.count(1):
        mail = daemon.wait_to(reader, count)[count - 1]
        if re.search(r"\d+ (overdue|open)", str(mail["Subject"])):
            return mail
    raise AssertionError("wait_to waits for ever")


def test_a_managers_digest_is_answered_by_number(daemon: Daemon) -> None:
    opened(daemon, "Printer", "Scanner")
    daemon.later(86_400)
    mona = "mona.private@agents.example"
    digest = digest_for(daemon, mona)
    number = re.search(r"(\d+)\s+Printer", text_of(digest))
    assert number is not None
    receipt = reply(daemon, digest, f"{number[1]} assign sue", mona)
    assert "1 ticket was changed" in text_of(receipt)
    assert states(daemon)["Printer"][1] == "sue"
