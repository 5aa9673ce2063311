"""`mailticket templates`: look at the mails the desk writes, on sample data."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

templates_app = typer.Typer(help="Look at the mails the desk writes.", no_args_is_help=True)

_Site = Annotated[
    Path | None,
    typer.Option("--templates", help="Your own template folder; its files come before the shipped ones."),
]


class Part(StrEnum):
    """Which part of a mail to print."""

    TEXT = "text"
    HTML = "html"
    BOTH = "both"


@templates_app.command("list")
def list_templates(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """Name every template, who reads it and when it is sent."""
    from mailticket.delivery.catalogue import CATALOGUE  # slow to import, and not needed for --help

    for spec in CATALOGUE.values():
        if as_json:
            typer.echo(json.dumps({"code": spec.code, "audience": spec.audience, "purpose": spec.purpose}))
        else:
            typer.echo(f"{spec.code:24}{spec.audience:10}{spec.purpose}")


@templates_app.command()
def preview(
    name: Annotated[str, typer.Argument(help="A template's code, such as ticket.autoresp.")],
    html: Annotated[Path | None, typer.Option("--html", help="Write the HTML part to this file.")] = None,
    part: Annotated[Part, typer.Option(help="Which part to print.")] = Part.TEXT,
    language: Annotated[str, typer.Option(help="A language tag, such as de-AT.")] = "en",
    templates: _Site = None,
) -> None:
    """Show a mail on sample data. Exits with 1 when the template is broken, 2 when there is none."""
    from mailticket.delivery.context import context_of  # slow to import, and not needed for --help
    from mailticket.delivery.render import Renderer, TemplateProblem
    from mailticket.delivery.samples import SAMPLES

    sample = SAMPLES.get(name)
    if sample is None:
        typer.echo(f"There is no template {name!r}. There are: {', '.join(SAMPLES)}.", err=True)
        raise typer.Exit(2)
    try:
        rendered = Renderer([templates] if templates else []).render(name, language, context_of(sample()))
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
