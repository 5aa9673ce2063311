"""The tables. No rules in here; times are aware UTC, ids are database-made integers.

Departments, agents, topics, plans and rules live in the configuration and are referred to by key,
so that a reload never rewrites history. Text has passed `clean_text` before it gets here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UTCDateTime(TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out, on databases that forget the zone (SQLite) as well."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime reached the store; times are aware UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Id = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only for INTEGER PRIMARY KEY."""


class Base(DeclarativeBase):
    """Every constraint has a name, so that Alembic can change it on SQLite."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 -- the name and form SQLAlchemy asks for
        datetime: UTCDateTime,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        bytes: LargeBinary,
    }


class Blob(Base):
    """Bytes by content: raw mails, attachments, rendered mails."""

    __tablename__ = "blob"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    data: Mapped[bytes]


class Inbound(Base):
    """One mail for one recipient, from the moment it is durable.

    state: pending -> done | ignored | held | rejected, or failed after the last try.
    `digest` is content plus recipient (mail/trace.py): the same mail comes in once, whichever way.
    """

    __tablename__ = "inbound"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    content_digest: Mapped[str] = mapped_column(String(64), index=True)
    blob: Mapped[str] = mapped_column(ForeignKey("blob.sha256"))
    size: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(String(80))
    envelope_from: Mapped[str | None] = mapped_column(Text)
    recipient: Mapped[str] = mapped_column(Text)
    client: Mapped[str | None] = mapped_column(String(64))
    auth_user: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime]
    released: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    """A person has said that it is to be let in, whatever a ban or a policy says."""
    state: Mapped[str] = mapped_column(String(12), default="pending")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    parse_kills: Mapped[int] = mapped_column(Integer, default=0)
    next_try_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[str | None] = mapped_column(Text)
    sender: Mapped[str | None] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(Text)
    decision: Mapped[dict[str, Any] | None]
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        # not partial: SQLite's planner would pass a partial index over for the one below, and sort
        Index("ix_inbound_due", "state", "next_try_at", "id"),
        Index("ix_inbound_state_received_at", "state", "received_at"),
    )


class ImapMessage(Base):
    """The ledger of what was fetched from IMAP; flags and folders are never the truth."""

    __tablename__ = "imap_message"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    mailbox: Mapped[str] = mapped_column(String(80))
    folder: Mapped[str] = mapped_column(String(255))
    uidvalidity: Mapped[int] = mapped_column(BigInteger)
    uid: Mapped[int] = mapped_column(BigInteger)
    inbound_id: Mapped[int] = mapped_column(ForeignKey("inbound.id"))
    fetched_at: Mapped[datetime]
    moved_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("mailbox", "folder", "uidvalidity", "uid"),)


class MailboxContact(Base):
    """When each IMAP mailbox was last reached, what was wrong if it was not, and what the server holds.

    in_folder  messages there after it was last worked through; untaken  those of them not in the ledger
    """

    __tablename__ = "mailbox_contact"
    mailbox: Mapped[str] = mapped_column(String(80), primary_key=True)
    reached_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    counted_at: Mapped[datetime | None]
    in_folder: Mapped[int | None] = mapped_column(Integer)
    untaken: Mapped[int | None] = mapped_column(Integer)


class Person(Base):
    """Somebody who writes to the desk."""

    __tablename__ = "person"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(16))
    """The tag of the language the desk writes to them in; None when nothing tells."""
    language_from: Mapped[str | None] = mapped_column(String(16))
    """How it is known: "header", "text", or "choice", which no mail changes."""
    utc_offset: Mapped[int | None] = mapped_column(Integer)
    """Minutes east of UTC of their clock when they last wrote."""
    created_at: Mapped[datetime]


class PersonAddress(Base):
    """A canonical address of a person."""

    __tablename__ = "person_address"
    address: Mapped[str] = mapped_column(String(320), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    undeliverable_since: Mapped[datetime | None]


class Ticket(Base):
    """One case, from first mail to closure."""

    __tablename__ = "ticket"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    subject: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16))
    """The state; it alone decides what may happen."""
    custom_status: Mapped[str | None] = mapped_column(String(40))
    """Key of the house's own status within the state; None where the state says it all."""
    department: Mapped[str] = mapped_column(String(80))
    topic: Mapped[str | None] = mapped_column(String(80))
    priority: Mapped[str] = mapped_column(String(80))
    sla_plan: Mapped[str | None] = mapped_column(String(80))
    assignee: Mapped[str | None] = mapped_column(String(80))
    team: Mapped[str | None] = mapped_column(String(80))
    requester_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    requester_address: Mapped[str] = mapped_column(String(320))
    requester_name: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(80))
    tags: Mapped[list[Any]] = mapped_column(default=list)
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    """Custom fields: key -> text, number, or date as text."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    last_message_at: Mapped[datetime | None]
    last_response_at: Mapped[datetime | None]
    last_note_at: Mapped[datetime | None]
    """When an agent wrote the newest note."""
    due_at: Mapped[datetime | None]
    overdue_since: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    minutes_spent: Mapped[int | None] = mapped_column(Integer)
    """What agents said they spent on it, added up; None where nobody said anything."""
    suspected_ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    held: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    """A reply of somebody who takes no part in the suspected ticket; its owner decides whether it joins."""
    predecessor_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    version: Mapped[int] = mapped_column(Integer, default=1)
    log_length: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    """How many events were recorded on it, and the digest of the last (domain/eventchain.py)."""
    log_head: Mapped[bytes | None]

    __table_args__ = (
        Index("ix_ticket_status_department", "status", "department"),
        Index("ix_ticket_status_due_at", "status", "due_at"),
        Index("ix_ticket_assignee_status", "assignee", "status"),
        # partial: an ordinary ticket pays nothing for it; "= 1" is how a query says it to SQLite
        Index(
            "ix_ticket_held",
            "suspected_ticket_id",
            sqlite_where=text("held = 1"),
            postgresql_where=text("held"),
        ),
        # what a rule asks about a sender's open tickets, however many they had; finished ones cost nothing
        Index(
            "ix_ticket_unfinished_requester",
            "requester_address",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_ticket_created_at", "created_at", "id"),
        Index("ix_ticket_updated_at", "updated_at", "id"),
        Index(
            "ix_ticket_closed_at",
            "closed_at",
            "id",
            sqlite_where=text("closed_at IS NOT NULL"),
            postgresql_where=text("closed_at IS NOT NULL"),
        ),
        # what is not finished, by what lists of it begin with
        Index(
            "ix_ticket_department_due",
            "department",
            "due_at",
            "id",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "ix_ticket_assignee_due",
            "assignee",
            "due_at",
            "id",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "ix_ticket_overdue",
            "overdue_since",
            "id",
            sqlite_where=text("overdue_since IS NOT NULL"),
            postgresql_where=text("overdue_since IS NOT NULL"),
        ),
        # partial: few tickets follow another one
        Index(
            "ix_ticket_predecessor",
            "predecessor_id",
            sqlite_where=text("predecessor_id IS NOT NULL"),
            postgresql_where=text("predecessor_id IS NOT NULL"),
        ),
        # the queue in the order in which it is worked on, without all the tickets that are done
        Index(
            "ix_ticket_unfinished_due",
            "due_at",
            "id",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )


class Participant(Base):
    """An outsider who may read and write a ticket, by canonical address."""

    __tablename__ = "participant"
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    address: Mapped[str] = mapped_column(String(320), primary_key=True, index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[str] = mapped_column(String(16))
    """"requester" or "collaborator"."""
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(Text)


class Entry(Base):
    """One thread entry.

    kind      message (from outside), response (agent to customer), note (inside)
    audience  customer or internal: decided before anything is rendered
    author    canonical address of a customer, or "agent:KEY", or "system"
    text      the new text, as shown and mailed; `full_text` keeps the whole body, quotes included
    """

    __tablename__ = "entry"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    audience: Mapped[str] = mapped_column(String(16))
    author: Mapped[str] = mapped_column(Text)
    author_name: Mapped[str] = mapped_column(Text)
    trust: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    full_text: Mapped[str | None] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[str | None] = mapped_column(Text)
    content_digest: Mapped[str | None] = mapped_column(String(64))
    inbound_id: Mapped[int | None] = mapped_column(ForeignKey("inbound.id"), index=True)
    withdrawn_at: Mapped[datetime | None]
    """When its author took it back, before anybody outside had got it."""
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("ticket_id", "content_digest"),
        Index("ix_entry_ticket_id_id", "ticket_id", "id"),
    )


class EntryAttachment(Base):
    """A file of an entry; its name is a label, its bytes are found by content."""

    __tablename__ = "entry_attachment"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"), index=True)
    blob: Mapped[str] = mapped_column(ForeignKey("blob.sha256"), index=True)
    filename: Mapped[str] = mapped_column(Text)
    content_type: Mapped[str] = mapped_column(String(255))
    size: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(16))
    inline: Mapped[bool] = mapped_column(Boolean)
    content_id: Mapped[str] = mapped_column(Text)


class TicketEvent(Base):
    """What happened, to which ticket, by whom, how we knew, and why.

    Rows are never changed or deleted (domain/eventchain.py); one moves when its entry does. Rows
    without `seq` were written around the log.
    """

    __tablename__ = "ticket_event"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    trust: Mapped[str | None] = mapped_column(String(16))
    """How well the actor was known; None for the desk itself and for operators."""
    chain_id: Mapped[int | None] = mapped_column(Id)
    """The ticket it was recorded on, wherever it is now."""
    seq: Mapped[int | None] = mapped_column(Integer)
    """Its position in that chain, from 1."""
    salt: Mapped[bytes | None]
    """None once the words are erased."""
    words: Mapped[bytes | None]
    """The digest of actor, reason, data, and the entry's text where it tells of one; stays when they go."""
    digest: Mapped[bytes | None]

    __table_args__ = (
        Index("ix_ticket_event_ticket_id_id", "ticket_id", "id"),
        Index("ix_ticket_event_chain_id_seq", "chain_id", "seq", unique=True),
        # partial: no other event pays for it
        Index(
            "ix_ticket_event_bounced", "at",
            sqlite_where=text("kind = 'bounced'"), postgresql_where=text("kind = 'bounced'"),
        ),
    )  # fmt: skip


class MessageRef(Base):
    """A Message-ID that stands for a ticket: of a mail that came in, of ours, or one such a mail names."""

    __tablename__ = "message_ref"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), index=True)
    """SHA-256 of the Message-ID in hex, so that its length never matters."""
    message_id: Mapped[str] = mapped_column(Text)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), index=True)
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"))
    direction: Mapped[str] = mapped_column(String(4))
    """"in", "out", or "ref": named by a mail that came in, itself never seen here."""
    party: Mapped[str] = mapped_column(Text)
    """Who wrote it (in), got it (out) or named it (ref): canonical address or "agent:KEY"."""
    thread_index: Mapped[str | None] = mapped_column(Text)
    """Outlook's Thread-Index of a mail that came in, to be carried on in what answers it."""
    thread_topic: Mapped[str | None] = mapped_column(Text)


class Outbox(Base):
    """One mail to one recipient.

    state: queued -> sent | failed | cancelled, or parked when its template cannot be rendered.
    `context` is what the template needs; `rendered` the bytes, made once and never again.
    """

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(String(64), unique=True)
    state: Mapped[str] = mapped_column(String(12), default="queued")
    template: Mapped[str] = mapped_column(String(64))
    audience: Mapped[str] = mapped_column(String(16))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id"))
    recipient: Mapped[str] = mapped_column(String(320))
    recipient_name: Mapped[str] = mapped_column(Text)
    envelope_from: Mapped[str] = mapped_column(Text)
    message_id: Mapped[str] = mapped_column(Text)
    message_key: Mapped[str] = mapped_column(String(64), index=True)
    context: Mapped[dict[str, Any]]
    rendered: Mapped[str | None] = mapped_column(ForeignKey("blob.sha256"))
    subject: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    next_try_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    unknown_outcomes: Mapped[int] = mapped_column(Integer, default=0)
    lease_until: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_outbox_due", "state", "next_try_at", "id"),
        Index("ix_outbox_state_created_at", "state", "created_at"),
        # partial: what of somebody's acknowledgements still waits, and could be one mail
        Index(
            "ix_outbox_acknowledging",
            "recipient",
            sqlite_where=text("state = 'queued' AND template = 'ticket.autoresp'"),
            postgresql_where=text("state = 'queued' AND template = 'ticket.autoresp'"),
        ),
    )


class AgentPrimer(Base):
    """One of an agent's first alerts, which explain how to answer (store/newcomers.py)."""

    __tablename__ = "agent_primer"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    agent: Mapped[str] = mapped_column(String(80), index=True)
    told_at: Mapped[datetime]


class Deadline(Base):
    """A moment at which something is due for a ticket. Ticks claim these; nothing scans tickets.

    A cleared deadline keeps its row (due_at NULL), so that `version` never repeats and may be part
    of the unique key of whatever the deadline causes.
    """

    __tablename__ = "deadline"
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    due_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(Integer, default=1)
    planned_at: Mapped[datetime | None] = mapped_column(index=True)
    """When it was planned or cleared, so that what a wrong clock planned can be found."""

    __table_args__ = (Index("ix_deadline_due", "due_at", "ticket_id", "kind"),)


class DigestRun(Base):
    """A digest that was made: one per reader and slot, whoever runs and however often."""

    __tablename__ = "digest_run"
    digest: Mapped[str] = mapped_column(String(160), primary_key=True)
    slot: Mapped[str] = mapped_column(String(32), primary_key=True)
    made_at: Mapped[datetime]


class DigestIssue(Base):
    """A digest that was mailed: what the next one is compared with, and what its numbers stand for."""

    __tablename__ = "digest_issue"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    digest: Mapped[str] = mapped_column(String(160))
    slot: Mapped[str] = mapped_column(String(32))
    reader: Mapped[str] = mapped_column(String(80))
    made_at: Mapped[datetime]
    states: Mapped[dict[str, Any] | None]
    """By ticket id, as domain/movement.py packs it; only the newest issue of a digest keeps it."""

    __table_args__ = (
        UniqueConstraint("digest", "slot"),
        Index("ix_digest_issue_digest_id", "digest", "id"),
    )


class DigestNumber(Base):
    """A numbered line of a digest that was mailed, so that its reader can answer by number."""

    __tablename__ = "digest_number"
    issue_id: Mapped[int] = mapped_column(ForeignKey("digest_issue.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), index=True)


class Rating(Base):
    """How satisfied a customer was with a ticket, 1 to 5. A later rating replaces an earlier one."""

    __tablename__ = "rating"
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    address: Mapped[str] = mapped_column(String(320), primary_key=True)
    score: Mapped[int] = mapped_column(Integer)
    comment: Mapped[str] = mapped_column(Text)
    agent: Mapped[str | None] = mapped_column(String(80))
    """Who had the ticket then."""
    department: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(index=True)


class AgentAlias(Base):
    """A further address of an agent, or one that may be: mail from it carried that agent's token.

    state: pending until the agent, asked at a known address, has said yes (confirmed) or no (denied);
    expired when there was no answer in time.
    """

    __tablename__ = "agent_alias"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    address: Mapped[str] = mapped_column(String(320), unique=True)
    """Canonical."""
    agent: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(12))
    inbound_id: Mapped[int | None] = mapped_column(ForeignKey("inbound.id", ondelete="SET NULL"))
    """The mail that raised the question; None when an operator made the alias."""
    created_at: Mapped[datetime]
    """When the question was asked."""
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (Index("ix_agent_alias_state_created_at", "state", "created_at"),)


class AutoMail(Base):
    """An automatic mail planned for an outsider: what the brakes count."""

    __tablename__ = "auto_mail"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    address: Mapped[str] = mapped_column(String(320))
    domain: Mapped[str] = mapped_column(String(255))
    ticket_id: Mapped[int | None] = mapped_column(Id)
    subject_key: Mapped[str] = mapped_column(String(64))
    template: Mapped[str] = mapped_column(String(64), default="", server_default="")

    __table_args__ = (
        Index("ix_auto_mail_address_at", "address", "at"),
        Index("ix_auto_mail_domain_at", "domain", "at"),
        Index("ix_auto_mail_ticket_id_at", "ticket_id", "at"),
    )


class SenderMail(Base):
    """A mail of an outsider that was worked on: what tells a storm from a conversation. Kept for a day.

    kind: "opened" a ticket, "joined" one, "reopened" it, or went into the ticket of a "storm".
    """

    __tablename__ = "sender_mail"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    sender: Mapped[str] = mapped_column(String(320))
    subject_key: Mapped[str] = mapped_column(String(64))
    content_key: Mapped[str | None] = mapped_column(String(64))
    ticket_id: Mapped[int | None] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(12))

    __table_args__ = (Index("ix_sender_mail_sender_at", "sender", "at"),)


class Ban(Base):
    """Mail that is not wanted, by its sender. `hits` counts what it stopped."""

    __tablename__ = "ban"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    pattern: Mapped[str] = mapped_column(String(320), unique=True)
    kind: Mapped[str] = mapped_column(String(16), index=True)
    """"address", "domain" (its subdomains included) or "pattern" (an address with `*`)."""
    action: Mapped[str] = mapped_column(String(16))
    """"reject", "discard" or "hold"."""
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    hits: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    last_hit_at: Mapped[datetime | None]
