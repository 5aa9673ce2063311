"""`verify`: prove that nobody changed the event log."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.progress import Progress
from rich.text import Text

from mailticket.cli.desk_commands import Json, OpenDesk, open_desk
from mailticket.cli.moments import moment_option
from mailticket.cli.session import EXIT_FAILED, counted, err, out, print_json
from mailticket.domain.eventchain import seal_key
from mailticket.errors import Permanent
from mailticket.store.engine import reading, transaction
from mailticket.store.models import EventSeal
from mailticket.store.proof import Proof, amount, prove
from mailticket.store.seals import latest_seal, make_seal

_DIGEST = re.compile(r"[0-9a-f]{64}")


def verify(
    ctx: typer.Context,
    since: Annotated[
        str | None,
        typer.Option(help="Only what was recorded since: 7d, 12h, or a date. Faster on a big desk."),
    ] = None,
    seal: Annotated[
        bool,
        typer.Option(
            "--seal", help="Seal the log now and print the newest seal, to be kept where no intruder is."
        ),
    ] = False,
    against: Annotated[
        Path | None,
        typer.Option(help="A file of seals kept from --seal or from the daemon's log, to compare with."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Prove that the event log is whole: nothing changed, deleted, inserted, reordered or cut off.

    Every event of a ticket holds a digest over the one before it, and the daemon signs all of them
    once a minute with the desk's secret key. Whoever can write to the database cannot change what is
    sealed; who has the secret key as well can, but not in accord with seals that you keep elsewhere.
    Ends with 0 when the log holds, with 1 when it does not; what is wrong first is told first.
    """
    with open_desk(ctx) as desk:
        key = seal_key(desk.settings.service.secret_key.get_secret_value().encode())
        if seal:
            _seal(desk, key, as_json=as_json)
            return
        expected = _kept(against) if against is not None else {}
        proof = _proved(
            desk,
            key,
            moment_option(since, desk.now(), "--since", ZoneInfo(desk.settings.desk.time_zone)),
            expected,
            quiet=as_json,
        )
    if as_json:
        print_json({**asdict(proof), "holds": proof.holds})
    else:
        _tell(proof)
    if not proof.holds:
        raise typer.Exit(EXIT_FAILED)


def _proved(
    desk: OpenDesk, key: bytes, since: datetime | None, expected: dict[int, str], *, quiet: bool
) -> Proof:
    with (
        reading(desk.engine, snapshot=True) as session,
        Progress(console=err, transient=True, disable=quiet or not err.is_terminal) as bar,
    ):
        task = bar.add_task("Checking the event log", total=amount(session, since))
        return prove(
            session, key, since=since, expected=expected, progress=lambda count: bar.advance(task, count)
        )


def _tell(proof: Proof) -> None:
    for note in proof.notes:
        out.print(Text(note, style="yellow"))
    if proof.holds:
        erased = f", of which {proof.erased} had words erased" if proof.erased else ""
        out.print(
            f"The log holds: {counted(proof.events, 'event')} of {counted(proof.tickets, 'ticket')}{erased}, "
            f"{counted(proof.seals, 'seal')}, {counted(proof.unsealed, 'event')} not sealed yet."
        )
        return
    out.print(Text("The log was tampered with:", style="bold red"))
    for finding in proof.findings:
        out.print(Text(f"  {finding}", style="red"))
    if proof.more:
        out.print(Text("  and more", style="red"))


def _seal(desk: OpenDesk, key: bytes, *, as_json: bool) -> None:
    newest: EventSeal | None = None
    while True:
        with transaction(desk.engine) as session:
            made = make_seal(session, key, desk.now())
            newest = made or latest_seal(session)
        if made is None:
            break
    if newest is None:
        raise Permanent("the event log is empty: there is nothing to seal")
    told: dict[str, Any] = {"seal": newest.number, "made_at": newest.made_at, "digest": newest.digest}
    if as_json:
        print_json(told)
    else:
        typer.echo(f"seal {newest.number} {newest.made_at:%Y-%m-%dT%H:%M:%SZ} {newest.digest}")


def _kept(file: Path) -> dict[int, str]:
    """Seals as `--seal` prints them, or lines of the daemon's log, or both; other lines do not count."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise Permanent(f"{file}: {error.strerror}") from error
    kept = dict(found for line in lines if (found := _seal_of(line)) is not None)
    if not kept:
        raise Permanent(f"{file} holds no seal: a line looks like `seal 12 2026-11-21T10:00:00Z DIGEST`")
    return kept


def _seal_of(line: str) -> tuple[int, str] | None:
    if line.lstrip().startswith("{"):
        try:
            values = json.loads(line)
        except ValueError:
            return None
        number, digest = values.get("seal"), str(values.get("digest"))
    else:
        found = re.search(r"\bseal[= ](\d{1,12})\b", line)
        digests = _DIGEST.findall(line)
        number, digest = (int(found[1]), digests[-1]) if found and digests else (None, "")
    return (number, digest) if isinstance(number, int) and _DIGEST.fullmatch(digest) else None
