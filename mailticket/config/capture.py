"""An operator's regular expressions that take a value out of strangers' text, in time linear in the text.

As pattern.py, for the same reason, but the one group of the pattern is what is wanted: all ways to
match run side by side, one step per character, each remembering where its group began and ended
(R. Pike's machine: R. Cox, Regular Expression Matching: the Virtual Machine Approach, 2009). The
leftmost match counts, and of several there the one `re` would find.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from mailticket.config.pattern import compile_pattern
from mailticket.config.pattern_syntax import (
    Assertion,
    BadPattern,
    Capture,
    Char,
    Choice,
    Parser,
    Repeat,
    Sequence,
    Tree,
)

LONGEST_TEXT = 8_000
"""Characters a value is looked for in: what a mail says of itself stands near its beginning."""
_MATCHED = 0


@dataclass(frozen=True, slots=True)
class _Node:
    """One step: a character that passes `test`, an `assertion` that holds, a mark of the group, a choice."""

    out: tuple[int, ...]
    test: re.Pattern[str] | None = None
    assertion: str | None = None
    mark: int | None = None


_Thread = tuple[int, int | None, int | None]
"""A node, and where the group began and ended on the way to it."""


class Extractor:
    """A compiled pattern with one group."""

    def __init__(self, source: str) -> None:
        """Raises `BadPattern`."""
        parser = Parser(source)
        tree, self._flags = parser.parse()
        if parser.captures != 1:
            raise BadPattern("needs exactly one group in round brackets: it takes the value")
        self._nodes: list[_Node] = [_Node(())]
        self._start = self._build(tree, _MATCHED)
        self._found = compile_pattern(source)
        self._word = re.compile(r"\w", self._flags)

    def value_in(self, text: str) -> str | None:
        """What the group takes of the text, without blanks around it; None where nothing matches."""
        text = text.strip()[:LONGEST_TEXT]
        if not self._found.found_in(text):
            return None
        span = self._run(text)
        return text[span[0] : span[1]].strip() or None if span is not None else None

    def _run(self, text: str) -> tuple[int, int] | None:
        threads: list[_Thread] = []
        best: tuple[int, int] | None = None
        matched = False
        for at in range(len(text) + 1):
            if not matched:
                threads.append((self._start, None, None))
            following: list[_Thread] = []
            for node, began, ended in self._closure(threads, text, at):
                if node == _MATCHED:
                    matched = True
                    best = (began, ended) if began is not None and ended is not None else None
                    break
                step = self._nodes[node]
                if at < len(text) and step.test is not None and step.test.match(text[at]):
                    following.append((step.out[0], began, ended))
            threads = following
            if matched and not threads:
                break
        return best

    def _closure(self, threads: list[_Thread], text: str, at: int) -> list[_Thread]:
        """The threads with every step taken that needs no character, the preferred first."""
        reached: list[_Thread] = []
        seen: set[int] = set()
        for thread in threads:
            pending = [thread]
            while pending:
                node, began, ended = pending.pop()
                if node in seen:
                    continue
                seen.add(node)
                step = self._nodes[node]
                if node == _MATCHED or step.test is not None:
                    reached.append((node, began, ended))
                    continue
                if step.assertion is not None and not self._holds(step.assertion, text, at):
                    continue
                if step.mark is not None:
                    began, ended = (at, None) if step.mark == 0 else (began, at)
                pending += [(out, began, ended) for out in reversed(step.out)]
        return reached

    def _holds(self, kind: str, text: str, at: int) -> bool:
        lines = bool(self._flags & re.MULTILINE)
        match kind:
            case "^":
                return at == 0 or (lines and text[at - 1] == "\n")
            case "$":
                return at == len(text) or (lines and text[at] == "\n")
            case r"\A":
                return at == 0
            case r"\Z" | r"\z":
                return at == len(text)
        before = at > 0 and self._word.match(text[at - 1]) is not None
        after = at < len(text) and self._word.match(text[at]) is not None
        return (before is not after) is (kind == r"\b")

    def _build(self, tree: Tree, after: int) -> int:
        """Adds the nodes of a tree that goes on to node `after`; returns where it begins."""
        match tree:
            case Char(source):
                return self._add(_Node((after,), test=re.compile(source, self._flags)))
            case Assertion(kind):
                return self._add(_Node((after,), assertion=kind))
            case Capture(item):
                inner = self._build(item, self._add(_Node((after,), mark=1)))
                return self._add(_Node((inner,), mark=0))
            case Sequence(items):
                for item in reversed(items):
                    after = self._build(item, after)
                return after
            case Choice(options):
                return self._add(_Node(tuple(self._build(option, after) for option in options)))
            case Repeat():
                return self._build_repeat(tree, after)

    def _build_repeat(self, tree: Repeat, after: int) -> int:
        entry = after
        if tree.most is None:
            entry = self._add(_Node(()))
            body = self._build(tree.item, entry)
            self._nodes[entry] = _Node((after, body) if tree.lazy else (body, after))
        else:
            for _ in range(tree.most - tree.least):
                body = self._build(tree.item, entry)
                entry = self._add(_Node((after, body) if tree.lazy else (body, after)))
        for _ in range(tree.least):
            entry = self._build(tree.item, entry)
        return entry

    def _add(self, node: _Node) -> int:
        self._nodes.append(node)
        return len(self._nodes) - 1


@lru_cache(maxsize=256)
def extractor(source: str) -> Extractor:
    """The pattern, compiled once. Raises `BadPattern`."""
    return Extractor(source)


def capture_problem(pattern: str) -> str | None:
    """Why a pattern cannot take a value, as a phrase after its name, or None: for the configuration."""
    try:
        extractor(pattern)
    except BadPattern as exc:
        return str(exc)
    return None
