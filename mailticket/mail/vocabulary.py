"""The commands agents can write: one table. A new command is one row here, and its effect in `domain`.

Reading them is `mail/commands.py`, what they do is `domain/effects.py`; the list that `#help` mails and
the one in `docs/commands.md` are made from this table.
"""

from __future__ import annotations

import enum
from typing import Final, Self

from mailticket.mail.arguments import (
    ABSENCE,
    ADDRESS,
    CANNED,
    FIELD,
    INTO,
    LATER,
    NAME,
    NOTHING,
    OTHER,
    SPENT,
    TEXT,
    TICKET,
    TIME,
    WHEN_AND_TEXT,
    WORD,
    WORDS,
    Shape,
)


class CommandName(enum.StrEnum):
    """A command, by its name without prefix.

    shape    what stands behind the name
    group    at most one of the commands of a group can be meant in one mail, and with one argument;
             "" where any number goes together
    aliases  other words for it, from other desks' vocabularies and agents' habits
    example  a whole command without prefix, for the list of commands
    help     what it does, in one line without a full stop
    """

    shape: Shape
    group: str
    aliases: tuple[str, ...]
    example: str
    help: str

    def __new__(cls, name: str, shape: Shape, group: str, aliases: str, example: str, text: str) -> Self:
        """A row of the table; `aliases` are words separated by blanks."""
        one = str.__new__(cls, name)
        one._value_ = name
        one.shape, one.group, one.example, one.help = shape, group, example, text
        one.aliases = tuple(aliases.split())
        return one

    # fmt: off
    # What the text is.
    NOTE = ("note", TEXT, "kind", "internal private", "note call her back",
            "the text stays inside; words on the same line belong to it")
    REPLY = ("reply", NOTHING, "kind", "", "reply",
             "the text goes to the customer, which is what it does anyway")
    USE = ("use", CANNED, "", "canned macro snippet", 'use password-reset link="https://bank.example/reset"',
           "puts a canned reply below your words: its key or title, and the values it asks for")

    # Who looks after it.
    TAKE = ("take", NOTHING, "assignee", "accept claim", "take", "you become the assignee")
    ASSIGN = ("assign", NAME, "assignee", "reassign", "assign bob",
              "somebody else does (or `me`): key, full name, or first or last name if only one has it")
    UNASSIGN = ("unassign", NOTHING, "assignee", "release", "unassign",
                "gives the ticket back to the department")
    TEAM = ("team", NAME, "team", "", "team night shift", "gives it to a team")
    TRANSFER = ("transfer", NAME, "department", "queue department dept", "transfer billing",
                "moves it to another department, whose members are alerted, with your note")
    REFER = ("refer", NAME, "", "referto", "refer billing",
             "another department sees it too and hears of it; it stays where it is")
    UNREFER = ("unrefer", NAME, "", "", "unrefer billing", "ends that")

    # Where it is in its life.
    STATUS = ("status", NAME, "status", "state", "status on hold",
              "open, in progress, waiting, on hold, resolved, closed, archived, or your own")
    WAIT = ("wait", LATER, "status", "waiting pending snooze", "wait 3d",
            "it waits for the customer, whose mail ends that; with a moment, it comes back by itself then")
    HOLD = ("hold", LATER, "status", "pause", "hold until 2026-12-01",
            "it waits for somebody else; with a moment, it comes back by itself then")
    RESOLVE = ("resolve", NOTHING, "status", "resolved solve solved fixed done", "resolve",
               "done as far as you see; the customer's next mail reopens it")
    CLOSE = ("close", TEXT, "status", "closed", "close the fuse was blown",
             "closes it; the words after it are kept with the event")
    REOPEN = ("reopen", NOTHING, "status", "open", "reopen", "opens it again")
    ARCHIVE = ("archive", NOTHING, "status", "archived", "archive",
               "puts a finished ticket away for good: no mail brings it back")
    BLOCK = ("block", OTHER, "status", "blockedby waitsfor", "block 123456",
             "waits on hold until that ticket is resolved or closed")

    # When it is promised.
    PRIORITY = ("priority", NAME, "priority", "prio severity urgency", "priority high",
                "low, normal, high, emergency, or what your configuration has")
    DUE = ("due", TIME, "due", "deadline", "due tomorrow 9:00",
           "when it is due: `+4h` of working time, `14:00`, `2026-11-05 14:00`; `none` takes it back")
    SLA = ("sla", NAME, "sla", "", "sla gold",
           "another SLA plan; the clocks are counted again from the beginning")
    ACK = ("ack", NOTHING, "", "acknowledge", "ack",
           "you look after it: alerts climb no further. Assigns nothing")
    REMIND = ("remind", WHEN_AND_TEXT, "", "reminder remindme remind_me", "remind 2d ring her",
              "mails you about the ticket then: `2d`, `+4h`, `14:00`, `friday`, `2026-12-01 9:00`")

    # What it is about.
    SUBJECT = ("subject", WORDS, "subject", "title retitle rename", "subject Printer on the 3rd floor",
               "gives the ticket another subject, without words such as `Re:`")
    TIME = ("time", SPENT, "", "spend spent add", "time 15m on the phone",
            "adds to the time spent on it: `15m`, `1h30m`, `1:30`; `-15m` takes back")
    TOPIC = ("topic", NAME, "topic", "helptopic", "topic password", "another help topic")
    FIELD = ("field", FIELD, "", "set", "field severity major",
             "a field of your configuration gets a value; `none` takes it away")
    TAG = ("tag", WORD, "", "label", "tag printer", "adds a tag")
    UNTAG = ("untag", WORD, "", "unlabel", "untag printer", "removes a tag")

    # Who takes part.
    CC = ("cc", ADDRESS, "", "addcc add_email", "cc ann@customer.example",
          "lets somebody outside take part: they get every answer from now on, and may write")
    UNCC = ("uncc", ADDRESS, "", "delcc remove_email", "uncc ann@customer.example", "ends that")
    OWNER = ("owner", ADDRESS, "owner", "requester requestor submitter", "owner ben@customer.example",
             "makes somebody else the requester; in a new or forwarded mail: opens a ticket for them")
    SPAM = ("spam", NOTHING, "status", "junk", "spam", "closes it as spam; nobody outside hears of it")
    BAN = ("ban", TEXT, "", "blacklist blocklist", "ban bulk.example sends nothing but spam",
           "refuses mail of an address or a domain, or of the requester, from now on")


    # Which ticket a message belongs to.
    MOVE = ("move", TICKET, "move", "", "move 123456",
            "takes the customer's message your alert was about to another ticket, or to a `new` one")
    SPLIT = ("split", TEXT, "move", "", "split last Printer is broken too",
             "makes a ticket of its own of a message: the one answered, `last`, or by its number")
    MERGE = ("merge", INTO, "move", "mergeinto", "merge 123456",
             "this ticket goes on in another one, with all who take part and all replies")
    LINK = ("link", OTHER, "", "relate", "link 123456", "notes that two tickets have to do with each other")
    UNLINK = ("unlink", OTHER, "", "unblock unrelate", "unlink 123456",
              "takes that back; what waited for the other ticket goes on")
    APPROVE = ("approve", NOTHING, "verdict", "", "approve",
               "a held reply joins the ticket it points at; the bare word as the first line will do")
    DENY = ("deny", NOTHING, "verdict", "", "deny", "a held reply stays a ticket of its own")

    # Whether you are there.
    AWAY = ("away", ABSENCE, "presence", "vacation holiday", "away until 2026-12-01 deputy bob",
            "your alerts go to your deputy: `3d`, `until DATE` (that day included), `DATE..DATE`, or nothing")
    BACK = ("back", NOTHING, "presence", "", "back", "you are there again")
    # Second thoughts.
    SEND = ("send", NOTHING, "send", "", "send",
            "sends your answer that was held because you had not seen a newer message")
    UNDO = ("undo", NOTHING, "undo", "", "undo",
            "takes your last mail on the ticket back: what it changed, and its answer while that waits")

    # About the desk.
    LIST = ("list", TEXT, "look", "ls", "list overdue",
            "sends you a numbered list: mine, a queue, or filters such as department:it")
    SHOW = ("show", TEXT, "look", "history log story", "show 123456",
            "sends you a ticket's whole story with its event log, this one's without a number")
    SEARCH = ("search", TEXT, "look", "find", "search paper jam",
              "sends you the tickets that hold these words")
    HELP = ("help", NOTHING, "", "commands", "help", "mails you this list")
    # fmt: on


KNOWN: Final[dict[str, CommandName]] = {word: one for one in CommandName for word in (one, *one.aliases)}
"""Every word that is a command, and which."""
