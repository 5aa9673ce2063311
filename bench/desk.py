"""The whole daemon under load: new mails, replies, many customers at once, one at a time, at rest.

Every mail is followed through: accepted, stored, worked off, answered. A mail that is lost, a ticket
too many or an acknowledgement missing ends the run with `RunWrong`; being slow does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from statistics import quantiles

from bench import load
from bench.daemon import Daemon, Sent
from bench.load import Mail
from bench.processes import Cpu, Family, Memory
from bench.wire import Accepted, Handed, RunWrong, Sink, send_all

_ACKNOWLEDGEMENT = "ticket.autoresp"
_ALERTS = {"request": "ticket.alert", "reply": "message.alert"}
_LOOK_AT_MEMORY = 0.2
_MESSAGE_ID = re.compile(rb"(?im)^message-id:\s*<([^>\r\n]+)>")

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many mails each phase sends."""

    new: int = 500
    replies: int = 500
    crowd: int = 300
    single: int = 50
    rest_seconds: float = 10.0


QUICK = Sizes(new=100, replies=100, crowd=60, single=10, rest_seconds=3.0)


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds: what half of the mails, and all but one in a hundred, stay below."""

    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class PhaseCost:
    """What one phase cost.

    cpu_ms           per mail, of all the daemon's processes; parent_cpu_ms and parser_cpu_ms are its parts
    wall_ms          per mail, from the first MAIL to the last mail handed over
    accepted_per_s   mails taken per second while they were being sent
    accept           one mail at the SMTP server, from MAIL to the 250 after its final dot
    acknowledged     from that 250 to the acknowledgement handed to the smarthost, None without one
    alerted          the same for the agent's alert
    outgoing         mails handed over
    """

    name: str
    mails: int
    connections: int
    cpu_ms: float
    parent_cpu_ms: float
    parser_cpu_ms: float
    wall_ms: float
    per_s: float
    accepted_per_s: float
    accept: Spread
    acknowledged: Spread | None
    alerted: Spread | None
    outgoing: int


@dataclass(frozen=True, slots=True)
class Rest:
    """The daemon with nothing to do: CPU ms per second, and how many open tickets it had."""

    cpu_ms_per_s: float
    tickets: int
    seconds: float


@dataclass(slots=True)
class DeskCost:
    """All phases, and memory in bytes: just started, at its peak, at rest after all of it."""

    seconds_to_start: float = 0.0
    cpu_ms_to_start: float = 0.0
    phases: list[PhaseCost] = field(default_factory=list)
    started: Memory = field(default_factory=Memory)
    peak: Memory = field(default_factory=Memory)
    resting: Memory = field(default_factory=Memory)
    rest: Rest | None = None
    replies: list[bytes] = field(default_factory=list, repr=False)
    """The raw replies, for the floor; not in the report."""


async def measure_desk(
    requests: Sequence[Mail], sizes: Sizes, folder: Path, progress: Progress, profile: Path | None = None
) -> DeskCost:
    """Start the daemon in `folder`, put it through all phases, stop it. Raises `RunWrong`."""
    sink = Sink()
    daemon = Daemon(folder, await sink.start(), profile)
    try:
        progress("starting the daemon")
        family = await daemon.start()
        run = _Run(daemon, family, sink, progress)
        run.cost.seconds_to_start = daemon.seconds_to_start
        run.cost.cpu_ms_to_start = 1000 * family.cpu().total
        async with run.watching_memory():
            await run.all_phases(requests, sizes)
        await daemon.stop()
        return run.cost
    finally:
        daemon.kill()
        await sink.stop()


class _Run:
    """One daemon's way through the phases."""

    def __init__(self, daemon: Daemon, family: Family, sink: Sink, progress: Progress) -> None:
        self.cost = DeskCost()
        self._daemon = daemon
        self._family = family
        self._sink = sink
        self._progress = progress

    async def all_phases(self, requests: Sequence[Mail], sizes: Sizes) -> None:
        await asyncio.sleep(0.5)
        self.cost.started = self._family.memory()
        await self._phase("warm-up", load.new_requests(10, "warm", senders=10), 2)
        self.cost.phases.clear()
        await self._phase("new mails", requests, 4)
        acknowledged = self._acknowledged(requests)[: sizes.replies]
        before = self._daemon.tickets()
        for name, by_token in (("replies by token", True), ("replies by References only", False)):
            tag = "token" if by_token else "header"
            replies = [
                load.reply(answer, request, index, tag, by_token=by_token)
                for index, (request, answer) in enumerate(acknowledged)
            ]
            self.cost.replies += [mail.raw for mail in replies]
            await self._phase(name, replies, 4)
            if self._daemon.tickets() != before:
                raise RunWrong(f"{name}: {self._daemon.tickets() - before} of them opened new tickets")
        await self._phase("new mails, 16 at once", load.new_requests(sizes.crowd, "crowd"), 16)
        await self._one_by_one(load.new_requests(sizes.single, "single"))
        await self._resting(sizes.rest_seconds)
        self.cost.resting = self._family.memory()
        self.cost.peak = self._family.peak

    @contextlib.asynccontextmanager
    async def watching_memory(self) -> AsyncIterator[None]:
        """Look at the processes' memory every now and then."""

        async def watch() -> None:
            while True:
                self._family.memory()
                await asyncio.sleep(_LOOK_AT_MEMORY)

        task = asyncio.create_task(watch())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ProcessLookupError):
                await task

    async def _phase(self, name: str, mails: Sequence[Mail], connections: int) -> None:
        """Send mails as fast as they are taken, and follow each to its end."""
        self._progress(f"{name}: {len(mails)} mails over {connections} connections")
        taken, used, started = len(self._sink.taken), self._family.cpu(), time.monotonic()
        accepted = await send_all(mails, self._daemon.port, connections)
        sending = time.monotonic() - started
        await self._daemon.drained()
        self._book(name, accepted, connections, taken, used, started, sending)

    async def _one_by_one(self, mails: Sequence[Mail]) -> None:
        """Send each mail when the one before has been answered: nothing waits, nothing is shared."""
        name = "new mails, one at a time"
        self._progress(f"{name}: {len(mails)} mails")
        taken, used, started = len(self._sink.taken), self._family.cpu(), time.monotonic()
        accepted: list[Accepted] = []
        for mail in mails:
            accepted += await send_all([mail], self._daemon.port, 1)
            await self._daemon.drained()
        sending = time.monotonic() - started
        self._book(name, accepted, 1, taken, used, started, sending)

    async def _resting(self, seconds: float) -> None:
        self._progress(f"at rest for {seconds:g} s")
        await asyncio.sleep(1)
        used = self._family.cpu()
        await asyncio.sleep(seconds)
        spent = self._family.cpu().since(used).total
        self.cost.rest = Rest(1000 * spent / seconds, self._daemon.tickets(), seconds)

    def _book(
        self,
        name: str,
        accepted: Sequence[Accepted],
        connections: int,
        taken: int,
        used_before: Cpu,
        started: float,
        sending: float,
    ) -> None:
        spent = self._family.cpu().since(used_before)
        handed = self._sink.taken[taken:]
        sent = self._checked(name, accepted, handed)
        count = len(accepted)
        elapsed = max([*(item.at for item in handed), *(item.at for item in accepted)]) - started
        self.cost.phases.append(
            PhaseCost(
                name=name,
                mails=count,
                connections=connections,
                cpu_ms=1000 * spent.total / count,
                parent_cpu_ms=1000 * spent.parent / count,
                parser_cpu_ms=1000 * spent.children / count,
                wall_ms=1000 * elapsed / count,
                per_s=count / elapsed,
                accepted_per_s=count / sending,
                accept=_spread([item.seconds for item in accepted]),
                acknowledged=_delays(accepted, handed, sent, {_ACKNOWLEDGEMENT}),
                alerted=_delays(accepted, handed, sent, set(_ALERTS.values())),
                outgoing=len(handed),
            )
        )

    def _checked(self, name: str, accepted: Sequence[Accepted], handed: Sequence[Handed]) -> list[Sent]:
        """The phase's outgoing mails; raises `RunWrong` when any mail was lost or is missing its answer."""
        causes = {_digest(item.mail): item.mail for item in accepted}
        lost = len(set(causes) - self._daemon.known())
        if lost:
            raise RunWrong(f"{name}: {lost} accepted mails are not in the database")
        failed = self._daemon.states("inbound").get("failed", 0)
        if failed:
            raise RunWrong(f"{name}: {failed} mails could not be worked off:\n{self._daemon.log()}")
        unsent = {state: count for state, count in self._daemon.states("outbox").items() if state != "sent"}
        if unsent:
            raise RunWrong(f"{name}: outgoing mails were not sent: {unsent}\n{self._daemon.log()}")
        sent = [item for item in self._daemon.sent() if item.cause in causes]
        arrived = Counter(_message_id(item.raw) for item in handed)
        if any(arrived[item.message_id] != 1 for item in sent):
            raise RunWrong(f"{name}: the smarthost did not get every mail just once")
        answers = Counter((item.cause, item.template) for item in sent)
        for digest, mail in causes.items():
            for template in _due(mail):
                if answers[digest, template] != 1:
                    raise RunWrong(
                        f"{name}: {answers[digest, template]} of {template} for {mail.message_id}, 1 expected"
                    )
        return sent

    def _acknowledged(self, requests: Sequence[Mail]) -> list[tuple[Mail, bytes]]:
        """The requests that were acknowledged, each with its acknowledgement."""
        by_digest = {_digest(mail): mail for mail in requests}
        raw = {_message_id(item.raw): item.raw for item in self._sink.taken}
        return [
            (by_digest[item.cause], raw[item.message_id])
            for item in self._daemon.sent()
            if item.template == _ACKNOWLEDGEMENT and item.cause in by_digest
        ]


def _due(mail: Mail) -> tuple[str, ...]:
    """The mails that must follow on one of ours; on a foreign file, whatever the desk thinks right."""
    if mail.kind == "file":
        return ()
    return (_ALERTS["reply"],) if mail.kind == "reply" else (_ACKNOWLEDGEMENT, _ALERTS["request"])


def _delays(
    accepted: Sequence[Accepted], handed: Sequence[Handed], sent: Sequence[Sent], templates: set[str]
) -> Spread | None:
    """How long after their 250 the mails of these templates were handed over; None when there are none."""
    begun = {_digest(item.mail): item.at for item in accepted}
    done = {_message_id(item.raw): item.at for item in handed}
    delays = [
        done[item.message_id] - begun[item.cause]
        for item in sent
        if item.template in templates and item.cause in begun
    ]
    return _spread(delays) if delays else None


def _spread(seconds: Sequence[float]) -> Spread:
    if len(seconds) < 2:
        return Spread(1000 * seconds[0], 1000 * seconds[0])
    cuts = quantiles(seconds, n=100, method="inclusive")
    return Spread(1000 * cuts[49], 1000 * cuts[98])


def _digest(mail: Mail) -> str:
    return sha256(mail.raw).hexdigest()


def _message_id(raw: bytes) -> str:
    found = _MESSAGE_ID.search(raw)
    return found[1].decode("ascii", "replace") if found else ""
