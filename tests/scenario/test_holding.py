"""Strangers with a pointer of somebody else, collaborators, merges: who gets into a ticket, who does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

from tests.scenario.daemon import Daemon, answer, new_mail, text_of

ANN = "Ann Customer <ann@customer.example>"
SAM = "Sam Support <sam.private@agents.example>"
BOB = "bob@elsewhere.example"
SAMS = "sam.private@agents.example"


def reply_to(mail: EmailMessage) -> str:
    return str(mail["Reply-To"].addresses[0].addr_spec)


def show(daemon: Daemon, number: object) -> Any:
    return daemon.json("ticket", "show", str(number))


def tell(daemon: Daemon, alert: EmailMessage, words: str, *, serial: str) -> None:
    """Sam answers an alert."""
    daemon.send(
        answer(alert, words, sender=SAM, message_id=f"{serial}@agents.example"), reply_to(alert), SAMS
    )


def opened(daemon: Daemon) -> tuple[str, EmailMessage, EmailMessage]:
    """Ann's ticket: its number, her acknowledgement, Sam's alert."""
    daemon.send(new_mail())
    (acknowledgement,) = daemon.wait_to("ann@customer.example")
    (alert,) = daemon.wait_to(SAMS)
    found = re.search(r"#(\d+)", str(acknowledgement["Subject"]))
    assert found
    return found.group(1), acknowledgement, alert


def forwarded_to_bob(daemon: Daemon, acknowledgement: EmailMessage, serial: str = "b1") -> None:
    """Bob, to whom Ann forwarded our mail, answers it."""
    mail = answer(
        acknowledgement,
        "I am her colleague.",
        sender=f"Bob <{BOB}>",
        message_id=f"{serial}@elsewhere.example",
    )
    daemon.send(mail, reply_to(acknowledgement), BOB)


def held_number(daemon: Daemon) -> str:
    (row,) = daemon.json("held", "list")
    return str(row["number"])


def test_a_strangers_reply_is_held_and_approve_lets_it_join(daemon: Daemon) -> None:
    number, acknowledgement, _ = opened(daemon)
    forwarded_to_bob(daemon, acknowledgement)
    question = daemon.wait_to(SAMS, 2)[1]
    (to_bob,) = daemon.wait_to(BOB)
    held = held_number(daemon)
    assert f"takes no part in ticket {number}" in " ".join(text_of(question).split())
    assert number not in to_bob.as_string()
    assert [entry["text"] for entry in show(daemon, number)["entries"]] == ["Please help."]
    assert [row["number"] for row in show(daemon, number)["held"]] == [held]
    tell(daemon, question, "approve\n\nHe is fine.", serial="s1")
    alert = daemon.wait_to(SAMS, 3)[2]
    assert "I am her colleague." in text_of(alert)
    found = show(daemon, number)
    assert [entry["text"] for entry in found["entries"]] == [
        "Please help.",
        "I am her colleague.",
        "He is fine.",
    ]
    assert found["entries"][2]["audience"] == "internal"
    assert [(person["address"], person["role"]) for person in found["participants"]] == [
        ("ann@customer.example", "requester"),
        (BOB, "collaborator"),
    ]
    assert show(daemon, held)["merged_into"] == number
    # answers go to both now, and what Bob answers to his old acknowledgement follows the merge
    tell(daemon, alert, "We are on it.", serial="s2")
    daemon.wait_to("ann@customer.example", 2)
    assert "We are on it." in text_of(daemon.wait_to(BOB, 2)[1])
    mail = answer(to_bob, "Thank you.", sender=BOB, message_id="b2@elsewhere.example")
    daemon.send(mail, reply_to(to_bob), BOB)
    daemon.wait_to(SAMS, 4)
    assert show(daemon, number)["entries"][-1]["text"] == "Thank you."
    assert daemon.json("held", "list") == []


def test_denied_it_stays_a_ticket_of_its_own_and_the_department_hears_of_it(daemon: Daemon) -> None:
    number, acknowledgement, _ = opened(daemon)
    forwarded_to_bob(daemon, acknowledgement)
    question = daemon.wait_to(SAMS, 2)[1]
    held = held_number(daemon)
    tell(daemon, question, "Hello Bob, I cannot tell you.", serial="s0")
    back = daemon.wait_to(SAMS, 3)[2]
    assert "approve" in text_of(back)
    tell(daemon, question, "#deny", serial="s1")
    alert = daemon.wait_to(SAMS, 4)[3]
    assert "I am her colleague." in text_of(alert)
    tell(daemon, alert, "Please ask her.", serial="s2")
    assert "Please ask her." in text_of(daemon.wait_to(BOB, 2)[1])
    assert len(show(daemon, number)["entries"]) == 1
    assert show(daemon, held)["ticket"]["status"] == "in-progress"
    assert len(daemon.to("ann@customer.example")) == 1


def test_a_stranger_sees_the_same_whatever_they_know(daemon: Daemon) -> None:
    """A valid token, a real number, a number nobody has: the same acknowledgement, and nothing else."""
    number, acknowledgement, _ = opened(daemon)
    seen: list[str] = []
    unknown = f"{(int(number) + 1) % 900000 + 100000}"
    knowing = [
        ("Help", reply_to(acknowledgement)),
        (f"Help [#{number}]", "support@desk.example"),
        (f"Help [#{unknown}]", "support@desk.example"),
    ]
    for count, (subject, recipient) in enumerate(knowing):
        stranger = f"bob{count}@elsewhere{count}.example"
        mail = new_mail(subject, "x", sender=f"Bob <{stranger}>", message_id=f"{count}@e.example")
        daemon.send(mail, recipient, stranger)
        (got,) = daemon.wait_to(stranger)
        text = re.sub(r"\[mt:[^\]]*\]|\+[a-z2-7]{30,}@", "", text_of(got))
        seen.append(
            re.sub(r"\d{6,}", "N", f"{got['Subject']}{text}{got['Auto-Submitted']}{sorted(got.keys())}")
        )
    assert seen[0] == seen[1] == seen[2]
    held = held_number(daemon)
    before = len(daemon.to(SAMS))
    assert f"#{number}" in daemon.command("held", "approve", held).stdout
    daemon.wait_to(SAMS, before + 1)
    assert [entry["text"] for entry in show(daemon, number)["entries"]] == ["Please help.", "x"]
    again = daemon.command("held", "deny", held, check=False)
    assert (again.returncode, "is not held" in again.stderr) == (1, True)


def test_the_customer_decides_where_the_desk_says_so(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon(environment={"MAILTICKET_DESK__HELD_ASKS": "requester"})
    daemon.start()
    number, acknowledgement, _ = opened(daemon)
    forwarded_to_bob(daemon, acknowledgement)
    question = daemon.wait_to("ann@customer.example", 2)[1]
    assert BOB not in question.as_string()
    assert "colleague" not in text_of(question)
    assert question["Subject"] == acknowledgement["Subject"]
    wrong = answer(question, "approve", sender=BOB, message_id="b2@elsewhere.example")
    daemon.send(wrong, reply_to(question), BOB)
    daemon.wait_to(BOB, 2)
    assert len(show(daemon, number)["entries"]) == 1
    mail = answer(question, "Yes.", sender=ANN, message_id="a2@customer.example")
    daemon.send(mail, reply_to(question), "ann@customer.example")
    alert = daemon.wait_to(SAMS, 2)[1]
    assert "I am her colleague." in text_of(alert)
    assert len(show(daemon, number)["entries"]) == 2


def test_agents_add_collaborators_and_end_their_part(daemon: Daemon) -> None:
    number, _, alert = opened(daemon)
    tell(daemon, alert, f"#cc {BOB}\nPlease look, both of you.", serial="s1")
    daemon.wait_to("ann@customer.example", 2)
    (to_bob,) = daemon.wait_to(BOB)
    assert "Please look, both of you." in text_of(to_bob)
    assert "ann@customer.example" not in to_bob.as_string()
    mail = answer(to_bob, "I did.", sender=BOB, message_id="b1@elsewhere.example")
    daemon.send(mail, reply_to(to_bob), BOB)
    said = daemon.wait_to(SAMS, 2)[1]
    tell(daemon, said, f"#uncc {BOB}\nThank you.", serial="s2")
    daemon.wait_to("ann@customer.example", 3)
    daemon.idle()
    assert len(daemon.to(BOB)) == 1
    tell(daemon, said, "#cc it@desk.example\nHello", serial="s3")
    assert "address of this desk" in text_of(daemon.wait_to(SAMS, 3)[2])
    found = show(daemon, number)
    assert [entry["text"] for entry in found["entries"]][1:3] == ["Please look, both of you.", "I did."]


def test_a_copy_lets_nobody_in_and_a_message_can_be_moved(daemon: Daemon) -> None:
    number, _, alert = opened(daemon)
    subject = f"Re: I cannot log in [#{number}]"
    mail = new_mail(subject, "And another thing.", sender=ANN, message_id="a2@customer.example", Cc=BOB)
    daemon.send(mail, sender="ann@customer.example")
    second = daemon.wait_to(SAMS, 2)[1]
    assert [person["address"] for person in show(daemon, number)["participants"]] == ["ann@customer.example"]
    tell(daemon, second, "#move new", serial="s1")
    moved = daemon.wait_to(SAMS, 3)[2]
    assert "And another thing." in text_of(moved)
    tickets = {row["number"] for row in daemon.json("ticket", "list")}
    (other,) = tickets - {number}
    assert [entry["text"] for entry in show(daemon, other)["entries"]] == ["And another thing."]
    tell(daemon, alert, f"#move #{other}", serial="s2")
    daemon.wait_to(SAMS, 4)
    assert show(daemon, number)["merged_into"] == other
    assert len(show(daemon, other)["entries"]) == 2
