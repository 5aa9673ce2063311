"""The tokens of an address field (RFC 5322 section 3.4), read in linear time."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Final


class Kind(enum.Enum):
    """What a token is; comments, quotes and literals come without their brackets."""

    ATOM = "atom"
    QUOTED = "quoted"
    COMMENT = "comment"
    LITERAL = "literal"
    SPECIAL = "special"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an address field."""

    kind: Kind
    text: str
    spaced: bool
    """White space stood before it."""
    broken: bool = False
    """A quoted string, comment or literal that was never closed, or a comment within a comment."""


_WORD: Final = r"=\?[^?\s\"<>@]{1,60}\?[bBqQ]\?[^?\s\"<>@\\\[\]]{0,500}\?="
_LEX: Final = re.compile(_WORD + r"|[ \t\r\n]+|[^ \t\r\n\"()<>@,;:\[\]]+|[\"()<>@,;:\[\]]")
_INSIDE: Final = {
    '"': re.compile(r'\\.?|"', re.DOTALL),
    "(": re.compile(r"\\.?|[()]", re.DOTALL),
    "[": re.compile(r"\\.?|\]", re.DOTALL),
}


def tokens_of(text: str) -> list[Token]:
    """Tokens of an address field; linear, because an unclosed bracket swallows the rest at once."""
    out: list[Token] = []
    position, spaced, quotes_close = 0, False, True
    while position < len(text):
        match = _LEX.match(text, position)
        if match is None:
            break
        piece = match.group()
        position = match.end()
        if piece[0] in " \t\r\n":
            spaced = True
            continue
        if piece == '"' and not quotes_close:
            out.append(Token(Kind.ATOM, '"', spaced, True))
        elif piece in _INSIDE:
            token, position = _enclosed(text, position, piece, spaced)
            out.append(token)
            quotes_close = quotes_close and not (piece == '"' and token.broken)
        elif piece in "<>@,;:)]":
            out.append(Token(Kind.SPECIAL, piece, spaced))
        else:
            out.append(Token(Kind.ATOM, piece, spaced))
        spaced = False
    return out


def _enclosed(text: str, position: int, opening: str, spaced: bool) -> tuple[Token, int]:
    kind = {'"': Kind.QUOTED, "(": Kind.COMMENT, "[": Kind.LITERAL}[opening]
    start, depth, nested = position, 1, False
    for match in _INSIDE[opening].finditer(text, position):
        mark = match.group()
        if mark[0] == "\\":
            continue
        if mark == "(":
            depth += 1
            nested = True
            continue
        depth -= 1
        if depth == 0:
            return Token(kind, _unescape(text[start : match.start()]), spaced, nested), match.end()
    if opening == '"':  # an apostrophe gone wrong: treat the quote as if it were not there
        return Token(Kind.ATOM, '"', spaced, True), position
    return Token(kind, _unescape(text[start:]), spaced, True), len(text)


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text) if "\\" in text else text


def is_special(token: Token, char: str) -> bool:
    """Whether a token is this special character, outside quotes."""
    return token.kind is Kind.SPECIAL and token.text == char
