"""`mailticket templates`: look at the mails the desk writes, and check that it can write them all."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mailticket.delivery.check import Finding
    from mailticket.delivery.render import Renderer

templates_app = typer.Typer(help="Look at the mails the desk writes.", no_args_is_help=True)

_Site = Annotated[
    Path | None,
    typer.Option(
        "--templates",
        help="Your own template folder; its files come before the shipped ones. "
        "Without it, the one of the configuration given with --config.",
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]


class Part(StrEnum):
    """Which part of a mail to print."""

    TEXT = "text"
    HTML = "html"
    BOTH = "both"


@templates_app.command("list")
def list_templates(as_json: _Json = False) -> None:
    """Name every template, who reads it and when it is sent."""
    from mailticket.delivery.catalogue import CATALOGUE  # slow to import, and not needed for --help

    for spec in CATALOGUE.values():
        if as_json:
            typer.echo(json.dumps({"code": spec.code, "audience": spec.audience, "purpose": spec.purpose}))
        else:
            typer.echo(f"{spec.code:24}{spec.audience:10}{spec.purpose}")


@templates_app.command()
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A template's code, such as ticket.autoresp.")],
    language: Annotated[str, typer.Option(help="A language tag, such as de-AT.")] = "en",
    templates: _Site = None,
) -> None:
    """Print the source of a template, and on standard error which file it is: the one to copy and change."""
    from mailticket.delivery.render import TemplateProblem

    try:
        file, source = _renderer(ctx, templates).source(name, language)
    except TemplateProblem as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(2) from None
    typer.echo(file, err=True)
    typer.echo(source, nl=False)


@templates_app.command()
def preview(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A template's code, such as ticket.autoresp.")],
    html: Annotated[Path | None, typer.Option("--html", help="Write the HTML part to this file.")] = None,
    part: Annotated[Part, typer.Option(help="Which part to print.")] = Part.TEXT,
    language: Annotated[str, typer.Option(help="A language tag, such as de-AT.")] = "en",
    sample: Annotated[str, typer.Option(help="Which of its samples; `list` is answered with all.")] = "usual",
    templates: _Site = None,
) -> None:
    """Show a mail on sample data. Exits with 1 when the template is broken, 2 when there is none."""
    from mailticket.delivery.context import context_of  # slow to import, and not needed for --help
    from mailticket.delivery.render import TemplateProblem
    from mailticket.delivery.samples import SAMPLES, samples_of

    if name not in SAMPLES:
        typer.echo(f"There is no template {name!r}. There are: {', '.join(SAMPLES)}.", err=True)
        raise typer.Exit(2)
    letters = samples_of(name)
    if sample not in letters:
        typer.echo(f"{name} has the samples: {', '.join(letters)}.", err=True)
        raise typer.Exit(0 if sample == "list" else 2)
    try:
        rendered = _renderer(ctx, templates).render(name, language, context_of(letters[sample]()))
    except TemplateProblem as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None
    if part in (Part.TEXT, Part.BOTH):
        typer.echo(f"Subject: {rendered.subject}\n\n{rendered.text}", nl=False)
    if part is Part.BOTH:
        typer.echo("\n" + "-" * 76)
    if part in (Part.HTML, Part.BOTH):
        typer.echo(rendered.html, nl=False)
    if html is not None:
        html.write_text(rendered.html, encoding="utf-8")
        typer.echo(f"HTML written to {html}", err=True)


@templates_app.command()
def check(
    ctx: typer.Context,
    language: Annotated[
        list[str] | None, typer.Option(help="Only this language; may be given again. Default: all.")
    ] = None,
    templates: _Site = None,
    as_json: _Json = False,
) -> None:
    """Render every template in every language on every sample, and look up every name it uses.

    Names what is broken, what is not given, and what would show a customer something internal, with
    file and line, and exits with 1 then. What is not there in a language comes in English: that is
    listed, and is no mistake.
    """
    from mailticket.delivery.check import check as look  # slow to import, and not needed for --help

    found = list(look(_renderer(ctx, templates), tuple(language or ())))
    mistakes = [one for one in found if one.is_mistake]
    if as_json:
        for one in found:
            typer.echo(json.dumps(asdict(one), ensure_ascii=False))
    else:
        _tell(found, mistakes)
    raise typer.Exit(1 if mistakes else 0)


def _tell(found: Iterable[Finding], mistakes: list[Finding]) -> None:
    for one in mistakes:
        place = f"{one.file}:{one.line}" if one.line else one.file
        typer.echo(f"{one.kind}: {one.code} in {one.language}: {place}: {one.problem}")
    behind: dict[str, list[str]] = {}
    for one in found:
        if not one.is_mistake:
            behind.setdefault(one.language, []).append(one.code)
    alike: dict[tuple[str, ...], list[str]] = {}
    for tag, codes in behind.items():
        alike.setdefault(tuple(codes), []).append(tag)
    for left, tags in alike.items():
        typer.echo(f"{', '.join(tags)}: {_in_english(left)}")
    if not mistakes:
        typer.echo("Every template can be rendered, and none would show a customer what is internal.")


def _in_english(codes: tuple[str, ...]) -> str:
    """What a language leaves to the English templates; shipped ones leave agents' mails to them."""
    from mailticket.delivery.catalogue import CATALOGUE  # slow to import, and not needed for --help

    if {*codes} == {code for code, spec in CATALOGUE.items() if spec.audience == "agent"}:
        return "mails to customers are translated, those to agents come in English"
    return f"{len(codes)} mails come in English: {', '.join(codes)}"


def _renderer(ctx: typer.Context, templates: Path | None) -> Renderer:
    """The renderer of the folder given, else of the configuration given, else of the shipped templates."""
    from mailticket.cli.session import settings_of
    from mailticket.delivery.render import Renderer

    given = ctx.find_root().obj
    if templates is None and given and given.get("config"):
        templates = settings_of(ctx).service.templates
    return Renderer([templates] if templates else [])
