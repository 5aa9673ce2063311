"""Whether every template works for every mail it may have to write, before one has to be written.

A template is rendered on each of its samples in every language; besides, every name it uses is looked
up, in branches no sample takes as well. A mail to customers may only name what customers may know, so
a template that would leak is found here, and fails when it is rendered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from mailticket.delivery.catalogue import CATALOGUE
from mailticket.delivery.context import context_of
from mailticket.delivery.names import UsedName
from mailticket.delivery.render import DEFAULT_LANGUAGE, Renderer, TemplateProblem
from mailticket.delivery.samples import samples_of

Kind = Literal["broken", "missing variable", "leak", "falls back"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about one template in one language. Only "falls back" is no mistake.

    line  in the file, None when it is about all of it
    """

    kind: Kind
    code: str
    language: str
    file: str
    line: int | None
    problem: str

    @property
    def is_mistake(self) -> bool:
        """False for what works, but in another language."""
        return self.kind != "falls back"


def check(renderer: Renderer, languages: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Everything there is to say about the templates, by language and code.

    languages: those to look at; none given means all that have any template.
    """
    for language in languages or tuple(renderer.languages()):
        for code in CATALOGUE:
            yield from _of_one(renderer, code, language)


def _of_one(renderer: Renderer, code: str, language: str) -> Iterator[Finding]:
    found: dict[tuple[str, int | None], Finding] = {}
    spoken = language
    for occasion, sample in samples_of(code).items():
        try:
            spoken = renderer.render(code, language, context_of(sample())).language
        except TemplateProblem as problem:
            where = "" if occasion == "usual" else f" (in the sample {occasion!r})"
            told = problem.problem + where
            found[problem.file, problem.line] = Finding(
                "broken", code, language, problem.file, problem.line, told
            )
            break
    try:
        for used in renderer.names(code, language):
            kind = _kind(used, code)
            if kind is not None:
                told = f"{used.name} is {'internal' if kind == 'leak' else 'not given'}"
                found[used.file, used.line] = Finding(kind, code, language, used.file, used.line, told)
    except TemplateProblem as problem:
        found.setdefault(
            (problem.file, problem.line),
            Finding("broken", code, language, problem.file, problem.line, problem.problem),
        )
    yield from found.values()
    if spoken.partition("-")[0] != language.partition("-")[0] and language != DEFAULT_LANGUAGE:
        told = f"not there in {language}: it comes in {spoken}"
        yield Finding("falls back", code, language, f"{language}/{code}.md", None, told)


def _kind(used: UsedName, code: str) -> Kind | None:
    """What is wrong with a name; None when the template may use it."""
    audience = CATALOGUE[code].audience
    if _is_there(used.name, _given(audience, code)):
        return None
    root = used.name.partition(".")[0]
    public = audience == "agent" or root not in _given("agent", "") or root in ("response", "ticket")
    if used.guarded and _is_there(used.name, _given(audience, "")) and public:
        return None
    return (
        "leak" if audience == "customer" and _is_there(used.name, _given("agent", "")) else "missing variable"
    )


@cache
def _given(audience: str, code: str) -> dict[str, Any]:
    """Everything that any sample gives: of one customer's template, or ("") of all of an audience.

    Agents' templates share their names, because their mails have many occasions.
    """
    one = audience == "customer" and code
    codes = [code] if one else [name for name, spec in CATALOGUE.items() if spec.audience == audience]
    together: dict[str, Any] = {}
    for name in codes:
        for sample in samples_of(name).values():
            for key, value in context_of(sample()).items():
                if together.get(key) is None:
                    together[key] = value
    return together


def _is_there(name: str, tree: Mapping[str, Any]) -> bool:
    here: Any = tree
    for part in name.split("."):
        if not isinstance(here, Mapping):
            return True  # what is in a list or in nothing, a sample shows
        if part not in here:
            return False
        here = here[part]
    return True
