"""For whom an agent opens a ticket: whom `#owner` names, or who wrote what the agent passes on."""

from __future__ import annotations

from mailticket.config.desk import Desk
from mailticket.domain.access import collaborator
from mailticket.mail.address import canonical, without_extension
from mailticket.mail.commands import Commands, Problem
from mailticket.mail.forward import forwarded_within
from mailticket.mail.types import Address, Forwarded
from mailticket.mail.vocabulary import CommandName

_DEEPEST = 5
"""Colleagues who may have passed a mail on to one another before it got here."""


def named_owner(asked: Commands, desk: Desk) -> Address | Problem | None:
    """Whom `#owner` names; an agent may have a ticket too, the desk itself not."""
    command = next((one for one in asked.commands if one.name is CommandName.OWNER), None)
    if command is None:
        return None
    named = canonical(command.argument)
    if named in desk.agent_by_address:
        return Address(desk.agents[desk.agent_by_address[named]].name, named)
    plain, problem = collaborator(desk, command.argument)
    return Problem(command.line, problem) if plain is None else Address("", plain)


def is_ours(original: Forwarded, desk: Desk, tokens: tuple[str, ...]) -> bool:
    """Whether a passed-on mail is one that this desk sent: an alert, or an answer.

    tokens: markers of ours in the text. A copy without an address, as Outlook makes it, has only those.
    """
    address = original.sender.address
    return without_extension(address) in desk.department_by_address if address else bool(tokens)


def author_of(original: Forwarded, desk: Desk) -> tuple[Address, Forwarded] | str:
    """Who wrote a passed-on mail, and the mail itself; or why that cannot be told.

    Where colleagues passed it on among themselves, it is the first one within that nobody here wrote.
    """
    for _ in range(_DEEPEST):
        address, name = original.sender.address, original.sender.name
        if not address:
            return f'the copy of the mail names its author only as "{name}", without an address'
        plain, problem = collaborator(desk, address)
        if plain is not None:
            return Address(name, plain), original
        within = forwarded_within(original.body)
        if canonical(address) not in desk.agent_by_address or within is None:
            return f"its author cannot have a ticket this way: {problem}"
        original = within
    return "it was passed on too often to tell who wrote it"
