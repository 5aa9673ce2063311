"""What goes on around a ticket, by mail alone: lists, conversations, forwards, customers' words, digests.

As test_by_mail.py, whose daemon and people these are.
"""

from __future__ import annotations

import re
from email.message import EmailMessage

import pytest

from tests.scenario.composed import FORWARDS, Draft, links
from tests.scenario.daemon import Daemon, new_mail, parse, text_of
from tests.scenario.office import PEOPLE, PROVEN, Matter, Office, address, address_of, said
from tests.scenario.test_by_mail import HOLD, office
from tests.servers import wait_until
from tests.store.conversations import PROGRAMS as THREADED_BY
from tests.store.conversations import base_subject

__all__ = ["office"]  # a fixture
SAM, SUPPORT = PEOPLE["sam"], "support@desk.example"
CONSOLE = "console@desk.example"


def numbers(listed: EmailMessage, *matters: Matter) -> list[str]:
    """The lines of a numbered mail that are about these tickets."""
    found = [re.search(rf"(?m)^(\d+)\s+{re.escape(one.subject)}", text_of(listed)) for one in matters]
    assert all(found), text_of(listed)
    return [one[1] for one in found if one]


def arrived(daemon: Daemon, person: str, subject: str, links_in: int = 0) -> EmailMessage:
    """Wait for a mail that comes by the clock; the newest with such a subject, and so many links at least."""

    def found() -> list[EmailMessage]:
        mails = [mail for mail in daemon.to(address(person)) if re.search(subject, str(mail["Subject"]))]
        return [mail for mail in mails if not links_in or len(links(mail)) == links_in]

    wait_until(found, f"{person} has got {subject}\n{daemon.tail()}", bound=40)
    return found()[-1]


def test_a_list_by_mail_is_answered_by_number_from_any_program(office: Office) -> None:
    """Asked for by an answer to any alert, by a proven mail to the console, by a search; one receipt each."""
    first, second, third = (office.opened(f"list-{name}") for name in ("one", "two", "three"))
    other = office.opened("unlisted")
    first.says("sam", "mutt", "#list unassigned sort:created")
    listed = office.daemon.to("sam.private@agents.example")[-1]
    one, two, three = numbers(listed, first, second, third)
    first.says(
        "sam",
        "outlook_web",
        f"{one},{two} assign sue",
        f"{three} #priority high",
        f"{two} note rang twice",
        to=listed,
    )
    receipt = office.daemon.to("sam.private@agents.example")[-1]
    assert "3 tickets were changed" in said(receipt)
    assert [matter.state[2:4] for matter in (first, second, third, other)] == [
        ("sue", "normal"), ("sue", "normal"), (None, "high"), (None, "normal"),
    ]  # fmt: skip
    assert second.entries[-1] == ("note", "agent:sam", "rang twice")

    third.says("sam", "iphone", f"{three} asign bob", f"{one} close", to=listed)
    assert "Nothing was done" in said(office.daemon.to("sam.private@agents.example")[-1])
    assert first.state[0] == "open"

    # its numbers stay what they were, and what no longer applies is said
    third.says("sue", "gmail", "#close")
    office.opened("list-newer")
    first.says("sam", "thunderbird_html", f"{three} resolve", f"{one} take", to=listed)
    told = said(office.daemon.to("sam.private@agents.example")[-1])
    assert "1 ticket was changed" in told, told
    assert "Not done" in told, told
    assert (first.state[2], third.state[0]) == ("sam", "closed")

    asked = new_mail(
        "search", "#search two", sender=SAM, to=CONSOLE, message_id=f"{office.serial()}@agents.example"
    )
    proven = parse(asked)
    proven["Authentication-Results"] = PROVEN["Authentication-Results"]
    office.hand_in(proven, "sam", CONSOLE)
    found = office.daemon.to("sam.private@agents.example")[-1]
    second.says("sam", "outlook_text_only", f"{numbers(found, second)[0]} resolve", to=found)
    assert second.state[0] == "resolved"
    office.pass_time(HOLD + 1)
    assert [matter.answers() for matter in (first, second, third)] == [[], [], []]


def test_all_mails_about_a_ticket_are_one_conversation_for_each_reader_in_every_program(
    office: Office,
) -> None:
    """Alerts, receipts, notes, mistakes, held answers, a transfer, an end, a new beginning."""
    matter = office.opened("thread", Thread_Topic="Trouble with thread.")
    matter.says("sue", "gmail", "#note", "Odd.")
    old = matter.newest("sam")
    matter.says("customer", "outlook_ios", "Still there?")
    matter.says("sam", "outlook_desktop", "We look into it.", to=old)
    matter.says("sam", "apple_mail", "#send")
    office.pass_time(HOLD + 1)
    matter.says("sue", "thunderbird", "#asign ida")
    matter.says("sue", "mutt", "#transfer it", "#note", "Yours, Ida.")
    matter.says("ida", "outlook_web", "#priority high", "", "I am Ida.")
    office.pass_time(HOLD + 1)
    matter.says("customer", "iphone", "It is worse.")
    matter.says("ida", "gmail_app", "#close", "", "It is done.")
    office.pass_time(HOLD + 1)
    matter.says("customer", "thunderbird", "No, it is not done at all.")
    number = f"[#{matter.row.number}]"
    for person in ("sam", "sue", "ida", matter.customer):
        sender = PEOPLE.get(person, person)
        own = office.sent[sender.rpartition("<")[2].rstrip(">")]
        mails = [*matter.mails(sender), *(mail for mail in own if number in str(mail["Subject"]))]
        subjects = [str(mail["Subject"]) for mail in mails]
        assert len(matter.mails(sender)) >= 4, person
        assert len({base_subject(mail) for mail in mails}) == 1, (person, subjects)
        names = {mail["From"].addresses[0].display_name for mail in matter.mails(sender)}
        assert names == ({"Example Bank"} if person in PEOPLE else {"Support", "System Administration"})
        for name, threads in THREADED_BY.items():
            assert len(threads(mails)) == 1, (person, name, subjects)


@pytest.mark.parametrize("program", FORWARDS)
def test_a_mail_that_an_agent_passes_on_is_a_ticket_of_its_author(office: Office, program: str) -> None:
    matter = Matter(office, f"passed-{program.replace('_', '-')}")
    body = "The door is broken.\n\nDora\n"
    original = parse(
        new_mail(
            matter.subject, body, sender=matter.customer, to=SAM, message_id=f"{office.serial()}@c.example"
        )
    )
    words = "#priority high\nHe has called twice already, between us."
    draft = Draft(SAM, SUPPORT, "", words, office.serial())
    forged = FORWARDS[program](original, draft)
    proven = FORWARDS[program](original, Draft(SAM, SUPPORT, "", words, office.serial()))
    proven["Authentication-Results"] = PROVEN["Authentication-Results"]
    office.hand_in(proven, "sam", SUPPORT)
    row = matter.row
    assert (row.requester_address, row.priority) == (address_of(matter.name), "high")
    assert matter.entries == [
        ("message", address_of(matter.name), "The door is broken.\n\nDora"),
        ("note", "agent:sam", "He has called twice already, between us."),
    ]
    assert matter.mails(matter.customer) == [], "they wrote to a person, not to a desk"
    matter.says("sue", "gmail", "It is repaired.")
    office.pass_time(HOLD + 1)
    (answer,) = matter.answers()
    assert "It is repaired." in answer
    assert "between us" not in answer
    # without proof it is a mail of whoever says to be Sam, and nothing in it is Dora's
    office.hand_in(forged, "sam", SUPPORT)
    assert len(matter.answers()) == 1
    assert len(matter.entries) == 3


def test_an_agent_writes_to_a_customer_with_the_desk_in_cc(office: Office) -> None:
    """On the customer's behalf, then an answer with the desk in Cc, then in Bcc: filed, never sent again."""
    matter = Matter(office, "behalf")
    mail = parse(
        new_mail(
            matter.subject, "Dear Ann, how is the door?", sender=SAM, to=matter.customer,
            message_id="behalf-1@agents.example", Cc=SUPPORT,
            Authentication_Results=PROVEN["Authentication-Results"],
        )
    )  # fmt: skip
    office.hand_in(mail, "sam", SUPPORT)
    assert (matter.row.requester_address, *matter.state[:3]) == (
        address_of("behalf"), "in-progress", "support", "sam",
    )  # fmt: skip
    assert matter.entries == [("response", "agent:sam", "Dear Ann, how is the door?")]
    theirs = new_mail(
        f"Re: {matter.subject}", "Broken again.", sender=matter.customer, to=SAM, Cc=SUPPORT,
        message_id="behalf-2@customer.example", In_Reply_To="<behalf-1@agents.example>",
    )  # fmt: skip
    office.hand_in(theirs, matter.customer, SUPPORT)
    assert matter.entries[-1] == ("message", address_of("behalf"), "Broken again.")
    for serial, fields in (("behalf-3", {"Cc": SUPPORT}), ("behalf-4", {})):
        words = f"#close\n\nRepaired, {serial}." if not fields else f"Repaired, {serial}."
        direct = new_mail(
            f"Re: {matter.subject}", words, sender=SAM, to=matter.customer,
            message_id=f"{serial}@agents.example", In_Reply_To="<behalf-2@customer.example>",
            References="<behalf-2@customer.example>",
            Authentication_Results=PROVEN["Authentication-Results"], **fields,
        )  # fmt: skip
        office.hand_in(direct, "sam", SUPPORT)
        kind, author, text = matter.entries[-1]
        assert (kind, author, serial in text) == ("response", "agent:sam", True), matter.entries
    assert matter.state[0] == "in-progress", "in Bcc, commands do not count"
    office.pass_time(HOLD + 1)
    assert matter.answers() == [], "who has it does not get it twice"
    assert (
        len(
            office.daemon.books.rows(
                "SELECT id FROM ticket WHERE requester_address = :a", a=address_of("behalf")
            )
        )
        == 1
    )


def test_customers_close_reopen_and_ask_by_one_word_or_one_tap(office: Office) -> None:
    matter = office.opened("words")
    matter.says("sam", "gmail", "Which door is it?")
    office.pass_time(HOLD + 1)
    matter.says("customer", "outlook_ios", "status")
    listed = office.daemon.to(address_of("words"))[-1]
    assert str(matter.row.number) in said(listed)
    assert listed["Auto-Submitted"] == "auto-replied"
    answer = next(mail for mail in matter.mails(matter.customer) if mail["Auto-Submitted"] is None)
    matter.says("customer", "iphone", "Close", "", "Thanks", "Ann", to=answer)
    assert matter.state[0] == "closed"
    matter.says("customer", "gmail", "close", to=answer)
    assert matter.state[0] == "closed", "never opened by accident"
    matter.says("customer", "outlook_desktop", "reopen", to=answer)
    assert matter.state[0] == "open"
    entries = len(matter.entries)
    chosen = links(answer)["Close it, it has been settled"]
    matter.taps("customer", "outlook_web", chosen, Auto_Submitted="auto-replied")
    matter.taps("Eve <eve@evil.example>", "gmail", chosen)
    assert matter.state[0] == "open"
    matter.taps("customer", "gmail", chosen)
    assert matter.state[0] == "closed"
    assert len(matter.entries) >= entries


def test_solved_still_broken_and_a_rating_by_one_tap(office: Office) -> None:
    matter = office.opened("taps")
    matter.says("sam", "outlook_web", "#resolve", "", "It is done.")
    office.pass_time(HOLD + 1)
    ended = links(matter.newest(matter.customer))
    solved, broken = ended["Yes, it is solved"], ended["No, it is still not solved"]
    matter.taps("customer", "iphone", broken)
    assert matter.state[0] in ("open", "in-progress")
    assert "still not solved" in said(matter.newest("sam"))
    matter.says("sam", "mutt", "#resolve", "", "Now it is.")
    office.pass_time(HOLD + 1)
    matter.taps("customer", "outlook_ios", solved, "You were quick!")
    assert matter.state[0] == "closed"
    office.pass_time(3700)
    question = arrived(office.daemon, address_of("taps"), r"Trouble with taps", links_in=5)
    matter.taps("customer", "thunderbird", links(question)["4: good"], "The second time, that is.")
    matter.says("customer", "outlook_desktop", "2", to=question)
    rated = office.daemon.books.rows("SELECT score FROM rating WHERE ticket_id = :t", t=matter.row.id)
    assert [row.score for row in rated] == [2], "the last one counts"
    assert matter.state[0] == "closed"


def test_a_digest_is_answered_by_number_hours_later(daemon: Daemon) -> None:
    """By a manager's phone: its numbers are those of the digest, whatever has happened since."""
    office = Office(daemon)
    printer, scanner, screen = (office.opened(name) for name in ("printer", "scanner", "screen"))
    office.pass_time(86_400)
    digest = arrived(daemon, "mona", r"\d+ overdue, \d+ open")
    one, two, three = numbers(digest, printer, scanner, screen)
    scanner.says("sam", "mutt", "#close")
    office.pass_time(3600)
    printer.says(
        "mona", "outlook_ios", f"{one} assign sue", f"{two} close", f"{three} priority high", to=digest
    )
    receipt = said(daemon.to("mona.private@agents.example")[-1])
    assert "2 tickets were changed" in receipt, receipt
    assert "Not done" in receipt, "what no longer applies is said"
    assert "closed" in receipt.partition("Not done")[2], receipt
    assert (printer.state[2], scanner.state[0], screen.state[3]) == ("sue", "closed", "high")
