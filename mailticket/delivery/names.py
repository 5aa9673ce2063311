"""The names a template uses, in every branch of it, without rendering anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import Environment, nodes

_LOOP = "loop"


@dataclass(frozen=True, slots=True)
class UsedName:
    """A name such as `ticket.number`, where it stands, and whether `is defined` asks for its root first."""

    file: str
    line: int
    name: str
    guarded: bool


def used_names(environment: Environment, template: str) -> Iterator[UsedName]:
    """What a template and the files it includes take from their context. Raises as Jinja2 does."""
    assert environment.loader is not None
    source, file, _ = environment.loader.get_source(environment, template)
    tree = environment.parse(source, template, file)
    own = {name for loop in tree.find_all(nodes.For) for name in _targets(loop.target)} | {_LOOP}
    guarded = {
        test.node.name
        for test in tree.find_all(nodes.Test)
        if test.name == "defined" and isinstance(test.node, nodes.Name)
    }
    parts = {id(node.node) for node in tree.find_all(nodes.Getattr)}
    for node in tree.find_all((nodes.Getattr, nodes.Name)):
        name = None if id(node) in parts else _dotted(node)
        if name is not None and name.partition(".")[0] not in own:
            root = name.partition(".")[0]
            yield UsedName(file or template, node.lineno, name, root in guarded)
    for include in tree.find_all(nodes.Include):
        if isinstance(include.template, nodes.Const):
            yield from used_names(environment, include.template.value)


def _targets(target: nodes.Node) -> Iterator[str]:
    if isinstance(target, nodes.Name):
        yield target.name
    for inner in target.find_all(nodes.Name):
        yield inner.name


def _dotted(node: nodes.Node) -> str | None:
    """`a.b.c` of nested attributes; None for an attribute of something that is no name."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        before = _dotted(node.node)
        return None if before is None else f"{before}.{node.attr}"
    return None
