"""Our own look at DKIM signatures, where no mail server of ours has told (`[trust] verify = "dkim"`).

DESCRIPTION. Only for mails for which it can matter, and only signatures of the From domain or one
above it are looked at, so that a stranger cannot make us ask his name servers about an agent's
mail. Runs before the transaction; every question to DNS has a time-out, the answers are kept for a
while, and a batch of mails has a budget of time, beyond which nothing is proven.

A signature counts only when nothing that bears on the decision could have been changed or added
after signing: no `l=`, every header that names people, subject or thread is signed, and none of them
comes twice (a replayed mail with a new Subject on top would else pass).

DIAGNOSTICS. A failure proves nothing: it is no sign of forgery, since mailing lists and gateways break
signatures. It is told as a reason with the decision.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from mailticket.config.desk import Desk, TrustPolicy
from mailticket.mail.address import canonical, identity
from mailticket.mail.authentication import Verdict, aligned, believed
from mailticket.mail.types import ParsedMail

log = structlog.get_logger()

DNS_TIMEOUT = 3.0
"""Seconds for one question."""
BATCH_BUDGET = 15.0
"""Seconds for all questions of one batch of mails: well within the lease on them."""
MAX_SIGNATURES = 3
MAX_SIZE = 10_000_000
"""Bytes of a mail that is hashed here; 10 MB cost 0.12 s (measured)."""
MAX_SIGNATURE_HEADER = 4_096
"""Characters; dkimpy's patterns take quadratic time on longer ones."""
_KEEP = 300.0
_KEEP_FAILURE = 60.0
_MOST_KEPT = 1_000
_SILENCE = b"no answer"
"""Kept in place of an answer that did not come, so that a dead server is not asked again and again."""
_BOUND = ("from", "subject", "to", "cc", "reply-to", "in-reply-to", "references")
"""Headers that must be signed where they are there, and be there once."""
_ONCE = (*_BOUND, "content-type", "content-transfer-encoding", "mime-version")
_TAG = re.compile(r"(?:^|;)\s*([a-z]+)\s*=([^;]*)", re.IGNORECASE)

AskDns = Callable[[bytes, float], bytes | None]
"""(name, seconds) -> its TXT record, or None. Raises anything when there was no answer."""


def ask_dns(name: bytes, timeout: float) -> bytes | None:
    """The TXT record of a name from the system's resolvers."""
    from dkim import dnsplug

    record: bytes | None = dnsplug.get_txt(name, timeout)
    return record


def can_matter(mail: ParsedMail, desk: Desk) -> bool:
    """Whether it makes a difference to this desk that the mail's From domain is proven."""
    policy = desk.trust
    if policy.verify == "off" or mail.sender.address is None or mail.header("dkim-signature") is None:
        return False
    if believed(mail, policy.authserv_ids) is not None:
        return False
    return canonical(mail.sender.address) in desk.agent_by_address or _asks_for_proof(desk, policy)


def _asks_for_proof(desk: Desk, policy: TrustPolicy) -> bool:
    if "authenticated" in (policy.join, policy.open_ticket, policy.acknowledge):
        return True
    return "trust" in desk.asked


@dataclass(slots=True)
class Budget:
    """The time left for questions to DNS; `ends` is in monotonic seconds."""

    ends: float


class Verifier:
    """Verifies DKIM signatures; keeps what DNS has said. Safe to call from any thread."""

    def __init__(self, dns: AskDns = ask_dns, clock: Callable[[], float] = time.monotonic) -> None:
        self._dns = dns
        self._clock = clock
        self._kept: dict[bytes, tuple[float, bytes | None]] = {}
        self._lock = threading.Lock()

    def budget(self) -> Budget:
        """A fresh budget, for one batch."""
        return Budget(self._clock() + BATCH_BUDGET)

    def verify(self, raw: bytes, mail: ParsedMail, desk: Desk, budget: Budget) -> Verdict | None:
        """What the signatures prove about the From domain; None when it cannot matter. Never raises."""
        if not can_matter(mail, desk) or mail.sender.address is None:
            return None
        domain = mail.sender.address.rpartition("@")[2].lower()
        problem = _unfit(raw, mail)
        if problem is None:
            return self._any_signature(raw, mail, domain, budget)
        return Verdict(False, False, f"no signature was looked at: {problem}")

    def _any_signature(self, raw: bytes, mail: ParsedMail, domain: str, budget: Budget) -> Verdict:
        why = f"none of its signatures is of {domain}"
        for index, header in enumerate(mail.header_all("dkim-signature")[:MAX_SIGNATURES]):
            tags = _tags(header)
            signer = tags.get("d", "")
            if not aligned(domain, signer):
                continue
            problem = _too_little(tags, mail) or self._broken(raw, index, mail, budget)
            if problem is None:
                return Verdict(True, False, f"a DKIM signature of {signer.lower()} holds, as we verified")
            why = f"the DKIM signature of {signer.lower()} proves nothing: {problem}"
        return Verdict(False, False, why)

    def _broken(self, raw: bytes, index: int, mail: ParsedMail, budget: Budget) -> str | None:
        """Why the signature at `index` does not hold, or None when it does."""
        import dkim  # takes 0.1 s and is rarely needed

        try:
            checked = dkim.DKIM(raw, minkey=1024, timeout=DNS_TIMEOUT)
            holds = checked.verify(index, dnsfunc=lambda name, timeout: self._ask(name, timeout, budget))
        except _NoAnswer:
            return "DNS did not answer in time"
        except Exception as error:  # noqa: BLE001 -- the library on hostile bytes: whatever it says, nothing is proven
            log.info("verify.failed", reason=type(error).__name__)
            return f"it cannot be verified ({type(error).__name__})"
        if not holds:
            return "it does not fit the mail"
        return None if _same_sender(checked, mail) else "it is read in two ways"

    def _ask(self, name: bytes, timeout: float, budget: Budget) -> bytes | None:
        key, now = name.lower(), self._clock()
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and kept[0] > now:
            if kept[1] is _SILENCE:
                raise _NoAnswer
            return kept[1]
        left = min(timeout, budget.ends - now)
        if left <= 0:
            raise _NoAnswer
        try:
            answer = self._dns(name, left)
        except Exception as error:
            self._keep(key, _SILENCE, _KEEP_FAILURE)
            log.info("verify.no_answer", reason=type(error).__name__)
            raise _NoAnswer from error
        self._keep(key, answer, _KEEP)
        return answer

    def _keep(self, key: bytes, answer: bytes | None, seconds: float) -> None:
        with self._lock:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = (self._clock() + seconds, answer)


class _NoAnswer(Exception):
    """DNS was silent."""


def _unfit(raw: bytes, mail: ParsedMail) -> str | None:
    if len(raw) > MAX_SIZE:
        return "the mail is too large"
    if any(len(header) > MAX_SIGNATURE_HEADER for header in mail.header_all("dkim-signature")):
        return "a signature is too long"
    twice = [name for name in _ONCE if len(mail.header_all(name)) > 1]
    return f"the mail has more than one {twice[0]} header" if twice else None


def _tags(header: str) -> dict[str, str]:
    return {name.lower(): "".join(value.split()) for name, value in _TAG.findall(header)}


def _too_little(tags: dict[str, str], mail: ParsedMail) -> str | None:
    if "l" in tags:
        return "it covers only a part of the text (l=)"
    signed = {name.lower() for name in tags.get("h", "").split(":")}
    for name in _BOUND:
        if name not in signed and mail.header(name) is not None:
            return f"it does not cover {name.title()}"
    return None


def _same_sender(checked: Any, mail: ParsedMail) -> bool:
    """The library saw the one From header that we saw."""
    fields = [
        b"".join(value.splitlines()).strip()
        for name, value in checked.headers
        if name.strip().lower() == b"from"
    ]
    return len(fields) == 1 and identity(fields).address == mail.sender.address
