"""Tickets that an agent starts from outside: a mail passed on, or a mail to a customer with a copy to us.

The ticket belongs to the customer, and what the agent wrote above a mail that is passed on stays inside
unless `#reply` says that it is for the customer. Whoever is proven an agent may do so and nobody else:
everybody else's forwards are mails like any other. Where the customer cannot be told, nothing is done
and the mail goes back, with what to write so that it can.

| the agent                                       | what becomes of it                                   |
|-------------------------------------------------|------------------------------------------------------|
| passes on a customer's mail                     | a ticket of its author; words above it: a note       |
| the same, about a ticket its author takes part in | a message on that ticket, and a note               |
| passes on somebody else's mail about a ticket   | a note on that ticket                                |
| passes on a mail of this desk                   | words above it: a note on its ticket                 |
| writes to a customer, the desk in Cc            | a ticket of the customer, the mail its first answer  |
| writes `#owner ADDRESS`                         | a ticket of theirs, the words a note                 |
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from mailticket.config.desk import Desk
from mailticket.domain.change import AddEntry, Brings, Change, Decision
from mailticket.domain.decide_agent import decide_agent
from mailticket.domain.decide_customer import join
from mailticket.domain.decide_direct import asked_directly, has_it, outsiders
from mailticket.domain.matching import Match
from mailticket.domain.on_behalf import author_of, is_ours, named_owner
from mailticket.domain.opening import Opening, Words, open_for, unplaced, without_copies
from mailticket.domain.permissions import why_no_access
from mailticket.domain.status import NewLinkedTicket
from mailticket.domain.trust import TrustFinding
from mailticket.domain.types import Arrival, Audience, EntryKind, Facts, Outcome, TicketFacts, Trust
from mailticket.mail.commands import Commands, Problem, Problems, parse_commands
from mailticket.mail.forward import words_above
from mailticket.mail.quoting import split
from mailticket.mail.quoting_headers import is_forward_subject, is_reply_subject
from mailticket.mail.threading import without_marks
from mailticket.mail.types import Address, Forwarded, Identity, Reading
from mailticket.mail.vocabulary import CommandName


@dataclass(frozen=True, slots=True)
class Passed:
    """A mail that passes another one on. original: None where it says so and holds none.

    words: what the agent wrote above it, without a signature
    """

    original: Forwarded | None
    words: str


def passed_on(reading: Reading) -> Passed | None:
    """What a mail passes on; None for a reply, and for a mail that only quotes a forward."""
    mail, found = reading.mail, reading.mail.forwarded
    if is_reply_subject(mail.subject):
        return None
    says_so = is_forward_subject(mail.subject) and not mail.subject.lstrip().startswith("[")
    if found is None:
        return Passed(None, reading.content.reply) if says_so else None
    if not (says_so or found.attached or reading.content.method == "forward"):
        return None
    return Passed(found, words_above(found.above))


@dataclass(frozen=True, slots=True)
class Outside:
    """A mail of an agent, proven theirs, and all that bears on it. now: aware UTC."""

    reading: Reading
    arrival: Arrival
    facts: Facts
    agent: str
    trust: TrustFinding
    match: Match
    desk: Desk
    now: datetime

    @property
    def name(self) -> str:
        """The agent in words."""
        return self.desk.agents[self.agent].name

    @property
    def reasons(self) -> tuple[str, ...]:
        """What was found out so far."""
        return (*self.match.reasons, *self.trust.reasons)


def decide_outside(work: Outside, passed: Passed | None) -> Decision | None:
    """The decision for a mail that starts something from outside; None for any other mail."""
    if passed is None:
        return None if work.match.ticket or work.match.suspected else _to_a_customer(work)
    if work.match.ticket is not None:
        return _about(work, passed, work.match.ticket)
    return _passed_on(work, passed)


# -- tickets that are not there yet ------------------------------------------------------------------


def _to_a_customer(work: Outside) -> Decision | None:
    """A ticket for whom the agent writes to, or names; None when there is nobody, as for any sender."""
    reading, desk = work.reading, work.desk
    addressed = outsiders(reading.mail.to, desk)
    if addressed:
        asked, ignored = asked_directly(reading, desk, obeyed=True)
        owner = named_owner(asked, desk)
        if isinstance(owner, Problem):
            ignored, owner = f"{owner.line.strip()[:80]!r}: {owner.reason}", None
        requester = owner or addressed[0]
        has = has_it(reading.mail, frozenset([requester.address]))
        words = Words(asked, EntryKind.RESPONSE, has, ignored)
        return open_for(_opening(work, requester, words))
    if not _names_owner(reading.content.reply, desk):
        return None
    parsed = parse_commands(reading.content.reply, desk.command_prefix)
    if isinstance(parsed, Problems):
        return _unplaced(work, parsed.problems)
    owner = named_owner(parsed, desk)
    if not isinstance(owner, Address):
        return _unplaced(work, (owner,) if owner else ())
    kind = EntryKind.RESPONSE if parsed.reply else EntryKind.NOTE
    return open_for(_opening(work, owner, Words(parsed, kind)))


def _names_owner(text: str, desk: Desk) -> bool:
    words = (str(CommandName.OWNER), *CommandName.OWNER.aliases)
    heads = tuple(f"{desk.command_prefix}{word}" for word in words)
    return any(line.lstrip(" *_>`\u00a0\u200b").casefold().startswith(heads) for line in text.splitlines())


def _opening(work: Outside, owner: Address, words: Words) -> Opening:
    """A ticket that begins with the agent's own words."""
    why = f"{work.name} opened it for {owner.address}"
    return Opening(
        reading=_said_by(work.reading, owner, without_marks(work.reading.mail.subject)),
        mail=work.reading,
        arrival=work.arrival,
        facts=work.facts,
        owner=owner,
        agent=work.agent,
        trust=work.trust,
        desk=work.desk,
        now=work.now,
        words=words,
        why=why,
        reasons=work.reasons,
    )


def _passed_on(work: Outside, passed: Passed) -> Decision:
    """A ticket of whoever wrote what the agent passes on."""
    parsed = parse_commands(passed.words, work.desk.command_prefix)
    if isinstance(parsed, Problems):
        return _unplaced(work, parsed.problems)
    found = _original(work, passed, parsed)
    if isinstance(found, Problem):
        return _unplaced(work, (found,))
    author, original = found
    words = Words(parsed, EntryKind.RESPONSE if parsed.reply else EntryKind.NOTE)
    opening = replace(_opening(work, author, words), why=f"{work.name} passed on a mail of {author.address}")
    subject = original.subject or without_marks(work.reading.mail.subject)
    reading = _said_by(work.reading, author, subject, original)
    return open_for(
        replace(opening, reading=reading, passes_on=True, message_id=_original_id(work, original))
    )


def _original(work: Outside, passed: Passed, asked: Commands) -> tuple[Address, Forwarded] | Problem:
    """Whose ticket it is to be, and the mail it begins with."""
    hint = (
        f"; pass it on again with {work.desk.command_prefix}{CommandName.OWNER} ADDRESS as the first line, "
        "and the ticket is opened for that address"
    )
    owner = named_owner(asked, work.desk)
    if isinstance(owner, Problem):
        return owner
    original = passed.original
    if original is None:
        original = Forwarded(Address("", ""), "", "", work.reading.mail.text.strip())
        return (owner, original) if owner else Problem("", f"no original mail can be found in it{hint}")
    if is_ours(original, work.desk, work.reading.content.tokens):
        return Problem("", "what it passes on is a mail of this desk, and no ticket can be told from it")
    if owner is not None:
        return owner, original
    found = author_of(original, work.desk)
    return Problem("", found + hint) if isinstance(found, str) else found


def _original_id(work: Outside, original: Forwarded) -> str:
    """The Message-ID of the original, so that our answer joins its author's conversation; "" if unknown."""
    if original.message_id:
        return original.message_id
    answered = work.reading.mail.in_reply_to
    direct = original is work.reading.mail.forwarded
    return answered[0] if direct and len(answered) == 1 and answered[0] in work.facts.unseen else ""


def _said_by(reading: Reading, owner: Address, subject: str, original: Forwarded | None = None) -> Reading:
    """The mail as if the customer had written it: what rules look at, and the entry it becomes."""
    mail = replace(
        reading.mail,
        sender=Identity(owner.address, owner),
        subject=subject,
        reply_to=(),
        cc=(),
        headers=(),
        references=(),
        in_reply_to=(),
        forwarded=None,
    )
    if original is None:
        return replace(reading, mail=mail)
    mail = replace(mail, text=original.body, html=original.html)
    return replace(reading, mail=mail, content=split(original.body, original.html, subject=subject))


# -- tickets that are there ----------------------------------------------------------------------------


def _about(work: Outside, passed: Passed, ticket: TicketFacts) -> Decision:
    """What becomes of a passed-on mail that points at a ticket."""
    original = passed.original
    closed = why_no_access(work.desk, work.agent, ticket)
    if closed is not None:
        return _unplaced(work, (Problem("", closed),))
    if original is None or is_ours(original, work.desk, work.reading.content.tokens):
        return _noted(work, passed.words, ticket, Brings.WHOLE)
    author = author_of(original, work.desk)
    if isinstance(author, str) or author[0].address not in ticket.participants:
        return _with_its_text(work, passed.words, ticket, original)
    if ticket.id in work.facts.original_in:
        return _noted(work, passed.words, ticket, Brings.WHOLE)
    reading = _said_by(work.reading, author[0], author[1].subject, author[1])
    sender = replace(work.facts, sender=author[0].address, sender_agent=None)
    vouched = TrustFinding(Trust.KNOWN, (f"{work.name} vouches for {author[0].address}",))
    arrival = replace(work.arrival, released=True)  # by the agent who brings it along
    joined = join(reading, arrival, sender, ticket, vouched, work.desk, work.now)
    if isinstance(joined, NewLinkedTicket):
        return _passed_on(work, passed)
    beside = _noted(work, passed.words, ticket, Brings.WORDS) if passed.words else None
    if beside is not None and beside.outcome is Outcome.RETURNED:
        return beside
    mail_id = _original_id(work, author[1])
    kept, uncopied = without_copies(joined.changes)
    message = tuple(_brought(change, work, mail_id) for change in kept)
    changes = (*message, *(beside.changes if beside else ()))
    reasons = (*work.reasons, *(change.why for change in changes), *uncopied)
    return Decision(Outcome.AGENT_ACTED, changes, reasons, work.trust.level, ticket.id)


def _brought(change: Change, work: Outside, message_id: str) -> Change:
    if not isinstance(change, AddEntry):
        return change
    why = f"{work.name} passed it on"
    by = f"agent:{work.agent}"
    return replace(change, brings=Brings.ORIGINAL, original=message_id, passed_by=by, why=why)


def _noted(work: Outside, words: str, ticket: TicketFacts, brings: Brings) -> Decision:
    """The agent's words as a note, unless they are said to be for the customer, and their commands."""
    parsed = parse_commands(words, work.desk.command_prefix)
    public = isinstance(parsed, Commands) and (parsed.reply or parsed.note)
    text = words if public else f"{work.desk.command_prefix}{CommandName.NOTE}\n{words}"
    files = () if brings is Brings.WORDS else work.reading.mail.attachments
    reading = replace(
        work.reading,
        mail=replace(work.reading.mail, cc=(), attachments=files),
        content=replace(work.reading.content, reply=text, confidence=1.0, method="forward"),
    )
    decision = decide_agent(
        reading, ticket, work.agent, work.trust.level, work.desk, work.reasons,
        facts=work.facts, entry=0, now=work.now,
    )  # fmt: skip
    changes = tuple(
        replace(change, brings=brings) if isinstance(change, AddEntry) else change
        for change in decision.changes
    )
    return replace(decision, changes=changes)


def _with_its_text(work: Outside, words: str, ticket: TicketFacts, original: Forwarded) -> Decision:
    """What somebody who takes no part wrote, for colleagues only."""
    decision = _noted(work, words, ticket, Brings.WORDS)
    if decision.outcome is Outcome.RETURNED and words:
        return decision
    author = original.sender
    who = f"{author.name} <{author.address}>" if author.name and author.address else author.address
    told = f"Passed on, a mail of {who or author.name}:\n\n{original.body.strip()}"
    said = () if decision.outcome is Outcome.RETURNED else decision.changes
    note = next((one for one in said if isinstance(one, AddEntry) and one.kind is EntryKind.NOTE), None)
    passed = AddEntry(
        ticket=ticket.id,
        kind=EntryKind.NOTE,
        audience=Audience.INTERNAL,
        author=f"agent:{work.agent}",
        author_name=work.name,
        trust=work.trust.level,
        text=f"{note.text}\n\n{told}" if note else told,
        full_text=work.reading.mail.text,
        html=None,
        why=f"{work.name} passed on a mail of somebody who takes no part: it stays inside",
    )
    others = tuple(one for one in said if one is not note)
    spoken = tuple(replace(one, brings=Brings.WORDS) if isinstance(one, AddEntry) else one for one in others)
    changes = (passed, *spoken)
    reasons = (*work.reasons, *(change.why for change in changes))
    return Decision(Outcome.AGENT_ACTED, changes, reasons, work.trust.level, ticket.id)


def _unplaced(work: Outside, problems: tuple[Problem, ...]) -> Decision:
    return unplaced(work.reading, work.agent, problems, work.reasons, work.trust)
