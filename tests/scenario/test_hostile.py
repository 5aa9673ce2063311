"""Hostile mails through the running daemon: each becomes what it may become, and nothing stops.

The large set lies in the shared folder of the project's makers and is generated from there, fitted to
the test desk; its INDEX.tsv says what each mail must lead to. Where that folder is absent only the
project's own set runs. Good mails travel between the hostile ones and must come through untouched.
"""

from __future__ import annotations

import csv
import re
import smtplib
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.scenario.daemon import Daemon, new_mail
from tests.scenario.serials import numbered, serials
from tests.scenario.test_imap import mailbox
from tests.servers import wait_until
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.unit.hostile_mails import hostile_mails

GENERATOR = Path(__file__).resolve().parents[3] / "shared" / "hostile" / "hostile.py"

UNBRAKED = """
[brakes]
per_address_hour = 100000
per_address_day = 100000
per_domain_hour = 100000
total_hour = 100000
per_ticket_10_minutes = 100000
same_subject_hour = 100000
"""
"""Without brakes, so that a mail that must not be answered is not saved by the limits."""

AGENTS = {"sam.private@agents.example", "sue.private@agents.example"}
EVERY = 15
"""A good mail goes before and after so many hostile ones."""


DECIDED = {
    ("spoof__cc_self_add.eml", "nothread"): "a participant's address together with a Message-ID only the "
    "participants know joins the ticket, as known and not as proven; whoever is in Cc joins nothing",
}
"""Where the project decided otherwise than the set proposes, and why."""


@dataclass
class Case:
    """A hostile mail, what must hold of it, and what became of it."""

    name: str
    expect: frozenset[str]
    raw: bytes
    inbound: int | None = None
    code: int = 0


@dataclass
class Desk:
    """A desk with one ticket of a customer's, which hostile mails are after."""

    daemon: Daemon
    ticket: int = 0
    number: str = ""
    message_id: str = ""
    good: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Start it, and have alice open the ticket."""
        self.daemon.start()
        victim = "alice@customer.example"
        self.daemon.send(
            new_mail("Printer", sender=victim, message_id="first@customer.example"), sender=victim
        )
        (acknowledgement,) = self.daemon.wait_to(victim)
        self.daemon.settle()
        row = self.daemon.books.rows("SELECT id, number FROM ticket")[0]
        self.ticket, self.number = row.id, row.number
        self.message_id = str(acknowledgement["Message-ID"])

    def next_good(self) -> bytes:
        """One more good mail."""
        name = serials(len(self.good), 1)
        self.good += name
        return numbered(name)[0]


def cases_of(desk: Desk, folder: Path, *, big: bool = False) -> list[Case]:
    """The generated set, fitted to the desk."""
    if not GENERATOR.exists():
        pytest.skip("the makers' hostile set is not on this machine")
    arguments = ["--agent", "sam.private@agents.example", "--dept", "support@desk.example"]
    arguments += ["--victim", "alice@customer.example", "--ticket", desk.number, "--msgid", desk.message_id]
    subprocess.run(
        [sys.executable, str(GENERATOR), str(folder), *arguments, *(["--big"] if big else [])],
        check=True,
        capture_output=True,
    )
    with (folder / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        rows = list(csv.DictReader(index, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        Case(row["file"], frozenset(row["expect"].split("+")), (folder / row["file"]).read_bytes())
        for row in rows
        if not big or row["category"] == "big"
    ]


def interleaved(desk: Desk, cases: Sequence[Case]) -> Iterator[Case]:
    """The cases with good mails between them."""
    for position, case in enumerate(cases):
        if position % EVERY == 0:
            yield Case("good", frozenset({"ticket"}), desk.next_good())
        yield case
    yield Case("good", frozenset({"ticket"}), desk.next_good())


# -- the ways in ---------------------------------------------------------------------------------


def recipient_of(case: Case) -> str:
    """Where an MTA would have delivered it: plus addresses are tried as they stand in To."""
    found = re.search(rb"^To: (support\+[^@\r\n]*@desk\.example)\r$", case.raw, re.MULTILINE)
    return found[1].decode() if found and case.name.startswith("spoof__plus") else "support@desk.example"


def sender_of(case: Case) -> str:
    """The envelope sender; null for what claims to have had one (Return-Path is written from it)."""
    return "" if b"\nReturn-Path: <>\r\n" in case.raw else "mallory@evil.example"


def stuffed(raw: bytes) -> bytes:
    """The bytes after DATA, every other byte as it is (smtplib would mend bare line breaks)."""
    body = (b"\r\n" + raw).replace(b"\r\n.", b"\r\n..")[2:]
    return body + (b".\r\n" if body.endswith(b"\r\n") else b"\r\n.\r\n")


def hand_in(server: smtplib.SMTP, case: Case) -> None:
    """One transaction; the answer's code and the number of the stored mail go into the case."""
    server.mail(sender_of(case))
    code, text = server.rcpt(recipient_of(case))
    if code != 250:
        assert case.name == "spoof__plus_addr_traversal.eml", (case.name, code, text)
        server.rcpt("support@desk.example")
    assert server.docmd("DATA")[0] == 354
    server.send(stuffed(case.raw))
    case.code, text = server.getreply()
    if case.code == 250:
        found = re.search(rb"Stored as (\d+)", text)
        assert found is not None
        case.inbound = int(found[1])
    else:
        server.rset()


def by_smtp(desk: Desk, cases: Sequence[Case], _user: str) -> list[Case]:
    """All over one SMTP connection."""
    sent = list(interleaved(desk, cases))
    with smtplib.SMTP("127.0.0.1", desk.daemon.smtp_port, timeout=60) as server:
        server.ehlo()
        for case in sent:
            hand_in(server, case)
    return sent


def by_lmtp(desk: Desk, cases: Sequence[Case], _user: str) -> list[Case]:
    """All over one LMTP connection."""
    sent = list(interleaved(desk, cases))
    with smtplib.LMTP("127.0.0.1", desk.daemon.lmtp_port) as server:
        server.ehlo()
        for case in sent:
            hand_in(server, case)
    return sent


def by_imap(desk: Desk, cases: Sequence[Case], user: str) -> list[Case]:
    """All through a mailbox. Dovecot takes no empty message; it has that from nobody either."""
    sent = list(interleaved(desk, cases))
    uids: dict[int, Case] = {}
    with Dovecot() as dovecot:
        with dovecot.client(user) as client:
            for case in sent:
                if case.raw:
                    answer = client.append("INBOX", case.raw)
                    found = re.search(rb"APPENDUID \d+ (\d+)", answer)
                    assert found is not None, answer
                    uids[int(found[1])] = case
        desk.daemon.stop()
        desk.daemon.extra += mailbox(dovecot, user)
        desk.daemon.environment["TEST_IMAP_PASSWORD"] = PASSWORD
        desk.daemon.start()

        def emptied() -> bool:
            return desk.daemon.books.number(
                "SELECT count(*) FROM imap_message WHERE moved_at IS NOT NULL"
            ) == len(uids)

        wait_until(emptied, f"every message is fetched and moved\n{desk.daemon.tail()}", bound=90)
    for row in desk.daemon.books.rows("SELECT uid, inbound_id FROM imap_message"):
        uids[row.uid].inbound, uids[row.uid].code = row.inbound_id, 250
    return [case for case in sent if case.raw]


# -- what must hold ------------------------------------------------------------------------------


class Findings:
    """What became of the cases, read from the database once; `wrong` says what must not be."""

    def __init__(self, desk: Desk, cases: Sequence[Case], *, exact: bool) -> None:
        books = desk.daemon.books
        self.desk = desk
        self.cases = cases
        self.exact = exact
        stored = books.rows(
            "SELECT i.id, i.state, i.error, i.ticket_id, b.data"
            " FROM inbound i JOIN blob b ON b.sha256 = i.blob"
        )
        self.inbound = {row.id: row for row in stored}
        self.entries: dict[int, list[Any]] = {}
        for row in books.rows("SELECT id, ticket_id, inbound_id, author, kind, text FROM entry"):
            self.entries.setdefault(row.inbound_id, []).append(row)
        self.answers = Counter(
            row.entry_id
            for row in books.rows("SELECT entry_id, recipient FROM outbox WHERE audience = 'customer'")
        )
        self.alerts = books.rows("SELECT DISTINCT entry_id FROM outbox WHERE audience = 'internal'")
        self.wrong: list[str] = []
        self.passed: Counter[str] = Counter()

    def judge(self) -> None:
        """Check every case against each word of its `expect`."""
        for case in self.cases:
            for word in sorted(case.expect):
                problem = self._problem(case, word)
                excused = (case.name, word) in DECIDED
                if excused and not problem:
                    self.wrong.append(f"{case.name}: {word}: it holds and needs no excuse")
                elif problem and not excused:
                    self.wrong.append(f"{case.name}: {word}: {problem}")
                elif not problem:
                    self.passed[word] += 1

    def _problem(self, case: Case, word: str) -> str | None:
        if case.inbound is None:
            refused = "refuse-ok" in case.expect and 500 <= case.code <= 599
            return None if refused else f"refused with {case.code}"
        row, entries = self.inbound[case.inbound], self.entries.get(case.inbound, [])
        match word:
            case "ticket":
                return self._no_ticket(case, row, entries)
            case "kept" | "refuse-ok" | "bounded":
                return self._not_kept(case, row)
            case "noack":
                answered = [entry.id for entry in entries if self.answers[entry.id]]
                return f"answered: {answered}" if answered else None
            case "nothread":
                joined = [entry for entry in entries if entry.ticket_id == self.desk.ticket]
                return "it joined the ticket" if joined else None
            case "nocommand":
                agents = [entry.author for entry in entries if entry.author.startswith("agent:")]
                return f"taken as {agents}'s" if agents else None
            case "inert" | "nofetch":
                return None  # checked over all outgoing mails and files, below
        return f"unknown expectation {word}"

    def _not_kept(self, case: Case, row: Any) -> str | None:
        if row.state not in ("done", "held", "rejected", "ignored"):
            return f"{row.state}: {row.error}"
        if self.exact and bytes(row.data).rstrip(b"\r\n") != case.raw.rstrip(b"\r\n"):
            return "the stored bytes are not those that were sent"
        return None

    def _no_ticket(self, case: Case, row: Any, entries: Sequence[Any]) -> str | None:
        if row.state != "done" or len(entries) != 1:
            return f"{row.state} with {len(entries)} entries"
        text = entries[0].text
        if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]", text):
            return "unreadable characters in the text"
        return self._not_kept(case, row)


HARMLESS = {
    "html", "head", "meta", "title", "style", "body", "div", "p", "br", "hr", "span", "strong", "em", "b",
    "i", "code", "pre", "blockquote", "ul", "ol", "li", "a", "h1", "h2", "h3", "h4", "small", "del",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
"""Elements our own templates are made of."""


class Page(HTMLParser):
    """Walks an HTML part and notes whatever could run, fetch or mislead."""

    def __init__(self) -> None:
        super().__init__()
        self.active: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: (value or "").strip().lower() for name, value in attrs}
        link = values.get("href", "https:")
        if (
            tag not in HARMLESS
            or any(name.startswith("on") or name in ("src", "background", "action") for name in values)
            or "url(" in values.get("style", "")
            or "refresh" in values.get("http-equiv", "")
            or not link.startswith(("https:", "http:", "mailto:"))
        ):
            self.active.append(f"<{tag} {values}>")


OUR_HEADERS = {
    "from", "to", "reply-to", "subject", "date", "message-id", "in-reply-to", "references", "mime-version",
    "content-type", "content-transfer-encoding", "auto-submitted", "x-auto-response-suppress", "precedence",
    "thread-index", "thread-topic", "importance", "x-priority",
    "x-mailticket-loop", "x-loop", "return-path",
}  # fmt: skip


def active_in(raw: bytes) -> str | None:
    """What of an outgoing mail would be run, fetched or misread by its reader; None when nothing."""
    head = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    if b"\0" in raw or re.search(rb"\r(?!\n)", raw):
        return "NUL or bare CR"
    names = [
        line.partition(b":")[0].decode("ascii").lower()
        for line in head.split(b"\n")
        if line[:1] not in b" \t"
    ]
    strange = [name for name in names if name not in OUR_HEADERS or names.count(name) > 1]
    if strange:
        return f"headers {strange}"
    mail = message_from_bytes(raw, policy=policy.default)
    subject = str(mail["Subject"])
    if len(subject) > 250 or re.search(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]", subject):
        return f"subject {subject!r}"
    part = mail.get_body(("html",))
    if part is not None:
        page = Page()
        page.feed(str(part.get_content()))
        return f"html with {page.active}" if page.active else None
    return None


def assert_harmless(desk: Desk, folders: set[str]) -> None:
    """No outgoing mail does anything, goes to a stranger or leads to one; nothing was written elsewhere."""
    books = desk.daemon.books
    sent = books.rows(
        "SELECT o.recipient, o.audience, o.ticket_id, b.data"
        " FROM outbox o JOIN blob b ON b.sha256 = o.rendered"
    )
    wrong = [(row.recipient, found) for row in sent if (found := active_in(bytes(row.data)))]
    assert wrong == [], wrong[:5]
    assert {row.recipient for row in sent if row.audience == "internal"} <= AGENTS
    requesters = {
        (row.id, row.requester_address) for row in books.rows("SELECT id, requester_address FROM ticket")
    }
    assert {(row.ticket_id, row.recipient) for row in sent if row.audience == "customer"} <= requesters
    assert books.rows("SELECT state, count(*) FROM outbox WHERE state != 'sent' GROUP BY state") == []
    # the victim's ticket: nobody joined it, nothing about it changed, its customer heard nothing but the ack
    people = books.rows("SELECT address FROM participant WHERE ticket_id = :ticket", ticket=desk.ticket)
    assert people == [("alice@customer.example",)]
    (ticket,) = books.rows(
        "SELECT status, department, assignee, priority, tags FROM ticket WHERE id = :t", t=desk.ticket
    )
    assert tuple(ticket)[:4] == ("open", "support", None, "normal")
    assert [row for row in sent if row.ticket_id == desk.ticket and row.audience == "customer"][1:] == []
    assert not {path.name for path in Path("/tmp").glob("pwn*")}
    assert {path.name for path in desk.daemon.folder.iterdir()} <= folders
    assert {path.name.partition("-")[0] for path in desk.daemon.state.glob("*")} <= {
        "mailticket.db", "mailticket.lock", "backups"
    }  # fmt: skip


def settle_and_judge(desk: Desk, sent: list[Case], *, exact: bool) -> Counter[str]:
    """Wait until all is done; check every expectation, the good mails and the daemon itself."""
    daemon = desk.daemon
    assert daemon.process is not None
    daemon.settle(bound=100)
    findings = Findings(desk, sent, exact=exact)
    findings.judge()
    assert findings.wrong == [], "\n".join(findings.wrong)
    books = daemon.books
    for name in desk.good:
        entries = books.rows(
            "SELECT e.id FROM entry e JOIN ticket t ON t.id = e.ticket_id WHERE t.subject = :s",
            s=f"About {name}",
        )
        assert len(entries) == 1
        assert findings.answers[entries[0].id] == 1
    assert daemon.log().count("mail.unreadable") == 0, "no parser process had to be ended"
    assert "Traceback" not in daemon.log()
    assert "worker.failed" not in daemon.log()
    books.assert_sound()
    return findings.passed


@pytest.fixture
def traps() -> Iterator[list[socket.socket]]:
    """Listeners where hostile mails point; whoever fetches what they name connects."""
    sockets = []
    for port in (1, 6379):
        try:
            sockets.append(socket.create_server(("127.0.0.1", port)))
        except OSError:
            continue  # taken, or not allowed to an ordinary user
    yield sockets
    for item in sockets:
        item.close()


def assert_nobody_came(traps: Sequence[socket.socket]) -> None:
    """No connection waits at any trap."""
    for trap in traps:
        trap.setblocking(False)
        with pytest.raises(BlockingIOError):
            trap.accept()


WAYS = {"smtp": by_smtp, "lmtp": by_lmtp, "imap": by_imap}
FOLDERS = {"config", "var", "outgoing", "daemon.log", "clock"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", ["smtp", "lmtp", pytest.param("imap", marks=pytest.mark.dovecot)])
def test_every_hostile_mail_meets_its_expectation(
    way: str,
    database_url: str,
    make_daemon: Callable[..., Daemon],
    tmp_path: Path,
    mail_user: str,
    traps: list[socket.socket],
) -> None:
    url = "" if database_url.startswith("sqlite") else database_url
    desk = Desk(make_daemon(database=url, extra=UNBRAKED))
    desk.open()
    cases = cases_of(desk, tmp_path / "hostile")
    sent = WAYS[way](desk, cases, mail_user)
    process = desk.daemon.process
    assert process is not None
    passed = settle_and_judge(desk, sent, exact=way != "imap")
    assert_harmless(desk, FOLDERS)
    assert_nobody_came(traps)
    assert process.poll() is None, "the daemon is the one that was started"
    print(f"{way}: {len(cases)} files, passed {dict(passed)}")


@pytest.mark.timeout(300)
def test_mails_of_a_hundred_megabytes_are_refused_or_survived(
    make_daemon: Callable[..., Daemon], tmp_path: Path
) -> None:
    desk = Desk(make_daemon(extra=UNBRAKED))
    desk.open()
    cases = cases_of(desk, tmp_path / "hostile", big=True)
    assert len(cases) == 7
    sent = []
    for case in interleaved(desk, cases):
        with smtplib.SMTP("127.0.0.1", desk.daemon.smtp_port, timeout=60) as server:
            server.ehlo()
            try:
                hand_in(server, case)
            except (OSError, smtplib.SMTPServerDisconnected):
                case.code = 552 if len(case.raw) > 75_000_000 else 0  # hung up on: it would not end
        sent.append(case)
    passed = settle_and_judge(desk, sent, exact=True)
    print(f"big: {dict(passed)}, codes {[case.code for case in cases]}")


@pytest.mark.timeout(300)
def test_our_own_hostile_mails_are_all_kept(make_daemon: Callable[..., Daemon]) -> None:
    desk = Desk(make_daemon(extra=UNBRAKED))
    desk.open()
    sent: list[Case] = []
    with smtplib.SMTP("127.0.0.1", desk.daemon.smtp_port, timeout=60) as server:
        server.ehlo()
        for position, (name, raw) in enumerate(hostile_mails()):
            if position % EVERY == 0:
                good = Case("good", frozenset({"ticket"}), desk.next_good())
                hand_in(server, good)
                sent.append(good)
            case = Case(name, frozenset({"kept", "nothread", "nocommand"}), raw)
            hand_in(server, case)
            sent.append(case)
    passed = settle_and_judge(desk, sent, exact=True)
    assert_harmless(desk, FOLDERS)
    assert passed["kept"] > 50
