"""What our own MX found out about a mail's sender: the topmost Authentication-Results header (RFC 8601).

Only a header that stands above every other one of its kind and names one of the configured
authserv-ids counts; anybody can write the others (RFC 8601 section 5). Our MX must remove forged
ones of its own name, as section 5 asks of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailticket.mail.types import ParsedMail


@dataclass(frozen=True, slots=True)
class Verdict:
    """`passed`: the From domain is proven by DMARC, or by DKIM or SPF aligned with it.

    `failed`: DMARC said so. Both False when nothing was found out. `detail` says why, in words.
    """

    passed: bool
    failed: bool
    detail: str


_NONE = Verdict(False, False, "no Authentication-Results of ours")


def verdict(mail: ParsedMail, authserv_ids: tuple[str, ...]) -> Verdict:
    """Read the topmost Authentication-Results of `mail`, if it is one of `authserv_ids`.

    Never raises; what cannot be read proves nothing.
    """
    headers = mail.header_all("authentication-results")
    if not headers or not authserv_ids or mail.sender.address is None:
        return _NONE
    results = _results(headers[0])
    if results is None or results[0].lower() not in {item.lower() for item in authserv_ids}:
        return _NONE
    return _judge(results[1], mail.sender.address.rpartition("@")[2].lower())


def _results(header: str) -> tuple[str, list[tuple[str, str, dict[str, str]]]] | None:
    from authres import AuthenticationResultsHeader  # costs 20 ms to import and is rarely needed
    from authres.core import AuthResError

    try:
        parsed = AuthenticationResultsHeader.parse(f"Authentication-Results: {header}")
    except (AuthResError, ValueError, IndexError, RecursionError):
        return None
    found = []
    for result in parsed.results:
        properties = {f"{item.type}.{item.name}": str(item.value) for item in result.properties}
        found.append((str(result.method), str(result.result).lower(), properties))
    return str(parsed.authserv_id), found


def _judge(results: list[tuple[str, str, dict[str, str]]], domain: str) -> Verdict:
    for method, result, _ in results:
        if method == "dmarc" and result == "pass":
            return Verdict(True, False, f"DMARC passed for {domain}")
        if method == "dmarc" and result == "fail":
            return Verdict(False, True, f"DMARC failed for {domain}")
    for method, result, properties in results:
        signer = properties.get("header.d") or properties.get("header.i", "").rpartition("@")[2]
        if method == "dkim" and result == "pass" and signer.lower() == domain:
            return Verdict(True, False, f"a DKIM signature of {domain} passed")
    return Verdict(False, False, "our MX proved nothing about the From domain")
