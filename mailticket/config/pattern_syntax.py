"""The regular expressions that rules may use, read into a tree; see pattern.py for why and for the syntax."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from mailticket.errors import Permanent

LONGEST = 1000
"""Characters of a pattern."""
MOST_NODES = 600
"""Characters a pattern comes to when its repeats are written out: the cost of one character of text."""
DEEPEST = 20
"""Groups within groups."""

_FLAGS = re.compile(r"\(\?([a-zA-Z]+)\)")
_KNOWN_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "a": re.ASCII, "u": re.UNICODE}
_COUNT = re.compile(r"\{(?!\})(\d*)(?:(,)(\d*))?\}")
_ESCAPE = re.compile(r"\\(?:x..|u.{4}|U.{8}|N\{[^}]*\}|0[0-7]{0,2}|.)", re.DOTALL)
_NAMED = re.compile(r"\?P<\w+>")
_ASSERTIONS = frozenset(("^", "$", r"\A", r"\Z", r"\z", r"\b", r"\B"))


class BadPattern(Permanent):
    """A pattern is refused; the text says why, as a phrase that follows its name."""


@dataclass(frozen=True, slots=True)
class Char:
    """One character; `source` is the literal, escape or class, as `re` understands it."""

    source: str


@dataclass(frozen=True, slots=True)
class Assertion:
    kind: str


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    options: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    item: Tree
    least: int
    most: int | None
    lazy: bool = False
    """As little as possible; the same for yes or no, but not for what a group takes."""


@dataclass(frozen=True, slots=True)
class Capture:
    """A group whose text may be wanted."""

    item: Tree


Tree = Char | Assertion | Sequence | Choice | Repeat | Capture


class Parser:
    """Reads a pattern that `re` has found well-formed; refuses what an automaton cannot do."""

    def __init__(self, source: str) -> None:
        if len(source) > LONGEST:
            raise BadPattern(f"is longer than {LONGEST} characters")
        try:
            re.compile(source)
        except (re.error, OverflowError, RecursionError) as exc:
            raise BadPattern(f"is not a regular expression: {exc}") from exc
        self.source = source
        self.at = 0
        self.depth = 0
        self.captures = 0
        self.flags = re.RegexFlag(0)

    def parse(self) -> tuple[Tree, re.RegexFlag]:
        leading = _FLAGS.match(self.source)
        if leading is not None:
            for letter in leading[1]:
                if letter not in _KNOWN_FLAGS:
                    raise BadPattern(f'uses the flag "{letter}"; there are i, m, s and a')
                self.flags |= _KNOWN_FLAGS[letter]
            self.at = leading.end()
        tree = self._choice()
        assert self.at == len(self.source)
        if _size(tree) > MOST_NODES:
            raise BadPattern(f"comes to more than {MOST_NODES} characters with its repeats written out")
        return tree, self.flags

    def _choice(self) -> Tree:
        options = [self._sequence()]
        while self._taken("|"):
            options.append(self._sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self) -> Tree:
        items: list[Tree] = []
        while self.at < len(self.source) and self.source[self.at] not in "|)":
            items.append(self._repeated(self._item()))
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _repeated(self, item: Tree) -> Tree:
        least: int
        most: int | None
        count = _COUNT.match(self.source, self.at)
        if self._taken("*"):
            least, most = 0, None
        elif self._taken("+"):
            least, most = 1, None
        elif self._taken("?"):
            least, most = 0, 1
        elif count is not None:
            self.at = count.end()
            least = int(count[1] or 0)
            upper = count[3] if count[2] else count[1]
            most = int(upper) if upper else None
        else:
            return item
        if self._taken("+"):
            raise BadPattern("uses a possessive repeat, which is not supported")
        return Repeat(item, least, most, self._taken("?"))

    def _item(self) -> Tree:
        char = self.source[self.at]
        if char == "(":
            return self._group()
        if char == "[":
            return Char(self._class())
        if char == "\\":
            return self._escape()
        self.at += 1
        if char in _ASSERTIONS:
            return Assertion(char)
        return Char("." if char == "." else re.escape(char))

    def _group(self) -> Tree:
        self.at += 1
        self.depth += 1
        if self.depth > DEEPEST:
            raise BadPattern(f"has groups nested deeper than {DEEPEST}")
        named = _NAMED.match(self.source, self.at)
        captures = True
        if named is not None:
            self.at = named.end()
        elif self.source.startswith("?:", self.at):
            self.at += 2
            captures = False
        elif self.source.startswith("?", self.at):
            what = self.source[self.at - 1 : self.at + 3]
            raise BadPattern(f'uses "{what}"; look-around, back references and inner flags are not supported')
        tree = self._choice()
        assert self._taken(")")
        self.depth -= 1
        self.captures += captures
        return Capture(tree) if captures else tree

    def _class(self) -> str:
        start = self.at
        self.at += 1
        self._taken("^")
        self._taken("]")
        while self.source[self.at] != "]":
            self.at += 2 if self.source[self.at] == "\\" else 1
        self.at += 1
        return self.source[start : self.at]

    def _escape(self) -> Tree:
        match = _ESCAPE.match(self.source, self.at)
        assert match is not None
        self.at = match.end()
        if match[0] in _ASSERTIONS:
            return Assertion(match[0])
        if match[0][1] in "123456789":
            raise BadPattern("uses a back reference, which is not supported")
        return Char(match[0])

    def _taken(self, char: str) -> bool:
        if self.source.startswith(char, self.at):
            self.at += 1
            return True
        return False


def _size(tree: Tree) -> int:
    """How many nodes the automaton will have, about."""
    match tree:
        case Sequence(items):
            return 1 + sum(map(_size, items))
        case Choice(options):
            return 1 + sum(map(_size, options))
        case Repeat(item, least, most):
            return (_size(item) + 1) * max(least + 1 if most is None else most, 1)
        case Capture(item):
            return _size(item)
        case _:
            return 1


def ways(tree: Tree) -> float:
    """In how many ways a backtracking search can try the pattern at one place; infinite for repeats."""
    match tree:
        case Sequence(items):
            return math.prod(map(ways, items))
        case Choice(options):
            return sum(map(ways, options))
        case Repeat(item, 0, 1):
            return 1 + ways(item)
        case Repeat():
            return math.inf
        case Capture(item):
            return ways(item)
        case _:
            return 1
