"""Templates and a context -> the subject, text and HTML of a mail.

One source per mail and language: `en/ticket.reply.md` holds a first line `Subject: ...`, a blank
line, and a Markdown body, all in the reduced Jinja2 of `sandbox.py`. The text part is the body as it
is written there; the HTML part is the same body through Markdown, in `layout.html`. A template is
looked for in the site's folder and then among the shipped ones, first in the reader's language, then
in its base language, then in English: `de-AT`, `de`, `en`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from traceback import walk_tb

from jinja2.exceptions import TemplateError, TemplateNotFound, TemplateSyntaxError

from mailticket.delivery.filters import TEMPLATE_FILTERS, finalize
from mailticket.delivery.layout import (
    LAYOUT,
    LogoShown,
    ReplyLines,
    html_page,
    logo_shown,
    reply_lines,
    text_page,
)
from mailticket.delivery.markdown import BadSkeleton, shape_of
from mailticket.delivery.moments import zone_of
from mailticket.delivery.names import UsedName, used_names
from mailticket.delivery.phrases import phrases_of
from mailticket.delivery.sandbox import MAX_OUTPUT, RUN, BoundedEnvironment, Branch, FolderLoader, Run, frozen
from mailticket.errors import Permanent

DEFAULT_LANGUAGE = "en"
SUFFIX = ".md"

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}", re.ASCII)
_CODE = re.compile(r"[a-z]{1,40}(?:[._-][a-z]{1,40}){0,4}", re.ASCII)
_KEPT_LANGUAGES = 64


class TemplateProblem(Permanent):
    """A template that cannot become a mail: where it is, and what is wrong.

    file  path of the template, or its name when there is no file; line  1 is the first, None if unknown
    """

    def __init__(self, file: str, line: int | None, problem: str) -> None:
        super().__init__(f"{file}:{line}: {problem}" if line else f"{file}: {problem}")
        self.file = file
        self.line = line
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail's three parts. `subject` is one line of at most 200 characters; `text` and `html` end in LF."""

    subject: str
    text: str
    html: str
    language: str


def shipped_templates() -> Path:
    """The folder of the templates that come with mailticket: in a wheel, or in a checkout.

    Raises `Permanent` when neither is there.
    """
    packaged = Path(str(files("mailticket"))) / "data" / "templates"
    checkout = Path(__file__).resolve().parents[2] / "templates"
    for folder in (packaged, checkout):
        if (folder / LAYOUT).is_file():
            return folder
    raise Permanent(f"the shipped templates are neither in {packaged} nor in {checkout}")


class Renderer:
    """Renders mails from the templates of some folders. Safe to share between threads.

    folders: those of the site, best first; the shipped templates come last by themselves. Files are
    read once: make a new Renderer to see changes.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._folders = (*folders, shipped_templates())
        self._layouts = BoundedEnvironment(FolderLoader(self._folders), {}, autoescape=True)
        self._languages = self.languages()
        self._environment = lru_cache(maxsize=_KEPT_LANGUAGES)(self._make_environment)

    def render(self, code: str, language: str, context: Mapping[str, object]) -> Rendered:
        """Render a template for a reader.

        code: an osTicket template code such as `ticket.autoresp`. language: a tag such as `de-AT`.
        context: plain data (text, numbers, aware datetimes, lists, mappings); what each template
        needs is in `context.py`. The keys `reply`, `zone`, `zone_is_theirs`, `now` and `command_prefix`
        also steer the layout and the filters. Raises `TemplateProblem`.
        """
        if not _CODE.fullmatch(code):
            raise TemplateProblem(code[:80], None, "not a template code")
        name = code + SUFFIX
        file = name
        try:
            template = self._environment(self._chain(language)).get_template(name)
            file = template.filename or name
            spoken = Path(file).parent.name
            values = frozen(context)
            run = _run(values, spoken)
            reply, logo = reply_lines(values.get("reply")), logo_shown(values.get("logo"))
            chunks: list[str] = []
            for chunk in template.generate({**values, RUN: run}):
                run.spend(len(chunk))
                chunks.append(chunk)
            return self._finish("".join(chunks), run, spoken, reply, logo)
        except Exception as problem:  # whatever a template breaks parks one mail, no more
            raise _located(problem, file) from problem

    def source(self, code: str, language: str) -> tuple[str, str]:
        """(path, text) of the file a template is rendered from. Raises `TemplateProblem`."""
        try:
            environment = self._environment(self._chain(language))
            assert environment.loader is not None
            text, file, _ = environment.loader.get_source(environment, code + SUFFIX)
        except Exception as problem:
            raise _located(problem, code + SUFFIX) from problem
        return file or code, text

    def names(self, code: str, language: str) -> list[UsedName]:
        """Every name a template uses, in branches that are never taken too. Raises `TemplateProblem`."""
        try:
            return list(used_names(self._environment(self._chain(language)), code + SUFFIX))
        except Exception as problem:
            raise _located(problem, code + SUFFIX) from problem

    def languages(self) -> list[str]:
        """The languages that have at least one template, in order."""
        found = {
            child.name
            for folder in self._folders
            if folder.is_dir()
            for child in folder.iterdir()
            if child.is_dir() and _LANGUAGE.fullmatch(child.name)
        }
        return sorted(found)

    def _finish(
        self, skeleton: str, run: Run, language: str, reply: ReplyLines | None, logo: LogoShown | None
    ) -> Rendered:
        shape = shape_of(skeleton)
        subject = shape.subject_of(run.values)
        body = shape.html_of(run.values)
        html = html_page(self._layouts, subject=subject, body=body, language=language, reply=reply, logo=logo)
        text = text_page(shape.text_of(run.values), reply)
        if len(text) > 2 * MAX_OUTPUT or len(html) > 8 * MAX_OUTPUT:
            raise BadSkeleton("the mail is too long")
        return Rendered(subject, text, f"{html}\n", language)

    def _chain(self, language: str) -> tuple[str, ...]:
        """`de-AT` -> (`de-AT`, `de`, `en`), as far as there are folders for them."""
        tag = language.replace("_", "-")
        wanted = [tag, tag.partition("-")[0]] if _LANGUAGE.fullmatch(tag) else []
        there = {name.lower(): name for name in self._languages}
        known = [there[name.lower()] for name in wanted if name.lower() in there]
        return tuple(dict.fromkeys((*known, DEFAULT_LANGUAGE)))

    def _make_environment(self, chain: tuple[str, ...]) -> BoundedEnvironment:
        places = [folder / language for language in chain for folder in self._folders]
        return BoundedEnvironment(FolderLoader(places), TEMPLATE_FILTERS, finalize=finalize)


def _run(values: Branch, language: str) -> Run:
    """What the filters need of a context; the keys are all optional."""
    now, prefix = values.get("now"), values.get("command_prefix", "#")
    return Run(
        zone=zone_of(str(values.get("zone") or "UTC")),
        words=phrases_of(language),
        now=now if isinstance(now, datetime) else None,
        command_prefix=prefix if isinstance(prefix, str) else "#",
        zone_is_theirs=bool(values.get("zone_is_theirs")),
    )


def _located(problem: Exception, file: str) -> TemplateProblem:
    """Say in which file and line a template went wrong."""
    if isinstance(problem, TemplateNotFound):
        return TemplateProblem(file, None, f"there is no template {problem.name}")
    if isinstance(problem, TemplateSyntaxError):
        return TemplateProblem(problem.filename or file, problem.lineno, problem.message or "syntax error")
    where: tuple[str, int | None] = (file, None)
    for frame, line in walk_tb(problem.__traceback__):
        if frame.f_code.co_filename.endswith((SUFFIX, LAYOUT)):
            where = (frame.f_code.co_filename, line)
    known = isinstance(problem, TemplateError | BadSkeleton)
    return TemplateProblem(*where, str(problem) if known else f"{type(problem).__name__}: {problem}")
