"""What our own MX found out about a mail's sender: the topmost Authentication-Results header (RFC 8601).

Only the header that stands above every other one of its kind counts, and only when it names one of
the configured authserv-ids; anybody can write the others (RFC 8601 section 5). Our MX must remove
forged ones of its own name, as section 5 asks of it. Several headers of one name are not read
together, because that would believe a forged one that was left to stand below a true one.

What counts as proof of the From domain (docs/decisions/0040-trust.md): DMARC, or a DKIM signature of
that domain or of a domain above it, but no public suffix. SPF counts only through DMARC: by itself it
names servers, and many customers of one provider share those.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mailticket.mail.types import ParsedMail

NAMELESS = "-"
"""Stands among the authserv-ids for a header that names nobody, as Exchange Online writes it."""

_NO_POLICY = re.compile(r"\b(?:p|policy|action)=none\b", re.IGNORECASE)
_DMARC_FAIL = re.compile(r"\bdmarc\s*=\s*fail\b", re.IGNORECASE)
_SECOND_LEVEL = frozenset(
    ["ac", "biz", "co", "com", "ed", "edu", "firm", "gen", "go", "gob", "gouv", "gov", "gub", "gv", "info",
     "ltd", "me", "mil", "ne", "net", "nhs", "nom", "or", "org", "plc", "sch"]
)  # fmt: skip
"""Labels under which countries register names, so that `co.uk` is nobody's domain."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`passed`: the From domain is proven by DMARC, or by a DKIM signature aligned with it.

    `failed`: DMARC said so, and the domain's owner wants such mail refused or set aside. Both False
    when nothing was found out. `detail` says why, in words.
    """

    passed: bool
    failed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Result:
    """One `method=result` with its properties, as {"header.d": "customer.example"}."""

    method: str
    result: str
    properties: dict[str, str]


_NONE = Verdict(False, False, "no Authentication-Results of ours")


def believed(mail: ParsedMail, authserv_ids: tuple[str, ...]) -> str | None:
    """The Authentication-Results header that tells what our own MX found, or None where there is none."""
    headers = mail.header_all("authentication-results")
    if not headers or not authserv_ids:
        return None
    writer = _writer(headers[0])
    return headers[0] if writer in {item.lower() for item in authserv_ids} else None


def verdict(mail: ParsedMail, authserv_ids: tuple[str, ...]) -> Verdict:
    """Read the topmost Authentication-Results of `mail`, if it is one of `authserv_ids`.

    Never raises; what cannot be read proves nothing.
    """
    header = believed(mail, authserv_ids)
    if header is None or mail.sender.address is None:
        return _NONE
    results = _results(header)
    if results is None:
        return Verdict(False, False, "the Authentication-Results of our MX cannot be read")
    return _judge(results, header, mail.sender.address.rpartition("@")[2].lower())


def aligned(domain: str, signer: str) -> bool:
    """Whether a signature of `signer` speaks for `domain`: for itself, or for a domain below it.

    The owner of a domain controls all names below it. RFC 7489 (3.1.1) would also let a lower name
    speak for a higher one of the same organisation; that needs the list of public suffixes, and is
    left to our MX's DMARC result.
    """
    domain, signer = domain.lower().rstrip("."), signer.lower().rstrip(".")
    labels = signer.split(".")
    if len(labels) < 2 or (len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _SECOND_LEVEL):
        return False
    return domain == signer or domain.endswith("." + signer)


def _writer(header: str) -> str:
    """The authserv-id in lower case, NAMELESS where the header begins with a result."""
    first = header.partition(";")[0].strip()
    if re.match(r"[a-z0-9-]+\s*=", first, re.IGNORECASE):
        return NAMELESS
    return _uncommented(first).partition(" ")[0].strip('"').lower()


def _uncommented(text: str) -> str:
    kept, depth = [], 0
    for character in text:
        depth += (character == "(") - (character == ")" and depth > 0)
        if depth == 0 and character != ")":
            kept.append(character)
    return "".join(kept).strip()


def _results(header: str) -> list[Result] | None:
    from authres import AuthenticationResultsHeader  # costs 20 ms to import and is rarely needed
    from authres.core import AuthResError

    # authres 1.2.0 knows no header without an authserv-id.
    text = f"{NAMELESS}; {header}" if _writer(header) == NAMELESS else header
    try:
        parsed = AuthenticationResultsHeader.parse(f"Authentication-Results: {text}")
    except (AuthResError, ValueError, IndexError, RecursionError):
        return None
    return [
        Result(str(item.method).lower(), str(item.result).lower(), _properties(item.properties))
        for item in parsed.results
    ]


def _properties(found: Iterable[object]) -> dict[str, str]:
    """Properties by name; one that is given twice with different values says nothing."""
    values: dict[str, set[str]] = {}
    for item in found:
        name = f"{getattr(item, 'type', '')}.{getattr(item, 'name', '')}".lower()
        values.setdefault(name, set()).add(str(getattr(item, "value", "")))
    return {name: next(iter(given)) for name, given in values.items() if len(given) == 1}


def _judge(results: list[Result], header: str, domain: str) -> Verdict:
    dmarc = [item for item in results if item.method == "dmarc"]
    if any(item.result == "fail" for item in dmarc):
        # With p=none the owner says that mail which does not pass may well be his. authres forgets
        # comments, where most MXs write the policy.
        failures = [part for part in header.split(";") if _DMARC_FAIL.search(part)]
        if all(_NO_POLICY.search(part) for part in failures) and failures:
            return Verdict(False, False, f"DMARC failed for {domain}, whose owner asks for nothing then")
        return Verdict(False, True, f"DMARC failed for {domain}, says our MX")
    for item in dmarc:
        checked = item.properties.get("header.from", domain).rpartition("@")[2].lower()
        if item.result == "pass" and checked == domain:
            return Verdict(True, False, f"DMARC passed for {domain}, says our MX")
    for item in results:
        signer = item.properties.get("header.d") or item.properties.get("header.i", "").rpartition("@")[2]
        if item.method == "dkim" and item.result == "pass" and aligned(domain, signer):
            return Verdict(True, False, f"a DKIM signature of {signer.lower()} passed, says our MX")
    return Verdict(False, False, f"our MX proved nothing about {domain}")
