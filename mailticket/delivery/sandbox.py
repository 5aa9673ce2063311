"""The language templates are written in: the part of Jinja2 that a mail needs, with every cost bounded.

Jinja2's sandbox keeps templates from reaching Python, but not from eating time and memory: nested
loops, `'x' * 10**9`, `center(10**9)` and doubling variables all pass it. So the language is cut down
to what can be bounded: output, `if`, `for`, `include` of partials, comparisons, and the filters of
`filters.py`. There are no calls, no assignments, no macros and no arithmetic but + and - of numbers.
Loops draw on a fuel; the length of what is written is capped. What a context holds is copied to plain
values first, so that no object's methods or attributes are within reach.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound, Undefined, nodes, pass_context
from jinja2.exceptions import SecurityError, TemplateRuntimeError, TemplateSyntaxError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mailticket.delivery.phrases import Phrases
from mailticket.delivery.values import CLOSE, OPEN, Value, clean_value

MAX_TEMPLATE = 64_000
"""Characters of one template file."""
MAX_OUTPUT = 4_000_000
"""Characters of one rendered mail. An entry may hold 1,000,000, which must come through whole."""
MAX_ITERATIONS = 20_000
"""Loop steps of one rendering, all loops together."""
MAX_ITEMS = 10_000
"""Items of one list of a context."""
MAX_DEPTH = 8

RUN = "\0run"
"""Where a context keeps the `Run`: no name a template can write."""

_METERED = "metered"
_PARTIAL = "_"
_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Include, nodes.Name,
    nodes.Const, nodes.List, nodes.Tuple, nodes.Filter, nodes.Test, nodes.Getattr, nodes.Getitem,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Add, nodes.Sub, nodes.Neg,
    nodes.CondExpr, nodes.Keyword,
)  # fmt: skip


@dataclass(slots=True)
class Run:
    """One rendering under way: the values put aside so far, and what the filters need to know."""

    zone: tzinfo
    words: Phrases
    now: datetime | None
    command_prefix: str
    zone_is_theirs: bool = False
    values: list[Value] = field(default_factory=list)
    iterations: int = MAX_ITERATIONS
    room: int = MAX_OUTPUT

    def put_aside(self, value: Value) -> str:
        """Keep a value; what comes back is written in its place."""
        self.spend(value.size)
        self.values.append(value)
        placeholder = f"{OPEN}{len(self.values) - 1}{CLOSE}"
        return f"\n\n{placeholder}\n\n" if value.is_block else placeholder

    def spend(self, size: int) -> None:
        """Account for characters written; raises TemplateRuntimeError over the cap."""
        self.room -= size
        if self.room < 0:
            raise TemplateRuntimeError(f"the mail would be longer than {MAX_OUTPUT} characters")


class Branch(dict[str, Any]):
    """A mapping of a context. Knows its own name, to say what is missing from it."""

    __slots__ = ("path",)

    def __init__(self, path: str, items: Iterable[tuple[str, Any]]) -> None:
        super().__init__(items)
        self.path = path


def frozen(value: object, path: str = "", depth: int = 0) -> Any:
    """A context's value as plain data: text cleaned, mappings and lists copied, anything else refused.

    Raises TypeError for other types, ValueError for nesting or lists beyond the caps.
    """
    if value is None or isinstance(value, bool | int | float | datetime | timedelta):
        return value
    if isinstance(value, str):
        return clean_value(str.__str__(value))
    if depth >= MAX_DEPTH:
        raise ValueError(f"{path}: nested too deeply")
    if isinstance(value, Mapping):
        inside = (
            (str(key), frozen(item, f"{path}.{key}" if path else str(key), depth + 1))
            for key, item in value.items()
        )
        return Branch(path, inside)  # fmt: skip
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        if len(value) > MAX_ITEMS:
            raise ValueError(f"{path}: more than {MAX_ITEMS} items")
        return tuple(frozen(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value))
    raise TypeError(f"{path}: a template takes text, numbers, times, lists and mappings, not {type(value)}")


class FolderLoader(BaseLoader):
    """Looks a file up in several folders, the first that has it wins."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, None]:
        """Read one file; its bounds and its encoding are checked."""
        for folder in self._folders:
            path = folder / template
            try:
                with open(path, encoding="utf-8", newline=None) as file:
                    source = file.read(MAX_TEMPLATE + 1)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except (OSError, UnicodeDecodeError) as problem:
                raise TemplateSyntaxError(f"cannot be read: {problem}", 1, template, str(path)) from None
            if len(source) > MAX_TEMPLATE:
                raise TemplateSyntaxError(f"longer than {MAX_TEMPLATE} characters", 1, template, str(path))
            if OPEN in source or CLOSE in source:
                raise TemplateSyntaxError("holds U+E000 or U+E001, which we need", 1, template, str(path))
            return source, str(path), None
        raise TemplateNotFound(template)


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2 with the reduced language; see the module's text.

    filters: all the filters there are. globals: none.
    """

    intercepted_binops = frozenset({"+", "-"})

    def __init__(self, loader: BaseLoader, filters: Mapping[str, Any], **options: Any) -> None:
        super().__init__(
            loader=loader,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            **options,
        )
        self.globals.clear()
        self.filters = {_METERED: _metered, **filters}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for node in tree.find_all(nodes.Node):
            if not isinstance(node, _ALLOWED):
                _refuse(f"{type(node).__name__} is not part of the template language", node, name, filename)
            if isinstance(node, nodes.Include):
                _check_include(node, name, filename)
            elif isinstance(node, nodes.For):
                if node.recursive:
                    _refuse("a loop may not be recursive", node, name, filename)
                node.iter = nodes.Filter(node.iter, _METERED, [], [], None, None, lineno=node.lineno)
        return tree

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Only what a context names, and `loop`."""
        if isinstance(obj, Branch):
            if attribute in obj:
                return obj[attribute]
            hint = f"{obj.path}.{attribute} is not given" if obj.path else None
            return self.undefined(hint, obj=obj, name=attribute)
        if isinstance(obj, Undefined | LoopContext):
            return super().getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Mappings by name, lists by number."""
        if isinstance(obj, tuple) and isinstance(argument, int):
            return (
                obj[argument] if -len(obj) <= argument < len(obj) else self.undefined(f"no item {argument}")
            )
        return self.getattr(obj, str(argument))

    def is_safe_callable(self, obj: Any) -> bool:
        """Nothing may be called; the parser refuses calls too."""
        return False

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """+ and - of numbers and of times; joining text this way has no bound."""
        if isinstance(left, str | tuple | dict) or isinstance(right, str | tuple | dict):
            raise SecurityError(f"{operator} is for numbers and times")
        return super().call_binop(context, operator, left, right)


@pass_context
def _metered(context: Context, items: Any) -> Iterator[Any]:
    """What a loop runs over, each step drawing on the fuel of the rendering."""
    run: Run = context[RUN]
    for item in items:
        run.iterations -= 1
        if run.iterations < 0:
            raise TemplateRuntimeError(f"more than {MAX_ITERATIONS} loop steps")
        yield item


def _check_include(node: nodes.Include, name: str | None, filename: str | None) -> None:
    """A file may include partials (`_name.md`), and partials nothing: no recursion, no growth."""
    target = node.template
    if not (isinstance(target, nodes.Const) and isinstance(target.value, str)):
        _refuse("the name of an included file must be written out", node, name, filename)
    elif not target.value.startswith(_PARTIAL) or "/" in target.value or "\\" in target.value:
        _refuse(f"only a partial, _NAME, may be included, not {target.value!r}", node, name, filename)
    if name is None or name.startswith(_PARTIAL):
        _refuse("an included file may not include another", node, name, filename)


def _refuse(problem: str, node: nodes.Node, name: str | None, filename: str | None) -> None:
    raise TemplateSyntaxError(problem, node.lineno, name, filename)
