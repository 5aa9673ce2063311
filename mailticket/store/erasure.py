"""Erasing a person: what they wrote and who they were goes, that there was a ticket stays.

Kept: tickets with number, dates, department, status, who of the desk did what and when; the event log
with its proof (event_log.erase_words). Gone, on tickets the person asked for: subject, all texts but
other customers', files. Gone everywhere: the person's own texts and files, their addresses and names,
the raw mails of every ticket they took part in, the mails the desk sent about those tickets.

Runs in the caller's transaction; what is undone with it was never erased. `scrub` then removes what a
database file keeps of deleted rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Column,
    Engine,
    String,
    Table,
    Text,
    and_,
    cast,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from mailticket.domain.redaction import ERASED, Redactor, lines_of, names_of
from mailticket.store import blobs, fulltext
from mailticket.store.dialect import table_of
from mailticket.store.event_log import Words, erase_words
from mailticket.store.models import (
    AgentAlias,
    AutoMail,
    Ban,
    Base,
    Blob,
    Entry,
    EntryAttachment,
    Inbound,
    MessageRef,
    Outbox,
    Participant,
    Person,
    PersonAddress,
    SenderMail,
    Ticket,
    TicketEvent,
)

_NOT_SWEPT: Final = ("ticket_event", "event_seal", "blob", "alembic_version")
_UNSENT: Final = ("queued", "parked")
_CHUNK: Final = 500


@dataclass
class Erased:
    """How much was erased, by what it was."""

    tickets: int = 0
    entries: int = 0
    files: int = 0
    mails_in: int = 0
    mails_out: int = 0
    events: int = 0
    blobs: int = 0

    def as_dict(self) -> dict[str, int]:
        """By name, for tables and scripts."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def erase(session: Session, person: int, actor: str, now: datetime) -> Erased:
    """Erase a person by id. ValueError for one that is not there."""
    return _Erasure(session, person, actor, now).run()


class _Erasure:
    """One person being erased; `done` fills up."""

    def __init__(self, session: Session, person: int, actor: str, now: datetime) -> None:
        found = session.get(Person, person)
        if found is None:
            raise ValueError(f"there is no person {person}")
        self.session, self.person, self.actor, self.now = session, found, actor, now
        self.done = Erased()
        self.doomed: set[str] = set()
        """Blobs that may have nobody left who needs them."""
        self.addresses = frozenset(self._all(select(PersonAddress.address).where(_of(PersonAddress, person))))
        self.own = set(self._all(select(Ticket.id).where(Ticket.requester_id == person)))
        self.others = self._took_part() - self.own
        self.redactor = self._redactor()

    def run(self) -> Erased:
        """Everything, in an order in which nothing points at what is gone."""
        rewritten = self._entries()
        self._mails_in()
        self._mails_out()
        self._references()
        self._people()
        self._tickets()
        self._limits()
        self._events(rewritten)
        self._sweep()
        self.session.flush()
        self._blobs()
        return self.done

    def _all(self, query: Any) -> list[Any]:
        return list(self.session.execute(query).scalars())

    def _took_part(self) -> set[int]:
        found = set(self._all(select(Participant.ticket_id).where(_of(Participant, self.person.id))))
        found |= set(self._all(select(Entry.ticket_id).where(Entry.author.in_(self.addresses))))
        return found | set(
            self._all(select(MessageRef.ticket_id).where(MessageRef.party.in_(self.addresses)))
        )

    def _redactor(self) -> Redactor:
        theirs = self.session.execute(
            select(Entry.author_name, Entry.text).where(Entry.author.in_(self.addresses))
        ).all()
        own = self.session.execute(
            select(Ticket.requester_name, Ticket.subject).where(Ticket.id.in_(self.own))
        ).all()
        names = names_of((self.person.name, *(row[0] for row in theirs), *(row[0] for row in own)))
        # of what is kept beside the new words, most is quoted: others wrote it
        lines = lines_of([row[1] for row in theirs] + [row[1] for row in own])
        return Redactor(self.addresses, names, lines, f"erased-{self.person.id}@erased.invalid")

    def _entries(self) -> list[int]:
        """Rewrite what was written; returns the ids of all entries that changed."""
        mentioned = or_(*(_mentions(column, self.addresses) for column in (Entry.text, Entry.full_text)))
        involved = or_(
            Entry.ticket_id.in_(self.own | self.others), Entry.author.in_(self.addresses), mentioned
        )
        changed: list[int] = []
        for entry in self.session.execute(select(Entry).where(involved)).scalars():
            theirs = self.redactor.is_theirs(entry.author)
            inside = entry.ticket_id in self.own and "@" not in entry.author
            if self._rewritten(entry, whole=theirs or inside):
                changed.append(entry.id)
            if theirs:
                entry.author, entry.author_name = self.redactor.stand_in, ""
                entry.content_digest = None
        self.session.flush()
        self.done.entries = len(changed)
        return changed

    def _rewritten(self, entry: Entry, *, whole: bool) -> bool:
        before = (entry.text, entry.full_text, entry.html, entry.author, entry.author_name, entry.reason)
        if whole:
            entry.text, entry.full_text, entry.html = ERASED if entry.text else "", None, None
            entry.message_id = None
            self._drop_files(entry.id)
        else:
            entry.text = self.redactor.text(entry.text)
            # quotes carry what others wrote in a hundred forms, and markup hides it
            entry.full_text, entry.html = None, None
        entry.reason = self.redactor.text(entry.reason)
        after = (entry.text, entry.full_text, entry.html, entry.author, entry.author_name, entry.reason)
        return before != after or self.redactor.is_theirs(entry.author)

    def _drop_files(self, entry: int) -> None:
        for file in self.session.execute(
            select(EntryAttachment).where(EntryAttachment.entry_id == entry)
        ).scalars():
            self.doomed.add(file.blob)
            self.session.delete(file)
            self.done.files += 1

    def _mails_in(self) -> None:
        """The raw mails of every ticket the person took part in, and all they ever sent."""
        nothing = blobs.put(self.session, b"")
        theirs = or_(Inbound.sender.in_(self.addresses), Inbound.envelope_from.in_(self.addresses))
        brought = select(Entry.inbound_id).where(Entry.ticket_id.in_(self.own | self.others))
        about = or_(Inbound.ticket_id.in_(self.own | self.others), Inbound.id.in_(brought))
        for mail in self.session.execute(select(Inbound).where(or_(theirs, about))).scalars():
            if mail.blob != nothing:
                self.doomed.add(mail.blob)
            mail.blob, mail.size = nothing, 0
            mail.message_id = mail.error = mail.client = None
            mail.subject = ERASED if mail.subject else mail.subject
            mail.sender = self._address(mail.sender)
            mail.envelope_from = self._address(mail.envelope_from)
            mail.auth_user = self._address(mail.auth_user)
            if mail.decision is not None:
                mail.decision = mail.decision | {"reasons": [ERASED], "evidence": [], "changes": []}
            if mail.finished_at is None:
                mail.state, mail.finished_at = "ignored", self.now
            self.done.mails_in += 1

    def _mails_out(self) -> None:
        """What the desk wrote to them, or to anybody about their tickets. What was not sent yet never is.

        Others' tickets go on: what waits for others there is sent, without the erased person's words.
        """
        query = select(Outbox).where(
            or_(
                Outbox.recipient.in_(self.addresses),
                Outbox.ticket_id.in_(self.own | self.others),
                and_(Outbox.ticket_id.is_(None), self._listed()),
            )
        )
        for mail in self.session.execute(query).scalars():
            if mail.rendered is not None:
                self.doomed.add(mail.rendered)
            mail.rendered = mail.subject = mail.error = None
            if self._still_goes(mail):
                mail.context = self.redactor.value(mail.context)
                self.done.mails_out += 1
                continue
            mail.context = {}
            mail.reason = self.redactor.text(mail.reason)
            if self.redactor.is_theirs(mail.recipient):
                mail.recipient, mail.recipient_name = self.redactor.stand_in, ""
            if mail.state in _UNSENT:
                mail.state, mail.finished_at = "cancelled", self.now
            self.done.mails_out += 1

    def _still_goes(self, mail: Outbox) -> bool:
        if mail.state not in _UNSENT or mail.ticket_id not in self.others:
            return False
        told = self.session.get(Entry, mail.entry_id) if mail.entry_id is not None else None
        theirs = told is not None and told.author == self.redactor.stand_in
        return not theirs and not self.redactor.is_theirs(mail.recipient)

    def _listed(self) -> Any:
        """Digests and the like, which name many tickets and belong to none."""
        numbers = self._all(select(Ticket.number).where(Ticket.id.in_(self.own)))
        return _mentions(Outbox.context, self.addresses | self.redactor.names | set(numbers))

    def _address(self, address: str | None) -> str | None:
        return self.redactor.stand_in if self.redactor.is_theirs(address) else address

    def _references(self) -> None:
        self.session.execute(
            update(MessageRef)
            .where(MessageRef.party.in_(self.addresses))
            .values(party=self.redactor.stand_in, message_id="", thread_index=None, thread_topic=None)
        )
        self.session.execute(
            update(MessageRef).where(MessageRef.ticket_id.in_(self.own)).values(thread_topic=None)
        )

    def _people(self) -> None:
        """The person stays as a number; a later mail from the same address makes somebody new."""
        stand_in = self.redactor.stand_in
        for part in self.session.execute(
            select(Participant).where(_of(Participant, self.person.id))
        ).scalars():
            again = self.session.get(Participant, (part.ticket_id, stand_in))
            if again is not None:
                self.session.delete(part)
            else:
                part.address = stand_in
            self.session.flush()
        self.session.execute(delete(PersonAddress).where(_of(PersonAddress, self.person.id)))
        self.person.name, self.person.language = "", None
        for column in ("language_from", "utc_offset"):
            setattr(self.person, column, None)

    def _tickets(self) -> None:
        for ticket in self.session.execute(select(Ticket).where(Ticket.id.in_(self.own))).scalars():
            ticket.requester_address, ticket.requester_name = self.redactor.stand_in, ""
            ticket.subject = ERASED
            if getattr(ticket, "fields", None):
                setattr(ticket, "fields", {})  # noqa: B010 -- a column of custom fields, where there is one
            self.done.tickets += 1
        self.session.flush()
        for ticket_id in sorted(self.own):
            fulltext.index_ticket(self.session, ticket_id)

    def _limits(self) -> None:
        """What brakes, bans and questions remember of the addresses."""
        for model, column in (
            (AutoMail, AutoMail.address),
            (SenderMail, SenderMail.sender),
            (Ban, Ban.pattern),
            (AgentAlias, AgentAlias.address),
        ):
            self.session.execute(delete(model).where(column.in_(self.addresses)))

    def _events(self, rewritten: Collection[int]) -> None:
        columns = (TicketEvent.actor, TicketEvent.reason, TicketEvent.data)
        mentioned = or_(*(_mentions(column, self.addresses) for column in columns))
        tickets = set(self._all(select(TicketEvent.ticket_id).where(mentioned).distinct()))
        tickets |= set(self._all(select(TicketEvent.chain_id).where(mentioned).distinct()))
        told = TicketEvent.entry_id.in_(rewritten)
        tickets |= set(self._all(select(TicketEvent.chain_id).where(told).distinct())) if rewritten else set()
        tickets = {one for one in tickets | self.own | self.others if one is not None}
        why = "a person was erased on request"
        self.done.events = erase_words(
            self.session, tickets, self._redacted, entries=rewritten, actor=self.actor, why=why, now=self.now
        )

    def _redacted(self, words: Words) -> Words:
        return Words(
            self._address(words.actor) or words.actor,
            self.redactor.text(words.reason),
            self.redactor.data(words.data),
        )

    def _sweep(self) -> None:
        """Whatever other table names an address: this finds what nobody thought of."""
        self.session.flush()
        for table in Base.metadata.sorted_tables:
            if table.name in _NOT_SWEPT:
                continue
            for column in table.columns:
                if isinstance(column.type, String | Text | JSON) and not column.foreign_keys:
                    self._swept(table, column)
        self.session.expire_all()

    def _swept(self, table: Table, column: Column[Any]) -> None:
        keys = list(table.primary_key.columns)
        rows = self.session.execute(select(*keys, column).where(_mentions(column, self.addresses))).all()
        for row in rows:
            where = [key == value for key, value in zip(keys, row, strict=False)]
            value = self.redactor.value(row[-1])
            self.session.execute(update(table).where(*where).values({column.name: value}))

    def _blobs(self) -> None:
        """Delete the bytes that nothing points at any more."""
        doomed = sorted(self.doomed)
        pointing = [
            column
            for table in Base.metadata.sorted_tables
            for column in table.columns
            if any(key.column.table is table_of(Blob) for key in column.foreign_keys)
        ]
        for start in range(0, len(doomed), _CHUNK):
            some = doomed[start : start + _CHUNK]
            needed = {
                key
                for column in pointing
                for key in self._all(select(column).where(column.in_(some)).distinct())
            }
            gone = [key for key in some if key not in needed]
            self.session.execute(delete(Blob).where(Blob.sha256.in_(gone)))
            self.done.blobs += len(gone)


def _of(model: Any, person: int) -> Any:
    return model.person_id == person


def _mentions(column: Any, needles: Iterable[str]) -> Any:
    """Rows whose column holds one of these texts, in any case. Reads the whole table: erasing is rare."""
    text = cast(column, Text) if isinstance(column.type, JSON) else column
    return or_(False, *(text.icontains(one, autoescape=True) for one in sorted(needles)))


def scrub(engine: Engine) -> bool:
    """Remove what the database's file keeps of deleted rows; True when that was done.

    SQLite writes its file anew, which needs that nobody else is writing. PostgreSQL does it by itself
    (autovacuum), and no dump ever holds such rows.
    """
    if engine.dialect.name != "sqlite":
        return False
    raw = engine.raw_connection()
    try:
        driver: Any = raw.driver_connection
        # the index keeps words of deleted rows in its segments until they are joined
        driver.execute(f"INSERT INTO {fulltext.TABLE}({fulltext.TABLE}) VALUES('optimize')").close()
        driver.execute("VACUUM").close()
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    finally:
        raw.close()
    return True
