"""The last look at an agent's words before they go to a customer: nothing of the house's own is in them.

Three sorts of thing are looked for. What can only be ours (a marker, a token, the lines of an alert)
stops the mail always: quoted text was taken for new. So do addresses of agents, which customers never
see. Words that repeat an internal note stop it too, unless the agent says `#reply`: they may be meant.
What an agent's mail program adds below the words by itself is taken off instead of stopping the mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from mailticket.config.desk import Agent, Desk
from mailticket.domain.actor import Actor
from mailticket.mail.address import canonical
from mailticket.mail.commands import Commands, Problem, parse_commands
from mailticket.mail.compose import LOOP_HEADER
from mailticket.mail.marker import find_tokens, is_marker_line
from mailticket.mail.quoting import THRESHOLD
from mailticket.mail.types import Attachment, Content
from mailticket.mail.vocabulary import CommandName

_QUOTED: Final = "your words could not be told from the quoted alert; delete the quoted text and send again"
_ADDRESS_TOKEN: Final = re.compile(r"\+[a-z2-7]{36,90}(?:@|%40)", re.IGNORECASE)
_ADDRESS_TOKEN_IN_FILE: Final = re.compile(rb"\+[a-z2-7]{36,90}(?:@|%40)")
_ADDRESS: Final = re.compile(r"[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_LISTED: Final = re.compile(
    rf"\S[^\S\n]*(?:[ \u00a0]{{2,}}|\t|\|)[^\S\n]*[#/](?:{'|'.join(CommandName)})\b", re.IGNORECASE
)
"""A line of a list of commands: what it does, a gap, the command."""
_WORD: Final = re.compile(r"\w+")
_RUN: Final = 7
"""So many words in a row of a note are no chance."""
_SHORT_LINE: Final = (3, 12)
"""Words and characters of a note's whole line that are no chance either."""
_BLOCK: Final = 14
"""Lines at the end of a text in which a mail program's signature is looked for."""
_PHONE: Final = re.compile(
    r"\W{0,3}(?:(?:tele?(?:phone|fono|foon|fon)?|t[eé]l(?:[eé]phone|[eé]fono)?|phone|mob(?:ile|il)?|cell|"
    r"handy|fax|direct|office|durchwahl|portable|m[oó]vil|電話|携帯|[tmpf])\W{0,3})?"
    r"\+?\d[\d ()/.\u00a0-]{6,22}\W{0,3}",
    re.IGNORECASE,
)
_LABELS: Final = 2
"""Words that may stand beside an address for the line to be nothing but the address."""


def for_customer(asked: Commands, signature: str, actor: Actor) -> str:
    """The agent's words as the customer gets them: with or without a signature, as the desk wants it.

    signature: what was taken off the mail as such.
    """
    if actor.desk.agent_signatures == "strip":
        return without_personal(asked.body, actor.desk.agents[actor.key])
    below = parse_commands(signature.strip().removeprefix("--").strip(), actor.desk.command_prefix)
    kept = below.body if isinstance(below, Commands) else ""
    whole = f"{asked.body}\n\n{kept}".strip()
    again = parse_commands(whole, actor.desk.command_prefix)
    fine = isinstance(again, Commands) and not again.commands and again.body == whole
    return whole if asked.body and kept and fine else asked.body


def without_personal(text: str, agent: Agent) -> str:
    """The text without a block at its end that tells the agent's own address or telephone.

    Such a block begins at the agent's name alone on a line, or at the line with the address. A sentence
    with an address in it is no block: that is looked at later.
    """
    lines = text.split("\n")
    first = max(0, len(lines) - _BLOCK)
    own = {canonical(address) for address in agent.addresses}
    tell = [at for at in range(first, len(lines)) if _is_address_alone(lines[at], own)]
    phones = [at for at in range(first, len(lines)) if _PHONE.fullmatch(lines[at].strip())]
    names = {agent.name.casefold(), *agent.name.casefold().split()[:1]}
    named = [at for at in range(first, len(lines)) if _bare(lines[at]) in names]
    begins = [at for at in named if any(at < one for one in (*tell, *phones))]
    start = begins[0] if begins else tell[0] if tell else None
    if start is None or any(_is_sentence(line) for line in lines[start:]):
        return text
    return "\n".join(lines[:start]).rstrip() or text


def _is_sentence(line: str) -> bool:
    return len(line) > 100 or len(line.split()) > 10 or line.rstrip().endswith((":", "?", "!"))


def _bare(line: str) -> str:
    return " ".join(line.strip(" \t\u00a0*_,.-–—").casefold().split())


def _is_address_alone(line: str, own: set[str]) -> bool:
    found = [one for one in _ADDRESS.findall(line) if canonical(one) in own]
    rest = _ADDRESS.sub("", line).replace("mailto:", "")
    return bool(found) and len(_WORD.findall(rest)) <= _LABELS


def leaks(text: str, content: Content, actor: Actor) -> list[Problem]:
    """Why the text may not go to a customer; empty where nothing is against it."""
    if not text:
        return []
    unsure = content.confidence < THRESHOLD or content.method.endswith(":nothing-new")
    if unsure or _is_ours(text, actor.ticket.number):
        return [Problem("", _QUOTED)]
    problems = [] if actor.desk.agent_signatures == "keep" else list(_addresses(text, actor))
    if not problems and not actor.asked.reply:
        problems += _notes(text, actor)
    return problems


def attached(files: Iterable[Attachment], desk: Desk) -> list[Problem]:
    """Why these files may not go to a customer: a mail of this desk, or what a token of ours stands in.

    Programs attach the mail that is answered, some of them to every answer; an alert holds notes and a
    token by which its bearer could act as the agent.
    """
    loop = f"{LOOP_HEADER}: {desk.instance}".casefold().encode()
    found = next((one for one in files if _holds_ours(one.data, loop)), None)
    if found is None:
        return []
    told = f'the file "{found.filename}" is a mail of this desk, or holds one: it is not for customers'
    return [Problem("", f"{told}; take it off and send again")]


def _holds_ours(data: bytes, loop: bytes) -> bool:
    folded = data.replace(b"\0", b"").lower()  # Outlook's own format has two bytes for a letter
    if loop in folded or _ADDRESS_TOKEN_IN_FILE.search(folded):
        return True
    return b"mt:" in folded and bool(find_tokens(folded.decode("latin-1")))


def _is_ours(text: str, number: str) -> bool:
    """Whether it holds what only mails of ours hold."""
    if find_tokens(text) or _ADDRESS_TOKEN.search(text):
        return True
    ours = re.compile(rf"\S+(?: {{2,}}|\t|[^\S\n]*\|[^\S\n]*){re.escape(number)}\W*") if number else None
    return any(
        is_marker_line(line) or _LISTED.search(line) or (ours is not None and ours.fullmatch(line.strip()))
        for line in text.split("\n")
    )


def _addresses(text: str, actor: Actor) -> Iterator[Problem]:
    """Addresses of agents who take no part in the ticket as customers do."""
    for line in text.split("\n"):
        for found in _ADDRESS.findall(line) if "@" in line else ():
            plain = canonical(found)
            if plain in actor.desk.agent_by_address and plain not in actor.ticket.participants:
                yield Problem(line, f"names {plain}, an address that customers never see; take it out")
                return


def _notes(text: str, actor: Actor) -> list[Problem]:
    """Words that stand in a note of the ticket and in nothing a customer has seen."""
    inside = [one.text for one in actor.facts.said if one.internal]
    if not inside:
        return []
    seen = [one.text for one in actor.facts.said if not one.internal]
    found = _repeated(text, inside, seen)
    if found is None:
        return []
    prefix = actor.desk.command_prefix
    told = f'your words repeat an internal note ("{found[:80]}"): take them out, or begin with'
    return [Problem("", f"{told} {prefix}{CommandName.REPLY} if the customer shall read them")]


def _repeated(text: str, inside: Sequence[str], seen: Sequence[str]) -> str | None:
    """The first words of `text` that repeat what is inside, None for none."""
    known = {run for one in seen for run in _runs(one)}
    secret = {run for one in inside for run in _runs(one)} - known
    for run in _runs(text):
        if run in secret:
            return " ".join(run)
    lines = {line for one in inside for line in _lines(one)} - {line for one in seen for line in _lines(one)}
    return next((line for line in _lines(text) if line in lines), None)


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    return zip(*(words[at:] for at in range(_RUN)), strict=False)


def _lines(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        words = _WORD.findall(line.casefold())
        plain = " ".join(words)
        if len(words) >= _SHORT_LINE[0] and len(plain) >= _SHORT_LINE[1]:
            yield plain
