"""What must be true of a mail that the desk sent, and of a ticket. Pure: values in, problems out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from email.message import EmailMessage

from mailticket.demo.cast import CAST
from mailticket.demo.mailclient import text_of
from mailticket.demo.mailroom import Received
from mailticket.demo.story import Expected, Standing
from mailticket.store.views import TicketRow

_OF_A_PERSON = frozenset({"ticket.reply"})
"""Kinds a person wrote; all others are automatic mail."""


def wrong_with(item: Received, expected: Expected, known: frozenset[str]) -> list[str]:
    """Why a mail is not as it must be. known: the Message-IDs its reader has sent and received before."""
    mail = item.mail
    problems = [*_addresses(item, expected), *_automatic(item, expected), *_pointers(mail, known)]
    said = _said(mail)
    problems += [f'does not say "{word}"' for word in expected.words if _plain(word) not in said]
    problems += [f'says "{word}"' for word in expected.absent if _plain(word) in said]
    if mail.get_body(("html",)) is None or mail.get_body(("plain",)) is None:
        problems.append("has not both a text and an HTML part")
    return problems


def leaks(item: Received, inside: Iterable[str]) -> list[str]:
    """What a customer's mail shows of the inside. inside: words of notes and commands."""
    if item.role.inside:
        return []
    everything = _everything(item)
    private = [
        part for role in CAST if role.inside for part in (role.address, role.address.rpartition("@")[2])
    ]
    return [f'shows "{word}", which is private' for word in (*private, *inside) if _plain(word) in everything]


def stands_wrong(ticket: TicketRow | None, standing: Standing) -> list[str]:
    """How a customer's ticket differs from what it must be."""
    if ticket is None:
        return [f"{standing.of.name} has no ticket"]
    found = {name: getattr(ticket, name) for name in standing.fields}
    problems = [
        f"the {name} of #{ticket.number} is {found[name]}, not {value}"
        for name, value in standing.fields.items()
        if found[name] != value
    ]
    if (ticket.overdue_since is not None) is not standing.overdue:
        problems.append(f"#{ticket.number} is {'not ' if standing.overdue else ''}overdue")
    return problems


def unmatched(
    arrived: Sequence[tuple[Received, str]], expected: Sequence[Expected]
) -> tuple[list[tuple[Received, Expected]], list[Expected], list[Received]]:
    """Mails paired with what was expected by kind and reader; what is missing; what nobody expected."""
    left, pairs, extra = list(expected), [], []
    for item, kind in arrived:
        fitting = next((one for one in left if one.kind == kind and one.to == item.role), None)
        if fitting is None:
            extra.append(item)
        else:
            left.remove(fitting)
            pairs.append((item, fitting))
    return pairs, left, extra


def _addresses(item: Received, expected: Expected) -> list[str]:
    problems = []
    senders = [address.addr_spec for address in item.mail["From"].addresses]
    readers = [address.addr_spec for address in item.mail["To"].addresses]
    if senders != [expected.sender]:
        problems.append(f"comes from {', '.join(senders)}, not from {expected.sender}")
    if readers != [item.role.address] or item.mail["Cc"] or item.mail["Bcc"]:
        problems.append(f"names other readers than {item.role.address}")
    if expected.kind != "ticket.digest":
        local, _, domain = expected.sender.partition("@")
        where = (
            [address.addr_spec for address in item.mail["Reply-To"].addresses]
            if item.mail["Reply-To"]
            else []
        )
        if len(where) != 1 or not (where[0].startswith(f"{local}+") and where[0].endswith(f"@{domain}")):
            problems.append("has no reply address of its own")
    return problems


def _automatic(item: Received, expected: Expected) -> list[str]:
    """RFC 3834: automatic mail says so and has the null sender; an agent's answer does neither."""
    marked = str(item.mail["Auto-Submitted"] or "no").lower() != "no"
    if expected.kind in _OF_A_PERSON:
        return ["is marked as automatic"] if marked or not item.envelope_from else []
    problems = [] if marked else ["is not marked as automatic"]
    return (
        problems if not item.envelope_from else [*problems, f"has the envelope sender {item.envelope_from}"]
    )


def _pointers(mail: EmailMessage, known: frozenset[str]) -> list[str]:
    """A thread holds together only where every mail points at mails its reader has."""
    named = f"{mail['In-Reply-To'] or ''} {mail['References'] or ''}".replace("<", " ").replace(">", " ")
    strange = sorted(set(named.split()) - known)
    return [f"points at {item}, which its reader never had" for item in strange]


def _said(mail: EmailMessage) -> str:
    return _plain(f"{mail['Subject']} {text_of(mail)}".replace("\n>", "\n"))


def _everything(item: Received) -> str:
    """All that the bytes hold, encoded and decoded, headers and every text part."""
    parts = [str(part.get_content()) for part in item.mail.walk() if part.get_content_maintype() == "text"]
    headers = [f"{name}: {value}" for name, value in item.mail.items()]
    return _plain(" ".join([item.raw.decode("utf-8", "replace"), item.envelope_from, *headers, *parts]))


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
