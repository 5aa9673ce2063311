"""Addresses: a tolerant reading for people's eyes, one strict grammar for identity.

Both work on the same linear tokens. `From: agent@corp.example <mallory@evil.example>` is read as the
agent by email.utils.parseaddr and by email.policy.default (CVE-2023-27043 and kin); therefore nothing
is granted unless the whole field has one unambiguous form.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from mailticket.mail.address_tokens import Kind, Token, is_special, tokens_of
from mailticket.mail.charset import clean_text
from mailticket.mail.encoded_word import decode_raw, decode_words
from mailticket.mail.types import Address, Identity

# ---- the tolerant reading ---------------------------------------------------------------------------


def read_addresses(
    value: bytes, *, limit: int = 500, hint: str | None = None, name_limit: int = 320
) -> tuple[Address, ...]:
    """Every mailbox of a To, Cc or Reply-To field as well as it can be read; without address: left out."""
    found: list[Address] = []
    for segment in _segments(tokens_of(decode_raw(value, hint))):
        address = _read_segment(segment, name_limit)
        if address.address:
            found.append(address)
            if len(found) >= limit:
                break
    return tuple(found)


def _segments(tokens: Sequence[Token]) -> list[list[Token]]:
    """Split at commas and semicolons outside angle brackets; `Doe, Jane <a@b>` stays one mailbox."""
    segments: list[list[Token]] = [[]]
    angle = False
    for token in tokens:
        if is_special(token, "<"):
            angle = True
        elif is_special(token, ">"):
            angle = False
        if not angle and (is_special(token, ",") or is_special(token, ";")):
            segments.append(
                [token] if segments[-1] and is_special(token, ",") and not _has_at(segments[-1]) else []
            )
            if segments[-1]:  # no address before the comma: it belongs to the name
                segments[-2].extend(segments.pop())
            continue
        segments[-1].append(token)
    return [segment for segment in segments if segment]


def _has_at(segment: Sequence[Token]) -> bool:
    return any(is_special(token, "@") for token in segment)


def _read_segment(segment: Sequence[Token], name_limit: int) -> Address:
    opening = max((i for i, token in enumerate(segment) if is_special(token, "<")), default=None)
    if opening is not None:
        inside = list(segment[opening + 1 :])
        for index, token in enumerate(inside):
            if is_special(token, ">"):
                inside = inside[:index]
                break
        if _has_at(inside):
            return _address(segment[:opening], inside, name_limit)
        outside = [
            token for token in segment[:opening] if not is_special(token, "<") and not is_special(token, ">")
        ]
        if not _has_at(outside):
            return Address(_phrase([*outside, *inside], name_limit), "")
        segment = outside
    at = next((i for i, token in enumerate(segment) if is_special(token, "@")), None)
    if at is None:
        return Address(_phrase(segment, name_limit), "")
    first = at
    while first > 0 and (first == at or not segment[first].spaced) and _in_local(segment[first - 1]):
        first -= 1
    last = at + 1
    while last < len(segment) and (last == at + 1 or not segment[last].spaced) and _in_domain(segment[last]):
        last += 1
    return _address([*segment[:first], *segment[last:]], segment[first:last], name_limit)


def _in_local(token: Token) -> bool:
    return token.kind in (Kind.ATOM, Kind.QUOTED)


def _in_domain(token: Token) -> bool:
    return token.kind in (Kind.ATOM, Kind.LITERAL)


def _address(phrase: Sequence[Token], spec: Sequence[Token], name_limit: int) -> Address:
    while spec and (is_special(spec[0], "@") or is_special(spec[0], ",")):  # an obsolete source route
        colon = next((i for i, token in enumerate(spec) if is_special(token, ":")), None)
        if colon is None:
            break
        spec = spec[colon + 1 :]
    text = "".join(_cleaned_spec(token) for token in spec if token.kind is not Kind.COMMENT)[:320]
    comments = [token for token in spec if token.kind is Kind.COMMENT]
    name = _phrase(phrase, name_limit) or _phrase(comments, name_limit)
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        return Address(name or text, "")
    if "=?" in local:  # RFC 2047 section 5 forbids it; shown readably, never trusted
        decoded = decode_words(local).text
        local = decoded if _LOCAL.fullmatch(decoded) else local
    domain = domain.rstrip(".")
    return Address(name, f"{local}@{_ascii_domain(domain) or domain.lower()}")


def _cleaned_spec(token: Token) -> str:
    """The token's part of an addr-spec for eyes; blanks belong to it inside quotes only."""
    text = clean_text(_spec_text(token), limit=320, one_line=True)
    return text if text.startswith('"') else text.replace(" ", "")


def _spec_text(token: Token) -> str:
    if token.kind is Kind.QUOTED and not _DOT_ATOM.fullmatch(token.text):
        escaped = token.text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return f"[{token.text}]" if token.kind is Kind.LITERAL else token.text


def _phrase(tokens: Sequence[Token], limit: int) -> str:
    """The display name: words and quoted strings, else the comments; encoded-words decoded."""
    colon = max((i for i, token in enumerate(tokens) if is_special(token, ":")), default=-1)
    if colon >= 0 and colon == len(tokens) - 1:
        tokens = []  # nothing but the name of a group
    words = [
        t
        for t in tokens
        if t.kind is not Kind.COMMENT and t.text != '"' and not is_special(t, "<") and not is_special(t, ">")
    ]
    if not any(t.kind is not Kind.SPECIAL for t in words):
        words = [t for t in tokens if t.kind is Kind.COMMENT]
    joined = "".join((" " if t.spaced and i else "") + t.text for i, t in enumerate(words))
    name = clean_text(decode_words(joined).text, limit=limit, one_line=True).strip()
    while len(name) >= 2 and name[0] == name[-1] and name[0] in "'\"":  # quoted once more by some mailers
        name = name[1:-1].strip()
    return name


# ---- the strict reading -----------------------------------------------------------------------------

_ATEXT: Final = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u00a1-\U0010ffff"
_DOT_ATOM: Final = re.compile(rf"[.{_ATEXT}]+")
_LOCAL: Final = re.compile(rf"[.{_ATEXT}]{{1,64}}")
_QUOTABLE: Final = re.compile(r"[ -~]{1,62}")
"""A quoted local part without its quotes: printable ASCII."""
_LITERAL: Final = re.compile(r"\[(ipv6:)?([0-9a-f:.]{2,45})\]")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


def identity(fields: Sequence[bytes], *, hint: str | None = None, name_limit: int = 320) -> Identity:
    """Who is writing, from all From fields of a mail.

    `Identity.address` is set only for exactly one field of the form `addr-spec`, `<addr-spec>`,
    `phrase <addr-spec>` or `addr-spec (comment)` (RFC 5322 section 3.4 without groups, lists, routes
    and obsolete forms). The domain is ASCII, IDNA or an address literal (RFC 5321 section 4.1.3). A
    quoted local part that needs its quotes keeps them, so `"a@b"@c` is never taken for `a@b`. Not
    everything that names somebody can be written to: see `header_out.mailable`.
    """
    if not fields:
        return Identity(None, Address("", ""), "no From header")
    text = decode_raw(fields[0], hint)
    tokens = tokens_of(text)
    segments = _segments(tokens)
    readings = [_read_segment(segment, name_limit) for segment in segments]
    shown = next(
        (reading for reading in readings if reading.address), readings[0] if readings else Address("", "")
    )
    if len(fields) > 1:
        return Identity(None, shown, f"{len(fields)} From headers")
    address, problem = _strict(text, tokens)
    if address is not None and canonical(shown.address) != address:
        return Identity(None, shown, "From can be read in two ways")
    return Identity(address, shown, problem)


def _strict(text: str, tokens: Sequence[Token]) -> tuple[str | None, str | None]:
    if not tokens:
        return None, "From is empty"
    if any(
        (ord(char) < 32 and char not in "\t") or ord(char) == 127 or "\ud800" <= char <= "\udfff"
        for char in text
    ):
        return None, "From holds control characters"
    if any(token.broken for token in tokens):
        return None, "From has an unclosed or nested quote, comment or bracket"
    comments = [token for token in tokens if token.kind is Kind.COMMENT]
    if any(char in comment.text for comment in comments for char in "@<>"):
        return None, "From has an address in a comment"
    words = [token for token in tokens if token.kind is not Kind.COMMENT]
    opening = next((i for i, token in enumerate(words) if is_special(token, "<")), None)
    if opening is None:
        phrase, spec = [], list(words)
    else:
        phrase, spec = words[:opening], words[opening + 1 :]
        if not spec or not is_special(spec.pop(), ">"):
            return None, "From has text behind its address"
    if sum(is_special(token, "@") for token in spec) != 1:
        return None, "From has not exactly one address"
    problem = "From has a comment inside its address" if _comment_inside(tokens) else None
    address, problem = (None, problem) if problem else _strict_spec(spec)
    if address is not None and not _names_itself(phrase, address):
        problem = _phrase_problem(phrase)
    return (None, problem) if problem else (address, None)


def _names_itself(phrase: Sequence[Token], address: str) -> bool:
    """`a@b <a@b>`: against the grammar, common, and read in one way only."""
    return _has_at(phrase) and canonical("".join(token.text for token in phrase).strip("'")) == address


def _phrase_problem(phrase: Sequence[Token]) -> str | None:
    if _has_at(phrase):
        return "From has not exactly one address"
    for token in phrase:
        # A comma may stand: `Doe, Jane <a@b>` has one address whoever reads it.
        if token.kind is Kind.SPECIAL and token.text != ",":
            return f"From has a stray {token.text!r}"
        if token.kind is Kind.LITERAL and "@" in token.text:
            return "From has an address in brackets"
    words = decode_words(" ".join(token.text for token in phrase))
    if words.suspicious and any("=?" in token.text for token in phrase):
        return "From has a display name that cannot be decoded safely"
    return None


def _comment_inside(tokens: Sequence[Token]) -> bool:
    return any(
        token.kind is Kind.COMMENT
        and (
            (index > 0 and is_special(tokens[index - 1], "@"))
            or any(is_special(after, "@") for after in tokens[index + 1 : index + 2])
        )
        for index, token in enumerate(tokens)
    )


def _strict_spec(spec: Sequence[Token]) -> tuple[str | None, str | None]:
    if len(spec) != 3 or not is_special(spec[1], "@") or spec[1].spaced or spec[2].spaced:
        return None, "From is not a plain address"
    local, domain = spec[0], spec[2]
    if local.kind not in (Kind.ATOM, Kind.QUOTED) or domain.kind not in (Kind.ATOM, Kind.LITERAL):
        return None, "From is not a plain address"
    needs_quotes = local.kind is Kind.QUOTED and not _DOT_ATOM.fullmatch(local.text)
    problem = _quoted_problem(local.text) if needs_quotes else _local_problem(local.text)
    if problem:
        return None, problem
    checked = _literal(domain.text) if domain.kind is Kind.LITERAL else _ascii_domain(domain.text)
    if checked is None:
        return None, "From has an impossible domain"
    address = f"{_spec_text(local).lower()}@{checked}"
    return (address, None) if len(address) <= 254 else (None, "From has an overlong address")


def _literal(text: str) -> str | None:
    """`[192.0.2.1]` or `[ipv6:2001:db8::1]` for what stood between the brackets; None for anything else."""
    literal = f"[{text.lower()}]"
    match = _LITERAL.fullmatch(literal)
    if match is None:
        return None
    try:
        version = ipaddress.ip_address(match[2]).version
    except ValueError:
        return None
    return literal if (version == 6) == bool(match[1]) else None


def _quoted_problem(local: str) -> str | None:
    if not _QUOTABLE.fullmatch(local):
        return "From has an impossible or overlong local part"
    if local.startswith("-") or "=?" in local:
        return "From has a local part made to mislead"
    return None


def _local_problem(local: str) -> str | None:
    if not _LOCAL.fullmatch(local) or len(local.encode("utf-8", "replace")) > 64:
        return "From has an impossible or overlong local part"
    if local.startswith("-") or "=?" in local:
        return "From has a local part made to mislead"
    if not local.isascii() and unicodedata.normalize("NFKC", local) != local:
        return "From has look-alike letters"
    return None


def mixes_scripts(address: str) -> bool:
    """Whether Latin letters stand beside others in the local part: a person may take it for another.

    It never compares equal to another. A domain shows its like by its IDNA form, xn--...
    """
    local = address.rpartition("@")[0]
    return any(char.isascii() and char.isalpha() for char in local) and any(
        not char.isascii() and not unicodedata.name(char, "").startswith("LATIN") for char in local
    )


def _ascii_domain(domain: str) -> str | None:
    """The domain in lower-case ASCII (IDNA 2008); None when it is none."""
    lowered = domain.lower()
    if not lowered.isascii():
        if len(lowered) > 253 or unicodedata.normalize("NFKC", lowered) != lowered:
            return None
        import idna  # rarely needed

        try:
            lowered = idna.encode(lowered).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    if len(lowered) > 253 or not all(_LABEL.fullmatch(label) for label in lowered.split(".")):
        return None
    return lowered


def canonical(address: str) -> str:
    """The form in which addresses are compared: lower-case, the domain in IDNA ASCII where it can be."""
    local, at, domain = address.strip().rpartition("@")
    if not at:
        return address.strip().lower()
    return f"{local.lower()}@{_ascii_domain(domain) or domain.lower()}"


def without_extension(address: str) -> str:
    """The canonical address without its + extension: what tells whether it is one of the desk's."""
    return canonical(split_extension(address)[0])


def split_extension(address: str) -> tuple[str, str | None]:
    """`support+t123@x` -> (`support@x`, `t123`); the extension is None where there is no "+".

    RFC 5233 subaddressing; the extension keeps its case. A local part that begins with "+", or is
    quoted, has none.
    """
    local, at, domain = address.rpartition("@")
    if local.startswith('"'):
        return address, None
    base, plus, extension = local.partition("+")
    if not at or not plus or not base:
        return address, None
    return f"{base}@{domain}", extension
