"""`webhook`: the calls to web services, and trying one out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from mailticket.cli.desk_commands import Json, Limit, open_desk
from mailticket.cli.session import EXIT_FAILED, EXIT_TEMPORARY, out, plain_errors, print_json, settings_of
from mailticket.config.problems import did_you_mean
from mailticket.delivery.webhook import Later, Taken
from mailticket.domain.hooks import trial_call
from mailticket.errors import Permanent
from mailticket.store import webhooks
from mailticket.store.webhooks import CallState
from mailticket.work.clock import clock_from_environment
from mailticket.work.webhooks import make_call

webhook_app = typer.Typer(
    help="Calls to web services: what waits, was made or is stuck.", no_args_is_help=True
)


@webhook_app.command("list")
def webhook_list(
    ctx: typer.Context,
    state: Annotated[list[CallState] | None, typer.Option(help="Only these; may be repeated.")] = None,
    webhook: Annotated[str | None, typer.Option(help="Only to this one (key).")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List calls, newest first."""
    with open_desk(ctx) as desk:
        calls = webhooks.list_calls(desk.engine, tuple(state or ()), webhook, limit)
        if as_json:
            print_json([asdict(call) for call in calls])
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in ("Id", "State", "Webhook", "Event", "Tries", "Next try", "Answer", "Error"):
            table.add_column(name)
        for call in calls:
            waits = f"{call.next_try_at:%Y-%m-%d %H:%M:%S}" if call.state is CallState.QUEUED else ""
            table.add_row(
                str(call.id), call.state, call.webhook, call.event, str(call.attempts), waits,
                str(call.answer or ""), Text((call.error or "")[:80], style="red"),
            )  # fmt: skip
        out.print(table if calls else "No call.")


@webhook_app.command("show")
def webhook_show(
    ctx: typer.Context, call: Annotated[int, typer.Argument(help="Its id.")], as_json: Json = False
) -> None:
    """Show one call, with the body that is sent."""
    with open_desk(ctx) as desk:
        found, body = webhooks.show(desk.engine, call)
        if as_json:
            print_json({**asdict(found), "body": body})
            return
        table = Table.grid(padding=(0, 2))
        for name, value in asdict(found).items():
            if value not in (None, ""):
                table.add_row(Text(name.replace("_", " "), style="dim"), Text(str(value)))
        out.print(table)
        out.print_json(body)


@webhook_app.command("retry")
def webhook_retry(ctx: typer.Context, call: Annotated[list[int], typer.Argument(help="Their ids.")]) -> None:
    """Make waiting calls at once, or failed and cancelled ones after all."""
    with open_desk(ctx) as desk:
        for number in call:
            webhooks.retry(desk.engine, number, desk.now())
            out.print(f"Call {number} is made again.")


@webhook_app.command("cancel")
def webhook_cancel(ctx: typer.Context, call: Annotated[list[int], typer.Argument(help="Their ids.")]) -> None:
    """Never make calls that wait or have failed."""
    with open_desk(ctx) as desk:
        for number in call:
            webhooks.cancel(desk.engine, number, desk.now())
            out.print(f"Call {number} is cancelled.")


@webhook_app.command("test")
def webhook_test(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(help="The webhook's key in the configuration.")],
    as_json: Json = False,
) -> None:
    """Make a call that means nothing ("event": "test"), now, and tell what came back.

    Nothing is stored. Exit codes: 0 it was taken, 1 it was refused, 75 it may be taken later.
    """
    settings = settings_of(ctx)
    with plain_errors():
        webhook = settings.desk.webhooks.get(key)
        if webhook is None:
            hint = did_you_mean(key, settings.desk.webhooks)
            raise Permanent(f"there is no webhook {key}" + (f". {hint}" if hint else ""))
        now = clock_from_environment()()
        call = trial_call(webhook, settings.desk, now)
        answer = make_call(webhook, call.key, call.event, call.body, now)
    if as_json:
        print_json({"webhook": key, "taken": isinstance(answer, Taken), **asdict(answer)})
    elif isinstance(answer, Taken):
        out.print(f"{webhook.url} took it: {answer.status}.", markup=False)
    else:
        out.print(f"{webhook.url}: {answer.why}", style="red", markup=False, soft_wrap=True)
    if not isinstance(answer, Taken):
        raise typer.Exit(EXIT_TEMPORARY if isinstance(answer, Later) else EXIT_FAILED)
