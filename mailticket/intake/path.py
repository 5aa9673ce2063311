"""The paths of MAIL FROM and RCPT TO (RFC 5321, 4.1.2), read strictly and in linear time.

aiosmtpd reads them with the header parser of the standard library, which raises on some input and
accepts comments and folding that an envelope cannot have; an envelope address decides who is
served, so it gets a grammar of its own.
"""

from __future__ import annotations

MAX_PATH = 512
"""RFC 5321 4.5.3.1.3 says 256; senders' bounce addresses (VERP, SRS) exceed it."""

_ROUTING = frozenset('%!"\\()<>[]:;, \t')


def split_path(argument: str) -> tuple[str, str] | None:
    """Split `<address> PARAMETERS` into (address, parameters); None when it is malformed.

    The null path "<>" gives the address "<>", as aiosmtpd's envelope has it. A source route
    ("@a,@b:user@c") is kept in the address; angle brackets may be missing. Control characters and
    bytes that are not UTF-8 (they arrive as surrogates) make it malformed.
    """
    text = argument.strip(" \t")
    if any(char < " " or char == "\x7f" or "\ud800" <= char <= "\udfff" for char in text):
        return None
    if text.startswith("<"):
        end = _closing_bracket(text)
        if end is None:
            return None
        address, rest = text[1:end].strip(" "), text[end + 1 :]
        if rest and not rest.startswith(" "):
            return None
    else:
        address, _, rest = text.partition(" ")
        if "<" in address or ">" in address or not address:
            return None
    if len(address) > MAX_PATH:
        return None
    return address or "<>", rest.strip(" ")


def is_plain_recipient(address: str) -> bool:
    """True for `local@domain` and for a bare `postmaster` (RFC 5321 4.5.1), and nothing else.

    Quoted local parts, address literals, source routes and the old relay forms (user%host@us,
    host!user) are refused here, before anybody asks whether the address is served: each of them has
    been a way to make a mail server relay.
    """
    if address.casefold() == "postmaster":
        return True
    local, at, domain = address.partition("@")
    if not at or not local or not domain or "@" in domain:
        return False
    return not any(char in _ROUTING for char in address)


def without_null(address: str) -> str:
    """The envelope sender as `RawMail` has it: "" for the null path."""
    return "" if address == "<>" else address


def _closing_bracket(text: str) -> int | None:
    """Where the path that starts with "<" ends, quoted strings skipped."""
    quoted = escaped = False
    for index, char in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == ">" and not quoted:
            return index
        elif char == "<" and index and not quoted:
            return None
    return None
