"""An operator's regular expressions, searched for in strangers' text in time linear in the text.

Python's `re` backtracks: `(a+)+$`, but also an innocent `.*order.*number`, can be made to run for
hours by whoever writes the mail. Here a pattern that leaves little to try (an alternation of words,
say) goes to `re`; any other is run as an automaton that looks at each character once (K. Thompson,
Regular Expression Search Algorithm, CACM 11:6, 1968), its sets of states remembered as they appear.
What a single character, class or escape matches is asked of `re`, so both mean the same.

The syntax is that of `re` without what no automaton can do or a yes-or-no search does not need:
look-around, back references, conditionals, atomic groups, possessive repeats, flags inside the
pattern. Flags stand at the beginning: `(?i)`, `(?m)`, `(?s)`, `(?a)`. `$` is the end of the text,
blanks around which do not count, or of a line with `(?m)`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

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
    ways,
)

__all__ = ["BadPattern", "Pattern", "compile_pattern", "regex_problem"]

_FEW_WAYS = 32
_MOST_STATES = 2000
_MOST_CHARACTERS = 20_000


class Pattern:
    """A compiled pattern. Safe to share between threads, which take turns."""

    def __init__(self, source: str) -> None:
        """Raises `BadPattern`."""
        tree, flags = Parser(source).parse()
        self._plain = re.compile(source) if ways(tree) <= _FEW_WAYS else None
        self._automaton = None if self._plain is not None else _Automaton(tree, flags)

    def found_in(self, text: str) -> bool:
        """Whether the pattern matches anywhere in the text, blanks at whose ends do not count."""
        stripped = text.strip()
        if self._plain is not None:
            return self._plain.search(stripped) is not None
        assert self._automaton is not None
        return self._automaton.search(stripped)


@lru_cache(maxsize=512)
def compile_pattern(source: str) -> Pattern:
    """The pattern, compiled once. Raises `BadPattern`."""
    return Pattern(source)


def regex_problem(pattern: str) -> str | None:
    """Why a pattern cannot be used, as a phrase after its name, or None. For the configuration's check."""
    try:
        compile_pattern(pattern)
    except BadPattern as exc:
        return str(exc)
    return None


# -- the automaton -------------------------------------------------------------------------------------

_MATCHED = -1


@dataclass(frozen=True, slots=True)
class _Kind:
    """What an assertion asks of the character beside it; the edge of the text is `edge`."""

    edge: bool
    newline: bool
    word: bool


_EDGE = _Kind(edge=True, newline=False, word=False)


@dataclass(frozen=True, slots=True)
class _Node:
    """One step: a character that passes `test`, an `assertion` that holds, or with neither any of `out`."""

    out: tuple[int, ...]
    test: int | None = None
    assertion: str | None = None


class _Automaton:
    """The tree as nodes, and the sets of nodes met so far as states of a deterministic automaton."""

    def __init__(self, tree: Tree, flags: re.RegexFlag) -> None:
        self._multiline = bool(flags & re.MULTILINE)
        self._flags = flags
        self._turn = threading.Lock()
        self._is_word = re.compile(r"\w", flags)
        self._sources: dict[str, int] = {}
        self._nodes: list[_Node] = [_Node(())]  # node 0 is the match
        self._start = self._build(tree, 0)
        self._tests = [re.compile(source, flags) for source in self._sources]
        self._classes: dict[str, int] = {}
        self._class_ids: dict[tuple[frozenset[int], _Kind], int] = {}
        self._class_list: list[tuple[frozenset[int], _Kind]] = []
        self._states: dict[tuple[frozenset[int], _Kind], int] = {}
        self._state_list: list[tuple[frozenset[int], _Kind]] = []
        self._moves: dict[tuple[int, int], int] = {}
        self._idle: set[int] = set()
        self._first = self._first_characters()

    def search(self, text: str) -> bool:
        with self._turn:
            return self._search(text)

    def _search(self, text: str) -> bool:
        state = self._state(frozenset((self._start,)), _EDGE)
        at, end = 0, len(text)
        while at < end:
            if state in self._idle and self._first is not None:
                beginning = self._first.search(text, at)
                if beginning is None:
                    return False
                if beginning.start() > at:
                    at = beginning.start()
                    state = self._waiting_after(text[at - 1])
            class_id = self._classes.get(text[at])
            if class_id is None:
                class_id = self._classify(text[at])
            following = self._moves.get((state, class_id))
            if following is None:
                state = self._roomy(state)
                following = self._move(state, class_id)
            if following == _MATCHED:
                return True
            state = following
            at += 1
        nodes, before = self._state_list[state]
        return 0 in self._closure(nodes, before, _EDGE)

    def _first_characters(self) -> re.Pattern[str] | None:
        """Finds where a match can begin, as fast as `re` can; None when it can be empty, so anywhere."""
        reached, pending = {self._start}, [self._start]
        while pending:
            node = self._nodes[pending.pop()]
            fresh = () if node.test is not None else set(node.out) - reached
            reached.update(fresh)
            pending.extend(fresh)
        if 0 in reached:
            return None
        tests = {test for node in reached if (test := self._nodes[node].test) is not None}
        sources = [source for source, test in self._sources.items() if test in tests]
        return re.compile("|".join(sources), self._flags)

    def _waiting_after(self, char: str) -> int:
        """The state in which nothing has begun, behind a character."""
        class_id = self._classes.get(char)
        if class_id is None:
            class_id = self._classify(char)
        return self._state(frozenset((self._start,)), self._class_list[class_id][1])

    # building

    def _build(self, tree: Tree, after: int) -> int:
        """Adds the nodes of a tree that goes on to node `after`; returns where it begins."""
        match tree:
            case Char(source):
                return self._add(_Node((after,), test=self._sources.setdefault(source, len(self._sources))))
            case Assertion(kind):
                return self._add(_Node((after,), assertion=kind))
            case Sequence(items):
                for item in reversed(items):
                    after = self._build(item, after)
                return after
            case Choice(options):
                return self._add(_Node(tuple(self._build(option, after) for option in options)))
            case Repeat(item, least, most):
                return self._build_repeat(item, least, most, after)
            case Capture(item):
                return self._build(item, after)

    def _build_repeat(self, item: Tree, least: int, most: int | None, after: int) -> int:
        entry = after
        if most is None:
            entry = self._add(_Node(()))
            body = self._build(item, entry)
            self._nodes[entry] = _Node((body, after))
        else:
            for _ in range(most - least):
                entry = self._add(_Node((self._build(item, entry), after)))
        for _ in range(least):
            entry = self._build(item, entry)
        return entry

    def _add(self, node: _Node) -> int:
        self._nodes.append(node)
        return len(self._nodes) - 1

    # running

    def _state(self, nodes: frozenset[int], before: _Kind) -> int:
        key = nodes, before
        known = self._states.get(key)
        if known is None:
            known = len(self._state_list)
            self._state_list.append(key)
            self._states[key] = known
            if nodes == {self._start}:
                self._idle.add(known)
        return known

    def _roomy(self, state: int) -> int:
        """The same state, all others forgotten when there are too many."""
        if len(self._state_list) < _MOST_STATES:
            return state
        key = self._state_list[state]
        self._states, self._state_list, self._moves = {}, [], {}
        self._idle.clear()
        return self._state(*key)

    def _classify(self, char: str) -> int:
        """Characters that no test and no assertion tells apart are one class."""
        if len(self._classes) >= _MOST_CHARACTERS:
            self._classes.clear()
        passed = frozenset(index for index, test in enumerate(self._tests) if test.match(char))
        key = passed, _Kind(edge=False, newline=char == "\n", word=self._is_word.match(char) is not None)
        if key not in self._class_ids:
            self._class_ids[key] = len(self._class_list)
            self._class_list.append(key)
        self._classes[char] = self._class_ids[key]
        return self._classes[char]

    def _move(self, state: int, class_id: int) -> int:
        nodes, before = self._state_list[state]
        passed, kind = self._class_list[class_id]
        reached = self._closure(nodes, before, kind)
        if 0 in reached:
            following = _MATCHED
        else:
            onward = (self._nodes[node] for node in reached)
            moved = {node.out[0] for node in onward if node.test is not None and node.test in passed}
            following = self._state(frozenset((*moved, self._start)), kind)
        self._moves[state, class_id] = following
        return following

    def _closure(self, nodes: Iterable[int], before: _Kind, after: _Kind) -> set[int]:
        """All nodes reached without a character, between `before` and `after`."""
        reached = set(nodes)
        pending = list(reached)
        while pending:
            node = self._nodes[pending.pop()]
            if node.test is not None or (
                node.assertion is not None and not self._holds(node.assertion, before, after)
            ):
                continue
            for out in node.out:
                if out not in reached:
                    reached.add(out)
                    pending.append(out)
        return reached

    def _holds(self, assertion: str, before: _Kind, after: _Kind) -> bool:
        match assertion:
            case "^":
                return before.edge or (self._multiline and before.newline)
            case "$":
                return after.edge or (self._multiline and after.newline)
            case r"\A":
                return before.edge
            case r"\Z" | r"\z":  # the latter since Python 3.14
                return after.edge
            case r"\b":
                return before.word is not after.word
            case _:
                return before.word is after.word
