"""All the tables, gathered from the modules of this package; whoever needs one imports it from here.

No rules in here; times are aware UTC, ids are database-made integers. Departments, agents, topics,
plans and rules live in the configuration and are referred to by key, so that a reload never rewrites
history. Text has passed `clean_text` before it gets here.
"""

from __future__ import annotations

from mailticket.store.models.absences import AgentAbsence
from mailticket.store.models.alerts import Alert, AlertReader
from mailticket.store.models.base import Base, Id, UTCDateTime
from mailticket.store.models.digests import DigestIssue, DigestNumber, DigestRun
from mailticket.store.models.limits import AutoMail, Ban, SenderMail
from mailticket.store.models.links import TicketLink, TicketReferral
from mailticket.store.models.mail_in import Blob, ImapMessage, Inbound, MailboxContact
from mailticket.store.models.mail_out import Outbox
from mailticket.store.models.pending_answers import PendingAnswer
from mailticket.store.models.people import AgentAlias, AgentPrimer, Person, PersonAddress
from mailticket.store.models.seals import EventSeal
from mailticket.store.models.thread import Entry, EntryAttachment, MessageRef, TicketEvent
from mailticket.store.models.ticket import Deadline, Participant, Rating, Ticket
from mailticket.store.models.turns import AssignmentTurn
from mailticket.store.models.webhooks import WebhookCall

__all__ = [
    "AgentAbsence",
    "AgentAlias",
    "AgentPrimer",
    "Alert",
    "AlertReader",
    "AssignmentTurn",
    "AutoMail",
    "Ban",
    "Base",
    "Blob",
    "Deadline",
    "DigestIssue",
    "DigestNumber",
    "DigestRun",
    "Entry",
    "EntryAttachment",
    "EventSeal",
    "Id",
    "ImapMessage",
    "Inbound",
    "MailboxContact",
    "MessageRef",
    "Outbox",
    "Participant",
    "PendingAnswer",
    "Person",
    "PersonAddress",
    "Rating",
    "SenderMail",
    "Ticket",
    "TicketEvent",
    "TicketLink",
    "TicketReferral",
    "UTCDateTime",
    "WebhookCall",
]
